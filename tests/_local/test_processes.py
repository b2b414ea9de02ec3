"""
Children end whole, whoever ends them and however many they have started.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from lambda_kit._local._guard import descendants, has_ended
from lambda_kit._local._processes import ChildProcess, peak_memory_mb, python_environment, wait_until

if TYPE_CHECKING:
    import pytest

# Starts a grandchild in a session of its own, which no signal to the group reaches, and names it.
FAMILY = textwrap.dedent("""
    import subprocess, sys, time
    sleeper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
    print(sleeper.pid, flush=True)
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


def start_python(source: str) -> tuple[ChildProcess, list[str]]:
    """
    Start an interpreter and wait for its first line.
    """
    reader, writer = os.pipe()
    child = ChildProcess([sys.executable, "-c", source], env=python_environment(), output=writer)
    os.close(writer)
    with os.fdopen(reader) as output:
        return child, output.readline().split()


def test_kill_ends_grandchildren_in_their_own_sessions() -> None:
    """
    What a child has put into another session dies with it.
    """
    child, words = start_python(FAMILY)
    grandchild = int(words[0])
    assert descendants(child.pid) == [grandchild]

    assert -signal.SIGKILL == child.kill()
    assert not lives(grandchild)
    assert -signal.SIGKILL == child.kill()


def test_kill_ends_what_made_itself_a_daemon() -> None:
    """
    A grandchild in its own session whose parent has ended is found by the environment it was started with; others are left alone.
    """
    source = FAMILY.replace("import subprocess", "import os, subprocess").replace(
        "sleeper =", "if os.fork(): os.wait(), time.sleep(600)\nsleeper ="
    )
    daemonised = source.replace("flush=True)\ntime.sleep(600)", "flush=True)")
    families = []
    for number in range(2):
        reader, writer = os.pipe()
        child = ChildProcess(
            [sys.executable, "-W", "ignore", "-c", daemonised], env={**python_environment(), "NUMBER": f"{os.getpid()}-{number}"},
            mark=f"NUMBER={os.getpid()}-{number}", output=writer,
        )  # fmt: skip
        os.close(writer)
        with os.fdopen(reader) as output:
            families.append((child, int(output.readline())))
    (killed, orphan), (other, spared) = families
    assert wait_until(lambda: orphan not in descendants(killed.pid) and spared not in descendants(other.pid), timeout_s=30.0)

    assert -signal.SIGKILL == killed.kill()

    assert not lives(orphan)
    assert lives(spared)
    other.kill()
    assert not lives(spared)


def test_stop_lets_the_child_end_itself() -> None:
    """
    A child that heeds the signal gives its own exit status.
    """
    child, _ = start_python(
        "import signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit(7)); print(1, flush=True); signal.pause()"
    )

    assert child.returncode is None
    assert 7 == child.stop(signal.SIGTERM, 10.0)
    assert 7 == child.returncode
    child.send_signal(signal.SIGTERM)


def test_stop_kills_a_child_that_does_not_heed() -> None:
    """
    When the time is over, the signal is SIGKILL.
    """
    child, _ = start_python(
        "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); signal.pause(); signal.pause()"
    )

    assert -signal.SIGKILL == child.stop(signal.SIGTERM, 0.05)


def test_the_living_are_killed_when_their_interpreter_ends() -> None:
    """
    A child that was forgotten ends at the exit of the process that started it, and not at that of a fork.
    """
    source = textwrap.dedent(f"""
        import os, sys
        from lambda_kit._local._processes import ChildProcess
        child = ChildProcess([sys.executable, "-c", {FAMILY!r}], env=dict(os.environ), output=1)
        if os.fork() == 0:
            sys.exit(0)
        os.wait()
        assert child.returncode is None
        print("child", child.pid)
    """)

    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", source], env=python_environment(), capture_output=True, text=True, check=True
    )

    pids = [int(word) for word in done.stdout.split() if word.isdigit()]
    assert pids
    assert not any(lives(pid) for pid in pids)


def test_peak_memory_is_the_childs_own() -> None:
    """
    The peak counts what was given back, and not the pages of the parent; a process that is gone has none.
    """
    child, _ = start_python("block = bytearray(64 << 20); del block; print(1, flush=True); import signal; signal.pause()")

    assert 64 <= peak_memory_mb(child.pid) < 128
    child.kill()
    assert 0 == peak_memory_mb(child.pid)


def test_a_process_that_ended_has_no_peak() -> None:
    """
    Before it is reaped it has an entry in the process table, but no memory.
    """
    child = ChildProcess([sys.executable, "-c", ""], env=python_environment())
    has_ended(child._pidfd, 10.0)

    assert 0 == peak_memory_mb(child.pid)
    assert 0 == child.wait()


def test_wait_until_gives_up() -> None:
    """
    A claim that never holds is told as such when the time is over.
    """
    assert not wait_until(lambda: False, timeout_s=0.01, step_s=0.001)


def test_relative_entries_of_the_path_are_made_absolute(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A child in another directory finds the same packages.
    """
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(["src", "", "/opt/python"]))
    assert os.pathsep.join([str(Path("src").absolute()), "/opt/python"]) == python_environment()["PYTHONPATH"]

    monkeypatch.delenv("PYTHONPATH")

    assert "PYTHONPATH" not in python_environment()


def test_secrets_of_this_process_are_not_handed_down(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Only what finds packages goes to a child; coverage's own settings do too.
    """
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    monkeypatch.setenv("COVERAGE_PROCESS_START", "y")

    assert "AWS_SECRET_ACCESS_KEY" not in python_environment()
    assert "y" == python_environment()["COVERAGE_PROCESS_START"]
