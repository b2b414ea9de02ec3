"""
Asynchronous logic: one event loop for the environment's life, and nothing left running.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from lambda_kit import _runtime, handler, invocation
from lambda_kit._handlers import _coroutines
from lambda_kit.errors import ConfigurationError, LambdaKitError
from lambda_kit.testing import FakeContext
from tests import fresh_process, threads


def _wired(logic: Any) -> Any:
    return handler.invoke(lambda event: event)(logic)


def test_the_loop_lives_as_long_as_the_environment() -> None:
    """
    What belongs to the loop, such as a queue, works across invocations.
    """
    queue: asyncio.Queue[int] = asyncio.Queue()
    loops = []

    async def logic(event: dict[str, int]) -> int:
        loops.append(asyncio.get_running_loop())
        await queue.put(event["n"])
        return queue.qsize()

    wired = _wired(logic)

    assert [1, 2] == [wired({"n": n}, FakeContext()) for n in (1, 2)]
    assert loops[0] is loops[1]


def test_each_invocation_is_the_current_one_in_its_coroutine() -> None:
    """
    The loop is the first invocation's, the context is not.
    """

    async def logic(_: object) -> str:
        return invocation().request_id

    contexts = [FakeContext(), FakeContext()]

    assert [context.aws_request_id for context in contexts] == [_wired(logic)({}, context) for context in contexts]


def test_tasks_left_behind_are_cancelled_awaited_and_logged(context: FakeContext, caplog: pytest.LogCaptureFixture) -> None:
    """
    A freeze would stop them at any line; so they get to clean up, and the log names them.
    """
    cleaned = []

    async def forever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cleaned.append(True)

    async def logic(_: object) -> None:
        task = asyncio.create_task(forever(), name="background")
        await asyncio.sleep(0)
        assert not task.done()

    _wired(logic)({}, context)

    assert [True] == cleaned
    assert ["cancelled 1 task(s) that the logic left behind: background"] == [record.getMessage() for record in caplog.records]


def test_tasks_left_behind_by_a_failure_are_cancelled_too(context: FakeContext, caplog: pytest.LogCaptureFixture) -> None:
    """
    The logic's error is what the caller gets.
    """

    async def logic(_: object) -> None:
        task = asyncio.create_task(asyncio.Event().wait(), name="background")
        raise KeyError(task.get_name())

    with pytest.raises(KeyError, match="background"):
        _wired(logic)({}, context)

    assert "left behind: background" in caplog.text


def test_a_task_that_fails_while_it_is_cancelled_is_logged(context: FakeContext, caplog: pytest.LogCaptureFixture) -> None:
    """
    Its error is not lost, and is not the invocation's.
    """

    async def stubborn() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise OSError("while cleaning up")

    async def logic(_: object) -> int:
        task = asyncio.create_task(stubborn(), name="stubborn")
        await asyncio.sleep(0)
        return len(task.get_name())

    assert 8 == _wired(logic)({}, context)
    assert "a task that the logic left behind failed: stubborn" in caplog.text
    assert "while cleaning up" in caplog.text


def test_a_task_that_ignores_its_cancellation_is_not_waited_for(context: FakeContext, caplog: pytest.LogCaptureFixture) -> None:
    """
    The invocation ends all the same, and the log says so.
    """
    stop = asyncio.Event()

    async def deaf() -> None:
        while not stop.is_set():
            try:
                await stop.wait()
            except asyncio.CancelledError:
                continue

    async def logic(_: object) -> None:
        task = asyncio.create_task(deaf(), name="deaf")
        await asyncio.sleep(0)
        assert not task.done()

    async def tidy(_: object) -> None:
        stop.set()

    _wired(logic)({}, context)
    _wired(tidy)({}, context)

    assert "1 of them still run: they ignore their cancellation" in caplog.text


def test_a_running_loop_is_explained(context: FakeContext) -> None:
    """
    A handler cannot be called from a coroutine; the error says what to do instead.
    """
    called = []

    async def logic(_: object) -> None:
        called.append(1)

    async def caller() -> None:
        _wired(logic)({}, context)

    with pytest.raises(ConfigurationError, match=r"await handler\.logic"):
        asyncio.run(caller())

    assert [] == called


def test_a_thread_may_call_a_handler_while_the_loop_runs() -> None:
    """
    Asynchronous logic that waits for another handler in a thread does not wait for ever.
    """
    contexts = [FakeContext(), FakeContext()]

    async def inner(_: object) -> str:
        return invocation().request_id

    async def outer(_: object) -> list[str]:
        found = await asyncio.to_thread(_wired(inner), {}, contexts[1])
        return [invocation().request_id, found]

    assert [context.aws_request_id for context in contexts] == _wired(outer)({}, contexts[0])


def test_a_reset_closes_the_loop(context: FakeContext) -> None:
    """
    A cold environment has a loop of its own.
    """
    loops = []

    async def logic(_: object) -> None:
        loops.append(asyncio.get_running_loop())

    _wired(logic)({}, context)
    _runtime.reset()
    _wired(logic)({}, context)

    assert loops[0] is not loops[1]
    assert loops[0].is_closed()


def test_a_forked_child_has_its_own_loop_and_leaves_the_parents_alone() -> None:
    """
    Both go on after a fork, also when the child ends first and cleans up after itself.
    """
    code = """
        import asyncio, json, os
        from lambda_kit import _runtime, handler
        from lambda_kit.testing import FakeContext

        loops = []
        async def logic(event):
            loops.append(asyncio.get_running_loop())
            return await asyncio.to_thread(lambda: event["n"])
        wired = handler.invoke(lambda event: event)(logic)

        before = wired({"n": 1}, FakeContext())
        child = os.fork()
        if child == 0:
            answer = wired({"n": 2}, FakeContext())
            same = loops[0] is loops[1]
            _runtime.reset()
            os._exit(0 if answer == 2 and not same else 1)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        after = wired({"n": 3}, FakeContext())
        same = loops[0] is loops[1]
        _runtime.reset()
        print(json.dumps([before, status, after, same]))
    """

    assert [1, 0, 3, True] == fresh_process.result(code)


def test_the_parents_loop_is_kept_open_in_a_child(context: FakeContext) -> None:
    """
    Closing it, or letting it be collected, would take the parent's descriptors off the polling object that both share.
    """
    loops = []

    async def logic(_: object) -> None:
        loops.append(asyncio.get_running_loop())

    _wired(logic)({}, context)
    _runtime.forked()
    _runtime.forked()
    _wired(logic)({}, context)

    assert loops[0] is not loops[1]
    assert not loops[0].is_closed()
    _coroutines._of_parent.pop().close()


def test_shutting_down_closes_the_loop() -> None:
    """
    A process that ends in order leaves no loop open.
    """
    code = """
        import json
        from lambda_kit import _runtime, handler
        from lambda_kit.testing import FakeContext

        async def logic(event):
            return 1
        print(json.dumps(handler.invoke(lambda event: event)(logic)({}, FakeContext())))
        _runtime.shut_down()
    """

    assert 1 == fresh_process.result(code)


def test_cancelled_logic_is_an_ordinary_error(context: FakeContext) -> None:
    """
    A CancelledError is no Exception, and would end the environment; the next invocation finds the same loop.
    """
    loops = []

    async def logic(event: dict[str, bool]) -> None:
        loops.append(asyncio.get_running_loop())
        task = asyncio.current_task()
        assert task is not None
        if event["cancel"]:
            task.cancel()
        await asyncio.sleep(0)

    with pytest.raises(LambdaKitError, match="ended with a CancelledError"):
        _wired(logic)({"cancel": True}, context)
    _wired(logic)({"cancel": False}, FakeContext())

    assert loops[0] is loops[1]


def test_closing_waits_for_nobodys_thread(context: FakeContext, caplog: pytest.LogCaptureFixture) -> None:
    """
    What runs in the loop's threads, and may never end, does not use up the time that a shutdown has.
    """
    go_on = threading.Event()
    loops = []

    async def logic(_: object) -> None:
        loops.append(asyncio.get_running_loop())
        loops[0].run_in_executor(None, go_on.wait, threads.TIMEOUT_S)

    _wired(logic)({}, context)
    _runtime.shut_down()

    assert not loops[0].is_closed()
    assert "the event loop is not closed after 0.2 s" in caplog.text
    go_on.set()
    for thread in threading.enumerate():
        if thread.name == "lambda-kit-loop-closing":
            thread.join(threads.TIMEOUT_S)
    assert loops[0].is_closed()


@pytest.mark.parametrize("close", [_runtime.shut_down, _runtime.reset])
def test_a_loop_in_use_is_not_closed(context: FakeContext, close: Callable[[], None]) -> None:
    """
    A signal may come while the logic runs, which then goes on to its end.
    """
    loops = []

    async def logic(_: object) -> int:
        loops.append(asyncio.get_running_loop())
        close()
        return await asyncio.to_thread(int, 1)

    assert 1 == _wired(logic)({}, context)
    assert not loops[0].is_closed()
