"""
Child processes that end whole, at the latest with this interpreter: the process, its group, and what it started in groups of its own.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from pathlib import Path
from typing import IO, TYPE_CHECKING

from lambda_kit._local._guard import KILL_TIMEOUT_S, Guard, end, has_ended, kill_marked

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


class ChildProcess:
    """
    Run one command in a session of its own, and end it with everything it started.

    What still lives when this interpreter ends is killed then, even if the interpreter itself is killed.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        env: Mapping[str, str],
        mark: str | None = None,
        cwd: Path | None = None,
        uid: int | None = None,
        stdin: int | IO[bytes] = subprocess.DEVNULL,
        output: int | IO[bytes] = subprocess.DEVNULL,
        farewell: signal.Signals | None = None,
    ) -> None:
        """
        Args:
            mark: ``NAME=value`` of *env* that no other process has: what carries it belongs to this one, even when its parent is gone.
            uid: User and group to run as; needs root.
            stdin: A pipe's writing end stays open as long as the process lives: what reads it to its end ends with this interpreter.
            output: Where standard output and standard error go, both.
            farewell: What the process gets before it is killed when this interpreter was, to clear up after itself.
        """
        self._process = subprocess.Popen(
            list(command),
            env=dict(env),
            cwd=cwd,
            stdin=stdin,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            user=uid,
            group=uid,
            extra_groups=None if uid is None else [],
        )
        self.pid = self._process.pid
        self._mark = mark
        self._lock = threading.Lock()
        self._pidfd = os.pidfd_open(self.pid)
        # Not closed when the process ends: another thread may be waiting on it.
        weakref.finalize(self, os.close, self._pidfd)
        _living.add(self)
        _guard.follow(self.pid, self._pidfd, mark=mark, farewell=farewell)

    @property
    def returncode(self) -> int | None:
        """
        The exit status (negative: the signal), or None while it runs.
        """
        return self.wait(0.0)

    def wait(self, timeout_s: float | None = None) -> int | None:
        """
        Wait until the process has ended and return its exit status, or None when it still runs after *timeout_s*.
        """
        # Several threads may wait, and one of them may be the one that kills: no lock is held meanwhile.
        has_ended(self._pidfd, timeout_s)
        with self._lock:
            if self._process.poll() is not None:
                _living.discard(self)
                if self._process.stdin is not None:
                    self._process.stdin.close()
            return self._process.returncode

    def send_signal(self, number: signal.Signals) -> None:
        """
        Send a signal to the process alone; nothing happens when it has ended.
        """
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)

    def stop(self, number: signal.Signals, timeout_s: float) -> int | None:
        """
        Ask with a signal, wait at most *timeout_s*, then kill; return the exit status.
        """
        self.send_signal(number)
        self.wait(timeout_s)
        return self.kill()

    def kill(self) -> int | None:
        """
        End the process, its group and all its descendants at once, and wait until they are gone.
        """
        end(self.pid, self._pidfd)
        status = self.wait(KILL_TIMEOUT_S)
        if self._mark is not None:
            kill_marked(os.fsencode(self._mark))
        return status


_guard = Guard()
_living: set[ChildProcess] = set()


def _kill_the_living(owner: int) -> None:
    """
    Kill what this interpreter started, in the process that started it: a fork inherits the list, not the duty.
    """
    if os.getpid() == owner:
        for child in list(_living):
            child.kill()
        _guard.dismiss()


atexit.register(_kill_the_living, os.getpid())


def peak_memory_mb(pid: int) -> int:
    """
    Return the peak resident memory of process *pid* in MB, rounded up; 0 when there is no such process (any more).

    Read from VmHWM: the kernel's ``ru_maxrss`` counts the parent's pages in, because a child begins as its copy.
    """
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    peaks_kb = [int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")]
    return -(-peaks_kb[0] // 1024) if peaks_kb else 0


def temporary_folder(name: str) -> Path:
    """
    Make a new folder for this user alone. The caller removes it; if this interpreter is killed, it is removed then.
    """
    folder = Path(tempfile.mkdtemp(prefix=f"lambda-kit-{name}-"))
    _guard.inherit(str(folder))
    return folder


def wait_until(claim: Callable[[], bool], *, timeout_s: float, step_s: float = 0.01) -> bool:
    """
    Ask again and again until *claim* holds, at most *timeout_s*; tell whether it did. For facts that nothing announces.
    """
    until_s = time.monotonic() + timeout_s
    while not claim():
        if time.monotonic() > until_s:
            return False
        time.sleep(step_s)
    return True


def python_environment() -> dict[str, str]:
    """
    Return what a child Python needs of this process's environment to find the same packages, and nothing else.

    Variables of a running coverage measurement are part of it, so that it sees children too.
    """
    kept = {name: value for name, value in os.environ.items() if name in _KEPT or name.startswith("COVERAGE_")}
    if "PYTHONPATH" in kept:
        # The child runs elsewhere: a relative entry would point into its directory.
        kept["PYTHONPATH"] = os.pathsep.join(str(Path(entry).absolute()) for entry in kept["PYTHONPATH"].split(os.pathsep) if entry)
    return kept


_KEPT = frozenset({"HOME", "LD_LIBRARY_PATH", "PATH", "PYTHONPATH", "SSL_CERT_DIR", "SSL_CERT_FILE", "TMPDIR", "USER"})


def python_name() -> str:
    """
    Return this interpreter as Lambda names runtimes: ``python3.13``.
    """
    return f"python{sys.version_info.major}.{sys.version_info.minor}"
