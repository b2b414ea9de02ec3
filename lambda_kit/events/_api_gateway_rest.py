"""
Requests that come through an API Gateway REST API, or an HTTP API with payload format 1.0.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from pydantic import Field

from lambda_kit.events._http_events import HttpEvent, MultiNames, Names
from lambda_kit.events._model import Part
from lambda_kit.events._times import epoch_time


class RestIdentity(Part):
    """
    Who called, as far as API Gateway found out. ``source_ip`` is ``"test-invoke-source-ip"`` for tests in the console.
    """

    access_key: str | None = Field(default=None, repr=False)
    account_id: str | None = None
    api_key: str | None = Field(default=None, repr=False)
    api_key_id: str | None = None
    caller: str | None = None
    client_cert: dict[str, Any] | None = Field(default=None, repr=False)
    cognito_authentication_provider: str | None = None
    cognito_authentication_type: str | None = None
    cognito_identity_id: str | None = None
    cognito_identity_pool_id: str | None = None
    principal_org_id: str | None = None
    source_ip: str | None = None
    user: str | None = None
    user_agent: str | None = None
    user_arn: str | None = None


class RestRequestContext(Part):
    """
    What API Gateway knows of the request.

    ``authorizer`` is what the authorizer found out: ``{"claims": {...}}`` of Cognito, or of a Lambda authorizer
    ``principalId`` beside its context's values, which are text.
    """

    account_id: str | None = None
    api_id: str | None = None
    authorizer: dict[str, Any] | None = Field(default=None, repr=False)
    deployment_id: str | None = None
    domain_name: str | None = None
    domain_prefix: str | None = None
    extended_request_id: str | None = None
    http_method: str | None = None
    identity: RestIdentity | None = None
    operation_name: str | None = None
    path: str | None = None
    protocol: str | None = None
    request_id: str | None = None
    request_time: str | None = None
    request_time_epoch: int | None = None
    resource_id: str | None = None
    resource_path: str | None = None
    stage: str | None = None


class ApiGatewayRestEvent(HttpEvent):
    """
    A request to a REST API. What there is none of is ``None``; in the console's tests that goes for the headers too.

    Answer with :meth:`respond`: ``{"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"}``.
    """

    source_name: ClassVar[str] = "rest"

    http_method: str
    path: str | None = None
    request_context: RestRequestContext | None = None
    resource: str | None = None
    headers: Names | None = Field(default=None, repr=False)
    multi_value_headers: MultiNames | None = Field(default=None, repr=False)
    query_string_parameters: Names | None = Field(default=None, repr=False)
    multi_value_query_string_parameters: MultiNames | None = Field(default=None, repr=False)
    path_parameters: Names | None = None
    stage_variables: Names | None = Field(default=None, repr=False)
    body: str | None = Field(default=None, repr=False)
    is_base64_encoded: bool | None = None

    @property
    def received_at(self) -> datetime | None:
        """When API Gateway received the request."""
        context = self.request_context
        return None if context is None else epoch_time(context.request_time_epoch, per_s=1000)


class ApiGatewayHttpV1Event(ApiGatewayRestEvent):
    """
    A request to an HTTP API that is set to payload format 1.0: a REST API's form, whose path has the stage in it.

    Answer with :meth:`respond`, as for a REST API.
    """

    source_name: ClassVar[str] = "http_v1"

    version: str | None = None
