"""
SqsEvent and SqsRecord.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import BaseModel

from lambda_kit.errors import EventError
from lambda_kit.events import SqsEvent, SqsRecord
from tests.events.payloads import payload


class Order(BaseModel):
    sku: str
    quantity: int


def _record(**changes: Any) -> SqsRecord:
    return SqsRecord.model_validate({**payload("sqs")["Records"][0], **changes})


def test_fields_have_pythons_names_and_awss_values() -> None:
    """
    What AWS sends as text stays text; the typed properties have it as numbers and times.
    """
    first, second = SqsEvent.model_validate(payload("sqs")).records

    assert "11111111-2222-4333-8444-000000000001" == first.message_id
    assert "arn:aws:sqs:eu-west-1:123456789012:orders" == first.event_source_arn
    assert "1704067200123" == first.attributes.sent_timestamp
    assert (first.attributes.aws_trace_header or "").startswith("Root=1-")
    assert "AROAEXAMPLEROLEID:producer" == first.attributes.sender_id
    assert datetime(2024, 1, 1, 0, 0, 0, 123000, UTC) == first.sent_at
    assert datetime(2024, 1, 1, 0, 0, 1, 456000, UTC) == first.first_received_at
    assert (1, 12) == (first.receive_count, second.receive_count)
    assert ("web", b"\x89PNG\r\n\x1a\n", None) == tuple(map(first.message_attribute, ("channel", "thumbnail", "none")))
    assert "arn:aws:sqs:eu-west-1:123456789012:orders-failed" == second.attributes.dead_letter_queue_source_arn


def test_each_record_keeps_its_own_raw() -> None:
    """
    A record's raw is the part of the event that it was made from.
    """
    raw = payload("sqs")

    assert [id(each) for each in raw["Records"]] == [id(record.raw) for record in SqsEvent.model_validate(raw).records]


def test_only_a_fifo_queue_keeps_an_order() -> None:
    """
    Messages of fair queues have a group too, but no order.
    """
    fifo, fair = SqsEvent.model_validate(payload("sqs__fifo")).records[0], SqsEvent.model_validate(payload("sqs__fair_queue")).records[0]

    assert ("customer-1", True) == (fifo.attributes.message_group_id, fifo.is_fifo)
    assert None not in (fifo.attributes.message_deduplication_id, fifo.attributes.sequence_number)
    assert ("tenant-7", False) == (fair.attributes.message_group_id, fair.is_fifo)


def test_a_record_made_by_hand_may_lack_everything_optional() -> None:
    """
    People invoke functions by hand with an id and a body.
    """
    record = SqsRecord.model_validate({"messageId": "1", "body": "b"})

    assert (None, None, None, False) == (record.receive_count, record.sent_at, record.first_received_at, record.is_fifo)


@pytest.mark.parametrize("text", ["", "soon"])
def test_numbers_that_are_none_are_unknown(text: str) -> None:
    """
    A time or count that is no number does not break the record.
    """
    record = _record(attributes={"SentTimestamp": text, "ApproximateReceiveCount": text})

    assert (None, None) == (record.sent_at, record.receive_count)


def test_body_parses_as_a_model_or_as_json() -> None:
    """
    The payload is the body, which is JSON.
    """
    record = _record()

    assert Order(sku="teapot", quantity=2) == record.parse(Order)
    assert {"sku": "teapot", "quantity": 2} == record.json_body()


def test_a_body_that_does_not_fit_names_the_field_within_it() -> None:
    """
    The error's field starts with body; no value of the body is in it.
    """
    record = _record(body='{"sku": "secret", "quantity": "many"}')

    with pytest.raises(EventError, match=r"sqs: body\.quantity: Input should be a valid integer") as caught:
        record.parse(Order)

    assert ("sqs", "body.quantity") == (caught.value.source, caught.value.field)
    assert "quantity" == caught.value.details[0]["field"]
    assert caught.value.__context__ is None


@pytest.mark.parametrize("read", [lambda record: record.parse(Order), lambda record: record.json_body()], ids=["parse", "json_body"])
def test_a_body_that_is_no_json_is_an_event_error(read: Any) -> None:
    """
    Neither the error nor its context holds the body.
    """
    with pytest.raises(EventError, match="body") as caught:
        read(_record(body="secret"))

    assert "secret" not in str(caught.value)
    assert caught.value.__context__ is None


def test_body_and_receipt_stay_out_of_the_repr() -> None:
    """
    Printing a record shows neither what was sent nor what would delete it.
    """
    shown = repr(_record())

    assert "message_id" in shown
    assert [] == [secret for secret in ("teapot", "AQEB-receipt-1", "'web'") if secret in shown]


def test_a_message_attribute_that_is_no_base64_is_named() -> None:
    """
    Bytes that cannot be decoded are an error without their text.
    """
    record = _record(messageAttributes={"a": {"dataType": "Binary", "binaryValue": "hunter2!"}})

    with pytest.raises(EventError, match=r"^sqs: messageAttributes\.a: it is no Base64$"):
        record.message_attribute("a")
