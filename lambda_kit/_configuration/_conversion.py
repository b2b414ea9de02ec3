"""
From stored text to the value asked for, with no trace of the text in what goes wrong.

An exception that a ``convert`` function raises mostly quotes what it was given, and its traceback holds it. So none of it is
passed on: the kit's error is raised from a frame that never saw the text, and says what failed in its own words.
"""

from __future__ import annotations

import json

from lambda_kit.errors import ConfigurationError, LambdaKitError, ParameterValueError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from lambda_kit._cache import Entry

    Stored = str | bytes

_WORDS = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}
MISSING: Any = object()


def check_declaration(kind: str, name: object, convert: object) -> None:
    """
    Refuse a declaration that could never work.

    Raises:
        ConfigurationError: No name, or a *convert* that cannot be called.
    """
    if not isinstance(name, str) or not name:
        raise ConfigurationError(f"{kind}() needs a name, a text that is not empty: got {name!r}")
    if not callable(convert):
        raise ConfigurationError(f"{kind}({name!r}): convert= takes a function or a class: got {type(convert).__name__}")


def known(entry: Entry[Stored], convert: Callable[[Any], Any], key: str | None) -> Any:
    """
    Return what *convert* made of the entry's value, or :data:`MISSING` if it has not yet.
    """
    value = entry.value
    if convert is str and key is None and type(value) is str:
        return value
    try:
        return entry.derived.get((convert, key), MISSING)
    except TypeError:
        # A callable without a hash cannot be remembered by.
        return MISSING


def converted(entry: Entry[Stored], convert: Callable[[Any], Any], key: str | None, *, what: object, name: str) -> Any:
    """
    Return what *convert* makes of the entry's value, or of the JSON member *key* of it; made once per version.

    Raises:
        ParameterValueError: The value is not JSON, has no such member, or *convert* refuses it.
    """
    with entry.lock:
        found = known(entry, convert, key)
        if found is MISSING:
            found, problem, error = attempt(entry.value, convert, key)
            raise_for(problem, error, what=what, name=name)
            if type(convert).__hash__ is not None:
                entry.derive((convert, key), found)
    return found


def attempt(stored: Stored, convert: Callable[[Any], Any], key: str | None = None) -> tuple[Any, str, LambdaKitError | None]:
    """
    Return the value, or what is wrong in words without the text, or an error of the kit's that *convert* met on its way.
    """
    if key is not None:
        stored, problem = _member(stored, key)
        if problem:
            return None, problem, None
    try:
        return _apply(stored, convert)
    except LambdaKitError as exc:
        return None, "", exc.with_traceback(None)
    except Exception as exc:  # noqa: BLE001 - whatever convert raises is reported, without its message, which quotes the text
        return None, _complaint(exc, convert), None


def raise_for(problem: str, error: LambdaKitError | None, *, what: object, name: str) -> None:
    """
    Raise what :func:`attempt` found, if anything; the caller must not hold the text in a variable of its own.
    """
    if error is not None:
        raise error
    if problem:
        raise ParameterValueError(f"{what} {problem}", name=name)


def _member(stored: Stored, key: str) -> tuple[str, str]:
    """
    Return member *key* of a JSON object as text, and what is wrong. Members that are no text are given as JSON.
    """
    try:
        document = json.loads(stored)
    except ValueError:
        return "", f"is not JSON, so it has no key {key!r}"
    if not isinstance(document, dict):
        return "", f"is no JSON object, so it has no key {key!r}"
    if key not in document:
        return "", f"has no key {key!r}"
    member = document[key]
    return (member if isinstance(member, str) else json.dumps(member)), ""


def _apply(stored: Stored, convert: Callable[[Any], Any]) -> tuple[Any, str, None]:
    """
    Convert; the kinds that calling *convert* would get wrong are handled here.
    """
    if convert is str:
        return (stored, "", None) if isinstance(stored, str) else (None, "is binary: give a convert= that takes bytes", None)
    if convert is bytes:
        return (stored.encode() if isinstance(stored, str) else stored), "", None
    if convert is bool:
        word = _WORDS.get(str(stored).strip().lower())
        return word, "" if word is not None else f"is no truth value: {'/'.join(_WORDS)} are", None
    if isinstance(convert, type) and hasattr(convert, "model_validate_json"):
        return convert.model_validate_json(stored), "", None
    return convert(stored), "", None


def _complaint(exc: Exception, convert: Callable[[Any], Any]) -> str:
    """
    Say what failed without quoting anything: of pydantic's errors the places and kinds, of others the type.
    """
    called = getattr(convert, "__name__", type(convert).__name__)
    report: Any = exc
    if type(exc).__name__ != "ValidationError" or not hasattr(report, "errors"):
        return f"was refused by {called} with {type(exc).__name__}"
    found = report.errors(include_input=False, include_context=False, include_url=False)
    places = (f"{'.'.join(map(str, offence['loc'])) or 'the whole'} ({offence['type']})" for offence in found)
    return f"does not fit {called}: {', '.join(places)}"
