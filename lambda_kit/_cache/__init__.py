"""
Values that grow old: kept, renewed by one caller at a time, and served a little too old when their source fails.

An entry is FRESH, then SOFT (one caller renews it, the others get the old value at once), then EXPIRED (it is renewed, and
served stale if that fails for a passing reason), then DEAD. Where values come from, and the clocks, are passed in.
"""

from __future__ import annotations

import logging
import threading
from itertools import count
from weakref import WeakSet

from lambda_kit import _runtime
from lambda_kit._cache._entries import MAX_DERIVED, Entry, Failure, Flight, Refusal, Tallies, Tally, fraction, is_transient
from lambda_kit._cache._shelf import Shelf
from lambda_kit.errors import ConfigurationError, LambdaKitError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from typing import Any, Generic, TypeVar

    from lambda_kit._cache._entries import Since

    T = TypeVar("T")
    # Returns value and version.
    Fetch = Callable[[], tuple[T, str | None]]
else:
    from lambda_kit._typing import Generic, TypeVar

    T = TypeVar("T")

__all__ = ["MAX_DERIVED", "Cache", "Entry", "Tally", "fraction"]

# Pauses between attempts to renew while the source fails.
FIRST_PAUSE_S = 1.0
MOST_PAUSE_S = 60.0
# An entry turns SOFT after this part of its age, or later: many environments started at once do not renew at once.
SOONEST_SOFT = 0.5
# What turns SOFT within this part of its age is worth renewing when something else is renewed anyway.
DUE_SOON = 0.2
# How long a failure that does not pass is remembered: a loop over a missing name is one call, and a name just created is seen.
REFUSED_S = 5.0

_logger = logging.getLogger("lambda_kit")


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
        fraction: Callable[[], float] = fraction,
    ) -> None:
        self._max_entries = max_entries
        self._wall_s = wall_s
        self._monotonic_s = monotonic_s
        self._fraction = fraction
        self._count_from_zero()
        self.forget()
        _caches.add(self)

    def forget(self) -> None:
        """
        Drop all values. A lock held at a fork by a thread that is no more is replaced.
        """
        self._lock = threading.Lock()
        self._shelf: Shelf[T] = Shelf(self._max_entries)
        self._recent = self._shelf.recent
        self._flights: dict[Hashable, Flight[T]] = {}
        self._refused: dict[Hashable, Refusal] = {}

    def reset(self) -> None:
        """
        Drop all values, whoever still holds their entries, and count from zero.
        """
        for _, entry in self._shelf.content():
            entry.kill()
        self.forget()
        self._count_from_zero()

    def _count_from_zero(self) -> None:
        self.tallies = Tallies()
        # For who keeps an entry and finds it fresh without asking here.
        self.hit = self.tallies.hits.add

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

    def age_s(self, entry: Entry[T] | Refusal) -> float:
        """
        Return how old *entry* is: what the older clock says, and infinity when one went backwards or the entry is dead.
        """
        wall_s, monotonic_s = self._wall_s() - entry.wall_s, self._monotonic_s() - entry.monotonic_s
        if wall_s < 0 or monotonic_s < 0 or entry.generation != _runtime.generation():
            return float("inf")
        return max(wall_s, monotonic_s)

    def known(self, key: Hashable) -> Entry[T] | None:
        """
        Return the entry of *key*, however old.
        """
        with self._lock:
            return self._shelf.get(key)

    def due(self) -> list[Hashable]:
        """
        Return the keys of what has to be renewed now or soon, and is worth fetching along with something else.
        """
        with self._lock:
            known = self._shelf.content()
        return [key for key, entry in known if entry.max_age_s * (entry.softness - DUE_SOON) <= self.age_s(entry) < float("inf")]

    def get(
        self,
        key: Hashable,
        fetch: Fetch[T],
        *,
        max_age_s: float,
        stale_for_s: float = 0.0,
        wait_s: float | None = None,
        what: str = "a value",
        refresh: Fetch[T] | None = None,
        rests_until_s: Callable[[], float] | None = None,
    ) -> Entry[T]:
        """
        Return the entry of *key*, fetching it if need be. However many callers come at once, one fetches.

        A failure that does not pass is raised again, without a fetch, for 5 s.

        Args:
            fetch: Returns value and version, or raises; an error with ``retryable`` true is a passing one. A waiting
                caller gets an error of its own with the same cause.
            stale_for_s: How long after *max_age_s* the value may still be served when fetching fails for a passing reason.
            wait_s: How long to wait for another caller's fetch; ``None``: for as long as it takes.
            what: What the warning about a stale value calls it.
            refresh: Used instead of *fetch* when there is a value to fall back on: may try less hard.
            rests_until_s: Until when, on the monotonic clock, the source should be left alone if there is a value.

        Raises:
            DeadlineError: Another caller's fetch took longer than *wait_s*.
        """
        while True:
            entry = self.fresh(key, max_age_s)
            if entry is not None:
                self.hit()
                return entry
            old = self._peek(key)
            age_s = float("inf") if old is None else self.age_s(old)
            usable = old if age_s < max_age_s + stale_for_s else None
            stale = age_s >= max_age_s
            if usable is None:
                self._raise_refused(key)
            elif self._rests(usable, rests_until_s, what=what if stale else ""):
                return self._served(usable, stale)
            flight, leads = self._board(key, old)
            if leads:
                chosen = fetch if usable is None or refresh is None else refresh
                return self._lead(key, flight, chosen, usable, max_age_s=max_age_s, what=what if stale else "")
            # What another caller renews is not worth waiting for: an old value now is better than a new one after an outage.
            if usable is not None:
                return self._served(usable, stale)
            landed = flight.landed(wait_s)
            if landed is not None:
                self.tallies.misses.add()
                return landed

    def renew(self, key: Hashable, fetch: Fetch[T], *, max_age_s: float = float("inf")) -> Entry[T]:
        """
        Fetch and keep, whatever is there. What fails is raised; after a failure that does not pass, nothing is kept.
        """
        self.tallies.misses.add()
        return self._fetched(key, fetch, max_age_s)

    def begin(self) -> Since:
        """
        Return what tells :meth:`put` when a fetch by other means began.
        """
        _runtime.watch_life()
        return _runtime.generation(), next(_fetches)

    def put(self, key: Hashable, value: T, version: str | None, *, max_age_s: float = float("inf"), since: Since | None = None) -> Entry[T]:
        """
        Keep a value that was fetched by other means, such as together with others, *since* that began or just now.
        """
        return self._store(key, value, version, since or self.begin(), max_age_s)

    def refuse(self, key: Hashable, exc: Exception) -> None:
        """
        Drop the entry of *key*, and raise *exc* for it for a moment if that is the source's last word.
        """
        with self._lock:
            self._drop(key)
        # A wrong set-up is corrected by whoever gets the error; an error that is none of the kit's may be anything.
        if not isinstance(exc, LambdaKitError) or isinstance(exc, ConfigurationError):
            return
        wall_s, monotonic_s, generation = self._wall_s(), self._monotonic_s(), _runtime.generation()
        with self._lock:
            if len(self._refused) >= self._max_entries:
                del self._refused[next(iter(self._refused))]
            self._refused[key] = Refusal(Failure(exc).without_frames(), wall_s=wall_s, monotonic_s=monotonic_s, generation=generation)

    def invalidate(self, key: Hashable, failed_version: str | None = None) -> bool:
        """
        Drop the entry of *key*, or only if it still has *failed_version*; tell whether it was dropped.

        Callers that all saw the same bad value so cause one fetch, however late they come. A fetch that is under way may bring
        that value once more: nobody joins it any more, and what it brings is not kept.
        """
        with self._lock:
            entry = self._shelf.get(key)
            if failed_version is not None and (entry is None or failed_version != entry.version):
                return False
            self._flights.pop(key, None)
            self._shelf.bar(key, next(_fetches))
            return self._drop(key)

    def _drop(self, key: Hashable) -> bool:
        self._refused.pop(key, None)
        entry = self._shelf.pop(key)
        if entry is not None:
            entry.kill()
        return entry is not None

    def _peek(self, key: Hashable) -> Entry[T] | None:
        with self._lock:
            return self._shelf.use(key)

    def _fetched(self, key: Hashable, fetch: Fetch[T], max_age_s: float, flight: Flight[T] | None = None) -> Entry[T]:
        since = self.begin()
        try:
            value, version = fetch()
        except Exception as exc:  # whatever the source raises: looked at and passed on
            self.tallies.refresh_err.add()
            if not is_transient(exc):
                self.refuse(key, exc)
            raise
        self.tallies.refresh_ok.add()
        return self._store(key, value, version, since, max_age_s, flight)

    def _raise_refused(self, key: Hashable) -> None:
        refusal = self._refused.get(key)
        if refusal is None:
            return
        if self.age_s(refusal) < REFUSED_S:
            self.hit()
            raise refusal.failure.again()
        with self._lock:
            # A newer one may have come meanwhile; then it is asked for once more, and no harm done.
            self._refused.pop(key, None)

    def _rests(self, entry: Entry[T], rests_until_s: Callable[[], float] | None, *, what: str) -> bool:
        """
        Tell whether the source is to be left alone for now: for this entry, or, as it throttles, for all.
        """
        now_s = self._monotonic_s()
        if now_s < entry.retry_at_s:
            return True
        until_s = rests_until_s() if rests_until_s is not None else 0.0
        if now_s >= until_s:
            return False
        entry.retry_at_s = until_s
        self._warn(entry, "its service wants a rest", what=what)
        return True

    def _served(self, entry: Entry[T], stale: bool) -> Entry[T]:
        (self.tallies.stale_served if stale else self.tallies.hits).add()
        return entry

    def _board(self, key: Hashable, seen: Entry[T] | None) -> tuple[Flight[T], bool]:
        """
        Return the flight under way for *key*, or a new one that the caller leads.
        """
        with self._lock:
            flight = self._flights.get(key)
            if flight is None:
                flight = Flight()
                if self._shelf.get(key) is not seen:
                    # Somebody landed since the caller looked: a flight that went nowhere makes it look again.
                    flight.done.set()
                    return flight, False
                self._flights[key] = flight
                return flight, True
            if flight.owner == threading.get_ident():
                raise ConfigurationError("a value is read while it is being fetched by the same thread")
            flight.waiting += 1
            return flight, False

    def _lead(self, key: Hashable, flight: Flight[T], fetch: Fetch[T], usable: Entry[T] | None, *, max_age_s: float, what: str) -> Entry[T]:
        """
        Fetch for everybody, and end the flight however that goes.
        """
        try:
            entry = self._fetched(key, fetch, max_age_s, flight)
        except Exception as exc:  # whatever the source raises: looked at and passed on
            flight.failure = Failure(exc)
            if usable is None or not is_transient(exc):
                self.tallies.misses.add()
                raise
            self._pause(usable, exc, what=what)
            return self._served(usable, bool(what))
        else:
            flight.entry = entry
            self.tallies.misses.add()
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
        self._warn(entry, exc, what=what)

    def _warn(self, entry: Entry[T], why: object, *, what: str) -> None:
        if what:
            _logger.warning("%s: version %s is served %.0f s old, as it cannot be renewed: %s", what, entry.version, self.age_s(entry), why)

    def _store(
        self, key: Hashable, value: T, version: str | None, since: Since, max_age_s: float, flight: Flight[T] | None = None
    ) -> Entry[T]:
        entry = Entry(
            value,
            version,
            wall_s=self._wall_s(),
            monotonic_s=self._monotonic_s(),
            since=since,
            softness=SOONEST_SOFT + (1.0 - SOONEST_SOFT) * self._fraction(),
            max_age_s=max_age_s,
        )
        with self._lock:
            kept = self._shelf.get(key)
            if kept is not None and kept.began > entry.began:
                return kept
            # What was fetched before a turn of the environment's life is handed to its caller and not kept.
            if entry.generation == _runtime.generation() and (flight is None or self._flights.get(key) is flight):
                if kept is not None:
                    entry.succeed(kept)
                self._refused.pop(key, None)
                self._shelf.put(key, entry)
        return entry


_caches: WeakSet[Cache[Any]] = WeakSet()
_fetches = count()


def _forget() -> None:
    for cache in list(_caches):
        cache.forget()


def _reset() -> None:
    for cache in list(_caches):
        cache.reset()


_runtime.register(fork=_forget, snapshot=_forget, restore=_forget, reset=_reset)
