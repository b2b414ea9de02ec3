"""
What must type-check around databases and logins.
"""

from __future__ import annotations

from typing import Protocol, assert_type

from psycopg import Connection
from psycopg.rows import TupleRow

from lambda_kit import Deps, databases, parameter, password_login, secret, secret_login
from lambda_kit.databases import Credentials, Database, Login, Stats

orders = databases.postgres(login=secret_login("orders/db"))
assert_type(orders, Database[Connection[TupleRow]])

other: Database[Connection] = databases.postgres(
    parameter("/orders/conninfo"),
    login=password_login("app", secret("orders/password")),
    max_connections=2,
    ping_after_s=None,
    on_connect=lambda connection: connection.execute("SET search_path TO orders"),
)


def mine(refused: Credentials | None) -> Credentials:
    return Credentials("app", "x", version="1" if refused is None else "2")


as_login: Login = mine
databases.postgres("host=db", login=mine)

with orders.connection() as connection:
    assert_type(connection, Connection[TupleRow])


def count(connection: Connection) -> int:
    return connection.execute("SELECT 1").rowcount


assert_type(orders.run(count, idempotent=True), int)
assert_type(orders.stats(), Stats)
assert_type(orders.stats().connects, int)
orders.close()


def after_the_block() -> int:
    with orders.connection() as connection:
        return count(connection)


class NeedsDatabase(Protocol):
    """
    What logic that imports neither the kit nor a driver may ask for.
    """

    @property
    def db(self) -> Database[Connection]: ...


class OrderDeps(Deps):
    db: Database[Connection] = orders


def logic(needs: NeedsDatabase) -> int:
    return needs.db.run(count)


logic(OrderDeps())
