"""
The wiring line: what ``handler.http(...)`` and its sisters return, and the handlers that come out of it.
"""

from __future__ import annotations

import sys

from lambda_kit import _runtime
from lambda_kit._deps import without_network
from lambda_kit._handlers import _last_words
from lambda_kit._handlers._checks import ALONE, WITH_DEPS, check_deps, check_errors, check_first, check_flag, check_logic
from lambda_kit._handlers._logic import Logic, name_of
from lambda_kit._handles import preload
from lambda_kit._invocation import scope
from lambda_kit.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any, Generic, Protocol, TypeVar, overload

    from lambda_kit._handlers._logic import Errors
    from lambda_kit._invocation import Invocation, LambdaContext

    Answer = Callable[[dict[str, Any], Invocation], Any]
else:
    from lambda_kit._typing import Generic, Protocol, TypeVar

L_co = TypeVar("L_co", covariant=True)
In = TypeVar("In")
D = TypeVar("D")
R = TypeVar("R")
T = TypeVar("T")


class Handler(Protocol[L_co]):
    """
    A function, wired: what the Handler setting of the Lambda function names.

    This is its type. At run time it is a plain function, which is what decorators of other libraries ask for.

    Attributes:
        logic: The function as it was written.
    """

    __name__: str
    __qualname__: str

    @property
    def logic(self) -> L_co: ...

    def __call__(self, event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        """
        Answer *event*, as Lambda calls it.
        """
        ...


def _handler(logic: Any, answer: Answer) -> Any:
    def entry(event: dict[str, Any], context: LambdaContext) -> Any:
        with scope(context) as invocation:
            return answer(event, invocation)

    def entry_with_last_words(event: dict[str, Any], context: LambdaContext) -> Any:
        with scope(context) as invocation:
            return _last_words.with_last_words(answer, event, invocation)

    made: Any = entry_with_last_words if _last_words.are_wanted() else entry
    # Not __wrapped__: the signature is not the logic's.
    made.__name__ = made.__qualname__ = name_of(logic)
    made.__doc__ = getattr(logic, "__doc__", None)
    made.__module__ = getattr(logic, "__module__", __name__)
    made.logic = logic
    return made


class Wiring:
    """
    All of a handler but its logic. Calling it with the logic makes the handler; also usable as a decorator.

    *clients* are the kit's own, which the handler itself calls.
    """

    __slots__ = ("_answer", "_arguments", "_clients", "_deps", "_errors", "_line", "_preload")

    def __init__(
        self,
        line: str,
        first: object,
        answer: Callable[[Logic], Answer],
        *,
        deps: object,
        has_deps: bool,
        errors: Errors,
        preload: bool,
        clients: tuple[object, ...] = (),
    ) -> None:
        if not callable(first):
            raise ConfigurationError(f"{line} takes a model class or a function first: got {type(first).__name__}")
        self._line = f"{line}({name_of(first)})"
        check_first(first, wiring=self._line)
        check_errors(errors, wiring=self._line)
        check_deps(deps, wiring=self._line)
        check_flag("preload", preload, wiring=self._line)
        self._answer = answer
        self._deps = deps
        self._arguments = WITH_DEPS if has_deps else ALONE
        self._errors = errors
        self._preload = preload
        self._clients = clients

    def __call__(self, *logic: Any) -> Handler[Any]:
        """
        Wire *logic*: a plain or ``async`` function of the input, and of the dependencies when there are any.

        Raises:
            ConfigurationError: It does not take as many arguments.
        """
        if len(logic) != 1:
            # Lambda calls with event and context what was meant to become a handler.
            raise ConfigurationError(f"{self._line} was wired without its logic: write {self._line}(function), brackets included")
        check_logic(logic[0], self._arguments, wiring=self._line)
        handler: Handler[Any] = _handler(logic[0], self._answer(Logic(logic[0], deps=self._deps, errors=self._errors)))
        if _runtime.on_lambda():
            # Nothing may have been built: hooks for a snapshot must be known before INIT ends all the same.
            _runtime.watch_life()
            # The frame that calls this is the wiring line's.
            if self._preload and _is_handler_module(sys._getframe(1).f_globals.get("__name__")):  # noqa: SLF001  # documented, for CPython
                preload(*without_network(self._deps), *self._clients)
        return handler


if TYPE_CHECKING:

    class Wire(Generic[In]):
        """Wants logic of one input."""

        def __call__(self, logic: Callable[[In], R]) -> Handler[Callable[[In], R]]: ...

    class WireDeps(Generic[In, D]):
        """Wants logic of an input and dependencies."""

        def __call__(self, logic: Callable[[In, D], R]) -> Handler[Callable[[In, D], R]]: ...

    class WireResponse(Protocol[In, T]):
        """Wants logic whose result the response is made of."""

        @overload
        def __call__(self, logic: Callable[[In], Coroutine[Any, Any, T]]) -> Handler[Callable[[In], Coroutine[Any, Any, T]]]: ...
        @overload
        def __call__(self, logic: Callable[[In], T]) -> Handler[Callable[[In], T]]: ...

    class WireDepsResponse(Protocol[In, D, T]):
        """Wants logic with dependencies whose result the response is made of."""

        @overload
        def __call__(self, logic: Callable[[In, D], Coroutine[Any, Any, T]]) -> Handler[Callable[[In, D], Coroutine[Any, Any, T]]]: ...
        @overload
        def __call__(self, logic: Callable[[In, D], T]) -> Handler[Callable[[In, D], T]]: ...


def _is_handler_module(name: object) -> bool:
    """
    Tell whether module *name* is the one that Lambda imports: ``folder/module.function`` in the Handler setting.
    """
    return (_runtime.setting("_HANDLER") or "").rpartition(".")[0].replace("/", ".") == name
