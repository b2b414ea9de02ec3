"""
Events as AWS might send them, made from the payload files and the facts about sources, not from the models.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

from lambda_kit import _sources
from tests.events.payloads import names, payload

_SOURCES = [source for source in vars(_sources).values() if isinstance(source, _sources.Source)]
# Where the text is what tells one source from another; all other text may be anything.
_TELLING = {source.marker[0] for source in _SOURCES} | {
    *("EventSource", "Event", "version", "type", "triggerSource", "domainName", "connectionId", "source", "detail-type"),
    *("eventType", "eventSource", "eventSourceArn", "eventSourceARN", "condition", "operationType", "operation", "describe"),
}
# Objects that AWS adds fields to: the event itself, its records, and these.
_GROWING = {"requestContext", "request", "detail", "identity", "callerContext", "info", "bot"}
_LISTS = {source.records for source in _SOURCES if source.records} | {"Records", "records", "messages", "events", "tasks"}
# Two fields are all that an error of a state machine has.
_CLOSED = {"stepfunctions_error"}
_UNKNOWN = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=9) | st.lists(st.text(max_size=3), max_size=2)


@st.composite
def plausible(draw: st.DrawFn, kind: str) -> Any:
    """
    Return what makes events of *kind*: its payloads with other values in a few places, more records, and unknown fields.
    """
    raw = copy.deepcopy(payload(draw(st.sampled_from(names(kind)))))
    for records in _record_lists(raw):
        records += copy.deepcopy([draw(st.sampled_from(records)) for _ in range(draw(st.integers(0, 2)))])
    places = list(_places(raw))
    for owner, key in draw(st.lists(st.sampled_from(places), max_size=6)):
        owner[key] = draw(_like(owner[key], key))
    growing = [] if kind in _CLOSED else list(_growing(raw, ""))
    for owner in draw(st.lists(st.sampled_from(growing), max_size=2)) if growing else ():
        owner[draw(st.text("abcXYZ-_", max_size=8).map("newField".__add__))] = draw(_UNKNOWN)
    return raw


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """
    Yield object or list, and key or index, of every value that is neither.
    """
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(inner, dict | list):
            yield from _places(inner)
        else:
            yield value, key


def _record_lists(raw: Any) -> list[list[Any]]:
    # A list event is a list of records itself.
    owners = [raw] if isinstance(raw, list) else [value for key, value in raw.items() if key in _LISTS]
    return [owner for owner in owners if isinstance(owner, list) and owner and isinstance(owner[0], dict)]


def _growing(value: Any, key: str) -> Iterator[dict[str, Any]]:
    if isinstance(value, list):
        for item in value:
            yield from _growing(item, "")
    elif isinstance(value, dict) and key in _LISTS:
        # By partition or queue: the names of those are no fields.
        for items in value.values():
            yield from _growing(items, "")
    elif isinstance(value, dict):
        yield value
        for name, inner in value.items():
            if name in _GROWING | _LISTS:
                yield from _growing(inner, name)


def _like(value: Any, key: Any) -> st.SearchStrategy[Any]:
    if key in _TELLING:
        return st.just(value)
    if isinstance(value, bool):
        return st.booleans()
    if isinstance(value, int):
        # Lists of numbers are bytes, as Java writes them.
        return st.integers(-128, 127) if isinstance(key, int) else st.integers(0, 2**53)
    if isinstance(value, float):
        return st.floats(0, 2**53, allow_nan=False)
    if isinstance(value, str):
        return st.integers(0, 10**16).map(str) if value.isdecimal() else st.text(max_size=30)
    return st.just(value)
