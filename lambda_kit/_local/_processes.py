"""
Child processes that end whole: the process, its group, and what it started in groups of its own.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import select
import signal
import subprocess
import sys
import threading
import time
import weakref
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

# A killed process is gone within milliseconds; this bounds the wait for one that the kernel cannot end (disk sleep).
KILL_TIMEOUT_S = 10.0


class ChildProcess:
    """
    Run one command in a session of its own, and end it with everything it started.

    What still lives when this interpreter ends is killed then.
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
    ) -> None:
        """
        Args:
            mark: ``NAME=value`` of *env* that no other process has: what carries it belongs to this one, even when its parent is gone.
            uid: User and group to run as; needs root.
            stdin: A pipe's writing end stays open as long as the process lives: what reads it to its end ends with this interpreter.
            output: Where standard output and standard error go, both.
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
        if self.returncode is None:
            # A stopped parent starts nothing new while its descendants are counted.
            self.send_signal(signal.SIGSTOP)
        with _pidfds(descendants(self.pid)) as others:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
            _kill(others)
        status = self.wait(KILL_TIMEOUT_S)
        if self._mark is not None:
            # What made itself a daemon has lost its parent, and may start another one until it is killed.
            wait_until(lambda: not _kill_marked(os.fsencode(self._mark or "")), timeout_s=KILL_TIMEOUT_S, step_s=0.0)
        return status


def _kill_marked(mark: bytes) -> bool:
    """
    Kill all processes that have *mark* in their environment; tell whether there were any.
    """
    found = marked(mark)
    with _pidfds(found) as pidfds:
        _kill(pidfds)
    return bool(found)


def _kill(pidfds: Sequence[int]) -> None:
    """
    Kill processes, and wait until they are gone.
    """
    for pidfd in pidfds:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(pidfd, signal.SIGKILL)
    for pidfd in pidfds:
        has_ended(pidfd, KILL_TIMEOUT_S)


_living: set[ChildProcess] = set()


def _kill_the_living(owner: int) -> None:
    """
    Kill what this interpreter started, in the process that started it: a fork inherits the list, not the duty.
    """
    if os.getpid() == owner:
        for child in list(_living):
            child.kill()


atexit.register(_kill_the_living, os.getpid())


def has_ended(pidfd: int, timeout_s: float | None) -> bool:
    """
    Wait until the process behind *pidfd* has ended, at most *timeout_s*; tell whether it has.
    """
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    return bool(poll.poll(None if timeout_s is None else timeout_s * 1000.0))


def descendants(pid: int) -> list[int]:
    """
    Return the ids of all processes below *pid*, as the process table shows them now.
    """
    children: dict[int, list[int]] = {}
    for each, stat in _of_all_processes("stat"):
        # pid (command) state ppid ...: the command may hold spaces and brackets.
        parent = int(stat.rpartition(b")")[2].split()[1])
        children.setdefault(parent, []).append(each)
    found: list[int] = []
    waiting = [pid]
    while waiting:
        below = children.get(waiting.pop(), [])
        found += below
        waiting += below
    return found


def marked(mark: bytes) -> list[int]:
    """
    Return the ids of all other processes that were started with *mark* (``NAME=value``) in their environment and have not ended.
    """
    return [pid for pid, environment in _of_all_processes("environ") if mark in environment.split(b"\0") and pid != os.getpid()]


def _of_all_processes(fact: str) -> Iterator[tuple[int, bytes]]:
    """
    Yield the id of every process whose *fact*, a file of the process table, may be read, with its content.
    """
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                content = (entry / fact).read_bytes()
                yield int(entry.name), content


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


@contextlib.contextmanager
def _pidfds(pids: Sequence[int]) -> Iterator[list[int]]:
    """
    Open a handle on each process that still exists: a number may be given to another process, a handle not.
    """
    opened: list[int] = []
    try:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                opened.append(os.pidfd_open(pid))
        yield opened
    finally:
        for pidfd in opened:
            os.close(pidfd)


def python_name() -> str:
    """
    Return this interpreter as Lambda names runtimes: ``python3.13``.
    """
    return f"python{sys.version_info.major}.{sys.version_info.minor}"
