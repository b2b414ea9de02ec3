"""
The vocabulary of tracing: spans, how they nest, and the slot that a backend fills. Next to free while it is empty.
"""

from __future__ import annotations

import functools
from abc import abstractmethod
from contextvars import ContextVar

from lambda_kit import _runtime
from lambda_kit.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Any, Protocol, TypeVar, overload

    Function = TypeVar("Function", bound=Callable[..., object])

    class Begin(Protocol):
        """
        Open a span below *parent*, if that was opened, or below the invocation's own; ``None`` when this invocation is not traced.
        """

        def __call__(self, name: str, namespace: str, parent: Span | None, /) -> OpenSpan | None: ...

else:
    from lambda_kit._typing import overload

# Code flags (https://docs.python.org/3/library/inspect.html#code-objects-bit-flags): inspect costs 30 M instructions.
_GENERATOR, _COROUTINE, _ASYNC_GENERATOR = 0x20, 0x80, 0x200

# Names may be made of ids; the table must not grow with them.
_MOST_MARKERS = 1024


class Span:
    """
    Stand for a stretch of work; what ``with span(...) as s`` gives. One of this very class does nothing: nobody traces.
    """

    __slots__ = ()

    def annotate(self, **annotations: str | float | bool) -> None:
        """
        Add facts that traces can be searched by: text, numbers, booleans; anything else as its text.

        X-Ray indexes 50 annotations of a trace and cuts text at 1,000 characters.
        Source: https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html
        """

    def add_metadata(self, **values: object) -> None:
        """
        Add values to read, not to search by: anything JSON can carry. The first thing dropped when a span grows too large.
        """

    def record_exception(self, error: BaseException) -> None:
        """
        Mark the span as failed by *error*, for errors that are handled inside it. Those that leave it are recorded anyway.
        """


class OpenSpan(Span):
    """
    A span under way, made by a backend.
    """

    __slots__ = ("opener", "outer")

    opener: Marker | None
    outer: OpenSpan | _Unopened | None

    @abstractmethod
    def end(self, error: BaseException | None = None) -> None:
        """
        Close the span, failed by *error* if there is one, and hand it over. Raises nothing.
        """

    @abstractmethod
    def headers(self) -> dict[str, str]:
        """
        Return the HTTP headers that carry the trace on to whom is called.
        """

    @abstractmethod
    def describe_call(self, facts: dict[str, str]) -> None:
        """
        Say which AWS call it is: ``{"operation": "PutItem", "region": ..., "table_name": ...}``.
        """

    @abstractmethod
    def describe_answer(self, status: int, request_id: str, retries: int, error: tuple[str, str] | None) -> None:
        """
        Say what AWS answered; *error* is its code and message.
        """


class _Unopened(Span):
    """
    Stand where a span would be that nobody traces, so that leaving it closes no other.
    """

    __slots__ = ("opener", "outer")

    opener: Marker | None
    outer: OpenSpan | _Unopened | None

    def end(self, error: BaseException | None = None) -> None:
        """
        Send nothing.
        """


class Marker:
    """
    Mark a stretch of work, as ``with`` block or as decorator; what :func:`span` returns for a name. May be used again and again.
    """

    __slots__ = ("_facts", "_name", "_namespace", "_open")

    def __init__(self, name: str, namespace: str = "", facts: dict[str, str | int | float | bool] | None = None) -> None:
        self._name = name
        self._namespace = namespace
        self._facts = facts
        # Those not closed yet: threads share a marker, and a generator may be closed in another context than it was begun in.
        self._open: list[OpenSpan | _Unopened] = []

    @property
    def name(self) -> str:
        return self._name

    def __enter__(self) -> Span:
        begin = _begin
        if begin is None:
            return _NOTHING
        outer = _current.get()
        opened = begin(self._name, self._namespace, outer) or _Unopened()
        opened.opener = self
        opened.outer = outer
        if self._facts:
            opened.annotate(**self._facts)
        self._open.append(opened)
        _current.set(opened)
        return opened

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        if self._open:
            self._close(error)

    def __call__(self, function: Function) -> Function:
        decorated: Function = _decorated(function, self)
        return decorated

    def another(self) -> Marker:
        """
        Return a marker of the same, for one stretch that may end in another context than it began in.
        """
        return Marker(self._name, self._namespace)

    def _close(self, error: BaseException | None) -> None:
        closing = _current.get()
        if closing is not None and closing.opener is self:
            self._open.remove(closing)
            _current.set(closing.outer)
        else:
            closing = self._open.pop()
        closing.opener = closing.outer = None
        closing.end(error)

    def __repr__(self) -> str:
        return f"<span {self._name!r}>"


_NOTHING = Span()
_begin: Begin | None = None
_current: ContextVar[OpenSpan | _Unopened | None] = ContextVar("lambda_kit_span", default=None)
_markers: dict[str, Marker] = {}


@overload
def span(name: str, /, *, namespace: str = "") -> Marker: ...
@overload
def span(function: Function, /) -> Function: ...
def span(name: str | Callable[..., object], /, *, namespace: str = "") -> Marker | Callable[..., object]:
    """
    Mark a stretch of work as a span: ``with span("charge") as s``, ``@span("charge")``, or ``@span``, named like the function.

    Spans nest, in tasks and copied contexts too; a thread without a context attaches to the invocation. An exception that
    leaves a span is recorded with its message and stack, and goes on. Coroutine functions are spans until they have
    returned; generator functions are left as they are: put the ``with`` block inside.

    Args:
        name: What happens. X-Ray allows letters, digits, spaces and ``_.:/%&#=+\\-@``; others are left out.
        namespace: ``"remote"`` for a call to another service, which X-Ray then draws as a node of its own.

    Raises:
        ConfigurationError: It was given neither a name nor a function.
    """
    try:
        # While spans are opened, each block has a marker of its own, which can close no other block's span.
        if _begin is None and not namespace:
            return _markers[name]  # type: ignore[index]  # a function is not found
    except (KeyError, TypeError):  # seen for the first time, or a callable that has no hash
        pass
    if isinstance(name, str):
        return Marker(name, namespace) if namespace or _begin is not None else _marker(name)
    decorated: Callable[..., object] = _decorated(name, None)
    return decorated


def use(begin: Begin | None) -> None:
    """
    Let *begin* open the spans from now on; ``None`` turns them off.
    """
    global _begin  # the slot is this module's purpose
    _begin = begin


def begin_leaf(name: str, namespace: str) -> OpenSpan | None:
    """
    Open a span that nothing nests in; whoever asks for it ends it.
    """
    begin = _begin
    return None if begin is None else begin(name, namespace, _current.get())


def open_name() -> str:
    """
    Return the name of the span under way here, or an empty string.
    """
    opened = _current.get()
    opener = None if opened is None else opened.opener
    return "" if opener is None else opener.name


def _marker(name: str) -> Marker:
    marker = Marker(name)
    if len(_markers) < _MOST_MARKERS:
        _markers[name] = marker
    return marker


def _decorated(function: Any, marker: Marker | None) -> Any:
    """
    Return *function* as a span, named like the function when there is no *marker*.
    """
    if isinstance(function, staticmethod | classmethod):
        return type(function)(_decorated(function.__func__, marker))
    if not callable(function) or isinstance(function, type):
        raise ConfigurationError(f"span() takes a name or decorates a function: got {function!r:.100}")
    flags = _code_flags(function)
    if flags & (_GENERATOR | _ASYNC_GENERATOR):
        return function
    wrap = _async_wrapper if flags & _COROUTINE else _wrapper
    return functools.update_wrapper(wrap(function, marker or Marker(_name_of(function))), function)


def _wrapper(function: Callable[..., object], marker: Marker) -> Callable[..., object]:
    def traced(*args: object, **kwargs: object) -> object:
        if _begin is None:
            return function(*args, **kwargs)
        with marker:
            return function(*args, **kwargs)

    return traced


def _async_wrapper(function: Callable[..., Any], marker: Marker) -> Callable[..., object]:
    async def traced(*args: object, **kwargs: object) -> object:
        with marker.another():
            return await function(*args, **kwargs)

    return traced


def _code_flags(function: Any) -> int:
    """
    Return the flags of the code that calling *function* runs; 0 when it is not Python's.
    """
    while isinstance(function, functools.partial):
        function = function.func
    code = getattr(function, "__code__", None) or getattr(type(function).__call__, "__code__", None)
    return 0 if code is None else int(code.co_flags)


def _name_of(function: Any) -> str:
    """
    Return the name to tell *function* by: with its class, without the function it was defined in.
    """
    while isinstance(function, functools.partial):
        function = function.func
    name: str = getattr(function, "__qualname__", None) or type(function).__qualname__
    return name.rpartition("<locals>.")[2]


def _reset() -> None:
    use(None)
    _current.set(None)
    _markers.clear()


_runtime.register(reset=_reset)
