"""
Records that Firehose wants transformed, and those of its ancestor, Kinesis Data Analytics for SQL.

Source: https://docs.aws.amazon.com/firehose/latest/dev/data-transformation.html
"""

from __future__ import annotations

from base64 import b64encode
from datetime import datetime
from typing import Any, ClassVar

from pydantic import Field

from lambda_kit.errors import EventError
from lambda_kit.events._carriers import Batch, Carrier, base64_bytes
from lambda_kit.events._model import Part
from lambda_kit.events._times import epoch_time


class FirehoseStreamMetadata(Part):
    """
    Where in the Kinesis stream the record was.
    """

    shard_id: str | None = None
    partition_key: str | None = None
    sequence_number: str | None = None
    # A number from Firehose, text in some of AWS's own samples.
    subsequence_number: int | str | None = None
    approximate_arrival_timestamp: int | str | None = None


class FirehoseTopicMetadata(Part):
    """
    Where in the MSK topic the record was. Numbers come as text.
    """

    offset: int | str | None = None
    partition_id: int | str | None = None
    approximate_arrival_timestamp: int | str | None = None


class FirehoseRecord(Carrier):
    """
    One record; from a topic it carries ``kafkaRecordValue`` in place of ``data``. Both are Base64, :attr:`payload` are the bytes.
    """

    source_name: ClassVar[str] = "firehose"
    payload_at: ClassVar[str] = "data"

    record_id: str
    data: str | None = Field(default=None, repr=False)
    kafka_record_value: str | None = Field(default=None, repr=False)
    approximate_arrival_timestamp: int | str | None = None
    kinesis_record_metadata: FirehoseStreamMetadata | None = None
    msk_record_metadata: FirehoseTopicMetadata | None = None

    @property
    def payload(self) -> bytes:
        """The data, decoded."""
        encoded = self.kafka_record_value if self.data is None else self.data
        if encoded is None:
            raise EventError(f"{self.source_name}: data: the record has none", source=self.source_name, field="data")
        return base64_bytes(encoded, source=self.source_name, at="data" if self.data is not None else "kafkaRecordValue")

    @property
    def arrived_at(self) -> datetime | None:
        """When Firehose got the record. AWS sends milliseconds."""
        return epoch_time(self.approximate_arrival_timestamp, per_s=1000)

    def ok(self, data: bytes | str, *, partition_keys: dict[str, str] | None = None) -> dict[str, Any]:
        """
        Return this record's part of the answer: *data* is what to deliver in its place.

        Args:
            partition_keys: For dynamic partitioning.
        """
        metadata = {"metadata": {"partitionKeys": partition_keys}} if partition_keys is not None else {}
        encoded = b64encode(data.encode() if isinstance(data, str) else data).decode()
        return {"recordId": self.record_id, "result": "Ok", self._answered_as(): encoded, **metadata}

    def dropped(self) -> dict[str, Any]:
        """
        Return this record's part of the answer: it is left out on purpose.
        """
        return {"recordId": self.record_id, "result": "Dropped"}

    def failed(self) -> dict[str, Any]:
        """
        Return this record's part of the answer: it goes, as it came, where the stream puts failures.
        """
        return {"recordId": self.record_id, "result": "ProcessingFailed", **self._unchanged()}

    def _answered_as(self) -> str:
        return "data" if self.data is not None or self.kafka_record_value is None else "kafkaRecordValue"

    def _unchanged(self) -> dict[str, str]:
        pairs = {"data": self.data, "kafkaRecordValue": self.kafka_record_value}
        return {name: value for name, value in pairs.items() if value is not None}


class FirehoseEvent(Batch):
    """
    Records to transform. Every one needs its result: answer with ``event.response(record.ok(...), record.dropped(), ...)``.

    The answer may have 6 MB: https://docs.aws.amazon.com/firehose/latest/dev/limits.html
    """

    source_name: ClassVar[str] = "firehose"
    records_key: ClassVar[str] = "records"

    invocation_id: str | None = None
    delivery_stream_arn: str | None = None
    source_kinesis_stream_arn: str | None = None
    source_msk_arn: str | None = Field(default=None, alias="sourceMSKArn")
    region: str | None = None
    records: list[FirehoseRecord]

    def response(self, *results: dict[str, Any]) -> dict[str, Any]:
        """
        Return the answer; records without a result have failed.
        """
        done = {result["recordId"] for result in results}
        return {"records": [*results, *(record.failed() for record in self.records if record.record_id not in done)]}


class KinesisAnalyticsRecord(Carrier):
    """
    One row, as Base64; :attr:`payload` are the bytes.
    """

    source_name: ClassVar[str] = "kinesis_analytics"
    payload_at: ClassVar[str] = "data"

    record_id: str
    data: str = Field(repr=False)
    kinesis_stream_record_metadata: FirehoseStreamMetadata | None = None
    kinesis_firehose_record_metadata: dict[str, Any] | None = None
    lambda_delivery_record_metadata: dict[str, Any] | None = None

    @property
    def payload(self) -> bytes:
        """The data, decoded."""
        return base64_bytes(self.data, source=self.source_name, at=self.payload_at)

    def result(self, result: str = "Ok", data: bytes | None = None) -> dict[str, Any]:
        """
        Return this record's part of the answer.

        Args:
            result: ``Ok``, ``Dropped`` or ``ProcessingFailed`` for preprocessing, ``Ok`` or ``DeliveryFailed`` for output.
            data: What preprocessing made of it; output has none.
        """
        return {"recordId": self.record_id, "result": result} | ({} if data is None else {"data": b64encode(data).decode()})


class KinesisAnalyticsEvent(Batch):
    """
    Rows to preprocess, or to deliver, of an application that AWS has discontinued. Answer with ``{"records": [...]}``.

    Source: https://docs.aws.amazon.com/kinesisanalytics/latest/dev/how-it-works-output-lambda.html
    """

    source_name: ClassVar[str] = "kinesis_analytics"
    records_key: ClassVar[str] = "records"

    invocation_id: str | None = None
    application_arn: str
    stream_arn: str | None = None
    records: list[KinesisAnalyticsRecord]
