"""
DynamoDbEvent, its windows and the values of items.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from boto3.dynamodb.types import Binary, TypeDeserializer
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from lambda_kit.errors import EventError
from lambda_kit.events import DynamoDbEvent, DynamoDbRecord, DynamoDbWindowEvent
from lambda_kit.events._dynamodb_values import python_item, python_value
from tests.events.payloads import payload


class Order(BaseModel):
    sku: str
    quantity: int


_BINARY = st.binary(max_size=20).map(lambda data: b64encode(data).decode())
_VALUES: st.SearchStrategy[dict[str, Any]] = st.recursive(
    st.one_of(
        st.builds(lambda held: {"S": held}, st.text()),
        st.builds(lambda held: {"N": held}, st.decimals(-(10**28), 10**28, places=8).map(str)),
        st.builds(lambda held: {"B": held}, _BINARY),
        st.builds(lambda held: {"BOOL": held}, st.booleans()),
        st.just({"NULL": True}),
        st.builds(lambda held: {"SS": held}, st.lists(st.text(), min_size=1, unique=True)),
        st.builds(lambda held: {"NS": held}, st.lists(st.integers().map(str), min_size=1, unique=True, max_size=3)),
        st.builds(lambda held: {"BS": held}, st.lists(_BINARY, min_size=1, unique=True, max_size=3)),
    ),
    lambda inner: (
        st.builds(lambda held: {"L": held}, st.lists(inner, max_size=3))
        | st.builds(lambda held: {"M": held}, st.dictionaries(st.text(), inner, max_size=3))
    ),
    max_leaves=8,
)


def _records(name: str = "dynamodb_stream") -> list[DynamoDbRecord]:
    return DynamoDbEvent.model_validate(payload(name)).records


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


@given(st.dictionaries(st.text(), _VALUES, max_size=4))
@settings(deadline=None)
def test_values_are_those_of_boto3(item: dict[str, Any]) -> None:
    """
    What boto3 makes of the same values, with bytes where it has a class of its own.
    """
    read: Callable[[Any], Any] = TypeDeserializer().deserialize

    assert {name: _as_bytes(read(_decoded(value))) for name, value in item.items()} == python_item(item)


@pytest.mark.parametrize(
    "value",
    [{}, {"S": "a", "N": "1"}, {"X": "a"}, {"N": "many"}, {"B": "?"}, {"SS": "abc"}, {"S": 5}, {"L": ["a"]}, {"M": {"a": 1}}, "S", None],
    ids=str,
)
def test_what_is_no_value_is_refused(value: Any) -> None:
    """
    The error holds nothing of it.
    """
    with pytest.raises(ValueError, match="no attribute value") as caught:
        python_value(value)

    assert caught.value.__context__ is None


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


def _decoded(value: dict[str, Any]) -> dict[str, Any]:
    """
    Return *value* as boto3 gets it: DynamoDB's client has decoded the Base64.
    """
    ((kind, held),) = value.items()
    match kind:
        case "B":
            return {kind: b64decode(held)}
        case "BS":
            return {kind: [b64decode(each) for each in held]}
        case "L":
            return {kind: [_decoded(each) for each in held]}
        case "M":
            return {kind: {name: _decoded(each) for name, each in held.items()}}
    return value


def _as_bytes(value: Any) -> Any:
    match value:
        case Binary():
            return vars(value)["value"]
        case dict():
            return {name: _as_bytes(inner) for name, inner in value.items()}
        case list():
            return list(map(_as_bytes, value))
        case set():
            return set(map(_as_bytes, value))
    return value
