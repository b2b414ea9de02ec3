"""
Messages of Amazon MQ brokers, ActiveMQ and RabbitMQ.

Source: https://docs.aws.amazon.com/lambda/latest/dg/with-mq.html
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


class ActiveMqDestination(Part):
    """
    The queue.
    """

    physical_name: str | None = None


class ActiveMqMessage(Carrier):
    """
    One message. ``data`` is Base64, whether the message is text or bytes; :attr:`payload` are the bytes.
    """

    source_name: ClassVar[str] = "activemq"
    payload_at: ClassVar[str] = "data"

    message_id: str = Field(alias="messageID")
    data: str = Field(repr=False)
    message_type: str | None = None
    delivery_mode: int | None = None
    correlation_id: str | None = Field(default=None, alias="correlationID")
    reply_to: str | None = None
    destination: ActiveMqDestination | None = None
    redelivered: bool | None = None
    type: str | None = None
    expiration: int | None = None
    priority: int | None = None
    timestamp: int | None = None
    broker_in_time: int | None = None
    broker_out_time: int | None = None
    properties: dict[str, Any] | None = Field(default=None, repr=False)

    @property
    def payload(self) -> bytes:
        """The message's body, decoded."""
        return base64_bytes(self.data, source=self.source_name, at=self.payload_at)

    @property
    def sent_at(self) -> datetime | None:
        """When the message was sent."""
        return epoch_time(self.timestamp, per_s=1000)


class ActiveMqEvent(Batch):
    """
    Messages of a queue.

    Nobody reads the answer; raising makes Lambda deliver the whole batch again.
    """

    source_name: ClassVar[str] = "activemq"
    records_key: ClassVar[str] = "messages"

    event_source: str | None = None
    event_source_arn: str | None = None
    messages: list[ActiveMqMessage]

    def _each(self) -> Iterator[ActiveMqMessage]:
        return iter(self.messages)


class RabbitMqProperties(Part):
    """
    What the publisher said of the message.
    """

    content_type: str | None = None
    content_encoding: str | None = None
    headers: dict[str, Any] | None = Field(default=None, repr=False)
    delivery_mode: int | None = None
    priority: int | None = None
    correlation_id: str | None = None
    reply_to: str | None = None
    expiration: int | str | None = None
    message_id: str | None = None
    # Such as "Jan 1, 1970, 12:33:41 AM": in whose zone, nobody says.
    timestamp: int | str | None = None
    type: str | None = None
    user_id: str | None = None
    app_id: str | None = None
    cluster_id: str | None = None
    body_size: int | None = None


class RabbitMqMessage(Carrier):
    """
    One message. ``data`` is Base64, :attr:`payload` are the bytes.
    """

    source_name: ClassVar[str] = "rabbitmq"
    payload_at: ClassVar[str] = "data"

    data: str = Field(repr=False)
    basic_properties: RabbitMqProperties = Field(default_factory=RabbitMqProperties)
    redelivered: bool | None = None

    @property
    def payload(self) -> bytes:
        """The message's body, decoded."""
        return base64_bytes(self.data, source=self.source_name, at=self.payload_at)

    @property
    def header_values(self) -> dict[str, Any]:
        """The headers: text as ``bytes``, which AMQP does not say the encoding of; numbers and the like as they are."""
        try:
            return {name: _plain(value) for name, value in (self.basic_properties.headers or {}).items()}
        except RecursionError:
            pass
        raise EventError("rabbitmq: headers: they are nested too deeply", source="rabbitmq", field="headers")


class RabbitMqEvent(Batch):
    """
    Messages by queue and virtual host, such as ``orders::/``; iterate over :attr:`all_messages` for all of them.

    Nobody reads the answer; raising makes Lambda deliver the whole batch again.
    """

    source_name: ClassVar[str] = "rabbitmq"

    event_source: str | None = None
    event_source_arn: str | None = None
    messages_by_queue: dict[str, list[RabbitMqMessage]] = Field(alias="rmqMessagesByQueue")

    @property
    def all_messages(self) -> list[RabbitMqMessage]:
        """The messages of all queues."""
        return list(self._each())

    def keep_raw(self, raw: dict[str, Any]) -> None:
        super().keep_raw(raw)
        for queue, messages in self.messages_by_queue.items():
            keep_each(messages, raw.get("rmqMessagesByQueue", {}).get(queue))

    def _each(self) -> Iterator[RabbitMqMessage]:
        return chain.from_iterable(self.messages_by_queue.values())


def _plain(value: Any) -> Any:
    match value:
        case {"bytes": list(numbers)}:
            try:
                return bytes(number & 0xFF for number in numbers)
            except TypeError:
                pass
            raise EventError("rabbitmq: headers: a value is no list of bytes", source="rabbitmq", field="headers")
        case dict():
            return {name: _plain(inner) for name, inner in value.items()}
        case list():
            return [_plain(inner) for inner in value]
    return value
