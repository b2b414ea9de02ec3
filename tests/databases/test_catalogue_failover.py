"""
The writer is another server now: a standby that follows and is promoted, a server that takes no writes any more, an endpoint that
leads elsewhere.
"""

# Statements name a test's own tables.
# ruff: noqa: S608

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
import redis

from lambda_kit import databases, password_login
from lambda_kit._local._processes import wait_until
from lambda_kit.databases import Database
from tests.databases.proxy import Proxy, proxy
from tests.databases.servers import HOST, MariaServer, ValkeyServer
from tests.databases.systems import SystemPostgres

LOGIN = password_login("app", lambda: "secret")
_numbers = itertools.count(1)


class Pair:
    """
    A PostgreSQL and its standby, with a table of the user's; both end with the test.
    """

    def __init__(self, writer: SystemPostgres, standby: SystemPostgres) -> None:
        self.writer, self.standby = writer, standby
        self.table = f"rows_{next(_numbers)}"
        writer.execute(f"CREATE TABLE {self.table} (id int PRIMARY KEY)")
        writer.execute(f"ALTER TABLE {self.table} OWNER TO app")
        assert wait_until(lambda: standby.execute(f"SELECT to_regclass('{self.table}') IS NOT NULL") == [(True,)], timeout_s=30)

    def rows(self, server: SystemPostgres) -> list[int]:
        return sorted(number for (number,) in server.execute(f"SELECT id FROM {self.table}"))

    def insert(self, database: Database[Any], number: int) -> None:
        database.run(lambda connection: connection.execute(f"INSERT INTO {self.table} VALUES ({number})"), idempotent=True)


@pytest.fixture(scope="module")
def writer() -> Iterator[SystemPostgres]:
    with SystemPostgres() as running:
        running.execute("CREATE ROLE app LOGIN PASSWORD 'secret'")
        yield running


@pytest.fixture
def pair(writer: SystemPostgres) -> Iterator[Pair]:
    with SystemPostgres(standby_of=writer) as standby:
        yield Pair(writer, standby)


def behind(endpoint: Proxy, **options: Any) -> Database[Any]:
    return databases.postgres(f"host={HOST} port={endpoint.port} dbname=postgres", login=LOGIN, **options)


# PostgreSQL


def test_a_session_on_a_reader_is_left_for_the_writer(pair: Pair) -> None:
    """
    D29: the endpoint's name led to the standby when one connected; where it leads to the writer by now, the write is done there.
    """
    with proxy(pair.standby.port) as endpoint:
        database = behind(endpoint)
        with database.connection() as connection:
            assert (True,) == connection.execute("SELECT pg_is_in_recovery()").fetchone()
        endpoint.target_port = pair.writer.port

        pair.insert(database, 1)
        assert [1] == pair.rows(pair.writer)
        assert {"read-only": 1} == database.stats().reconnects
        database.close()


def test_the_servers_word_passes_where_nothing_may_be_done_twice(pair: Pair) -> None:
    """
    A block shows psycopg's error, and the next one is on the writer.
    """
    with proxy(pair.standby.port) as endpoint:
        database = behind(endpoint)
        statement = f"INSERT INTO {pair.table} VALUES (1)"

        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction), database.connection() as connection:
            connection.execute(statement)
        endpoint.target_port = pair.writer.port
        with database.connection() as connection:
            connection.execute(statement)
        assert [1] == pair.rows(pair.writer)
        database.close()


def test_a_session_on_a_standby_that_is_promoted_writes(pair: Pair) -> None:
    """
    The very connection takes writes from then on: nothing reconnects.
    """
    with proxy(pair.standby.port) as endpoint:
        database = behind(endpoint)
        with database.connection():
            pass
        pair.standby.promote()

        pair.insert(database, 1)
        assert [1] == pair.rows(pair.standby)
        assert 1 == database.stats().connects
        database.close()


@pytest.mark.parametrize("one_name", [True, False], ids=["one endpoint", "two hosts"])
def test_the_writers_crash_is_survived(pair: Pair, one_name: bool) -> None:
    """
    D29: while the standby is not promoted yet, libpq finds no writer: that is waited for. The write goes to the new one, with all
    that was there.
    """
    with proxy(pair.writer.port) as endpoint:
        where = f"host={HOST} port={endpoint.port}"
        if not one_name:
            where = f"host={HOST},{HOST} port={pair.writer.port},{pair.standby.port}"
        database = databases.postgres(f"{where} dbname=postgres target_session_attrs=read-write", login=LOGIN)
        pair.insert(database, 1)
        assert wait_until(lambda: [1] == pair.rows(pair.standby), timeout_s=30)
        pair.writer.kill()
        endpoint.target_port = pair.standby.port
        promotion = threading.Timer(0.3, pair.standby.promote)
        promotion.start()

        pair.insert(database, 2)
        promotion.join()
        assert [1, 2] == pair.rows(pair.standby)
        assert 2 == database.stats().connects
        database.close()
    pair.writer.start()


# MariaDB and Redis


def test_a_mariadb_that_takes_no_writes_any_more_is_left(maria: MariaServer) -> None:
    """
    D29: the endpoint leads to another server by now, and the write is done there.
    """
    name = f"failover_{next(_numbers)}"
    with MariaServer() as other, proxy(maria.port) as endpoint:
        for server in (maria, other):
            server.execute(f"CREATE DATABASE {name}")
            server.execute(f"CREATE TABLE {name}.numbers (id int PRIMARY KEY)")
            server.execute(f"CREATE USER {name}@'%' IDENTIFIED BY 'secret'")
            server.execute(f"GRANT ALL ON {name}.* TO {name}@'%'")
        database = databases.mysql(HOST, port=endpoint.port, dbname=name, login=password_login(name, lambda: "secret"))
        with database.connection():
            pass
        maria.execute("SET GLOBAL read_only = 1")
        try:
            endpoint.target_port = other.port

            database.run(lambda connection: connection.query("INSERT INTO numbers VALUES (1)"), idempotent=True)
        finally:
            maria.execute("SET GLOBAL read_only = 0")
        assert [(1,)] == list(other.execute(f"SELECT id FROM {name}.numbers"))
        assert [] == list(maria.execute(f"SELECT id FROM {name}.numbers"))
        assert {"read-only": 1} == database.stats().reconnects
        database.close()


def test_a_redis_that_became_a_replica_is_left(valkey: ValkeyServer) -> None:
    """
    D29: the endpoint leads to the primary by now, and the write is done there.
    """
    key = f"failover:{next(_numbers)}"
    with ValkeyServer() as replica, proxy(replica.port) as endpoint:
        database = databases.redis(f"redis://{HOST}:{endpoint.port}")
        with database.connection():
            pass
        replica.execute("REPLICAOF", HOST, str(valkey.port))
        endpoint.target_port = valkey.port

        assert 1 == database.run(lambda client: client.incr(key), idempotent=True)
        assert "1" == valkey.execute("GET", key)
        assert {"read-only": 1} == database.stats().reconnects
        database.close()


def test_a_replica_that_is_promoted_takes_writes(valkey: ValkeyServer) -> None:
    """
    A block shows redis-py's error; after the promotion the next one writes, on a new connection.
    """
    key = f"failover:{next(_numbers)}"
    with ValkeyServer() as replica:
        replica.execute("REPLICAOF", HOST, str(valkey.port))
        database = databases.redis(f"redis://{HOST}:{replica.port}")

        with pytest.raises(redis.ReadOnlyError), database.connection() as client:
            client.incr(key)
        replica.execute("REPLICAOF", "NO", "ONE")
        with database.connection() as client:
            assert 1 == client.incr(key)
        assert {"read-only": 1} == database.stats().reconnects
