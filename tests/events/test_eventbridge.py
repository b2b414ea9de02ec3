"""
EventBridgeEvent and ScheduledEvent.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import BaseModel

from lambda_kit.errors import EventError
from lambda_kit.events import EventBridgeEvent, ScheduledEvent, SqsEvent, parse_event
from tests.events.payloads import payload


class Order(BaseModel):
    sku: str
    quantity: int


_ORDER = Order(sku="teapot", quantity=2)


def test_the_detail_is_what_came_or_a_model() -> None:
    """
    Without a parameter the detail is Python values; with one it is that model, and comes out as it came in.
    """
    raw = payload("eventbridge")
    typed = EventBridgeEvent[Order].model_validate(raw)

    assert {"sku": "teapot", "quantity": 2} == EventBridgeEvent.model_validate(raw).detail
    assert _ORDER == typed.detail == typed.parse(Order)
    assert raw == typed.model_dump(by_alias=True, exclude_unset=True)
    assert datetime(2024, 1, 1, tzinfo=UTC) == typed.occurred_at
    assert (None, False) == (typed.ingested_at, typed.is_replay)


def test_a_detail_that_does_not_fit_is_named() -> None:
    """
    The field starts with detail; nothing of it is shown.
    """
    raw = payload("eventbridge") | {"detail": {"sku": "hunter2", "quantity": "hunter2"}}

    for read in (lambda: EventBridgeEvent[Order].model_validate(raw), lambda: EventBridgeEvent.model_validate(raw).parse(Order)):
        with pytest.raises(EventError, match=r"eventbridge: detail\.quantity: Input should be a valid integer") as caught:
            read()
        assert "hunter2" not in repr(caught.value)
        assert caught.value.__context__ is None


def test_replays_say_so() -> None:
    """
    Events from an archive have its replay's name, and may have the time of ingestion. Powertools for Python, issue 8300.
    """
    event = EventBridgeEvent.model_validate(payload("eventbridge__replay"))

    assert ("again", True, None) == (event.replay_name, event.is_replay, event.resources)
    assert datetime(2024, 1, 1, 0, 0, 1, 500000, UTC) == event.ingested_at


@pytest.mark.parametrize("detail", ["text", ["a"], 5, None, {}], ids=str)
def test_a_detail_may_be_anything(detail: Any) -> None:
    """
    Input transformers make text and lists of it. Powertools for Python refuses those.
    """
    raw = payload("eventbridge") | {"detail": detail}

    assert detail == EventBridgeEvent.model_validate(raw).detail


def test_schedules_of_rules_and_of_scheduler() -> None:
    """
    A rule's detail is empty; Scheduler's is text, with or without content. Powertools for Python, issue 6112.
    """
    rule, empty, configured = (parse_event(payload(f"eventbridge_scheduled{variant}")) for variant in ("", "__scheduler", "__input"))

    assert isinstance(rule, ScheduledEvent)
    assert isinstance(empty, ScheduledEvent)
    assert isinstance(configured, ScheduledEvent)
    assert [False, True, True] == [event.is_scheduler for event in (rule, empty, configured)]
    assert ["nightly", "nightly"] == [event.name for event in (rule, empty)]
    assert [{}, "{}"] == [rule.detail, empty.detail]
    assert _ORDER == configured.parse(Order)
    with pytest.raises(EventError, match=r"schedule: detail\.sku: Field required"):
        empty.parse(Order)


def test_a_schedule_without_resources_has_no_name() -> None:
    """
    Events by hand may lack them.
    """
    assert ScheduledEvent.model_validate({"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}).name is None


def test_scheduler_text_that_is_no_json_is_an_event_error() -> None:
    """
    Reading it as a model says so.
    """
    raw = payload("eventbridge_scheduled__scheduler") | {"detail": "hunter2"}

    with pytest.raises(EventError, match="schedule: detail: it is no JSON"):
        ScheduledEvent.model_validate(raw).parse(Order)


def test_events_come_through_queues_and_topics() -> None:
    """
    EventBridge to SQS, and to SNS to SQS, unwrap with the detail typed.
    """
    events = SqsEvent.model_validate(payload("sqs__eventbridge")).unwrap(EventBridgeEvent[Order])

    assert [_ORDER, _ORDER] == [event.detail for event in events]
    assert [_ORDER, _ORDER] == [event.unwrap(Order) for event in events]
