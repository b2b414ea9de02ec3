"""
Which of the models of records, buses and services fits; and what damaged events of theirs say.
"""

from __future__ import annotations

import copy
import importlib
from collections.abc import Iterator
from typing import Any

import pytest

from lambda_kit import _sources
from lambda_kit._sources import Source
from lambda_kit.errors import EventError
from lambda_kit.events import Event
from lambda_kit.events._detect_records import detect
from tests.events.payloads import names, payload

# An order, as JSON and as Base64 of it; signed and other telling addresses; credentials.
_SECRETS = ["quantity", "eyJza3Ui", "Signature=", "Unsubscribe", "c2lnbmF0dXJl", "secret-key"] + [
    f"{kind}-token" for kind in ("session", "result", "rotation", "checkpoint")
]
_NAMES = [name for name in names() if detect(payload(name))]


def _model(raw: Any) -> type[Event]:
    module, name = (detect(raw) or ":").split(":")
    found: type[Event] = getattr(importlib.import_module(module), name)
    return found


@pytest.mark.parametrize(
    "raw",
    [
        None,
        "",
        1,
        {},
        [],
        [{}],
        ["a"],
        {"Records": []},
        {"Records": ["a"]},
        {"Records": [{"eventSource": "aws:new", "s3": {}}]},
        {"Records": [{"eventSource": ["aws:s3"], "s3": {}}]},
        {"records": {"a": [1]}},
        {"records": []},
        {"messages": []},
        {"events": []},
        {"requestContext": {}},
        {"Error": "e", "more": 1},
        {"Event": "s3:Other"},
    ],
    ids=str,
)
def test_what_is_of_no_source_is_not_taken_for_one(raw: object) -> None:
    """
    An event needs what tells its source, not only a key that happens to be the same.
    """
    assert detect(raw) is None


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ({"Records": [{"body": "b"}]}, r"sqs: Records\.0\.messageId: Field required"),
        ({"RequestType": "Create", "ResourceProperties": {}}, "cloudformation: LogicalResourceId: Field required"),
        ({"detail-type": "OrderPlaced", "detail": {}}, "eventbridge: source: Field required"),
    ],
    ids=["sqs", "cloudformation", "eventbridge"],
)
def test_an_event_that_lacks_too_much_says_what(raw: dict[str, Any], message: str) -> None:
    """
    The source is told by what is there, the error by what is not.
    """
    with pytest.raises(EventError, match=message):
        _model(raw).model_validate(raw)


@pytest.mark.parametrize(
    ("raw", "model"),
    [
        ({"Records": [{"kinesis": {"data": ""}}]}, "KinesisEvent"),
        ({"Records": [{"s3": {"bucket": {"name": "b"}, "object": {"key": "k"}}}]}, "S3Event"),
        ({"Records": [{"Sns": {"Message": "m"}}]}, "SnsEvent"),
        ({"Records": [{"messageId": "1", "receiptHandle": "r", "body": "b"}]}, "SqsEvent"),
        ({"records": {"t-0": [{"topic": "t", "partition": 0, "offset": 1}]}}, "SelfManagedKafkaEvent"),
        ({"records": {"t-0": [{"topic": "t", "partition": 0, "offset": 1}]}, "eventSourceArn": "a"}, "MskEvent"),
        ({"records": [{"recordId": "1", "data": ""}]}, "FirehoseEvent"),
        ({"events": [{"event": {"operationType": "insert"}}]}, "DocumentDbEvent"),
        ({"Records": [], "window": {}, "state": {}, "eventSourceARN": "arn"}, "KinesisWindowEvent"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_events_written_by_hand_are_recognised_without_their_source(raw: dict[str, Any], model: str) -> None:
    """
    People invoke functions with the part of an event that they need.
    """
    event = _model(raw).model_validate(raw)

    assert model == type(event).__name__


@pytest.mark.parametrize("name", _NAMES)
def test_the_source_is_among_those_with_facts(name: str) -> None:
    """
    Errors name the source as its facts do.
    """
    assert _model(payload(name)).source_name in {source.name for source in vars(_sources).values() if isinstance(source, Source)}


@pytest.mark.parametrize("name", _NAMES)
def test_a_damaged_event_names_source_and_field_and_shows_no_value(name: str) -> None:
    """
    Wherever a model wants text or a number and gets an object, the error says where, and holds nothing of what it got.
    """
    whole = payload(name)
    model = _model(whole)
    refused = [(path, error) for path in _leaves(whole) if (error := _error(model, _replaced(whole, path, {"hunter2": "hunter2"})))]

    assert refused
    for path, error in refused:
        assert error.field.removeprefix("items.").startswith(".".join(map(str, path)))
        assert str(error).startswith(f"{error.source}: {error.field}: ")
        assert "hunter2" not in f"{error!r} {error.details}"
        assert error.__context__ is None


@pytest.mark.parametrize("name", _NAMES)
def test_no_secret_and_no_payload_is_in_the_repr(name: str) -> None:
    """
    Printing an event shows what it is, and neither what it carries nor what opens doors.
    """
    shown = repr(_model(payload(name)).model_validate(payload(name)))

    assert [] == [secret for secret in _SECRETS if secret in shown]


def _error(model: type[Event], raw: Any) -> EventError | None:
    try:
        model.model_validate(raw)
    except EventError as exc:
        return exc
    return None


def _leaves(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """
    Yield the path of every text and number in *value*.
    """
    pairs: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        yield from _leaves(inner, (*path, key))
    if isinstance(value, str | int | float):
        yield path


def _replaced(value: Any, path: tuple[str | int, ...], new: Any) -> Any:
    changed = copy.deepcopy(value)
    place = changed
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = new
    return changed
