"""
Answers direct invocations and asynchronous sources: the whole event is the input, errors are raised.
"""

from __future__ import annotations

import logging

from lambda_kit._responses import Reject, plain
from lambda_kit.events._validation import from_object, is_model

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from lambda_kit._handlers._logic import Logic
    from lambda_kit._invocation import Invocation

_logger = logging.getLogger("lambda_kit")


class DirectInvokes:
    """
    What calling a handler for direct invocations does: the caller gets the result, or the error by its class name.
    """

    __slots__ = ("_logic", "_read")

    def __init__(self, logic: Logic, first: Any) -> None:
        self._logic = logic
        self._read = _reader(first, "invoke")

    def __call__(self, event: dict[str, Any], _: Invocation) -> Any:
        return plain(self._logic(self._read(event)))


class AsynchronousEvents:
    """
    What calling a handler for asynchronous sources does: nobody reads a result, raising makes Lambda retry.
    """

    __slots__ = ("_drops", "_logic", "_read")

    def __init__(self, logic: Logic, first: Any, *, drops: bool) -> None:
        self._logic = logic
        self._read = _reader(first, "event")
        self._drops = drops

    def __call__(self, event: dict[str, Any], invocation: Invocation) -> None:
        try:
            self._logic(self._read(event))
        except Exception as exc:  # all are raised again, but for those that the wiring wants dropped
            if not (self._drops and isinstance(self._logic.outcome(exc), Reject)):
                raise
            _logger.warning("%s dropped an event: %s (request %s)", self._logic.name, type(exc).__name__, invocation.request_id)


def _reader(first: Any, source: str) -> Callable[[object], object]:
    return (lambda event: from_object(first, event, source=source)) if is_model(first) else first
