"""
The phases of an environment's life: INIT, snapshot and restore, SHUTDOWN, and how each can fail.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lambda_kit._local import LocalFunction

if TYPE_CHECKING:
    from collections.abc import Callable


def ended(pid: int) -> bool:
    """
    Tell whether a process is gone.
    """
    return not Path(f"/proc/{pid}").exists()


@pytest.mark.parametrize(
    ("source", "kind", "told"),
    [
        ("import no_such_module", "Runtime.ImportModuleError", "no_such_module"),
        ("raise RuntimeError('no start')", "RuntimeError", "no start"),
        ("def other(event, context): ...", "Runtime.HandlerNotFound", "handler"),
        ("def handler(event, context)", "Runtime.UserCodeSyntaxError", "app"),
        ("import os; os._exit(3)", "Runtime.ExitError", "exit status 3"),
    ],
    ids=["import", "raise", "missing", "syntax", "exit"],
)
def test_a_failed_init_is_told(handler_module: Callable[[str], Path], source: str, kind: str, told: str) -> None:
    """
    Nothing was invoked: the result says what failed, and each further event tries again.
    """
    with LocalFunction("app.handler", task_root=handler_module(source)) as function:
        result = function.invoke({})

        assert result.init_failed
        assert "init error" == function.invoke({}).status
    assert result.error is not None
    assert kind == result.error["errorType"]
    assert told in result.error["errorMessage"]
    assert any(line.startswith("INIT_REPORT") and line.endswith(f"Phase: init\tStatus: error\tError Type: {kind}") for line in result.log)
    assert 0.0 == result.duration_ms


SLOW_AT_FIRST = """
    import pathlib, time
    if not pathlib.Path("quick").exists():
        time.sleep(600)

    def handler(event, context):
        return context.get_remaining_time_in_millis()
"""


def quick_after_the_first(root: Path) -> Callable[[str], None]:
    """
    Return a listener that makes INIT quick once one has taken too long.
    """
    return lambda line: (root / "quick").touch() if line.startswith("INIT_REPORT") else None


def test_init_that_takes_too_long_is_repeated_in_the_functions_time(handler_module: Callable[[str], Path]) -> None:
    """
    The second INIT is part of the invocation: no init duration, and less time for the handler.
    """
    root = handler_module(SLOW_AT_FIRST)
    with LocalFunction("app.handler", task_root=root, timeout_s=10.0, init_timeout_s=0.1, on_line=quick_after_the_first(root)) as function:
        result = function.invoke({})

    assert result.ok
    assert result.cold
    assert result.init_ms is None
    assert 10_000 - result.duration_ms - 5 < result.payload < 10_000
    assert [line for line in result.log if line.startswith("INIT_REPORT") and line.endswith("Phase: init\tStatus: timeout")]
    assert 2 == sum(line.startswith("INIT_START") for line in result.log)


def test_a_repeated_init_can_take_too_long_too(handler_module: Callable[[str], Path]) -> None:
    """
    Then the function has timed out, without having run.
    """
    with LocalFunction(
        "app.handler", task_root=handler_module("import time; time.sleep(600)"), timeout_s=0.2, init_timeout_s=0.1
    ) as function:
        result = function.invoke({})

    assert ("timeout", 200.0) == (result.status, result.duration_ms)
    assert any("Phase: invoke\tStatus: timeout" in line for line in result.log)


def test_a_repeated_init_can_fail(handler_module: Callable[[str], Path]) -> None:
    """
    Then the caller gets INIT's error.
    """
    root = handler_module(SLOW_AT_FIRST + "\n    raise ImportError('second')")
    with LocalFunction("app.handler", task_root=root, timeout_s=10.0, init_timeout_s=0.1, on_line=quick_after_the_first(root)) as function:
        result = function.invoke({})

    assert "init error" == result.status
    assert any("Phase: invoke\tStatus: error\tError Type: Runtime.ImportModuleError" in line for line in result.log)


SNAPSHOT = """
    import os
    from snapshot_restore_py import register_after_restore, register_before_snapshot

    done = []
    register_before_snapshot(lambda: done.append("snapshot"))
    register_after_restore(lambda: done.append("restored"))

    def handler(event, context):
        return {"done": done, "init_type": os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"]}
"""


def test_snap_start_runs_the_hooks(handler_module: Callable[[str], Path]) -> None:
    """
    The snapshot is taken before the first event; the caller waits for, and pays, the restore.
    """
    with LocalFunction("app.handler", task_root=handler_module(SNAPSHOT), init_type="snap-start") as function:
        restored, warm = function.invoke({}), function.invoke({})

    assert {"done": ["snapshot", "restored"], "init_type": "snap-start"} == restored.payload
    assert restored.cold
    assert restored.init_ms is None
    assert restored.restore_ms is not None
    assert restored.billed_ms < 1000
    assert "Restore Duration: " in restored.log[-1]
    assert warm.restore_ms is None


@pytest.mark.parametrize(
    ("hook", "kind"),
    [("before_snapshot", "Runtime.BeforeSnapshotError"), ("after_restore", "Runtime.AfterRestoreError")],
    ids=["before", "after"],
)
def test_a_failing_snap_start_hook_fails_init(handler_module: Callable[[str], Path], hook: str, kind: str) -> None:
    """
    The payload is the hook's own error.
    """
    source = f"import snapshot_restore_py\n@snapshot_restore_py.register_{hook}\ndef fail():\n    raise KeyError('no')\nhandler = print"

    with LocalFunction("app.handler", task_root=handler_module(source), init_type="snap-start") as function:
        result = function.invoke({})

    assert result.init_failed
    assert result.error is not None
    assert "KeyError" == result.error["errorType"]
    assert any("_REPORT " in line and line.endswith(f"Status: error\tError Type: {kind}") for line in result.log)


def test_a_restore_that_takes_too_long_fails(handler_module: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """
    After-restore hooks have 10 s on Lambda.
    """
    source = "import time\nfrom snapshot_restore_py import register_after_restore\nregister_after_restore(time.sleep, 600)\nhandler = print"

    with LocalFunction("app.handler", task_root=handler_module(source), init_type="snap-start", restore_timeout_s=0.2) as function:
        result = function.invoke({})

    assert result.error is not None
    assert ("init error", "SnapStartTimeoutException") == (result.status, result.error["errorType"])


EXTENSION = """
    import http.client, json, os, signal, threading

    def register(events):
        connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
        connection.request("POST", "/2020-01-01/extension/register", json.dumps({"events": events}), {"Lambda-Extension-Name": "mine"})
        answer = connection.getresponse()
        answer.read()
        return answer.headers["Lambda-Extension-Identifier"]

    def wait():
        connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
        connection.request("GET", "/2020-01-01/extension/event/next", headers={"Lambda-Extension-Identifier": identifier})
        connection.getresponse().read()

    def say_goodbye(*_):
        os.write(1, b"goodbye\\n")
        os._exit(0)

    def handler(event, context):
        return os.getpid()
"""


def test_sigterm_comes_only_with_an_extension(handler_module: Callable[[str], Path]) -> None:
    """
    Without one a function is killed at once; with one it has half a second.
    """
    # Blocked in C, the main thread would not run a Python handler on 3.11: the wake-up thread takes the signal.
    take = "\n    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])\n"
    take += "    threading.Thread(target=lambda: say_goodbye(signal.sigwait([signal.SIGTERM])), daemon=True).start()\n"
    registered = "    identifier = register([])\n    threading.Thread(target=wait, daemon=True).start()\n"
    heard: list[str] = []
    for source in (EXTENSION + take, EXTENSION + take + registered):
        with LocalFunction("app.handler", task_root=handler_module(source), on_line=heard.append, timeout_s=10.0) as function:
            pid = function.invoke({}).payload
        assert ended(pid)
        heard.append("--")

    before, after = heard[: heard.index("--")], heard[heard.index("--") :]
    assert "goodbye" not in before
    assert "goodbye" in after
