"""
Facts about event sources, held against events as Lambda delivers them.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import pytest

from lambda_kit import _sources
from lambda_kit._sources import Source, lookup
from tests.events.payloads import payload

# Field names as in https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
FIFO_RECORD = {
    "messageId": "m-1",
    "body": '{"order": 1}',
    "attributes": {"ApproximateReceiveCount": "1", "MessageGroupId": "g-1"},
    "messageAttributes": {},
    "eventSource": "aws:sqs",
    "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:orders.fifo",
    "awsRegion": "eu-west-1",
}
_ALL = [value for value in vars(_sources).values() if isinstance(value, Source)]
_BY_RECORD = {_sources.ANSWER_BATCH, _sources.ANSWER_CHECKPOINT, _sources.ANSWER_TRANSFORM, _sources.ANSWER_TASKS}
_ANSWERS = {value for name, value in vars(_sources).items() if name.startswith("ANSWER_")}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (_sources.SQS.payload, '{"order": 1}'),
        (_sources.SQS.identifier, "m-1"),
        (_sources.SQS.group, "g-1"),
        (_sources.SQS.marker[:1], _sources.SQS.marker[1]),
    ],
    ids=["payload", "identifier", "group", "marker"],
)
def test_sqs_facts_fit_a_record(path: tuple[str, ...], value: str) -> None:
    """
    Every path of the queue's facts leads to its value in a record.
    """
    assert value == lookup(FIFO_RECORD, path)


def test_standard_queue_has_no_group() -> None:
    """
    Without a MessageGroupId the record is of no group.
    """
    record = {**FIFO_RECORD, "attributes": {"ApproximateReceiveCount": "1"}}

    assert lookup(record, _sources.SQS.group) is None


@pytest.mark.parametrize(
    ("record", "path", "value"),
    [
        ({"a": {"b": 1}}, ("a", "b"), 1),
        ({"a": {"b": 1}}, ("a",), {"b": 1}),
        ({"a": {"b": 1}}, (), {"a": {"b": 1}}),
        ({"a": None}, ("a", "b"), None),
        ({"a": "text"}, ("a", "b"), None),
        ({"a": [{"b": 1}]}, ("a", "b"), None),
        ({}, ("a",), None),
        (MappingProxyType({"a": MappingProxyType({"b": 0})}), ("a", "b"), 0),
    ],
    ids=["whole path", "part", "nothing to follow", "null", "text", "list", "empty", "any mapping"],
)
def test_lookup_follows_a_path_as_far_as_it_goes(record: Mapping[str, Any], path: tuple[str, ...], value: object) -> None:
    """
    A path that ends early gives None, whatever is in its way.
    """
    assert value == lookup(record, path)


@pytest.mark.parametrize("source", _ALL, ids=lambda source: source.name)
def test_source_is_consistent(source: Source) -> None:
    """
    Each source has a known answer, and one that answers by record says what a record is and what identifies it.
    """
    assert source.answer in _ANSWERS
    assert (source.answer in _BY_RECORD) is bool(source.records and source.identifier)
    assert f"<Source {source.name}>" == repr(source)


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        (_sources.SNS, "sns"),
        (_sources.S3, "s3_notification"),
        (_sources.DYNAMODB, "dynamodb_stream"),
        (_sources.KINESIS, "kinesis_stream"),
        (_sources.KAFKA, "kafka_msk"),
        (_sources.ACTIVEMQ, "mq_activemq"),
        (_sources.RABBITMQ, "mq_rabbitmq"),
        (_sources.DOCUMENTDB, "documentdb_stream"),
        (_sources.FIREHOSE, "firehose_transform"),
        (_sources.KINESIS_ANALYTICS, "kinesis_analytics"),
        (_sources.S3_BATCH, "s3_batch_operations"),
        (_sources.SES, "ses_receiving"),
        (_sources.EVENTBRIDGE, "eventbridge"),
        (_sources.SCHEDULE, "eventbridge_scheduled"),
        (_sources.CLOUDWATCH_LOGS, "cloudwatch_logs"),
        (_sources.CLOUDWATCH_ALARM, "cloudwatch_alarm_action"),
        (_sources.CLOUDFORMATION, "cloudformation_custom_resource"),
        (_sources.CLOUDFORMATION_MACRO, "cloudformation_macro"),
        (_sources.CLOUDFORMATION_HOOK, "cloudformation_hook"),
        (_sources.CODECOMMIT, "codecommit_trigger"),
        (_sources.CODEPIPELINE, "codepipeline_job"),
        (_sources.CONFIG, "config_rule"),
        (_sources.DESTINATION, "async_destination"),
        (_sources.FAILED_BATCH, "esm_failure_destination__kinesis"),
        (_sources.STEP_FUNCTIONS, "stepfunctions_error"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_facts_fit_an_event(source: Source, kind: str) -> None:
    """
    Every path leads to its value in the first record of an event of the source, and the encoding is that of the payload.
    """
    record = payload(kind)
    if source.records:
        records = record[source.records]
        record = next(iter(records.values()))[0] if isinstance(records, dict) else records[0]
    found = lookup(record, source.payload)

    assert None not in [lookup(record, path) for path in (source.payload, source.identifier, source.group)]
    assert source.marker[1] == record.get(source.marker[0], "")
    match source.encoding:
        case "base64":
            assert b64encode(b64decode(found)).decode() == found
        case "json":
            assert isinstance(json.loads(found), dict)
        case "object" | "attributes":
            assert isinstance(found, dict)


def test_names_are_unique() -> None:
    """
    No two sources have the same name.
    """
    assert len(_ALL) == len({source.name for source in _ALL})
