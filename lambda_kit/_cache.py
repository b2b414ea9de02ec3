"""
Values that grow old: kept, renewed by one caller at a time, and served a little too old when their source fails.

An entry is FRESH, then SOFT (one caller renews it, the others get the old value at once), then EXPIRED (it is renewed, and
served stale if that fails for a passing reason), then DEAD. Where values come from, and the clocks, are passed in.
"""

from __future__ import annotations

import logging
import os
import threading
from weakref import WeakSet

from lambda_kit import _runtime
from lambda_kit._require import require
from lambda_kit.errors import ConfigurationError, DeadlineError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, MutableMapping
    from typing import Any, Generic, TypeVar
else:
    from lambda_kit._typing import Generic, TypeVar

T = TypeVar("T")

# How long a caller that could be served stale waits for one that is already renewing: a healthy service answers by then.
PATIENCE_S = 0.25
# Pauses between attempts to renew while the source fails.
FIRST_PAUSE_S = 1.0
MOST_PAUSE_S = 60.0
# An entry turns SOFT after this part of its age, or later: many environments started at once do not renew at once.
SOONEST_SOFT = 0.7
# Forms kept per entry; a caller with a new function for each call cannot make it grow.
MAX_DERIVED = 8

_logger = logging.getLogger("lambda_kit")


def _fraction() -> float:
    """
    Return a number in [0, 1). Not from ``random``, whose state the copies of a snapshot share.
    """
    return int.from_bytes(os.urandom(4)) / 2**32


class Entry(Generic[T]):
    """
    A value as it was fetched, with its version and its age on both clocks. The repr does not show the value.

    Attributes:
        derived: What was made of the value, by whoever made it; moves on to the next entry of the same version.
        lock: To hold while making something of it, so that it is made once.
    """

    __slots__ = ("derived", "failures", "generation", "lock", "monotonic_s", "retry_at_s", "softness", "value", "version", "wall_s")

    def __init__(self, value: T, version: str | None, *, wall_s: float, monotonic_s: float, generation: int, softness: float) -> None:
        self.value = value
        self.version = version
        self.wall_s = wall_s
        self.monotonic_s = monotonic_s
        self.generation = generation
        self.softness = softness
        self.derived: dict[object, object] = {}
        self.lock = threading.RLock()
        self.failures = 0
        self.retry_at_s = 0.0

    def kill(self) -> None:
        """
        Never be handed out again, whoever still holds this entry.
        """
        self.generation = -1

    def derive(self, how: Hashable, value: object) -> None:
        """
        Remember what was made of the value by *how*.
        """
        if len(self.derived) < MAX_DERIVED:
            self.derived[how] = value

    def __repr__(self) -> str:
        return f"<Entry version {self.version}>"


class _Failure:
    """
    An exception taken apart, so that every waiting caller gets one of its own, with its own traceback and the same cause.
    """

    __slots__ = ("args", "cause", "facts", "kind", "retryable")

    def __init__(self, exc: Exception) -> None:
        self.kind = type(exc)
        self.args = exc.args
        self.facts = dict(vars(exc))
        self.cause = exc.__cause__
        self.retryable = _is_transient(exc)

    def again(self) -> Exception:
        made = self.kind.__new__(self.kind, *self.args)
        made.__dict__.update(self.facts)
        made.__cause__ = self.cause
        return made


class _Flight(Generic[T]):
    """
    One fetch under way, and those who wait for it.
    """

    __slots__ = ("done", "entry", "failure", "owner", "waiting")

    def __init__(self) -> None:
        self.done = threading.Event()
        self.entry: Entry[T] | None = None
        self.failure: _Failure | None = None
        self.owner = threading.get_ident()
        self.waiting = 0


class Cache(Generic[T]):
    """
    Keep up to *max_entries* values by key; the least recently used goes first.

    All values are forgotten in a forked child, before a snapshot, after a restore and at a test reset.

    Args:
        wall_s: Epoch seconds; goes on in a freeze.
        monotonic_s: Seconds that never jump. An entry is as old as the older of the two says, and expired when either
            has gone backwards.
        fraction: Draws the jitter, in [0, 1).
    """

    def __init__(
        self,
        *,
        max_entries: int = 1024,
        wall_s: Callable[[], float] = _runtime.wall_s,
        monotonic_s: Callable[[], float] = _runtime.monotonic_s,
        fraction: Callable[[], float] = _fraction,
    ) -> None:
        self._max_entries = max_entries
        self._wall_s = wall_s
        self._monotonic_s = monotonic_s
        self._fraction = fraction
        self.forget()
        _caches.add(self)

    def forget(self) -> None:
        """
        Drop all values. A lock held at a fork by a thread that is no more is replaced.
        """
        self._lock = threading.Lock()
        self._entries: MutableMapping[Hashable, Entry[T]] = {}
        # Entries read since the last eviction, which moves them up: a hit takes them from here, with no lock.
        self._recent: dict[Hashable, Entry[T]] = {}
        self._flights: dict[Hashable, _Flight[T]] = {}

    def fresh(self, key: Hashable, max_age_s: float) -> Entry[T] | None:
        """
        Return the entry of *key* if it need not be renewed yet, else ``None``.
        """
        entry = self._recent.get(key)
        if entry is None:
            entry = self._peek(key)
            if entry is None:
                return None
        soft_s = max_age_s * entry.softness
        # Either clock alone is not enough: the wall clock may be set back, the other one stands still in a freeze.
        if (
            0.0 <= self._wall_s() - entry.wall_s < soft_s
            and 0.0 <= self._monotonic_s() - entry.monotonic_s < soft_s
            and entry.generation == _runtime.generation()
        ):
            return entry
        return None

    def age_s(self, entry: Entry[T]) -> float:
        """
        Return how old *entry* is: what the older clock says, and infinity when one went backwards or the entry is dead.
        """
        wall_s, monotonic_s = self._wall_s() - entry.wall_s, self._monotonic_s() - entry.monotonic_s
        if wall_s < 0 or monotonic_s < 0 or entry.generation != _runtime.generation():
            return float("inf")
        return max(wall_s, monotonic_s)

    def get(
        self,
        key: Hashable,
        fetch: Callable[[], tuple[T, str | None]],
        *,
        max_age_s: float,
        stale_for_s: float = 0.0,
        wait_s: float | None = None,
        what: str = "a value",
    ) -> Entry[T]:
        """
        Return the entry of *key*, fetching it if need be. However many callers come at once, one fetches.

        Args:
            fetch: Returns value and version, or raises; an error with ``retryable`` true is a passing one. A waiting
                caller gets an error of its own with the same cause.
            stale_for_s: How long after *max_age_s* the value may still be served when fetching fails for a passing reason.
            wait_s: How long to wait for another caller's fetch; ``None``: for as long as it takes.
            what: What the warning about a stale value calls it.

        Raises:
            DeadlineError: Another caller's fetch took longer than *wait_s*.
        """
        while True:
            entry = self.fresh(key, max_age_s)
            if entry is not None:
                return entry
            old = self._peek(key)
            age_s = float("inf") if old is None else self.age_s(old)
            usable = old if age_s < max_age_s + stale_for_s else None
            if usable is not None and self._monotonic_s() < usable.retry_at_s:
                return usable
            flight, leads = self._board(key, old)
            if leads:
                return self._lead(key, flight, fetch, usable, what=what if age_s >= max_age_s else "")
            if usable is not None and age_s < max_age_s:
                return usable
            landed = _landed(flight, usable, wait_s if usable is None else PATIENCE_S)
            if landed is not None:
                return landed

    def renew(self, key: Hashable, fetch: Callable[[], tuple[T, str | None]]) -> Entry[T]:
        """
        Fetch and keep, whatever is there. What fails is raised; after a failure that does not pass, nothing is kept.
        """
        generation = _begin()
        try:
            value, version = fetch()
        except Exception as exc:  # whatever the source raises: looked at and passed on
            if not _is_transient(exc):
                self.invalidate(key)
            raise
        return self._store(key, value, version, generation)

    def put(self, key: Hashable, value: T, version: str | None) -> Entry[T]:
        """
        Keep a value that was fetched just now by other means, such as together with others.
        """
        return self._store(key, value, version, _begin())

    def invalidate(self, key: Hashable, failed_version: str | None = None) -> bool:
        """
        Drop the entry of *key*, or only if it still has *failed_version*; tell whether it was dropped.

        Callers that all saw the same bad value so cause one fetch, however late they come.
        """
        with self._lock:
            entry = self._entries.get(key)
            if entry is None or (failed_version is not None and failed_version != entry.version):
                return False
            del self._entries[key]
            self._recent.pop(key, None)
        entry.kill()
        return True

    def _peek(self, key: Hashable) -> Entry[T] | None:
        with self._lock:
            entry = self._entries.get(key)
            if entry is not None:
                self._recent[key] = entry
            return entry

    def _board(self, key: Hashable, seen: Entry[T] | None) -> tuple[_Flight[T], bool]:
        """
        Return the flight under way for *key*, or a new one that the caller leads.
        """
        with self._lock:
            flight = self._flights.get(key)
            if flight is None:
                flight = _Flight()
                if self._entries.get(key) is not seen:
                    # Somebody landed since the caller looked: a flight that went nowhere makes it look again.
                    flight.done.set()
                    return flight, False
                self._flights[key] = flight
                return flight, True
            if flight.owner == threading.get_ident():
                raise ConfigurationError("a value is read while it is being fetched by the same thread")
            flight.waiting += 1
            return flight, False

    def _lead(
        self, key: Hashable, flight: _Flight[T], fetch: Callable[[], tuple[T, str | None]], usable: Entry[T] | None, *, what: str
    ) -> Entry[T]:
        """
        Fetch for everybody, and end the flight however that goes.
        """
        try:
            entry = self.renew(key, fetch)
        except Exception as exc:  # whatever the source raises: looked at and passed on
            flight.failure = _Failure(exc)
            if usable is None or not _is_transient(exc):
                raise
            self._pause(usable, exc, what=what)
            return usable
        else:
            flight.entry = entry
            return entry
        finally:
            with self._lock:
                if self._flights.get(key) is flight:
                    del self._flights[key]
            flight.done.set()

    def _pause(self, entry: Entry[T], exc: Exception, *, what: str) -> None:
        """
        Let the source rest: longer after each failure, half of it jitter. Warn if *what* is stale by now.
        """
        pause_s = min(MOST_PAUSE_S, FIRST_PAUSE_S * 2**entry.failures) * (0.5 + self._fraction() / 2)
        entry.failures += 1
        entry.retry_at_s = self._monotonic_s() + pause_s
        if what:
            _logger.warning("%s: version %s is served %.0f s old, as it cannot be renewed: %s", what, entry.version, self.age_s(entry), exc)

    def _store(self, key: Hashable, value: T, version: str | None, generation: int) -> Entry[T]:
        softness = SOONEST_SOFT + (1.0 - SOONEST_SOFT) * self._fraction()
        entry = Entry(value, version, wall_s=self._wall_s(), monotonic_s=self._monotonic_s(), generation=generation, softness=softness)
        with self._lock:
            # What was fetched before a turn of the environment's life is handed to its caller and not kept.
            if generation == _runtime.generation():
                self._keep(key, entry)
        return entry

    def _keep(self, key: Hashable, entry: Entry[T]) -> None:
        if isinstance(self._entries, dict):
            self._entries = require("cachetools", extra="all").LRUCache(self._max_entries)
        old = self._entries.get(key)
        if old is not None and entry.version is not None and old.version == entry.version:
            entry.derived = old.derived
        self._recent.pop(key, None)
        if len(self._entries) >= self._max_entries:
            for read in self._recent:
                self._entries.get(read)
            self._recent.clear()
        self._entries[key] = entry


_caches: WeakSet[Cache[Any]] = WeakSet()


def _begin() -> int:
    """
    Take part in the environment's life from the first fetch on, and return the number of its present turn.
    """
    _runtime.watch_life()
    return _runtime.generation()


def _is_transient(exc: Exception) -> bool:
    return bool(getattr(exc, "retryable", False))


def _landed(flight: _Flight[T], usable: Entry[T] | None, wait_s: float | None) -> Entry[T] | None:
    """
    Wait for another caller's fetch; ``None`` when that caller was interrupted and somebody else has to fetch.
    """
    if not flight.done.wait(wait_s):
        if usable is None:
            raise DeadlineError(f"another caller's fetch took longer than the {wait_s:.3f} s there were")
        return usable
    failure = flight.failure
    if failure is None:
        return flight.entry
    if usable is not None and failure.retryable:
        return usable
    raise failure.again()


def _forget() -> None:
    for cache in list(_caches):
        cache.forget()


_runtime.register(fork=_forget, snapshot=_forget, restore=_forget, reset=_forget)
