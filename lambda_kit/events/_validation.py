"""
From data to a pydantic model, or to an error that names the field and shows no value. Imports no pydantic itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from lambda_kit.errors import EventError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol, Self, TypeVar

    class Model(Protocol):
        """
        The part of a pydantic model class that is used here.
        """

        @classmethod
        def model_validate(cls, obj: Any) -> Self: ...
        @classmethod
        def model_validate_json(cls, json_data: str | bytes) -> Self: ...

    M = TypeVar("M", bound=Model)

# A field's name may be a key of the input, which someone outside has chosen.
_MOST_CHARACTERS = 200


def is_model(first: object) -> bool:
    """
    Tell a pydantic model class from any other callable.
    """
    return isinstance(first, type) and hasattr(first, "model_validate_json")


def from_json(model: type[M], text: str | bytes, source: str, at: str = "") -> M:
    """
    Return JSON *text* as *model*.

    Args:
        source: The kit's name of the event source.
        at: Where in the event the text was, as the prefix of the fields named.

    Raises:
        EventError: It is no JSON, or does not fit.
    """
    try:
        return model.model_validate_json(text)
    except ValueError as exc:
        error = event_error(exc, source=source, at=at)
    # Not in the except block: pydantic's error holds the whole input, and would stay in this one's context.
    raise error


def from_object(model: type[M], value: object, source: str, at: str = "") -> M:
    """
    Return *value* as *model*; see :func:`from_json`.
    """
    try:
        return model.model_validate(value)
    except ValueError as exc:
        error = event_error(exc, source=source, at=at)
    raise error  # outside for the same reason


def event_error(exc: ValueError, *, source: str, at: str = "") -> EventError:
    """
    Turn pydantic's ``ValidationError`` into facts without values; an ``EventError`` stays what it is.
    """
    if isinstance(exc, EventError):
        return exc
    details = tuple(_details(exc))
    first = details[0]
    field = ".".join(filter(None, (at, first["field"])))
    more = f" (and {len(details) - 1} more)" if len(details) > 1 else ""
    return EventError(f"{source}: {field or 'event'}: {first['message']}{more}", source=source, field=field, details=details)


def _details(exc: ValueError) -> Iterator[dict[str, str]]:
    errors: Callable[..., list[Mapping[str, Any]]] | None = getattr(exc, "errors", None)
    if errors is None:
        # Not pydantic's: the JSON parser's, or from code of the model's own, whose words may quote the input.
        yield {"field": "", "message": f"{type(exc).__name__} while reading it"}
        return
    for error in errors(include_url=False, include_input=False, include_context=False):
        field = ".".join(map(str, error["loc"]))
        # The one message of pydantic's own that quotes the input.
        message = "Input tag is none of those expected" if error["type"] == "union_tag_invalid" else str(error["msg"])
        yield {"field": field[:_MOST_CHARACTERS], "message": message[:_MOST_CHARACTERS]}
