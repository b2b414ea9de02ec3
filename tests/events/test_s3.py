"""
S3Event.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from urllib.parse import quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambda_kit.errors import EventError
from lambda_kit.events import S3Event, S3TestEvent, SqsEvent, parse_event
from tests.events.payloads import payload

# The same examples in every run.
_ANY = settings(derandomize=True, database=None, deadline=None)


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
@_ANY
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
