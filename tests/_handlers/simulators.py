"""
Small models of event sources: what they deliver, and what they make of an answer. They complain of answers that AWS would
take for something else than was meant.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from lambda_kit.errors import BatchError

Invoke = Callable[[dict[str, Any]], Any]


class Queue:
    """
    A queue and its visibility: what is delivered stays invisible until its batch is answered, what is not deleted comes again.

    Attributes:
        deleted: The ids of the messages acknowledged, in that order.
    """

    def __init__(self, random: Random, messages: int, *, groups: int = 0) -> None:
        self._random = random
        self._groups = groups
        self._visible = [self._message(number) for number in range(messages)]
        self.deleted: list[str] = []

    def deliver(self, invoke: Invoke) -> None:
        """
        Deliver one batch, and take the answer for what it says.
        """
        batch = self._batch(self._random.randint(1, 10))
        ids = [record["messageId"] for record in batch]
        try:
            answer = invoke({"Records": batch})
        except BatchError as exc:
            # Nothing may have been done, or it would be done twice.
            named = set(exc.errors)
        else:
            named = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
            assert named != set(ids), "nothing was done, and no error said so"
        assert named <= set(ids), "an unknown id makes SQS deliver the whole batch again"
        gone = [each for each in ids if each not in named]
        self.deleted += gone
        self._visible = [message for message in self._visible if message["messageId"] not in set(gone)]

    @property
    def is_empty(self) -> bool:
        return not self._visible

    def _batch(self, size: int) -> list[dict[str, Any]]:
        if not self._groups:
            return self._random.sample(self._visible, min(size, len(self._visible)))
        # In order within each group; which groups come, and how they are mixed, is not promised.
        heads = {message["attributes"]["MessageGroupId"] for message in self._visible}
        chosen = set(self._random.sample(sorted(heads), self._random.randint(1, len(heads))))
        return [message for message in self._visible if message["attributes"]["MessageGroupId"] in chosen][:size]

    def _message(self, number: int) -> dict[str, Any]:
        group = {"MessageGroupId": f"g{self._random.randrange(self._groups)}"} if self._groups else {}
        arn = f"arn:aws:sqs:eu-west-1:123456789012:jobs{'.fifo' if self._groups else ''}"
        return {
            "messageId": f"m{number}",
            "body": f'{{"number": {number}}}',
            "attributes": group,
            "eventSource": "aws:sqs",
            "eventSourceARN": arn,
        }


class Shards:
    """
    Shards, or partitions, each with a checkpoint: delivery goes on behind what was acknowledged, and starts with what was not.

    Args:
        event: Makes the event of the records to deliver by shard: ``[(name, [(position, record), ...]), ...]``.
        where: Reads shard and position from a failure's identifier.
    """

    def __init__(
        self,
        random: Random,
        shards: dict[str, list[dict[str, Any]]],
        event: Callable[[dict[str, list[dict[str, Any]]]], dict[str, Any]],
        where: Callable[[Any], tuple[str, int]],
    ) -> None:
        self._random = random
        self._shards = shards
        self._event = event
        self._where = where
        self.checkpoints = dict.fromkeys(shards, 0)

    def deliver(self, invoke: Invoke) -> None:
        """
        Deliver one batch from the checkpoints on, and move them by the answer.
        """
        waiting = [name for name, records in self._shards.items() if self.checkpoints[name] < len(records)]
        chosen = self._random.sample(waiting, self._random.randint(1, len(waiting)))
        ends = {name: min(len(self._shards[name]), self.checkpoints[name] + self._random.randint(1, 10)) for name in chosen}
        batch = {name: self._shards[name][self.checkpoints[name] : end] for name, end in ends.items()}
        try:
            answer = invoke(self._event(batch))
        except BatchError:
            return
        for failure in answer["batchItemFailures"]:
            name, position = self._where(failure["itemIdentifier"])
            assert self.checkpoints[name] <= position < ends[name], "an unknown number makes the source deliver the whole batch again"
            ends[name] = min(ends[name], position)
        assert ends != {name: self.checkpoints[name] for name in chosen}, "nothing was acknowledged, and no error said so"
        self.checkpoints.update(ends)

    @property
    def is_empty(self) -> bool:
        return all(self.checkpoints[name] == len(records) for name, records in self._shards.items())
