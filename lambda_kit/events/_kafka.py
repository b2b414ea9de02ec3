"""
Records of Kafka topics, of Amazon MSK and of clusters elsewhere.

Source: https://docs.aws.amazon.com/lambda/latest/dg/with-msk.html and with-kafka.html
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import chain
from typing import Any, ClassVar

from pydantic import Field

from lambda_kit.errors import EventError
from lambda_kit.events._carriers import Batch, Carrier, base64_bytes, keep_each
from lambda_kit.events._model import Part
from lambda_kit.events._times import epoch_time


class KafkaSchema(Part):
    """
    The schema that a key or value was written with, where a registry is configured.
    """

    data_format: str | None = None
    schema_id: str | None = None


class KafkaRecord(Carrier):
    """
    One record. ``key`` and ``value`` are Base64; a record without a value is a tombstone.
    """

    source_name: ClassVar[str] = "kafka"
    payload_at: ClassVar[str] = "value"

    topic: str
    partition: int
    offset: int
    timestamp: int | None = None
    timestamp_type: str | None = None
    key: str | None = Field(default=None, repr=False)
    value: str | None = Field(default=None, repr=False)
    # In JSON a list of objects with one header each, whose value is a list of Java's bytes: -128 to 127.
    headers: list[dict[str, Any]] | None = Field(default=None, repr=False)
    key_schema_metadata: KafkaSchema | None = None
    value_schema_metadata: KafkaSchema | None = None

    @property
    def payload(self) -> bytes:
        """The value, decoded. Raises ``EventError`` for a tombstone."""
        if self.value is None:
            raise EventError("kafka: value: the record is a tombstone, it has none", source=self.source_name, field="value")
        return base64_bytes(self.value, source=self.source_name, at="value")

    @property
    def key_bytes(self) -> bytes | None:
        """The key, decoded; ``None`` where the record has none."""
        return None if self.key is None else base64_bytes(self.key, source=self.source_name, at="key")

    @property
    def is_tombstone(self) -> bool:
        """Whether the record says that its key is gone."""
        return self.value is None

    @property
    def header_pairs(self) -> list[tuple[str, bytes | None]]:
        """The headers in their order: Kafka allows a name several times, and no value."""
        return [(name, _bytes(value)) for header in self.headers or () for name, value in header.items()]

    @property
    def header_values(self) -> dict[str, bytes | None]:
        """The headers by name; of those that come several times, the last one."""
        return dict(self.header_pairs)

    @property
    def created_at(self) -> datetime | None:
        """When the record was made, or appended: :attr:`timestamp_type` says which."""
        return epoch_time(self.timestamp, per_s=1000)

    @property
    def topic_partition(self) -> str:
        """Topic and partition as the event's keys name them, such as ``orders-0``."""
        return f"{self.topic}-{self.partition}"


class KafkaEvent(Batch):
    """
    Records by topic and partition, in order within each; iterate over :attr:`all_records` for all of them.

    Answer with ``{"batchItemFailures": [{"itemIdentifier": {"partition": "orders-0", "offset": 15}}]}`` where the event source
    mapping reports item failures.
    """

    source_name: ClassVar[str] = "kafka"

    event_source: str | None = None
    event_source_arn: str | None = None
    bootstrap_servers: str | None = None
    records: dict[str, list[KafkaRecord]]

    @property
    def all_records(self) -> list[KafkaRecord]:
        """The records of all partitions."""
        return list(self._each())

    def keep_raw(self, raw: dict[str, Any]) -> None:
        super().keep_raw(raw)
        for partition, records in self.records.items():
            keep_each(records, raw.get("records", {}).get(partition))

    def _each(self) -> Iterator[KafkaRecord]:
        return chain.from_iterable(self.records.values())


class MskEvent(KafkaEvent):
    """
    Records of an Amazon MSK cluster.
    """


class SelfManagedKafkaEvent(KafkaEvent):
    """
    Records of a cluster that is not MSK's: it has no ARN.
    """


def _bytes(value: Any) -> bytes | None:
    if isinstance(value, list):
        try:
            return bytes(number & 0xFF for number in value)
        except TypeError:
            pass
        raise EventError("kafka: headers: a value is no list of bytes", source="kafka", field="headers")
    # Hand-made events have text.
    return None if value is None else str(value).encode()
