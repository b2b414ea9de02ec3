"""
What events and their payloads are to the checkers.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, assert_type

from pydantic import BaseModel

from lambda_kit.events import (
    DynamoDbEvent,
    Event,
    EventBridgeEvent,
    KafkaRecord,
    PipesEvent,
    S3Event,
    S3ObjectDetail,
    SnsEvent,
    SqsEvent,
    SqsRecord,
    parse_event,
)


class Order(BaseModel):
    sku: str


def events(raw: dict[str, Any]) -> None:
    """
    Models return themselves, payloads the model that they are read as.
    """
    assert_type(parse_event(raw), Event)
    event = assert_type(SqsEvent.model_validate(raw), SqsEvent)
    assert_type(event.records[0], SqsRecord)
    assert_type(event.records[0].parse(Order), Order)
    assert_type(event.records[0].unwrap(S3Event), S3Event)
    assert_type(event.unwrap(EventBridgeEvent[Order]), list[EventBridgeEvent[Order]])
    assert_type(SnsEvent.model_validate(raw).unwrap(S3Event), list[S3Event])
    assert_type(PipesEvent.model_validate([raw]).unwrap(Order), list[Order])
    assert_type(DynamoDbEvent.model_validate(raw).records[0].new, dict[str, Any] | None)
    assert_type(S3Event.model_validate(raw).records[0].occurred_at, datetime | None)


def details(raw: dict[str, Any]) -> None:
    """
    A detail is the event's parameter, anything without one.
    """
    assert_type(EventBridgeEvent[S3ObjectDetail].model_validate(raw).detail.object.key, str)
    untyped: EventBridgeEvent = EventBridgeEvent.model_validate(raw)
    assert_type(untyped.detail, Any)
    assert_type(untyped.parse(Order), Order)


def headers(record: KafkaRecord) -> None:
    """
    Values are bytes, or missing.
    """
    assert_type(record.header_values, dict[str, bytes | None])
    assert_type(record.key_bytes, bytes | None)
