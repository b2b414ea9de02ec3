"""
Records of Kinesis data streams.

Source: https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from pydantic import Field

from lambda_kit.events._carriers import Batch, Carrier, base64_bytes
from lambda_kit.events._model import Part
from lambda_kit.events._times import epoch_time
from lambda_kit.events._windows import Windowed


class KinesisFacts(Part):
    """
    The record as the stream has it; ``data`` is Base64, :attr:`KinesisRecord.payload` are the bytes.
    """

    data: str = Field(repr=False)
    partition_key: str | None = None
    sequence_number: str | None = None
    approximate_arrival_timestamp: int | float | None = None
    kinesis_schema_version: str | None = None


class KinesisRecord(Carrier):
    """
    One record.

    What CloudWatch Logs has put into the stream is ``record.unwrap(CloudWatchLogsData)``.
    Records that the Kinesis Producer Library has aggregated come as they are: its framing is not taken apart.
    """

    source_name: ClassVar[str] = "kinesis"
    payload_at: ClassVar[str] = "kinesis.data"

    kinesis: KinesisFacts
    event_id: str | None = Field(default=None, alias="eventID")
    event_name: str | None = None
    event_version: str | None = None
    event_source: str | None = None
    event_source_arn: str | None = Field(default=None, alias="eventSourceARN")
    invoke_identity_arn: str | None = None
    aws_region: str | None = None

    @property
    def payload(self) -> bytes:
        """The data, decoded. Readers inflate it where it is compressed; this is as it was put."""
        return base64_bytes(self.kinesis.data, source=self.source_name, at=self.payload_at)

    @property
    def arrived_at(self) -> datetime | None:
        """When the stream got the record. AWS sends seconds."""
        return epoch_time(self.kinesis.approximate_arrival_timestamp, per_s=1)

    @property
    def shard_id(self) -> str | None:
        """The shard that the record is in."""
        return (self.event_id or "").partition(":")[0] or None


class KinesisEvent(Batch):
    """
    Records of one shard, in order.

    Answer with ``{"batchItemFailures": [{"itemIdentifier": sequence_number}]}`` where the event source mapping reports item failures.
    """

    source_name: ClassVar[str] = "kinesis"

    records: list[KinesisRecord] = Field(alias="Records")


class KinesisWindowEvent(Windowed, KinesisEvent):
    """
    Records of one shard within a tumbling window. Answer with :meth:`response`.
    """
