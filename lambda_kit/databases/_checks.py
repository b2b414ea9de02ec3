"""
What is wrong with a declaration, said while the handler's module is imported. A text is never shown: it may be a password.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from types import FunctionType, MethodType

from lambda_kit._handles import Handle
from lambda_kit.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

MOST_PORTS = 65535
_INFINITE = float("inf")
# As inspect names them: CO_VARARGS; CO_COROUTINE and CO_ASYNC_GENERATOR.
_TAKES_MORE, _ASYNC = 0x04, 0x80 | 0x200
# Numbers and switches may be shown.
_HARMLESS = frozenset({"autocommit", "pending", "connect_timeout_s", "max_connections", "ping_after_s", "port", "proxy"})
_UNEXPECTED = re.compile(r"unexpected keyword argument '(\w+)'")


def check(declared: str, **arguments: object) -> None:
    """
    Refuse, of the *arguments* of what is *declared*, the first that does not do.
    """
    if wrong := complaint(declared, **arguments):
        raise ConfigurationError(wrong)


def complaint(declared: str, **arguments: object) -> str:
    """
    Say what is wrong with the first of the *arguments* that does not do; empty when all do.
    """
    for name, value in arguments.items():
        fits, wanted = _RULES[name]
        if not fits(value):
            shown = repr(value) if name in _HARMLESS and isinstance(value, int | float) else kind_of(value)
            return f"{declared}(): {name} is {shown}: {wanted}"
    return ""


def check_where(declared: str, name: str, value: object) -> None:
    """
    Refuse what is neither text nor a handle of it, such as a login that was given by place.
    """
    if callable(value) and not isinstance(value, Handle) and _counts(value)[0] > 0:
        raise ConfigurationError(f"{declared}(): {name} is {kind_of(value)}, which takes an argument: did you mean login=?")
    if not (isinstance(value, str) or is_function(value)):
        raise ConfigurationError(f"{declared}(): {name} is {kind_of(value)}: give text, or a handle such as parameter(...) of it")


def is_async(function: object) -> bool:
    """
    Tell whether calling *function* would only make a coroutine.
    """
    while isinstance(function, partial):
        function = function.func
    called, _ = _called(function)
    return called is not None and bool(called.__code__.co_flags & _ASYNC)


def is_function(value: object) -> bool:
    """
    Tell whether *value* can be called, and returns what it says and no coroutine of it.
    """
    return callable(value) and not is_async(value)


def unknown_option(error: TypeError) -> str:
    """
    Return the word that a driver does not know; empty when *error* is about something else.
    """
    found = _UNEXPECTED.search(str(error))
    return found[1] if found else ""


def address_complaint(host: str) -> str:
    """
    Say what is wrong with the name of a server; empty when nothing is. It may be a URL with a password in it.
    """
    if "://" in host or "@" in host or "/" in host:
        return "host is no name of a server, it has a '://', '@' or '/': give the name alone, and user and password as login="
    name, _, port = host.rpartition(":")
    return "host has a port in it: give it as port=" if name and ":" not in name and port.isdigit() else ""


def kind_of(value: object) -> str:
    """
    Return what *value* is, and nothing of what it holds.
    """
    if isinstance(value, str) and not value:
        return "empty text"
    name = type(value).__name__
    return "None" if value is None else f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"


def _is_whole(value: Any, most: float = _INFINITE) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= most


def _is_time(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < _INFINITE


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_name(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _takes_one(value: object) -> bool:
    required, most = _counts(value)
    return is_function(value) and not isinstance(value, Handle) and required <= 1 <= most


def _or_none(fits: Callable[[Any], bool]) -> Callable[[object], bool]:
    return lambda value: value is None or fits(value)


def _are_options(value: object) -> bool:
    return isinstance(value, Mapping) and all(isinstance(key, str) for key in value)


def _called(function: object) -> tuple[FunctionType | None, int]:
    """
    Return what calling *function* runs, if that is written in Python, and how many arguments it has by then.
    """
    added = 0
    if not isinstance(function, FunctionType | MethodType | type):
        function, added = getattr(type(function), "__call__", None), 1  # noqa: B004  # the function itself is wanted
    elif isinstance(function, MethodType):
        function, added = function.__func__, 1
    return (function, added) if isinstance(function, FunctionType) else (None, 0)


def _counts(function: object) -> tuple[int, float]:
    """
    Return how many arguments *function* needs, and takes, by place; 0 and any number where that is unknown.
    """
    called, added = _called(function)
    if called is None:
        return 0, _INFINITE
    count = called.__code__.co_argcount - added
    return max(0, count - len(called.__defaults__ or ())), _INFINITE if called.__code__.co_flags & _TAKES_MORE else count


_FLAG = (_is_flag, "write True or False")
_FUNCTION = (is_function, "give a function that is not async")
_FUNCTION_OR_NONE = (_or_none(is_function), "give a function that is not async, or leave it out")

_RULES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "login": (_or_none(_takes_one), 'give a login such as secret_login("orders/db")'),
    "max_connections": (_is_whole, "a database needs at least one connection, as a whole number"),
    "ping_after_s": (_or_none(_is_time), "give seconds, 0 or more, or None to never ask"),
    "connect_timeout_s": (lambda value: _is_time(value) and value > 0, "give seconds, more than 0"),
    "autocommit": _FLAG,
    "proxy": _FLAG,
    "pending": _FLAG,
    "on_connect": (_or_none(is_function), "give a function of the new connection that is not async, or leave it out"),
    "options": (_or_none(_are_options), "give a mapping of names to what they are set to"),
    "port": (_or_none(lambda value: _is_whole(value, MOST_PORTS)), f"give a whole number from 1 to {MOST_PORTS}"),
    "dbname": (_is_text, "give text"),
    "user": (_is_text, "give text"),
    "password": (_is_text, "give text"),
    "host": (_is_text, "give text"),
    "region": (_is_text, "give text"),
    "version": (_is_text, "give text"),
    "name": (_is_name, "give a name that is not empty"),
    "connect": _FUNCTION,
    "is_alive": _FUNCTION,
    "classify": _FUNCTION,
    "close": _FUNCTION,
    "commit": _FUNCTION_OR_NONE,
    "roll_back": _FUNCTION_OR_NONE,
    "in_transaction": _FUNCTION_OR_NONE,
    "load": _FUNCTION_OR_NONE,
}
