"""
The functions' callers: each has an environment of its own, under Lambda's runtime client, and freezes it between invocations.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from typing import TYPE_CHECKING, Any

from benchmarks._chaos.oracle import Run
from lambda_kit._local import LocalFunction
from lambda_kit._local._function import ON_DEMAND, SNAP_START
from lambda_kit._local._guard import KILL_TIMEOUT_S, has_ended

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from benchmarks._chaos.schedule import Plan

HANDLER = "benchmarks._chaos.app.entry"
# A caller has this one's patience, the next caller the next one's.
TIMEOUTS_S = (3.0, 4.0, 2.0, 6.0)
# What is connected before the snapshot must not be used after it.
INIT_TYPES = (ON_DEMAND, ON_DEMAND, ON_DEMAND, SNAP_START)
# How long a fault waits for an invocation to hit.
PATIENCE_S = 0.5
# Only for invocations that went wrong: what they said is evidence.
MOST_LINES = 60


class Environment:
    """
    Invoke one function, one event after the other, until told to stop.

    Attributes:
        runs: What came of each invocation.
        happened: How often what happened between invocations.
        counted: What databases had counted when a process was last heard of, by process.
    """

    def __init__(self, number: int, plan: Plan, *, root: Path, environ: Mapping[str, str], on_line: Callable[[str], None]) -> None:
        self.number = number
        self.timeout_s = TIMEOUTS_S[(number - 1) % len(TIMEOUTS_S)]
        self._init_type = INIT_TYPES[(number - 1) % len(INIT_TYPES)]
        self.runs: list[Run] = []
        self.happened: dict[str, int] = {}
        self.counted: dict[tuple[int, int], dict[str, Any]] = {}
        self._plan = plan
        self._root = root
        self._environ = dict(environ)
        self._on_line = on_line
        self._stop = threading.Event()
        self._lock = threading.Condition()
        # The process, while it is known; set while an event is worked on.
        self._pidfd: int | None = None
        self._life = 0
        self._invoking = False
        self._interrupted = False
        self._stalled_s = 0.0
        self._thread = threading.Thread(target=self._run, name=f"environment-{number}", daemon=True)

    def start(self) -> None:
        """
        Begin to invoke.
        """
        self._thread.start()

    def stop(self) -> None:
        """
        Let the invocation under way end, and shut down.
        """
        self._stop.set()
        self._thread.join()

    def stall(self, seconds: float, delay_s: float) -> bool:
        """
        Stop the process in the middle of an invocation, *delay_s* after it has begun; tell whether there was one.
        """
        with self._lock:
            if not self._await(delay_s) or not self._signal(signal.SIGSTOP):
                return False
            time.sleep(seconds)
            self._signal(signal.SIGCONT)
            self._stalled_s += seconds
            return True

    def kill(self, delay_s: float) -> bool:
        """
        Kill the process in the middle of an invocation, *delay_s* after it has begun; tell whether there was one.
        """
        with self._lock:
            if not self._await(delay_s) or self._pidfd is None:
                return False
            self._interrupted = True
            return self._signal(signal.SIGKILL)

    def _await(self, delay_s: float) -> bool:
        """
        Wait for an invocation, and a little longer.
        """
        if not self._lock.wait_for(lambda: self._invoking and self._pidfd is not None, timeout=PATIENCE_S):
            return False
        self._lock.wait(delay_s)
        return self._invoking

    def _run(self) -> None:
        while not self._stop.is_set():
            with LocalFunction(
                HANDLER,
                task_root=self._root,
                timeout_s=self.timeout_s,
                environ=self._environ,
                on_line=self._on_line,
                function_name="chaos",
                init_type=self._init_type,
            ) as function:
                self._live(function)
            self._forget()

    def _live(self, function: LocalFunction) -> None:
        """
        Invoke until the environment is to be replaced by a new one.
        """
        while not self._stop.is_set():
            self._invoke(function)
            what, seconds = self._plan.pause()
            self.happened[what] = self.happened.get(what, 0) + 1
            if what == "replaced":
                return
            if what == "killed":
                self._end()
                continue
            if what == "frozen":
                self._signal(signal.SIGSTOP)
            self._stop.wait(seconds)
            if what == "frozen":
                self._signal(signal.SIGCONT)

    def _invoke(self, function: LocalFunction) -> None:
        event = self._plan.event()
        with self._lock:
            self._invoking, self._interrupted, self._stalled_s = True, False, 0.0
            self._lock.notify_all()
        began_s = time.time()
        result = function.invoke(event)
        ended_s = time.time()
        with self._lock:
            self._invoking = False
            interrupted, stalled_s = self._interrupted, self._stalled_s
        answer = result.payload if result.ok else None
        if result.ok and not interrupted:
            self._know(result.payload)
        else:
            # Killed after its answer, it may not be gone yet.
            self._end()
        self.runs.append(
            Run(
                environment=self.number,
                request_id=result.request_id,
                began_s=began_s,
                ended_s=ended_s,
                timeout_s=self.timeout_s,
                status=result.status,
                cold=result.cold,
                stalled_s=stalled_s,
                interrupted=interrupted and not result.ok,
                error="" if result.ok else str(result.payload)[:1000],
                left_s=answer["left_s"] if answer else None,
                descriptors=answer["descriptors"] if answer else 0,
                log=() if result.ok else result.log[-MOST_LINES:],
            )
        )

    def _know(self, answer: dict[str, Any]) -> None:
        """
        Take note of the process that has answered.
        """
        with self._lock:
            if self._pidfd is None:
                self._life += 1
                with contextlib.suppress(ProcessLookupError):
                    self._pidfd = os.pidfd_open(answer["pid"])
            self.counted[self.number, self._life] = answer

    def _end(self) -> None:
        """
        Kill the process, and see it gone: the next event is for another one.
        """
        if self._pidfd is not None and self._signal(signal.SIGKILL):
            has_ended(self._pidfd, KILL_TIMEOUT_S)
        self._forget()

    def _forget(self) -> None:
        with self._lock:
            if self._pidfd is not None:
                os.close(self._pidfd)
                self._pidfd = None

    def _signal(self, number: signal.Signals) -> bool:
        """
        Send a signal by the process's handle, which no other process can get; tell whether there was a process.
        """
        if self._pidfd is None:
            return False
        try:
            signal.pidfd_send_signal(self._pidfd, number)
        except ProcessLookupError:
            return False
        return True


def reconnects(environments: list[Environment]) -> Counter[str]:
    """
    Add up why connections were replaced.
    """
    from collections import Counter

    total: Counter[str] = Counter()
    for environment in environments:
        for answer in environment.counted.values():
            total.update(answer["reconnects"])
    return total


def sum_of(environments: list[Environment], name: str) -> int:
    """
    Add up one of the databases' counts.
    """
    return sum(answer[name] for environment in environments for answer in environment.counted.values())
