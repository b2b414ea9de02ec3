"""
handler.sqs: what failed, and only that, is delivered again.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from pydantic import BaseModel

from lambda_kit import Reject, Retry, _runtime, errors, handler
from lambda_kit._handlers._batches import Batches
from lambda_kit._handlers._logic import NO_DEPS
from lambda_kit._handlers._logic import Logic as WiredLogic
from lambda_kit._handlers._records import SqsBatch
from lambda_kit._handlers._turns import Pace
from lambda_kit.events import SqsRecord
from lambda_kit.testing import FakeContext, LambdaEvents


class Job(BaseModel):
    number: int


class RefusedError(Exception):
    pass


class BusyError(Exception):
    pass


ERRORS = {RefusedError: Reject(), BusyError: Retry()}
FAILURES = {2: RefusedError("two"), 3: BusyError("three"), 4: KeyError("four")}


class Logic:
    """
    Does jobs, remembers them, and fails on the numbers it is told to.
    """

    def __init__(self, *failing: int) -> None:
        self.done: list[int] = []
        self.failing = failing

    def __call__(self, job: Job) -> str:
        self.done.append(job.number)
        if job.number in self.failing:
            raise FAILURES[job.number]
        return "results are not read"


def _jobs(events: LambdaEvents, *numbers: object, **options: Any) -> dict[str, Any]:
    return events.sqs(*({"number": number} for number in numbers), **options)


def _failed(answer: dict[str, Any], event: dict[str, Any]) -> list[int]:
    """
    Return the places of the failed records in the batch.
    """
    places = {record["messageId"]: place for place, record in enumerate(event["Records"])}
    return [places[failure["itemIdentifier"]] for failure in answer["batchItemFailures"]]


def test_a_batch_that_is_done_is_acknowledged(events: LambdaEvents, context: FakeContext) -> None:
    """
    One call per message, and no failures to report.
    """
    logic = Logic()

    assert {"batchItemFailures": []} == handler.sqs(Job)(logic)(_jobs(events, 1, 5), context)
    assert [1, 5] == logic.done


def test_an_empty_batch_is_done(context: FakeContext) -> None:
    """
    Nothing to do is no failure.
    """
    assert {"batchItemFailures": []} == handler.sqs(Job)(Logic())({"Records": []}, context)


@pytest.mark.parametrize("number", [2, 3, 4])
def test_only_the_failed_message_is_reported(events: LambdaEvents, context: FakeContext, number: int) -> None:
    """
    Rejected, to be retried or a bug: the one message comes again, the others are done.
    """
    logic, event = Logic(2, 3, 4), _jobs(events, 1, number, 5)

    answer = handler.sqs(Job, errors=ERRORS)(logic)(event, context)

    assert [1] == _failed(answer, event)
    assert [1, number, 5] == logic.done


@pytest.mark.parametrize("body", ["no json", '{"number": "many"}', ""])
def test_a_message_that_the_model_refuses_is_that_message_only(events: LambdaEvents, context: FakeContext, body: str) -> None:
    """
    One bad message does not fail the batch.
    """
    logic, event = Logic(), events.sqs({"number": 1}, body, {"number": 5})

    assert [1] == _failed(handler.sqs(Job)(logic)(event, context), event)
    assert [1, 5] == logic.done


def test_a_record_without_body_is_refused(events: LambdaEvents, context: FakeContext) -> None:
    """
    A damaged record fails alone.
    """
    event = _jobs(events, 1, 5)
    del event["Records"][0]["body"]

    assert [0] == _failed(handler.sqs(Job)(Logic())(event, context), event)


def test_when_all_failed_the_batch_raises(events: LambdaEvents, context: FakeContext) -> None:
    """
    Without ReportBatchItemFailures an answer would delete all messages, so that a batch of failures is an error.
    """
    event = _jobs(events, 2, 3, 4)

    with pytest.raises(
        errors.BatchError, match=r"Logic: every record of 3 failed: RefusedError \(1\), BusyError \(1\), KeyError"
    ) as caught:
        handler.sqs(Job, errors=ERRORS)(Logic(2, 3, 4))(event, context)

    assert dict(zip((record["messageId"] for record in event["Records"]), FAILURES.values(), strict=True)) == caught.value.errors
    assert caught.value.retryable


def test_dropped_rejections_are_acknowledged(events: LambdaEvents, context: FakeContext, caplog: pytest.LogCaptureFixture) -> None:
    """
    With on_reject="drop" a rejected message is logged and gone; the others still come again.
    """
    event = _jobs(events, 1, 2, 3)

    answer = handler.sqs(Job, errors=ERRORS, on_reject="drop")(Logic(2, 3))(event, context)

    assert [2] == _failed(answer, event)
    assert f"rejected record {event['Records'][1]['messageId']}: RefusedError" in caplog.text


def test_a_batch_of_dropped_rejections_is_done(events: LambdaEvents, context: FakeContext) -> None:
    """
    A message that counts as done is no failure.
    """
    answer = handler.sqs(Job, on_reject="drop")(Logic())(events.sqs("bad", "worse"), context)

    assert {"batchItemFailures": []} == answer


def test_fifo_stops_at_the_first_failure(events: LambdaEvents, context: FakeContext) -> None:
    """
    The failed message and all later ones come again, so that their order holds.
    """
    logic, event = Logic(3), _jobs(events, 1, 3, 5, 6, fifo=True)

    answer = handler.sqs(Job, errors=ERRORS)(logic)(event, context)

    assert [1, 2, 3] == _failed(answer, event)
    assert [1, 3] == logic.done


def test_fifo_that_fails_at_once_raises(events: LambdaEvents, context: FakeContext) -> None:
    """
    When the first message fails, nothing of the batch is done.
    """
    with pytest.raises(errors.BatchError) as caught:
        handler.sqs(Job, errors=ERRORS)(Logic(3))(_jobs(events, 3, 5, fifo=True), context)

    assert [FAILURES[3], FAILURES[3]] == list(caught.value.errors.values())


def test_groups_of_a_standard_queue_order_nothing(events: LambdaEvents, context: FakeContext) -> None:
    """
    Fair queues have message groups, and no order: a failure stops nothing.
    """
    logic, event = Logic(3), _jobs(events, 3, 5, group="tenant-1")

    assert [0] == _failed(handler.sqs(Job, errors=ERRORS)(logic)(event, context), event)
    assert [3, 5] == logic.done


class ScriptedInvocation:
    """
    An invocation whose remaining time is read from a list.
    """

    request_id = "r-1"

    def __init__(self, *remaining_s: float) -> None:
        self._remaining_s = list(remaining_s)

    def remaining_s(self) -> float:
        return self._remaining_s.pop(0)


@pytest.mark.parametrize(
    ("remaining_s", "done", "not_started"),
    [
        ((3.0, 1.6, 0.3), [1, 5], [2]),
        ((3.0, 1.2), [1], [1, 2]),
        ((3.0, 2.0, 1.11), [1, 5, 6], []),
        ((3.0, 2.0, 1.09), [1, 5], [2]),
    ],
)
def test_a_record_that_no_longer_fits_is_not_started(
    events: LambdaEvents, caplog: pytest.LogCaptureFixture, remaining_s: tuple[float, ...], done: list[int], not_started: list[int]
) -> None:
    """
    When less time is left than the longest record took and the answer needs, the rest is returned as failed and counted.
    """
    for _ in range(2):
        _runtime.begin_invocation()
    logic, event = Logic(), _jobs(events, 1, 5, 6)
    wired = WiredLogic(logic, deps=NO_DEPS, errors={})
    batches = Batches(wired, Job, SqsBatch(skips_group=False), Pace(1, 0.1), drops=False)
    invocation: Any = ScriptedInvocation(*remaining_s)

    assert not_started == _failed(batches(event, invocation), event)
    assert done == logic.done
    assert [f"Logic: {len(not_started)} of 3 records not started: {remaining_s[-1]:.3f} s left"] * bool(not_started) == [
        record.getMessage() for record in caplog.records
    ]


def test_without_time_nothing_is_started(events: LambdaEvents, caplog: pytest.LogCaptureFixture) -> None:
    """
    A batch that comes with no time left is returned as a whole, as an error that says why.
    """
    with pytest.raises(errors.BatchError, match=r"DeadlineError \(2\)") as caught:
        handler.sqs(Job)(Logic())(_jobs(events, 1, 2), FakeContext(timeout_s=0.01))

    assert all(isinstance(failure, errors.DeadlineError) for failure in caught.value.errors.values())
    assert "2 of 2 records not started" in caplog.text


def test_any_callable_of_the_record_makes_the_input(events: LambdaEvents, context: FakeContext) -> None:
    """
    Instead of a model, a function of the record says what the logic gets.
    """
    seen: list[tuple[str, str | None]] = []

    def read(record: SqsRecord) -> tuple[str, str | None]:
        return record.body, record.attributes.message_group_id

    handler.sqs(read)(seen.append)(events.sqs("hello", group="g"), context)

    assert [("hello", "g")] == seen


def test_a_record_that_is_damaged_fails_alone_for_callables_too(events: LambdaEvents, context: FakeContext) -> None:
    """
    The record given to a callable is validated.
    """
    event = events.sqs("a", "b")
    event["Records"][0]["attributes"] = "damaged"

    assert [0] == _failed(handler.sqs(lambda record: record.body)(lambda body: None)(event, context), event)


def test_asynchronous_logic_is_awaited_for_each_message(events: LambdaEvents, context: FakeContext) -> None:
    """
    Async functions do one message after the other.
    """
    done = []

    async def logic(job: Job) -> None:
        done.append(job.number)

    handler.sqs(Job)(logic)(_jobs(events, 1, 5), context)

    assert [1, 5] == done


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ({}, "no list of Records"),
        ({"Records": None}, "no list of Records"),
        ([], "no list of Records"),
        ({"Records": [{"body": "a"}]}, "a record has no messageId"),
        ({"Records": ["a"]}, "a record has no messageId"),
    ],
)
def test_an_event_of_another_source_raises(context: FakeContext, event: Any, message: str) -> None:
    """
    What cannot be answered record by record fails as a whole, before anything is started.
    """
    with pytest.raises(errors.EventError, match=message) as caught:
        handler.sqs(Job)(Logic())(event, context)

    assert caught.value.__context__ is None


def test_logs_name_the_record_and_no_body(events: LambdaEvents, context: FakeContext, caplog: pytest.LogCaptureFixture) -> None:
    """
    Each failure is one line with the record's and the request's id; a bug has its traceback.
    """
    event = events.sqs({"number": "secret"}, {"number": 3}, {"number": 4}, {"number": 1})
    first, second, third, _ = (record["messageId"] for record in event["Records"])

    handler.sqs(Job, errors=ERRORS)(Logic(3, 4))(event, context)

    lines = [record.getMessage() for record in caplog.records]
    assert "secret" not in caplog.text
    assert [
        f"Logic rejected record {first}: sqs: body.number: Input should be a valid integer, unable to parse string as an integer",
        f"Logic cannot do record {second} now: BusyError",
        f"Logic failed on record {third}: KeyError",
    ] == [line.removesuffix(f" (request {context.aws_request_id})") for line in lines]
    assert [False, False, True] == [bool(record.exc_info) for record in caplog.records]


def test_the_answer_is_json(events: LambdaEvents, context: FakeContext) -> None:
    """
    Lambda takes the answer as it is.
    """
    answer = handler.sqs(Job, errors=ERRORS)(Logic(3))(_jobs(events, 1, 3), context)

    assert answer == json.loads(json.dumps(answer))


def test_what_the_kit_did_not_find_deletes_no_message(events: LambdaEvents, context: FakeContext) -> None:
    """
    With on_reject="drop", a table of builtin classes drops what the logic refuses, not what a missing parameter stopped.
    """

    def logic(job: Job) -> None:
        if job.number == 1:
            raise KeyError("refused")
        if job.number == 2:
            raise errors.ParameterNotFoundError("no parameter '/orders/db'", name="/orders/db")

    event = _jobs(events, 1, 2, 3)

    assert [1] == _failed(handler.sqs(Job, errors={LookupError: Reject()}, on_reject="drop")(logic)(event, context), event)


def test_a_model_made_by_a_function_rejects_the_record(
    events: LambdaEvents, context: FakeContext, caplog: pytest.LogCaptureFixture
) -> None:
    """
    As with the model itself: the field is logged, the value is not.
    """
    worker = handler.sqs(lambda record: Job.model_validate_json(record.body), on_reject="drop")(lambda job: None)

    assert {"batchItemFailures": []} == worker(_jobs(events, "4111-secret", 1), context)
    assert "sqs: number" in caplog.text
    assert "4111" not in caplog.text


def test_a_cancelled_error_is_its_records_failure(events: LambdaEvents, context: FakeContext) -> None:
    """
    One after the other, too, the records after it are done.
    """

    async def logic(job: Job) -> None:
        if job.number == 2:
            raise asyncio.CancelledError

    event = _jobs(events, 1, 2, 3)

    assert [1] == _failed(handler.sqs(Job)(logic)(event, context), event)


@pytest.mark.parametrize(
    ("receive_counts", "remaining_s", "done"),
    [
        ("1111", (9.0, 1.0, 0.9, 0.8), [1, 5, 6, 7]),
        ("1111", (9.0, 1.0, 0.5, 0.4), [1, 5]),
        ("1111", (9.0, 0.05), [1]),
        ("1112", (9.0, 4.6, 4.5, 4.4), [1, 5, 6, 7]),
        ("1112", (9.0, 4.6, 1.3, 0.5), [1, 5]),
        ("1112", (9.0, 4.4), [1]),
    ],
    ids=[
        "new, the others are fast",
        "new, the others are slow",
        "new, no time for the others",
        "come again, the others are fast",
        "come again, the others are slow",
        "come again, nothing is known of the others",
    ],
)
def test_the_first_record_of_an_environment_counts_for_little(
    events: LambdaEvents, receive_counts: str, remaining_s: tuple[float, ...], done: list[int]
) -> None:
    """
    What it took to load and connect keeps no new message from being tried; those of a batch that was killed before it does.
    """
    logic = Logic()
    event = _jobs(events, 1, 5, 6, 7)
    for record, count in zip(event["Records"], receive_counts, strict=True):
        record["attributes"]["ApproximateReceiveCount"] = count
    wired = WiredLogic(logic, deps=NO_DEPS, errors={})
    invocation: Any = ScriptedInvocation(*remaining_s)

    Batches(wired, Job, SqsBatch(skips_group=False), Pace(1, 0.1), drops=False)(event, invocation)

    assert done == logic.done
