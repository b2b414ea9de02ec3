"""
The logic's own tests: no AWS, no kit, no server.
"""

from __future__ import annotations

from contextlib import contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from orders.logic import ConfirmOrder, OutOfStockError, PlaceOrder, UnknownOrderError, confirm_order, place_order

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class Cursor:
    def __init__(self, rowcount: int) -> None:
        self.rowcount = rowcount


class FakeDatabase:
    """
    A database that remembers what it was asked to execute.
    """

    def __init__(self, rowcount: int = 1) -> None:
        self.executed: list[Sequence[Any]] = []
        self.rowcount = rowcount

    @contextmanager
    def connection(self) -> Iterator[FakeDatabase]:
        yield self

    def execute(self, query: str, params: Sequence[Any], /) -> Cursor:
        self.executed.append((query.split()[0], *params))
        return Cursor(self.rowcount)


class FakeQueue:
    """
    A queue that remembers its messages.
    """

    def __init__(self) -> None:
        self.messages: list[str] = []

    def send_message(self, *, MessageBody: str) -> None:  # noqa: N803  # boto3's own argument name
        self.messages.append(MessageBody)


class Fakes:
    def __init__(self, *, rowcount: int = 1) -> None:
        self.price = Decimal("2.50")
        self.stock = 10
        self.db = FakeDatabase(rowcount)
        self.queue = FakeQueue()


def test_placing_an_order_stores_it_and_announces_it() -> None:
    """
    One row and one message carry the same order id, and the total is quantity times price.
    """
    deps = Fakes()

    placed = place_order(PlaceOrder(sku="teapot", quantity=3), deps)

    assert Decimal("7.50") == placed.total
    assert [("INSERT", placed.order_id, "teapot", 3, placed.total)] == deps.db.executed
    assert [ConfirmOrder(order_id=placed.order_id)] == [ConfirmOrder.model_validate_json(m) for m in deps.queue.messages]


def test_an_order_beyond_the_stock_is_refused() -> None:
    """
    Nothing is stored and nothing announced.
    """
    deps = Fakes()

    with pytest.raises(OutOfStockError):
        place_order(PlaceOrder(sku="teapot", quantity=11), deps)

    assert [] == deps.db.executed
    assert [] == deps.queue.messages


def test_confirming_an_order_updates_its_row() -> None:
    """
    A known order is confirmed.
    """
    deps, order_id = Fakes(), uuid4()

    confirm_order(ConfirmOrder(order_id=order_id), deps)

    assert [("UPDATE", order_id)] == deps.db.executed


def test_confirming_an_unknown_order_is_an_error() -> None:
    """
    A message without a row is reported by its id.
    """
    order_id = uuid4()

    with pytest.raises(UnknownOrderError, match=str(order_id)):
        confirm_order(ConfirmOrder(order_id=order_id), Fakes(rowcount=0))
