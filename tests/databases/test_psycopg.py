"""
What psycopg can do beside plain statements works on a lent connection, and ends in time.
"""

# The with blocks under test have bodies (PT012); statements name a test's own tables (S608).
# ruff: noqa: PT012, S608

from __future__ import annotations

import contextlib
import select
import threading
import time
from collections.abc import Callable

import psycopg
import pytest
from psycopg import Connection, errors

from lambda_kit import _invocation
from lambda_kit.databases import Database
from lambda_kit.errors import ConnectionLostError, ConnectTimeoutError, DeadlineError
from tests.databases.conftest import Orders
from tests.databases.fakes import FakeContext

Postgres = Database[Connection]
Declare = Callable[..., Postgres]

SECOND_BY_SECOND = "SELECT pg_sleep(1) FROM generate_series(1, 20)"


def copy_in(connection: Connection, orders: Orders, count: int) -> None:
    with connection.cursor().copy(f"COPY {orders.role}.rows FROM STDIN") as copy:
        for number in range(count):
            copy.write_row((number,))


def test_rows_are_copied_in_and_out(orders: Orders, database: Postgres) -> None:
    """
    COPY is part of the block's transaction.
    """
    with database.connection() as connection:
        copy_in(connection, orders, 1000)

    with database.connection() as connection, connection.cursor().copy(f"COPY {orders.role}.rows TO STDOUT") as copy:
        assert 1000 == sum(1 for _ in copy.rows())
    assert 1 == database.stats().connects


def test_a_copy_given_up_writes_nothing(orders: Orders, database: Postgres) -> None:
    """
    Its error ends it, and the connection keeps.
    """
    with pytest.raises(KeyError), database.connection() as connection:
        copy_in(connection, orders, 10)
        with connection.cursor().copy(f"COPY {orders.role}.rows FROM STDIN") as copy:
            copy.write_row((11,))
            raise KeyError

    assert [] == orders.rows
    with database.connection():
        pass
    assert 1 == database.stats().connects


@pytest.mark.parametrize("first", [True, False], ids=["first", "later"])
def test_a_transaction_block_is_a_savepoint_unless_it_comes_first(orders: Orders, database: Postgres, first: bool) -> None:
    """
    That is psycopg's way: without a transaction it makes one, and commits it.
    """
    with pytest.raises(KeyError), database.connection() as connection:
        if not first:
            connection.execute("SELECT 1")
        with connection.transaction():
            connection.execute(f"INSERT INTO {orders.role}.rows VALUES (1)")
        raise KeyError

    assert ([1] if first else []) == orders.rows


def test_a_server_side_cursor_reads_piece_by_piece(database: Postgres) -> None:
    """
    It lives in the block's transaction.
    """
    with database.connection() as connection, connection.cursor(name="numbers") as cursor:
        cursor.itersize = 100
        cursor.execute("SELECT generate_series(1, 1000)")

        assert 1000 == sum(1 for _ in cursor)


def test_a_pipeline_runs_several_statements(orders: Orders, database: Postgres) -> None:
    """
    Its results are there after it, and what it wrote is committed with the block.
    """
    with database.connection() as connection:
        with connection.pipeline():
            cursors = [connection.execute("SELECT %s::int", [number]) for number in range(3)]
            connection.execute(f"INSERT INTO {orders.role}.rows VALUES (1)")
        assert [(0,), (1,), (2,)] == [cursor.fetchone() for cursor in cursors]

    assert [1] == orders.rows
    assert 1 == database.stats().connects


def test_an_error_in_a_pipeline_is_the_servers(database: Postgres) -> None:
    """
    Leaving the pipeline does not hide it.
    """
    with pytest.raises(errors.DivisionByZero), database.connection() as connection, connection.pipeline():
        connection.execute("SELECT 1/0")

    with database.connection():
        pass
    assert 1 == database.stats().connects


def test_a_session_lost_in_a_pipeline_is_said(orders: Orders, database: Postgres) -> None:
    """
    As with any statement.
    """
    with pytest.raises(ConnectionLostError), database.connection() as connection, connection.pipeline():
        orders.end_sessions()
        connection.execute("SELECT 1")


def wait_in_a_copy(connection: Connection) -> None:
    with connection.cursor().copy(f"COPY ({SECOND_BY_SECOND}) TO STDOUT") as copy:
        for _ in copy.rows():
            pass


def wait_in_a_stream(connection: Connection) -> None:
    for _ in connection.cursor().stream(SECOND_BY_SECOND):
        pass


def wait_in_a_server_side_cursor(connection: Connection) -> None:
    with connection.cursor(name="slow") as cursor:
        cursor.execute(SECOND_BY_SECOND).fetchall()


def wait_in_a_pipeline(connection: Connection) -> None:
    with connection.pipeline():
        connection.execute("SELECT pg_sleep(20)")


def wait_for_a_pipelines_result(connection: Connection) -> None:
    with connection.pipeline():
        connection.execute("SELECT pg_sleep(20)").fetchone()


def wait_in_many_statements(connection: Connection) -> None:
    connection.cursor().executemany("SELECT pg_sleep(%s)", [(20,), (20,)])


def wait_for_news(connection: Connection) -> None:
    for _ in connection.notifies():
        pass


@pytest.mark.parametrize(
    "wait",
    [
        wait_in_a_copy,
        wait_in_a_stream,
        wait_in_a_server_side_cursor,
        wait_in_a_pipeline,
        wait_for_a_pipelines_result,
        wait_in_many_statements,
        wait_for_news,
    ],
    ids=lambda wait: wait.__name__,
)
def test_whatever_waits_ends_before_the_invocation(declare: Declare, wait: Callable[[Connection], None]) -> None:
    """
    Half a second before it, and the next block works.
    """
    database = declare(autocommit=wait is wait_for_news)
    with database.connection():
        pass
    started_s = time.monotonic()

    with _invocation.scope(FakeContext(0.8)), pytest.raises(DeadlineError), database.connection() as connection:
        wait(connection)
    assert time.monotonic() - started_s < 0.8
    with database.connection() as connection:
        assert (1,) == connection.execute("SELECT 1").fetchone()


def test_the_servers_own_time_limit_costs_no_connection(database: Postgres) -> None:
    """
    The statement is over and the session sound: the error is psycopg's.
    """
    with pytest.raises(errors.QueryCanceled), database.connection() as connection:
        connection.execute("SET LOCAL statement_timeout = 20")
        connection.execute("SELECT pg_sleep(20)")

    with database.connection() as connection:
        assert (1,) == connection.execute("SELECT 1").fetchone()
    assert 1 == database.stats().connects


@pytest.mark.realtime
def test_a_transaction_that_idles_too_long_is_lost(orders: Orders, database: Postgres) -> None:
    """
    The server ends the session by its own clock, with an error of no operational class.
    """
    orders.server.execute(f"ALTER ROLE {orders.role} SET idle_in_transaction_session_timeout = 20")

    with pytest.raises(ConnectionLostError) as caught, database.connection() as connection:
        connection.execute("SELECT 1")
        time.sleep(0.2)
        connection.execute("SELECT 1")
    assert not caught.value.in_doubt


def test_a_statement_that_the_server_has_forgotten_costs_the_connection(database: Postgres) -> None:
    """
    It was prepared on another session; a new connection prepares its own.
    """
    with pytest.raises(errors.InvalidSqlStatementName), database.connection() as connection:
        connection.execute("EXECUTE forgotten")

    with database.connection() as connection:
        assert (1,) == connection.execute("SELECT 1").fetchone()
    assert {"stale": 1} == database.stats().reconnects


def test_a_serialization_conflict_is_worked_out(orders: Orders, declare: Declare) -> None:
    """
    The server rolled one of two back: work that may run twice does, and the other's row is seen.
    """
    orders.server.execute(f"INSERT INTO {orders.role}.rows VALUES (1)")
    database = declare(f"{orders.conninfo} options='-c default_transaction_isolation=serializable'", max_connections=2)
    rounds: list[int] = []

    def add_one(connection: Connection) -> None:
        row = connection.execute(f"SELECT max(id) FROM {orders.role}.rows").fetchone()
        assert row is not None
        rounds.append(row[0])
        if len(rounds) == 1:
            other = threading.Thread(target=lambda: database.run(add_one))
            other.start()
            other.join(10)
        connection.execute(f"INSERT INTO {orders.role}.rows VALUES ({rounds[-1] + 1 if len(rounds) > 2 else len(rounds) + 10})")

    database.run(add_one, idempotent=True)

    assert 3 == len(rounds)
    assert rounds[2] == orders.rows[-2]


def test_a_connect_waits_for_a_writer(orders: Orders, declare: Declare) -> None:
    """
    With target_session_attrs=read-write a reader is no answer, until the deadline.
    """
    orders.server.execute(f"ALTER ROLE {orders.role} SET default_transaction_read_only = on")
    database = declare(f"{orders.conninfo} target_session_attrs=read-write")

    with _invocation.scope(FakeContext(0.8)), pytest.raises(ConnectTimeoutError, match="read-only"), database.connection():
        pass
    promoting = threading.Timer(0.1, lambda: orders.server.execute(f"ALTER ROLE {orders.role} RESET default_transaction_read_only"))
    promoting.start()
    with database.connection() as connection:
        assert ("off",) == connection.execute("SHOW transaction_read_only").fetchone()
    promoting.join()


def test_what_a_block_sets_on_the_session_stays(database: Postgres) -> None:
    """
    Only SET LOCAL ends with the block: setting the rest back would take a round trip.
    """
    with database.connection() as connection:
        connection.execute("SET search_path TO elsewhere")
        connection.execute("SET LOCAL timezone TO 'Asia/Tokyo'")

    with database.connection() as connection:
        assert ("elsewhere",) == connection.execute("SHOW search_path").fetchone()
        assert ("Asia/Tokyo",) != connection.execute("SHOW timezone").fetchone()


# A session that the server has ended


def end_session(connection: Connection, orders: Orders) -> None:
    """
    End it, and wait until the end is here to be read.
    """
    orders.end_sessions()
    assert select.select([connection.pgconn.socket], [], [], 10)[0]


@pytest.mark.parametrize("autocommit", [False, True])
@pytest.mark.parametrize("way", ["commit", "transaction"])
def test_a_session_that_ended_before_its_commit_leaves_no_doubt(orders: Orders, declare: Declare, way: str, *, autocommit: bool) -> None:
    """
    The user's own commit looks at the socket, as the end of a block does: what was not sent has not happened.
    """
    database = declare(autocommit=autocommit)

    with pytest.raises(ConnectionLostError, match="before COMMIT was sent") as caught, database.connection() as connection:
        if way == "transaction" or autocommit:
            with connection.transaction():
                connection.execute(f"INSERT INTO {orders.role}.rows VALUES (1)")
                end_session(connection, orders)
        else:
            connection.execute(f"INSERT INTO {orders.role}.rows VALUES (1)")
            end_session(connection, orders)
            connection.commit()

    assert not caught.value.in_doubt
    assert [] == orders.rows
    with database.connection():
        pass
    assert {"lost": 1} == database.stats().reconnects


def test_a_second_commit_on_a_session_that_ended_leaves_no_doubt(orders: Orders, database: Postgres) -> None:
    """
    Nor is anything sent by one that comes after the error was caught.
    """
    with pytest.raises(ConnectionLostError) as caught, database.connection() as connection:
        connection.execute(f"INSERT INTO {orders.role}.rows VALUES (1)")
        end_session(connection, orders)
        for _ in range(2):
            with contextlib.suppress(psycopg.OperationalError):
                connection.commit()

    assert not caught.value.in_doubt
    assert [] == orders.rows
