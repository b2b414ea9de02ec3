"""
What happens on connections of API Gateway WebSocket APIs.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-mapping-template-reference.html
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, Field

from lambda_kit._http import Headers
from lambda_kit.errors import EventError
from lambda_kit.events._api_gateway_rest import RestIdentity
from lambda_kit.events._http_events import MultiNames, Names
from lambda_kit.events._model import Event, Part
from lambda_kit.events._times import epoch_time
from lambda_kit.events._validation import from_json

M = TypeVar("M", bound=BaseModel)


class WebSocketContext(Part):
    """
    What API Gateway knows of the connection and of what happened on it.

    ``event_type`` is ``CONNECT``, ``MESSAGE`` or ``DISCONNECT``.
    """

    connection_id: str
    event_type: str | None = None
    route_key: str | None = None
    api_id: str | None = None
    authorizer: dict[str, Any] | None = Field(default=None, repr=False)
    connected_at: int | None = None
    disconnect_reason: str | None = None
    disconnect_status_code: int | None = None
    domain_name: str | None = None
    extended_request_id: str | None = None
    identity: RestIdentity | None = None
    message_direction: str | None = None
    message_id: str | None = None
    request_id: str | None = None
    request_time: str | None = None
    request_time_epoch: int | None = None
    stage: str | None = None


class ApiGatewayWebSocketEvent(Event):
    """
    A connection that begins, a message on it, or its end. Only ``CONNECT`` surely has headers, only ``MESSAGE`` a body.

    Answer with ``{"statusCode": 200}``: another status refuses a connection. A body is sent back where the route has a
    route response.
    """

    source_name: ClassVar[str] = "websocket"

    request_context: WebSocketContext
    headers: Names | None = Field(default=None, repr=False)
    multi_value_headers: MultiNames | None = Field(default=None, repr=False)
    query_string_parameters: Names | None = Field(default=None, repr=False)
    multi_value_query_string_parameters: MultiNames | None = Field(default=None, repr=False)
    stage_variables: Names | None = Field(default=None, repr=False)
    body: str | None = Field(default=None, repr=False)
    is_base64_encoded: bool | None = None

    @property
    def http_headers(self) -> Headers:
        """The headers of the request that opened the connection, case-insensitive; empty where the event has none."""
        many = self.multi_value_headers or {name: [value] for name, value in (self.headers or {}).items()}
        return Headers((name, value or "") for name, values in many.items() for value in values or ())

    @property
    def connected_at(self) -> datetime | None:
        """When the connection was made."""
        return epoch_time(self.request_context.connected_at, per_s=1000)

    @property
    def received_at(self) -> datetime | None:
        """When API Gateway received what this event is about."""
        return epoch_time(self.request_context.request_time_epoch, per_s=1000)

    @property
    def callback_url(self) -> str:
        """The endpoint URL that a client for ``apigatewaymanagementapi`` needs to answer on the connection."""
        context = self.request_context
        # A custom domain's mapping stands for the stage.
        stage = f"/{context.stage}" if context.stage and ".execute-api." in (context.domain_name or "") else ""
        return f"https://{context.domain_name}{stage}"

    def parse(self, model: type[M]) -> M:
        """
        Return the message, which is JSON, as *model*.

        Raises:
            EventError: There is none, it is no JSON, or does not fit; it names the field and shows no value.
        """
        if self.body is None:
            raise EventError(f"{self.source_name}: body: this event carries no message", source=self.source_name, field="body")
        return from_json(model, self.body, source=self.source_name, at="body")

    def respond(self, status: int = 200, body: str | None = None) -> dict[str, Any]:
        """
        Return ``{"statusCode": status}``, with *body* where there is one.
        """
        return {"statusCode": status} | ({} if body is None else {"body": body})
