"""
DurableExecutionEvent.
"""

from __future__ import annotations

import pytest
from pydantic import BaseModel

from lambda_kit.errors import EventError
from lambda_kit.events import DurableExecutionEvent
from tests.events.payloads import payload


class Order(BaseModel):
    sku: str
    quantity: int


_ORDER = Order(sku="teapot", quantity=2)


def test_a_durable_execution_has_its_input() -> None:
    """
    It is text in the first operation; further steps have none.
    """
    raw = payload("durable_execution")
    event = DurableExecutionEvent.model_validate(raw)
    raw["InitialExecutionState"]["Operations"] = raw["InitialExecutionState"]["Operations"][1:]

    assert [_ORDER, _ORDER] == [event.parse(Order), event.unwrap(Order)]
    with pytest.raises(EventError, match=r"durable: InitialExecutionState\..*InputPayload: the event has none"):
        DurableExecutionEvent.model_validate(raw).parse(Order)
