"""
Records of every batching source: what is read from one, what the answer calls it, and what is no event of the source.
"""

from __future__ import annotations

import gzip
import json
from base64 import b64decode, b64encode
from decimal import Decimal
from typing import Any

import pytest
from pydantic import BaseModel

from lambda_kit import Reject, Retry, errors, handler
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
    Does jobs, remembers them, and fails on the numbers of FAILURES.
    """

    def __init__(self) -> None:
        self.done: list[int] = []

    def __call__(self, job: Job) -> Job:
        self.done.append(job.number)
        if job.number in FAILURES:
            raise FAILURES[job.number]
        return job


def _data(value: object) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return b64encode(raw).decode()


def kinesis(*values: object) -> dict[str, Any]:
    return {
        "Records": [
            {"kinesis": {"data": _data(value), "sequenceNumber": f"s{place}", "partitionKey": "k"}, "eventSource": "aws:kinesis"}
            for place, value in enumerate(values)
        ]
    }


def dynamodb(*numbers: int) -> dict[str, Any]:
    return {
        "Records": [
            {
                "eventName": "INSERT",
                "dynamodb": {"SequenceNumber": f"s{n}", "Keys": {"number": {"N": str(n)}}, "NewImage": {"number": {"N": str(n)}}},
            }
            for n in numbers
        ]
    }


def kafka(**partitions: list[int]) -> dict[str, Any]:
    records = {
        name.replace("_", "-"): [
            {"topic": "orders", "partition": 0, "offset": place, "value": _data({"number": n})} for place, n in enumerate(numbers)
        ]
        for name, numbers in partitions.items()
    }
    return {"eventSource": "aws:kafka", "records": records}


def firehose(*values: object) -> dict[str, Any]:
    return {"records": [{"recordId": f"r{place}", "data": _data(value)} for place, value in enumerate(values)]}


def _jobs(*numbers: int) -> list[dict[str, int]]:
    return [{"number": number} for number in numbers]


# Streams


@pytest.mark.parametrize("number", [2, 3, 4])
def test_a_stream_goes_on_from_the_first_failure(context: FakeContext, number: int) -> None:
    """
    The answer names the one sequence number to go back to; what comes after it is not started.
    """
    logic = Logic()

    answer = handler.kinesis(Job, errors=ERRORS)(logic)(kinesis(*_jobs(1, number, 5, 2)), context)

    assert {"batchItemFailures": [{"itemIdentifier": "s1"}]} == answer
    assert [1, number] == logic.done


def test_a_stream_of_which_nothing_is_done_raises(context: FakeContext) -> None:
    """
    Without ReportBatchItemFailures an answer would be taken for success, so that a first record's failure is an error.
    """
    with pytest.raises(errors.BatchError, match="every record of 2 failed") as caught:
        handler.kinesis(Job, errors=ERRORS)(Logic())(kinesis(*_jobs(2, 5)), context)

    assert ["s0", "s1"] == list(caught.value.errors)


def test_done_behind_a_failure_at_the_head_is_not_acknowledged(context: FakeContext) -> None:
    """
    When another key was done side by side, the batch comes again as a whole nevertheless; the error says what failed.
    """
    event = kinesis(*_jobs(2, 5))
    event["Records"][1]["kinesis"]["partitionKey"] = "other"
    logic = Logic()

    with pytest.raises(errors.BatchError, match="of 2 failed: RefusedError"):
        handler.kinesis(Job, errors=ERRORS, concurrency=2)(logic)(event, context)


def test_dropped_rejections_do_not_hold_up_a_stream(context: FakeContext) -> None:
    """
    With on_reject="drop" a record that can never succeed is logged, and what comes after it is done.
    """
    logic = Logic()

    answer = handler.kinesis(Job, errors=ERRORS, on_reject="drop")(logic)(kinesis({"number": "x"}, *_jobs(2, 5)), context)

    assert {"batchItemFailures": []} == answer
    assert [2, 5] == logic.done


@pytest.mark.parametrize("compress", [gzip.compress, bytes])
def test_kinesis_data_is_decoded(context: FakeContext, compress: Any) -> None:
    """
    Base64 is taken off, and gzip where there is some.
    """
    logic = Logic()

    handler.kinesis(Job)(logic)(kinesis(compress(b'{"number": 7}')), context)

    assert [7] == logic.done


@pytest.mark.parametrize("data", ["!", None, 7])
def test_damaged_data_is_that_records_rejection(context: FakeContext, data: object) -> None:
    """
    What is no Base64, or is missing, fails alone.
    """
    event = kinesis(*_jobs(1, 1))
    event["Records"][1]["kinesis"]["data"] = data

    assert {"batchItemFailures": [{"itemIdentifier": "s1"}]} == handler.kinesis(Job)(Logic())(event, context)


def test_the_new_image_is_given_as_python_values(context: FakeContext) -> None:
    """
    A model gets the item after the change; a callable gets the change.
    """
    seen: list[Any] = []

    handler.dynamodb(Job)(seen.append)(dynamodb(7), context)
    handler.dynamodb(lambda change: (change.event_name, change.new))(seen.append)(dynamodb(8), FakeContext())

    assert [Job(number=7), ("INSERT", {"number": Decimal(8)})] == seen


def test_a_removal_has_no_new_image(context: FakeContext, caplog: pytest.LogCaptureFixture) -> None:
    """
    A model cannot be made of it; the log says why.
    """
    event = dynamodb(1, 1)
    event["Records"][1] |= {"eventName": "REMOVE"}
    del event["Records"][1]["dynamodb"]["NewImage"]

    assert {"batchItemFailures": [{"itemIdentifier": "s1"}]} == handler.dynamodb(Job)(Logic())(event, context)
    assert "dynamodb.NewImage: the record has none" in caplog.text


def test_items_of_a_table_are_worked_on_side_by_side(context: FakeContext) -> None:
    """
    Each item is a lane of its own.
    """
    logic = Logic()

    handler.dynamodb(Job, concurrency=2)(logic)(dynamodb(5, 6, 7), context)

    assert [5, 6, 7] == sorted(logic.done)


# Kafka


def test_partitions_fail_for_themselves(context: FakeContext) -> None:
    """
    The answer names partition and offset of each partition's first failure.
    """
    logic = Logic()

    answer = handler.kafka(Job, errors=ERRORS)(logic)(kafka(orders_0=[1, 2, 5], orders_1=[1, 6], orders_2=[3]), context)

    assert {
        "batchItemFailures": [
            {"itemIdentifier": {"partition": "orders-0", "offset": 1}},
            {"itemIdentifier": {"partition": "orders-2", "offset": 0}},
        ]
    } == answer
    assert [1, 2, 1, 6, 3] == logic.done


def test_a_tombstone_is_no_model(context: FakeContext) -> None:
    """
    A record without a value is rejected; a callable of the record may take it.
    """
    event = kafka(orders_0=[1, 1])
    event["records"]["orders-0"][1]["value"] = None
    seen: list[bool] = []

    answer = handler.kafka(Job)(Logic())(event, context)
    handler.kafka(lambda record: record.is_tombstone)(seen.append)(event, FakeContext())

    assert [{"itemIdentifier": {"partition": "orders-0", "offset": 1}}] == answer["batchItemFailures"]
    assert [False, True] == seen


# Firehose


def _delivered(answer: dict[str, Any]) -> list[tuple[str, bytes | None]]:
    return [(each["result"], b64decode(each["data"]) if "data" in each else None) for each in answer["records"]]


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        ("text", ("Ok", b"text")),
        (b"bytes", ("Ok", b"bytes")),
        (bytearray(b"bytes"), ("Ok", b"bytes")),
        (Job(number=1), ("Ok", b'{"number":1}')),
        ({"price": Decimal("1.5")}, ("Ok", b'{"price":1.5}')),
        (None, ("Dropped", None)),
    ],
    ids=["text", "bytes", "bytearray", "model", "dict", "none"],
)
def test_a_result_is_delivered(context: FakeContext, result: object, expected: tuple[str, bytes | None]) -> None:
    """
    Text and bytes as they are, anything else as JSON, nothing for what is dropped.
    """
    assert [expected] == _delivered(handler.firehose(Job)(lambda job: result)(firehose({"number": 1}), context))


def test_every_record_has_its_result(context: FakeContext) -> None:
    """
    Rejected records and bugs have failed, with the data as it came; the answer is in the records' order.
    """
    event = firehose(*_jobs(1, 2, 4), {"number": "x"})

    answer = handler.firehose(Job, errors=ERRORS)(Logic())(event, context)

    assert [("Ok", b'{"number":1}')] == _delivered(answer)[:1]
    assert [{**record, "result": "ProcessingFailed"} for record in event["records"][1:]] == answer["records"][1:]
    assert [f"r{place}" for place in range(4)] == [each["recordId"] for each in answer["records"]]


def test_dropped_rejections_are_left_out(context: FakeContext) -> None:
    """
    With on_reject="drop" a rejected record is not delivered, nor put with the failures; a bug still is.
    """
    answer = handler.firehose(Job, errors=ERRORS, on_reject="drop")(Logic())(firehose(*_jobs(2, 4)), context)

    assert ["Dropped", "ProcessingFailed"] == [each["result"] for each in answer["records"]]


def test_what_may_succeed_later_comes_again_as_a_whole(context: FakeContext) -> None:
    """
    Firehose has no way to deliver one record again.
    """
    with pytest.raises(errors.BatchError, match=r"1 of 2 failed: BusyError"):
        handler.firehose(Job, errors=ERRORS)(Logic())(firehose(*_jobs(1, 3)), context)


def test_records_of_a_topic_are_answered_by_their_own_name(context: FakeContext) -> None:
    """
    Where Firehose reads a Kafka topic, the data has another key, in the answer too.
    """
    event = {"records": [{"recordId": "r0", "kafkaRecordValue": _data({"number": 1})}]}

    answer = handler.firehose(Job)(Logic())(event, context)

    assert [{"recordId": "r0", "result": "Ok", "kafkaRecordValue": _data(b'{"number":1}')}] == answer["records"]


def test_an_unserialisable_result_is_that_records_failure(context: FakeContext) -> None:
    """
    What cannot be delivered has failed.
    """
    assert ["ProcessingFailed"] == [
        each["result"] for each in handler.firehose(Job)(lambda job: object())(firehose({"number": 1}), context)["records"]
    ]


@pytest.mark.parametrize("is_asynchronous", [False, True])
def test_records_are_transformed_side_by_side(context: FakeContext, is_asynchronous: bool) -> None:
    """
    The answer keeps the records' order.
    """
    logic = Logic()

    async def asynchronous(job: Job) -> Job:
        return logic(job)

    wired: Any = handler.firehose(Job, concurrency=3)(asynchronous if is_asynchronous else logic)
    answer = wired(firehose(*_jobs(5, 6, 7, 8)), context)

    assert [f'{{"number":{n}}}'.encode() for n in (5, 6, 7, 8)] == [data for _, data in _delivered(answer)]


def test_a_callable_gets_the_record_to_transform(context: FakeContext) -> None:
    """
    Instead of a model, a function of the record says what the logic gets.
    """
    answer = handler.firehose(lambda record: record.payload)(bytes.upper)(firehose(b"abc"), context)

    assert [("Ok", b"ABC")] == _delivered(answer)


# Options, and events of others


@pytest.mark.parametrize(
    ("wire", "message"),
    [
        (handler.kinesis, "no list of Records"),
        (handler.dynamodb, "no list of Records"),
        (handler.kafka, "no records by partition"),
        (handler.firehose, "no list of records"),
    ],
)
@pytest.mark.parametrize("event", [{}, [], {"Records": None, "records": None}])
def test_an_event_of_another_source_raises(context: FakeContext, wire: Any, message: str, event: Any) -> None:
    """
    What cannot be answered record by record fails as a whole, before anything is started.
    """
    with pytest.raises(errors.EventError, match=message):
        wire(Job)(Logic())(event, context)


@pytest.mark.parametrize(
    ("wire", "event", "message"),
    [
        (handler.kinesis, {"Records": [{"kinesis": {}}]}, "a record has no sequenceNumber"),
        (handler.dynamodb, {"Records": ["x"]}, "a record has no SequenceNumber"),
        (handler.kafka, {"records": {"t-0": [{}]}}, "a record has no offset"),
        (handler.kafka, {"records": {"t-0": 5}}, "a record has no offset"),
        (handler.firehose, {"records": [{}]}, "a record has no recordId"),
    ],
)
def test_a_record_without_id_cannot_be_answered(context: FakeContext, wire: Any, event: Any, message: str) -> None:
    """
    An answer that names nothing would acknowledge it.
    """
    with pytest.raises(errors.EventError, match=message):
        wire(Job)(Logic())(event, context)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"concurrency": 0}, "concurrency=0: a whole number of records, at least 1"),
        ({"reserve_s": -1.0}, r"reserve_s=-1\.0: seconds kept"),
        ({"reserve_s": float("inf")}, "reserve_s=inf"),
        ({"on_reject": "ignore"}, "on_reject is"),
    ],
)
@pytest.mark.parametrize("wire", [handler.sqs, handler.kinesis, handler.firehose])
def test_options_without_sense_are_refused(wire: Any, options: dict[str, Any], message: str) -> None:
    """
    While the module is imported.
    """
    with pytest.raises(errors.ConfigurationError, match=message):
        wire(Job, **options)


def test_time_is_reserved_for_the_answer(events: LambdaEvents) -> None:
    """
    Nothing is started with less than reserve_s left.
    """
    event = events.sqs({"number": 1})

    with pytest.raises(errors.BatchError, match="DeadlineError"):
        handler.sqs(Job, reserve_s=10.0)(Logic())(event, FakeContext(timeout_s=9.0))
    assert {"batchItemFailures": []} == handler.sqs(Job, reserve_s=10.0)(Logic())(event, FakeContext(timeout_s=11.0))


def test_wiring_lines_say_what_they_are() -> None:
    """
    The lines that sources share have names and descriptions of their own.
    """
    assert ("<handler.kinesis>", "<handler.sns>") == (repr(handler.kinesis), repr(handler.sns))
    assert "partition key" in str(handler.kinesis.__doc__)
    assert "EventBridge" in str(handler.eventbridge.__doc__)


def test_an_undeliverable_result_is_a_bug_whatever_the_table_says(context: FakeContext) -> None:
    """
    The record is not left out for it.
    """
    wired = handler.firehose(Job, errors={errors.LambdaKitError: Reject(), ValueError: Reject()}, on_reject="drop")(lambda job: object())

    assert ["ProcessingFailed"] == [record["result"] for record in wired(firehose({"number": 1}), context)["records"]]
