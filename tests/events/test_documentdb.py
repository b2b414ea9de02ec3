"""
DocumentDbEvent and extended JSON.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from pydantic import BaseModel

from lambda_kit.errors import EventError
from lambda_kit.events import DocumentDbEvent, DocumentDbRecord
from lambda_kit.events._documentdb import plain_value
from tests.events.payloads import payload


class Order(BaseModel):
    sku: str
    quantity: int


def test_documents_are_python_values() -> None:
    """
    Extended JSON's types become Python's; what Python lacks stays as it is.
    """
    record = DocumentDbEvent.model_validate(payload("documentdb_stream")).events[0]
    milliseconds = datetime(2024, 1, 1, 0, 0, 0, 123000, UTC)

    assert {
        "_id": "63eeb6e7d418cd98afb1c1d7",
        "sku": "teapot",
        "quantity": 2,
        "big": 5000000000,
        "price": Decimal("12.30"),
        "rate": 0.5,
        "at": milliseconds,
        "day": datetime(2024, 1, 1, tzinfo=UTC),
        "ms": milliseconds,
        "picture": b"\x00\xff",
        "none": None,
        "list": ["1", None],
        "stamp": {"$timestamp": {"t": 1, "i": 1}},
    } == record.document
    assert Order(sku="teapot", quantity=2) == record.parse(Order)
    assert ("63eeb6e7d418cd98afb1c1d7", datetime(2024, 1, 1, tzinfo=UTC)) == (record.key, record.changed_at)


def test_changes_of_collections_have_no_document() -> None:
    """
    Updates, deletions, renames, drops and invalidations parse.
    """
    _, updated, deleted, renamed = DocumentDbEvent.model_validate(payload("documentdb_stream")).events
    dropped, ended = DocumentDbEvent.model_validate(payload("documentdb_stream__dropped")).events

    assert [None] * 5 == [record.document for record in (updated, deleted, renamed, dropped, ended)]
    assert (None, None) == (renamed.key, ended.changed_at)
    assert updated.event.update_description is not None
    with pytest.raises(EventError, match=r"documentdb: event\.fullDocument: the record has none"):
        deleted.parse(Order)


@pytest.mark.parametrize(
    "value",
    [{"$numberInt": "many"}, {"$numberDecimal": "x"}, {"$date": "soon"}, {"$date": {"$numberLong": "9" * 30}}, {"$binary": 5}],
    ids=str,
)
def test_damaged_extended_json_is_an_event_error(value: dict[str, Any]) -> None:
    """
    The error names the document, and shows none of it.
    """
    record = DocumentDbRecord.model_validate({"event": {"fullDocument": {"quantity": value}}})

    with pytest.raises(EventError, match=r"documentdb: event\.fullDocument: it is no extended JSON") as caught:
        record.parse(Order)

    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        ({"$date": {"$numberLong": "-1"}}, datetime(1969, 12, 31, 23, 59, 59, 999000, UTC)),
        ({"$binary": "AP8="}, b"\x00\xff"),
        ({"$oid": "1", "more": 2}, {"$oid": "1", "more": 2}),
        ({"a": {"$numberLong": "1"}}, {"a": 1}),
        ([{"$numberInt": "1"}], [1]),
        ("text", "text"),
    ],
    ids=str,
)
def test_extended_json_is_read_where_it_is(value: Any, plain: Any) -> None:
    """
    Times before 1970, the older form of binary values, and objects that only look like it.
    """
    assert plain == plain_value(value)
