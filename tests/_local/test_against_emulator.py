"""
The same handler and events through this runtime and through AWS's own Runtime Interface Emulator come to the same.

The emulator's binary is taken out of the aws-sam-cli wheel, which is not installed.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import platform
import re
import socket
import sys
import textwrap
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from lambda_kit._local import LocalFunction
from lambda_kit._local._processes import ChildProcess, python_environment, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

HANDLER = """
    import os, time

    invocations = 0

    def handler(event, context):
        global invocations
        invocations += 1
        if "sleep_s" in event:
            time.sleep(event["sleep_s"])
        if "exit" in event:
            os._exit(event["exit"])
        if "raise" in event:
            raise ValueError(event["raise"])
        if "set" in event:
            return {1}
        return {"echo": event, "invocations": invocations, "arn": context.invoked_function_arn, "memory": context.memory_limit_in_mb}
"""
EVENTS: list[dict[str, Any]] = [
    {"text": "é", "number": 1.5, "nothing": None},
    {"again": True},
    {"raise": "no"},
    {"set": 1},
    {"exit": 4},
    {"after": "crash"},
    {"sleep_s": 600},
    {"after": "timeout"},
]
TIMEOUT_S = 1


class Came(NamedTuple):
    """
    What both runtimes can say of an invocation.
    """

    payload: Any
    timed_out: bool


@pytest.fixture(scope="module")
def task_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("task")
    (root / "app.py").write_text(textwrap.dedent(HANDLER))
    return root


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """
    The emulator for this processor, unpacked.
    """
    folder = os.environ.get("LAMBDA_KIT_WHEELS", "")
    found = sorted(Path(folder).glob("aws_sam_cli-*.whl")) if folder else []
    if not found:
        pytest.fail("LAMBDA_KIT_WHEELS names no folder with the aws-sam-cli wheel: run the tests by 'make test', which fetches it")
    processor = "arm64" if platform.machine() in ("aarch64", "arm64") else "x86_64"
    with zipfile.ZipFile(found[-1]) as wheel:
        binary = Path(wheel.extract(f"samcli/local/rapid/aws-lambda-rie-{processor}", tmp_path_factory.mktemp("emulator")))
    binary.chmod(0o755)
    return binary


@contextlib.contextmanager
def running(emulator: Path, task_root: Path, log: Path) -> Iterator[str]:
    """
    Run the emulator with the runtime client, and give its address.
    """
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        address, runtime_api = (f"127.0.0.1:{probe.getsockname()[1]}" for probe in (one, other))
    variables = {
        **python_environment(),
        "AWS_LAMBDA_FUNCTION_TIMEOUT": str(TIMEOUT_S),
        "AWS_LAMBDA_FUNCTION_NAME": "function",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
    }
    command = [str(emulator), "--runtime-interface-emulator-address", address, "--runtime-api-address", runtime_api]
    with log.open("wb") as output:
        process = ChildProcess([*command, sys.executable, "-m", "awslambdaric", "app.handler"], env=variables, cwd=task_root, output=output)
    try:
        assert wait_until(lambda: listens(address), timeout_s=30.0), log.read_text()
        yield address
    finally:
        process.kill()


def listens(address: str) -> bool:
    """
    Tell whether a server takes connections there.
    """
    host, _, port = address.rpartition(":")
    with contextlib.suppress(OSError), socket.create_connection((host, int(port)), timeout=1.0):
        return True
    return False


def invoke(address: str, event: dict[str, Any]) -> bytes:
    """
    Invoke through the emulator.
    """
    with contextlib.closing(http.client.HTTPConnection(address, timeout=30.0)) as connection:
        connection.request("POST", "/2015-03-31/functions/function/invocations", json.dumps(event))
        return connection.getresponse().read()


def test_both_come_to_the_same(emulator: Path, task_root: Path, tmp_path: Path) -> None:
    """
    Results, errors, crashes, the time-out, and which invocations begin in a fresh process.
    """
    log = tmp_path / "emulator.log"
    with running(emulator, task_root, log) as address:
        theirs = [emulated(invoke(address, event)) for event in EVENTS]
    with LocalFunction("app.handler", task_root=task_root, timeout_s=float(TIMEOUT_S)) as function:
        ours = [function.invoke(event) for event in EVENTS]

    assert theirs == [Came(comparable(result.payload), result.timed_out) for result in ours]
    assert cold_starts(log.read_text()) == [result.cold for result in ours]


def emulated(body: bytes) -> Came:
    """
    Read an answer of the emulator, which tells a time-out as bare text.
    """
    timed_out = body.startswith(b"Task timed out after")
    payload = {"errorType": "Sandbox.Timedout", "errorMessage": body.decode()} if timed_out else json.loads(body)
    return Came(comparable(payload), timed_out)


def comparable(payload: dict[str, Any]) -> dict[str, Any]:
    """
    Take out what differs by nature: request ids, and the account in the ARN.
    """
    text = re.sub(r"RequestId: \S+ Error: ", "", json.dumps(payload))
    text = re.sub(r"arn:aws:lambda:us-east-1:\d+:function:(test_)?function", "arn", text)
    return {name: value for name, value in json.loads(text).items() if name != "requestId"}


def cold_starts(log: str) -> list[bool]:
    """
    Read in the emulator's log which invocations had to wait for INIT.
    """
    # INVOKE START comes after the INIT it waited for; the line with START may come before or after that began.
    parts = log.split("INVOKE START(")[:-1]
    return ["INIT START" in part for part in parts]
