"""
Records side by side: lanes keep their order, failures stop what must wait, and nothing undone counts as done.
"""

from __future__ import annotations

import asyncio
import threading
import time
from functools import partial
from typing import Any

import pytest
from pydantic import BaseModel

from lambda_kit import _runtime, handler, invocation
from lambda_kit._handlers._logic import NO_DEPS, Logic
from lambda_kit.testing import FakeContext, LambdaEvents
from tests import threads


class Job(BaseModel):
    number: int


def _jobs(events: LambdaEvents, *numbers: int, **options: Any) -> dict[str, Any]:
    return events.sqs(*({"number": number} for number in numbers), **options)


def _failed(answer: dict[str, Any], event: dict[str, Any]) -> list[int]:
    places = {record["messageId"]: place for place, record in enumerate(event["Records"])}
    return [places[failure["itemIdentifier"]] for failure in answer["batchItemFailures"]]


def test_threads_work_at_once_and_know_the_invocation(events: LambdaEvents, context: FakeContext) -> None:
    """
    Three messages meet at a barrier, each in the invocation.
    """
    meeting = threading.Barrier(3)
    seen = set()

    def logic(job: Job) -> None:
        meeting.wait(threads.TIMEOUT_S)
        seen.add(invocation().request_id)

    answer = handler.sqs(Job, concurrency=3)(logic)(_jobs(events, 1, 2, 3), context)

    assert ({"batchItemFailures": []}, {context.aws_request_id}) == (answer, seen)


def test_tasks_work_at_once_on_the_environments_loop(events: LambdaEvents, context: FakeContext) -> None:
    """
    Asynchronous logic is three tasks of one loop, which is the next invocation's too.
    """
    loops = set()
    queue: asyncio.Queue[int] = asyncio.Queue()

    async def logic(job: Job) -> None:
        loops.add(asyncio.get_running_loop())
        queue.put_nowait(job.number)
        while queue.qsize() % 3:
            await asyncio.sleep(0)

    worker = handler.sqs(Job, concurrency=3)(logic)
    worker(_jobs(events, 1, 2, 3), context)
    worker(_jobs(events, 4, 5, 6), FakeContext())

    assert (1, 6) == (len(loops), queue.qsize())


@pytest.mark.parametrize("is_asynchronous", [False, True])
def test_a_group_is_one_lane(events: LambdaEvents, context: FakeContext, is_asynchronous: bool) -> None:
    """
    Messages of one FIFO group are done one after the other; a failure stops what comes later.
    """
    done = []

    def logic(job: Job) -> None:
        done.append(job.number)
        if job.number == 2:
            raise KeyError("two")

    async def asynchronous(job: Job) -> None:
        await asyncio.sleep(0)
        logic(job)

    event = _jobs(events, 1, 2, 3, fifo=True)
    wired: Any = handler.sqs(Job, concurrency=3)(asynchronous if is_asynchronous else logic)

    assert [1, 2] == _failed(wired(event, context), event)
    assert [1, 2] == done


def test_skipped_groups_do_not_stop_the_others(events: LambdaEvents, context: FakeContext) -> None:
    """
    With skip_group=True a failure returns its own group's later messages, and the other group is done.
    """
    event = _jobs(events, 1, 2, 3, 4, fifo=True)
    for record, group in zip(event["Records"], "abab", strict=True):
        record["attributes"]["MessageGroupId"] = group
    done = []

    def logic(job: Job) -> None:
        done.append(job.number)
        if job.number == 1:
            raise KeyError("one")

    assert [0, 2] == _failed(handler.sqs(Job, skip_group=True)(logic)(event, context), event)
    assert [1, 2, 4] == done


@pytest.mark.parametrize("is_asynchronous", [False, True])
def test_nothing_is_started_without_time(events: LambdaEvents, caplog: pytest.LogCaptureFixture, is_asynchronous: bool) -> None:
    """
    A lane that comes to its next message too late leaves it, and says how many were not started.
    """
    context = FakeContext()
    event = _jobs(events, 1, 2, 3, 4)

    late = threading.Barrier(2)

    def logic(job: Job) -> None:
        if job.number == 2:
            context.use_up()
        if not is_asynchronous and job.number < 3:
            late.wait(threads.TIMEOUT_S)

    async def asynchronous(job: Job) -> None:
        logic(job)
        await asyncio.sleep(0)

    wired: Any = handler.sqs(Job, concurrency=2)(asynchronous if is_asynchronous else logic)

    assert {3} <= set(_failed(wired(event, context), event)) <= {2, 3}
    assert "of 4 records not started" in caplog.text


class ScriptedContext(FakeContext):
    """
    A context with as much time left as it is told.
    """

    left_s = 60.0

    def get_remaining_time_in_millis(self) -> int:
        return int(1000 * self.left_s)


@pytest.mark.parametrize(("invocations", "expected"), [(0, []), (2, [3])], ids=["cold", "warm"])
def test_the_first_records_of_an_environment_count_until_another_is_done(
    events: LambdaEvents, invocations: int, expected: list[int]
) -> None:
    """
    Side by side, the first are those that began before any had ended. In a warm environment they count like all others.
    """
    context, event = ScriptedContext(), _jobs(events, 1, 2, 3, 4)
    done = asyncio.Event()
    for _ in range(invocations):
        _runtime.begin_invocation()

    async def logic(job: Job) -> None:
        if job.number == 1:
            await asyncio.sleep(0)
            time.sleep(0.3)  # what takes long is the test
        elif job.number == 2:
            await done.wait()
        elif job.number == 3:
            context.left_s = 0.3
            done.set()

    assert expected == _failed(handler.sqs(Job, concurrency=2)(logic)(event, context), event)


def test_a_cancelled_error_of_the_logic_is_a_failure(events: LambdaEvents, context: FakeContext) -> None:
    """
    Logic that waits for a cancelled task does not end its lane as if that were done.
    """

    async def logic(job: Job) -> None:
        if job.number == 1:
            task = asyncio.ensure_future(asyncio.sleep(60))
            task.cancel()
            await task

    event = _jobs(events, 1, 2, 3)

    assert [0] == _failed(handler.sqs(Job, concurrency=2)(logic)(event, context), event)


def test_what_a_cancelled_task_did_not_do_is_not_done(events: LambdaEvents, context: FakeContext) -> None:
    """
    Logic that cancels the very task it runs in acknowledges nothing that its lane had not done; the other lanes go on.
    """

    async def logic(job: Job) -> None:
        if job.number == 1:
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
        await asyncio.sleep(0)

    event = _jobs(events, 1, 2, 3, 4)

    assert [0] == _failed(handler.sqs(Job, concurrency=2)(logic)(event, context), event)


def test_an_exit_in_a_thread_ends_the_batch(events: LambdaEvents, context: FakeContext) -> None:
    """
    What is no Exception ends the invocation, as without threads.
    """

    def logic(job: Job) -> None:
        raise SystemExit(3)

    with pytest.raises(SystemExit):
        handler.sqs(Job, concurrency=2)(logic)(_jobs(events, 1, 2), context)


class Asynchronous:
    async def __call__(self, value: object) -> object:
        return value

    async def method(self, value: object) -> object:
        return value


async def _function(value: object) -> object:
    return value


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (_function, True),
        (partial(_function), True),
        (Asynchronous(), True),
        (Asynchronous().method, True),
        (print, False),
        (lambda value: value, False),
        (partial(print), False),
    ],
)
def test_asynchronous_logic_is_known_by_its_code(function: Any, expected: bool) -> None:
    """
    Functions, partials, methods and objects that can be called.
    """
    assert expected is Logic(function, deps=NO_DEPS, errors={}).is_async
