"""
KinesisEvent and what is in its records: orders, log events, DynamoDB's changes.
"""

from __future__ import annotations

import json
import zlib
from base64 import b64encode
from datetime import UTC, datetime
from gzip import compress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from lambda_kit._sources import KINESIS, lookup
from lambda_kit.errors import EventError
from lambda_kit.events import CloudWatchLogsData, DynamoDbRecord, KinesisEvent, KinesisRecord, KinesisWindowEvent
from tests.events.payloads import payload

# The same examples in every run.
_ANY = settings(derandomize=True, database=None, deadline=None)


class Order(BaseModel):
    sku: str
    quantity: int


def _record(data: bytes) -> KinesisRecord:
    return KinesisRecord.model_validate({"kinesis": {"data": b64encode(data).decode()}})


def test_data_are_decoded_on_demand() -> None:
    """
    The event keeps Base64, the payload is bytes; the order parses.
    """
    order, binary = KinesisEvent.model_validate(payload("kinesis_stream")).records

    assert Order(sku="teapot", quantity=2) == order.parse(Order)
    assert b"\x00\xff" == binary.payload
    assert order.kinesis.data == lookup(order.raw, KINESIS.payload)


@given(st.binary())
@_ANY
def test_any_bytes_come_through(data: bytes) -> None:
    """
    Whatever was put into the stream is what the payload is, and the record comes out as it came in.
    """
    record = _record(data)

    assert data == record.payload
    assert record == KinesisRecord.model_validate(record.model_dump(by_alias=True, exclude_unset=True))


def test_arrival_is_in_seconds() -> None:
    """
    Kinesis writes seconds with a fraction; the shard is in the id.
    """
    record = KinesisEvent.model_validate(payload("kinesis_stream")).records[0]

    assert datetime(2024, 1, 1, 0, 0, 0, 123000, UTC) == record.arrived_at
    assert "shardId-000000000006" == record.shard_id
    assert (None, None) == (_record(b"").arrived_at, _record(b"").shard_id)


def test_log_events_are_unwrapped() -> None:
    """
    CloudWatch Logs compresses what it puts into a stream; its test message is one of them.
    """
    logs, control = KinesisEvent.model_validate(payload("kinesis_stream__logs")).unwrap(CloudWatchLogsData)

    assert ("/aws/lambda/orders", False, True) == (logs.log_group, logs.is_test, control.is_test)
    assert Order(sku="teapot", quantity=2) == logs.log_events[0].parse(Order)


@pytest.mark.parametrize("pack", [compress, zlib.compress])
def test_compressed_json_is_json(pack: Any) -> None:
    """
    No JSON starts like gzip or zlib, so that inflating needs no configuration.
    """
    record = _record(pack(b'{"sku": "teapot", "quantity": 2}'))

    assert Order(sku="teapot", quantity=2) == record.parse(Order) == record.unwrap(Order)
    assert {"sku": "teapot", "quantity": 2} == record.payload_json()


@pytest.mark.parametrize(
    "data", [b"", b"hunter2", b"\x1f\x8bhunter2", b"x\x9chunter2", b"\xff\xfe\x00", b"[" * 100_000], ids=lambda data: str(data[:10])
)
@pytest.mark.parametrize(
    "read", [lambda record: record.parse(Order), lambda record: record.unwrap(Order), lambda record: record.payload_json()]
)
def test_what_is_no_json_is_an_event_error(data: bytes, read: Any) -> None:
    """
    Neither the error nor its context holds the data.
    """
    with pytest.raises(EventError, match=r"kinesis: kinesis\.data: ") as caught:
        read(_record(data))

    assert "hunter2" not in repr(caught.value)
    assert caught.value.__context__ is None


@pytest.mark.parametrize("data", ["?", "hunter2", "ä"])
def test_what_is_no_base64_is_an_event_error(data: str) -> None:
    """
    The error names the field and does not show what is in it.
    """
    with pytest.raises(EventError, match=r"kinesis: kinesis\.data: it is no Base64") as caught:
        KinesisRecord.model_validate({"kinesis": {"data": data}}).parse(Order)

    assert data not in str(caught.value)
    assert caught.value.__context__ is None


def test_dynamodb_changes_come_through_kinesis() -> None:
    """
    A table may stream into Kinesis: its records are in the data, with times in another unit.
    """
    change = payload("dynamodb_stream")["Records"][0]
    change["dynamodb"] |= {"ApproximateCreationDateTime": 1704067200123, "ApproximateCreationDateTimePrecision": "MILLISECOND"}
    record = _record(json.dumps(change | {"recordFormat": "application/json", "tableName": "orders"}).encode()).unwrap(DynamoDbRecord)

    assert datetime(2024, 1, 1, 0, 0, 0, 123000, UTC) == record.changed_at
    assert Order(sku="teapot", quantity=2) == record.parse(Order)


def test_a_window_keeps_what_lambda_adds() -> None:
    """
    Window, state and flags are there; the final batch may be empty.
    """
    event = KinesisWindowEvent.model_validate(payload("kinesis_stream_window"))
    final = KinesisWindowEvent.model_validate(payload("kinesis_stream_window__final"))

    assert ({"teapot": 2}, "shardId-000000000001") == (event.state, event.shard_id)
    assert ([], True, True) == (final.records, final.is_final_invoke_for_window, final.is_window_terminated_early)
    assert [Order(sku="teapot", quantity=2)] == event.unwrap(Order)
