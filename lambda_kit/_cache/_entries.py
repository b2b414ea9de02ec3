"""
What a cache holds: values with their age, failures taken apart, fetches under way, and counts.
"""

from __future__ import annotations

import os
import threading
from itertools import count

from lambda_kit.errors import DeadlineError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from typing import Generic, TypeVar

    # When a fetch began: the turn of the environment's life, and the number of the fetch.
    Since = tuple[int, int]
else:
    from lambda_kit._typing import Generic, TypeVar

T = TypeVar("T")

# Forms kept per entry; a caller with a new function for each call cannot make it grow.
MAX_DERIVED = 8


def fraction() -> float:
    """
    Return a number in [0, 1). Not from ``random``, whose state the copies of a snapshot share.
    """
    return int.from_bytes(os.urandom(4)) / 2**32


class Entry(Generic[T]):
    """
    A value as it was fetched, with its version and its age on both clocks. The repr does not show the value.

    Attributes:
        began: The number of its fetch, in the order in which they began: of two values the later one counts.
        derived: What was made of the value, by whoever made it; moves on to the next entry of the same version.
        lock: To hold while making something of it, so that it is made once.
        max_age_s: How old its reader lets it become; infinity when nobody said.
    """

    __slots__ = (
        "began",
        "derived",
        "failures",
        "generation",
        "lock",
        "max_age_s",
        "monotonic_s",
        "retry_at_s",
        "softness",
        "value",
        "version",
        "wall_s",
    )

    def __init__(
        self, value: T, version: str | None, *, wall_s: float, monotonic_s: float, since: Since, softness: float, max_age_s: float
    ) -> None:
        self.value = value
        self.version = version
        self.wall_s = wall_s
        self.monotonic_s = monotonic_s
        self.generation, self.began = since
        self.softness = softness
        self.max_age_s = max_age_s
        self.derived: dict[object, object] = {}
        self.lock = threading.RLock()
        self.failures = 0
        self.retry_at_s = 0.0

    def kill(self) -> None:
        """
        Never be handed out again, whoever still holds this entry.
        """
        self.generation = -1
        # For those who compare the clocks only: it is from a time to come.
        self.wall_s = float("inf")

    def succeed(self, old: Entry[T]) -> None:
        """
        Take over what was made of *old* if this is the same value, and let all who hold that one ask again.
        """
        # Not the version alone: a parameter that was deleted and created again has the first one once more.
        if (old.version, old.value) == (self.version, self.value):
            self.derived = old.derived
        old.kill()

    def derive(self, how: Hashable, value: object) -> None:
        """
        Remember what was made of the value by *how*.
        """
        if len(self.derived) < MAX_DERIVED:
            self.derived[how] = value

    def __repr__(self) -> str:
        return f"<Entry version {self.version}>"


class Failure:
    """
    An exception taken apart, so that every caller gets one of its own, with its own traceback and the same cause.
    """

    __slots__ = ("args", "cause", "facts", "kind", "retryable")

    def __init__(self, exc: Exception) -> None:
        self.kind = type(exc)
        self.args = exc.args
        self.facts = dict(vars(exc))
        if isinstance(exc, ImportError):
            # These two are kept in C.
            self.facts |= {"msg": exc.msg, "name": exc.name}
        self.cause = exc.__cause__
        self.retryable = is_transient(exc)

    def without_frames(self) -> Failure:
        """
        Drop the tracebacks, which hold all that callers had in their variables: to be kept for longer than a call.
        """
        if isinstance(self.cause, Exception):
            cause = Failure(self.cause)
            cause.cause = None
            self.cause = cause.again()
        return self

    def again(self) -> Exception:
        """
        Return it anew.
        """
        made = self.kind.__new__(self.kind, *self.args)
        # An OSError with an __init__ of its own, such as a PermissionError of the kit's, does not take them from there.
        made.args = self.args
        for name, fact in self.facts.items():
            setattr(made, name, fact)
        made.__cause__ = self.cause
        return made


def is_transient(exc: Exception) -> bool:
    """
    Tell whether the same fetch may succeed later, as the error says itself.
    """
    return bool(getattr(exc, "retryable", False))


class Refusal:
    """
    A failure that does not pass, remembered for a moment.
    """

    __slots__ = ("failure", "generation", "monotonic_s", "wall_s")

    def __init__(self, failure: Failure, *, wall_s: float, monotonic_s: float, generation: int) -> None:
        self.failure = failure
        self.wall_s = wall_s
        self.monotonic_s = monotonic_s
        self.generation = generation


class Flight(Generic[T]):
    """
    One fetch under way, and those who wait for it.
    """

    __slots__ = ("done", "entry", "failure", "owner", "waiting")

    def __init__(self) -> None:
        self.done = threading.Event()
        self.entry: Entry[T] | None = None
        self.failure: Failure | None = None
        self.owner = threading.get_ident()
        self.waiting = 0

    def landed(self, wait_s: float | None) -> Entry[T] | None:
        """
        Wait for its end; ``None`` when its caller was interrupted and somebody else has to fetch.
        """
        if not self.done.wait(wait_s):
            raise DeadlineError(f"another caller's fetch took longer than the {wait_s:.3f} s there were")
        if self.failure is not None:
            raise self.failure.again()
        return self.entry


class Tally:
    """
    A count that threads add to without a lock: what adds is one call into C.
    """

    __slots__ = ("_count", "add")

    def __init__(self) -> None:
        self._count = count()
        self.add: Callable[[], int] = self._count.__next__

    @property
    def value(self) -> int:
        """
        How often was added.
        """
        # A count shows what it would give next, and only there.
        return int(repr(self._count)[len("count(") : -1])


class Tallies:
    """
    What a cache counts.

    Attributes:
        hits: Reads answered from memory by a value that was not too old.
        misses: Reads that waited for a fetch, their own or another caller's.
        stale_served: Reads answered by a value that was too old.
        refresh_ok: Fetches that brought a value.
        refresh_err: Fetches that failed.
    """

    __slots__ = ("hits", "misses", "refresh_err", "refresh_ok", "stale_served")

    def __init__(self) -> None:
        self.hits = Tally()
        self.misses = Tally()
        self.stale_served = Tally()
        self.refresh_ok = Tally()
        self.refresh_err = Tally()
