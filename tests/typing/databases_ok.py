"""
What must type-check around databases and logins.
"""

from __future__ import annotations

from typing import Protocol, assert_type

import redis
from psycopg import Connection
from psycopg.rows import TupleRow
from pymysql.connections import Connection as MySqlConnection
from pymysql.cursors import Cursor
from sqlalchemy import Engine

from lambda_kit import Deps, databases, parameter, password_login, rds_iam_login, secret, secret_login
from lambda_kit.databases import Credentials, Database, Login, Stats, Verdict

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


shop = databases.mysql(login=secret_login("shop/db"), options={"ssl_ca": "rds.pem"})
with shop.connection() as shop_connection, shop_connection.cursor() as cursor:
    assert_type(cursor.execute("SELECT 1"), int)
assert_type(shop, Database[MySqlConnection[Cursor]])

cache = databases.redis(parameter("/cache/url"), login=password_login("", secret("cache/password")))
assert_type(cache, Database[redis.Redis])
with cache.connection() as client:
    client.set("key", "value")

tokens: Login = rds_iam_login("app", "db.eu-west-1.rds.amazonaws.com", port=5432)
databases.postgres("dbname=orders sslmode=verify-full", login=tokens, proxy=True)
assert_type(orders.sqlalchemy_engine(echo=True), Engine)


class Client:
    def __init__(self, password: str) -> None: ...
    def ping(self) -> bool:
        return True

    def close(self) -> None: ...


def connect(credentials: Credentials | None, timeout_s: float) -> Client:
    return Client(credentials.password if credentials else str(timeout_s))


def classify(error: BaseException) -> Verdict | None:
    return Verdict.LOST if isinstance(error, OSError) else None


assert_type(databases.reconnecting(connect, lambda found, _: found.ping(), classify, Client.close, login=mine), Database[Client])


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
