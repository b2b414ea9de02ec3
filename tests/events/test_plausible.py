"""
What holds for the models of all sources: they accept what AWS may send, lose and change nothing, and say what is wrong.
"""

from __future__ import annotations

import copy
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lambda_kit.errors import EventError
from lambda_kit.events import Event, parse_event
from tests.events.kinds import MODELS
from tests.events.payloads import names, payload
from tests.events.strategies import plausible

_NOT_JSON_OBJECTS = ["hunter2", ["hunter2"]]


@pytest.mark.parametrize("kind", MODELS)
@settings(max_examples=20, deadline=None, database=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(st.data())
def test_plausible_events_parse_and_come_out_again(kind: str, data: st.DataObject) -> None:
    """
    Any event that AWS may send parses to its model, which loses nothing, changes nothing, and has properties that work.
    """
    raw = data.draw(plausible(kind))
    before = copy.deepcopy(raw)

    event = parse_event(raw)

    assert MODELS[kind] is type(event)
    assert raw == event.model_dump(by_alias=True, exclude_unset=True)
    assert raw == json.loads(event.model_dump_json(by_alias=True, exclude_unset=True))
    _read_all_properties(event)
    assert before == raw


@pytest.mark.parametrize("name", names())
def test_every_payload_is_of_a_known_kind_and_survives(name: str) -> None:
    """
    The project's own payloads come out of their model as they went in, unknown fields included, and through JSON text too.
    """
    raw = payload(name)
    (raw[0] if isinstance(raw, list) else raw)["newField"] = {"of": ["tomorrow"]}
    model = MODELS[name.partition("__")[0]]

    event = model.model_validate(raw)

    assert raw == event.model_dump(by_alias=True, exclude_unset=True)
    assert raw == json.loads(event.model_dump_json(by_alias=True, exclude_unset=True))
    assert event == model.model_validate_json(json.dumps(raw))
    assert raw == model.model_validate(event).raw
    _read_all_properties(event)


@pytest.mark.parametrize("kind", MODELS)
def test_broken_events_are_named_without_their_values(kind: str) -> None:
    """
    A field of a wrong type raises an EventError that names source and field; no part of the event stays in the exception.
    """
    raw = payload(kind)
    whole, part = (raw, raw[0]) if isinstance(raw, list) else ({**raw}, raw)
    named = []
    for key in part:
        broken = {**part, key: _NOT_JSON_OBJECTS}
        try:
            MODELS[kind].model_validate([broken, *whole[1:]] if isinstance(whole, list) else broken)
        except EventError as exc:
            named.append((key, exc))

    assert named
    for key, error in named:
        assert MODELS[kind].source_name == error.source
        assert key in error.field
        assert error.field in str(error)
        assert "hunter2" not in repr(error) + repr(error.details)
        assert error.__context__ is None


def _read_all_properties(event: Any) -> None:
    """
    Read whatever the model computes, of its parts too: there is a value, or an EventError that says why there is none.
    """
    kind = type(event)
    for name in dir(kind):
        if not name.startswith("_") and isinstance(getattr(kind, name, None), property):
            with suppress(EventError):
                getattr(event, name)
    for value in vars(event).values():
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, Event):
                _read_all_properties(part)
