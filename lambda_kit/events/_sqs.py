"""
Messages of SQS queues, standard and FIFO.

Source: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from pydantic import Field

from lambda_kit.events._carriers import Batch, Carrier, base64_bytes
from lambda_kit.events._times import epoch_time


class SqsAttributes(dict[str, "str | None"]):
    """
    What SQS says of a message, by AWS's names, and by ours as properties.

    AWS writes numbers and times as text; :class:`SqsRecord` has them as numbers and times.
    """

    __slots__ = ()

    @property
    def approximate_receive_count(self) -> str | None:
        """How often the message was received, this time included."""
        return self.get("ApproximateReceiveCount")

    @property
    def approximate_first_receive_timestamp(self) -> str | None:
        """When the message was received for the first time, in epoch milliseconds."""
        return self.get("ApproximateFirstReceiveTimestamp")

    @property
    def sent_timestamp(self) -> str | None:
        """When the message was sent, in epoch milliseconds."""
        return self.get("SentTimestamp")

    @property
    def sender_id(self) -> str | None:
        """Who sent it: an address, or the id of a user or a role."""
        return self.get("SenderId")

    @property
    def sequence_number(self) -> str | None:
        """Where the message stands in the order of a FIFO queue."""
        return self.get("SequenceNumber")

    @property
    def message_group_id(self) -> str | None:
        """The group: within it a FIFO queue keeps the order; of a fair queue it is the tenant."""
        return self.get("MessageGroupId")

    @property
    def message_deduplication_id(self) -> str | None:
        """What a FIFO queue tells duplicates by."""
        return self.get("MessageDeduplicationId")

    @property
    def dead_letter_queue_source_arn(self) -> str | None:
        """The queue that gave the message up, where it has been moved to a dead-letter queue."""
        return self.get("DeadLetterQueueSourceArn")

    @property
    def aws_trace_header(self) -> str | None:
        """X-Ray's trace header."""
        return self.get("AWSTraceHeader")


class SqsRecord(Carrier):
    """
    One message. Its body may be what another source sends: ``record.unwrap(S3Event)``, with SNS between them or not.

    :attr:`attributes` is what SQS says of it; :meth:`message_attribute` has what the sender attached.
    """

    source_name: ClassVar[str] = "sqs"

    message_id: str
    body: str = Field(repr=False)
    receipt_handle: str | None = Field(default=None, repr=False)
    # Plain dicts, because models in every message would take twice as long to make as the rest of the event.
    system_attributes: dict[str, str | None] = Field(default_factory=dict, alias="attributes")
    message_attributes: dict[str, Any] | None = Field(default=None, repr=False)
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

    def message_attribute(self, name: str) -> str | bytes | None:
        """
        Return the value that the sender attached under *name*: bytes of type ``Binary``, text of all others.

        Raises:
            EventError: Bytes are no Base64.
        """
        match (self.message_attributes or {}).get(name):
            case {"binaryValue": str(binary)}:
                return base64_bytes(binary, source=self.source_name, at=f"messageAttributes.{name}")
            case {"stringValue": str(text)}:
                return text
        return None

    @property
    def attributes(self) -> SqsAttributes:
        """What SQS says of the message."""
        return SqsAttributes(self.system_attributes)

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
