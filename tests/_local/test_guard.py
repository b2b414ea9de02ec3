"""
What an interpreter has started does not outlive it, even when it is killed.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import textwrap
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lambda_kit._local._guard import Guard, Watch, has_ended
from lambda_kit._local._processes import python_environment, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

# As long as a loaded machine may take for what is done in milliseconds.
PATIENCE_S = 30.0

SLEEPER = "import signal, sys; print(flush=True); signal.pause()"
STUBBORN = SLEEPER.replace("print", "signal.signal(signal.SIGTERM, signal.SIG_IGN); print")
# Starts a grandchild in a session of its own, and ends where it is told to.
FAMILY = textwrap.dedent("""
    import subprocess, sys, time
    sleeper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
    print(sleeper.pid, flush=True)
    time.sleep(0 if sys.argv[1:] else 600)
""")
KILLED = textwrap.dedent(f"""
    import os, subprocess, sys, threading, time
    from lambda_kit._local._postgres import PostgresServer
    from lambda_kit._local._processes import ChildProcess, python_environment

    started = []
    def start():
        server = PostgresServer.start()
        segment = (server._data / "postmaster.pid").read_text().split("\\n")[6].split()[1]
        print(server._process.pid, server._root, segment, flush=True)
        environ = {{**python_environment(), "OF": str(os.getpid())}}
        family = [sys.executable, "-W", "ignore", "-c", {FAMILY!r}]
        started.append(server)
        started.append(ChildProcess(family, env=environ, output=1))
        started.append(ChildProcess([*family, "leave"], env=environ, mark=f"OF={{os.getpid()}}", output=1))
        started[-1].wait()
    # A server belongs to the process, not to the thread that has started it.
    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    print("all are there", flush=True)
    time.sleep(600)
""")


def lives(pid: int) -> bool:
    """
    Tell whether a process exists and is not only waiting to be reaped.
    """
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_nothing_outlives_an_interpreter_that_was_killed() -> None:
    """
    PostgreSQL with its folder and its shared memory, grandchildren and daemons are gone, and until then nothing is.
    """
    with subprocess.Popen([sys.executable, "-c", KILLED], env=python_environment(), stdout=subprocess.PIPE, text=True) as interpreter:
        assert interpreter.stdout is not None
        words = [line.split() for line in iter(interpreter.stdout.readline, "all are there\n")]
        (server, root, segment), *grandchildren = words
        pids = [int(server), *(int(pid) for (pid,) in grandchildren)]
        assert [True, True, True] == [lives(pid) for pid in pids]
        assert Path(root).is_dir()

        interpreter.kill()

    assert wait_until(lambda: not any(lives(pid) for pid in pids), timeout_s=PATIENCE_S)
    assert wait_until(lambda: not Path(root).exists(), timeout_s=PATIENCE_S)
    segments = [line.split()[1] for line in Path("/proc/sysvipc/shm").read_text().splitlines()]
    assert segment not in segments


def test_a_fork_has_a_guard_of_its_own() -> None:
    """
    What a fork has started ends with the fork; what its parent has started stays.
    """
    source = textwrap.dedent(f"""
        import os, sys, time
        from lambda_kit._local._processes import ChildProcess, python_environment
        start = lambda: ChildProcess([sys.executable, "-c", {SLEEPER!r}], env=python_environment())
        mine = start()
        pid = os.fork()
        if pid == 0:
            print(os.getpid(), start().pid, mine.pid, flush=True)
            time.sleep(600)
        os.waitpid(pid, 0)
        print("parent", mine.returncode, flush=True)
        sys.stdin.read()
    """)
    command = [sys.executable, "-W", "ignore", "-c", source]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=python_environment(), stdin=pipe, stdout=pipe, text=True) as parent:
        assert parent.stdout is not None
        fork, forks_child, parents_child = map(int, parent.stdout.readline().split())

        os.kill(fork, signal.SIGKILL)

        assert "parent None\n" == parent.stdout.readline()
        assert wait_until(lambda: not lives(forks_child), timeout_s=PATIENCE_S)
        assert lives(parents_child)
        parent.communicate("")
    assert not lives(parents_child)


def test_a_guard_that_was_killed_is_replaced(tmp_path: Path) -> None:
    """
    Somebody who ends all processes of a name may end the guard; the next letter goes to a new one.
    """
    guard = Guard()
    guard.inherit(str(tmp_path))
    first = guard.pid
    _end(first)

    guard.inherit(str(tmp_path))

    assert first != guard.pid
    assert lives(guard.pid)
    guard.dismiss()
    guard.dismiss()
    _end(guard.pid)


def test_a_guard_holds_nothing_open(tmp_path: Path) -> None:
    """
    Whoever reads what an interpreter writes sees the end of it when the interpreter has closed it, not when that ends.
    """
    reads, writes = os.pipe()
    os.set_inheritable(writes, True)
    guard = Guard()

    guard.inherit(str(tmp_path))
    os.close(writes)

    with open(reads, "rb") as pipe:
        assert select.select([pipe], [], [], PATIENCE_S)[0]
        assert b"" == pipe.read()
    assert lives(guard.pid)
    guard.dismiss()
    _end(guard.pid)


class Scene:
    """
    A process with children of its own kind, and a watch over them in a thread of this one.
    """

    def __init__(self) -> None:
        self.processes = contextlib.ExitStack()
        self.letters, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.processes.enter_context(theirs)
        self.owner = self.start(SLEEPER)
        self.watch = Watch(theirs, farewell_s=0.05)
        self.thread = threading.Thread(target=self.watch.stand)
        self.thread.start()
        self.tell(self.owner)

    def start(self, source: str, **more: str) -> subprocess.Popen[str]:
        """
        Start an interpreter, and wait until it has written a line.
        """
        command = [sys.executable, "-c", source]
        process = subprocess.Popen(command, env={**python_environment(), **more}, stdout=subprocess.PIPE, text=True, start_new_session=True)
        self.processes.enter_context(process)
        self.processes.callback(process.kill)
        assert process.stdout is not None
        process.stdout.readline()
        return process

    def tell(self, process: subprocess.Popen[str], **letter: object) -> None:
        """
        Write a letter on *process*.
        """
        pidfd = os.pidfd_open(process.pid)
        socket.send_fds(self.letters, [json.dumps({"pid": process.pid, "farewell": None, **letter}).encode()], [pidfd])
        os.close(pidfd)

    def leave(self) -> None:
        """
        End the owner, and wait until the watch is over.
        """
        self.owner.kill()
        self.thread.join(PATIENCE_S)
        assert not self.thread.is_alive()


@pytest.fixture
def scene() -> Iterator[Scene]:
    made = Scene()
    with made.processes, made.letters:
        yield made
        made.leave()


def test_who_has_a_farewell_may_end_by_itself(scene: Scene) -> None:
    """
    The signal comes first; who does not heed it in time is killed, and who has none is killed at once.
    """
    polite, stubborn, other = scene.start(SLEEPER), scene.start(STUBBORN), scene.start(SLEEPER)
    scene.tell(polite, farewell=int(signal.SIGTERM))
    scene.tell(stubborn, farewell=int(signal.SIGTERM))
    scene.tell(other)

    scene.leave()

    assert [-signal.SIGTERM, -signal.SIGKILL, -signal.SIGKILL] == [each.wait(PATIENCE_S) for each in (polite, stubborn, other)]


def test_who_has_ended_is_forgotten(scene: Scene) -> None:
    """
    A process that ended long ago concerns the guard no more, but what carries its mark does.
    """
    mark = f"SCENE={os.getpid()}"
    ended, daemon = scene.start(SLEEPER), scene.start(SLEEPER, SCENE=str(os.getpid()))
    scene.tell(ended, farewell=int(signal.SIGTERM), mark=mark)
    ended.kill()
    assert wait_until(lambda: bool(scene.watch._marks) and not scene.watch._living, timeout_s=PATIENCE_S)
    scene.letters.close()

    scene.leave()

    assert -signal.SIGKILL == daemon.wait(PATIENCE_S)


def test_folders_that_are_still_there_are_removed(scene: Scene, tmp_path: Path) -> None:
    """
    Also those of the last letter, written just before the end.
    """
    kept, left = tmp_path / "kept", tmp_path / "left"
    for folder in (kept, left):
        folder.mkdir()
    scene.letters.send(json.dumps({"folder": str(tmp_path / "removed before")}).encode())
    scene.letters.send(json.dumps({"folder": str(left)}).encode())

    scene.leave()

    assert [kept] == list(tmp_path.iterdir())


def _end(pid: int) -> None:
    pidfd = os.pidfd_open(pid)
    os.kill(pid, signal.SIGKILL)
    assert has_ended(pidfd, PATIENCE_S)
    os.close(pidfd)
    os.waitpid(pid, 0)
