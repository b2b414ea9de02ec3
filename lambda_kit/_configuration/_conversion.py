"""
From stored text to the value asked for, with no trace of the text in what goes wrong.

An exception that a ``convert`` function raises mostly quotes what it was given, and its traceback holds it. So none of it is
passed on: the kit's error is raised from a frame that never saw the text, and says what failed in its own words.
"""

from __future__ import annotations

import json

from lambda_kit._configuration._copies import copier
from lambda_kit.errors import ConfigurationError, LambdaKitError, ParameterValueError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from lambda_kit._cache import Entry

    Stored = str | bytes

_WORDS = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}
# How long one caller waits for another one's convert before it does the same work.
PATIENCE_S = 1.0


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


def check_ages(kind: str, name: str, max_age_s: Any, stale_for_s: Any) -> None:
    """
    Refuse seconds that make no sense.

    Raises:
        ConfigurationError: Seconds below 0, or none at all.
    """
    for option, seconds in (("max_age_s", max_age_s), ("stale_for_s", stale_for_s)):
        if not isinstance(seconds, int | float) or not seconds >= 0:
            raise ConfigurationError(f"{kind}({name!r}): {option}= takes seconds, 0 or more: got {seconds!r}")


def check_option(kind: str, name: str, option: str, value: object, *kinds: type) -> None:
    """
    Refuse an option of a type that AWS would not take.

    Raises:
        ConfigurationError: *value* is none of *kinds*.
    """
    # A truth value is an int to Python, and no version number to anybody.
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        wanted = " or ".join(each.__name__ for each in kinds)
        raise ConfigurationError(f"{kind}({name!r}): {option}= takes {wanted}: got {value!r}")


class Made:
    """
    What was made of a stored text: one object for all who ask, or, if it could be changed, a copy for each.
    """

    __slots__ = ("copied", "value")

    def __init__(self, value: Any) -> None:
        self.value = value
        self.copied = copier(value)

    def given(self) -> Any:
        """
        Return the value for one caller.
        """
        return self.value if self.copied is None else self.copied(self.value)

    def __repr__(self) -> str:
        return f"<Made {type(self.value).__name__}>"


def known(entry: Entry[Stored], convert: Callable[[Any], Any], key: str | None) -> Made | None:
    """
    Return what *convert* made of the entry's value, if it has.
    """
    try:
        found = entry.derived.get((convert, key))
    except TypeError:
        # A callable without a hash cannot be remembered by.
        return None
    return found if isinstance(found, Made) else None


def converted(entry: Entry[Stored], convert: Callable[[Any], Any], key: str | None, *, what: object, name: str) -> Made:
    """
    Return what *convert* makes of the entry's value, or of the JSON member *key* of it; made once per version.

    Raises:
        ParameterValueError: The value is not JSON, has no such member, or *convert* refuses it.
    """
    # Two functions that read each other's parameter would wait for ever: then both do the work.
    locked = entry.lock.acquire(timeout=PATIENCE_S)
    try:
        found = known(entry, convert, key)
        if found is None:
            value, problem, error = attempt(entry.value, convert, key)
            raise_for(problem, error, what=what, name=name)
            found = Made(value)
            if type(convert).__hash__ is not None:
                entry.derive((convert, key), found)
    finally:
        if locked:
            entry.lock.release()
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
    except (RecursionError, ValueError):
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
    refused = f"was refused by {called} with {type(exc).__name__}"
    if type(exc).__name__ != "ValidationError" or not hasattr(report, "errors"):
        return refused
    try:
        found = report.errors(include_input=False, include_context=False, include_url=False)
    except TypeError:
        # Another library's, or that of pydantic's first version.
        return refused
    places = (f"{'.'.join(map(str, offence['loc'])) or 'the whole'} ({offence['type']})" for offence in found)
    return f"does not fit {called}: {', '.join(places)}"
