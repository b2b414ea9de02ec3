"""
LambdaEvents: events as Lambda delivers them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from hashlib import md5
from typing import Any

import pytest
from pydantic import BaseModel

from lambda_kit import HttpRequest
from lambda_kit.events import ApiGatewayHttpEvent, SqsEvent, parse_event
from lambda_kit.testing import LambdaEvents
from tests.events.payloads import payload


class Order(BaseModel):
    sku: str
    price: Decimal


@dataclass
class Line:
    sku: str


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("plain text", "plain text"),
        ({"sku": "a", "price": Decimal("1.5")}, '{"sku": "a", "price": 1.5}'),
        (Order(sku="a", price=Decimal("1.50")), '{"sku": "a", "price": "1.50"}'),
        (Line("a"), '{"sku": "a"}'),
        ([1], "[1]"),
    ],
)
def test_sqs_bodies_are_text(events: LambdaEvents, body: object, expected: str) -> None:
    """
    Text is sent as it is, anything else as JSON; the digest fits.
    """
    record = events.sqs(body)["Records"][0]

    assert expected == record["body"]
    assert md5(expected.encode(), usedforsecurity=False).hexdigest() == record["md5OfBody"]


@pytest.mark.parametrize(
    ("options", "name"), [({"attributes": {"channel": "web"}}, "sqs"), ({"fifo": True}, "sqs__fifo"), ({"group": "a"}, "sqs__fair_queue")]
)
def test_sqs_events_have_the_documented_fields(events: LambdaEvents, options: dict[str, Any], name: str) -> None:
    """
    A made event has the keys of a documented one, except those that AWS adds only sometimes.
    """
    sometimes = {"AWSTraceHeader", "md5OfMessageAttributes"}
    made, documented = events.sqs("a", **options)["Records"][0], payload(name)["Records"][0]

    assert set(documented) - sometimes == set(made)
    assert set(documented["attributes"]) - sometimes == set(made["attributes"])


def test_sqs_records_differ(events: LambdaEvents) -> None:
    """
    Each message has an id of its own, and FIFO's sequence numbers grow.
    """
    event = parse_event(events.sqs("a", "b", fifo=True, group="g", receive_count=3))

    assert isinstance(event, SqsEvent)
    first, second = event.records
    assert first.message_id != second.message_id
    assert (first.attributes.sequence_number or "") < (second.attributes.sequence_number or "")
    assert (True, "g", 3) == (first.is_fifo, first.attributes.message_group_id, first.receive_count)


def test_no_bodies_make_an_empty_batch(events: LambdaEvents) -> None:
    """
    A batch of nothing can be made too.
    """
    assert {"Records": []} == events.sqs()


def test_api_events_have_the_documented_fields(events: LambdaEvents) -> None:
    """
    A made request has the keys of a documented one, at each level.
    """
    made = events.api_v2(
        "POST",
        "/orders/42",
        json={"a": 1},
        headers={"X-Id": "1"},
        query={"tag": ["a,b", "c"], "q": "é"},
        cookies={"session": "abc"},
        path_parameters={"id": "42"},
        route="/orders/{id}",
        authorizer={"jwt": {"claims": {}, "scopes": None}},
    )
    documented = payload("apigw_http_v2")

    assert set(documented) - {"stageVariables"} == set(made)
    assert set(documented["requestContext"]) - {"authentication"} == set(made["requestContext"])
    assert set(documented["requestContext"]["http"]) == set(made["requestContext"]["http"])


def test_api_events_read_as_what_was_asked_for(events: LambdaEvents) -> None:
    """
    The request view shows what the factory was given.
    """
    event = events.api_v2(
        "PUT", "/orders/42", body="hi", headers={"X-Id": "1"}, query={"tag": ["a,b", "c"]}, cookies={"s": "1"}, route="/orders/{id}"
    )
    request = HttpRequest.from_event(event)

    assert ("PUT", "/orders/42", "/orders/{id}", b"hi") == (request.method, request.path, request.route, request.body)
    assert ("1", ("a,b", "c"), {"s": "1"}) == (request.headers["x-id"], request.query.all("tag"), request.cookies)
    assert isinstance(parse_event(event), ApiGatewayHttpEvent)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, (None, False, None)),
        ({"json": {"price": Decimal("1.5")}}, ('{"price": 1.5}', False, "application/json")),
        ({"body": b"\xff"}, ("/w==", True, None)),
        ({"body": "", "headers": {"Content-Type": "text/plain"}}, ("", False, "text/plain")),
    ],
)
def test_api_bodies(events: LambdaEvents, options: dict[str, Any], expected: tuple[Any, ...]) -> None:
    """
    JSON brings its content type, bytes arrive as Base64, and no body is left out as API Gateway does.
    """
    event = events.api_v2("POST", "/", **options)

    assert expected == (event.get("body"), event["isBase64Encoded"], event["headers"].get("content-type"))
    assert event == json.loads(json.dumps(event))


def test_two_bodies_are_refused(events: LambdaEvents) -> None:
    """
    A request has one body.
    """
    with pytest.raises(ValueError, match="json or body, not both"):
        events.api_v2("POST", "/", json={}, body="x")


@pytest.fixture
def events() -> LambdaEvents:
    return LambdaEvents()
