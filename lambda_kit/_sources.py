"""
Facts about event sources: where payload and id of a record are, whether it orders, and what an answer looks like.

Data only. Models, handlers and event factories all read it, so that they cannot disagree.
"""

from __future__ import annotations

from collections.abc import Mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# What the source does with the handler's answer.
ANSWER_HTTP = "http"  # {"statusCode", "headers", "body", ...}
ANSWER_BATCH = "batch"  # {"batchItemFailures": [{"itemIdentifier": id}]}
ANSWER_RESULT = "result"  # the caller gets the result, or the error
ANSWER_NONE = "none"  # nobody reads it; raising makes the source retry


class Source:
    """
    One event source, as Lambda delivers it.

    Attributes:
        name: The kit's name for it, as in ``handler.<name>``.
        answer: One of the ``ANSWER_`` constants.
        records: Key of the list of records in the event; empty when the event is one item.
        payload: Path of the payload within a record (within the event, when there are no records).
        identifier: Path of what identifies a record in the answer.
        group: Path of the key within which order holds; empty when the source does not order.
        marker: ``(key, value)`` that tells a record of this source: its event source field.
    """

    __slots__ = ("answer", "group", "identifier", "marker", "name", "payload", "records")

    def __init__(
        self,
        name: str,
        *,
        answer: str,
        records: str = "",
        payload: tuple[str, ...] = (),
        identifier: tuple[str, ...] = (),
        group: tuple[str, ...] = (),
        marker: tuple[str, str] = ("", ""),
    ) -> None:
        self.name = name
        self.answer = answer
        self.records = records
        self.payload = payload
        self.identifier = identifier
        self.group = group
        self.marker = marker

    def __repr__(self) -> str:
        return f"<Source {self.name}>"


# https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html and services-sqs-errorhandling.html: the answer names message
# ids. Order holds within a message group of a FIFO queue, whose ARN ends in .fifo; records of standard queues may carry a
# group too (fair queues), which orders nothing.
SQS = Source(
    "sqs",
    answer=ANSWER_BATCH,
    records="Records",
    payload=("body",),
    identifier=("messageId",),
    group=("attributes", "MessageGroupId"),
    marker=("eventSource", "aws:sqs"),
)

# https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html (payload 2.0).
API_GATEWAY_HTTP = Source("http", answer=ANSWER_HTTP, payload=("body",))

# https://docs.aws.amazon.com/lambda/latest/dg/invocation-sync.html
INVOKE = Source("invoke", answer=ANSWER_RESULT)


def lookup(record: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    """
    Follow *path* through nested mappings; ``None`` where it ends early.
    """
    found: Any = record
    for key in path:
        if not isinstance(found, Mapping):
            return None
        found = found.get(key)
    return found
