"""
Changes from DynamoDB streams.

Source: https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html
"""

from __future__ import annotations

from datetime import datetime
from functools import cached_property
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_pascal

from lambda_kit.errors import EventError
from lambda_kit.events._carriers import Records
from lambda_kit.events._dynamodb_values import python_value
from lambda_kit.events._model import Event, Part
from lambda_kit.events._times import epoch_time
from lambda_kit.events._validation import from_python
from lambda_kit.events._windows import Windowed

M = TypeVar("M", bound=BaseModel)

# The sign of a deletion by time to live:
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-streams.html
_TTL = ("Service", "dynamodb.amazonaws.com")
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/kds.html
_UNITS_PER_S = {"MILLISECOND": 1000, "MICROSECOND": 1000000}


class DynamoDbChange(Part):
    """
    What changed, in DynamoDB's typed values; :class:`DynamoDbRecord` has it in Python's. Which images there are is the stream's choice.
    """

    model_config = ConfigDict(alias_generator=to_pascal)

    keys: dict[str, Any] | None = Field(default=None, repr=False)
    new_image: dict[str, Any] | None = Field(default=None, repr=False)
    old_image: dict[str, Any] | None = Field(default=None, repr=False)
    sequence_number: str | None = None
    size_bytes: int | None = None
    stream_view_type: str | None = None
    approximate_creation_date_time: int | float | None = None
    # Through Kinesis only, where the time has this unit; DynamoDB's own streams have seconds.
    approximate_creation_date_time_precision: str | None = None


class DynamoDbIdentity(Part):
    """
    Who changed the item, where that was a service.
    """

    type: str | None = None
    principal_id: str | None = None


class DynamoDbRecord(Event):
    """
    One change. Through a Kinesis stream: ``record.unwrap(DynamoDbRecord)``.
    """

    source_name: ClassVar[str] = "dynamodb"

    dynamodb: DynamoDbChange
    event_name: str | None = None
    event_id: str | None = Field(default=None, alias="eventID")
    event_version: str | None = None
    event_source: str | None = None
    event_source_arn: str | None = Field(default=None, alias="eventSourceARN")
    aws_region: str | None = None
    user_identity: DynamoDbIdentity | None = None

    @cached_property
    def keys(self) -> dict[str, Any]:
        """The item's key as Python values; raises ``EventError`` where they are damaged."""
        return self._item(self.dynamodb.keys, "Keys") or {}

    @cached_property
    def new(self) -> dict[str, Any] | None:
        """The item after the change as Python values: numbers are ``Decimal``, binary values ``bytes``, sets are sets."""
        return self._item(self.dynamodb.new_image, "NewImage")

    @cached_property
    def old(self) -> dict[str, Any] | None:
        """The item before the change as Python values."""
        return self._item(self.dynamodb.old_image, "OldImage")

    @property
    def changed_at(self) -> datetime | None:
        """When the item was changed; DynamoDB's own streams know the second."""
        change = self.dynamodb
        per_s = _UNITS_PER_S.get(change.approximate_creation_date_time_precision or "", 1)
        return epoch_time(change.approximate_creation_date_time, per_s=per_s)

    @property
    def has_expired(self) -> bool:
        """Whether time to live deleted the item, not somebody."""
        identity = self.user_identity
        return self.event_name == "REMOVE" and identity is not None and (identity.type, identity.principal_id) == _TTL

    def parse(self, model: type[M]) -> M:
        """
        Return the item after the change as *model*.

        Raises:
            EventError: There is no new image (a deletion, or a stream of keys only), or it does not fit.
        """
        at = "dynamodb.NewImage"
        if self.new is None:
            raise EventError(f"dynamodb: {at}: the record has none", source=self.source_name, field=at)
        return from_python(model, self.new, source=self.source_name, at=at)

    def parse_old(self, model: type[M]) -> M:
        """
        Return the item before the change as *model*; see :meth:`parse`.
        """
        at = "dynamodb.OldImage"
        if self.old is None:
            raise EventError(f"dynamodb: {at}: the record has none", source=self.source_name, field=at)
        return from_python(model, self.old, source=self.source_name, at=at)

    def _item(self, image: dict[str, Any] | None, name: str) -> dict[str, Any] | None:
        if image is None:
            return None
        item = {}
        for attribute, value in image.items():
            try:
                item[attribute] = python_value(value)
            except (ValueError, RecursionError) as exc:
                field, reason = f"dynamodb.{name}.{attribute}"[:200], str(exc)
                break
        else:
            return item
        raise EventError(f"dynamodb: {field}: {reason}", source=self.source_name, field=field)


class DynamoDbEvent(Records):
    """
    Changes of a table, in order for each item.

    Answer with ``{"batchItemFailures": [{"itemIdentifier": sequence_number}]}`` where the event source mapping reports item failures.
    """

    source_name: ClassVar[str] = "dynamodb"

    records: list[DynamoDbRecord] = Field(alias="Records")


class DynamoDbWindowEvent(Windowed, DynamoDbEvent):
    """
    Changes of a table within a tumbling window. Answer with :meth:`response`.
    """
