"""
What the checkers must refuse of events.
"""

from __future__ import annotations

from pydantic import BaseModel

from lambda_kit.events import EventBridgeEvent, SqsEvent, SqsRecord


class Order(BaseModel):
    sku: str


def refused(event: SqsEvent, record: SqsRecord, placed: EventBridgeEvent[Order]) -> None:
    """
    Each line is a mistake.
    """
    record.parse(Order) + 1  # type: ignore[operator]
    record.parse(str)  # type: ignore[type-var]
    record.unwrap("S3Event")  # type: ignore[arg-type]
    event.unwrap(Order).sku  # type: ignore[attr-defined]
    placed.detail.skew  # type: ignore[attr-defined]
    record.bodi  # type: ignore[attr-defined]
