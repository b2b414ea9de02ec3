"""
What records that carry a payload share: reading it as a model, and taking other events out of it.
"""

from __future__ import annotations

import binascii
import json
import zlib
from base64 import b64decode
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel

from lambda_kit.errors import EventError
from lambda_kit.events._model import Event
from lambda_kit.events._validation import from_json, from_object

M = TypeVar("M", bound=BaseModel)

# No JSON starts like this; gzip and zlib do.
_COMPRESSED = (b"\x1f", b"\x78")


class Carrier(Event):
    """
    Be a record that carries a payload.

    Attributes:
        payload_at: Where in the record it is, as errors name it.
        is_envelope: Whether the record is what :meth:`unwrap` takes off, SNS's message in a queue, unless it is asked for.
    """

    payload_at: ClassVar[str] = "body"
    is_envelope: ClassVar[bool] = False

    @property
    def payload(self) -> str | bytes:
        """What was sent, decoded as far as the source encodes it. Raises ``EventError`` where there is none."""
        raise NotImplementedError

    def parse(self, model: type[M]) -> M:
        """
        Return the payload, which is JSON, as *model*.

        Raises:
            EventError: It is no JSON, or does not fit; it names the field and shows no value.
        """
        return from_json(model, inflated(self.payload), source=self.source_name, at=self.payload_at)

    def payload_json(self) -> Any:
        """
        Return the payload, which is JSON, as Python values.

        Raises:
            EventError: It is no JSON.
        """
        return json_value(inflated(self.payload), source=self.source_name, at=self.payload_at)

    def unwrap(self, model: type[M]) -> M:
        """
        Return the event, or the message, that was sent through this source as *model*, whatever SNS has put around it.

            for record in event.records:                # S3 -> SNS -> SQS, with raw delivery or without
                for s3_record in record.unwrap(S3Event).records: ...

        Raises:
            EventError: It is no JSON, or does not fit; it names the field and shows no value.
        """
        return unwrapped(inflated(self.payload), model, source=self.source_name, at=self.payload_at)


class Records(Event):
    """
    Be an event that is a list of records.
    """

    records_key: ClassVar[str] = "Records"

    def keep_raw(self, raw: dict[str, Any]) -> None:
        super().keep_raw(raw)
        keep_each(self._each(), raw.get(self.records_key))

    def _each(self) -> Iterable[Any]:
        found: Iterable[Any] = getattr(self, "records", ())
        return found


class Batch(Records):
    """
    Be an event that is a list of records with a payload each.
    """

    def unwrap(self, model: type[M]) -> list[M]:
        """
        Return what was sent through this source, one *model* for each record; see the record's ``unwrap``.
        """
        return [record.unwrap(model) for record in self._each()]


def keep_each(records: Iterable[Event], raw: object) -> None:
    """
    Hand each of *records* its part of the raw list.
    """
    for record, raw_record in zip(records, raw if isinstance(raw, list) else (), strict=False):
        if isinstance(raw_record, dict):
            record.keep_raw(raw_record)


def base64_bytes(text: str, *, source: str, at: str) -> bytes:
    """
    Return what *text* encodes.

    Raises:
        EventError: It is no Base64.
    """
    try:
        return b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        # Characters outside ASCII raise a ValueError that shows the text.
        pass
    raise EventError(f"{source}: {at}: it is no Base64", source=source, field=at)


def inflated(payload: str | bytes) -> str | bytes:
    """
    Return *payload* without gzip's or zlib's compression, if it has any.
    """
    if isinstance(payload, bytes) and payload.startswith(_COMPRESSED):
        try:
            # 32: find out by the header which of the two it is.
            return zlib.decompress(payload, zlib.MAX_WBITS | 32)
        except zlib.error:
            return payload
    return payload


def json_value(payload: str | bytes, *, source: str, at: str) -> Any:
    """
    Return JSON as Python values.

    Raises:
        EventError: It is no JSON.
    """
    try:
        return json.loads(payload)
    except (ValueError, RecursionError):
        # The parser's error holds the whole payload: it must not stay in the exception's context.
        pass
    raise EventError(f"{source}: {at}: it is no JSON", source=source, field=at)


def unwrapped(payload: str | bytes, model: type[M], *, source: str, at: str) -> M:
    """
    Return the innermost message of *payload* as *model*; see :meth:`Carrier.unwrap`.
    """
    value = json_value(payload, source=source, at=at)
    while not getattr(model, "is_envelope", False) and _is_sns_message(value):
        at = f"{at}.Message"
        payload = value["Message"]
        value = json_value(payload, source=source, at=at)
    if issubclass(model, Event):
        return from_object(model, value, source=source, at=at)
    # Models of one's own get the text: pydantic reads a few types differently from JSON than from Python values.
    return from_json(model, payload, source=source, at=at)


def _is_sns_message(value: object) -> bool:
    return isinstance(value, Mapping) and isinstance(value.get("Message"), str) and "TopicArn" in value and "MessageId" in value
