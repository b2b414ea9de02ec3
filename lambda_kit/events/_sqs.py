"""
Messages of SQS queues, standard and FIFO.

Source: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_pascal

from lambda_kit.events._carriers import Batch, Carrier
from lambda_kit.events._model import Part
from lambda_kit.events._times import epoch_time


class SqsAttributes(Part):
    """
    What SQS says of a message. AWS writes numbers and times as text; :class:`SqsRecord` has them as numbers and times.
    """

    model_config = ConfigDict(alias_generator=to_pascal)

    approximate_receive_count: str | None = None
    approximate_first_receive_timestamp: str | None = None
    sent_timestamp: str | None = None
    sender_id: str | None = None
    sequence_number: str | None = None
    message_group_id: str | None = None
    message_deduplication_id: str | None = None
    dead_letter_queue_source_arn: str | None = None
    aws_trace_header: str | None = Field(default=None, alias="AWSTraceHeader")


class SqsMessageAttribute(Part):
    """
    One attribute that the sender attached. ``binary_value`` is Base64.
    """

    data_type: str | None = None
    string_value: str | None = Field(default=None, repr=False)
    binary_value: str | None = Field(default=None, repr=False)
    string_list_values: list[str] | None = Field(default=None, repr=False)
    binary_list_values: list[str] | None = Field(default=None, repr=False)


class SqsRecord(Carrier):
    """
    One message. Its body may be what another source sends: ``record.unwrap(S3Event)``, with SNS between them or not.
    """

    source_name: ClassVar[str] = "sqs"

    message_id: str
    body: str = Field(repr=False)
    receipt_handle: str | None = Field(default=None, repr=False)
    attributes: SqsAttributes = Field(default_factory=SqsAttributes)
    message_attributes: dict[str, SqsMessageAttribute] | None = None
    md5_of_body: str | None = None
    md5_of_message_attributes: str | None = None
    event_source: str | None = None
    event_source_arn: str | None = Field(default=None, alias="eventSourceARN")
    aws_region: str | None = None

    @property
    def payload(self) -> str:
        """The body."""
        return self.body

    def json_body(self) -> Any:
        """
        Return the body, which is JSON, as Python values; the same as :meth:`payload_json`.

        Raises:
            EventError: It is no JSON.
        """
        return self.payload_json()

    @property
    def receive_count(self) -> int | None:
        """How often the message was received, this time included, as far as SQS knows."""
        count = self.attributes.approximate_receive_count
        return int(count) if count and count.isdecimal() and len(count) < 10 else None

    @property
    def sent_at(self) -> datetime | None:
        """When the message was sent."""
        return epoch_time(self.attributes.sent_timestamp, per_s=1000)

    @property
    def first_received_at(self) -> datetime | None:
        """When the message was received for the first time."""
        return epoch_time(self.attributes.approximate_first_receive_timestamp, per_s=1000)

    @property
    def is_fifo(self) -> bool:
        """Whether the queue keeps an order. A message group alone does not say so: fair queues have groups too."""
        return (self.event_source_arn or "").endswith(".fifo")


class SqsEvent(Batch):
    """
    A batch of messages.

    Answer with ``{"batchItemFailures": [{"itemIdentifier": message_id}]}`` where the event source mapping reports item failures.
    """

    source_name: ClassVar[str] = "sqs"

    records: list[SqsRecord] = Field(alias="Records")
