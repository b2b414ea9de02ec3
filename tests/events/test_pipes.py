"""
PipesEvent: a list of records, flat.
"""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel

from lambda_kit.errors import EventError
from lambda_kit.events import PipesEvent, PipesRecord, S3Event, parse_event
from tests.events.payloads import names, payload


class Order(BaseModel):
    sku: str
    quantity: int


@pytest.mark.parametrize("name", names("pipes"))
def test_records_of_every_source_parse(name: str) -> None:
    """
    The body of SQS, the data of Kinesis and MQ, the value of Kafka, the new image of DynamoDB.
    """
    event = parse_event(payload(name))

    assert isinstance(event, PipesEvent)
    assert [Order(sku="teapot", quantity=2)] * len(event.items) == [record.parse(Order) for record in event.items]


def test_records_keep_their_own_raw() -> None:
    """
    The event is the list that came, each record a part of it.
    """
    raw: Any = payload("pipes__kafka")
    event = PipesEvent.model_validate(raw)

    assert event.raw is raw
    assert event.items[0].raw is raw[0]
    assert "orders-0" == event.items[0].event_source_key


def test_nested_events_unwrap() -> None:
    """
    A queue's body may be another event.
    """
    record = payload("sqs__s3")["Records"][0]

    assert ["big.bin"] == [PipesEvent.model_validate([record]).unwrap(S3Event)[0].records[1].key]


def test_a_record_without_payload_says_so() -> None:
    """
    Reading it is an event error.
    """
    with pytest.raises(EventError, match="pipes: body: the record has no payload"):
        PipesRecord.model_validate({"eventSource": "aws:kafka"}).parse(Order)
