"""
From data to a pydantic model, or to an error that names the field and shows no value. Imports no pydantic itself.
"""

from __future__ import annotations

import json
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
    except (ValueError, RecursionError) as exc:
        error = event_error(exc, source=source, at=at)
    # Not in the except block: pydantic's error holds the whole input, and would stay in this one's context.
    raise error


def from_object(model: type[M], value: object, source: str, at: str = "") -> M:
    """
    Return *value*, which was JSON, as *model*; see :func:`from_json`.

    A model is given the text again: what it makes of JSON, of a UUID when it is strict or of Base64, must not depend on who has parsed it.
    """
    # The kit's own keep what they were made from.
    if not hasattr(model, "keep_raw"):
        try:
            text = json.dumps(value)
        except (TypeError, ValueError, RecursionError):
            # No JSON after all: a test's Python values.
            pass
        else:
            return from_json(model, text, source, at)
    return from_python(model, value, source, at)


def from_python(model: type[M], value: object, source: str, at: str = "") -> M:
    """
    Return *value*, which has types of Python's that JSON lacks, as *model*; see :func:`from_json`.
    """
    try:
        return model.model_validate(value)
    except (ValueError, RecursionError) as exc:
        error = event_error(exc, source=source, at=at)
    raise error  # outside for the same reason


def event_error(exc: Exception, *, source: str, at: str = "") -> EventError:
    """
    Turn pydantic's ``ValidationError`` into facts without values; an ``EventError`` stays what it is.

    What a validator of the model's own says may quote the input. It reaches the details for an HTTP answer, and so whoever sent that
    input; never the message, which is logged, nor the details for another source.
    """
    if isinstance(exc, EventError):
        return exc
    offences = tuple(_offences(exc))
    first = offences[0]
    field = ".".join(filter(None, (at, first.field)))
    more = f" (and {len(offences) - 1} more)" if len(offences) > 1 else ""
    is_answered = source == _ANSWERED
    details = tuple({"field": each.field, "message": each.told if is_answered else each.logged} for each in offences)
    return EventError(f"{source}: {field or 'event'}: {first.logged}{more}", source=source, field=field, details=details)


class _Offence:
    """
    One thing that is wrong: where, and what of it may be logged and told.
    """

    __slots__ = ("field", "logged", "told")

    def __init__(self, field: str, logged: str, told: str) -> None:
        self.field = field[:_MOST_CHARACTERS]
        self.logged = logged[:_MOST_CHARACTERS]
        self.told = told[:_MOST_CHARACTERS]


def _offences(exc: Exception) -> Iterator[_Offence]:
    errors: Callable[..., list[Mapping[str, Any]]] | None = getattr(exc, "errors", None)
    if errors is None:
        # Not pydantic's: the JSON parser's, or from code of the model's own, whose words may quote the input.
        message = "it is nested too deeply" if isinstance(exc, RecursionError) else f"{type(exc).__name__} while reading it"
        yield _Offence("", message, message)
        return
    for error in errors(include_url=True, include_input=False, include_context=False):
        kind, message = str(error["type"]), str(error["msg"])
        # pydantic documents its core's errors, and those only: what has no page there was written by somebody else.
        is_foreign = kind in _VALIDATORS or "url" not in error
        told = _FIXED.get(kind, message)
        logged = f"Input was refused ({kind})" if is_foreign and kind not in _FIXED else told
        yield _Offence(".".join(map(str, error["loc"])), logged, told)


# The kit's name of the source whose errors are answered to whoever sent the event.
_ANSWERED = "http"
# What pydantic calls a ValueError and an AssertionError of a validator.
_VALIDATORS = {"value_error", "assertion_error"}
# Messages of pydantic's that quote the input, or what has failed on it, and what is said instead.
_FIXED = {
    "byte_size_unit": "Input should have a known unit of bytes",
    "get_attribute_error": "Input has an attribute that cannot be read",
    "import_error": "Input should be the path of a Python object",
    "iteration_error": "Input cannot be iterated over",
    "mapping_type": "Input should be a valid mapping",
    "timezone_offset": "Input should have another timezone offset",
    "union_tag_invalid": "Input tag is none of those expected",
    "url_parsing": "Input should be a valid URL",
    "url_syntax_violation": "Input should be a valid URL",
    "uuid_parsing": "Input should be a valid UUID",
    "zoneinfo_str": "Input should be a known timezone",
}
