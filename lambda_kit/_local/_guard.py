"""
Ending processes whole, and the guard that does it for an interpreter that was killed. Run as a program, it is the guard.

As a program it is started by its path, so that nothing but these few modules is loaded: it imports nothing of the kit.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import sys
import threading
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# A killed process is gone within milliseconds; this bounds the wait for one that the kernel cannot end (disk sleep).
KILL_TIMEOUT_S = 10.0
# What a process with a farewell of its own gets before it is killed.
FAREWELL_S = 5.0

_LETTER_BYTES = 65536


class Guard:
    """
    A process that lives a moment longer than this interpreter, and then ends what was started here and is left.

    An interpreter that ends by itself leaves nothing: the guard is for SIGKILL. The kernel's own means, PR_SET_PDEATHSIG, does not
    serve: that signal comes when the *thread* ends that has started the process, and to no grandchild.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._owner = 0
        self._letters: socket.socket | None = None
        self.pid = 0

    def follow(self, pid: int, pidfd: int, *, mark: str | None, farewell: int | None) -> None:
        """
        End process *pid* when this interpreter has gone: it gets signal *farewell*, then all that is left of it is killed.
        """
        self._tell({"pid": pid, "mark": mark, "farewell": farewell}, [pidfd])

    def inherit(self, folder: str) -> None:
        """
        Remove *folder* when this interpreter has gone, if it is still there.
        """
        self._tell({"folder": folder}, [])

    def dismiss(self) -> None:
        """
        Write no more letters.
        """
        if self._letters is not None:
            self._letters.close()
            self._letters = None

    def _tell(self, letter: dict[str, object], pidfds: list[int]) -> None:
        """
        Send a letter to the guard, which is started for the first one; a fork gets a guard of its own.
        """
        with self._lock:
            if self._letters is None or self._owner != os.getpid():
                self._letters = self._start()
            try:
                socket.send_fds(self._letters, [json.dumps(letter).encode()], pidfds)
            except OSError:  # somebody has killed the guard
                self._letters = self._start()
                socket.send_fds(self._letters, [json.dumps(letter).encode()], pidfds)

    def _start(self) -> socket.socket:
        """
        Start the guard, tell it of this interpreter, and return where it gets letters.
        """
        self.dismiss()
        self._owner = os.getpid()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            # In a session of its own, where no interrupt of a terminal reaches it. It closes what it inherits, but for the letters.
            self.pid = os.posix_spawn(
                sys.executable,
                [sys.executable, "-I", "-S", os.path.abspath(__file__)],
                {name: value for name, value in os.environ.items() if name == "LD_LIBRARY_PATH"},
                file_actions=[
                    (os.POSIX_SPAWN_DUP2, theirs.fileno(), 0),
                    (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
                    (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
                ],
                setsid=True,
            )
        pidfd = os.pidfd_open(self._owner)
        socket.send_fds(ours, [b"{}"], [pidfd])
        os.close(pidfd)
        return ours


class Watch:
    """
    What the guard does: take letters until the process that writes them has ended, then end and remove what they told of.
    """

    def __init__(self, letters: socket.socket, *, farewell_s: float = FAREWELL_S) -> None:
        """
        Args:
            letters: JSON objects, each with the handle of the process it is about. The first is about their writer.
            farewell_s: How long a process may take over its farewell.
        """
        self._letters = letters
        self._farewell_s = farewell_s
        self._owner: int | None = None
        self._living: dict[int, tuple[int, int | None]] = {}
        self._marks: set[bytes] = set()
        self._folders: list[str] = []
        self._poll = select.poll()
        self._poll.register(letters, select.POLLIN)

    def stand(self) -> None:
        """
        Wait for the writer's end, and clear up.
        """
        while True:
            ready = {descriptor for descriptor, _ in self._poll.poll()}
            # The last letters may have come together with their writer's end.
            if self._letters.fileno() in ready:
                self._take_letter()
            elif self._owner in ready:
                break
            else:
                self._forget(ready)
        self._end_the_living()
        for mark in self._marks:
            kill_marked(mark)
        self._remove_folders()

    def _take_letter(self) -> None:
        """
        Note down what one letter says.
        """
        content, pidfds, _, _ = socket.recv_fds(self._letters, _LETTER_BYTES, 1)
        if not content:  # there will be no more
            self._poll.unregister(self._letters)
            return
        letter = json.loads(content)
        for pidfd in pidfds:
            self._poll.register(pidfd, select.POLLIN)
            if self._owner is None:
                self._owner = pidfd
            else:
                self._living[pidfd] = (letter["pid"], letter["farewell"])
        if mark := letter.get("mark"):
            self._marks.add(os.fsencode(mark))
        if folder := letter.get("folder"):
            self._folders.append(folder)

    def _forget(self, ended: set[int]) -> None:
        """
        Forget processes that have ended. Those that carry their marks may still be there.
        """
        for pidfd in ended:
            self._poll.unregister(pidfd)
            os.close(pidfd)
            del self._living[pidfd]

    def _end_the_living(self) -> None:
        """
        Send their farewell to those that have one, and kill the others with all they have started; then who has not heeded it.
        """
        until_s = time.monotonic() + self._farewell_s
        for pidfd, (_, farewell) in self._living.items():
            if farewell is not None:
                with contextlib.suppress(ProcessLookupError):
                    signal.pidfd_send_signal(pidfd, farewell)
        # False sorts before True: nobody waits for the goodbyes of others.
        for pidfd, (pid, farewell) in sorted(self._living.items(), key=lambda item: item[1][1] is not None):
            patience_s = 0.0 if farewell is None else max(0.0, until_s - time.monotonic())
            if not has_ended(pidfd, patience_s):
                end(pid, pidfd)

    def _remove_folders(self) -> None:
        """
        Remove the folders that are still there.
        """
        import shutil  # takes longer to load than all the rest

        for folder in self._folders:
            shutil.rmtree(folder, ignore_errors=True)


def end(pid: int, pidfd: int) -> None:
    """
    Kill process *pid*, whose handle *pidfd* is, its group and all its descendants at once.
    """
    if not has_ended(pidfd, 0.0):
        # A stopped parent starts nothing new while its descendants are counted.
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(pidfd, signal.SIGSTOP)
    with _pidfds(descendants(pid)) as others:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
        _kill([pidfd, *others])


def kill_marked(mark: bytes) -> None:
    """
    Kill all processes that have *mark* in their environment, and what they start until they are gone.
    """
    until_s = time.monotonic() + KILL_TIMEOUT_S
    # What made itself a daemon has lost its parent, and may start another one until it is killed.
    while (found := marked(mark)) and time.monotonic() < until_s:
        with _pidfds(found) as pidfds:
            _kill(pidfds)


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
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError), open(f"/proc/{entry}/{fact}", "rb") as file:
                content = file.read()
                yield int(entry), content


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


def _kill(pidfds: Sequence[int]) -> None:
    """
    Kill processes, and wait until they are gone.
    """
    for pidfd in pidfds:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(pidfd, signal.SIGKILL)
    for pidfd in pidfds:
        has_ended(pidfd, KILL_TIMEOUT_S)


if __name__ == "__main__":  # pragma: no cover  # a process that nothing measures
    # What its starter left open for its children: a socket's port stays taken, and a pipe's reader waits, until all have closed it.
    os.closerange(3, 1 + max(map(int, os.listdir("/proc/self/fd"))))
    Watch(socket.socket(fileno=0)).stand()
