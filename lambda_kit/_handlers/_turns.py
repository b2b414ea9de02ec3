"""
Whose turn it is: the records of one batch, one after the other or side by side, in order where there is one, while there is time.
"""

from __future__ import annotations

import math
import threading

from lambda_kit import _runtime
from lambda_kit._handlers import _coroutines
from lambda_kit._parallel import parallel_map
from lambda_kit.errors import DeadlineError, LambdaKitError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from lambda_kit._handlers._logic import Logic
    from lambda_kit._handlers._records import Batch, Item
    from lambda_kit._invocation import Invocation

    # What becomes of a result, and of an error; the error that it gives back means that the record is not done.
    OnResult = Callable[[Item, object], None]
    OnError = Callable[[Exception, Item, Invocation], Exception | None]


class Pace:
    """
    How a batch is worked through.

    Attributes:
        concurrency: The most records at once.
        reserve_s: Seconds kept for the answer: no record is started with less.
    """

    __slots__ = ("concurrency", "reserve_s")

    def __init__(self, concurrency: int, reserve_s: float) -> None:
        self.concurrency = concurrency
        self.reserve_s = reserve_s


class Work(Pace):
    """
    What is done with each record, the same in every invocation.
    """

    __slots__ = ("logic", "read")

    def __init__(self, logic: Logic, read: Callable[[Any], object], pace: Pace) -> None:
        super().__init__(pace.concurrency, pace.reserve_s)
        self.logic = logic
        self.read = read


class Turns:
    """
    One batch under way.

    Attributes:
        failed: What is not done, by its position in the batch, and why.
        not_started: How many records there was no time for.
        left_s: How much time there was when the last record had its turn.
    """

    __slots__ = (
        "_cold_counts",
        "_cold_s",
        "_ended_at",
        "_first_end_s",
        "_invocation",
        "_is_cold",
        "_items",
        "_lock",
        "_longest_s",
        "_on_error",
        "_on_result",
        "_stopped",
        "_work",
        "failed",
        "left_s",
        "not_started",
    )

    def __init__(self, items: list[Item], work: Work, invocation: Invocation, on_error: OnError, on_result: OnResult | None) -> None:
        self._items = items
        self._work = work
        self._invocation = invocation
        self._on_error = on_error
        self._on_result = on_result
        # What the first records of an environment take, which load and connect, says little of the others. It counts only until
        # one of those is done, and not at all when the batch comes for the first time. Never counting it would have records
        # that always take long be killed half-done, in a new environment each time, and never be done.
        self._is_cold = _runtime.environment().invocations <= 1
        self._cold_counts = False
        self._cold_s = 0.0
        self._first_end_s = math.inf
        self._longest_s: float | None = None
        # The first failure of each unit: what comes later in it must not be done before that is.
        self._stopped: dict[object, int] = {}
        self.failed: dict[int, Exception] = {}
        self.not_started = 0

    def take(self, batch: Batch) -> None:
        """
        Give each record its turn; those of one of the *batch*'s lanes one after the other.
        """
        count = self._work.concurrency
        self._cold_counts = self._is_cold and not batch.is_new(self._items)
        self.left_s = self._invocation.remaining_s()
        if count == 1 or len(self._items) < 2:
            self._one_by_one()
            return
        self._lock = threading.Lock()
        if self._work.logic.is_async:
            self._interleaved(self._lanes(batch.lane), count)
        else:
            # However long it takes: a record under way cannot be stopped, and Lambda ends the invocation by itself.
            parallel_map(self._lane_of, self._lanes(batch.lane), max_workers=count, timeout_s=math.inf)

    def _one_by_one(self) -> None:
        stopped, begun = self._stopped, 0
        for position, item in enumerate(self._items):
            if stopped and item.unit in stopped:
                self.failed[position] = self.failed[stopped[item.unit]]
                continue
            if begun:
                before_s, self.left_s = self.left_s, self._invocation.remaining_s()
                self._took(before_s - self.left_s, is_first=begun == 1)
            if self._is_late():
                # Nor is there time for any that comes later.
                for late in range(position, len(self._items)):
                    self._late(late)
                return
            begun += 1
            failure = self._attempt(item)
            if failure is not None:
                self._note(position, failure)

    def _lane_of(self, positions: list[int]) -> None:
        for position in positions:
            if self._may_start(position):
                began_s = _runtime.monotonic_s()
                self._ended(position, began_s, self._attempt(self._items[position]))

    async def _lane_of_tasks(self, positions: list[int]) -> None:
        for position in positions:
            if self._may_start(position):
                began_s = _runtime.monotonic_s()
                self._ended(position, began_s, await self._attempt_async(self._items[position]))
                self._ended_at.add(position)

    def _interleaved(self, lanes: list[list[int]], count: int) -> None:
        async def work(waiting: Iterator[list[int]]) -> None:
            for positions in waiting:
                await self._lane_of_tasks(positions)

        async def everyone() -> None:
            import asyncio

            waiting = iter(lanes)
            async with asyncio.TaskGroup() as group:
                for _ in range(min(count, len(lanes))):
                    group.create_task(work(waiting))

        self._ended_at: set[int] = set()
        _coroutines.run(everyone())
        for position in sorted(set(range(len(self._items))) - self._ended_at - set(self.failed)):
            # A task group takes a task that was cancelled for one that is done.
            self._note(position, LambdaKitError("not done: its task was cancelled"))

    def _attempt(self, item: Item) -> Exception | None:
        try:
            result = self._work.logic(self._work.read(item.record))
            if self._on_result is not None:
                self._on_result(item, result)
        except Exception as exc:  # noqa: BLE001  # the other records go on
            return self._on_error(exc, item, self._invocation)
        return None

    async def _attempt_async(self, item: Item) -> Exception | None:
        try:
            result = await self._uncancelled(self._work.read(item.record))
            if self._on_result is not None:
                self._on_result(item, result)
        except Exception as exc:  # noqa: BLE001  # the other records go on
            return self._on_error(exc, item, self._invocation)
        return None

    async def _uncancelled(self, value: object) -> object:
        import asyncio

        try:
            return await self._work.logic.awaited(value)
        except asyncio.CancelledError as exc:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            # Nobody cancelled this task, the logic only waited for one that was. Left alone it would end this task
            # quietly, and the lane's records would count as done.
            raise LambdaKitError("the logic ended with a CancelledError") from exc

    def _lanes(self, lane: Callable[[Item], object]) -> list[list[int]]:
        lanes: dict[object, list[int]] = {}
        for position, item in enumerate(self._items):
            key = lane(item)
            # What is not ordered is a lane of its own.
            lanes.setdefault(("alone", position) if key is None else ("lane", item.unit, key), []).append(position)
        return list(lanes.values())

    def _may_start(self, position: int) -> bool:
        left_s = self._invocation.remaining_s()
        with self._lock:
            stopped_at = self._stopped.get(self._items[position].unit, position)
            if stopped_at < position:
                self.failed[position] = self.failed[stopped_at]
                return False
            self.left_s = left_s
            if self._is_late():
                self._late(position)
                return False
        return True

    def _ended(self, position: int, began_s: float, failure: Exception | None) -> None:
        with self._lock:
            now_s = _runtime.monotonic_s()
            # Several are the first: those that began before any had ended.
            self._first_end_s = min(self._first_end_s, now_s)
            self._took(now_s - began_s, is_first=began_s <= self._first_end_s)
            if failure is not None:
                self._note(position, failure)

    def _took(self, duration_s: float, *, is_first: bool) -> None:
        if not (is_first and self._is_cold):
            self._longest_s = max(self._longest_s or 0.0, duration_s)
        elif self._cold_counts:
            self._cold_s = max(self._cold_s, duration_s)

    def _is_late(self) -> bool:
        longest_s = self._cold_s if self._longest_s is None else self._longest_s
        return self.left_s < longest_s + self._work.reserve_s

    def _late(self, position: int) -> None:
        self.not_started += 1
        late = DeadlineError(f"not started: {self.left_s:.3f} s left of the invocation", remaining_s=self.left_s)
        self._note(position, late)

    def _note(self, position: int, failure: Exception) -> None:
        self.failed[position] = failure
        unit = self._items[position].unit
        if unit is not None:
            self._stopped[unit] = min(position, self._stopped.get(unit, position))
