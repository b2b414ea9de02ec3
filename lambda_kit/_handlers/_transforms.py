"""
Answers Firehose: each record's result is what is delivered in its place.

Source: https://docs.aws.amazon.com/firehose/latest/dev/data-transformation.html
"""

from __future__ import annotations

from base64 import b64encode

from lambda_kit._handlers._batches import batch_error, log_bug, log_failure, log_not_started
from lambda_kit._handlers._records import FirehoseBatch
from lambda_kit._handlers._turns import Turns, Work
from lambda_kit._responses import Retry, json_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lambda_kit._handlers._logic import Logic
    from lambda_kit._handlers._records import Item, Record
    from lambda_kit._handlers._turns import Pace
    from lambda_kit._invocation import Invocation


class Transforms:
    """
    What calling a Firehose handler does.
    """

    __slots__ = ("_batch", "_drops", "_logic", "_work")

    def __init__(self, logic: Logic, first: Any, pace: Pace, *, drops: bool) -> None:
        self._logic = logic
        self._batch = FirehoseBatch()
        self._work = Work(logic, self._batch.reader(first), pace)
        self._drops = drops

    def __call__(self, event: dict[str, Any], invocation: Invocation) -> dict[str, Any]:
        items = self._batch.items(event)
        results: dict[Item, dict[str, Any]] = {}

        def on_result(item: Item, result: object) -> None:
            try:
                results[item] = _transformed(item.record, result)
            except Exception as exc:  # noqa: BLE001  # a result that cannot be delivered is no fault of the record, whatever the table says
                log_bug(self._logic, exc, item.identifier, invocation)
                results[item] = _left_out(item.record, is_dropped=False)

        def on_error(exc: Exception, item: Item, invocation: Invocation) -> Exception | None:
            outcome = log_failure(self._logic, exc, item.identifier, invocation)
            if isinstance(outcome, Retry):
                return exc
            results[item] = _left_out(item.record, is_dropped=self._drops and outcome is not None)
            return None

        turns = Turns(items, self._work, invocation, on_error, on_result)
        turns.take(self._batch)
        if turns.failed:
            # What may succeed later cannot be said by record: Firehose delivers the batch again.
            log_not_started(self._logic, turns, len(items))
            raise batch_error(self._logic, items, turns.failed)
        return {"records": [results[item] for item in items]}


def _left_out(record: Record, *, is_dropped: bool) -> dict[str, Any]:
    if is_dropped:
        return {"recordId": record["recordId"], "result": "Dropped"}
    # Firehose puts it, as it came, where the stream's failures go.
    unchanged = {name: record[name] for name in ("data", "kafkaRecordValue") if name in record}
    return {"recordId": record["recordId"], "result": "ProcessingFailed", **unchanged}


def _transformed(record: Record, result: object) -> dict[str, Any]:
    if result is None:
        return {"recordId": record["recordId"], "result": "Dropped"}
    text = result if isinstance(result, str | bytes | bytearray) else json_text(result)
    data = text.encode() if isinstance(text, str) else text
    name = "kafkaRecordValue" if "data" not in record else "data"
    return {"recordId": record["recordId"], "result": "Ok", name: b64encode(data).decode()}
