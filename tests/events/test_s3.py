"""
S3Event, S3BatchEvent and S3ObjectLambdaEvent.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_kit.errors import EventError
from lambda_kit.events import S3BatchEvent, S3Event, S3ObjectLambdaEvent, S3TestEvent, SqsEvent, parse_event
from tests.events.payloads import names, payload


def test_a_notification_names_bucket_and_key() -> None:
    """
    The key is decoded, the time aware, and the name of the event without the prefix that only some have.
    """
    record = S3Event.model_validate(payload("s3_notification")).records[0]

    assert ("orders-uploads", "in/teapot ä #1.png", "ObjectCreated:Put") == (record.bucket, record.key, record.kind)
    assert datetime(2024, 1, 1, 0, 0, 0, 123000, UTC) == record.occurred_at
    assert "in/teapot+%C3%A4+%231.png" == record.s3.object.encoded_key
    assert "ObjectRestore:Completed" == S3Event.model_validate(payload("s3_notification__restored")).records[0].kind


@given(st.text(min_size=1))
def test_any_key_is_decoded_once(key: str) -> None:
    """
    Keys with spaces, plus and percent signs come out as they are in the bucket.
    """
    raw = {"Records": [{"s3": {"bucket": {"name": "b"}, "object": {"key": quote_plus(key)}}}]}

    assert key == S3Event.model_validate(raw).records[0].key


def test_a_large_object_has_its_size() -> None:
    """
    Sizes are more than 32 bits.
    """
    assert 5368709121 == S3Event.model_validate(payload("s3_notification")).records[1].s3.object.size


def test_removed_objects_have_no_size() -> None:
    """
    Deletions, by hand and by lifecycle rules, lack size or ETag. Powertools for Python, issues 1637 and 5129.
    """
    marked, expired = S3Event.model_validate(payload("s3_notification__removed")).records

    assert (None, None) == (marked.s3.object.size, expired.s3.object.e_tag)
    assert "LifecycleExpiration:Delete" == expired.kind
    assert expired.request_parameters is not None
    assert "s3.amazonaws.com" == expired.request_parameters.source_ip_address


def test_each_kind_has_its_own_block() -> None:
    """
    Replication, tiering, lifecycle and tagging events parse, with and without size. Powertools for Python, issue 7443.
    """
    replicated, tiered, moved, tagged, lost = S3Event.model_validate(payload("s3_notification__replicated")).records

    assert {"destinationAccessTier": "ARCHIVE_ACCESS"} == tiered.intelligent_tiering_event_data
    assert replicated.replication_event_data is not None
    assert moved.lifecycle_event_data is not None
    assert (None, None) == (tagged.s3.object.size, lost.s3.object.e_tag)


def test_the_test_event_has_no_records() -> None:
    """
    What S3 sends when notifications are configured is nothing to do, not an error; nor is it through a queue.
    """
    tried = parse_event(payload("s3_test"))

    assert isinstance(tried, S3TestEvent)
    assert [] == S3Event.model_validate(payload("s3_test")).records
    assert [] == S3Event.model_validate_json(json.dumps(payload("s3_test"))).records
    assert datetime(2024, 1, 1, 0, 0, 0, 123000, UTC) == tried.occurred_at
    assert [2, 0] == [len(event.records) for event in SqsEvent.model_validate(payload("sqs__s3")).unwrap(S3Event)]


@pytest.mark.parametrize("raw", [{}, {"Event": "s3:Other"}, {"Records": None}])
def test_an_event_without_records_is_no_notification(raw: dict[str, object]) -> None:
    """
    Only the test event lacks them.
    """
    with pytest.raises(EventError, match="s3: Records: "):
        S3Event.model_validate(raw)


def test_tasks_have_bucket_and_key_in_both_schemas() -> None:
    """
    Schema 1.0 has the bucket's ARN, 2.0 its name; keys are encoded in both.
    """
    old = S3BatchEvent.model_validate(payload("s3_batch_operations"))
    new = S3BatchEvent.model_validate(payload("s3_batch_operations__v2"))

    assert [("orders-uploads", "in/a b+c.png"), ("orders-uploads", "in/a.png")] == [
        (event.tasks[0].bucket, event.tasks[0].key) for event in (old, new)
    ]
    assert {"to": "archive"} == new.job.user_arguments
    assert (None, "v1") == (old.tasks[0].s3_version_id, new.tasks[0].s3_version_id)


def test_every_task_is_answered() -> None:
    """
    Tasks without a result are reported as failed, those with one as it says.
    """
    raw = payload("s3_batch_operations")
    raw["tasks"].append({**raw["tasks"][0], "taskId": "2"})
    event = S3BatchEvent.model_validate(raw)

    answer = event.response(event.tasks[0].result(text="done"))

    assert ("1.0", "aW52b2NhdGlvbg==", "PermanentFailure") == (
        answer["invocationSchemaVersion"],
        answer["invocationId"],
        answer["treatMissingKeysAs"],
    )
    assert [
        {"taskId": "dGFzaw==", "resultCode": "Succeeded", "resultString": "done"},
        {"taskId": "2", "resultCode": "PermanentFailure", "resultString": ""},
    ] == answer["results"]
    assert event.tasks[1].raw is raw["tasks"][1]


@pytest.mark.parametrize("name", names("s3_object_lambda"))
def test_an_object_lambda_request_has_one_context(name: str) -> None:
    """
    GetObject, HeadObject and both kinds of listing have the address of the original in the same place.
    """
    context = S3ObjectLambdaEvent.model_validate(payload(name)).context

    assert context is not None
    assert context.input_s3_url.startswith("https://orders-123456789012.s3-accesspoint.")
    assert ("token" if name == "s3_object_lambda" else None) == context.output_token
