"""
What the order service does. Knows neither AWS nor the kit: it runs in a unit test as it stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from decimal import Decimal
from typing import Any, LiteralString, Protocol
from uuid import UUID, uuid4

from pydantic import BaseModel, Field


class PlaceOrder(BaseModel):
    """
    The body of a request to place an order.
    """

    sku: str = Field(min_length=1, max_length=64)
    quantity: int = Field(gt=0)


class Placed(BaseModel):
    """
    The answer to a placed order.
    """

    order_id: UUID
    total: Decimal


class ConfirmOrder(BaseModel):
    """
    The message that the worker gets for each placed order.
    """

    order_id: UUID


class OutOfStockError(Exception):
    """
    More was ordered than there is.
    """


class UnknownOrderError(Exception):
    """
    A message names an order that is not in the database.
    """


class Cursor(Protocol):
    """
    The part of a DB-API cursor that is used here.
    """

    @property
    def rowcount(self) -> int: ...


class Connection(Protocol):
    """
    The part of a database connection that is used here.
    """

    def execute(self, query: LiteralString, params: Sequence[Any], /) -> Cursor: ...


class Database(Protocol):
    """
    Something that lends connections: committed on success, rolled back on error.
    """

    def connection(self) -> AbstractContextManager[Connection]: ...


class Queue(Protocol):
    """
    The part of an SQS queue that is used here.
    """

    def send_message(self, *, MessageBody: str) -> Any: ...  # noqa: N803  # boto3's own argument name


class Needs(Protocol):
    """
    What placing an order needs from outside.
    """

    @property
    def price(self) -> Decimal: ...
    @property
    def stock(self) -> int: ...
    @property
    def db(self) -> Database: ...
    @property
    def queue(self) -> Queue: ...


class NeedsDatabase(Protocol):
    """
    What confirming an order needs from outside.
    """

    @property
    def db(self) -> Database: ...


def place_order(order: PlaceOrder, deps: Needs) -> Placed:
    """
    Store an order and announce it; raise OutOfStockError when it asks for more than there is.
    """
    if order.quantity > deps.stock:
        raise OutOfStockError(f"only {deps.stock} of {order.sku} left")
    placed = Placed(order_id=uuid4(), total=order.quantity * deps.price)
    with deps.db.connection() as connection:
        connection.execute(
            "INSERT INTO orders (id, sku, quantity, total) VALUES (%s, %s, %s, %s)",
            (placed.order_id, order.sku, order.quantity, placed.total),
        )
    deps.queue.send_message(MessageBody=ConfirmOrder(order_id=placed.order_id).model_dump_json())
    return placed


def confirm_order(message: ConfirmOrder, deps: NeedsDatabase) -> None:
    """
    Mark an order as confirmed; raise UnknownOrderError when there is no such order. Doing it twice does no harm.
    """
    with deps.db.connection() as connection:
        updated = connection.execute("UPDATE orders SET confirmed = true WHERE id = %s", (message.order_id,))
        if updated.rowcount == 0:
            raise UnknownOrderError(f"no order {message.order_id}")
