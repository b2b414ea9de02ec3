"""
Requests that come through an API Gateway HTTP API with payload format 2.0.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from pydantic import Field

from lambda_kit.events._http_events import HttpEvent, Names
from lambda_kit.events._model import Part
from lambda_kit.events._times import epoch_time


class HttpDescription(Part):
    """
    What was called, by whom.
    """

    method: str | None = None
    path: str | None = None
    protocol: str | None = None
    source_ip: str | None = None
    user_agent: str | None = None


class HttpAuthorizer(Part):
    """
    What the route's authorizer found out; one of the three is set. ``lambda_`` is what a Lambda authorizer returned.
    """

    jwt: dict[str, Any] | None = Field(default=None, repr=False)
    iam: dict[str, Any] | None = Field(default=None, repr=False)
    lambda_: dict[str, Any] | None = Field(default=None, alias="lambda", repr=False)


class HttpRequestContext(Part):
    """
    What API Gateway knows of the request.
    """

    http: HttpDescription
    account_id: str | None = None
    api_id: str | None = None
    authentication: dict[str, Any] | None = Field(default=None, repr=False)
    authorizer: HttpAuthorizer | None = None
    domain_name: str | None = None
    domain_prefix: str | None = None
    request_id: str | None = None
    route_key: str | None = None
    stage: str | None = None
    time: str | None = None
    time_epoch: int | None = None


class ApiGatewayHttpEvent(HttpEvent):
    """
    A request to an HTTP API, payload format 2.0. :attr:`request` shows it as every other HTTP source is shown.

    Answer with :meth:`respond`: ``{"statusCode", "headers", "body", "isBase64Encoded", "cookies"}``.
    """

    source_name: ClassVar[str] = "http"

    version: str | None = None
    request_context: HttpRequestContext
    route_key: str | None = None
    raw_path: str | None = None
    raw_query_string: str | None = Field(default=None, repr=False)
    cookies: list[str] | None = Field(default=None, repr=False)
    headers: Names | None = Field(default=None, repr=False)
    query_string_parameters: Names | None = Field(default=None, repr=False)
    path_parameters: Names | None = None
    stage_variables: Names | None = Field(default=None, repr=False)
    body: str | None = Field(default=None, repr=False)
    is_base64_encoded: bool | None = None

    @property
    def received_at(self) -> datetime | None:
        """When API Gateway received the request."""
        return epoch_time(self.request_context.time_epoch, per_s=1000)
