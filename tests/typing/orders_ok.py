"""
One logic function, wired three times: the whole of what a user writes must type-check, and import without AWS.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol

from pydantic import BaseModel

from lambda_kit import (
    Deps,
    LambdaContext,
    Reject,
    Retry,
    databases,
    env,
    handler,
    lazy,
    parameter,
    resource,
    secret_login,
    use,
)
from lambda_kit.events import SqsEvent

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table
    from psycopg import Connection

    from lambda_kit.databases import Database

# What is the logic's own


class PlaceOrder(BaseModel):
    sku: str
    quantity: int


class Placed(BaseModel):
    total: Decimal


class OutOfStockError(Exception):
    pass


class BusyError(Exception):
    pass


class Orders(Protocol):
    def put_item(self, *, Item: dict[str, Any]) -> Any: ...  # noqa: N803  # boto3's own argument name


class Needs(Protocol):
    @property
    def table(self) -> Orders: ...
    @property
    def price(self) -> Decimal: ...


def place_order(order: PlaceOrder, deps: Needs) -> Placed:
    if order.quantity > 10:
        raise OutOfStockError("only 10 left")
    deps.table.put_item(Item={"sku": order.sku})
    return Placed(total=order.quantity * deps.price)


# Where it meets AWS

dynamodb, table_name = resource("dynamodb"), env("ORDERS_TABLE")
orders_db = databases.postgres(login=secret_login("orders/db"))


class OrderDeps(Deps):
    table: Table = use(lazy(lambda: dynamodb.Table(table_name())))
    price: Decimal = use(parameter("/orders/price", convert=Decimal))
    db: Database[Connection] = orders_db


ERRORS = {OutOfStockError: Reject(status=409), BusyError: Retry(after_s=2)}
api = handler.http(PlaceOrder, deps=OrderDeps(), errors=ERRORS, status=201)(place_order)
worker = handler.sqs(PlaceOrder, deps=OrderDeps(), errors=ERRORS)(place_order)
direct = handler.invoke(PlaceOrder, deps=OrderDeps())(place_order)


@handler.event(SqsEvent)
def on_upload(event: SqsEvent) -> None:
    print(len(event.records))


@handler
def tick(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return {**event, "left_ms": context.get_remaining_time_in_millis()}
