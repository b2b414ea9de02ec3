"""
Which source an event comes from, by its structure.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from lambda_kit.errors import EventError
from lambda_kit.events._detect_records import detect
from lambda_kit.events._detect_requests import detect_request

if TYPE_CHECKING:
    from lambda_kit.events._model import Event


def parse_event(raw: Any) -> Event:
    """
    Return *raw*, an event as Lambda delivers it, as the model of its source; only that source's module is imported.

    Raises:
        EventError: No source is known to send such an event, or it is damaged.
    """
    if not isinstance(raw, dict | list):
        raise EventError(f"an event is a JSON object or a list, not {type(raw).__name__}")
    found = detect_request(raw) or detect(raw)
    if found is None:
        raise EventError(f"no event source is known to send {_described(raw)}")
    module, _, name = found.partition(":")
    model: type[Event] = getattr(importlib.import_module(module), name)
    return model.model_validate(raw)


def _described(raw: dict[str, Any] | list[Any]) -> str:
    if isinstance(raw, list):
        return f"such a list of {len(raw)} items"
    # Keys help, values may be secret; there may be many, and of any length.
    keys = ", ".join(str(key)[:40] for key in list(raw)[:10])
    return f"an event with the keys: {keys or 'none'}"
