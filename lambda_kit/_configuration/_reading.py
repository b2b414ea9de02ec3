"""
From a source to its value: out of the cache, or from AWS within the time there is.
"""

from __future__ import annotations

from lambda_kit import _invocation, _runtime
from lambda_kit._configuration import _sources
from lambda_kit._configuration._batches import fetch_along, fetch_together
from lambda_kit._configuration._calls import rests_until_s
from lambda_kit._configuration._conversion import converted
from lambda_kit._configuration._sources import cache, obtained
from lambda_kit.errors import DeadlineError, ParameterUnavailableError, ParameterValueError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable
    from typing import Any

    from lambda_kit._cache import Entry
    from lambda_kit._configuration._conversion import Made, Stored
    from lambda_kit._configuration._sources import Fetched, Source

# What a read may take off Lambda, where there is no deadline.
UNBOUNDED_S = 60.0
# What a caller who has a value already spends on a newer one, or a third of what is left if that is less: one attempt that
# takes 1.5 s at most, and a call of its own after a common one that was refused.
REFRESH_S = 2.0
# How soon a value that convert refused is asked for again: it may have been corrected.
REFUSED_S = 5.0


def read(source: Source, max_age_s: float, stale_for_s: float, *, budget_s: float | None = None) -> Entry[Stored]:
    """
    Return the value from the cache, or from AWS when it is too old.
    """
    left_s = _invocation.remaining_s(UNBOUNDED_S) if budget_s is None else budget_s
    try:
        return cache.get(
            source.key,
            lambda: obtained(source, left_s),
            max_age_s=max_age_s,
            stale_for_s=source.stale_for_s(stale_for_s),
            wait_s=max(left_s, 0.0),
            what=str(source),
            refresh=lambda: _refreshed(source, min(REFRESH_S, left_s / 3)),
            rests_until_s=lambda: rests_until_s(source.service),
        )
    except DeadlineError as exc:
        raise ParameterUnavailableError(f"{source}: no time left to wait for it: {exc}", name=source.name) from exc


def read_again(source: Source, max_age_s: float) -> Entry[Stored]:
    """
    Return the value from AWS, and keep it.
    """
    return cache.renew(source.key, lambda: obtained(source, _invocation.remaining_s(UNBOUNDED_S)), max_age_s=max_age_s)


def read_together(wanted: Iterable[tuple[Source, float]], *, budget_s: float | None = None, fresh: bool = False) -> frozenset[Hashable]:
    """
    Fill the cache with what is missing in it, in the fewest calls; with *fresh*, as if all were. Return the keys of what came.
    """
    if _sources.substitute is not None:
        return frozenset()
    left_s = _invocation.remaining_s(UNBOUNDED_S) if budget_s is None else budget_s
    return fetch_together(wanted, left_s, fresh=fresh)


def made(
    source: Source,
    convert: Callable[[Any], Any],
    key: str | None,
    *,
    max_age_s: float,
    stale_for_s: float,
    budget_s: float | None = None,
) -> tuple[Entry[Stored], Made]:
    """
    Return the value and what *convert* makes of it. What it refuses is fetched again if it is not quite new.
    """
    entry = read(source, max_age_s, stale_for_s, budget_s=budget_s)
    try:
        return entry, converted(entry, convert, key, what=source, name=source.name)
    except ParameterValueError:
        if _runtime.monotonic_s() - entry.monotonic_s < REFUSED_S:
            raise
    entry = read(source, REFUSED_S, max_age_s + stale_for_s - REFUSED_S, budget_s=budget_s)
    return entry, converted(entry, convert, key, what=source, name=source.name)


def _refreshed(source: Source, budget_s: float) -> Fetched:
    return fetch_along(source, budget_s) if _sources.substitute is None else obtained(source, budget_s)
