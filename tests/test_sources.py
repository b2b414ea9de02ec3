"""
Facts about event sources, held against events as Lambda delivers them.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import pytest

from lambda_kit import _sources
from lambda_kit._sources import Source, lookup

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


def test_names_are_unique() -> None:
    """
    No two sources have the same name.
    """
    assert len(_ALL) == len({source.name for source in _ALL})
