"""
Functions that make logic's input: what pydantic refuses inside them is the event's fault, as it is with a model.
"""

from __future__ import annotations

from lambda_kit.events._validation import event_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def reader(function: Callable[[Any], object], source: str) -> Callable[[Any], object]:
    """
    Return *function*, raising an ``EventError`` where it raises pydantic's ``ValidationError``.

    Args:
        source: The kit's name of the event source.
    """

    def read(value: Any) -> object:
        try:
            return function(value)
        except ValueError as exc:
            # Known by what it has, because pydantic is optional.
            if not (hasattr(exc, "errors") and hasattr(exc, "error_count")):
                raise
            error = event_error(exc, source=source)
        # Not in the except block: pydantic's error holds the whole input, and would stay in this one's context.
        raise error

    return read
