"""
Runs asynchronous logic: one event loop for the environment's life, so that what logic keeps open stays usable.
"""

from __future__ import annotations

import logging
import threading
from contextvars import copy_context

from lambda_kit import _runtime
from lambda_kit.errors import ConfigurationError, LambdaKitError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio
    from collections.abc import Coroutine
    from typing import Any, TypeVar

    T = TypeVar("T")

# Seconds that tasks which logic left behind get to notice their cancellation.
_GRACE_S = 1.0
# Seconds that closing the loop may take: all shutdown hooks together have 0.5.
_CLOSING_S = 0.2

_logger = logging.getLogger("lambda_kit")
_lock = threading.Lock()
_runner: asyncio.Runner | None = None
# Loops of the process this one was forked from. Closing one here would take the parent's file descriptors off the
# polling object that both share; letting it be collected would close it.
_of_parent: list[asyncio.Runner] = []


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """
    Run *coroutine* to its end and return its result, in the context of the caller.

    Tasks that it left behind are cancelled, awaited and logged: a freeze would stop them at any line.

    Raises:
        ConfigurationError: An event loop is running in this thread already.
        LambdaKitError: The coroutine was cancelled, or waited for something that was.
    """
    import asyncio

    if _has_running_loop():
        coroutine.close()
        raise ConfigurationError("an event loop is running in this thread: await handler.logic(...) instead of calling the handler")
    lock = _lock
    if not lock.acquire(blocking=False):
        # Another thread has the loop, and may be waiting for this very call.
        with asyncio.Runner() as runner:
            return _run(runner, coroutine)
    try:
        return _run(_environments_runner(), coroutine)
    finally:
        lock.release()


def _run(runner: asyncio.Runner, coroutine: Coroutine[Any, Any, T]) -> T:
    import asyncio

    try:
        # The runner's own context is that of its first use: another invocation's.
        return runner.run(_tidied(coroutine), context=copy_context())
    except asyncio.CancelledError as exc:
        # No Exception: passed on, it would end the environment.
        raise LambdaKitError("the logic ended with a CancelledError") from exc


def _environments_runner() -> asyncio.Runner:
    import asyncio

    global _runner  # the environment's loop is this module's purpose
    if _runner is None:
        _runtime.watch_life()
        _runner = asyncio.Runner()
    return _runner


def _has_running_loop() -> bool:
    import asyncio

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


async def _tidied(coroutine: Coroutine[Any, Any, T]) -> T:
    import asyncio

    try:
        return await coroutine
    finally:
        left = asyncio.all_tasks() - {asyncio.current_task()}
        if left:
            await _cancel(left)


async def _cancel(tasks: set[asyncio.Task[Any]]) -> None:
    import asyncio

    for task in tasks:
        task.cancel()
    done, running = await asyncio.wait(tasks, timeout=_GRACE_S)
    names = ", ".join(sorted(task.get_name() for task in tasks))
    _logger.warning("cancelled %d task(s) that the logic left behind: %s", len(tasks), names)
    for task in done:
        if not task.cancelled() and (failure := task.exception()) is not None:
            _logger.error("a task that the logic left behind failed: %s", task.get_name(), exc_info=failure)
    if running:
        _logger.error("%d of them still run: they ignore their cancellation", len(running))


def _fork() -> None:
    global _lock, _runner  # see above
    _lock = threading.Lock()
    if _runner is not None:
        _of_parent.append(_runner)
        _runner = None


def _close() -> None:
    """
    Close the loop, unless it is in use: by a thread, or by the very code that a signal interrupted.

    Closing waits for what runs in the loop's threads, and for tasks that ignore their cancellation. Here nobody can wait for
    them, so they are left to a thread that does not keep the process alive.
    """
    global _runner  # see above
    if _runner is None or not _lock.acquire(blocking=False):
        return
    try:
        runner, _runner = _runner, None
        closing = threading.Thread(target=runner.close, name="lambda-kit-loop-closing", daemon=True)
        closing.start()
        closing.join(_CLOSING_S)
        _forget_loop()
    finally:
        _lock.release()
    if closing.is_alive():
        _logger.warning("the event loop is not closed after %.1f s: something in it goes on", _CLOSING_S)


def _forget_loop() -> None:
    import asyncio

    # The runner makes its loop this thread's current one, and takes that back only in the thread that it is closed in.
    asyncio.set_event_loop(None)


_runtime.register(fork=_fork, shutdown=_close, reset=_close)
