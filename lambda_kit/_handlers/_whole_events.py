"""
Answers direct invocations and asynchronous sources: errors are raised.
"""

from __future__ import annotations

import json
import logging

from lambda_kit import _sources
from lambda_kit._handlers._logic import sole
from lambda_kit._handlers._readers import reader
from lambda_kit._responses import Reject, plain
from lambda_kit._sources import lookup
from lambda_kit.errors import EventError
from lambda_kit.events._validation import from_json, from_object, is_model

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from lambda_kit._handlers._logic import Logic
    from lambda_kit._invocation import Invocation

    # Logic's inputs, of an event; all but SNS have one.
    Inputs = Callable[[dict[str, Any]], list[object]]

_logger = logging.getLogger("lambda_kit")


class DirectInvokes:
    """
    What calling a handler for direct invocations does: the caller gets the result, or the error by its class name.
    """

    __slots__ = ("_logic", "_read")

    def __init__(self, logic: Logic, first: Any) -> None:
        self._logic = logic
        self._read = event_reader(first, "invoke")

    def __call__(self, event: dict[str, Any], _: Invocation) -> Any:
        return plain(self._logic(self._read(event)))


class AsynchronousEvents:
    """
    What calling a handler for asynchronous sources does: nobody reads a result, raising makes Lambda retry.
    """

    __slots__ = ("_drops", "_inputs", "_logic")

    def __init__(self, logic: Logic, inputs: Inputs, *, drops: bool) -> None:
        self._logic = logic
        self._inputs = inputs
        self._drops = drops

    def __call__(self, event: dict[str, Any], invocation: Invocation) -> None:
        try:
            for value in self._inputs(event):
                self._logic(value)
        except Exception as exc:  # all are raised again, but for those that the wiring wants dropped
            if not (self._drops and isinstance(self._logic.outcome(exc), Reject)):
                raise
            _logger.warning("%s dropped an event: %s (request %s)", self._logic.name, type(sole(exc)).__name__, invocation.request_id)


def event_reader(first: Any, source: str) -> Callable[[Any], object]:
    """
    Return what makes logic's input of the whole event.
    """
    return (lambda event: from_object(first, event, source=source)) if is_model(first) else reader(first, source)


def whole(first: Any) -> Inputs:
    """
    Return what makes the one input of the event.
    """
    read = event_reader(first, "event")
    return lambda event: [read(event)]


def messages(first: Any) -> Inputs:
    """
    Return what makes an input of each SNS message. AWS delivers a list, and it has one element.
    """
    records_of = _sources.SNS.records
    read = _message_reader(first) if is_model(first) else _viewed("SnsRecord", first, "sns")

    def inputs(event: Any) -> list[object]:
        records = event.get(records_of) if isinstance(event, dict) else None
        if not isinstance(records, list):
            raise EventError("this is no event of sns: it has no list of Records", source="sns", field=records_of)
        return [read(record) for record in records]

    return inputs


def details(first: Any) -> Inputs:
    """
    Return what makes the input of an EventBridge event's detail.
    """
    read = _detail_reader(first) if is_model(first) else _viewed("EventBridgeEvent", first, "eventbridge")
    return lambda event: [read(event)]


def _message_reader(model: Any) -> Callable[[Any], object]:
    def read(record: Any) -> object:
        message = lookup(record, _sources.SNS.payload)
        if isinstance(message, str):
            return from_json(model, message, "sns", "Message")
        raise EventError("sns: Message: the record has none", source="sns", field="Message")

    return read


def _detail_reader(model: Any) -> Callable[[Any], object]:
    def read(event: Any) -> object:
        if not isinstance(event, dict) or "detail" not in event:
            raise EventError("this is no event of eventbridge: it has no detail", source="eventbridge", field="detail")
        detail = event["detail"]
        # EventBridge Scheduler sends text.
        return from_json(model, detail if isinstance(detail, str) else json.dumps(detail), "eventbridge", "detail")

    return read


def _viewed(name: str, first: Callable[[Any], object], source: str) -> Callable[[Any], object]:
    from lambda_kit import events

    model = getattr(events, name)
    return reader(lambda value: first(model.model_validate(value)), source)
