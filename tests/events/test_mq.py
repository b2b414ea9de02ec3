"""
ActiveMqEvent and RabbitMqEvent.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import BaseModel

from lambda_kit.errors import EventError
from lambda_kit.events import ActiveMqEvent, RabbitMqEvent, RabbitMqMessage, parse_event
from tests.events.payloads import payload


class Order(BaseModel):
    sku: str
    quantity: int


def test_messages_of_activemq_parse() -> None:
    """
    The data are Base64, the time is in milliseconds.
    """
    raw = payload("mq_activemq")
    (message,) = ActiveMqEvent.model_validate(raw).messages

    assert Order(sku="teapot", quantity=2) == message.parse(Order)
    assert datetime(2024, 1, 1, 0, 0, 0, 123000, UTC) == message.sent_at
    assert ({"channel": "web"}, "c-1") == (message.properties, message.correlation_id)
    assert message.raw is raw["messages"][0]


def test_activemq_is_named_two_ways() -> None:
    """
    Events say aws:mq or aws:amq; messages of bytes are bytes.
    """
    event = parse_event(payload("mq_activemq__bytes"))

    assert isinstance(event, ActiveMqEvent)
    assert b"\x00\xff" == event.messages[0].payload


def test_messages_of_rabbitmq_are_by_queue() -> None:
    """
    All messages are one list; each keeps its own raw.
    """
    raw = payload("mq_rabbitmq")
    event = RabbitMqEvent.model_validate(raw)

    assert ["teapot", "teapot", "cup"] == [order.sku for order in event.unwrap(Order)]
    assert event.all_messages[2].raw is raw["rmqMessagesByQueue"]["refunds::/"][0]


def test_headers_of_rabbitmq_are_bytes() -> None:
    """
    Text comes as a list of signed bytes, nested too; numbers as numbers; there may be none.
    """
    first, second, _ = RabbitMqEvent.model_validate(payload("mq_rabbitmq")).all_messages

    assert {"channel": "webä".encode(), "tries": 10, "nested": {"names": [b"a"]}} == first.header_values
    assert ({}, {}) == (second.header_values, RabbitMqMessage(data="").header_values)


def test_a_damaged_header_is_an_event_error() -> None:
    """
    It is named, not shown.
    """
    message = RabbitMqMessage.model_validate({"data": "", "basicProperties": {"headers": {"h": {"bytes": ["hunter2"]}}}})

    with pytest.raises(EventError, match="rabbitmq: headers: ") as caught:
        message.header_values  # noqa: B018  # reading it is the test

    assert "hunter2" not in repr(caught.value)
    assert caught.value.__context__ is None
