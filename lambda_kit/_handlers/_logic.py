"""
Logic as a handler calls it: with its dependencies, to its end when it is asynchronous, and with the meaning of its errors.
"""

from __future__ import annotations

import logging
from functools import partial
from types import CoroutineType

from lambda_kit import _observe
from lambda_kit._handlers import _coroutines
from lambda_kit._responses import Outcome, Reject, Retry
from lambda_kit.errors import EventError, LambdaKitError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    Errors = Mapping[type[Exception], Outcome | Callable[[Any], Outcome]]

# Says that a handler was wired without dependencies: None may be one.
NO_DEPS: object = object()

_COROUTINE = 0x80  # CO_COROUTINE, as inspect names it

_logger = logging.getLogger("lambda_kit")


class Logic:
    """
    A user's function, ready to be called with one input.
    """

    __slots__ = ("_arguments", "_errors", "function", "is_async", "name")

    def __init__(self, function: Callable[..., object], *, deps: object, errors: Errors) -> None:
        self.function = function
        self.name = name_of(function)
        self._arguments = () if deps is NO_DEPS else (deps,)
        self._errors = errors
        self.is_async = _is_async(function)

    def __call__(self, value: object) -> object:
        """
        Return what the function makes of *value*, awaited when it is asynchronous.
        """
        if _observe.is_traced():
            with _observe.span(self.name):
                return finished(self.function(value, *self._arguments))
        result = self.function(value, *self._arguments)
        return _coroutines.run(result) if type(result) is CoroutineType else result

    async def awaited(self, value: object) -> object:
        """
        Return what the asynchronous function makes of *value*, from within the event loop.
        """
        with _observe.span(self.name):
            result: object = await self.function(value, *self._arguments)  # type: ignore[misc]  # is_async says so
            return result

    def outcome(self, exc: Exception) -> Outcome | None:
        """
        Return what *exc* means: as the most specific entry of the wiring's table says, else as the kit's own error does.

        ``None`` means a bug. An error that came alone in an exception group means what it does without one.
        """
        cause = sole(exc)
        for each in (cause, exc):
            entry = self._entry(each)
            if entry is not None:
                return self._mapped(entry, each)
        if isinstance(cause, EventError):
            return Reject()
        return Retry() if isinstance(cause, LambdaKitError) and cause.retryable else None

    def _entry(self, exc: Exception) -> Outcome | Callable[[Any], Outcome] | None:
        # LookupError in a table means the logic's: a secret that the kit did not find is no fault of the request, and the
        # error names it.
        is_kits = isinstance(exc, LambdaKitError) and not isinstance(exc, EventError)
        for cls in type(exc).__mro__:
            if cls in self._errors and (not is_kits or issubclass(cls, LambdaKitError)):
                return self._errors[cls]
        return None

    def _mapped(self, entry: Outcome | Callable[[Any], Outcome], exc: Exception) -> Outcome | None:
        if isinstance(entry, Outcome):
            return entry
        try:
            outcome = entry(exc)
        except Exception:  # whatever it raises, the first error must still be answered
            _logger.exception("%s: the errors entry for %s failed", self.name, type(exc).__name__)
            return None
        if not isinstance(outcome, Outcome):
            _logger.error("%s: the errors entry for %s gave %s, no Reject or Retry", self.name, type(exc).__name__, type(outcome).__name__)
            return None
        return outcome


def finished(result: object) -> object:
    """
    Return *result*, or what it comes to when it is a coroutine.
    """
    return _coroutines.run(result) if type(result) is CoroutineType else result


def sole(exc: Exception) -> Exception:
    """
    Return the one error in an exception group, such as a ``TaskGroup`` makes of it; anything else as it is.
    """
    while isinstance(exc, ExceptionGroup) and len(exc.exceptions) == 1:
        exc = exc.exceptions[0]
    return exc


def text_of(exc: Exception) -> str:
    """
    Return what *exc* says; nothing when that fails, which must not hide the error itself.
    """
    try:
        return str(exc)
    except Exception:  # noqa: BLE001  # a __str__ of the user's
        return ""


def name_of(function: object) -> str:
    """
    Return a function's own name; of anything else that can be called, its type's.
    """
    return str(getattr(function, "__name__", type(function).__name__))


def _is_async(function: Any) -> bool:
    """
    Tell whether calling *function* gives a coroutine: of functions, methods, partials and objects that can be called.
    """
    while isinstance(function, partial):
        function = function.func
    code = getattr(function, "__code__", None) or getattr(type(function).__call__, "__code__", None)
    return code is not None and bool(code.co_flags & _COROUTINE)
