"""
What the configuration cache has done so far, in numbers.
"""

from __future__ import annotations

from lambda_kit._configuration import _calls
from lambda_kit._configuration._sources import cache


class ConfigStats:
    """
    The numbers of this process at one moment: a frozen value.

    Attributes:
        hits: Reads answered from memory, by a value that was not too old or by a refusal that was quite new.
        misses: Reads that waited for AWS.
        stale_served: Reads answered by a value that was too old, because a newer one could not be had at once.
        refresh_ok: Values fetched one by one, at first or anew.
        refresh_err: Such fetches that failed.
        throttled: Requests that AWS throttled, the SDK's own retries not counted.
    """

    __slots__ = ("hits", "misses", "refresh_err", "refresh_ok", "stale_served", "throttled")

    hits: int
    misses: int
    stale_served: int
    refresh_ok: int
    refresh_err: int
    throttled: int

    def __init__(self, **numbers: int) -> None:
        for name in self.__slots__:
            object.__setattr__(self, name, numbers[name])

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"ConfigStats are frozen: {name!r} cannot be set")

    def __repr__(self) -> str:
        return f"<ConfigStats {' '.join(f'{name}={getattr(self, name)}' for name in self.__slots__)}>"


def config_stats() -> ConfigStats:
    """
    Return what the reads of parameters, secrets and encrypted variables have come to so far in this process.

    Every read is counted once: as a hit, a miss, or stale.
    """
    counted = cache.tallies
    return ConfigStats(
        hits=counted.hits.value,
        misses=counted.misses.value,
        stale_served=counted.stale_served.value,
        refresh_ok=counted.refresh_ok.value,
        refresh_err=counted.refresh_err.value,
        throttled=_calls.throttled.value,
    )
