"""
Answers batches: what failed, and only that, is delivered again; order holds where the source orders.

Source: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html,
.../services-kinesis-batchfailurereporting.html, .../services-ddb-batchfailurereporting.html and .../kafka-retry-configurations.html
"""

from __future__ import annotations

import logging
from collections import Counter

from lambda_kit._handlers._logic import sole, text_of
from lambda_kit._handlers._turns import Turns, Work
from lambda_kit._responses import Reject, Retry, batch_answer
from lambda_kit.errors import BatchError, EventError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from lambda_kit._handlers._logic import Logic
    from lambda_kit._handlers._records import Batch, Item
    from lambda_kit._handlers._turns import Pace
    from lambda_kit._invocation import Invocation
    from lambda_kit._responses import Outcome

_logger = logging.getLogger("lambda_kit")


class Batches:
    """
    What calling a handler of records does.
    """

    __slots__ = ("_batch", "_drops", "_logic", "_work")

    def __init__(self, logic: Logic, first: Any, batch: Batch, pace: Pace, *, drops: bool) -> None:
        self._logic = logic
        self._batch = batch
        self._work = Work(logic, batch.reader(first), pace)
        self._drops = drops

    def __call__(self, event: dict[str, Any], invocation: Invocation) -> dict[str, Any]:
        items = self._batch.items(event)
        if len(items) == 1 and invocation.remaining_s() >= self._work.reserve_s:
            self._do_the_only(items, invocation)
            return batch_answer(())
        turns = Turns(items, self._work, invocation, self._not_done, None)
        turns.take(self._batch)
        return self._answer(items, turns) if turns.failed else batch_answer(())

    def _do_the_only(self, items: list[Item], invocation: Invocation) -> None:
        """
        Do what needs no turns; a batch of one is what a queue with little in it delivers.
        """
        failure = None
        try:
            self._logic(self._work.read(items[0].record))
        except Exception as exc:  # noqa: BLE001  # logged, and raised for the batch
            failure = self._not_done(exc, items[0], invocation)
        if failure is not None:
            raise batch_error(self._logic, items, {0: failure})

    def _answer(self, items: list[Item], turns: Turns) -> dict[str, Any]:
        log_not_started(self._logic, turns, len(items))
        again = sorted(turns.failed)
        if self._batch.is_checkpointed:
            first: dict[object, int] = {}
            for position in again:
                first.setdefault(items[position].unit, position)
            again = list(first.values())
            done = sum(position < first.get(item.unit, len(items)) for position, item in enumerate(items))
        else:
            done = len(items) - len(again)
        if not done:
            # A mapping without ReportBatchItemFailures takes any answer for success, and would lose them all.
            raise batch_error(self._logic, items, turns.failed)
        return batch_answer(items[position].answer for position in again)

    def _not_done(self, exc: Exception, item: Item, invocation: Invocation) -> Exception | None:
        """
        Log a failure; give it back unless the record counts as done all the same.
        """
        outcome = log_failure(self._logic, exc, item.identifier, invocation)
        return None if self._drops and isinstance(outcome, Reject) else exc


def log_failure(logic: Logic, exc: Exception, identifier: str, invocation: Invocation) -> Outcome | None:
    """
    Log why a record is not done; tell what that means, ``None`` for a bug.
    """
    outcome = logic.outcome(exc)
    cause = sole(exc)
    facts = (logic.name, identifier, text_of(cause) if isinstance(cause, EventError) else type(cause).__name__, invocation.request_id)
    if isinstance(outcome, Reject):
        _logger.warning("%s rejected record %s: %s (request %s)", *facts)
        return outcome
    if isinstance(outcome, Retry):
        _logger.warning("%s cannot do record %s now: %s (request %s)", *facts)
        return outcome
    log_bug(logic, exc, identifier, invocation)
    return None


def log_bug(logic: Logic, exc: Exception, identifier: str, invocation: Invocation) -> None:
    """
    Log an error that is no fault of the record.
    """
    _logger.error(
        "%s failed on record %s: %s (request %s)", logic.name, identifier, type(exc).__name__, invocation.request_id, exc_info=exc
    )


def log_not_started(logic: Logic, turns: Turns, count: int) -> None:
    if turns.not_started:
        _logger.warning("%s: %d of %d records not started: %.3f s left", logic.name, turns.not_started, count, turns.left_s)


def batch_error(logic: Logic, items: list[Item], failed: Mapping[int, Exception]) -> BatchError:
    """
    Return the error that makes the source deliver the whole batch again.
    """
    kinds = Counter(type(exc).__name__ for exc in failed.values())
    summary = ", ".join(f"{kind} ({count})" for kind, count in kinds.most_common())
    every = "every record" if len(failed) == len(items) else f"{len(failed)}"
    errors = {items[position].identifier: exc for position, exc in failed.items()}
    return BatchError(f"{logic.name}: {every} of {len(items)} failed: {summary}", errors=errors)
