"""
Functions under the real runtime client: what they see, how they fail, and when their environments are replaced.
"""

from __future__ import annotations

import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lambda_kit._local import LocalFunction, XRayDaemon
from lambda_kit._local._local_function import MAX_EVENT_BYTES
from lambda_kit.errors import ConfigurationError, EventError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HANDLER = """
    import logging, os, sys, time

    print("importing")
    invocations = 0

    def handler(event, context):
        global invocations
        invocations += 1
        print("got", event)
        match event:
            case {"sleep_s": seconds}:
                time.sleep(seconds)
            case {"exit": status}:
                os._exit(status)
            case {"signal": number}:
                os.kill(os.getpid(), number)
            case {"raise": message}:
                raise ValueError(message)
            case {"result": "set"}:
                return {1, 2}
            case {"result": "bytes"}:
                return b"\\xff"
            case {"result": "large"}:
                return "x" * 7_000_000
            case {"log": message}:
                logging.warning(message)
            case {"result": "context"}:
                return {
                    "arn": context.invoked_function_arn,
                    "client": context.client_context and context.client_context.custom,
                    "cwd": os.getcwd(),
                    "identity": context.identity.cognito_identity_id,
                    "memory": context.memory_limit_in_mb,
                    "remaining_ms": context.get_remaining_time_in_millis(),
                    "request_id": context.aws_request_id,
                    "tenant": context.tenant_id,
                    "trace": os.environ["_X_AMZN_TRACE_ID"],
                    "temporary": os.environ["TMPDIR"],
                    "variable": os.environ.get("VARIABLE"),
                }
        return {"pid": os.getpid(), "invocations": invocations}
"""


@pytest.fixture(scope="module")
def task_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("task")
    (root / "app.py").write_text(textwrap.dedent(HANDLER))
    return root


@pytest.fixture(scope="module")
def function(task_root: Path) -> Iterator[LocalFunction]:
    with LocalFunction("app.handler", task_root=task_root, timeout_s=10.0, memory_mb=256, environ={"VARIABLE": "v"}) as running:
        yield running


def ended(pid: int) -> bool:
    """
    Tell whether a process is gone.
    """
    return not Path(f"/proc/{pid}").exists()


def test_one_environment_takes_several_events(task_root: Path) -> None:
    """
    The first invocation is cold and pays INIT, the next is warm in the same process; leaving ends it.
    """
    with LocalFunction("app.handler", task_root=task_root) as function:
        cold, warm = function.invoke({}), function.invoke({})

    assert (True, True, True, False) == (cold.ok, warm.ok, cold.cold, warm.cold)
    assert cold.payload["pid"] == warm.payload["pid"]
    assert (1, 2) == (cold.payload["invocations"], warm.payload["invocations"])
    assert cold.init_ms is not None
    assert warm.init_ms is None
    assert cold.billed_ms > cold.init_ms
    assert 5 < cold.max_memory_mb < 100
    assert ended(cold.payload["pid"])


def test_the_log_has_the_platforms_lines_around_the_functions(task_root: Path) -> None:
    """
    INIT_START, what the module prints, START, what the handler prints, END, REPORT; a listener gets the same.
    """
    heard: list[str] = []
    with LocalFunction("app.handler", task_root=task_root, on_line=heard.append) as function:
        log = function.invoke({"log": "careful"}, request_id="r1").log

    assert log == tuple(heard)
    assert log[0].startswith("INIT_START Runtime Version: python:3.")
    assert ("importing", "START RequestId: r1 Version: $LATEST", "got {'log': 'careful'}") == log[1:4]
    assert log[4].startswith("[WARNING]\t")
    assert "\tr1\tcareful" in log[4]
    assert "END RequestId: r1" == log[-2]
    assert log[-1].startswith("REPORT RequestId: r1\t")


def test_the_function_sees_what_it_sees_on_lambda(function: LocalFunction, task_root: Path) -> None:
    """
    Request, deadline, ARN, trace, tenant, client context and identity arrive; the variables are set.
    """
    result = function.invoke(
        {"result": "context"},
        trace_header="Root=1-0-0;Parent=0;Sampled=0",
        request_id="r2",
        client_context={"custom": {"app": "é"}},
        cognito_identity={"cognitoIdentityId": "me"},
        tenant_id="blue",
    )

    seen: dict[str, Any] = result.payload
    assert 9_000 < seen.pop("remaining_ms") <= 10_000
    assert not Path(seen.pop("temporary")).samefile("/tmp")  # noqa: S108  # it is the one place it must not be
    expected = {
        "arn": "arn:aws:lambda:us-east-1:123456789012:function:function",
        "client": {"app": "é"},
        "cwd": str(task_root),
        "identity": "me",
        "memory": "256",
        "request_id": "r2",
        "tenant": "blue",
        "trace": "Root=1-0-0;Parent=0;Sampled=0",
        "variable": "v",
    }
    assert expected == seen
    assert "Root=1-0-0;Parent=0;Sampled=0" == result.trace_header


def test_an_event_may_be_json_bytes(function: LocalFunction) -> None:
    """
    A file's content is handed over as it is.
    """
    assert "got {'a': 1.0}" in function.invoke(b'{"a": 1.0}').log


def test_an_event_over_the_limit_is_refused(function: LocalFunction) -> None:
    """
    6 MB is what a synchronous invocation takes.
    """
    with pytest.raises(EventError, match="6291456"):
        function.invoke(b" " * (MAX_EVENT_BYTES + 1))


def test_an_error_leaves_the_environment_alive(function: LocalFunction) -> None:
    """
    A raising handler gives the error's type, text and trace; the next invocation is warm.
    """
    result = function.invoke({"raise": "out of teapots"})

    assert "error" == result.status
    assert result.error is not None
    assert ("ValueError", "out of teapots") == (result.error["errorType"], result.error["errorMessage"])
    assert any("raise ValueError(message)" in line for line in result.error["stackTrace"])
    assert "[ERROR] ValueError: out of teapots" in result.log
    assert not function.invoke({}).cold


def test_a_result_that_is_not_json_is_an_error(function: LocalFunction) -> None:
    """
    A set cannot be sent; bytes can.
    """
    result = function.invoke({"result": "set"})

    assert result.error is not None
    assert "Runtime.MarshalError" == result.error["errorType"]
    assert b"\xff" == function.invoke({"result": "bytes"}).payload


@pytest.mark.parametrize(
    ("event", "told"),
    [({"exit": 4}, "exit status 4"), ({"exit": 0}, "without providing a reason"), ({"signal": 11}, "signal: segmentation fault")],
    ids=["badly", "well", "crash"],
)
def test_a_crashed_environment_is_replaced(function: LocalFunction, event: dict[str, int], told: str) -> None:
    """
    A runtime that ends by itself is an error that says how; the next invocation is cold.
    """
    result = function.invoke(event)

    assert result.error is not None
    assert "Runtime.ExitError" == result.error["errorType"]
    assert told in result.error["errorMessage"]
    assert function.invoke({}).cold


def test_a_response_over_the_limit_is_an_error(function: LocalFunction) -> None:
    """
    The runtime client ends when it is told 413, so the environment is replaced.
    """
    result = function.invoke({"result": "large"})

    assert result.error is not None
    assert "Function.ResponseSizeTooLarge" == result.error["errorType"]
    assert function.invoke({}).ok


def test_a_function_that_outlives_its_timeout_is_replaced(task_root: Path) -> None:
    """
    It is killed at its timeout, the log has all it said until then, and the next invocation is cold in a new process.
    """
    with LocalFunction("app.handler", task_root=task_root, timeout_s=0.5) as function:
        first = function.invoke({})
        late = function.invoke({"sleep_s": 600})
        assert ended(first.payload["pid"])
        fresh = function.invoke({})

    assert ("timeout", 500.0, 500) == (late.status, late.duration_ms, late.billed_ms)
    assert late.timed_out
    assert late.error is not None
    assert "Sandbox.Timedout" == late.error["errorType"]
    assert late.error["errorMessage"].endswith("Task timed out after 0.50 seconds")
    assert "got {'sleep_s': 600}" in late.log
    assert late.log[-3].endswith("Task timed out after 0.50 seconds")
    assert "\tStatus: timeout\t" in late.log[-1]
    assert fresh.cold
    assert fresh.payload["pid"] != first.payload["pid"]


def test_an_idle_environment_that_died_is_replaced(function: LocalFunction) -> None:
    """
    A runtime that was killed between two events is not given the second.
    """
    environment = function._idle[-1] if function.invoke({}).ok else None
    assert environment is not None
    environment.kill()

    assert function.invoke({}).cold


def test_concurrent_events_get_environments_of_their_own(task_root: Path) -> None:
    """
    Two invocations at once run in two processes, and both take later events.
    """
    with LocalFunction("app.handler", task_root=task_root, timeout_s=30.0) as function, ThreadPoolExecutor() as pool:
        both = list(pool.map(function.invoke, [{"sleep_s": 1.0}, {"sleep_s": 1.0}]))
        later = [function.invoke({}) for _ in range(2)]

    assert 2 == len({result.payload["pid"] for result in both})
    assert [False, False] == [result.cold for result in later]


def test_provisioned_concurrency_waits_for_nobody(task_root: Path) -> None:
    """
    The environment is there before the first event, so that no invocation is cold.
    """
    with LocalFunction("app.handler", task_root=task_root, init_type="provisioned-concurrency") as function:
        result = function.invoke({})

    assert not result.cold
    assert result.init_ms is None
    assert "importing" in result.log


def test_provisioned_concurrency_that_fails_is_told_at_the_event(handler_module: Callable[[str], Path]) -> None:
    """
    Nothing is left of the failed environment; the event's own gives the error.
    """
    with LocalFunction("app.handler", task_root=handler_module("raise OSError('no')"), init_type="provisioned-concurrency") as function:
        assert function.invoke({}).init_failed


def test_sampled_traces_are_collected(task_root: Path) -> None:
    """
    With a daemon the header says sampled, and the platform's own segment is there.
    """
    with XRayDaemon() as daemon, LocalFunction("app.handler", task_root=task_root, xray=daemon) as function:
        result = function.invoke({"result": "context"})
        segments = daemon.documents()

    assert result.payload["trace"].endswith("Sampled=1")
    assert ["function"] == [segment["name"] for segment in segments]
    assert ["Initialization"] == [phase["name"] for phase in segments[0]["subsegments"]]


def test_layers_are_on_the_path(handler_module: Callable[[str], Path], tmp_path: Path) -> None:
    """
    What a layer brings can be imported; what the task root brings wins.
    """
    python = tmp_path / "opt" / "python"
    python.mkdir(parents=True)
    (python / "from_layer.py").write_text("here = 'layer'")
    (python / "both.py").write_text("here = 'layer'")
    (tmp_path / "both.py").write_text("here = 'task'")
    root = handler_module("import both, from_layer\ndef handler(event, context): return [from_layer.here, both.here]")

    with LocalFunction("app.handler", task_root=root, layers=[tmp_path / "opt"]) as function:
        assert ["layer", "task"] == function.invoke({}).payload


def test_settings_lambda_would_refuse_are_refused() -> None:
    """
    Before anything is started.
    """
    with pytest.raises(ConfigurationError, match="900 s"):
        LocalFunction("app.handler", timeout_s=1000.0)


def test_a_failed_start_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Folder, descriptors and threads of an environment whose process cannot be started are closed at once.
    """
    root, temporary = tmp_path / "root", tmp_path / "temporary"
    root.mkdir()
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    function = LocalFunction("app.handler", task_root=root)
    root.rmdir()
    before = (threading.active_count(), len(list(Path("/proc/self/fd").iterdir())))

    with pytest.raises(FileNotFoundError):
        function.invoke({})

    assert [] == list(temporary.iterdir())
    assert before == (threading.active_count(), len(list(Path("/proc/self/fd").iterdir())))


def test_a_daemon_of_the_function_ends_with_its_environment(handler_module: Callable[[str], Path]) -> None:
    """
    Nothing a function has started outlives it, wherever it has put itself.
    """
    source = """
        import subprocess

        def handler(event, context):
            shell = "setsid sleep 600 >/dev/null 2>&1 & echo $!"
            return int(subprocess.run(["sh", "-c", shell], stdout=subprocess.PIPE, check=True).stdout)
    """
    with LocalFunction("app.handler", task_root=handler_module(source), timeout_s=10.0) as function:
        pid = function.invoke({}).payload
        assert not ended(pid)

    assert ended(pid) or "Z" == Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def test_nothing_is_left(task_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Processes, threads and temporary folders are gone after the block, also when it ends in an error.
    """
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    threads = set(threading.enumerate())
    pids: list[int] = []

    def interrupted() -> None:
        with LocalFunction("app.handler", task_root=task_root) as function:
            pids.append(function.invoke({}).payload["pid"])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()

    assert ended(pids[0])
    assert [] == list(tmp_path.iterdir())
    assert [] == [
        thread.name
        for thread in set(threading.enumerate()) - threads
        if thread.name in ("runtime-api", "function-log", "environment-watcher")
    ]
