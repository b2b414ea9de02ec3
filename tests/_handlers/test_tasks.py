"""
handler.task: Step Functions is told of success, failure and heartbeats.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from pydantic import BaseModel

from lambda_kit import Reject, errors, handler
from lambda_kit.testing import FakeContext
from tests import threads


class Order(BaseModel):
    sku: str


class OutOfStockError(Exception):
    pass


class StepFunctions(ThreadingHTTPServer):
    """
    Remembers what it was told; answers with the error code of the operation, if it has one.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Request)
        self.told: list[tuple[str, dict[str, Any]]] = []
        self.codes: dict[str, str] = {}
        self.beat = threading.Event()
        self.hangs: threading.Event | None = None


class _Request(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        server = self.server
        assert isinstance(server, StepFunctions)
        operation = self.headers["X-Amz-Target"].rpartition(".")[2]
        server.told.append((operation, json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
        if operation == "SendTaskHeartbeat" and server.hangs is not None:
            server.beat.set()
            server.hangs.wait(threads.TIMEOUT_S)
        code = server.codes.get(operation)
        body = json.dumps({"__type": code, "message": "scripted"}).encode() if code else b"{}"
        self.send_response(400 if code else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        if operation == "SendTaskHeartbeat":
            server.beat.set()

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def stepfunctions(monkeypatch: pytest.MonkeyPatch) -> Iterator[StepFunctions]:
    server = StepFunctions()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    settings = {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_REGION": "eu-west-1",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


EVENT = {"token": "t-1", "sku": "a"}


def place(order: Order) -> dict[str, str]:
    return {"placed": order.sku}


def refuse(order: Order) -> None:
    raise OutOfStockError("only 1 left")


def test_a_result_is_the_tasks_success(stepfunctions: StepFunctions, context: FakeContext) -> None:
    """
    The event without the token is the input; the result goes out as JSON with the token.
    """

    class Strict(BaseModel, extra="forbid"):
        sku: str

    assert handler.task(Strict)(place)(EVENT, context) is None  # type: ignore[arg-type]  # any model with a sku
    assert [("SendTaskSuccess", {"taskToken": "t-1", "output": '{"placed":"a"}'})] == stepfunctions.told


def test_token_and_input_may_be_elsewhere(stepfunctions: StepFunctions, context: FakeContext) -> None:
    """
    The keys are the state machine's choice.
    """
    handler.task(Order, token="TaskToken", payload="input")(place)({"TaskToken": "t-2", "input": {"sku": "b"}}, context)

    assert [("SendTaskSuccess", {"taskToken": "t-2", "output": '{"placed":"b"}'})] == stepfunctions.told


def test_an_error_is_the_tasks_failure_by_its_class(stepfunctions: StepFunctions, context: FakeContext) -> None:
    """
    The state machine's Retry and Catch go by the class name; Lambda sees no error, or it would run the task again.
    """
    assert handler.task(Order, errors={OutOfStockError: Reject()})(refuse)(EVENT, context) is None
    assert [("SendTaskFailure", {"taskToken": "t-1", "error": "OutOfStockError", "cause": "only 1 left"})] == stepfunctions.told


def test_an_error_alone_in_a_group_is_the_tasks_failure(stepfunctions: StepFunctions, context: FakeContext) -> None:
    """
    Catch goes by the class of what the only failing task of a TaskGroup raised.
    """

    def logic(order: Order) -> None:
        raise ExceptionGroup("unhandled errors in a TaskGroup", [OutOfStockError("no a left")])

    assert handler.task(Order)(logic)(EVENT, context) is None
    assert [("SendTaskFailure", {"taskToken": "t-1", "error": "OutOfStockError", "cause": "no a left"})] == stepfunctions.told


def test_an_input_that_does_not_fit_is_a_failure(stepfunctions: StepFunctions, context: FakeContext) -> None:
    """
    The field is named, the value is not.
    """
    handler.task(Order)(place)({"token": "t-1", "sku": ["secret"]}, context)

    ((operation, told),) = stepfunctions.told
    assert ("SendTaskFailure", "EventError") == (operation, told["error"])
    assert "sku" in told["cause"]
    assert "secret" not in told["cause"]


def test_a_bug_is_logged_with_its_traceback(stepfunctions: StepFunctions, context: FakeContext, caplog: pytest.LogCaptureFixture) -> None:
    """
    What is no mapped error is a bug for the log, a failure for the state machine.
    """
    handler.task(Order)(refuse)(EVENT, context)

    (record,) = [record for record in caplog.records if record.name == "lambda_kit"]
    assert ("ERROR", True) == (record.levelname, bool(record.exc_info))
    assert ["SendTaskFailure"] == [operation for operation, _ in stepfunctions.told]


def test_hearts_beat_while_the_logic_works(stepfunctions: StepFunctions, context: FakeContext) -> None:
    """
    Every heartbeat_s seconds, until the logic is done.
    """

    def wait(order: Order) -> str:
        return str(stepfunctions.beat.wait(threads.TIMEOUT_S))

    handler.task(Order, heartbeat_s=0.01)(wait)(EVENT, context)

    operations = [operation for operation, _ in stepfunctions.told]
    assert {"SendTaskHeartbeat"} == set(operations[:-1])
    assert ("SendTaskSuccess", {"taskToken": "t-1", "output": '"True"'}) == stepfunctions.told[-1]
    assert "task-heartbeat" not in {thread.name for thread in threading.enumerate()}


def test_the_outcome_does_not_wait_for_a_heartbeat_that_hangs(stepfunctions: StepFunctions, context: FakeContext) -> None:
    """
    It is told while the heartbeat is still without an answer.
    """
    stepfunctions.hangs = threading.Event()

    def wait(order: Order) -> str:
        return str(stepfunctions.beat.wait(threads.TIMEOUT_S))

    handler.task(Order, heartbeat_s=0.01)(wait)(EVENT, context)

    assert not stepfunctions.hangs.is_set()
    assert ["SendTaskHeartbeat", "SendTaskSuccess"] == [operation for operation, _ in stepfunctions.told]
    stepfunctions.hangs.set()


def test_a_failed_heartbeat_does_not_end_the_work(
    stepfunctions: StepFunctions, context: FakeContext, caplog: pytest.LogCaptureFixture
) -> None:
    """
    It is logged, and the outcome is told all the same.
    """
    stepfunctions.codes["SendTaskHeartbeat"] = "InvalidToken"

    handler.task(Order, heartbeat_s=0.01)(lambda order: stepfunctions.beat.wait(threads.TIMEOUT_S))(EVENT, context)

    assert "SendTaskSuccess" == stepfunctions.told[-1][0]
    assert "a task's heartbeat failed: InvalidToken" in caplog.text


@pytest.mark.parametrize("code", ["TaskTimedOut", "TaskDoesNotExist"])
@pytest.mark.parametrize("logic", [place, refuse])
def test_a_task_that_is_over_needs_no_outcome(
    stepfunctions: StepFunctions, context: FakeContext, caplog: pytest.LogCaptureFixture, code: str, logic: Any
) -> None:
    """
    Nobody waits any more: that is logged, and no error, which would only run the task again.
    """
    stepfunctions.codes |= {"SendTaskSuccess": code, "SendTaskFailure": code}

    assert handler.task(Order)(logic)(EVENT, context) is None
    assert f"the task is over, nobody waits for its outcome: {code}" in caplog.text


def test_a_success_that_cannot_be_told_is_raised(stepfunctions: StepFunctions, context: FakeContext) -> None:
    """
    An outcome that nobody knows of is an error of the invocation.
    """
    stepfunctions.codes["SendTaskSuccess"] = "InvalidToken"

    with pytest.raises(Exception, match="InvalidToken"):
        handler.task(Order)(place)(EVENT, context)


def test_a_failure_that_cannot_be_told_raises_the_logics_error(
    stepfunctions: StepFunctions, context: FakeContext, caplog: pytest.LogCaptureFixture
) -> None:
    """
    The logic's own error says more than the one of telling it.
    """
    stepfunctions.codes["SendTaskFailure"] = "InvalidToken"

    with pytest.raises(OutOfStockError):
        handler.task(Order)(refuse)(EVENT, context)

    assert "the failure could not be reported" in caplog.text


@pytest.mark.parametrize("event", [{}, {"token": ""}, {"token": 7}, []])
def test_without_a_token_there_is_no_task(context: FakeContext, event: Any) -> None:
    """
    Nobody could be told anything.
    """
    with pytest.raises(errors.EventError, match="token: the event has no task token"):
        handler.task(Order)(place)(event, context)


def test_a_heartbeat_without_sense_is_refused() -> None:
    """
    While the module is imported.
    """
    with pytest.raises(errors.ConfigurationError, match="heartbeat_s=0"):
        handler.task(Order, heartbeat_s=0)(place)
