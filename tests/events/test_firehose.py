"""
FirehoseEvent and KinesisAnalyticsEvent.
"""

from __future__ import annotations

import json
from base64 import b64decode
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import BaseModel

from lambda_kit.errors import EventError
from lambda_kit.events import FirehoseEvent, FirehoseRecord, KinesisAnalyticsEvent, SqsRecord
from tests.events.payloads import names, payload


class Order(BaseModel):
    sku: str
    quantity: int


@pytest.mark.parametrize("name", names("firehose_transform"))
def test_the_payload_is_the_same_whatever_the_source(name: str) -> None:
    """
    Puts and Kinesis have data, MSK has kafkaRecordValue; arrival is in milliseconds.
    """
    record = FirehoseEvent.model_validate(payload(name)).records[0]

    assert Order(sku="teapot", quantity=2) == record.parse(Order)
    assert datetime(2024, 1, 1, 0, 0, 0, 123000, UTC) == record.arrived_at


@pytest.mark.parametrize("number", [0, "123456"])
def test_subsequence_numbers_are_numbers_or_text(number: int | str) -> None:
    """
    Firehose sends a number, some of AWS's samples text. Powertools for Python, issue 3237.
    """
    raw = payload("firehose_transform__kinesis")
    raw["records"][0]["kinesisRecordMetadata"]["subsequenceNumber"] = number
    metadata = FirehoseEvent.model_validate(raw).records[0].kinesis_record_metadata

    assert metadata is not None
    assert number == metadata.subsequence_number


def test_every_record_is_answered() -> None:
    """
    What has no result has failed, and is sent back as it came.
    """
    event = FirehoseEvent.model_validate(payload("firehose_transform"))
    first, second = event.records

    answer = event.response(first.ok("teapot"))

    assert {"recordId": first.record_id, "result": "Ok", "data": "dGVhcG90"} == answer["records"][0]
    assert {"recordId": second.record_id, "result": "ProcessingFailed", "data": "/w=="} == answer["records"][1]
    assert {"recordId": first.record_id, "result": "Dropped"} == first.dropped()


def test_partition_keys_go_with_the_record() -> None:
    """
    Dynamic partitioning reads them from the metadata.
    """
    record = FirehoseEvent.model_validate(payload("firehose_transform")).records[0]

    assert {"partitionKeys": {"sku": "teapot"}} == record.ok(b"x", partition_keys={"sku": "teapot"})["metadata"]


def test_records_of_a_topic_are_answered_by_their_own_name() -> None:
    """
    Firehose wants kafkaRecordValue back where it sent that.
    """
    record = FirehoseEvent.model_validate(payload("firehose_transform__msk")).records[0]

    assert b"x" == b64decode(record.ok(b"x")["kafkaRecordValue"])
    assert record.kafka_record_value == record.failed()["kafkaRecordValue"]


def test_a_record_without_data_says_so() -> None:
    """
    Reading it is an event error; dropping it is not.
    """
    record = FirehoseRecord.model_validate({"recordId": "1"})

    with pytest.raises(EventError, match="firehose: data: the record has none"):
        record.parse(Order)
    assert "ProcessingFailed" == record.failed()["result"]


def test_messages_of_a_queue_come_through() -> None:
    """
    Pipes put whole SQS messages into the stream: they unwrap as records.
    """
    message = payload("sqs")["Records"][0]
    record = FirehoseRecord.model_validate({"recordId": "1", "data": FirehoseRecord(record_id="1").ok(json.dumps(message))["data"]})

    assert message["messageId"] == record.unwrap(SqsRecord).message_id


@pytest.mark.parametrize(
    ("result", "answer"),
    [
        ({}, {"recordId": "r1", "result": "Ok"}),
        ({"result": "DeliveryFailed"}, {"recordId": "r1", "result": "DeliveryFailed"}),
        ({"data": b"x"}, {"recordId": "r1", "result": "Ok", "data": "eA=="}),
    ],
    ids=["delivered", "not delivered", "preprocessed"],
)
def test_rows_of_analytics_are_answered(result: dict[str, Any], answer: dict[str, str]) -> None:
    """
    Preprocessing answers with data, output without.
    """
    record = KinesisAnalyticsEvent.model_validate(payload("kinesis_analytics")).records[0]

    assert answer == record.result(**result)
    assert Order(sku="teapot", quantity=2) == record.parse(Order)
