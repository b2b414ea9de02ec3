"""
Changes from DocumentDB change streams.

Source: https://docs.aws.amazon.com/lambda/latest/dg/with-documentdb.html
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, Field

from lambda_kit.errors import EventError
from lambda_kit.events._carriers import Records
from lambda_kit.events._model import Event, Part
from lambda_kit.events._times import epoch_time
from lambda_kit.events._validation import from_python

M = TypeVar("M", bound=BaseModel)


class DocumentDbNamespace(Part):
    """
    Database and collection; dropping a database names no collection.
    """

    db: str | None = None
    coll: str | None = None


class DocumentDbChange(Part):
    """
    What changed, in MongoDB's extended JSON; :class:`DocumentDbRecord` has it in Python's values.
    """

    id: dict[str, Any] | None = Field(default=None, alias="_id", repr=False)
    operation_type: str | None = None
    cluster_time: dict[str, Any] | None = None
    document_key: dict[str, Any] | None = Field(default=None, repr=False)
    full_document: dict[str, Any] | None = Field(default=None, repr=False)
    full_document_before_change: dict[str, Any] | None = Field(default=None, repr=False)
    update_description: dict[str, Any] | None = Field(default=None, repr=False)
    ns: DocumentDbNamespace | None = None
    to: DocumentDbNamespace | None = None


class DocumentDbRecord(Event):
    """
    One change: an insert, update, replacement or deletion of a document, or what happened to a whole collection.
    """

    source_name: ClassVar[str] = "documentdb"

    event: DocumentDbChange

    @cached_property
    def key(self) -> Any:
        """The document's ``_id`` as a Python value; ``None`` where a collection changed."""
        return self._plain(self.event.document_key, "documentKey", {}).get("_id")

    @cached_property
    def document(self) -> dict[str, Any] | None:
        """
        The document as Python values; ``None`` for deletions, and for updates unless the mapping looks documents up.
        """
        found: dict[str, Any] | None = self._plain(self.event.full_document, "fullDocument", None)
        return found

    @property
    def changed_at(self) -> datetime | None:
        """When the change was made, to the second."""
        match self.event.cluster_time:
            case {"$timestamp": {"t": int(seconds)}}:
                return epoch_time(seconds, per_s=1)
        return None

    def parse(self, model: type[M]) -> M:
        """
        Return the document as *model*.

        Raises:
            EventError: The record has none, or it does not fit.
        """
        at = "event.fullDocument"
        if self.document is None:
            raise EventError(f"documentdb: {at}: the record has none", source=self.source_name, field=at)
        return from_python(model, self.document, source=self.source_name, at=at)

    def _plain(self, value: Any, name: str, default: Any) -> Any:
        if value is None:
            return default
        try:
            return plain_value(value)
        except (ValueError, TypeError, ArithmeticError, AttributeError, RecursionError):
            # Not the error itself: it shows the value.
            pass
        at = f"event.{name}"
        raise EventError(f"documentdb: {at}: it is no extended JSON", source=self.source_name, field=at)


class DocumentDbEvent(Records):
    """
    Changes of a collection, a database or a cluster, in order.

    Nobody reads the answer; raising makes Lambda deliver the whole batch again.
    """

    source_name: ClassVar[str] = "documentdb"
    records_key: ClassVar[str] = "events"

    event_source: str | None = None
    event_source_arn: str | None = None
    events: list[DocumentDbRecord]

    def _each(self) -> list[DocumentDbRecord]:
        return self.events


def plain_value(value: Any) -> Any:
    """
    Return MongoDB's extended JSON as Python values; types that Python lacks, such as ``$timestamp``, stay as they are.

    Source: https://www.mongodb.com/docs/manual/reference/mongodb-extended-json/
    """
    if isinstance(value, list):
        return [plain_value(inner) for inner in value]
    if not isinstance(value, Mapping):
        return value
    if len(value) == 1:
        ((kind, held),) = value.items()
        if kind in _READERS:
            return _READERS[kind](held)
    return {name: plain_value(inner) for name, inner in value.items()}


def _date(held: Any) -> datetime:
    if isinstance(held, str):
        return datetime.fromisoformat(held)
    # Milliseconds, canonical or not; before 1970 too.
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(plain_value(held)))


def _binary(held: Any) -> bytes:
    return b64decode(held["base64"] if isinstance(held, Mapping) else held, validate=True)


_READERS: dict[str, Callable[[Any], Any]] = {
    "$oid": str,
    "$numberInt": int,
    "$numberLong": int,
    "$numberDouble": float,
    "$numberDecimal": Decimal,
    "$date": _date,
    "$binary": _binary,
    "$undefined": lambda _: None,
}
