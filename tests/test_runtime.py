"""
The environment's life: facts, hooks, forks, snapshots, SIGTERM.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self

import pytest

from lambda_kit import _runtime
from lambda_kit.errors import ConfigurationError, MissingDependencyError
from tests import fresh_process, threads

INIT_TYPE = "AWS_LAMBDA_INITIALIZATION_TYPE"


class RuntimeApi:
    """
    As much of Lambda's Runtime and Extensions API as a process needs that is registered, idle and then told to end.
    """

    def __init__(self, *, status: int = 200, identifier: str | None = "extension-1") -> None:
        self.requests: list[tuple[str, str, str]] = []
        self.extension_waits = threading.Event()
        self.runtime_waits = threading.Event()
        self.ended = threading.Event()
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                api.requests.append((self.path, self.headers.get("Lambda-Extension-Name", ""), body))
                self.send_response(status)
                if identifier is not None:
                    self.send_header("Lambda-Extension-Identifier", identifier)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def do_GET(self) -> None:
                api.requests.append((self.path, self.headers.get("Lambda-Extension-Identifier", ""), ""))
                (api.extension_waits if "extension" in self.path else api.runtime_waits).set()
                api.ended.wait(fresh_process.TIMEOUT_S)
                self.close_connection = True

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # http.server's name
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server.server_port}"

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture(autouse=True)
def life(monkeypatch: pytest.MonkeyPatch) -> Iterator[_runtime._Life]:
    """
    The life as it is off Lambda and before any invocation; what a test registers is gone after it.
    """
    for name in (INIT_TYPE, "AWS_LAMBDA_RUNTIME_API", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    _runtime.reset()
    life = _runtime._life
    lists = [hooks for turn in (life.fork, life.snapshot, life.restore, life.shutdown, life.reset) for hooks in (turn.kit, turn.user)]
    lengths = [len(hooks) for hooks in lists]
    handler = signal.getsignal(signal.SIGTERM)
    yield life
    for hooks, length in zip(lists, lengths, strict=True):
        del hooks[length:]
    life.sigterm = False
    signal.signal(signal.SIGTERM, handler)
    _runtime.reset()


@pytest.fixture
def calls() -> list[str]:
    return []


# Facts


@pytest.mark.parametrize(
    ("value", "init_type", "cold"),
    [
        (None, _runtime.ON_DEMAND, True),
        ("", _runtime.ON_DEMAND, True),
        ("on-demand", _runtime.ON_DEMAND, True),
        ("snap-start", _runtime.SNAP_START, True),
        ("provisioned-concurrency", _runtime.PROVISIONED, False),
        ("lambda-managed-instances", _runtime.MANAGED_INSTANCES, False),
    ],
)
def test_init_type_says_whether_somebody_waited(monkeypatch: pytest.MonkeyPatch, value: str | None, init_type: str, cold: bool) -> None:
    """
    A first invocation is a cold start where INIT ran for it.
    """
    if value is not None:
        monkeypatch.setenv(INIT_TYPE, value)

    _runtime.begin_invocation()

    assert (init_type, cold) == (_runtime.environment().init_type, _runtime.environment().cold_start)


def test_second_invocation_is_warm() -> None:
    """
    Cold start is true in INIT and in the first invocation only.
    """
    environment = _runtime.environment()
    seen = [(environment.invocations, environment.cold_start)]

    for _ in range(2):
        _runtime.begin_invocation()
        seen.append((environment.invocations, environment.cold_start))

    assert [(0, True), (1, True), (2, False)] == seen


def test_environment_is_described_by_its_facts() -> None:
    """
    The representation of the environment shows its facts, and they cannot be set.
    """
    environment = _runtime.environment()

    assert "<Environment on-demand cold_start=True invocations=0>" == repr(environment)
    with pytest.raises(AttributeError):
        environment.cold_start = False  # type: ignore[misc]  # what the test is about


def test_runtime_api_address_means_lambda(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Where a runtime client runs the process, its API's address is set.
    """
    assert not _runtime.environment().on_lambda
    monkeypatch.setenv("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9001")

    assert _runtime.environment().on_lambda


def test_setting_reads_the_environment_now(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A variable is read when asked for; empty is set, unset is the default.
    """
    monkeypatch.setenv("SOME_SETTING", "")
    assert "" == _runtime.setting("SOME_SETTING", "default")
    monkeypatch.delenv("SOME_SETTING")

    assert "default" == _runtime.setting("SOME_SETTING", "default")
    assert _runtime.setting("SOME_SETTING") is None


@pytest.mark.parametrize(
    ("environ", "region"),
    [
        ({}, ""),
        ({"AWS_DEFAULT_REGION": "eu-west-1"}, "eu-west-1"),
        ({"AWS_DEFAULT_REGION": "eu-west-1", "AWS_REGION": "eu-central-1"}, "eu-central-1"),
        ({"AWS_DEFAULT_REGION": "eu-west-1", "AWS_REGION": ""}, "eu-west-1"),
    ],
    ids=["none", "default", "both", "empty"],
)
def test_region_is_the_one_lambda_sets(monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], region: str) -> None:
    """
    AWS_REGION, which Lambda reserves, goes before AWS_DEFAULT_REGION.
    """
    for name, value in environ.items():
        monkeypatch.setenv(name, value)

    assert region == _runtime.region()


def test_clocks_are_pythons_own() -> None:
    """
    Wall time is epoch seconds, monotonic time is the interpreter's.
    """
    assert time.time() <= _runtime.wall_s() <= time.time()
    assert time.monotonic() <= _runtime.monotonic_s() <= time.monotonic()


# Turns of the life


@pytest.mark.parametrize("turn", [_runtime.restored, _runtime.forked, _runtime.reset])
def test_generation_changes_when_things_must_be_built_again(turn: object) -> None:
    """
    Each turn after which old things are unusable gives a number never seen before.
    """
    before = _runtime.generation()

    assert callable(turn)
    turn()

    assert before < _runtime.generation()


def test_snapshot_hooks_run_from_the_top_down(calls: list[str]) -> None:
    """
    Before a snapshot the user's hooks run first, and the last one registered of each kind before the others.
    """
    _runtime.register(snapshot=lambda: calls.append("lower module"))
    _runtime.register(snapshot=lambda: calls.append("higher module"))
    _runtime.before_snapshot(lambda: calls.append("first"))
    _runtime.before_snapshot(lambda: calls.append("second"))

    _runtime.take_snapshot()

    assert ["second", "first", "higher module", "lower module"] == calls


def test_restore_hooks_run_from_the_ground_up(calls: list[str]) -> None:
    """
    After a restore the kit is ready before the user's hooks run, in their order.
    """
    _runtime.after_restore(lambda: calls.append("first"))
    _runtime.after_restore(lambda: calls.append("second"))
    _runtime.register(restore=lambda: calls.append("lower module"))
    _runtime.register(restore=lambda: calls.append("higher module"))

    _runtime.restored()

    assert ["lower module", "higher module", "first", "second"] == calls


def test_shutdown_hooks_run_from_the_top_down(calls: list[str]) -> None:
    """
    At shutdown the user's hooks run in reverse, then the kit's modules in reverse.
    """
    _runtime.register(shutdown=lambda: calls.append("lower module"))
    _runtime.register(shutdown=lambda: calls.append("higher module"))
    _runtime.on_shutdown(lambda: calls.append("first"))
    _runtime.on_shutdown(lambda: calls.append("second"))

    _runtime.shut_down()

    assert ["second", "first", "higher module", "lower module"] == calls


def test_reset_hooks_run_and_count_from_zero(calls: list[str]) -> None:
    """
    A reset makes the next invocation the first one again.
    """
    _runtime.register(reset=lambda: calls.append("reset"))
    _runtime.begin_invocation()

    _runtime.reset()

    assert (["reset"], 0) == (calls, _runtime.environment().invocations)


@pytest.mark.parametrize("register", [_runtime.before_snapshot, _runtime.after_restore, _runtime.on_shutdown])
def test_hooks_are_registered_by_decorating(register: object) -> None:
    """
    Each registration returns the hook itself.
    """

    def hook() -> None:
        raise AssertionError("never called")

    assert callable(register)
    assert hook is register(hook)


def test_failing_snapshot_hook_fails_the_snapshot() -> None:
    """
    A hook's error reaches the runtime client, which fails the publishing.
    """

    @_runtime.before_snapshot
    def hook() -> None:
        raise OSError("disk")

    with pytest.raises(OSError, match="disk"):
        _runtime.take_snapshot()


def test_failing_restore_hook_fails_the_restore() -> None:
    """
    A hook's error reaches the runtime client, which ends the environment.
    """

    @_runtime.after_restore
    def hook() -> None:
        raise OSError("network")

    with pytest.raises(OSError, match="network"):
        _runtime.restored()


@pytest.mark.parametrize("error", [ValueError("bad"), SystemExit(0)], ids=["error", "exit"])
def test_failing_shutdown_hook_keeps_no_other_from_running(
    calls: list[str], caplog: pytest.LogCaptureFixture, error: BaseException
) -> None:
    """
    Errors are logged, and so is the sys.exit() that signal handlers are often written with.
    """
    _runtime.on_shutdown(lambda: calls.append("other"))

    @_runtime.on_shutdown
    def hook() -> None:
        raise error

    _runtime.shut_down()

    assert ["other"] == calls
    assert [("lambda_kit", logging.ERROR)] == [(record.name, record.levelno) for record in caplog.records]


def test_failing_fork_hook_keeps_no_other_from_running(calls: list[str], caplog: pytest.LogCaptureFixture) -> None:
    """
    A child drops all it shares with its parent, whatever happens to one thing.
    """

    def hook() -> None:
        raise ValueError("bad")

    _runtime.register(fork=hook)
    _runtime.register(fork=lambda: calls.append("other"))

    _runtime.forked()

    assert ["other"] == calls
    assert ["a hook in a forked child failed"] == [record.message for record in caplog.records]


def test_life_is_watched_once(life: _runtime._Life) -> None:
    """
    However many things are built, and whichever threads build them first, forks are noticed once.
    """
    forks = fresh_process.result(
        """
        import json, os, threading
        from lambda_kit import _runtime
        start = threading.Barrier(8)
        def watch():
            start.wait()
            _runtime.watch_life()
        threads = [threading.Thread(target=watch) for _ in range(8)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        seen, out = os.pipe()
        if not os.fork():
            os.write(out, str(_runtime.generation()).encode())
            os._exit(0)
        os.wait()
        print(json.dumps([_runtime.generation(), int(os.read(seen, 9))]))
        """,
    )
    _runtime.watch_life()

    assert [0, 1] == forks
    assert life.watched


def test_second_watcher_finds_life_watched(life: _runtime._Life, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A thread that waited while another one began to watch begins nothing again.
    """
    monkeypatch.setattr(life, "watched", False)
    monkeypatch.setenv(INIT_TYPE, "snap-start")
    monkeypatch.setitem(sys.modules, "snapshot_restore_py", None)
    second = threading.Thread(target=_runtime.watch_life)

    with life.lock:
        second.start()
        threads.wait_until_at(second, "with _life.lock")
        life.watched = True
    second.join()

    # It would have failed for want of the package.
    assert life.watched


def test_fork_with_the_lock_held_does_not_block_the_child() -> None:
    """
    A child gets a lock of its own, because the thread that held the parent's does not exist there.
    """
    code = fresh_process.result(
        """
        import os, signal, threading
        from lambda_kit import _runtime
        _runtime.watch_life()
        held, done = threading.Event(), threading.Event()
        def hold():
            with _runtime._life.lock:
                held.set()
                done.wait()
        thread = threading.Thread(target=hold)
        thread.start()
        held.wait()
        pid = os.fork()
        if not pid:
            signal.alarm(20)
            _runtime.on_shutdown(print)
            os._exit(7)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        done.set()
        thread.join()
        print(code)
        """,
    )

    assert 7 == code


# Snapshots


_SNAP_START = """
import json
from awslambdaric.lambda_runtime_hooks_runner import run_after_restore, run_before_snapshot
from lambda_kit import after_restore, before_snapshot, environment, lazy
from lambda_kit import _runtime
calls = []
kept = lazy(lambda: calls.append("kept built"))
token = lazy(lambda: calls.append("token built"), reset_on_restore=True)
before_snapshot(lambda: calls.append("before 1"))
before_snapshot(lambda: calls.append("before 2"))
@after_restore
def restored():
    calls.append(f"after, generation {_runtime.generation()}")
kept(), token()
run_before_snapshot()
run_after_restore()
kept(), token()
print(json.dumps([environment().init_type, calls]))
"""


def test_snapstart_runs_the_hooks_and_rebuilds() -> None:
    """
    The runtime client's own runner finds the kit's hooks, and what must not be shared by copies is built again.
    """
    init_type, calls = fresh_process.result(_SNAP_START, environ={INIT_TYPE: "snap-start"})

    assert "snap-start" == init_type
    assert ["kept built", "token built", "before 2", "before 1", "after, generation 1", "token built"] == calls


def test_without_snapstart_nothing_is_registered() -> None:
    """
    On demand, the runtime client's runner finds no hook of the kit, and its package is not even imported.
    """
    init_type, calls = fresh_process.result(_SNAP_START, environ={INIT_TYPE: "on-demand"})
    imported = fresh_process.result(
        """
        import json, sys
        from lambda_kit import _runtime
        _runtime.watch_life()
        print(json.dumps("snapshot_restore_py" in sys.modules))
        """,
        environ={INIT_TYPE: "on-demand"},
    )

    assert "on-demand" == init_type
    assert ["kept built", "token built"] == calls
    assert not imported


def test_snapstart_without_its_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch, life: _runtime._Life) -> None:
    """
    A simulated SnapStart environment without the runtime client's package fails clearly, each time.
    """
    monkeypatch.setenv(INIT_TYPE, "snap-start")
    monkeypatch.setitem(sys.modules, "snapshot_restore_py", None)
    monkeypatch.setattr(life, "watched", False)

    for _ in range(2):
        with pytest.raises(MissingDependencyError, match="snapshot_restore_py"):
            _runtime.watch_life()


# Shutdown


def test_off_lambda_shutdown_hooks_touch_nothing() -> None:
    """
    Without a Runtime API no signal handler is set and no request is made.
    """
    before = signal.getsignal(signal.SIGTERM)

    _runtime.on_shutdown(lambda: None)

    assert before is signal.getsignal(signal.SIGTERM)


def test_first_shutdown_hook_registers_one_extension(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Lambda sees one internal extension, registered for no events and ready, however many hooks there are.
    """
    with RuntimeApi() as api:
        monkeypatch.setenv("AWS_LAMBDA_RUNTIME_API", api.address)
        _runtime.on_shutdown(lambda: None)
        _runtime.on_shutdown(lambda: None)
        assert api.extension_waits.wait(fresh_process.TIMEOUT_S)

    (register, name, body), *waits = api.requests
    assert ("/2020-01-01/extension/register", "lambda-kit-shutdown", []) == (register, name, json.loads(body)["events"])
    assert [("/2020-01-01/extension/event/next", "extension-1", "")] == waits


@pytest.mark.parametrize(("status", "identifier"), [(403, "extension-1"), (200, None)], ids=["forbidden", "no id"])
def test_refused_extension_is_a_configuration_error(
    monkeypatch: pytest.MonkeyPatch, life: _runtime._Life, status: int, identifier: str | None
) -> None:
    """
    What Lambda refuses is said at once, and the hook is not kept.
    """
    kept = len(life.shutdown.user)

    with RuntimeApi(status=status, identifier=identifier) as api:
        monkeypatch.setenv("AWS_LAMBDA_RUNTIME_API", api.address)
        with pytest.raises(ConfigurationError, match=f"refused the internal extension .HTTP {status}."):
            _runtime.on_shutdown(lambda: None)

    assert kept == len(life.shutdown.user)


def test_silent_runtime_api_is_a_configuration_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A Runtime API that is not there is named with its address.
    """
    with RuntimeApi() as gone:
        address = gone.address
    monkeypatch.setenv("AWS_LAMBDA_RUNTIME_API", address)

    with pytest.raises(ConfigurationError, match=f"the Runtime API at {address} did not answer"):
        _runtime.on_shutdown(lambda: None)


def test_shutdown_hook_in_an_invocation_is_a_configuration_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    After INIT no extension can be registered, so the hook would never run.
    """
    monkeypatch.setenv("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9")
    _runtime.begin_invocation()

    with pytest.raises(ConfigurationError, match="move the call to module level"):
        _runtime.on_shutdown(lambda: None)


def test_off_lambda_a_shutdown_hook_may_come_late(calls: list[str]) -> None:
    """
    A module that is imported after a handler has run, as one test file after another, declares its hooks as ever.
    """
    _runtime.begin_invocation()

    _runtime.on_shutdown(lambda: calls.append("hook"))
    _runtime.shut_down()

    assert ["hook"] == calls


def test_shutdown_hook_in_a_thread_is_a_configuration_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Python lets only the main thread set a signal handler.
    """
    errors: list[BaseException] = []
    monkeypatch.setenv("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9")

    def register() -> None:
        try:
            _runtime.on_shutdown(lambda: None)
        except ConfigurationError as exc:
            errors.append(exc)

    thread = threading.Thread(target=register)
    thread.start()
    thread.join()

    assert ["on_shutdown works only in the main thread, which is the one that gets signals"] == [str(error) for error in errors]


def test_managed_instances_register_no_extension(monkeypatch: pytest.MonkeyPatch, calls: list[str]) -> None:
    """
    Where every worker would register the same extension none does, and hooks wait for the worker's own SIGTERM.
    """
    signal.signal(signal.SIGTERM, lambda *_: calls.append("earlier handler"))
    monkeypatch.setenv(INIT_TYPE, "lambda-managed-instances")
    monkeypatch.setenv("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9")

    _runtime.on_shutdown(lambda: calls.append("hook"))
    signal.raise_signal(signal.SIGTERM)

    assert ["hook", "earlier handler"] == calls


def test_hooks_run_once_for_two_signals(monkeypatch: pytest.MonkeyPatch, calls: list[str]) -> None:
    """
    A second SIGTERM does nothing while hooks run; a later one goes to whom it went before the kit.
    """
    signal.signal(signal.SIGTERM, lambda *_: calls.append("earlier handler"))
    monkeypatch.setenv(INIT_TYPE, "lambda-managed-instances")
    monkeypatch.setenv("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9")

    @_runtime.on_shutdown
    def hook() -> None:
        calls.append("hook")
        signal.raise_signal(signal.SIGTERM)

    signal.raise_signal(signal.SIGTERM)
    assert ["hook", "earlier handler"] == calls

    signal.raise_signal(signal.SIGTERM)

    assert ["hook", "earlier handler", "earlier handler"] == calls


def test_ignored_signal_stays_ignored(monkeypatch: pytest.MonkeyPatch, calls: list[str]) -> None:
    """
    A process that ignored SIGTERM runs the hooks and lives on.
    """
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    monkeypatch.setenv(INIT_TYPE, "lambda-managed-instances")
    monkeypatch.setenv("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9")

    _runtime.on_shutdown(lambda: calls.append("hook"))
    signal.raise_signal(signal.SIGTERM)

    assert ["hook"] == calls


def test_process_ends_by_the_signal_it_got() -> None:
    """
    After the hooks the default action is restored and the signal sent again, logs and prints written out before.
    """
    pending = fresh_process.result(
        """
        import json, os, signal
        from lambda_kit import on_shutdown
        # Blocked, so that the process lives to tell.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        on_shutdown(lambda: print("hook"))
        signal.getsignal(signal.SIGTERM)(signal.SIGTERM, None)
        default = signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
        pending = signal.SIGTERM in signal.sigpending()
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print(json.dumps([default, pending]))
        """,
        environ={INIT_TYPE: "lambda-managed-instances", "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9"},
    )

    assert [True, True] == pending


@pytest.mark.parametrize("hook", ["os.write(2, b'hook')", "print('lost'); os.write(2, b'never')"], ids=["quiet", "prints"])
def test_process_ends_by_a_signal_in_the_middle_of_a_write(hook: str) -> None:
    """
    A stream that is being written to lets nobody else in: it is not flushed, a hook that prints fails, and the process ends.
    """
    ended = fresh_process.run(
        f"""
        import io, logging, os, signal, sys
        from lambda_kit import on_shutdown

        class Terminated(io.RawIOBase):
            def writable(self):
                return True

            def write(self, data):
                signal.raise_signal(signal.SIGTERM)
                os.write(2, b"survived")
                return len(data)

        class Handler(logging.Handler):  # as the runtime client's own, it lets errors out
            def emit(self, record):
                print(record.msg, flush=True)

        @on_shutdown
        def bye():
            {hook}

        logging.getLogger().addHandler(Handler())
        sys.stdout = io.TextIOWrapper(io.BufferedWriter(Terminated()), write_through=True)
        print("x", flush=True)
        """,
        environ={INIT_TYPE: "lambda-managed-instances", "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9"},
    )

    assert (-signal.SIGTERM, "hook" if "hook" in hook else "") == (ended.returncode, ended.stderr)


def test_forked_child_runs_no_hooks() -> None:
    """
    A child that is terminated, as multiprocessing does, dies of it and leaves the parent's hooks alone.
    """
    ended = fresh_process.run(
        """
        import os, signal
        from lambda_kit import on_shutdown
        on_shutdown(lambda: print("hook in", "parent" if os.getpid() == parent else "child"))
        parent = os.getpid()
        ready, out = os.pipe()
        pid = os.fork()
        if not pid:
            signal.alarm(20)
            os.write(out, b"!")
            while True:  # not a pause, which the signal could just miss
                pass
        os.read(ready, 1)
        os.kill(pid, signal.SIGTERM)
        print("child ended with", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        os.kill(parent, signal.SIGTERM)
        signal.pause()
        """,
        environ={INIT_TYPE: "lambda-managed-instances", "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9"},
    )

    assert (-signal.SIGTERM, ["child ended with -15", "hook in parent"]) == (ended.returncode, ended.stdout.splitlines())


def test_forked_child_leaves_the_signal_to_the_earlier_handler() -> None:
    """
    In a child the handler that was there before the kit's gets the signal as if the kit's were not.
    """
    code = fresh_process.result(
        """
        import os, signal, sys
        from lambda_kit import on_shutdown
        calls = []
        signal.signal(signal.SIGTERM, lambda *_: calls.append("earlier"))
        on_shutdown(lambda: calls.append("hook"))
        pid = os.fork()
        if not pid:
            signal.raise_signal(signal.SIGTERM)
            sys.exit(7 if calls == ["earlier"] else 1)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        """,
        environ={INIT_TYPE: "lambda-managed-instances", "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9"},
    )

    assert 7 == code


def test_idle_function_runs_its_hooks_under_the_runtime_client(tmp_path: Path) -> None:
    """
    Under the real runtime client, waiting for an invocation in its polling thread, SIGTERM runs the hooks and ends the process.
    """
    source = """
        from lambda_kit import on_shutdown

        @on_shutdown
        def save():
            print("saved")

        def handle(event, context):
            return None
        """
    (tmp_path / "function.py").write_text(textwrap.dedent(source))
    with RuntimeApi() as api:
        environ = {"AWS_LAMBDA_RUNTIME_API": api.address, "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13", "LAMBDA_TASK_ROOT": str(tmp_path)}
        process = subprocess.Popen(
            [sys.executable, "-m", "awslambdaric", "function.handle"],
            cwd=tmp_path,
            env={**os.environ, **environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            ready = api.extension_waits.wait(fresh_process.TIMEOUT_S) and api.runtime_waits.wait(fresh_process.TIMEOUT_S)
            process.terminate()
            output, _ = process.communicate(timeout=fresh_process.TIMEOUT_S)
        finally:
            process.kill()
            process.wait()

    assert ready, output
    assert (-signal.SIGTERM, "saved\n") == (process.returncode, output)
