"""
DynamoDbEvent and its windows.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from pydantic import BaseModel

from lambda_kit.errors import EventError
from lambda_kit.events import DynamoDbEvent, DynamoDbRecord, DynamoDbWindowEvent
from tests.events.payloads import payload


class Order(BaseModel):
    sku: str
    quantity: int


def test_images_are_python_values() -> None:
    """
    Numbers keep every digit, binary values are bytes, sets are sets, lists and maps nest. Powertools for Python, issue 2851.
    """
    record = _records()[0]

    assert {
        "sku": "teapot",
        "quantity": Decimal(2),
        "price": Decimal("12345678901234567890.123456789012345678"),
        "picture": b"\x00\xff",
        "sold": False,
        "note": None,
        "tags": {"a", "b"},
        "sizes": {Decimal(1), Decimal("2.5")},
        "hashes": {b"\x01", b"\x02"},
        "history": [Decimal(1), {"by": "me"}],
        "more": {},
    } == record.new
    assert ({"sku": "teapot"}, None) == (record.keys, record.old)


def test_a_damaged_attribute_is_named() -> None:
    """
    The error says which attribute of which image, and not what is in it.
    """
    raw = payload("dynamodb_stream")
    raw["Records"][0]["dynamodb"]["NewImage"]["quantity"] = {"N": "hunter2"}
    record = DynamoDbEvent.model_validate(raw).records[0]

    with pytest.raises(EventError, match=r"dynamodb: dynamodb\.NewImage\.quantity: it is no attribute value") as caught:
        record.parse(Order)

    assert ("dynamodb", "dynamodb.NewImage.quantity") == (caught.value.source, caught.value.field)
    assert caught.value.__context__ is None


def test_images_parse_as_models() -> None:
    """
    Decimal becomes what the model says; deletions have the old image only.
    """
    created, changed, removed = _records()

    assert [2, 2] == [record.parse(Order).quantity for record in (created, changed)]
    assert [1, 2] == [record.parse_old(Order).quantity for record in (changed, removed)]
    with pytest.raises(EventError, match=r"dynamodb\.NewImage: the record has none"):
        removed.parse(Order)
    with pytest.raises(EventError, match=r"dynamodb\.OldImage: the record has none"):
        created.parse_old(Order)


@pytest.mark.parametrize("image", [None, {}])
def test_an_image_may_be_null_or_empty(image: Any) -> None:
    """
    A null image is none; it raises nothing. Powertools for Python raises an AttributeError's text.
    """
    record = DynamoDbRecord.model_validate({"dynamodb": {"NewImage": image, "Keys": None}})

    assert (image, {}) == (record.new, record.keys)


def test_time_to_live_is_told_from_deletions() -> None:
    """
    Only the service deletes expired items; streams of keys have no image.
    """
    expired, keys_only = _records("dynamodb_stream__expired")

    assert [True, False, False] == [record.has_expired for record in (expired, keys_only, _records()[2])]
    assert ({"sku": "teapot"}, None, None) == (keys_only.keys, keys_only.new, keys_only.old)


@pytest.mark.parametrize(
    ("change", "time"),
    [
        ({"ApproximateCreationDateTime": 1704067200}, datetime(2024, 1, 1, tzinfo=UTC)),
        ({"ApproximateCreationDateTime": 1704067200.0}, datetime(2024, 1, 1, tzinfo=UTC)),
        (
            {"ApproximateCreationDateTime": 1704067200000000, "ApproximateCreationDateTimePrecision": "MICROSECOND"},
            datetime(2024, 1, 1, tzinfo=UTC),
        ),
        ({}, None),
    ],
    ids=["int", "float", "through Kinesis", "none"],
)
def test_times_are_in_the_unit_of_the_stream(change: dict[str, Any], time: datetime | None) -> None:
    """
    DynamoDB's streams have seconds, Kinesis what the record says.
    """
    assert time == DynamoDbRecord.model_validate({"dynamodb": change}).changed_at


def test_a_window_has_bounds_and_state() -> None:
    """
    Window, state and flags are there; the answer hands a state on; the final batch may be empty.
    """
    event = DynamoDbWindowEvent.model_validate(payload("dynamodb_stream_window"))
    final = DynamoDbWindowEvent.model_validate(payload("dynamodb_stream_window__final"))

    assert (datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 1, 0, 2, tzinfo=UTC)) == (event.window.starts_at, event.window.ends_at)
    assert ({"teapot": 2}, False, 1) == (event.state, event.is_final_invoke_for_window, len(event.records))
    assert (True, []) == (final.is_final_invoke_for_window, final.records)
    assert [{"state": {"teapot": 3}}, {"state": {}}] == [event.response({"teapot": 3}), final.response()]


def _records(name: str = "dynamodb_stream") -> list[DynamoDbRecord]:
    return DynamoDbEvent.model_validate(payload(name)).records
