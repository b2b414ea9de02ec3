"""
The handle of a parameter or a secret: its value as of now, converted once per version.
"""

from __future__ import annotations

import logging
from weakref import WeakSet

from lambda_kit import _runtime
from lambda_kit._configuration._calls import rests_until_s
from lambda_kit._configuration._reading import made, read_together
from lambda_kit._configuration._sources import cache
from lambda_kit._configuration._transports import transport
from lambda_kit._handles import Handle
from lambda_kit._runtime import monotonic_s, wall_s
from lambda_kit.errors import LambdaKitError, ParameterUnavailableError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Generic, TypeVar

    from lambda_kit._cache import Entry
    from lambda_kit._configuration._conversion import Made, Stored
    from lambda_kit._configuration._sources import Source
else:
    from lambda_kit._typing import Generic, TypeVar

T_co = TypeVar("T_co", covariant=True)

_logger = logging.getLogger("lambda_kit")


class _Memo(Generic[T_co]):
    """
    What a handle made of which entry, and the age at which it asks the cache again. The repr shows nothing.
    """

    __slots__ = ("copied", "entry", "soft_s", "value")

    def __init__(self, entry: Entry[Stored], found: Made, soft_s: float) -> None:
        self.entry = entry
        self.value: T_co = found.value
        self.copied = found.copied
        self.soft_s = soft_s

    def given(self) -> T_co:
        value: T_co = self.value if self.copied is None else self.copied(self.value)
        return value


class StoredValue(Handle[T_co]):
    """
    The handle that ``parameter()`` and ``secret()`` return. Its repr shows name, version and age, never the value.

    A value may change between two calls: read it once per invocation.
    """

    __slots__ = ("_convert", "_key", "_max_age_s", "_memo", "_source", "_stale_for_s")

    def __init__(
        self, source: Source, *, convert: Callable[[Any], Any], key: str | None = None, max_age_s: float, stale_for_s: float
    ) -> None:
        self._source = source
        self._convert = convert
        self._key = key
        self._max_age_s = max_age_s
        self._stale_for_s = stale_for_s
        self._memo: _Memo[T_co] | None = None
        _handles.add(self)

    def __call__(self) -> T_co:
        memo = self._memo
        if memo is not None:
            entry, soft_s = memo.entry, memo.soft_s
            # The same test as the cache's own; written out, as a hit costs little more than the two clocks. A turn of the
            # environment's life takes the memo away.
            if 0.0 <= wall_s() - entry.wall_s < soft_s and 0.0 <= monotonic_s() - entry.monotonic_s < soft_s:
                cache.hit()
                return memo.value if memo.copied is None else memo.given()
        return self._read(None).given()

    @property
    def version(self) -> str | None:
        """
        The version the last call returned: SSM's number, Secrets Manager's id; ``None`` before the first call.
        """
        memo = self._memo
        return None if memo is None else memo.entry.version

    @property
    def age_s(self) -> float | None:
        """
        How many seconds ago the value of the last call was fetched; ``None`` before the first call.
        """
        memo = self._memo
        return None if memo is None else cache.age_s(memo.entry)

    def invalidate(self, failed_version: str | None = None) -> None:
        """
        Fetch at the next call, because the value proved wrong.

        Args:
            failed_version: The ``version`` that failed. Nothing happens if a newer one is there already, so that threads which
                all failed with the same value cause one fetch.
        """
        cache.invalidate(self._source.key, failed_version)
        memo = self._memo
        if memo is not None and failed_version in (None, memo.entry.version):
            memo.entry.kill()

    def forget(self) -> None:
        """
        Hold no value any more.
        """
        self._memo = None

    def __load__(self) -> None:
        """
        Import and build what reading the value needs, without reading it.
        """
        transport().load(self._source.service)

    @staticmethod
    def __preload__(things: list[StoredValue[Any]], timeout_s: float) -> None:
        until_s = _runtime.monotonic_s() + timeout_s
        read_together([(thing._source, thing._max_age_s) for thing in things], budget_s=timeout_s)  # noqa: SLF001 - of this very class
        failure: LambdaKitError | None = None
        for thing in things:
            try:
                thing._preload(until_s)  # noqa: SLF001 - of this very class
            except LambdaKitError as exc:
                if exc.retryable:
                    _logger.warning("preload: %s stays lazy: %s", thing._source, exc)  # noqa: SLF001 - of this very class
                else:
                    failure = failure or exc
        if failure is not None:
            raise failure

    def _preload(self, until_s: float) -> None:
        source = self._source
        if cache.known(source.key) is None and _runtime.monotonic_s() < rests_until_s(source.service):
            raise ParameterUnavailableError(f"{source} is not asked for while its service throttles", name=source.name)
        self._read(until_s - _runtime.monotonic_s())

    def _read(self, budget_s: float | None) -> _Memo[T_co]:
        entry, found = made(
            self._source, self._convert, self._key, max_age_s=self._max_age_s, stale_for_s=self._stale_for_s, budget_s=budget_s
        )
        memo: _Memo[T_co] = _Memo(entry, found, self._max_age_s * entry.softness)
        # What was fetched across a turn of the environment's life is handed to this caller and not kept.
        if entry.generation == _runtime.generation():
            self._memo = memo
        return memo

    def __repr__(self) -> str:
        memo = self._memo
        if memo is None:
            return f"<{self._source}, not read>"
        return f"<{self._source}, version {memo.entry.version}, {cache.age_s(memo.entry):.0f} s old>"


_handles: WeakSet[StoredValue[Any]] = WeakSet()


def _forget() -> None:
    for handle in list(_handles):
        handle.forget()


_runtime.register(fork=_forget, snapshot=_forget, restore=_forget, reset=_forget)
