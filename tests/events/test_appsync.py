"""
What AppSync asks.
"""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel

from lambda_kit.errors import EventError
from lambda_kit.events import AppSyncAuthorizerEvent, AppSyncBatchEvent, AppSyncEventsEvent, AppSyncResolverEvent, parse_event
from tests.events.payloads import payload


class Order(BaseModel):
    sku: str
    quantity: int


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("appsync_resolver", "Mutation.placeOrder"),
        ("appsync_resolver__api_key", "Order.customer"),
        ("appsync_resolver__template", "Query.getOrder"),
    ],
)
def test_the_field_is_named_alike(name: str, field: str) -> None:
    """
    Direct resolvers and templates say in different places which field is asked for.
    """
    assert field == AppSyncResolverEvent.model_validate(payload(name)).field


@pytest.mark.parametrize("name", ["fieldName", "field", "identity"])
def test_templates_send_what_they_like(name: str) -> None:
    """
    Arguments beside one of the documentation's other names tell a field.
    """
    assert AppSyncResolverEvent is type(parse_event({"arguments": {"id": "42"}, name: None}))


def test_arguments_parse() -> None:
    """
    Arguments are validated; what is wrong is named.
    """
    assert Order(sku="teapot", quantity=2) == AppSyncResolverEvent.model_validate(payload("appsync_resolver")).parse(Order)
    with pytest.raises(EventError, match=r"appsync: arguments\.sku: Field required"):
        AppSyncResolverEvent.model_validate({"fieldName": "f", "arguments": None}).parse(Order)


def test_headers_are_case_insensitive() -> None:
    """
    The request's headers read as those of any request; there may be none.
    """
    event = AppSyncResolverEvent.model_validate(payload("appsync_resolver"))

    assert event.request is not None
    assert "application/json" == event.request.http_headers["Content-Type"]
    assert {} == dict(type(event.request)().http_headers)


@pytest.mark.parametrize("identity", [None, "None", {"resolverContext": {"tenant": "acme"}}, {"accountId": "123456789012"}])
def test_identity_depends_on_the_authorization(identity: object) -> None:
    """
    Whatever AppSync found out, or nothing, is kept.
    """
    assert identity == AppSyncResolverEvent.model_validate({**payload("appsync_resolver"), "identity": identity}).identity


def test_a_batch_is_a_list() -> None:
    """
    The event is a list, and so is what stands for it; each item has its part of it.
    """
    raw: Any = payload("appsync_resolver_batch")

    event = parse_event(raw)

    assert isinstance(event, AppSyncBatchEvent)
    assert ["Order.customer", "Order.customer"] == [item.field for item in event.items]
    assert event.raw is raw
    assert event.items[1].raw is raw[1]
    assert raw == AppSyncBatchEvent(items=event.items).raw


@pytest.mark.parametrize("raw", [[], [1], [{"hello": 1}], [{"fieldName": "f", "arguments": {}}, {}]])
def test_other_lists_are_refused(raw: list[Any]) -> None:
    """
    Not every list is a batch of fields.
    """
    with pytest.raises(EventError, match=rf"such a list of {len(raw)} items"):
        parse_event(raw)


def test_a_publication_is_answered_event_by_event() -> None:
    """
    What is in neither part of the answer is not broadcast.
    """
    event = AppSyncEventsEvent.model_validate(payload("appsync_events"))
    assert event.events is not None
    first, second = (str(each.id) for each in event.events)

    assert {"events": [{"id": first, "payload": {"ok": True}}, {"id": second, "error": "no"}]} == event.respond(
        {first: {"ok": True}}, {second: "no"}
    )
    assert {"events": [{"id": second, "payload": 1}]} == event.respond({second: 1})
    assert Order(sku="teapot", quantity=2) == event.events[0].parse(Order)
    with pytest.raises(EventError, match="appsync_events: events: 1 ids are not of this event"):
        event.respond({"other": 1})


def test_a_subscription_has_no_events() -> None:
    """
    There is nothing to answer event by event.
    """
    event = AppSyncEventsEvent.model_validate(payload("appsync_events__subscribe"))

    assert "SUBSCRIBE" == event.info.operation
    assert {"events": []} == event.respond({})


def test_authorization() -> None:
    """
    The answer has what was given, and nothing else.
    """
    event = AppSyncAuthorizerEvent.model_validate(payload("appsync_authorizer"))

    assert "secret-token" not in repr(event)
    assert {"isAuthorized": False} == event.respond(False)
    assert {"isAuthorized": True, "resolverContext": {"a": "b"}, "deniedFields": ["Query.x"], "ttlOverride": 0} == event.respond(
        True, resolver_context={"a": "b"}, denied_fields=["Query.x"], ttl_override_s=0
    )
