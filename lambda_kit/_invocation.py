"""
The invocation under way: its context, its deadline, and what lives exactly as long as it does.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from contextvars import ContextVar

from lambda_kit import _runtime
from lambda_kit.errors import DeadlineError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import Any, Generic, Protocol, TypeVar

    End = TypeVar("End", bound=Callable[[], object])
else:
    from lambda_kit._typing import Generic, Protocol, TypeVar

T = TypeVar("T")

_logger = logging.getLogger("lambda_kit")


class LambdaContext(Protocol):
    """
    Describe the context object of Lambda's Python runtime, as the runtime client really makes it.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/python-context.html and the runtime client's own code.
    """

    @property
    def aws_request_id(self) -> str:
        """The id of the invocation; retries of one asynchronous event share it."""
        ...

    @property
    def function_name(self) -> str:
        """The function's name."""
        ...

    @property
    def function_version(self) -> str:
        """``$LATEST`` or a number."""
        ...

    @property
    def invoked_function_arn(self) -> str:
        """The ARN the function was invoked by, with the alias or version when it was named."""
        ...

    @property
    def memory_limit_in_mb(self) -> str:
        """The configured memory, as decimal text: the runtime does not convert it."""
        ...

    @property
    def log_group_name(self) -> str | None:
        """The log group."""
        ...

    @property
    def log_stream_name(self) -> str | None:
        """The log stream of this environment."""
        ...

    @property
    def client_context(self) -> Any:
        """What a synchronous caller sent as client context, or ``None``."""
        ...

    @property
    def identity(self) -> Any:
        """``.cognito_identity_id`` and ``.cognito_identity_pool_id``, both ``None`` when there is no identity."""
        ...

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds until Lambda ends the invocation, never below 0."""
        ...


class Invocation:
    """
    One invocation, read from its context when asked; a value that nothing can be assigned to.
    """

    __slots__ = ("_cold_start", "_context", "_deadline_s")

    _cold_start: bool
    _context: LambdaContext
    _deadline_s: float

    def __init__(self, context: LambdaContext, *, cold_start: bool, deadline_s: float) -> None:
        object.__setattr__(self, "_context", context)
        object.__setattr__(self, "_cold_start", cold_start)
        object.__setattr__(self, "_deadline_s", deadline_s)

    @classmethod
    def from_context(cls, context: LambdaContext) -> Invocation:
        """
        Read *context*; a durable function's context is unwrapped.
        """
        inner: LambdaContext = getattr(context, "lambda_context", context)
        deadline_s = _runtime.wall_s() + inner.get_remaining_time_in_millis() / 1000
        return cls(inner, cold_start=_runtime.environment().cold_start, deadline_s=deadline_s)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"an Invocation is frozen: {name!r} cannot be set")

    @property
    def context(self) -> LambdaContext:
        """The runtime's own context object."""
        return self._context

    @property
    def request_id(self) -> str:
        """The AWS request id."""
        return self._context.aws_request_id

    @property
    def function_arn(self) -> str:
        """The ARN the function was invoked by."""
        return self._context.invoked_function_arn

    @property
    def region(self) -> str:
        """The region of the ARN."""
        return self._arn_part(3)

    @property
    def account_id(self) -> str:
        """The account of the ARN."""
        return self._arn_part(4)

    @property
    def qualifier(self) -> str:
        """The alias or version the function was invoked by, or an empty string."""
        return self._arn_part(7)

    @property
    def memory_mb(self) -> int:
        """The configured memory, in MB."""
        return int(self._context.memory_limit_in_mb)

    @property
    def cold_start(self) -> bool:
        """Whether this is the invocation that waited for INIT."""
        return self._cold_start

    @property
    def deadline(self) -> float:
        """When Lambda ends the invocation, in epoch seconds."""
        return self._deadline_s

    def remaining_s(self) -> float:
        """
        Return the seconds until the deadline, never below 0.
        """
        return max(0.0, self._deadline_s - _runtime.wall_s())

    @property
    def tenant_id(self) -> str | None:
        """The tenant, on functions with tenant isolation."""
        return getattr(self._context, "tenant_id", None)

    @property
    def trace_header(self) -> str:
        """X-Ray's trace header, such as ``Root=1-...;Parent=...;Sampled=1``, or an empty string."""
        return _runtime.setting("_X_AMZN_TRACE_ID") or ""

    def _arn_part(self, index: int) -> str:
        # arn:partition:lambda:region:account:function:name[:qualifier]
        parts = self._context.invoked_function_arn.split(":")
        return parts[index] if len(parts) > index else ""

    def __repr__(self) -> str:
        return f"<Invocation {self.request_id} remaining_s={self.remaining_s():.3f}>"


class _Scope:
    """
    What lives as long as one invocation.
    """

    __slots__ = ("ends", "invocation", "scratch", "values")

    def __init__(self, invocation: Invocation) -> None:
        self.invocation = invocation
        self.values: dict[object, object] = {}
        self.ends: list[Callable[[], object]] = []
        self.scratch: Path | None = None


# A context variable for tasks and copied contexts; the plain name for threads that were started without one. A Lambda
# process runs one invocation at a time, so both mean the same.
_in_context: ContextVar[_Scope | None] = ContextVar("lambda_kit_invocation", default=None)
_in_process: _Scope | None = None


def current() -> Invocation | None:
    """
    Return the invocation under way, or ``None`` outside of one.
    """
    scope = _in_context.get() or _in_process
    return None if scope is None else scope.invocation


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


@contextmanager
def scope(context: LambdaContext) -> Iterator[Invocation]:
    """
    Enter the invocation that *context* belongs to, and clear what it left when it ends, however it ends.

    Entering again with the same context does nothing: only the outermost handler counts and clears.
    """
    global _in_process  # see above: one invocation per process
    outer = _in_context.get()
    if outer is not None and outer.invocation.context is getattr(context, "lambda_context", context):
        yield outer.invocation
        return
    _runtime.begin_invocation()
    opened = _Scope(Invocation.from_context(context))
    token = _in_context.set(opened)
    before, _in_process = _in_process, opened
    try:
        yield opened.invocation
    finally:
        try:
            _end(opened)
        finally:
            _in_process = before
            _in_context.reset(token)


class PerInvocation(Generic[T]):
    """
    A value made on first use in each invocation; what :func:`per_invocation` returns. Call it to get the value.
    """

    __slots__ = ("_factory",)

    def __init__(self, factory: Callable[[], T]) -> None:
        self._factory = factory

    def __call__(self) -> T:
        values = _scope("per_invocation").values
        if self not in values:
            values[self] = self._factory()
        return values[self]  # type: ignore[return-value]  # stored under this very object two lines above

    def __repr__(self) -> str:
        return f"<PerInvocation of {getattr(self._factory, '__name__', type(self._factory).__name__)}>"


def per_invocation(factory: Callable[[], T]) -> PerInvocation[T]:
    """
    Return a callable whose value is made by *factory* once per invocation and forgotten at its end.

    Calling it outside an invocation raises ``LookupError``.
    """
    return PerInvocation(factory)


def on_invocation_end(hook: End) -> End:
    """
    Run *hook* when the current invocation ends, on success and on error; the last one registered runs first.

    A failing hook is logged and does not change the result. Outside an invocation this raises ``LookupError``.
    """
    _scope("on_invocation_end").ends.append(hook)
    return hook


def scratch_dir() -> Path:
    """
    Return an empty directory that is deleted when the invocation ends.

    It is made on first use, below ``TMPDIR`` or ``/tmp``, under a name no other process uses: Managed Instances share
    ``/tmp`` between processes. Outside an invocation this raises ``LookupError``.
    """
    opened = _scope("scratch_dir")
    if opened.scratch is None:
        import tempfile
        from pathlib import Path

        opened.scratch = Path(tempfile.mkdtemp(prefix="invocation-"))
    return opened.scratch


def _scope(what: str) -> _Scope:
    found = _in_context.get() or _in_process
    if found is None:
        raise LookupError(f"no invocation is under way: {what} works inside a handler of the kit")
    return found


def _end(opened: _Scope) -> None:
    """
    Run the end hooks and delete what the invocation left.
    """
    while opened.ends:
        hook = opened.ends.pop()
        try:
            hook()
        except Exception:  # the invocation's own result stands
            _logger.exception("an on_invocation_end hook failed (request %s)", opened.invocation.request_id)
    opened.values.clear()
    if opened.scratch is not None:
        import shutil

        shutil.rmtree(opened.scratch, ignore_errors=True)


def _reset() -> None:
    global _in_process  # see above
    _in_process = None
    _in_context.set(None)


_runtime.register(reset=_reset)
