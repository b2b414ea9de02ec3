"""
``lambda-kit invoke``: what it prints, how it ends, and that nothing is left running.
"""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lambda_kit._local._processes import python_environment, wait_until
from lambda_kit._tools._invoke import InvokeOptions, check_handler, invoke_events
from lambda_kit._tools._invoke_output import JsonOutput, TerminalOutput
from lambda_kit.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lambda_kit._local import InvokeResult

HANDLER = """
    import os, sys, time

    def handler(event, context):
        print("pid", os.getpid())
        if "sleep_s" in event:
            time.sleep(event["sleep_s"])
        if "raise" in event:
            raise ValueError(event["raise"])
        if "set" in event:
            return {1}
        return {name: os.environ.get(name) for name in event.get("variables", [])}
"""


@pytest.fixture
def task_root(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text(textwrap.dedent(HANDLER))
    (tmp_path / "broken.py").write_text("raise OSError('no start')")
    for name, event in {"plain": {}, "raise": {"raise": "no"}, "slow": {"sleep_s": 600}, "set": {"set": 1}}.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(event))
    return tmp_path


class Recorder:
    """
    Keep what would be shown.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.outcomes: list[tuple[InvokeResult, Any, Any]] = []
        self.hints: list[str] = []
        self.errors: list[str] = []

    def line(self, line: str) -> None:
        self.lines.append(line)

    def outcome(self, result: InvokeResult, calls: Mapping[str, int] | None, trace: Sequence[Mapping[str, Any]] | None) -> None:
        self.outcomes.append((result, calls, trace))

    def hint(self, message: str) -> None:
        self.hints.append(message)

    def error(self, message: str) -> None:
        self.errors.append(message)


def options(root: Path, *events: str, handler: str = "app.handler", **changes: Any) -> InvokeOptions:
    """
    Return what a command line with these events says.
    """
    plain: dict[str, Any] = {
        "timeout_s": 3.0,
        "memory_mb": 128,
        "env_file": None,
        "env": [],
        "aws": None,
        "trace": False,
        "init_type": "on-demand",
    }
    return InvokeOptions(
        **{**plain, "handler": handler, "events": [root / f"{event}.json" for event in events], "task_root": root, **changes}
    )


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """
    Run the command as a user does.
    """
    command = [sys.executable, "-m", "lambda_kit", *arguments]
    return subprocess.run(command, cwd=cwd, env=python_environment(), capture_output=True, text=True, timeout=60, check=False)


def pids_of(log: str) -> list[int]:
    """
    Return the processes that handlers have named.
    """
    return [int(line.split()[1]) for line in log.splitlines() if line.startswith("pid ")]


def ended(pid: int) -> bool:
    """
    Tell whether a process is gone.
    """
    return not Path(f"/proc/{pid}").exists()


def test_responses_go_to_standard_output_alone(task_root: Path) -> None:
    """
    Two events, one environment: two lines of JSON; the log is on standard error, tabs and all.
    """
    done = run("invoke", "app.handler", "--event", "plain.json", "--event", "plain.json", cwd=task_root)

    assert (0, "{}\n{}\n") == (done.returncode, done.stdout)
    reports = [line for line in done.stderr.splitlines() if line.startswith("REPORT RequestId: ")]
    assert [True, False] == ["\tInit Duration: " in line for line in reports]
    assert ["cold", "warm"] == [line.rpartition("Environment: ")[2] for line in reports]
    assert 1 == len(set(pids_of(done.stderr)))
    assert ended(pids_of(done.stderr)[0])


def test_json_is_one_document_an_invocation(task_root: Path) -> None:
    """
    And nothing else, on neither stream; the trace is in it.
    """
    done = run("invoke", "app.handler", "--event", "plain.json", "--event", "raise.json", "--json", "--trace", cwd=task_root)

    assert 1 == done.returncode
    assert "" == done.stderr
    first, second = [json.loads(line) for line in done.stdout.splitlines()]
    assert ("success", "error") == (first["status"], second["status"])
    assert ["function"] == [segment["name"] for segment in first["trace"]]
    assert first["awsCalls"] is None


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["app.handler", "--event", "raise.json"], 1, "[ERROR] ValueError: no"),
        (["app.handler", "--event", "set.json"], 1, "Runtime.MarshalError"),
        (["nowhere.handler", "--event", "plain.json"], 2, "no module for 'nowhere.handler': looked for nowhere.py"),
        (["app.handler", "--event", "missing.json"], 2, "cannot read the event file missing.json: No such file"),
        (["app.handler", "--event", "app.py"], 2, "the event file app.py is not JSON"),
        (
            ["app.handler", "--event", "plain.json", "--aws", "http://127.0.0.1:9"],
            2,
            "no AWS endpoint answers at http://127.0.0.1:9: Connection refused",
        ),
        (["app.handler"], 2, "Missing option '--event'"),
        (["broken.handler", "--event", "plain.json"], 3, "[ERROR] OSError: no start"),
        (["app.nothing", "--event", "plain.json"], 3, "Handler 'nothing' missing on module 'app'"),
        (["app.handler", "--event", "slow.json", "--timeout", "0.5"], 4, "Task timed out after 0.50 seconds"),
    ],
    ids=["error", "unserialisable", "no module", "no event", "no json", "no aws", "no option", "broken import", "no member", "timeout"],
)
def test_each_failure_has_its_exit_code(task_root: Path, arguments: list[str], code: int, told: str) -> None:
    """
    The message says what is wrong, and nothing is left running.
    """
    done = run("invoke", *arguments, cwd=task_root)

    assert code == done.returncode, done.stderr
    assert told in done.stderr
    assert "Traceback (most recent call last)" not in done.stderr or code in (1, 3)
    assert all(ended(pid) for pid in pids_of(done.stderr))


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130), (signal.SIGKILL, -9)],
    ids=["SIGTERM", "SIGHUP", "SIGINT", "SIGKILL"],
)
def test_nothing_is_left_after_a_signal(task_root: Path, number: signal.Signals, code: int) -> None:
    """
    A command that is told to end, or is killed, takes the function with it, the embedded AWS and their guard.
    """
    command = [sys.executable, "-m", "lambda_kit", "invoke", "app.handler", "--event", "slow.json", "--timeout", "900", "--aws", "embedded"]
    with subprocess.Popen(
        command,
        cwd=task_root,
        env=python_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # What a shell starts in the background ignores interrupts, and so would what it starts in turn.
        preexec_fn=lambda: None if number == signal.SIGKILL else signal.signal(number, signal.SIG_DFL),
    ) as running:
        assert running.stderr is not None
        pid = next(int(line.split()[1]) for line in running.stderr if line.startswith("pid "))
        children = [int(child) for child in Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text().split()]

        running.send_signal(number)

        try:
            assert code == running.wait(30.0)
        finally:
            running.kill()
    assert pid in children
    assert 3 == len(children)
    # The guard ends a moment after the command, and in doing so ends what a killed one has left.
    assert wait_until(lambda: all(ended(child) for child in children), timeout_s=30.0)


def test_an_ignored_hangup_stays_ignored(task_root: Path) -> None:
    """
    A command under nohup goes on when the terminal is closed.
    """
    source = "import atexit, signal, sys; signal.signal(signal.SIGHUP, signal.SIG_IGN); sys.argv = ['lambda-kit', '--help']; "
    source += (
        "atexit.register(lambda: print(signal.getsignal(signal.SIGHUP) == signal.SIG_IGN)); from lambda_kit._tools import main; main()"
    )

    done = subprocess.run([sys.executable, "-c", source], env=python_environment(), capture_output=True, text=True, timeout=60, check=True)

    assert "True" == done.stdout.splitlines()[-1]


def test_a_reader_that_goes_away_ends_the_command(task_root: Path) -> None:
    """
    As in ``lambda-kit invoke ... 2>&1 | head -1``: no traceback, no waiting, nothing left running.
    """
    command = [sys.executable, "-m", "lambda_kit", "invoke", "app.handler", "--event", "plain.json", "--event", "plain.json"]
    with subprocess.Popen(
        command, cwd=task_root, env=python_environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as running:
        assert running.stderr is not None
        running.stderr.readline()
        running.stderr.close()
        try:
            assert 1 == running.wait(30.0)
        finally:
            running.kill()


@pytest.mark.parametrize("package", ["typer", "rich", "awslambdaric"])
def test_a_missing_extra_is_told(task_root: Path, package: str) -> None:
    """
    The command that installs it is named; the exit code is that of wrong use.
    """
    source = f"import sys; sys.modules[{package!r}] = None; sys.argv[0] = 'lambda-kit'; from lambda_kit._tools import main; main()"
    command = [sys.executable, "-c", source, "invoke", "app.handler", "--event", "plain.json"]

    done = subprocess.run(command, cwd=task_root, env=python_environment(), capture_output=True, text=True, timeout=60, check=False)

    assert 2 == done.returncode
    assert f"error: this needs the package '{package}'" in done.stderr
    assert 'pip install "aws-lambda-kit[tools]"' in done.stderr


def test_the_command_line_costs_nothing_to_import() -> None:
    """
    The console script's module loads none of the command line's libraries.
    """
    source = "import sys, lambda_kit._tools; print([name for name in ('typer', 'rich', 'boto3') if name in sys.modules])"

    assert (
        "[]\n"
        == subprocess.run([sys.executable, "-c", source], env=python_environment(), capture_output=True, text=True, check=True).stdout
    )


def test_embedded_aws_is_seeded_beside_the_event_and_counted(task_root: Path) -> None:
    """
    An aws.toml beside the event is enough to start it.
    """
    (task_root / "aws.toml").write_text('[parameters]\n"/a" = "1"')
    (task_root / "caller.py").write_text(
        "import boto3\ndef handler(event, context): return boto3.client('ssm').get_parameter(Name='/a')['Parameter']['Value']"
    )
    shown = Recorder()

    assert 0 == invoke_events(options(task_root, "plain", handler="caller.handler", timeout_s=30.0), shown)
    result, calls, trace = shown.outcomes[0]
    assert ("1", {"ssm:GetParameter": 1}, None) == (result.payload, calls, trace)
    assert [] == shown.hints


def test_embedded_aws_may_be_empty(task_root: Path) -> None:
    """
    Asked for, it starts without an aws.toml; its endpoint is the function's.
    """
    (task_root / "where.json").write_text('{"variables": ["AWS_ENDPOINT_URL"]}')
    shown = Recorder()

    assert 0 == invoke_events(options(task_root, "where", aws="embedded"), shown)
    result, calls, _ = shown.outcomes[0]
    assert result.payload["AWS_ENDPOINT_URL"].startswith("http://127.0.0.1:")
    assert {} == calls
    assert [f"embedded AWS is empty: no aws.toml beside {task_root / 'where.json'}"] == shown.hints


def test_an_aws_of_ones_own_is_used(task_root: Path) -> None:
    """
    A URL that something listens at is the function's endpoint.
    """
    (task_root / "where.json").write_text('{"variables": ["AWS_ENDPOINT_URL"]}')
    shown = Recorder()
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"

        assert 0 == invoke_events(options(task_root, "where", aws=url), shown)
    assert {"AWS_ENDPOINT_URL": url} == shown.outcomes[0][0].payload


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("raise OSError('no such host')", 1),
        ("print('Could not connect to the endpoint URL: \"http://127.0.0.1:9/\"')", 1),
        ("print('Could not connect to the endpoint URL: \"http://127.0.0.1:9000/\"')", 0),
    ],
    ids=["failed", "logged", "another port"],
)
def test_a_call_of_aws_that_leads_nowhere_is_explained(task_root: Path, source: str, told: int) -> None:
    """
    A function that fails, or logs the address that stands for no AWS, may have missed it.
    """
    (task_root / "caller.py").write_text(f"def handler(event, context): {source}")
    shown = Recorder()

    invoke_events(options(task_root, "plain", handler="caller.handler"), shown)

    assert told * ["AWS calls lead nowhere: --aws is none; write aws.toml beside the event, or give --aws embedded"] == shown.hints


def test_an_endpoint_of_ones_own_leads_somewhere(task_root: Path) -> None:
    """
    A function that fails with an AWS_ENDPOINT_URL of the user's failed for reasons of its own.
    """
    shown = Recorder()

    assert 1 == invoke_events(options(task_root, "raise", env=["AWS_ENDPOINT_URL=http://127.0.0.1:9000"]), shown)
    assert [] == shown.hints


def test_a_handler_may_be_given_as_shells_complete_it(task_root: Path) -> None:
    """
    The leading ./ of a file's name is no part of the module's.
    """
    shown = Recorder()

    assert 0 == invoke_events(options(task_root, "plain", handler="./app.handler"), shown)
    assert ["success"] == [result.status for result, _, _ in shown.outcomes]


def test_no_aws_is_none_even_beside_a_seed(task_root: Path) -> None:
    """
    Who says none gets none.
    """
    (task_root / "aws.toml").write_text('[parameters]\n"/a" = "1"')
    shown = Recorder()

    assert 0 == invoke_events(options(task_root, "plain", aws="none"), shown)
    assert shown.outcomes[0][1] is None


@pytest.mark.parametrize(
    "aws",
    ["localstack", "ftp://127.0.0.1", "http://", "http://localhost:99999", "http://[", f"http://{'x' * 64}.test"],
    ids=["word", "scheme", "host", "port", "bracket", "label"],
)
def test_an_aws_that_is_no_url_is_refused(task_root: Path, aws: str) -> None:
    """
    The message says what may stand there.
    """
    shown = Recorder()

    assert 2 == invoke_events(options(task_root, "plain", aws=aws), shown)
    assert "--aws takes embedded, none or a URL" in shown.errors[0]


def test_an_https_endpoint_has_its_own_port(task_root: Path) -> None:
    """
    Without a port the scheme's is tried; nothing listens there on this host of loopback.
    """
    shown = Recorder()

    assert [2, 2] == [invoke_events(options(task_root, "plain", aws=f"{scheme}://127.0.0.99"), shown) for scheme in ("https", "http")]
    assert "no AWS endpoint answers at https://127.0.0.99" in shown.errors[0]


def test_variables_come_from_the_file_and_the_line(task_root: Path) -> None:
    """
    Comments, export and quotes are understood; the command line wins.
    """
    (task_root / "some.env").write_text("# a comment\n\nexport ONE='1 one'\nTWO=2\nTHREE=\"\nFOUR=a=b\n")
    (task_root / "all.json").write_text('{"variables": ["ONE", "TWO", "THREE", "FOUR"]}')
    shown = Recorder()

    assert 0 == invoke_events(options(task_root, "all", env_file=task_root / "some.env", env=["TWO=two"]), shown)
    assert {"ONE": "1 one", "TWO": "two", "THREE": '"', "FOUR": "a=b"} == shown.outcomes[0][0].payload


@pytest.mark.parametrize("env", ["hunter2", "1A=hunter2", "=hunter2"], ids=["no sign", "no name", "empty name"])
def test_a_wrong_variable_is_told_without_its_value(task_root: Path, env: str) -> None:
    """
    It may be a secret: the message has its place only.
    """
    shown = Recorder()

    assert 2 == invoke_events(options(task_root, "plain", env=["A=1", env]), shown)
    assert ["--env: entry 2 is not KEY=VALUE"] == shown.errors


def test_the_first_failure_decides_the_exit_code(task_root: Path) -> None:
    """
    All events are invoked, whatever came before.
    """
    shown = Recorder()

    assert 4 == invoke_events(options(task_root, "plain", "slow", "raise", timeout_s=0.5), shown)
    assert ["success", "timeout", "error"] == [result.status for result, _, _ in shown.outcomes]


@pytest.mark.parametrize(
    "handler", ["app", ".handler", "app.", "app.py", "app.a-b"], ids=["no name", "no module", "empty name", "a file", "no identifier"]
)
def test_what_names_no_handler_is_refused(task_root: Path, handler: str) -> None:
    """
    The message shows how it is written.
    """
    with pytest.raises(ConfigurationError, match=r"write path/to/module\.name or package\.module\.name"):
        check_handler(handler, task_root)


def test_handlers_are_found_by_path_and_by_module(task_root: Path) -> None:
    """
    In folders, in packages, and in what is installed; a root that is none is told.
    """
    (task_root / "shop" / "api").mkdir(parents=True)
    (task_root / "shop" / "orders.py").touch()
    (task_root / "shop" / "api" / "__init__.py").touch()

    for handler in ("shop/orders.handler", "shop.orders.handler", "shop/api.handler", "awslambdaric.bootstrap.run"):
        check_handler(handler, task_root)
    with pytest.raises(ConfigurationError, match="is not a directory"):
        check_handler("app.handler", task_root / "nowhere")


def test_a_person_sees_calls_and_the_waterfall(task_root: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """
    Below the log; without a terminal there is no colour.
    """
    (task_root / "aws.toml").write_text("[queues]\norders = {}")

    assert 0 == invoke_events(options(task_root, "plain", trace=True), TerminalOutput())

    out, err = capfd.readouterr()
    assert "{}\n" == out
    assert "AWS calls: none\n" in err
    assert "└─ Initialization" in err
    assert "\x1b" not in err


def test_a_terminal_gets_colours(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The platform's lines stand out from the function's.
    """
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    output = TerminalOutput()

    output.line("START RequestId: r")
    output.line("what the function prints")
    output.hint("perhaps")
    output.error("why")

    err = capfd.readouterr().err
    assert "\x1b[2mSTART RequestId: r\x1b[0m" in err
    assert "\nwhat the function prints\n" in err
    assert "\x1b[33mperhaps\x1b[0m" in err
    assert "\x1b[1;31merror: why\x1b[0m" in err


def test_json_output_keeps_errors_of_use_off_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    """
    A program that reads the documents does not stumble over them.
    """
    output = JsonOutput()

    output.line("dropped")
    output.hint("dropped")
    output.error("why")

    assert ("", "error: why\n") == capsys.readouterr()
