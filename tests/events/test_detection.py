"""
parse_event: which source an event comes from; and what holds for the models of all sources.
"""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from lambda_kit import events
from lambda_kit.errors import EventError
from lambda_kit.events import parse_event
from tests import fresh_process
from tests.events.payloads import payload


def test_one_wrong_type_is_named_without_its_value() -> None:
    """
    A damaged event raises an EventError that names source and field; no part of it stays in the exception.
    """
    raw = payload("sqs")
    raw["Records"][1]["body"] = {"password": "hunter2"}

    with pytest.raises(EventError, match=r"sqs: Records\.1\.body: Input should be a valid string") as caught:
        parse_event(raw)

    assert ("sqs", "Records.1.body") == (caught.value.source, caught.value.field)
    assert ({"field": "Records.1.body", "message": "Input should be a valid string"},) == caught.value.details
    assert "hunter2" not in str(caught.value)
    assert caught.value.__context__ is None
    assert caught.value.details == pickle.loads(pickle.dumps(caught.value)).details  # noqa: S301  # made one expression earlier


def test_several_offences_are_counted() -> None:
    """
    The message names the first field and says how many more there are; the details have them all.
    """
    raw = payload("apigw_http_v2")
    raw["requestContext"]["http"]["method"] = ["POST"]
    raw["isBase64Encoded"] = "perhaps"

    with pytest.raises(EventError, match=r"http: requestContext\.http\.method: Input should be a valid string \(and 1 more\)") as caught:
        parse_event(raw)

    assert ["requestContext.http.method", "isBase64Encoded"] == [detail["field"] for detail in caught.value.details]


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ({"hello": 1, "you": 2}, "with the keys: hello, you"),
        ({}, "with the keys: none"),
        ({"Records": []}, "with the keys: Records"),
        ({"Records": ["a"]}, "with the keys: Records"),
        ({"Records": [{"eventSource": "aws:unheard"}]}, "with the keys: Records"),
        ({"version": "2.0", "requestContext": None}, "with the keys: version, requestContext"),
        ([], "such a list of 0 items"),
        (b"bytes", "not bytes"),
        ("text", "not str"),
    ],
)
def test_an_unknown_event_says_what_it_has(raw: Any, message: str) -> None:
    """
    What no source sends is refused; the error shows the keys, which help, and no values.
    """
    with pytest.raises(EventError, match=message):
        parse_event(raw)


def test_json_text_that_is_none_is_an_event_error() -> None:
    """
    Parsing from text has the same errors as parsing from objects, and keeps no text in them.
    """
    with pytest.raises(EventError, match="sqs: event: JSONDecodeError") as caught:
        events.SqsEvent.model_validate_json('{"secret')

    assert caught.value.__context__ is None


def test_a_model_made_by_hand_has_the_raw_event_it_stands_for() -> None:
    """
    Tests may build events from models; raw is what Lambda would have delivered.
    """
    event = events.SqsEvent.model_validate(events.SqsEvent(Records=[events.SqsRecord(message_id="1", body="b")]))

    assert {"Records": [{"messageId": "1", "body": "b"}]} == event.raw


def test_a_changed_copy_is_raw_what_it_says() -> None:
    """
    Tests vary events by copies: what is read from the event follows the change, and the original stays.
    """
    event = events.ApiGatewayHttpEvent.model_validate(payload("apigw_http_v2"))
    body = event.request.body

    changed = event.model_copy(update={"body": "changed"})

    assert ("changed", b"changed") == (changed.raw["body"], changed.request.body)
    assert (event.raw["body"].encode(), body) == (body, event.request.body)


def test_a_copy_keeps_the_raw_event() -> None:
    """
    Without a change nothing is read again.
    """
    event = parse_event(payload("sqs"))

    assert event.raw is event.model_copy().raw


def test_events_cannot_be_assigned_to() -> None:
    """
    An event is a value.
    """
    event = parse_event(payload("sqs"))

    with pytest.raises(ValueError, match="frozen"):
        event.records = []  # type: ignore[attr-defined]


def test_importing_one_model_loads_its_file_only() -> None:
    """
    Models are loaded by source family, the validators are built with the first event, and no name costs more than itself.
    """
    code = """
        import json, sys
        from lambda_kit.events import SqsEvent
        found = sorted(name for name in sys.modules if name.startswith("lambda_kit.events."))
        from lambda_kit import events
        print(json.dumps([found, SqsEvent.__pydantic_complete__, sorted(set(events.__all__) - set(dir(events)))]))
    """
    modules = [f"lambda_kit.events.{name}" for name in ("_carriers", "_model", "_sqs", "_times", "_validation")]

    assert [modules, False, []] == fresh_process.result(code)


def test_without_pydantic_the_extra_is_named() -> None:
    """
    The models need pydantic; where it is missing, the error says what to install.
    """
    code = """
        import json, sys
        sys.modules["pydantic"] = None
        from lambda_kit import errors, events
        try:
            events.SqsEvent
        except errors.MissingDependencyError as exc:
            print(json.dumps([exc.package, str(exc)]))
    """
    package, message = fresh_process.result(code)

    assert "pydantic" == package
    assert "aws-lambda-kit[events]" in message


def test_an_unknown_name_is_an_attribute_error() -> None:
    """
    A misspelt model fails as any module's attribute does.
    """
    with pytest.raises(AttributeError, match="no attribute 'SqsEvnt'"):
        events.SqsEvnt  # type: ignore[attr-defined]  # noqa: B018  # looking it up is the test
