"""
handler: wires plain functions to event sources. Event, invocation, input, logic, answer: in this order, nothing else.
"""

from __future__ import annotations

from functools import wraps

from lambda_kit._handlers._http_requests import HttpRequests
from lambda_kit._handlers._logic import NO_DEPS, Logic, check_logic, finished, name_of
from lambda_kit._handlers._sqs_batches import SqsBatches
from lambda_kit._handlers._whole_events import AsynchronousEvents, DirectInvokes
from lambda_kit._handlers._wiring import Handler, Wiring
from lambda_kit._invocation import scope
from lambda_kit._observe import span
from lambda_kit._responses import plain
from lambda_kit.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping
    from typing import Any, Literal, ParamSpec, TypeVar, overload

    from lambda_kit._handlers._wiring import Wire, WireDeps, WireDepsResponse, WireResponse
    from lambda_kit._http import HttpRequest
    from lambda_kit._responses import Outcome, Response
    from lambda_kit.events import SqsRecord

    P = ParamSpec("P")
    R = TypeVar("R")
    T = TypeVar("T")
    D = TypeVar("D")
    X = TypeVar("X", bound=Exception)
    # Any, because one table holds functions of different exceptions.
    Table = Mapping[type[X], Outcome | Callable[[Any], Outcome]]
    OnReject = Literal["fail", "drop"]
else:
    from lambda_kit._typing import overload

__all__ = ["Handler", "Handlers", "handler"]


class Handlers:
    """
    Wire functions to event sources; :data:`handler` is the one there is.

    The first argument of each wiring line is a pydantic model class, which the payload is validated by, or any other
    callable of the request, record or event, which returns the logic's input.

    ``deps`` is what logic gets as its second argument. ``errors`` says what the logic's own exceptions mean: a
    :class:`Reject`, a :class:`Retry`, or a function of the exception that gives one; the most specific class wins.
    ``preload=False`` leaves clients and drivers lazy that would be loaded at the end of INIT, without network.
    """

    __slots__ = ()

    @overload
    def __call__(self, function: Callable[P, Coroutine[Any, Any, R]]) -> Callable[P, R]: ...
    @overload
    def __call__(self, function: Callable[P, R]) -> Callable[P, R]: ...
    def __call__(self, function: Any, *rest: object) -> Any:
        """
        Make a handler of a function of ``(event, context)`` as they come; its result becomes plain JSON.

        Raises:
            ConfigurationError: It does not take two arguments, or is no function.
        """
        if rest or not callable(function):
            raise ConfigurationError(
                "this calls lambda_kit's own `handler`, not a handler made with it: "
                "the Handler setting must name yours, such as app.api for `api = handler.http(...)(...)`"
            )
        check_logic(function, 2, wiring="@handler")
        name = name_of(function)

        @wraps(function)
        def entry(*args: Any, **kwargs: Any) -> Any:
            context = args[1] if len(args) > 1 else [*kwargs.values()][-1]
            with scope(context), span(name):
                return plain(finished(function(*args, **kwargs)))

        entry.logic = function  # type: ignore[attr-defined]  # functions take attributes
        return entry

    @overload
    def http(
        self,
        first: type[T] | Callable[[HttpRequest], T],
        *,
        errors: Table[X] = ...,
        status: int = ...,
        respond: None = ...,
        preload: bool = ...,
    ) -> Wire[T]: ...
    @overload
    def http(
        self,
        first: type[T] | Callable[[HttpRequest], T],
        *,
        deps: D,
        errors: Table[X] = ...,
        status: int = ...,
        respond: None = ...,
        preload: bool = ...,
    ) -> WireDeps[T, D]: ...
    @overload
    def http(
        self,
        first: type[T] | Callable[[HttpRequest], T],
        *,
        errors: Table[X] = ...,
        status: int = ...,
        respond: Callable[[R], Response],
        preload: bool = ...,
    ) -> WireResponse[T, R]: ...
    @overload
    def http(
        self,
        first: type[T] | Callable[[HttpRequest], T],
        *,
        deps: D,
        errors: Table[X] = ...,
        status: int = ...,
        respond: Callable[[R], Response],
        preload: bool = ...,
    ) -> WireDepsResponse[T, D, R]: ...
    def http(
        self,
        first: Any,
        *,
        deps: Any = NO_DEPS,
        errors: Any = None,
        status: int = 200,
        respond: Callable[[Any], Response] | None = None,
        preload: bool = True,
    ) -> Any:
        """
        Wire logic to HTTP requests: API Gateway HTTP and REST APIs, function URLs, load balancers.

        A model validates the JSON body. Results become JSON; ``None`` is 204. What the client did wrong is answered by a
        problem document (RFC 9457), a Retry by 503 with Retry-After, a bug by 500 and a logged traceback.

        Args:
            status: The status of a result.
            respond: Makes the response of the result instead: status, headers, cookies.
        """
        return _wired(
            "handler.http", first, lambda logic: HttpRequests(logic, first, status=status, respond=respond), deps, errors, preload
        )

    @overload
    def sqs(
        self,
        first: type[T] | Callable[[SqsRecord], T],
        *,
        errors: Table[X] = ...,
        on_reject: OnReject = ...,
        preload: bool = ...,
    ) -> Wire[T]: ...
    @overload
    def sqs(
        self,
        first: type[T] | Callable[[SqsRecord], T],
        *,
        deps: D,
        errors: Table[X] = ...,
        on_reject: OnReject = ...,
        preload: bool = ...,
    ) -> WireDeps[T, D]: ...
    def sqs(
        self,
        first: Any,
        *,
        deps: Any = NO_DEPS,
        errors: Any = None,
        on_reject: str = "fail",
        preload: bool = True,
    ) -> Any:
        """
        Wire logic to the messages of an SQS queue, one call each.

        A model validates the JSON body. The answer names the messages that failed, rejected or not, so that they are
        delivered again until redrive takes them away; the event source mapping must have ``ReportBatchItemFailures``.
        When all failed, ``BatchError`` is raised. A FIFO queue's batch ends at the first failure. A message that no
        longer fits the remaining time is not started.

        Args:
            on_reject: ``"drop"`` logs and deletes rejected messages instead.
        """
        drops = _drops("handler.sqs", on_reject)
        return _wired("handler.sqs", first, lambda logic: SqsBatches(logic, first, drops=drops), deps, errors, preload)

    @overload
    def invoke(
        self,
        first: type[T] | Callable[[dict[str, Any]], T],
        *,
        errors: Table[X] = ...,
        preload: bool = ...,
    ) -> Wire[T]: ...
    @overload
    def invoke(
        self,
        first: type[T] | Callable[[dict[str, Any]], T],
        *,
        deps: D,
        errors: Table[X] = ...,
        preload: bool = ...,
    ) -> WireDeps[T, D]: ...
    def invoke(self, first: Any, *, deps: Any = NO_DEPS, errors: Any = None, preload: bool = True) -> Any:
        """
        Wire logic to direct invocations and Step Functions: the event is the input, the result the answer.

        Errors are raised as they are, so that the caller sees their class; ``errors`` is accepted, so that one table
        serves all, and changes nothing.
        """
        return _wired("handler.invoke", first, lambda logic: DirectInvokes(logic, first), deps, errors, preload)

    @overload
    def event(
        self,
        first: type[T] | Callable[[dict[str, Any]], T],
        *,
        errors: Table[X] = ...,
        on_reject: OnReject = ...,
        preload: bool = ...,
    ) -> Wire[T]: ...
    @overload
    def event(
        self,
        first: type[T] | Callable[[dict[str, Any]], T],
        *,
        deps: D,
        errors: Table[X] = ...,
        on_reject: OnReject = ...,
        preload: bool = ...,
    ) -> WireDeps[T, D]: ...
    def event(
        self,
        first: Any,
        *,
        deps: Any = NO_DEPS,
        errors: Any = None,
        on_reject: str = "fail",
        preload: bool = True,
    ) -> Any:
        """
        Wire logic to an asynchronous source: the whole event is the input, a result is not read, errors are raised, so
        that Lambda tries again and then uses the function's failure destination.

        Args:
            on_reject: ``"drop"`` logs a rejected event and counts it as done.
        """
        drops = _drops("handler.event", on_reject)
        return _wired("handler.event", first, lambda logic: AsynchronousEvents(logic, first, drops=drops), deps, errors, preload)


handler = Handlers()


def _wired(line: str, first: object, answer: Callable[[Logic], Any], deps: object, errors: Any, preload: bool) -> Wiring:
    return Wiring(line, first, answer, deps=deps, has_deps=deps is not NO_DEPS, errors=errors or {}, preload=preload)


def _drops(line: str, on_reject: str) -> bool:
    if on_reject not in {"fail", "drop"}:
        raise ConfigurationError(f'{line}: on_reject is "fail" or "drop", not {on_reject!r}')
    return on_reject == "drop"
