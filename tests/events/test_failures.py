"""
What is kept of failures.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import BaseModel

from lambda_kit.errors import EventError
from lambda_kit.events import (
    DeadLetterEvent,
    DestinationEvent,
    FailedBatchEvent,
    KinesisEvent,
    MskEvent,
    S3Event,
    SqsEvent,
    StepFunctionsErrorEvent,
    parse_event,
)
from tests.events.payloads import payload


class Order(BaseModel):
    sku: str
    quantity: int


_ORDER = Order(sku="teapot", quantity=2)

_MOMENT = datetime(2024, 1, 1, 0, 0, 0, 123000, UTC)


def test_a_destination_gets_event_and_outcome() -> None:
    """
    What failed, what succeeded and what was too old to try have the event they were invoked with.
    """
    failed, done, aged = (
        DestinationEvent.model_validate(payload(f"async_destination{variant}")) for variant in ("", "__success", "__aged")
    )

    assert [False, True, False] == [event.has_succeeded for event in (failed, done, aged)]
    assert "in/teapot ä #1.png" == failed.unwrap(S3Event).records[0].key
    assert [_ORDER, _ORDER] == [event.unwrap(Order) for event in (done, aged)]
    assert (_MOMENT, None) == (failed.ended_at, aged.response_context)
    assert "RetriesExhausted" == failed.request_context.condition


def test_a_failed_batch_is_known_by_its_place() -> None:
    """
    Streams name the shard and its bounds, Kafka offsets.
    """
    table, stream, topic = (
        FailedBatchEvent.model_validate(payload(f"esm_failure_destination{variant}")) for variant in ("", "__kinesis", "__kafka")
    )

    assert table.dynamodb_batch is not None
    assert stream.kinesis_batch is not None
    assert topic.kafka_batch is not None
    assert ("1", "9") == (table.dynamodb_batch.start_sequence_number, stream.kinesis_batch.end_sequence_number)
    assert (_MOMENT, datetime(2024, 1, 1, 0, 0, 1, tzinfo=UTC)) == (
        table.dynamodb_batch.first_arrived_at,
        table.dynamodb_batch.last_arrived_at,
    )
    assert topic.kafka_batch.records_info is not None
    assert "15" == topic.kafka_batch.records_info["orders-0"]["firstRecordOffset"]
    assert (datetime(2024, 1, 1, 0, 0, 2, 123000, UTC), None) == (table.ended_at, stream.response_context)


def test_in_s3_the_batch_is_there() -> None:
    """
    As text or as an object; in queues and topics it is not.
    """
    table, stream, topic = (
        FailedBatchEvent.model_validate(payload(f"esm_failure_destination{variant}")) for variant in ("", "__kinesis", "__kafka")
    )

    assert [_ORDER, _ORDER] == [stream.unwrap(KinesisEvent).records[0].parse(Order), topic.unwrap(MskEvent).all_records[0].parse(Order)]
    with pytest.raises(EventError, match="failed_batch: payload: the record has none"):
        table.unwrap(KinesisEvent)


def test_a_dead_letter_says_what_went_wrong() -> None:
    """
    The body is the event, the attributes are the error; it is SQS's to those who do not know.
    """
    raw = payload("sqs__dead_letter")
    (record,) = DeadLetterEvent.model_validate(raw).records

    assert ("99999999-aaaa-4bbb-8ccc-000000000001", 200, "no") == (record.request_id, record.error_code, record.error_message)
    assert "big.bin" == record.unwrap(S3Event).records[1].key
    assert SqsEvent is type(parse_event(raw))


def test_a_letter_without_attributes_says_nothing() -> None:
    """
    Redriven messages may lack them.
    """
    (record, *_) = DeadLetterEvent.model_validate(payload("sqs__s3")).records

    assert (None, None, None) == (record.request_id, record.error_code, record.error_message)


def test_an_error_of_a_state_machine_has_a_cause() -> None:
    """
    A function's cause is JSON text; timeouts have none.
    """
    failed, late = (StepFunctionsErrorEvent.model_validate(payload(f"stepfunctions_error{variant}")) for variant in ("", "__timeout"))

    assert ("ValueError", "no") == (failed.error, failed.cause_json()["errorMessage"])
    with pytest.raises(EventError, match="step_functions: Cause: it is no JSON"):
        late.cause_json()
