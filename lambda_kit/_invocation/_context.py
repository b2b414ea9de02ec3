"""
The context object of one invocation: what Lambda hands over, and the kit's view of it.
"""

from __future__ import annotations

from lambda_kit import _runtime

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Protocol
else:
    from lambda_kit._typing import Protocol

_environment = _runtime.environment()

# What a context that cannot say has left: the most an invocation may take, Managed Instances aside.
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
LONGEST_S = 900.0


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

    What the context does not know, as the makeshift ones of tests, is an empty string, 0 or ``None``.
    """

    __slots__ = ("_cold_start", "_context", "_deadline_s")

    _cold_start: bool
    _context: LambdaContext
    _deadline_s: float

    def __init__(self, context: LambdaContext, *, cold_start: bool) -> None:
        _set_context(self, context)
        _set_cold_start(self, cold_start)

    @classmethod
    def from_context(cls, context: LambdaContext) -> Invocation:
        """
        Read *context*; a durable function's context is unwrapped.
        """
        return cls(unwrapped(context), cold_start=_environment.cold_start)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"an Invocation is frozen: {name!r} cannot be set")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"an Invocation is frozen: {name!r} cannot be deleted")

    @property
    def context(self) -> LambdaContext:
        """The runtime's own context object."""
        return self._context

    @property
    def request_id(self) -> str:
        """The AWS request id."""
        return getattr(self._context, "aws_request_id", "")

    @property
    def function_arn(self) -> str:
        """The ARN the function was invoked by."""
        return getattr(self._context, "invoked_function_arn", "")

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
    def alias(self) -> str:
        """The alias the function was invoked by; an empty string when it was a version, or the function itself."""
        return "" if self.qualifier.isdecimal() or self.qualifier == "$LATEST" else self.qualifier

    @property
    def version(self) -> str:
        """The version that runs, whatever it was invoked by: ``$LATEST`` or a number."""
        return getattr(self._context, "function_version", None) or ""

    @property
    def memory_mb(self) -> int:
        """The configured memory, in MB."""
        return int(getattr(self._context, "memory_limit_in_mb", None) or 0)

    @property
    def cold_start(self) -> bool:
        """Whether this is the invocation that waited for INIT."""
        return self._cold_start

    @property
    def deadline(self) -> float:
        """When Lambda ends the invocation, in epoch seconds; as the context said when first asked."""
        try:
            return self._deadline_s
        except AttributeError:
            _set_deadline_s(self, _runtime.wall_s() + self.remaining_s())
            return self._deadline_s

    def remaining_s(self) -> float:
        """
        Return the seconds until the deadline as the context says now, never below 0.
        """
        try:
            left_ms: object = self._context.get_remaining_time_in_millis()
        except AttributeError:
            return LONGEST_S
        if type(left_ms) is int:
            return left_ms / 1000 if left_ms > 0 else 0.0
        # Mocks answer with mocks.
        return max(0.0, left_ms / 1000) if isinstance(left_ms, int | float) else LONGEST_S

    @property
    def tenant_id(self) -> str | None:
        """The tenant, on functions with tenant isolation."""
        return getattr(self._context, "tenant_id", None)

    @property
    def trace_header(self) -> str:
        """X-Ray's trace header, such as ``Root=1-...;Parent=...;Sampled=1``, or an empty string."""
        return _runtime.setting("_X_AMZN_TRACE_ID") or ""

    @property
    def w3c(self) -> Mapping[str, str]:
        """
        The W3C trace headers that the caller sent: ``traceparent``, ``tracestate`` and ``baggage`` where they are there.

        They come with runtime clients of 2026 and later; before that there are none.
        """
        ask = getattr(self._context, "w3c", None)
        found = ask() if callable(ask) else None
        # Mocks answer with mocks.
        return found if isinstance(found, dict) else {}

    def _arn_part(self, index: int) -> str:
        # arn:partition:lambda:region:account:function:name[:qualifier]
        parts = (self.function_arn or "").split(":")
        return parts[index] if len(parts) > index else ""

    def __repr__(self) -> str:
        return f"<Invocation {self.request_id} remaining_s={self.remaining_s():.3f}>"


# Past the guard of __setattr__. The slots' own setters, because every invocation pays for them.
_set_context, _set_cold_start, _set_deadline_s = (vars(Invocation)[name].__set__ for name in ("_context", "_cold_start", "_deadline_s"))


def unwrapped(context: LambdaContext) -> LambdaContext:
    """
    Return the runtime's context: a durable function's own context has no request id, but holds the one that has.
    """
    inner: LambdaContext = context if hasattr(context, "aws_request_id") else getattr(context, "lambda_context", context)
    return inner
