"""
Answers replayed by models of the sources: nothing is lost, nothing acknowledged that failed, order holds.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from base64 import b64encode
from collections import defaultdict
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import pytest
from pydantic import BaseModel

from lambda_kit import Reject, Retry, handler
from lambda_kit.testing import FakeContext
from tests._handlers.simulators import Queue, Shards


class Job(BaseModel):
    number: int
    shard: str = ""
    key: str = ""


class RefusedError(Exception):
    pass


class BusyError(Exception):
    pass


ERRORS = {RefusedError: Reject(), BusyError: Retry()}


class HurriedContext(FakeContext):
    """
    A context whose time is over after a few looks at it.
    """

    def __init__(self, looks: int) -> None:
        super().__init__()
        self._looks = looks

    def get_remaining_time_in_millis(self) -> int:
        self._looks -= 1
        return max(0, self._looks) * 1000


class Work:
    """
    Fails at random; knows what was done last of each job, and in which order jobs were done for the first time.
    """

    def __init__(self, random: Random, group: Callable[[Job], str]) -> None:
        self._random = random
        self._group = group
        self._lock = threading.Lock()
        self.was_done: dict[tuple[str, int], bool] = {}
        self.order: dict[str, list[int]] = defaultdict(list)

    def __call__(self, job: Job) -> None:
        with self._lock:
            failure = self._random.choice([None, None, None, None, RefusedError(), BusyError(), KeyError("bug")])
            is_first = not self.was_done.get((job.shard, job.number))
            self.was_done[job.shard, job.number] = failure is None
            if failure is None and is_first and job.number not in self.order[self._group(job)]:
                self.order[self._group(job)].append(job.number)
        if failure is not None:
            raise failure

    async def asynchronously(self, job: Job) -> None:
        await asyncio.sleep(0)
        self(job)


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """
    Ten thousand batches of failures are not for the log.
    """
    logger = logging.getLogger("lambda_kit")
    logger.setLevel(logging.CRITICAL + 1)
    yield
    logger.setLevel(logging.NOTSET)


def _deliveries(source: Queue | Shards, wired: Any, random: Random) -> int:
    count = 0
    while not source.is_empty:
        hurried = random.random() < 0.2
        context = HurriedContext(random.randint(1, 12)) if hurried else FakeContext()
        source.deliver(lambda event: wired(event, context))  # noqa: B023  # called at once
        count += 1
    return count


def _until(batches: int, run: Callable[[Random], int]) -> None:
    """
    Run simulations, each with a seed of its own, until so many batches were delivered.
    """
    seed = count = 0
    while count < batches:
        count += run(Random(seed))  # noqa: S311  # reproducible
        seed += 1


@pytest.mark.parametrize(
    ("groups", "options", "batches", "is_asynchronous"),
    [
        (0, {}, 3000, False),
        (0, {"concurrency": 4}, 1000, False),
        (0, {"concurrency": 4}, 1000, True),
        (3, {}, 2500, False),
        (3, {"skip_group": True}, 2500, False),
        (3, {"concurrency": 3}, 1000, False),
        (3, {"skip_group": True, "concurrency": 3}, 1000, True),
    ],
    ids=["standard", "threads", "tasks", "fifo", "fifo, groups skipped", "fifo in threads", "fifo, groups skipped, in tasks"],
)
def test_queues(groups: int, options: dict[str, Any], batches: int, is_asynchronous: bool) -> None:
    """
    Over many batches with random failures and too little time every message is done before it is deleted; FIFO groups keep
    their order.
    """

    def run(random: Random) -> int:
        queue = Queue(random, 60, groups=groups)
        group_of = {message["messageId"]: message["attributes"].get("MessageGroupId", "") for message in queue._visible}
        work = Work(random, lambda job: group_of[f"m{job.number}"])
        wired = handler.sqs(Job, errors=ERRORS, **options)(work.asynchronously if is_asynchronous else work)

        count = _deliveries(queue, wired, random)

        assert {f"m{number}" for number in range(60)} == set(queue.deleted)
        assert len(queue.deleted) == 60
        assert set(work.was_done.values()) == {True}
        if groups:
            assert all(order == sorted(order) for order in work.order.values())
        return count

    _until(batches, run)


def test_a_deleted_message_was_done_in_that_very_batch() -> None:
    """
    Acknowledged is only what has just succeeded, whatever happened before.
    """
    random = Random(7)  # noqa: S311  # reproducible
    queue, work = Queue(random, 200), Work(random, lambda job: "")
    wired = handler.sqs(Job, errors=ERRORS)(work)
    while not queue.is_empty:
        known = len(queue.deleted)
        work.was_done.clear()
        queue.deliver(lambda event: wired(event, FakeContext()))

        assert all(work.was_done["", int(each[1:])] for each in queue.deleted[known:])


def _kinesis(batch: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    return {"Records": [record for records in batch.values() for record in records]}


def _kafka(batch: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    return {"eventSource": "aws:kafka", "records": batch}


def _kinesis_record(shard: str, number: int, key: str) -> dict[str, Any]:
    data = b64encode(Job(number=number, shard=shard, key=key).model_dump_json().encode()).decode()
    return {
        "kinesis": {"sequenceNumber": f"4959{number}", "partitionKey": key, "data": data},
        "eventSource": "aws:kinesis",
        "eventID": f"shardId-000:4959{number}",
    }


def _dynamodb_record(shard: str, number: int, key: str) -> dict[str, Any]:
    image = {"number": {"N": str(number)}, "shard": {"S": shard}, "key": {"S": key}}
    change = {"SequenceNumber": f"4959{number}", "Keys": {"key": {"S": key}}, "NewImage": image}
    return {"eventName": "MODIFY", "eventSource": "aws:dynamodb", "dynamodb": change}


def _kafka_record(shard: str, number: int, key: str) -> dict[str, Any]:
    value = b64encode(Job(number=number, shard=shard, key=key).model_dump_json().encode()).decode()
    topic, _, partition = shard.rpartition("-")
    return {"topic": topic, "partition": int(partition), "offset": number, "value": value}


@pytest.mark.parametrize(
    ("wire", "record", "event", "shards", "options", "batches", "is_asynchronous"),
    [
        (handler.kinesis, _kinesis_record, _kinesis, ["shard"], {}, 4000, False),
        (handler.kinesis, _kinesis_record, _kinesis, ["shard"], {"concurrency": 4}, 1000, False),
        (handler.kinesis, _kinesis_record, _kinesis, ["shard"], {"concurrency": 4}, 1000, True),
        (handler.dynamodb, _dynamodb_record, _kinesis, ["shard"], {}, 1500, False),
        (handler.dynamodb, _dynamodb_record, _kinesis, ["shard"], {"concurrency": 4}, 500, True),
        (handler.kafka, _kafka_record, _kafka, ["orders-0", "orders-1", "a-b-2"], {}, 1500, False),
        (handler.kafka, _kafka_record, _kafka, ["orders-0", "orders-1", "a-b-2"], {"concurrency": 2}, 500, False),
    ],
    ids=["kinesis", "kinesis in threads", "kinesis in tasks", "dynamodb", "dynamodb in tasks", "kafka", "kafka in threads"],
)
def test_shards(
    wire: Any,
    record: Callable[[str, int, str], dict[str, Any]],
    event: Callable[[Any], dict[str, Any]],
    shards: list[str],
    options: dict[str, Any],
    batches: int,
    is_asynchronous: bool,
) -> None:
    """
    Over many batches with random failures and too little time no checkpoint passes what is not done, and keys keep their order.
    """

    def where(identifier: Any) -> tuple[str, int]:
        return (identifier["partition"], identifier["offset"]) if isinstance(identifier, dict) else ("shard", int(identifier[4:]))

    def run(random: Random) -> int:
        keys = {(shard, number): f"k{random.randrange(4)}" for shard in shards for number in range(60)}
        source = Shards(random, {shard: [record(shard, n, keys[shard, n]) for n in range(60)] for shard in shards}, event, where)
        # Concurrency keeps the order of keys; of Kafka, that of partitions.
        work = Work(random, lambda job: job.shard + (job.key if len(shards) == 1 else ""))
        wired = wire(Job, errors=ERRORS, **options)(work.asynchronously if is_asynchronous else work)

        def invoke(batch: dict[str, Any]) -> Any:
            return wired(batch, context)

        count = 0
        while not source.is_empty:
            context = HurriedContext(random.randint(1, 12)) if random.random() < 0.2 else FakeContext()
            source.deliver(invoke)
            count += 1
            passed = {(shard, number) for shard in shards for number in range(source.checkpoints[shard])}
            assert all(work.was_done[each] for each in passed)
        assert set(keys) == set(work.was_done)
        assert all(order == sorted(order) for order in work.order.values())
        return count

    _until(batches, run)
