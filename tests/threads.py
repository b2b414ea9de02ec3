"""
Threads that meet on purpose: all at once, or one known to have come to a certain line.
"""

from __future__ import annotations

import linecache
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

TIMEOUT_S = 60.0


def at_once(count: int, call: Callable[[], T]) -> list[T]:
    """
    Call *call* in *count* threads that start together; return the results, or raise the first error.
    """
    start = threading.Barrier(count)
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        start.wait()
        try:
            results.append(call())
        except BaseException as exc:  # noqa: BLE001  # raised again below, in the test's own thread
            errors.append(exc)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return results


def wait_until_at(thread: threading.Thread, text: str) -> None:
    """
    Return once the innermost Python frame of *thread* is at a line that contains *text*, such as one that takes a lock.
    """
    until_s = time.monotonic() + TIMEOUT_S
    while True:
        frame = sys._current_frames().get(thread.ident or 0)
        if frame is not None and text in linecache.getline(frame.f_code.co_filename, frame.f_lineno):
            return
        assert thread.is_alive(), f"ended without coming to {text!r}"
        assert time.monotonic() < until_s, f"did not come to {text!r}"
        os.sched_yield()
