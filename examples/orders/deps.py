"""
What the logic works with on Lambda. Declared here, built when first needed, kept for the environment's life.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from lambda_kit import Deps, databases, env, lazy, parameter, resource, secret_login, use

if TYPE_CHECKING:  # annotations are not evaluated: the driver is imported when it is first needed
    from psycopg import Connection

    from orders.logic import Queue

sqs, queue_url = resource("sqs"), env("ORDERS_QUEUE_URL")
orders_db = databases.postgres(login=secret_login("orders/db"))


class OrderDeps(Deps):
    """
    The dependencies of the order service.
    """

    price: Decimal = use(parameter("/orders/price", convert=Decimal))
    stock: int = use(parameter("/orders/stock", convert=int))
    db: databases.Database[Connection] = orders_db
    queue: Queue = use(lazy(lambda: sqs.Queue(queue_url())))
