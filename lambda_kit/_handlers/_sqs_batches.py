"""
Answers SQS batches: what failed, and only that, is delivered again.

Source: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
"""

from __future__ import annotations

import logging
from collections import Counter

from lambda_kit._responses import Reject, Retry, batch_answer
from lambda_kit.errors import BatchError, DeadlineError, EventError
from lambda_kit.events._validation import from_json, is_model

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from lambda_kit._handlers._logic import Logic
    from lambda_kit._invocation import Invocation

    Record = Mapping[str, Any]

# Seconds kept for the answer itself.
_RESERVE_S = 0.1

_logger = logging.getLogger("lambda_kit")


class SqsBatches:
    """
    What calling an SQS handler does.
    """

    __slots__ = ("_drops", "_logic", "_read")

    def __init__(self, logic: Logic, first: Any, *, drops: bool) -> None:
        self._logic = logic
        self._read = _body_reader(first) if is_model(first) else _record_reader(first)
        self._drops = drops

    def __call__(self, event: dict[str, Any], invocation: Invocation) -> dict[str, Any]:
        records = _identified(event)
        failed = self._work(records, invocation)
        if not failed:
            return {"batchItemFailures": []}
        if len(failed) == len(dict(records)):
            # A mapping without ReportBatchItemFailures takes any answer for success, and would delete them all.
            kinds = Counter(type(exc).__name__ for exc in failed.values())
            summary = ", ".join(f"{kind} ({count})" for kind, count in kinds.most_common())
            raise BatchError(f"{self._logic.name}: every record of {len(records)} failed: {summary}", errors=failed)
        return batch_answer(failed)

    def _work(self, records: list[tuple[str, Record]], invocation: Invocation) -> dict[str, BaseException]:
        """
        Return the failure of each record that is not done, by its id.
        """
        failed: dict[str, BaseException] = {}
        left_s, longest_s = invocation.remaining_s(), 0.0
        for index, (identifier, record) in enumerate(records):
            if index:
                before_s, left_s = left_s, invocation.remaining_s()
                longest_s = max(longest_s, before_s - left_s)
            if left_s < longest_s + _RESERVE_S:
                failed.update(self._not_started(records, index, left_s))
                break
            try:
                self._logic(self._read(record))
            except Exception as exc:  # noqa: BLE001  # the other records go on
                if self._is_dropped(exc, identifier, invocation.request_id):
                    continue
                failed[identifier] = exc
                if str(record.get("eventSourceARN")).endswith(".fifo"):
                    # Deleting a later message while an earlier one is delivered again would change their order.
                    failed.update((each, exc) for each, _ in records[index + 1 :])
                    break
        return failed

    def _not_started(self, records: list[tuple[str, Record]], index: int, left_s: float) -> dict[str, DeadlineError]:
        count = len(records) - index
        _logger.warning("%s: %d of %d records not started: %.3f s left", self._logic.name, count, len(records), left_s)
        late = DeadlineError(f"not started: {left_s:.3f} s left of the invocation", remaining_s=left_s)
        return dict.fromkeys((each for each, _ in records[index:]), late)

    def _is_dropped(self, exc: Exception, identifier: str, request_id: str) -> bool:
        """
        Log a failure; tell whether it counts as done all the same.
        """
        outcome = self._logic.outcome(exc)
        facts = (self._logic.name, identifier, str(exc) if isinstance(exc, EventError) else type(exc).__name__, request_id)
        if isinstance(outcome, Reject):
            _logger.warning("%s rejected record %s: %s (request %s)", *facts)
            return self._drops
        if isinstance(outcome, Retry):
            _logger.warning("%s cannot do record %s now: %s (request %s)", *facts)
        else:
            _logger.error("%s failed on record %s: %s (request %s)", *facts, exc_info=exc)
        return False


def _identified(event: object) -> list[tuple[str, Record]]:
    """
    Return each record with its id; an event in which one has none cannot be answered.
    """
    records = event.get("Records") if isinstance(event, dict) else None
    if not isinstance(records, list):
        raise EventError("this is no SQS event: it has no list of Records", source="sqs", field="Records")
    try:
        return [(record["messageId"], record) for record in records]
    except (KeyError, TypeError):
        pass
    raise EventError("this is no SQS event: a record has no messageId", source="sqs", field="Records")


def _body_reader(model: Any) -> Callable[[Record], object]:
    def read(record: Record) -> object:
        return from_json(model, record.get("body", ""), "sqs", "body")

    return read


def _record_reader(first: Callable[[Any], object]) -> Callable[[Record], object]:
    from lambda_kit.events import SqsRecord

    return lambda record: first(SqsRecord.model_validate(record))
