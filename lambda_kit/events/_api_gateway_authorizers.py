"""
What API Gateway asks a Lambda authorizer, and what it may answer.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-use-lambda-authorizer.html and
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from pydantic import Field

from lambda_kit.events._api_gateway_http import HttpRequestContext
from lambda_kit.events._api_gateway_rest import RestRequestContext
from lambda_kit.events._api_gateway_websocket import WebSocketContext
from lambda_kit.events._http_events import MultiNames, Names, RequestEvent
from lambda_kit.events._model import Event

# What an authorizer's context may hold: API Gateway refuses nested values.
Context = Mapping[str, str | int | float | bool]


class PolicyAuthorizer(Event):
    """
    Be a question that an IAM policy answers.

    Attributes:
        arn_field: The field that has the ARN of what is asked for.
    """

    arn_field: ClassVar[str] = "method_arn"

    def allow(
        self,
        principal_id: str,
        *,
        resources: Iterable[str] | None = None,
        context: Context | None = None,
        usage_identifier_key: str | None = None,
    ) -> dict[str, Any]:
        """
        Return the answer that lets the caller in.

        Args:
            resources: ARNs of methods; by default every method of the stage, because API Gateway may reuse a cached
                answer for other methods.
            context: What the function gets as the authorizer's; values arrive as text in REST APIs.
            usage_identifier_key: The API key of the caller, where usage plans ask the authorizer for it.
        """
        answer = self._policy(principal_id, "Allow", resources, context)
        return answer | ({} if usage_identifier_key is None else {"usageIdentifierKey": usage_identifier_key})

    def deny(self, principal_id: str = "nobody", *, context: Context | None = None) -> dict[str, Any]:
        """
        Return the answer that gives 403. For 401, raise an exception whose whole message is ``"Unauthorized"``.
        """
        return self._policy(principal_id, "Deny", None, context)

    def _policy(self, principal_id: str, effect: str, resources: Iterable[str] | None, context: Context | None) -> dict[str, Any]:
        allowed = [_whole_stage(getattr(self, self.arn_field))] if resources is None else list(resources)
        statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": allowed}
        answer: dict[str, Any] = {"principalId": principal_id, "policyDocument": {"Version": "2012-10-17", "Statement": [statement]}}
        return answer | ({"context": dict(context)} if context else {})


class ApiGatewayTokenAuthorizerEvent(PolicyAuthorizer):
    """
    A REST API asks about a token.

    Answer with :meth:`allow` or :meth:`deny`.
    """

    source_name: ClassVar[str] = "authorizer_token"

    authorization_token: str = Field(repr=False)
    method_arn: str
    type: str | None = None


class ApiGatewayRequestAuthorizerEvent(PolicyAuthorizer, RequestEvent):
    """
    A REST API, or an HTTP API with payload format 1.0, asks about a request; it comes without its body.

    Answer with :meth:`allow` or :meth:`deny`.
    """

    source_name: ClassVar[str] = "authorizer_request"

    method_arn: str
    type: str | None = None
    version: str | None = None
    identity_source: str | None = Field(default=None, repr=False)
    authorization_token: str | None = Field(default=None, repr=False)
    resource: str | None = None
    path: str | None = None
    http_method: str | None = None
    headers: Names | None = Field(default=None, repr=False)
    multi_value_headers: MultiNames | None = Field(default=None, repr=False)
    query_string_parameters: Names | None = Field(default=None, repr=False)
    multi_value_query_string_parameters: MultiNames | None = Field(default=None, repr=False)
    path_parameters: Names | None = None
    stage_variables: Names | None = Field(default=None, repr=False)
    request_context: RestRequestContext | None = None


class ApiGatewayWebSocketAuthorizerEvent(PolicyAuthorizer):
    """
    A WebSocket API asks about a connection; only ``$connect`` can have an authorizer.

    Answer with :meth:`allow` or :meth:`deny`.
    """

    source_name: ClassVar[str] = "authorizer_websocket"

    method_arn: str
    type: str | None = None
    headers: Names | None = Field(default=None, repr=False)
    multi_value_headers: MultiNames | None = Field(default=None, repr=False)
    query_string_parameters: Names | None = Field(default=None, repr=False)
    multi_value_query_string_parameters: MultiNames | None = Field(default=None, repr=False)
    stage_variables: Names | None = Field(default=None, repr=False)
    request_context: WebSocketContext


class ApiGatewayHttpAuthorizerEvent(PolicyAuthorizer, RequestEvent):
    """
    An HTTP API asks about a request, payload format 2.0; it comes without its body.

    Answer with :meth:`simple` where simple responses are on, else with :meth:`allow` or :meth:`deny`.
    """

    source_name: ClassVar[str] = "authorizer_http"
    arn_field: ClassVar[str] = "route_arn"

    route_arn: str
    type: str | None = None
    version: str | None = None
    identity_source: list[str | None] | None = Field(default=None, repr=False)
    route_key: str | None = None
    raw_path: str | None = None
    raw_query_string: str | None = Field(default=None, repr=False)
    cookies: list[str] | None = Field(default=None, repr=False)
    headers: Names | None = Field(default=None, repr=False)
    query_string_parameters: Names | None = Field(default=None, repr=False)
    path_parameters: Names | None = None
    stage_variables: Names | None = Field(default=None, repr=False)
    request_context: HttpRequestContext | None = None

    def simple(self, is_authorized: bool, *, context: Context | None = None) -> dict[str, Any]:
        """
        Return ``{"isAuthorized": ..., "context": {...}}``.
        """
        return {"isAuthorized": is_authorized} | ({"context": dict(context)} if context else {})


def _whole_stage(arn: str) -> str:
    # arn:aws:execute-api:region:account:api/stage/METHOD/path, or .../stage/$connect
    return "/".join([*arn.split("/")[:2], "*"])
