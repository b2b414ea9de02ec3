"""
One execution environment: a handler under the real runtime client in a process of its own, from INIT to SHUTDOWN.
"""

from __future__ import annotations

import contextlib
import shutil
import signal
import sys
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lambda_kit._local._log_pipe import LogPipe
from lambda_kit._local._processes import ChildProcess, peak_memory_mb, temporary_folder
from lambda_kit._local._results import init_start
from lambda_kit._local._runtime_api import RuntimeApi

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambda_kit._local._function import FunctionConfiguration
    from lambda_kit._local._runtime_api import InvocationRequest, RuntimeAnswer

# What a runtime with an internal extension gets between SIGTERM and SIGKILL.
# Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
SHUTDOWN_S = 0.5


@dataclass(frozen=True, slots=True)
class PhaseOutcome:
    """
    How INIT, a restore or an invocation ended.

    Attributes:
        answer: What the runtime posted: in INIT and restore only an error, None when they went well.
        exit_status: The runtime's, when it has ended by itself.
        timed_out: The phase took longer than it may, and the runtime was killed.
    """

    duration_ms: float
    answer: RuntimeAnswer | None = None
    exit_status: int | None = None
    timed_out: bool = False

    @property
    def init_failed(self) -> bool:
        """
        Whether INIT or a restore ended otherwise than ready for an event.
        """
        return self.timed_out or self.answer is not None or self.exit_status is not None

    @property
    def report_status(self) -> str:
        """
        The word that reports of INIT and restore have for it.
        """
        return "timeout" if self.timed_out else "error" if self.init_failed else "success"

    @property
    def error_type(self) -> str | None:
        """
        The kind of failure that such a report names; a time-out has none.
        """
        if self.timed_out or not self.init_failed:
            return None
        return self.answer.error_type if self.answer is not None else "Runtime.ExitError"


class ExecutionEnvironment:
    """
    Run one environment. It takes one event at a time; once it is not :attr:`is_alive`, it takes none.
    """

    def __init__(
        self, function: FunctionConfiguration, *, on_line: Callable[[str], None] | None = None, earlier_lines: tuple[str, ...] = ()
    ) -> None:
        """
        Start the runtime process; :meth:`initialise` waits for it.

        Args:
            on_line: Gets every line of the log as it comes, from another thread.
            earlier_lines: The log of an environment that this one replaces within one invocation.
        """
        self._lines = [*earlier_lines]
        self._on_line = on_line
        self.say(init_start())
        # After-restore hooks have 10 s. Source: https://docs.aws.amazon.com/lambda/latest/dg/snapstart-runtime-hooks-python.html
        self._restore_timeout_s = function.restore_timeout_s
        self._peak_memory_mb = 0
        self._pid = 0
        self._began_s = time.monotonic()
        with contextlib.ExitStack() as opened:
            temporary = temporary_folder("environment")
            opened.callback(shutil.rmtree, temporary, ignore_errors=True)
            self._log = LogPipe(self.say)
            opened.callback(self._log.close)
            facts = {"functionName": function.function_name, "functionVersion": function.function_version, "handler": function.handler}
            self._api = RuntimeApi(facts, on_contact=self._look_at_memory)
            opened.callback(self._api.close)
            self._process = ChildProcess(
                [sys.executable, "-m", "awslambdaric", function.handler],
                env=function.variables(runtime_api=self._api.address, temporary=temporary),
                mark=f"AWS_LAMBDA_RUNTIME_API={self._api.address}",
                cwd=function.task_root,
                output=self._log.writer,
            )
            # Until here a failure closes it all; from now on shut_down() does.
            self._opened = opened.pop_all()
        self._pid = self._process.pid
        self._watcher = threading.Thread(target=self._watch, name="environment-watcher", daemon=True)
        self._watcher.start()

    @property
    def is_alive(self) -> bool:
        """
        Whether the runtime waits for the next event.
        """
        return self._process.returncode is None and self._api.is_idle

    @property
    def max_memory_mb(self) -> int:
        """
        The peak resident memory of the runtime process, as last seen while it lived.
        """
        return self._peak_memory_mb

    def initialise(self, timeout_s: float) -> PhaseOutcome:
        """
        Wait for the end of INIT; under SnapStart that is the snapshot, and :meth:`restore` goes on from there.
        """
        return self._end_of_phase(self._began_s, ended=self._api.await_init(timeout_s))

    def restore(self) -> PhaseOutcome:
        """
        Come back from the snapshot: after-restore hooks run, then the runtime asks for its first event.
        """
        began_s = time.monotonic()
        return self._end_of_phase(began_s, ended=self._api.restore(self._restore_timeout_s))

    def invoke(self, request: InvocationRequest, timeout_s: float) -> PhaseOutcome:
        """
        Run one invocation to its end: the answer is posted, and runtime and extensions have asked for the next event.

        A runtime that is still busy after *timeout_s* is killed.
        """
        began_s = time.monotonic()
        end = self._api.invoke(request, timeout_s)
        duration_ms = (time.monotonic() - began_s) * 1000.0
        timed_out = end.exit_status is None and not end.is_idle
        if timed_out:
            duration_ms = timeout_s * 1000.0
            self.kill()
        self._log.flush()
        return PhaseOutcome(duration_ms, end.answer, end.exit_status, timed_out)

    def say(self, line: str) -> None:
        """
        Add a line to the log: the platform's own, or one of the function.
        """
        self._lines.append(line)
        if self._on_line is not None:
            self._on_line(line)

    def take_lines(self) -> tuple[str, ...]:
        """
        Return the lines since the last time.
        """
        taken, self._lines = self._lines, []
        return tuple(taken)

    def kill(self) -> None:
        """
        End everything in the environment at once, as Lambda does after a time-out.
        """
        self._look_at_memory()
        self._process.kill()

    def shut_down(self) -> None:
        """
        End the environment and leave nothing of it.

        As on Lambda the runtime gets SIGTERM, and half a second, only when an extension is registered.
        """
        if self._api.has_extensions and self._api.exit_status is None:
            self._process.stop(signal.SIGTERM, SHUTDOWN_S)
        else:
            self._process.kill()
        self._watcher.join()
        self._opened.close()

    def _end_of_phase(self, began_s: float, *, ended: bool) -> PhaseOutcome:
        """
        Say how INIT or a restore went, once it has ended or its time is over.
        """
        duration_ms = (time.monotonic() - began_s) * 1000.0
        outcome = PhaseOutcome(duration_ms, self._api.failure, self._api.exit_status, timed_out=not ended)
        if outcome.init_failed:
            self.kill()
        self._log.flush()
        return outcome

    def _watch(self) -> None:
        """
        Tell the API when the process has ended, whoever ended it.
        """
        self._api.runtime_exited(self._process.wait() or 0)

    def _look_at_memory(self) -> None:
        """
        Keep the highest peak seen: the process table forgets it with the process.
        """
        self._peak_memory_mb = max(self._peak_memory_mb, peak_memory_mb(self._pid))
