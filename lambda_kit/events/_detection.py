"""
Which source an event comes from, by its structure.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from lambda_kit.errors import EventError

if TYPE_CHECKING:
    from lambda_kit.events._model import Event


def parse_event(raw: Any) -> Event:
    """
    Return *raw*, an event as Lambda delivers it, as the model of its source.

    Raises:
        EventError: No source is known to send such an event, or it is damaged.
    """
    if not isinstance(raw, dict):
        raise EventError(f"an event is a JSON object, not {type(raw).__name__}")
    for is_it, module, name in _MODELS:
        if is_it(raw):
            model: type[Event] = getattr(importlib.import_module(module), name)
            return model.model_validate(raw)
    keys = ", ".join(str(key)[:40] for key in list(raw)[:10])
    raise EventError(f"no event source is known to send an event with the keys: {keys or 'none'}")


def _is_function_url(raw: Mapping[str, Any]) -> bool:
    # Nothing else tells it from an HTTP API's event.
    return _is_format_2(raw) and ".lambda-url." in str(raw["requestContext"].get("domainName"))


def _is_format_2(raw: Mapping[str, Any]) -> bool:
    context = raw.get("requestContext")
    return raw.get("version") == "2.0" and isinstance(context, Mapping) and "http" in context


def _is_sqs(raw: Mapping[str, Any]) -> bool:
    records = raw.get("Records")
    first = records[0] if isinstance(records, list) and records else None
    if not isinstance(first, Mapping):
        return False
    # What people invoke a function with by hand often lacks the source; receipt handles are SQS's own.
    return first.get("eventSource") == "aws:sqs" or {"messageId", "receiptHandle", "body"} <= set(first)


# From the specific to the general.
_MODELS: tuple[tuple[Callable[[Mapping[str, Any]], bool], str, str], ...] = (
    (_is_function_url, "lambda_kit.events._function_url", "FunctionUrlEvent"),
    (_is_format_2, "lambda_kit.events._api_gateway_http", "ApiGatewayHttpEvent"),
    (_is_sqs, "lambda_kit.events._sqs", "SqsEvent"),
)
