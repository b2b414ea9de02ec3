"""
ApiGatewayWebSocketEvent.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import BaseModel

from lambda_kit.errors import EventError
from lambda_kit.events import ApiGatewayWebSocketEvent
from tests.events.payloads import payload


class Order(BaseModel):
    sku: str
    quantity: int


def _event(name: str, **context: Any) -> ApiGatewayWebSocketEvent:
    raw = payload(name)
    return ApiGatewayWebSocketEvent.model_validate({**raw, "requestContext": {**raw["requestContext"], **context}})


def test_message_parses() -> None:
    """
    The message is read as JSON; there are no headers.
    """
    event = _event("apigw_websocket")

    assert Order(sku="teapot", quantity=2) == event.parse(Order)
    assert {} == dict(event.http_headers)
    assert "MESSAGE" == event.request_context.event_type


def test_a_connection_carries_no_message() -> None:
    """
    Only MESSAGE has a body; asking others for one says so.
    """
    with pytest.raises(EventError, match="websocket: body: this event carries no message"):
        _event("apigw_websocket__connect").parse(Order)


def test_headers_of_the_handshake_are_case_insensitive() -> None:
    """
    Headers come in one of two forms, or not at all.
    """
    assert "192.0.2.7" == _event("apigw_websocket__connect").http_headers["x-forwarded-for"]
    assert "b" == ApiGatewayWebSocketEvent.model_validate({**payload("apigw_websocket"), "headers": {"A": "b"}}).http_headers["a"]


def test_times_are_milliseconds() -> None:
    """
    Both times are aware.
    """
    event = _event("apigw_websocket__disconnect")

    assert datetime(2023, 12, 31, 23, 59, 50, tzinfo=UTC) == event.connected_at
    assert datetime(2024, 1, 1, tzinfo=UTC) == event.received_at
    assert 1005 == event.request_context.disconnect_status_code


@pytest.mark.parametrize(
    ("context", "url"),
    [
        ({}, "https://w1s2c3k4t5.execute-api.eu-west-1.amazonaws.com/prod"),
        ({"domainName": "ws.example.com"}, "https://ws.example.com"),
        ({"stage": None}, "https://w1s2c3k4t5.execute-api.eu-west-1.amazonaws.com"),
    ],
    ids=["own domain", "custom domain", "no stage"],
)
def test_callback_url_has_the_stage_where_it_is_needed(context: dict[str, Any], url: str) -> None:
    """
    On API Gateway's own domain the stage is part of the endpoint.
    """
    assert url == _event("apigw_websocket", **context).callback_url


def test_answers() -> None:
    """
    A status, and a body where there is one to send.
    """
    event = _event("apigw_websocket")

    assert {"statusCode": 200} == event.respond()
    assert {"statusCode": 403, "body": "no"} == event.respond(403, "no")
