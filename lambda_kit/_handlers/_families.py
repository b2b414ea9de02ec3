"""
Wiring lines that several sources share: batches of records, and asynchronous events.
"""

from __future__ import annotations

from lambda_kit._handlers._batches import Batches
from lambda_kit._handlers._checks import check_concurrency, check_reserve
from lambda_kit._handlers._logic import NO_DEPS
from lambda_kit._handlers._turns import Pace
from lambda_kit._handlers._whole_events import AsynchronousEvents
from lambda_kit._handlers._wiring import Wiring
from lambda_kit.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, Generic, Literal, TypeVar, overload

    from lambda_kit._handlers._logic import Logic
    from lambda_kit._handlers._records import Batch
    from lambda_kit._handlers._whole_events import Inputs
    from lambda_kit._handlers._wiring import Wire, WireDeps
    from lambda_kit._responses import Outcome

    T = TypeVar("T")
    D = TypeVar("D")
    X = TypeVar("X", bound=Exception)
    # Any, because one table holds functions of different exceptions.
    Table = Mapping[type[X], Outcome | Callable[[Any], Outcome]]
    OnReject = Literal["fail", "drop"]
else:
    from lambda_kit._typing import Generic, TypeVar, overload

View = TypeVar("View")

# Seconds kept for the answer itself.
RESERVE_S = 0.1


class RecordWiring(Generic[View]):
    """
    The wiring line of a source that delivers batches in order, and takes the first failed record for where to go on.
    """

    def __init__(self, line: str, batch: Callable[[], Batch], doc: str) -> None:
        self._line = line
        self._batch = batch
        self.__doc__ = doc

    @overload
    def __call__(
        self,
        first: type[T] | Callable[[View], T],
        *,
        errors: Table[X] = ...,
        on_reject: OnReject = ...,
        concurrency: int = ...,
        reserve_s: float = ...,
        preload: bool = ...,
    ) -> Wire[T]: ...
    @overload
    def __call__(
        self,
        first: type[T] | Callable[[View], T],
        *,
        deps: D,
        errors: Table[X] = ...,
        on_reject: OnReject = ...,
        concurrency: int = ...,
        reserve_s: float = ...,
        preload: bool = ...,
    ) -> WireDeps[T, D]: ...
    def __call__(
        self,
        first: Any,
        *,
        deps: Any = NO_DEPS,
        errors: Any = None,
        on_reject: str = "fail",
        concurrency: int = 1,
        reserve_s: float = RESERVE_S,
        preload: bool = True,
    ) -> Any:
        drops, pace = drops_of(self._line, on_reject), pace_of(self._line, concurrency, reserve_s)
        batch = self._batch()
        return wired(self._line, first, lambda logic: Batches(logic, first, batch, pace, drops=drops), deps, errors, preload)

    def __repr__(self) -> str:
        return f"<{self._line}>"


class EventWiring(Generic[View]):
    """
    The wiring line of an asynchronous source: nobody reads an answer, an error makes Lambda try again.
    """

    def __init__(self, line: str, inputs: Callable[[Any], Inputs], doc: str) -> None:
        self._line = line
        self._inputs = inputs
        self.__doc__ = doc

    @overload
    def __call__(
        self,
        first: type[T] | Callable[[View], T],
        *,
        errors: Table[X] = ...,
        on_reject: OnReject = ...,
        preload: bool = ...,
    ) -> Wire[T]: ...
    @overload
    def __call__(
        self,
        first: type[T] | Callable[[View], T],
        *,
        deps: D,
        errors: Table[X] = ...,
        on_reject: OnReject = ...,
        preload: bool = ...,
    ) -> WireDeps[T, D]: ...
    def __call__(
        self,
        first: Any,
        *,
        deps: Any = NO_DEPS,
        errors: Any = None,
        on_reject: str = "fail",
        preload: bool = True,
    ) -> Any:
        drops = drops_of(self._line, on_reject)
        return wired(self._line, first, lambda logic: AsynchronousEvents(logic, self._inputs(first), drops=drops), deps, errors, preload)

    def __repr__(self) -> str:
        return f"<{self._line}>"


def wired(
    line: str,
    first: object,
    answer: Callable[[Logic], Any],
    deps: object,
    errors: Any,
    preload: bool,
    clients: tuple[object, ...] = (),
) -> Wiring:
    """
    Return the wiring of *line*; *answer* makes what a call does of the logic.
    """
    return Wiring(
        line,
        first,
        answer,
        deps=deps,
        has_deps=deps is not NO_DEPS,
        errors={} if errors is None else errors,
        preload=preload,
        clients=clients,
    )


def drops_of(line: str, on_reject: str) -> bool:
    """
    Tell whether rejected records count as done.
    """
    if on_reject not in ("fail", "drop"):
        raise ConfigurationError(f'{line}: on_reject is "fail" or "drop", not {on_reject!r}')
    return on_reject == "drop"


def pace_of(line: str, concurrency: int, reserve_s: float) -> Pace:
    """
    Return how a batch is worked through, or refuse what makes no sense.
    """
    check_concurrency(concurrency, wiring=line)
    check_reserve(reserve_s, wiring=line)
    return Pace(concurrency, reserve_s)
