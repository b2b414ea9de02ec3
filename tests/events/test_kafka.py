"""
KafkaEvent: keys, values, headers and tombstones.
"""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from lambda_kit.errors import EventError
from lambda_kit.events import KafkaEvent, KafkaRecord, MskEvent, SelfManagedKafkaEvent, parse_event
from tests.events.payloads import payload

# The same examples in every run.
_ANY = settings(derandomize=True, database=None, deadline=None)


class Order(BaseModel):
    sku: str
    quantity: int


def _record(**changes: Any) -> KafkaRecord:
    return KafkaRecord.model_validate({"topic": "orders", "partition": 0, "offset": 15, **changes})


def test_records_of_all_partitions_are_one_list() -> None:
    """
    By partition they are as they came; each keeps its own raw.
    """
    raw = payload("kafka_msk")
    event = MskEvent.model_validate(raw)

    assert [("orders-0", 15), ("orders-0", 16), ("orders-1", 4)] == [
        (record.topic_partition, record.offset) for record in event.all_records
    ]
    assert event.records["orders-1"][0].raw is raw["records"]["orders-1"][0]
    assert datetime(2024, 1, 1, 0, 0, 0, 123000, UTC) == event.all_records[0].created_at


def test_values_parse_and_keys_are_bytes() -> None:
    """
    Value and key are Base64; a key may be null or missing. Powertools for Python, issue 6508.
    """
    order, _, without_key = MskEvent.model_validate(payload("kafka_msk")).all_records

    assert [Order(sku="teapot", quantity=2)] * 2 == [order.parse(Order), without_key.parse(Order)]
    assert (b"customer-1", None, None) == (order.key_bytes, without_key.key_bytes, _record(key=None).key_bytes)


def test_a_tombstone_is_no_value() -> None:
    """
    A null or missing value parses, and says so when it is read. Powertools for TypeScript, issue 4988.
    """
    _, tombstone, _ = MskEvent.model_validate(payload("kafka_msk")).all_records
    missing = MskEvent.model_validate(payload("kafka_msk__schema")).all_records[1]

    assert (True, True, False) == (tombstone.is_tombstone, missing.is_tombstone, _record(value="").is_tombstone)
    assert ([], {}) == (missing.header_pairs, missing.header_values)
    with pytest.raises(EventError, match="kafka: value: the record is a tombstone"):
        tombstone.parse(Order)


def test_binary_values_are_bytes() -> None:
    """
    Avro and Protobuf are no text; the schema is named. Powertools for Python decodes them as UTF-8.
    """
    record = MskEvent.model_validate(payload("kafka_msk__schema")).all_records[0]

    assert b"\x00\x01\xfe" == record.payload
    assert record.value_schema_metadata is not None
    assert ("AVRO", "7") == (record.value_schema_metadata.data_format, record.value_schema_metadata.schema_id)


def test_header_bytes_are_signed() -> None:
    """
    Java's bytes are -128 to 127; names may come several times, and without a value. Powertools for Python, issue 6862.
    """
    record = MskEvent.model_validate(payload("kafka_msk")).all_records[0]

    assert [("trace", b"v\xdc\x00\x7f\x80"), ("empty", None), ("trace", b"1")] == record.header_pairs
    assert {"trace": b"1", "empty": None} == record.header_values


@given(st.binary())
@_ANY
def test_any_header_comes_through(value: bytes) -> None:
    """
    Signed or not, the bytes are those that were sent.
    """
    signed = [byte - 256 if byte > 127 else byte for byte in value]

    assert [("h", value), ("h", value)] == _record(headers=[{"h": signed}, {"h": list(value)}]).header_pairs


def test_hand_made_headers_are_text() -> None:
    """
    What is neither text nor a list of numbers is an event error.
    """
    assert [("h", "ä".encode())] == _record(headers=[{"h": "ä"}]).header_pairs
    with pytest.raises(EventError, match="kafka: headers: ") as caught:
        _record(headers=[{"h": ["hunter2"]}]).header_pairs  # noqa: B018  # reading it is the test
    assert "hunter2" not in repr(caught.value)
    assert caught.value.__context__ is None


@pytest.mark.parametrize("source", ["SelfManagedKafka", "aws:SelfManagedKafka"])
def test_self_managed_clusters_are_named_two_ways(source: str) -> None:
    """
    AWS writes the source with and without a prefix, and may leave out the servers. Powertools for Python, issue 5559.
    """
    raw = payload("kafka_self_managed__aws") | {"eventSource": source}

    assert SelfManagedKafkaEvent is type(parse_event(raw))
    assert isinstance(parse_event(raw), KafkaEvent)


def test_parsing_changes_nothing() -> None:
    """
    Headers stay lists of numbers in the caller's event. Powertools for Python rewrites them.
    """
    raw = payload("kafka_msk")
    MskEvent.model_validate(raw).all_records[0].header_pairs  # noqa: B018  # reading it is the test

    assert payload("kafka_msk") == raw


def test_a_batch_unwraps() -> None:
    """
    Each value is what the model says, in the order of partitions.
    """
    raw = payload("kafka_self_managed")
    raw["records"]["orders-0"].append(raw["records"]["orders-0"][0] | {"value": b64encode(b'{"sku": "cup", "quantity": 1}').decode()})

    assert ["teapot", "cup"] == [order.sku for order in SelfManagedKafkaEvent.model_validate(raw).unwrap(Order)]
