"""
parallel_map: many waits at once, inside one invocation.
"""

from __future__ import annotations

import math
import threading
from contextvars import copy_context

from lambda_kit import _runtime
from lambda_kit._invocation import remaining_s
from lambda_kit.errors import ConfigurationError, DeadlineError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from concurrent.futures import Future, ThreadPoolExecutor
    from typing import Any, TypeVar

    T = TypeVar("T")
    R = TypeVar("R")

# A function has one vCPU per 1,769 MB: https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
_MB_PER_CPU = 1769
# Threads that wait need little of it; but each that is woken wants a share, and holds a connection.
_WORKERS_PER_CPU = 8
_FEWEST_WORKERS, _MOST_WORKERS = 4, 32


def parallel_map(
    fn: Callable[[T], R],
    items: Iterable[T],
    *,
    max_workers: int | None = None,
    timeout_s: float | None = None,
) -> list[R]:
    """
    Return ``[fn(item) for item in items]``, worked on by several threads that know the invocation, its deadline and its trace.

    It helps where *fn* waits: for AWS, a database, another service. It does not help where *fn* computes: Python runs one
    thread at a time, and below 1,769 MB a function has less than one processor anyway.

    The first error ends it: what has not started never does, what runs is waited for, and the error is raised.

    Args:
        max_workers: The most threads at once. By default 8 per vCPU the function's memory buys (1 vCPU per 1,769 MB), at
            least 4 and at most 32.
        timeout_s: Seconds for all of it; by default what the invocation has left, and outside of one any time it takes.

    Raises:
        DeadlineError: The time was over before the work was. What was running cannot be stopped, and goes on.
        ConfigurationError: *max_workers* is below 1.
    """
    if max_workers is not None and max_workers < 1:
        raise ConfigurationError(f"parallel_map(max_workers={max_workers}): at least 1 thread works")
    work = list(items)
    until_s = _runtime.monotonic_s() + (remaining_s(math.inf) if timeout_s is None else timeout_s)
    workers = min(len(work), max_workers or default_workers())
    return _Round(fn, until_s, len(work)).in_threads(work, workers) if workers > 1 else _Round(fn, until_s, len(work)).in_turn(work)


def default_workers() -> int:
    """
    Return how many threads that wait suit the function's memory.
    """
    memory_mb = int(_runtime.setting("AWS_LAMBDA_FUNCTION_MEMORY_SIZE") or _MB_PER_CPU)
    return min(_MOST_WORKERS, max(_FEWEST_WORKERS, memory_mb * _WORKERS_PER_CPU // _MB_PER_CPU))


class _Round:
    """
    One call of :func:`parallel_map`.
    """

    __slots__ = ("_count", "_fn", "_lock", "_over", "_until_s", "failure")

    def __init__(self, fn: Callable[[Any], Any], until_s: float, count: int) -> None:
        self._fn = fn
        self._until_s = until_s
        self._count = count
        self._lock = threading.Lock()
        self._over = False
        self.failure: BaseException | None = None

    def in_turn(self, work: list[Any]) -> list[Any]:
        results: list[Any] = []
        for item in work:
            if self._left_s() <= 0:
                raise self._late(len(results))
            results.append(self._fn(item))
        return results

    def in_threads(self, work: list[Any], workers: int) -> list[Any]:
        from concurrent.futures import ThreadPoolExecutor

        pool = ThreadPoolExecutor(workers, thread_name_prefix="parallel_map")
        # Each its own copy: a context can be entered once at a time.
        futures = [pool.submit(copy_context().run, self._one, item) for item in work]
        try:
            return self._gathered(futures)
        finally:
            self._over = True
            _close(pool, is_done=all(future.done() for future in futures))

    def _gathered(self, futures: list[Future[Any]]) -> list[Any]:
        from concurrent.futures import wait

        left_s = self._left_s()
        # After an error the other threads find it out before they begin anything; so all of them end soon.
        waiting = wait(futures, None if left_s == math.inf else left_s).not_done
        failure, self.failure = self.failure, None
        if failure is not None:
            try:
                raise failure
            finally:
                # Its traceback holds this frame, and the caller's with all of its variables.
                del failure
        if waiting:
            raise self._late(len(futures) - len(waiting))
        return [future.result() for future in futures]

    def _one(self, item: Any) -> Any:
        if self._over:
            return None
        try:
            return self._fn(item)
        except BaseException as exc:  # noqa: BLE001  # raised again by the caller's thread
            with self._lock:
                self._over = True
                self.failure = self.failure or exc
            return None

    def _left_s(self) -> float:
        return max(0.0, self._until_s - _runtime.monotonic_s())

    def _late(self, done: int) -> DeadlineError:
        return DeadlineError(f"parallel_map: {self._count - done} of {self._count} items were not done in time", remaining_s=0.0)


def _close(pool: ThreadPoolExecutor, *, is_done: bool) -> None:
    # Whoever is late is not waited for; everybody else has nothing left to do.
    pool.shutdown(wait=is_done, cancel_futures=True)
