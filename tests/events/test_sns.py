"""
SnsEvent and SnsMessage.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import BaseModel

from lambda_kit.errors import EventError
from lambda_kit.events import CloudWatchAlarmMessage, S3Event, SnsEvent, SnsMessage, SnsRecord, SqsEvent
from tests.events.payloads import payload


class Order(BaseModel):
    sku: str
    quantity: int


def _message(**changes: Any) -> SnsMessage:
    raw = payload("sns")
    raw["Records"][0]["Sns"].update(changes)
    return SnsEvent.model_validate(raw).records[0].sns


def test_a_message_is_what_was_published() -> None:
    """
    A null subject is none; the time is aware.
    """
    message = _message()

    assert (None, datetime(2024, 1, 1, 0, 0, 0, 123000, UTC)) == (message.subject, message.published_at)
    assert Order(sku="teapot", quantity=2) == message.parse(Order)
    assert {"sku": "teapot", "quantity": 2} == message.payload_json()
    assert message.message_attributes is not None
    assert "web" == message.message_attributes["channel"].value


def test_record_and_event_read_the_message() -> None:
    """
    Whoever needs the payload alone need not know where it is.
    """
    event = SnsEvent.model_validate(payload("sns"))
    order = Order(sku="teapot", quantity=2)

    assert [order, order] == [event.records[0].parse(Order), *event.unwrap(Order)]


def test_record_and_message_keep_their_own_raw() -> None:
    """
    Each part of the event has the part that it was made from.
    """
    raw = payload("sns")
    record = SnsEvent.model_validate(raw).records[0]

    assert record.raw is raw["Records"][0]
    assert record.sns.raw is raw["Records"][0]["Sns"]


def test_an_event_may_be_made_of_records() -> None:
    """
    Models made by hand stand for the event that Lambda would deliver.
    """
    made = SnsRecord.model_validate({"Sns": SnsMessage(message="m")})
    event = SnsEvent.model_validate({"Records": [made]})

    assert {"Message": "m"} == event.records[0].sns.raw
    assert {"Sns": {"Message": "m"}} == SnsRecord(sns=SnsMessage(message="m")).raw


def test_fifo_topics_do_not_sign() -> None:
    """
    Messages of FIFO topics lack signature and URLs, and have a group. Powertools for Python, issue 1590.
    """
    message = SnsEvent.model_validate(payload("sns__fifo")).records[0].sns

    assert (None, None, None) == (message.signature, message.signing_cert_url, message.unsubscribe_url)
    assert ("customer-1", "d-1") == (message.message_group_id, message.message_deduplication_id)


@pytest.mark.parametrize("spelling", ["Url", "URL"])
def test_urls_are_spelt_two_ways_and_never_checked(spelling: str) -> None:
    """
    Lambda writes Url, queues URL; test events have placeholders, and AWS no limit of 2083. Powertools for Python, issue 265.
    """
    raw = {"Message": "m", f"SigningCert{spelling}": "EXAMPLE", f"Unsubscribe{spelling}": "https://example.com/" + "a" * 3000}
    message = SnsMessage.model_validate(raw)

    assert "EXAMPLE" == message.signing_cert_url
    assert message.unsubscribe_url is not None
    assert 3020 == len(message.unsubscribe_url)
    assert raw == message.raw == message.model_dump(by_alias=True, exclude_unset=True)


def test_in_a_queue_the_message_is_in_the_body() -> None:
    """
    Without raw delivery a queue has the whole message, which can be asked for; with it, what was published.
    """
    enveloped, bare = SqsEvent.model_validate(payload("sqs__sns")).records
    order = Order(sku="teapot", quantity=2)

    assert [order, order] == [enveloped.unwrap(Order), bare.unwrap(Order)]
    assert order == enveloped.unwrap(SnsMessage).parse(Order)
    with pytest.raises(EventError, match="sns: Message: Field required"):
        bare.unwrap(SnsMessage)


def test_an_error_within_the_envelope_says_so() -> None:
    """
    The field named is the message within the body, not the body. Powertools for Python, issue 3580.
    """
    raw = payload("sqs__sns")
    raw["Records"][0]["body"] = raw["Records"][0]["body"].replace('\\"quantity\\": 2', '\\"quantity\\": \\"hunter2\\"')

    with pytest.raises(EventError, match=r"sqs: body\.Message\.quantity: Input should be a valid integer") as caught:
        SqsEvent.model_validate(raw).records[0].unwrap(Order)

    assert "hunter2" not in str(caught.value)


def test_s3_notifies_through_a_topic() -> None:
    """
    S3 to SNS to SQS unwraps in one step, test events included.
    """
    notified, tried = SqsEvent.model_validate(payload("sqs__sns_s3")).unwrap(S3Event)

    assert [["in/teapot ä #1.png", "big.bin"], []] == [[record.key for record in event.records] for event in (notified, tried)]


def test_an_alarm_is_a_message() -> None:
    """
    What CloudWatch publishes for an alarm has a model.
    """
    (alarm,) = SnsEvent.model_validate(payload("sns__alarm")).unwrap(CloudWatchAlarmMessage)

    assert ("errors", "OK", "ALARM") == (alarm.alarm_name, alarm.old_state_value, alarm.new_state_value)
    assert datetime(2024, 1, 1, 0, 0, 0, 123000, UTC) == alarm.occurred_at


def test_parsing_changes_nothing() -> None:
    """
    Neither spelling is rewritten in the caller's event. Powertools for Python does that.
    """
    raw = payload("sns")
    SnsEvent.model_validate(raw).unwrap(Order)

    assert payload("sns") == raw
