"""
What is wrong with a wiring line, said while the handler's module is imported: it would fail only in an invocation otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import FunctionType

from lambda_kit._handlers._logic import name_of
from lambda_kit._responses import Outcome, is_number
from lambda_kit.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

# What logic is called with.
ALONE, WITH_DEPS, BARE = ("the input",), ("the input", "deps"), ("event", "context")

_TAKES_MORE = 0x04  # CO_VARARGS, as inspect names it


def check_first(first: object, *, wiring: str) -> None:
    """
    Refuse a class that looks like a model, and would take the whole request, record or event for its first field.
    """
    if not isinstance(first, type) or hasattr(first, "model_validate_json"):
        return
    if (kind := _kind(first)) is not None:
        raise ConfigurationError(
            f"{wiring}: {first.__name__} is a {kind}, which validates nothing: "
            f"give a pydantic model, or a function that makes a {first.__name__} of it"
        )


def _kind(cls: type) -> str | None:
    if type(cls).__name__ == "_TypedDictMeta":
        return "TypedDict"
    if hasattr(cls, "__dataclass_fields__"):
        return "dataclass"
    if issubclass(cls, tuple) and hasattr(cls, "_fields"):
        return "NamedTuple"
    return "built-in class" if cls.__module__ == "builtins" else None


def check_logic(function: object, arguments: tuple[str, ...], *, wiring: str) -> None:
    """
    Refuse what cannot be called with as many *arguments*, which name what they are.
    """
    if not callable(function):
        raise ConfigurationError(f"{wiring} wires a function: got {type(function).__name__}")
    if not _takes(function, len(arguments)):
        called = f"{wiring} calls {name_of(function)} with {' and '.join(arguments)}"
        raise ConfigurationError(f"{called}: {_misfit(function, arguments)}")


def check_errors(errors: object, *, wiring: str) -> None:
    """
    Refuse an error table that would fail only once the error happens.
    """
    if not isinstance(errors, Mapping):
        raise ConfigurationError(f"{wiring}: errors is {_kind_of(errors)}: write a table, such as errors={{KeyError: Reject(status=404)}}")
    for cls, entry in errors.items():
        if not (isinstance(cls, type) and issubclass(cls, Exception)):
            raise ConfigurationError(f"{wiring}: errors maps exception classes, not {cls!r}")
        if isinstance(entry, type):
            raise ConfigurationError(f"{wiring}: errors[{cls.__name__}] is the class {entry.__name__}: write {entry.__name__}()")
        if not (isinstance(entry, Outcome) or callable(entry)):
            raise ConfigurationError(f"{wiring}: errors[{cls.__name__}] is neither Reject(), Retry() nor a function that gives one")


def check_deps(deps: object, *, wiring: str) -> None:
    """
    Refuse a class where an instance is meant. isinstance would ask a client's stand-in for its class, and so build it.
    """
    if issubclass(type(deps), type):
        name = deps.__name__  # type: ignore[attr-defined]  # a class, as the line above says
        raise ConfigurationError(f"{wiring}: deps is the class {name}: write deps={name}()")


def check_flag(name: str, value: object, *, wiring: str) -> None:
    """
    Refuse what would be taken for true, whatever it says.
    """
    if not isinstance(value, bool):
        raise ConfigurationError(f"{wiring}: {name}={value!r}: write {name}=True or {name}=False")


def check_status(status: Any, *, wiring: str) -> None:
    """
    Refuse what is no status of an answer. 1xx would not be the last word.
    """
    if not is_number(status, int) or not 200 <= status <= 599:
        raise ConfigurationError(f"{wiring}: status={status!r}: the status of an answer is a whole number from 200 to 599")


def check_respond(respond: object, *, wiring: str) -> None:
    """
    Refuse what cannot make a response.
    """
    if respond is not None and not callable(respond):
        raise ConfigurationError(f"{wiring}: respond is {_kind_of(respond)}: give a function that makes a Response of the result")


def check_concurrency(concurrency: Any, *, wiring: str) -> None:
    """
    Refuse what is no number of records.
    """
    if not is_number(concurrency, int) or concurrency < 1:
        raise ConfigurationError(f"{wiring}: concurrency={concurrency!r}: a whole number of records, at least 1, is worked on at a time")


def check_reserve(reserve_s: Any, *, wiring: str) -> None:
    """
    Refuse what is no time.
    """
    if not is_number(reserve_s) or not 0 <= reserve_s < math.inf:
        raise ConfigurationError(f"{wiring}: reserve_s={reserve_s!r}: seconds kept for the answer are a number, 0 or more")


def check_task(token: object, payload: object, heartbeat_s: Any, *, wiring: str) -> None:
    """
    Refuse keys that no event has, and what is no time between heartbeats.
    """
    if not isinstance(token, str) or not isinstance(payload, str | None):
        raise ConfigurationError(f"{wiring}: token={token!r}, payload={payload!r}: they are keys of the event, as text")
    if heartbeat_s is not None and not (is_number(heartbeat_s) and 0 < heartbeat_s < math.inf):
        raise ConfigurationError(f"{wiring}: heartbeat_s={heartbeat_s!r}: seconds between heartbeats are a number, more than 0")


class _Default:
    """
    Stands for any default of a parameter.
    """

    def __repr__(self) -> str:
        return "..."


_DEFAULT = _Default()


def _kind_of(value: object) -> str:
    name = type(value).__name__
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"


def _misfit(function: Callable[..., object], arguments: tuple[str, ...]) -> str:
    """
    Say what *function* takes instead of *arguments*, and what to do.
    """
    import inspect

    parameters = list(inspect.signature(function).parameters.values())
    # Without defaults, which may be secrets.
    bare = [each.replace(annotation=each.empty, default=each.empty if each.default is each.empty else _DEFAULT) for each in parameters]
    written = str(inspect.Signature(bare))
    needed = [each for each in parameters if each.default is each.empty and each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)]
    by_name = [each.name for each in needed if each.kind is each.KEYWORD_ONLY]
    if hasattr(function, "logic"):
        return "it is a handler already: wire its .logic"
    if by_name:
        return f"it wants {', '.join(by_name)} by name, in {written}, and they come by place: write no * before them"
    if len(needed) > len(arguments):
        if len(needed) == 2:
            return f"it takes {written}: give what {needed[1].name} shall be as deps="
        return f"it takes {written}: give the others defaults, or bind them with functools.partial"
    missing = arguments[len([each for each in parameters if each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)]) :]
    otherwise = ", or wire it without deps=" if missing == ("deps",) else ""
    return f"it takes {written}: add a parameter for {' and '.join(missing)}{otherwise}"


def _takes(function: Callable[..., object], count: int) -> bool:
    if isinstance(function, FunctionType):
        # The usual case, without importing inspect.
        code, defaults = function.__code__, function.__defaults__ or ()
        required_by_name = code.co_kwonlyargcount - len(function.__kwdefaults__ or ())
        most = count if code.co_flags & _TAKES_MORE else code.co_argcount
        return not required_by_name and code.co_argcount - len(defaults) <= count <= most
    import inspect

    try:
        inspect.signature(function).bind(*range(count))
    except TypeError:
        return False
    except ValueError:
        # Written in C, without a signature: nothing is known.
        return True
    return True
