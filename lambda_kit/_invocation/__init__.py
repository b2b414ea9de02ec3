"""
The invocation under way: its context, its deadline, and what lives exactly as long as it does.
"""

from __future__ import annotations

import logging
import threading
from contextlib import nullcontext
from contextvars import ContextVar
from threading import get_ident

from lambda_kit import _runtime
from lambda_kit._invocation._context import Invocation, LambdaContext, unwrapped
from lambda_kit.errors import ConfigurationError, DeadlineError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from contextvars import Token
    from pathlib import Path
    from typing import Generic, TypeVar

    End = TypeVar("End", bound=Callable[[], object])
else:
    from lambda_kit._typing import Generic, TypeVar

__all__ = [
    "Invocation",
    "LambdaContext",
    "PerInvocation",
    "check_deadline",
    "current",
    "invocation",
    "is_under_way",
    "on_invocation_end",
    "per_invocation",
    "remaining_s",
    "scope",
    "scratch_dir",
]

T = TypeVar("T")

_logger = logging.getLogger("lambda_kit")
_environment = _runtime.environment()
_unset = object()


class _Scope:
    """
    What lives as long as one invocation; entering it makes that invocation the current one.
    """

    __slots__ = ("ended", "ends", "invocation", "locks", "scratch", "thread", "token", "values")

    token: Token[_Scope | None]

    def __init__(self, invocation: Invocation) -> None:
        self.invocation = invocation
        self.ended = False
        self.thread = get_ident()
        self.values: dict[object, object] = {}
        self.locks: dict[object, threading.RLock] = {}
        self.ends: list[Callable[[], object]] = []
        self.scratch: Path | None = None

    def begin_again(self) -> None:
        """
        Forget what has been made, without touching it.
        """
        self.values, self.locks, self.ends, self.scratch = {}, {}, [], None

    def __enter__(self) -> Invocation:
        self.token = _in_context.set(self)
        _in_process.append(self)
        return self.invocation

    def __exit__(self, *_: object) -> None:
        try:
            if self.ends or self.values or self.scratch is not None:
                _end(self)
        finally:
            self.ended = True
            # Not the last one, where tests run invocations in several threads; not there, where one reset the process.
            if _in_process and _in_process[-1] is self:
                _in_process.pop()
            elif self in _in_process:
                _in_process.remove(self)
            _in_context.reset(self.token)

    def once(self, thing: object, make: Callable[[], object]) -> object:
        """
        Return what *make* made for *thing*. Each thing has its own lock, because making one may need another.
        """
        value = self.values.get(thing, _unset)
        if value is _unset:
            with self.locks.setdefault(thing, threading.RLock()):
                value = self.values.get(thing, _unset)
                if value is _unset:
                    _runtime.watch_life()
                    value = self.values[thing] = make()
        return value


# A context variable for tasks and copied contexts; the plain list for threads that were started without one, and for
# contexts older than the invocation, as asyncio.Runner keeps one. A Lambda process runs one invocation at a time, so
# both mean the same; tests may run several in threads.
_in_context: ContextVar[_Scope | None] = ContextVar("lambda_kit_invocation", default=None)
_in_process: list[_Scope] = []


def _found() -> _Scope | None:
    found = _entered()
    # Copied, because another thread may end its invocation between two look-ups.
    return found if found is not None else next(iter(_in_process[-1:]), None)


def _entered() -> _Scope | None:
    """
    Return the scope that this very context or thread is in.
    """
    found = _in_context.get()
    if found is not None and not found.ended:
        return found
    if not _in_process:
        return None
    here = get_ident()
    return next((scope for scope in _in_process[::-1] if scope.thread == here), None)


def current() -> Invocation | None:
    """
    Return the invocation under way, or ``None`` outside of one.
    """
    scope = _in_context.get()
    if scope is None or scope.ended:
        scope = _found() if _in_process else None
    return None if scope is None else scope.invocation


def is_under_way(one: Invocation) -> bool:
    """
    Tell whether the scope of *one*, which may be around another's, has not ended.
    """
    return any(scope.invocation is one for scope in list(_in_process))


def invocation() -> Invocation:
    """
    Return the invocation under way, from anywhere: logic, threads, tasks.

    Raises:
        LookupError: No handler of the kit is running.
    """
    found = current()
    if found is None:
        raise LookupError("no invocation is under way: invocation() works inside a handler of the kit")
    return found


def remaining_s(default: float) -> float:
    """
    Return the seconds the current invocation has left, or *default* outside of one.
    """
    found = current()
    return default if found is None else found.remaining_s()


def check_deadline(needed_s: float, what: str) -> None:
    """
    Raise when the current invocation has less than *needed_s* seconds left for *what*.

    Raises:
        DeadlineError: It has.
    """
    left_s = remaining_s(needed_s)
    if left_s < needed_s:
        raise DeadlineError(f"{what}: {left_s:.3f} s left of the invocation, {needed_s:.3f} s needed", remaining_s=left_s)


def scope(context: LambdaContext) -> AbstractContextManager[Invocation]:
    """
    Return what enters the invocation that *context* belongs to, and clears what it left when it ends, however it ends.

    Entering again with the same context does nothing: only the outermost handler counts and clears.
    """
    inner = unwrapped(context)
    if _in_process:
        outer = _entered()
        if outer is not None and outer.invocation.context is inner:
            return nullcontext(outer.invocation)
    # Of all but the first it is known without asking.
    cold_start = _runtime.begin_invocation() == 1 and _environment.cold_start
    return _Scope(Invocation(inner, cold_start=cold_start))


class PerInvocation(Generic[T]):
    """
    A value made on first use in each invocation; what :func:`per_invocation` returns. Call it to get the value.
    """

    __slots__ = ("_factory",)

    def __init__(self, factory: Callable[[], T]) -> None:
        if not callable(factory):
            raise ConfigurationError(f"per_invocation() takes a factory, something to call: got {type(factory).__name__}")
        self._factory = factory

    def __call__(self) -> T:
        return _scope("per_invocation").once(self, self._factory)  # type: ignore[return-value]  # what the factory returned

    def __repr__(self) -> str:
        return f"<PerInvocation of {getattr(self._factory, '__qualname__', type(self._factory).__name__)}>"


def per_invocation(factory: Callable[[], T]) -> PerInvocation[T]:
    """
    Return a callable whose value is made by *factory* once per invocation and forgotten at its end.

    Threads that come at once wait for one value. Calling it outside an invocation raises ``LookupError``.

    Raises:
        ConfigurationError: *factory* cannot be called.
    """
    return PerInvocation(factory)


def on_invocation_end(hook: End) -> End:
    """
    Run *hook* when the current invocation ends, on success and on error; the last one registered runs first.

    A failing hook is logged and does not change the result. Outside an invocation this raises ``LookupError``.
    """
    opened = _scope("on_invocation_end")
    _runtime.watch_life()
    opened.ends.append(hook)
    return hook


def scratch_dir() -> Path:
    """
    Return an empty directory that is deleted when the invocation ends.

    It is made on first use, below ``TMPDIR`` or ``/tmp``, under a name no other process uses: Managed Instances share
    ``/tmp`` between processes. Outside an invocation this raises ``LookupError``.
    """
    opened = _scope("scratch_dir")

    def make() -> Path:
        import tempfile
        from pathlib import Path

        opened.scratch = Path(tempfile.mkdtemp(prefix="invocation-"))
        return opened.scratch

    return opened.once(scratch_dir, make)  # type: ignore[return-value]  # the Path of three lines above


def _scope(what: str) -> _Scope:
    found = _found()
    if found is None:
        raise LookupError(f"no invocation is under way: {what} works inside a handler of the kit")
    return found


def _end(opened: _Scope) -> None:
    """
    Run the end hooks and delete what the invocation left.
    """
    try:
        while opened.ends:
            _run(opened.ends.pop(), opened.invocation)
    finally:
        opened.values.clear()
        if opened.scratch is not None:
            import shutil

            shutil.rmtree(opened.scratch, ignore_errors=True)


def _run(hook: Callable[[], object], of: Invocation) -> None:
    try:
        hook()
    except Exception:  # the invocation's own result stands
        _logger.exception("an on_invocation_end hook failed (request %s)", of.request_id)


def _fork() -> None:
    """
    Let a child keep the invocation it was forked in, but none of its parent's values, hooks and files.
    """
    for opened in {*_in_process, _in_context.get()}:
        if opened is not None:
            opened.begin_again()


def _reset() -> None:
    for opened in _in_process:
        opened.ended = True
    _in_process.clear()
    _in_context.set(None)


_runtime.register(fork=_fork, reset=_reset)
