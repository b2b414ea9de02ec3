"""
Requests that come through an API Gateway HTTP API with payload format 2.0.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cached_property
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, Field

from lambda_kit._http import HttpRequest
from lambda_kit.events._model import Event, Part
from lambda_kit.events._validation import from_json

M = TypeVar("M", bound=BaseModel)


class HttpDescription(Part):
    """
    What was called, by whom.
    """

    method: str
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


class ApiGatewayHttpEvent(Event):
    """
    A request to an HTTP API. :attr:`request` shows it as every other HTTP source is shown.

    Answer with ``{"statusCode": 200, "headers": {...}, "body": "...", "isBase64Encoded": False, "cookies": [...]}``.
    """

    source_name: ClassVar[str] = "http"

    version: str = "2.0"
    request_context: HttpRequestContext
    route_key: str | None = None
    raw_path: str | None = None
    raw_query_string: str | None = Field(default=None, repr=False)
    cookies: list[str] | None = Field(default=None, repr=False)
    headers: dict[str, str | None] | None = Field(default=None, repr=False)
    query_string_parameters: dict[str, str | None] | None = Field(default=None, repr=False)
    path_parameters: dict[str, str | None] | None = None
    stage_variables: dict[str, str | None] | None = Field(default=None, repr=False)
    body: str | None = Field(default=None, repr=False)
    is_base64_encoded: bool = False

    @cached_property
    def request(self) -> HttpRequest:
        """
        The event as a request: case-insensitive headers, decoded query and body.
        """
        return HttpRequest.from_event(self.raw)

    @property
    def received_at(self) -> datetime | None:
        """When API Gateway received the request."""
        epoch_ms = self.request_context.time_epoch
        return None if epoch_ms is None else datetime.fromtimestamp(epoch_ms / 1000, UTC)

    def parse(self, model: type[M]) -> M:
        """
        Return the body, which is JSON, as *model*.

        Raises:
            EventError: It is no JSON, or does not fit; it names the field and shows no value.
        """
        return from_json(model, self.request.body, source=self.source_name, at="body")
