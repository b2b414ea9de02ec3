"""
PostgreSQL for real: what dies is replaced, what is left behind is cleaned up, and nothing waits past the deadline.
"""

# The with blocks under test have bodies (PT012); statements name a test's own tables (S608).
# ruff: noqa: PT012, S608

from __future__ import annotations

import contextlib
import fcntl
import logging
import select
import socket
import sys
import termios
import threading
import time
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from psycopg import Connection, errors, sql
from psycopg.rows import dict_row

from lambda_kit import _invocation, databases, preload
from lambda_kit._local._postgres import PostgresServer
from lambda_kit._local._processes import wait_until
from lambda_kit.databases import Credentials, Database
from lambda_kit.databases._driver import Verdict
from lambda_kit.databases._postgres import _Postgres
from lambda_kit.errors import (
    CommitUnknownError,
    ConfigurationError,
    ConnectionLostError,
    ConnectTimeoutError,
    DatabaseError,
    DeadlineError,
    LoginError,
)
from tests import fresh_process
from tests.databases.conftest import Orders
from tests.databases.fakes import FakeContext, TickingContext
from tests.databases.leaks import shown
from tests.databases.proxy import proxy

Postgres = Database[Connection]
Declare = Callable[..., Postgres]


def pid(connection: Connection) -> int:
    return connection.info.backend_pid


def insert(connection: Connection, orders: Orders, number: int) -> None:
    connection.execute(f"INSERT INTO {orders.role}.rows VALUES ({number})")


def await_input(connection: Connection) -> None:
    """
    Wait until the kernel has something for the connection: here, that the server has ended it.
    """
    assert select.select([connection.pgconn.socket], [], [], 10)[0]


def unread(connection: Connection) -> int:
    """
    Return the bytes that have come in and were not read.
    """
    return int.from_bytes(fcntl.ioctl(connection.pgconn.socket, termios.FIONREAD, bytes(4)), sys.byteorder)


# Declaring


def test_declaring_imports_no_driver() -> None:
    """
    A database at global scope costs no import of psycopg, no environment and no network.
    """
    code = """
        import json, sys
        from lambda_kit import databases, password_login
        databases.postgres("host=nowhere.invalid", login=password_login("app", lambda: "x"))
        print(json.dumps("psycopg" in sys.modules))
    """
    assert fresh_process.result(code) is False


def test_preload_imports_the_driver_and_connects_nowhere(declare: Declare) -> None:
    """
    At the end of INIT the driver is imported; a server that is not there does not matter.
    """
    database = declare("host=nowhere.invalid")

    preload(database)

    assert 0 == database.stats().connects


def test_nowhere_to_go_is_refused() -> None:
    """
    Neither a conninfo nor a login is a mistake that shows at import.
    """
    with pytest.raises(ConfigurationError, match="give a conninfo, or a login"):
        databases.postgres()


def test_without_a_host_the_mistake_is_named(orders: Orders, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    libpq would look for a Unix socket, which no function has.
    """
    monkeypatch.delenv("PGHOST", raising=False)
    database = databases.postgres("dbname=postgres", login=orders.login)

    with pytest.raises(ConfigurationError, match="has no host"), database.connection():
        pass


def test_an_unreadable_conninfo_is_not_shown(declare: Declare) -> None:
    """
    libpq quotes what it does not understand, and that may be the password.
    """
    with pytest.raises(ConfigurationError, match="cannot be parsed") as caught, declare("host=h password s3cret").connection():
        pass
    assert "s3cret" not in shown(caught.value)


@pytest.mark.parametrize("uri", ["postgresql://u:one@s3cret@h/x", "postgresql://u:s3cret/x"], ids=["host", "port"])
def test_a_password_that_spills_into_the_address_is_not_shown(declare: Declare, uri: str) -> None:
    """
    An '@' or a '/' in the password of a URI cuts it in two, and libpq would quote a half.
    """
    with pytest.raises(ConfigurationError, match="percent-encode") as caught, declare(uri).connection():
        pass
    assert "s3cret" not in shown(caught.value)


@pytest.mark.parametrize("form", ["uri", "handle"])
def test_a_conninfo_may_be_a_uri_or_a_handle(orders: Orders, form: str) -> None:
    """
    With the password inside no login is needed; a handle is read at each connect.
    """
    uri = f"postgresql://{orders.role}:{orders.password}@127.0.0.1:{orders.server.port}/postgres"
    database = databases.postgres(uri if form == "uri" else lambda: uri)

    with database.connection() as connection:
        assert (orders.role,) == connection.execute("SELECT current_user").fetchone()
    assert orders.password not in repr(database)


def test_the_login_may_know_the_address(orders: Orders) -> None:
    """
    A secret as RDS writes it says host, port and database; what the conninfo says goes first.
    """
    where = Credentials(orders.role, orders.password, host="127.0.0.1", port=orders.server.port, dbname="nowhere")
    database = databases.postgres("dbname=postgres", login=lambda _: where)

    with database.connection() as connection:
        assert ("postgres",) == connection.execute("SELECT current_database()").fetchone()


def test_the_server_sees_which_function_connects(database: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    pg_stat_activity names it.
    """
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "orders")

    with database.connection() as connection:
        assert ("lambda:orders",) == connection.execute("SELECT current_setting('application_name')").fetchone()


def test_new_connections_are_prepared(declare: Declare) -> None:
    """
    on_connect sets what the session needs, committed, on each new connection and only then.
    """
    prepared: list[int] = []

    def prepare(connection: Connection) -> None:
        prepared.append(pid(connection))
        connection.execute("SET search_path TO elsewhere")
        connection.row_factory = dict_row  # type: ignore[assignment]  # rows of another type, which the caller knows

    database = declare(on_connect=prepare)
    with pytest.raises(KeyError), database.connection():
        raise KeyError

    with database.connection() as connection:
        found: object = connection.execute("SHOW search_path").fetchone()
        assert {"search_path": "elsewhere"} == found
        assert [pid(connection)] == prepared


def test_a_failing_preparation_closes_the_connection(orders: Orders, declare: Declare) -> None:
    """
    Its error passes as it is, and nothing is left on the server.
    """

    def fail(_: Connection) -> None:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"), declare(on_connect=fail).connection():
        pass
    orders.end_sessions()
    assert [] == orders.backends


# Transactions


def test_a_block_commits_or_rolls_back(orders: Orders, database: Postgres) -> None:
    """
    What a block wrote is there at its end, unless it raised; both on one connection.
    """
    with database.connection() as connection:
        insert(connection, orders, 1)
    with pytest.raises(KeyError), database.connection() as connection:
        insert(connection, orders, 2)
        raise KeyError

    assert [1] == orders.rows
    assert 1 == database.stats().connects


def test_a_transaction_left_behind_is_not_committed(orders: Orders, database: Postgres, caplog: pytest.LogCaptureFixture) -> None:
    """
    D21: Invocation A keeps the connection and writes after its block; B does not make that durable.
    """
    with _invocation.scope(FakeContext(9.0, "request-a")), database.connection() as kept:
        pass
    insert(kept, orders, 1)

    with database.connection() as connection:
        insert(connection, orders, 2)

    assert [2] == orders.rows
    assert "left open by request request-a" in caplog.text
    assert 1 == database.stats().connects


def test_a_failed_transaction_left_behind_is_cleaned_up(database: Postgres) -> None:
    """
    D22: nobody gets "current transaction is aborted" for what someone else did.
    """
    with database.connection() as kept:
        pass
    with pytest.raises(errors.DivisionByZero):
        kept.execute("SELECT 1/0")

    with database.connection() as connection:
        assert (1,) == connection.execute("SELECT 1").fetchone()
    assert 1 == database.stats().rollbacks


def test_a_statement_left_running_costs_the_connection(database: Postgres) -> None:
    """
    D23: nobody waits for it.
    """
    with database.connection() as kept:
        pass
    kept.pgconn.send_query(b"SELECT pg_sleep(20)")

    with database.connection() as connection:
        assert (1,) == connection.execute("SELECT 1").fetchone()
    assert {"busy": 1} == database.stats().reconnects


def test_an_error_caught_inside_does_not_pass_for_a_commit(orders: Orders, database: Postgres) -> None:
    """
    PostgreSQL would answer COMMIT with a silent ROLLBACK: the first row would be lost without a word.
    """
    with pytest.raises(DatabaseError, match="nothing was committed"), database.connection() as connection:
        insert(connection, orders, 1)
        with pytest.raises(errors.UniqueViolation):
            insert(connection, orders, 1)
    assert [] == orders.rows


def test_a_savepoint_keeps_the_rest(orders: Orders, database: Postgres) -> None:
    """
    psycopg's own transaction blocks work inside.
    """
    with database.connection() as connection:
        insert(connection, orders, 1)
        with pytest.raises(errors.UniqueViolation), connection.transaction():
            insert(connection, orders, 1)

    assert [1] == orders.rows


def test_a_refused_commit_is_the_servers_word(orders: Orders, database: Postgres) -> None:
    """
    A deferred constraint fails at COMMIT: psycopg's error passes, nothing is written, the connection keeps.
    """
    orders.server.execute(f"ALTER TABLE {orders.role}.rows ADD CONSTRAINT once UNIQUE (id) DEFERRABLE INITIALLY DEFERRED")
    orders.server.execute(f"ALTER TABLE {orders.role}.rows DROP CONSTRAINT rows_pkey")

    with pytest.raises(errors.UniqueViolation), database.connection() as connection:
        insert(connection, orders, 1)
        insert(connection, orders, 1)
    with database.connection() as connection:
        insert(connection, orders, 2)
    assert [2] == orders.rows
    assert 1 == database.stats().connects


def test_autocommit_is_as_it_was_declared(database: Postgres, declare: Declare) -> None:
    """
    What one user of the connection sets does not reach the next.
    """
    with database.connection() as connection:
        connection.autocommit = True

    with database.connection() as connection:
        assert connection.autocommit is False
    with declare(autocommit=True).connection() as connection:
        assert connection.autocommit is True


# Alive


def test_a_terminated_session_is_replaced(orders: Orders, database: Postgres) -> None:
    """
    D1: the user sees nothing of it.
    """
    with database.connection() as connection:
        first = pid(connection)
    orders.end_sessions()
    await_input(connection)

    with database.connection() as connection:
        assert first != connection.execute("SELECT pg_backend_pid()").fetchone()[0]  # type: ignore[index]  # one row
    assert {"closed": 1} == database.stats().reconnects
    assert 0 == database.stats().pings


def test_a_killed_and_restarted_server_is_found_again(server: PostgresServer, orders: Orders, database: Postgres) -> None:
    """
    D2: a crash between two checkouts is not the user's business.
    """
    with database.connection() as connection:
        insert(connection, orders, 1)
    server.kill()
    server.restart()
    await_input(connection)

    with database.connection() as connection:
        insert(connection, orders, 2)
    assert [1, 2] == orders.rows


def test_a_server_that_comes_up_is_waited_for(server: PostgresServer, database: Postgres) -> None:
    """
    While nobody listens, connecting goes on within the time there is.
    """
    server.kill()
    starting = threading.Timer(0.2, server.restart)
    starting.start()

    with database.connection() as connection:
        assert (1,) == connection.execute("SELECT 1").fetchone()
    starting.join()


def test_a_server_gone_is_noticed_where_there_is_no_epoll(orders: Orders, database: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Other systems than Linux have poll only.
    """
    monkeypatch.delattr(select, "epoll")
    with database.connection() as connection:
        pass
    orders.end_sessions()
    await_input(connection)

    with database.connection() as connection:
        assert (1,) == connection.execute("SELECT 1").fetchone()
    assert {"closed": 1} == database.stats().reconnects


@pytest.mark.realtime
def test_an_idle_timeout_of_the_server_is_survived(orders: Orders, database: Postgres) -> None:
    """
    D4: the server ends the session by its own clock; the next block has a new one.
    """
    orders.server.execute(f"ALTER ROLE {orders.role} SET idle_session_timeout = 50")
    with database.connection() as connection:
        pass
    await_input(connection)

    with database.connection() as connection:
        assert (1,) == connection.execute("SELECT 1").fetchone()
    assert {"closed": 1} == database.stats().reconnects


def test_a_pending_notification_is_not_death(orders: Orders, declare: Declare) -> None:
    """
    D32: a readable socket may hold news: it is read, kept for the user, and the connection stays.
    """
    database = declare(autocommit=True)
    with database.connection() as connection:
        connection.execute("LISTEN news")
    for _ in range(5):
        orders.server.execute("NOTIFY news, 'hello'")
    await_input(connection)

    with database.connection() as connection:
        assert ["hello"] * 5 == [each.payload for each in connection.notifies(timeout=5, stop_after=5)]
    assert 1 == database.stats().connects


def test_a_flood_of_notifications_is_not_read_to_its_end(orders: Orders, declare: Declare) -> None:
    """
    D32: a look at the socket reads a little and hands the connection out; the user gets all of it.
    """
    database = declare(autocommit=True)
    with database.connection() as connection:
        connection.execute("LISTEN news")
    orders.server.execute("SELECT pg_notify('news', repeat('x', 7000) || number) FROM generate_series(1, 100) number")
    assert wait_until(lambda: unread(connection) > 60_000, timeout_s=10)

    with database.connection() as connection:
        assert 100 == len(list(connection.notifies(timeout=5, stop_after=100)))
    assert 1 == database.stats().connects


def test_an_idle_connection_answers_a_ping(declare: Declare) -> None:
    """
    After ping_after_s one round trip shows that the server is there; no transaction is left by it.
    """
    database = declare(ping_after_s=0)
    with database.connection() as connection:
        first = pid(connection)

    with database.connection() as connection:
        assert first == pid(connection)
        assert psycopg.pq.TransactionStatus.IDLE == connection.info.transaction_status
    assert 1 == database.stats().pings


def test_a_mute_peer_costs_a_bounded_ping(orders: Orders, declare: Declare) -> None:
    """
    D8: a peer whose kernel acknowledges and that never answers: half a second, then a new connection.
    """
    with proxy(orders.server.port) as between:
        database = declare(f"host=127.0.0.1 port={between.port} dbname=postgres", ping_after_s=0)
        with database.connection():
            pass
        between.mute()
        started_s = time.monotonic()

        with database.connection() as connection:
            assert (1,) == connection.execute("SELECT 1").fetchone()
        assert 0.5 <= time.monotonic() - started_s < 2.0
        assert {"unanswered": 1} == database.stats().reconnects
        database.close()


def test_a_session_that_ends_during_the_ping_is_replaced(orders: Orders, declare: Declare) -> None:
    """
    The server's farewell is an answer, but not a sign of life.
    """
    database = declare(ping_after_s=0)
    with database.connection() as connection:
        pass
    orders.end_sessions()
    driver = database._driver

    assert not driver.ping(connection, 0.5)
    assert not driver.ping(connection, 0.5)


def test_a_connection_the_user_closed_is_replaced(database: Postgres) -> None:
    """
    Closing it is rude, but clear.
    """
    with database.connection() as connection:
        pass
    connection.close()

    with database.connection() as connection:
        assert (1,) == connection.execute("SELECT 1").fetchone()


def test_a_session_lost_in_use_is_said(orders: Orders, database: Postgres) -> None:
    """
    D24: the type says what happened, the cause is psycopg's error, and the next block works.
    """
    with pytest.raises(ConnectionLostError, match="lost in use") as caught, database.connection() as connection:
        insert(connection, orders, 1)
        orders.end_sessions()
        insert(connection, orders, 2)
    assert isinstance(caught.value.__cause__, psycopg.Error)
    with database.connection() as connection:
        insert(connection, orders, 3)
    assert [3] == orders.rows


def test_a_session_lost_before_commit_is_a_certain_loss(orders: Orders, database: Postgres) -> None:
    """
    COMMIT was never sent.
    """
    with pytest.raises(ConnectionLostError, match="before COMMIT"), database.connection() as connection:
        insert(connection, orders, 1)
        orders.end_sessions()
        await_input(connection)
    assert [] == orders.rows


def test_a_lost_commit_is_in_doubt(orders: Orders, declare: Declare) -> None:
    """
    D26: the server committed, the answer did not come: only the database knows, and the error says so.
    """
    with proxy(orders.server.port) as between:
        database = declare(f"host=127.0.0.1 port={between.port} dbname=postgres")
        between.cut_after = b"COMMIT"

        with pytest.raises(CommitUnknownError) as caught, database.connection() as connection:
            insert(connection, orders, 1)
        assert isinstance(caught.value.__cause__, psycopg.OperationalError)
        assert {} == database.stats().reconnects
    # The server goes on with what it has got, by itself.
    assert wait_until(lambda: [1] == orders.rows, timeout_s=10)


def test_idempotent_work_survives_a_termination(orders: Orders, database: Postgres) -> None:
    """
    run() does it again on a new connection, in a new transaction.
    """
    ends = [orders.end_sessions]

    def work(connection: Connection) -> str:
        insert(connection, orders, 1)
        if ends:
            ends.pop()()
        connection.execute("SELECT 1")
        return "done"

    assert "done" == database.run(work, idempotent=True)
    assert [1] == orders.rows


def test_idempotent_work_finds_the_writer_after_a_failover(orders: Orders, database: Postgres) -> None:
    """
    D29: a session that takes no writes any more is left for a new one.
    """
    orders.server.execute(f"ALTER ROLE {orders.role} SET default_transaction_read_only = on")
    with database.connection():
        pass
    orders.server.execute(f"ALTER ROLE {orders.role} RESET default_transaction_read_only")

    database.run(lambda connection: insert(connection, orders, 1), idempotent=True)

    assert [1] == orders.rows
    assert {"read-only": 1} == database.stats().reconnects


def test_a_lost_commit_of_the_users_own_is_in_doubt(orders: Orders, declare: Declare) -> None:
    """
    commit() and transaction() of psycopg send a COMMIT too.
    """

    def by_method(connection: Connection) -> None:
        insert(connection, orders, 1)
        connection.commit()

    def by_block(connection: Connection) -> None:
        with connection.transaction():
            insert(connection, orders, 2)

    for way, autocommit in ((by_method, False), (by_block, True)):
        with proxy(orders.server.port) as between:
            database = declare(f"host=127.0.0.1 port={between.port} dbname=postgres", autocommit=autocommit)
            between.cut_after = b"COMMIT"

            with pytest.raises(CommitUnknownError) as caught:
                database.run(way, idempotent=True)
            assert isinstance(caught.value.__cause__, psycopg.OperationalError)
    # The server goes on with what it has got, by itself.
    assert wait_until(lambda: [1, 2] == orders.rows, timeout_s=10)


@pytest.mark.parametrize(
    ("statement", "cut"),
    [
        ("COMMIT", b"COMMIT"),
        ("/* the end */ commit", b"commit"),
        ("SELECT 1; COMMIT", b"COMMIT"),
        ("End", b"End"),
        (sql.SQL("COMMIT"), b"COMMIT"),
    ],
    ids=["plain", "comment", "last", "end", "composed"],
)
def test_a_lost_commit_by_a_statement_is_in_doubt(orders: Orders, declare: Declare, statement: Any, cut: bytes) -> None:
    """
    However the COMMIT was written; an idempotent work is not done again either.
    """
    with proxy(orders.server.port) as between:
        database = declare(f"host=127.0.0.1 port={between.port} dbname=postgres")

        def work(connection: Connection) -> None:
            insert(connection, orders, 1)
            between.cut_after = cut
            connection.execute(statement)

        with pytest.raises(CommitUnknownError):
            database.run(work, idempotent=True)
    assert wait_until(lambda: [1] == orders.rows, timeout_s=10)


def test_a_commit_given_up_by_a_statement_is_in_doubt(orders: Orders, declare: Declare) -> None:
    """
    At the deadline as at a cut.
    """
    with proxy(orders.server.port) as between:
        database = declare(f"host=127.0.0.1 port={between.port} dbname=postgres")

        with database.connection():
            pass
        with _invocation.scope(TickingContext(1.0)), pytest.raises(CommitUnknownError) as caught, database.connection() as connection:
            insert(connection, orders, 1)
            between.mute()
            connection.execute("COMMIT")
        assert isinstance(caught.value.__cause__, DeadlineError)


def test_a_lost_commit_in_a_pipeline_is_in_doubt(orders: Orders, declare: Declare) -> None:
    """
    It was sent with other things, and none of them was answered.
    """
    with proxy(orders.server.port) as between:
        database = declare(f"host=127.0.0.1 port={between.port} dbname=postgres")

        with pytest.raises(CommitUnknownError), database.connection() as connection:
            between.cut_after = b"COMMIT"
            with connection.pipeline(), connection.transaction():
                insert(connection, orders, 1)
    assert wait_until(lambda: [1] == orders.rows, timeout_s=10)


def test_a_lost_commit_stays_in_doubt_whatever_follows(orders: Orders, declare: Declare) -> None:
    """
    Code that rolls back when its commit fails does not make it certain.
    """
    with proxy(orders.server.port) as between:
        database = declare(f"host=127.0.0.1 port={between.port} dbname=postgres")

        with pytest.raises(CommitUnknownError), database.connection() as connection:
            insert(connection, orders, 1)
            between.cut_after = b"COMMIT"
            try:
                connection.commit()
            except psycopg.Error:
                connection.rollback()


def test_a_commit_on_a_dead_connection_is_no_lost_one(orders: Orders, database: Postgres) -> None:
    """
    It was never sent.
    """
    with pytest.raises(ConnectionLostError), database.connection() as connection:
        insert(connection, orders, 1)
        orders.end_sessions()
        with pytest.raises(psycopg.Error):
            connection.execute("SELECT 1")
        connection.commit()
    assert [] == orders.rows


@pytest.mark.parametrize("way", ["commit", "transaction"])
def test_a_commit_of_a_failed_transaction_is_refused(orders: Orders, database: Postgres, way: str) -> None:
    """
    PostgreSQL would answer it with a silent ROLLBACK: what was done before the failure would be lost without a word.
    """
    with pytest.raises(errors.InFailedSqlTransaction, match="nothing can be committed"), database.connection() as connection:
        block = connection.transaction() if way == "transaction" else contextlib.nullcontext()
        with block:
            insert(connection, orders, 1)
            with pytest.raises(errors.DivisionByZero):
                connection.execute("SELECT 1/0")
        connection.commit()
    with database.connection() as connection:
        insert(connection, orders, 2)
    assert [2] == orders.rows
    assert 1 == database.stats().connects


@pytest.mark.parametrize("committed", [True, False])
def test_closing_after_a_commit_loses_nothing(orders: Orders, database: Postgres, committed: bool) -> None:
    """
    As psycopg's own ``with connection:`` does. Nothing is open then, so nothing is said; with something open it is.
    """
    loss = contextlib.nullcontext() if committed else pytest.raises(ConnectionLostError)

    with loss, database.connection() as connection:
        if committed:
            with connection:
                insert(connection, orders, 1)
        else:
            insert(connection, orders, 1)
            connection.close()
    assert [1] * committed == orders.rows


def test_what_is_set_in_python_is_set_back(orders: Orders, declare: Declare) -> None:
    """
    A read-only session of one invocation does not refuse the writes of the next; what on_connect sets stays.
    """

    def prepare(connection: Connection) -> None:
        connection.isolation_level = psycopg.IsolationLevel.SERIALIZABLE

    database = declare(on_connect=prepare)
    with database.connection() as connection:
        connection.read_only, connection.deferrable, connection.isolation_level = True, True, None
        connection.row_factory = dict_row  # type: ignore[assignment]  # of another type of row

    with database.connection() as connection:
        assert (None, None) == (connection.read_only, connection.deferrable)
        assert ("serializable",) == connection.execute("SHOW transaction_isolation").fetchone()
        insert(connection, orders, 1)
    assert [1] == orders.rows
    assert 1 == database.stats().connects


def test_settings_are_set_back_though_the_earlier_deadline_has_passed(database: Postgres) -> None:
    """
    The time of one invocation is not that of the next.
    """
    with _invocation.scope(TickingContext(5.0)), database.connection() as connection:
        connection.kit_until_s = 0.0  # type: ignore[attr-defined]  # the kit's own
        connection.kit_changed = True  # type: ignore[attr-defined]  # the kit's own

    with _invocation.scope(TickingContext(5.0)), database.connection() as connection:
        assert (1,) == connection.execute("SELECT 1").fetchone()


@pytest.mark.parametrize("left", ["pipeline", "two-phase"])
def test_what_cannot_be_set_back_costs_the_connection(database: Postgres, left: str) -> None:
    """
    A pipeline that was not left, or a transaction that was prepared: the next block would fail at them.
    """
    with database.connection() as connection:
        if left == "pipeline":
            pipeline = connection.pipeline()
            pipeline.__enter__()
        else:
            connection.tpc_begin("prepared")
            # As after tpc_prepare(), which needs a server that allows it: nothing is open any more, and psycopg believes it is.
            connection.execute("ROLLBACK")

    with database.connection() as connection:
        assert (1,) == connection.execute("SELECT 1").fetchone()
    assert {"busy": 1} == database.stats().reconnects


def test_a_commit_that_was_answered_leaves_no_doubt(orders: Orders, database: Postgres) -> None:
    """
    A refused COMMIT, or one that is through, is not what was lost later.
    """
    with pytest.raises(ConnectionLostError) as caught, database.connection() as connection:
        insert(connection, orders, 1)
        connection.commit()
        insert(connection, orders, 2)
        orders.end_sessions()
        connection.execute("SELECT 1")
    assert not caught.value.in_doubt
    assert [1] == orders.rows


def test_a_refused_commit_of_the_users_own_leaves_no_doubt(orders: Orders, declare: Declare) -> None:
    """
    The server has answered, so what is lost after it is nothing but the statement.
    """
    orders.server.execute(f"ALTER TABLE {orders.role}.rows ADD CONSTRAINT once UNIQUE (id) DEFERRABLE INITIALLY DEFERRED")
    orders.server.execute(f"ALTER TABLE {orders.role}.rows DROP CONSTRAINT rows_pkey")

    with pytest.raises(ConnectionLostError) as caught, declare().connection() as connection:
        insert(connection, orders, 1)
        insert(connection, orders, 1)
        with pytest.raises(errors.UniqueViolation):
            connection.commit()
        orders.end_sessions()
        connection.execute("SELECT 1")
    assert not caught.value.in_doubt


def test_a_lost_statement_with_autocommit_is_in_doubt(orders: Orders, declare: Declare) -> None:
    """
    It went to the server, and it happened there.
    """
    with proxy(orders.server.port) as between:
        database = declare(f"host=127.0.0.1 port={between.port} dbname=postgres", autocommit=True)
        between.cut_after = b"INSERT"

        with pytest.raises(ConnectionLostError, match="may have happened") as caught, database.connection() as connection:
            insert(connection, orders, 1)
        assert caught.value.in_doubt
    # The server goes on with what it has got, by itself.
    assert wait_until(lambda: [1] == orders.rows, timeout_s=10)


def test_an_error_of_another_connection_does_not_cost_this_one(orders: Orders, database: Postgres) -> None:
    """
    The block's own connection lives: the error is what it was, and the connection stays.
    """
    with psycopg.connect(orders.server.conninfo(user=orders.role, password=orders.password)) as other:
        orders.server.execute("SELECT pg_terminate_backend(%s, 5000)", [pid(other)])
        with pytest.raises(errors.AdminShutdown), database.connection() as connection:
            other.execute("SELECT 1")
    with database.connection() as again:
        assert again is connection
    assert 1 == database.stats().connects


def test_a_statement_given_up_is_cancelled(orders: Orders, database: Postgres) -> None:
    """
    The server stops it, and its locks go: it would have run for twenty seconds.
    """
    with database.connection():
        pass

    with _invocation.scope(FakeContext(0.8)), pytest.raises(DeadlineError), database.connection() as connection:
        connection.execute(f"LOCK TABLE {orders.role}.rows")
        connection.execute("SELECT pg_sleep(20)")
    assert wait_until(lambda: [] == orders.backends, timeout_s=5)


@pytest.mark.parametrize("autocommit", [False, True])
def test_a_statement_given_up_says_whether_it_may_have_happened(declare: Declare, *, autocommit: bool) -> None:
    """
    With ``autocommit`` the server may have been done with it; in a transaction nothing is committed.
    """
    database = declare(autocommit=autocommit)
    with database.connection():
        pass

    with _invocation.scope(FakeContext(0.8)), pytest.raises(DeadlineError) as caught, database.connection() as connection:
        connection.execute("SELECT pg_sleep(20)")
    assert autocommit is caught.value.in_doubt
    with _invocation.scope(FakeContext(0.2)), pytest.raises(DeadlineError) as caught, database.connection():
        pass
    assert not caught.value.in_doubt


def test_a_statement_given_up_is_left_where_a_cancel_would_wait(
    orders: Orders, database: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Older versions of libpq wait for the server without a limit, so they are not asked.
    """
    monkeypatch.setattr(psycopg.capabilities, "has_cancel_safe", lambda: False)
    with database.connection():
        pass

    with _invocation.scope(FakeContext(0.8)), pytest.raises(DeadlineError), database.connection() as connection:
        connection.execute("SELECT pg_sleep(2)")
    assert 1 == len(orders.backends)
    orders.end_sessions()


# Logging in


def test_an_open_connection_survives_a_rotation(orders: Orders, database: Postgres) -> None:
    """
    D20: passwords are looked at when a session begins: nothing is fetched, nothing reconnects.
    """
    with database.connection():
        pass
    orders.server.set_password(orders.role, "second")

    with database.connection() as connection:
        assert (1,) == connection.execute("SELECT 1").fetchone()
    assert [] == orders.asked
    assert 1 == database.stats().connects


@pytest.mark.parametrize("stage", ["AWSCURRENT", "AWSPENDING"])
def test_a_rotated_password_is_asked_for_when_refused(orders: Orders, database: Postgres, stage: str) -> None:
    """
    The rotation is through, or in the window in which only the pending version is valid.
    """
    orders.server.set_password(orders.role, "second")
    orders.stages[stage] = "second"

    with database.connection() as connection:
        assert (1,) == connection.execute("SELECT 1").fetchone()
    assert [orders.password] == orders.asked


def test_a_password_that_stays_wrong_is_a_login_error(orders: Orders, declare: Declare, caplog: pytest.LogCaptureFixture) -> None:
    """
    D17: after a few rounds the server's own words are raised, and no password with them: in no cause, frame or log.
    """
    caplog.set_level(logging.DEBUG)
    wrong = "wrong-and-secret"

    def offer(_: Credentials | None) -> Credentials:
        return Credentials(orders.role, wrong)

    with (
        _invocation.scope(FakeContext(1.5)),
        pytest.raises(LoginError, match=f'password authentication failed for user "{orders.role}"') as caught,
    ):
        declare(login=offer).connection().__enter__()
    assert isinstance(caught.value.__cause__, psycopg.OperationalError)
    assert wrong not in shown(caught.value)
    assert wrong not in caplog.text


def test_a_wrong_password_in_the_conninfo_is_a_login_error_at_once(orders: Orders) -> None:
    """
    There is nobody to ask for another, and it is not shown.
    """
    database = databases.postgres(f"{orders.conninfo} user={orders.role} password=wrong-and-secret")

    with pytest.raises(LoginError) as caught, database.connection():
        pass
    assert "wrong-and-secret" not in shown(caught.value)


def test_an_unknown_database_is_not_tried_again(orders: Orders, declare: Declare) -> None:
    """
    What will not change by waiting is raised at once.
    """
    with pytest.raises(DatabaseError, match="does not exist"), declare(f"{orders.conninfo} dbname=nowhere").connection():
        pass
    assert [] == orders.asked


def test_a_password_that_cannot_be_encoded_is_not_shown(declare: Declare, orders: Orders) -> None:
    """
    Python's own error has all of it.
    """
    database = declare(login=lambda _: Credentials(orders.role, "s3cret\ud800"))

    with pytest.raises(ConfigurationError, match="cannot be encoded") as caught, database.connection():
        pass
    assert "s3cret" not in shown(caught.value)


def test_a_stricter_sslmode_of_the_environment_stands(orders: Orders, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A login that wants TLS does not turn verification off.
    """
    monkeypatch.setenv("PGSSLMODE", "verify-full")
    parameters = _Postgres(orders.conninfo)._parameters(Credentials("app", "x", needs_tls=True), 1.0)

    assert "sslmode" not in parameters


def test_a_login_may_want_tls(orders: Orders, declare: Declare) -> None:
    """
    Its password goes over no wire in clear: a server without TLS is refused, whatever the conninfo allows.
    """
    token = Credentials(orders.role, orders.password, needs_tls=True)

    with pytest.raises(DatabaseError, match="SSL"), declare(f"{orders.conninfo} sslmode=disable", login=lambda _: token).connection():
        pass


# Behind a proxy


def test_behind_a_proxy_no_session_state_is_made(orders: Orders, declare: Declare, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    D33: the server's log shows the statements and BEGIN, COMMIT, ROLLBACK: no SET, no DEALLOCATE, nothing prepared by name.
    """
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "orders")
    orders.server.execute(f"ALTER ROLE {orders.role} SET log_statement = 'all'")
    database = declare(proxy=True, ping_after_s=0)
    for _ in range(8):
        with database.connection() as connection:
            number = pid(connection)
            connection.execute("SELECT %s::int", [1])
    with pytest.raises(KeyError), database.connection() as connection:
        connection.execute("SELECT %s::int", [1])
        raise KeyError

    seen = [
        line.partition(f"[{number}] LOG:  ")[2] for line in orders.server.log_file.read_text().splitlines() if f"[{number}] LOG:" in line
    ]
    said = {line for line in seen if line.startswith(("statement:", "execute"))}
    # The empty statement is the ping.
    assert {"statement: ", "statement: BEGIN", "statement: COMMIT", "statement: ROLLBACK", "execute <unnamed>: SELECT $1::int"} == said
    assert 1 == database.stats().connects


# Limits


def test_a_refused_port_is_tried_until_the_deadline(declare: Declare) -> None:
    """
    Then the last refusal is raised, while there is time to answer.
    """
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    database = declare(f"host=127.0.0.1 port={port} dbname=postgres")
    started_s = time.monotonic()

    with _invocation.scope(FakeContext(1.2)), pytest.raises(ConnectTimeoutError, match="refused") as caught, database.connection():
        pass
    assert time.monotonic() - started_s < 1.0
    assert caught.value.retryable
    assert isinstance(caught.value.__cause__, psycopg.OperationalError)


def test_a_server_that_says_nothing_is_left_at_the_deadline(declare: Declare) -> None:
    """
    psycopg's own limit is two seconds at least; the kit's is what is left.
    """
    with socket.create_server(("127.0.0.1", 0)) as mute:
        database = declare(f"host=127.0.0.1 port={mute.getsockname()[1]} dbname=postgres")
        started_s = time.monotonic()

        with _invocation.scope(FakeContext(1.0)), pytest.raises(ConnectTimeoutError, match="timeout expired"), database.connection():
            pass
        assert 0.4 <= time.monotonic() - started_s < 0.9


def test_an_attempt_has_a_limit_of_its_own(orders: Orders, declare: Declare) -> None:
    """
    A silent address costs connect_timeout_s, then it is tried again: here it has come to life.
    """
    with socket.create_server(("127.0.0.1", 0)) as mute:
        ports = [mute.getsockname()[1], orders.server.port]
        database = declare(lambda: f"host=127.0.0.1 port={ports.pop(0)} dbname=postgres", connect_timeout_s=0.2)

        with database.connection() as connection:
            assert (1,) == connection.execute("SELECT 1").fetchone()


def test_without_time_nothing_is_begun(orders: Orders, database: Postgres) -> None:
    """
    D36: with 0.2 s left no connect is tried.
    """
    with (
        _invocation.scope(FakeContext(0.2)),
        pytest.raises(DeadlineError, match="a connection to postgres") as caught,
        database.connection(),
    ):
        pass
    assert 0.2 == pytest.approx(caught.value.remaining_s, abs=0.05)
    assert [] == orders.backends


def test_a_statement_is_not_sent_after_the_deadline(orders: Orders, declare: Declare) -> None:
    """
    The server might do it, and nobody would be told.
    """
    database = declare(autocommit=True)
    with database.connection():
        pass
    context = TickingContext(1.0)

    with _invocation.scope(context), pytest.raises(DeadlineError), database.connection() as connection:
        context.until(0.45)
        insert(connection, orders, 1)
    assert [] == orders.rows


@pytest.mark.parametrize("way", ["end", "transaction"])
def test_what_was_done_in_time_is_committed(orders: Orders, declare: Declare, way: str) -> None:
    """
    A COMMIT at the deadline has a little of the reserve: it takes milliseconds.
    """
    database = declare()
    with database.connection():
        pass
    context = TickingContext(1.0)

    with _invocation.scope(context), database.connection() as connection, contextlib.ExitStack() as stack:
        if way == "transaction":
            stack.enter_context(connection.transaction())
        insert(connection, orders, 1)
        context.until(0.45)
    assert [1] == orders.rows


def test_a_connection_kept_by_its_user_has_the_time_of_each_invocation(orders: Orders, database: Postgres) -> None:
    """
    A block around several invocations, or none, is not held to the first one's end.
    """
    with database.connection():
        pass
    with contextlib.ExitStack() as kept:
        first = TickingContext(1.0)
        with _invocation.scope(first):
            connection = kept.enter_context(database.connection())
            first.until(0.45)
        with _invocation.scope(TickingContext(5.0)):
            insert(connection, orders, 1)
        connection.kit_until_s = 0.0  # type: ignore[attr-defined]  # the kit's own
        insert(connection, orders, 2)
    assert [1, 2] == orders.rows


def test_a_kept_connection_has_no_more_time_than_the_invocation_under_way(orders: Orders, database: Postgres) -> None:
    """
    The end of an invocation that is over is no limit, though it would come later; nor is there one outside of invocations.
    """
    with contextlib.ExitStack() as kept:
        with _invocation.scope(TickingContext(8.0)):
            connection = kept.enter_context(database.connection())
        insert(connection, orders, 1)
        connection.commit()
        assert getattr(connection, "kit_until_s", 0.0) is None
        kept.close()
        with _invocation.scope(TickingContext(8.0)):
            connection = kept.enter_context(database.connection())
        started_s = time.monotonic()
        with _invocation.scope(TickingContext(1.0)), pytest.raises(DeadlineError):
            connection.execute("SELECT pg_sleep(5)")
        assert 2.0 > time.monotonic() - started_s
        with pytest.raises(DatabaseError, match="still busy"):
            kept.close()


def test_a_transaction_ended_in_a_later_invocation_has_that_ones_time(orders: Orders, database: Postgres) -> None:
    """
    The end of a transaction() too: in time, it has what that invocation has left; late, a little of the reserve.
    """
    with contextlib.ExitStack() as kept:
        for left_s, number in ((5.0, 1), (0.3, 2)):
            with _invocation.scope(TickingContext(8.0)):
                connection = kept.enter_context(database.connection())
                stack = kept.enter_context(contextlib.ExitStack())
                stack.enter_context(connection.transaction())
                insert(connection, orders, number)
            with _invocation.scope(TickingContext(left_s)):
                stack.close()
            kept.close()
    assert [1, 2] == orders.rows


def test_a_rollback_leaves_the_limit_of_the_invocation(database: Postgres) -> None:
    """
    A connection that is used after its block, though it must not be, is bounded as before.
    """
    with _invocation.scope(TickingContext(30.0)):
        with pytest.raises(ValueError, match="work"), database.connection() as connection:
            connection.execute("SELECT 1")
            raise ValueError("work")

        assert time.monotonic() + 20.0 < getattr(connection, "kit_until_s", 0.0)


def test_a_statement_does_not_outlive_the_deadline(database: Postgres) -> None:
    """
    D9: it is given up half a second before the end, the connection with it, and the next invocation has a new one.
    """
    with database.connection():
        pass
    started_s = time.monotonic()

    with _invocation.scope(FakeContext(0.8)), pytest.raises(DeadlineError, match="not done"), database.connection() as connection:
        connection.execute("SELECT pg_sleep(20)")

    assert time.monotonic() - started_s < 0.7
    with database.connection() as connection:
        assert (1,) == connection.execute("SELECT 1").fetchone()
    assert {"busy": 1} == database.stats().reconnects


def test_an_answer_in_time_counts_though_it_is_late(orders: Orders, database: Postgres) -> None:
    """
    A transaction block of psycopg's that ends after the deadline gives way too.
    """
    with database.connection():
        pass

    with (
        _invocation.scope(FakeContext(0.8)),
        pytest.raises(DeadlineError),
        database.connection() as connection,
        connection.transaction(),
    ):
        insert(connection, orders, 1)
        connection.execute("SELECT pg_sleep(20)")
    assert [] == orders.rows


def test_a_full_server_is_waited_for(orders: Orders, declare: Declare) -> None:
    """
    Other environments hold all sessions of the role; one of them ends in time.
    """
    orders.server.execute(f"ALTER ROLE {orders.role} CONNECTION LIMIT 1")
    other = psycopg.connect(orders.server.conninfo(user=orders.role, password=orders.password))
    ends = threading.Timer(0.3, other.close)
    ends.start()

    with declare().connection() as connection:
        assert (1,) == connection.execute("SELECT 1").fetchone()
    ends.join()


# Life


def test_a_forked_child_leaves_the_parents_session_alone(orders: Orders) -> None:
    """
    D27: the child has a session of its own, also when it ends, and the parent goes on in the old one.
    """
    code = """
        import json, os
        from lambda_kit import databases
        db = databases.postgres(os.environ["CONNINFO"])
        def pid():
            with db.connection() as connection:
                return connection.execute("SELECT pg_backend_pid()").fetchone()[0]
        before = pid()
        readable, writable = os.pipe()
        child = os.fork()
        if child == 0:
            os.write(writable, str(pid()).encode())
            db.close()
            os._exit(0)
        os.waitpid(child, 0)
        in_child = int(os.read(readable, 100))
        after = pid()
        db.close()
        print(json.dumps([before, in_child, after]))
    """
    conninfo = f"{orders.conninfo} user={orders.role} password={orders.password}"

    before, in_child, after = fresh_process.result(code, environ={"CONNINFO": conninfo})

    assert before == after
    assert before != in_child
    log = [line for line in orders.server.log_file.read_text().splitlines() if f"[{before}]" in line]
    assert not any("unexpected EOF" in line for line in log)


def test_two_threads_have_two_sessions(declare: Declare) -> None:
    """
    With two connections allowed, two transactions run at once.
    """
    database = declare(max_connections=2)
    meet = threading.Barrier(2)
    pids: set[int] = set()

    def work() -> None:
        with database.connection() as connection:
            meet.wait(10)
            pids.add(pid(connection))

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert 2 == len(pids)


# Errors


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (errors.AdminShutdown("x"), Verdict.LOST),
        (errors.CrashShutdown("x"), Verdict.LOST),
        (errors.IdleSessionTimeout("x"), Verdict.LOST),
        (errors.IdleInTransactionSessionTimeout("x"), Verdict.LOST),
        (errors.ConnectionFailure("x"), Verdict.LOST),
        (psycopg.OperationalError("consuming input failed: SSL SYSCALL error: EOF detected"), Verdict.LOST),
        (psycopg.OperationalError("consuming input failed: could not receive data: Connection reset by peer"), Verdict.LOST),
        (psycopg.OperationalError("the connection is closed"), Verdict.LOST),
        (psycopg.OperationalError("connection failed: SSL error: unexpected eof while reading"), Verdict.LOST),
        (psycopg.OperationalError("connection failed: SSL connection has been closed unexpectedly"), Verdict.LOST),
        (psycopg.OperationalError("connection failed: SSL error: certificate verify failed"), Verdict.FATAL),
        (psycopg.OperationalError('server certificate for "a" does not match host name "b"'), Verdict.FATAL),
        (psycopg.OperationalError("server does not support SSL, but SSL was required"), Verdict.FATAL),
        (psycopg.OperationalError("server closed the connection unexpectedly"), Verdict.LOST),
        (errors.InvalidPassword("x"), Verdict.AUTH),
        (errors.InvalidAuthorizationSpecification("x"), Verdict.AUTH),
        (psycopg.OperationalError('FATAL:  password authentication failed for user "a"'), Verdict.AUTH),
        (psycopg.OperationalError('FATAL:  PAM authentication failed for user "a"'), Verdict.AUTH),
        (psycopg.OperationalError('FATAL:  role "a" is not permitted to log in'), Verdict.AUTH),
        (psycopg.OperationalError('FATAL:  no pg_hba.conf entry for host "h"'), Verdict.AUTH),
        (psycopg.OperationalError('FATAL:  pg_hba.conf rejects connection for host "h"'), Verdict.AUTH),
        (psycopg.OperationalError("FATAL:  SASL authentication failed"), Verdict.AUTH),
        (psycopg.OperationalError("FATAL:  no such user: a"), Verdict.AUTH),
        (
            psycopg.OperationalError("IAM authentication failed for the role a. Check the IAM token for this role and try again."),
            Verdict.AUTH,
        ),
        (psycopg.OperationalError("This RDS proxy has no credentials for the role a."), Verdict.AUTH),
        (psycopg.OperationalError("The password that was provided for the role a is wrong."), Verdict.AUTH),
        (errors.ReadOnlySqlTransaction("x"), Verdict.READ_ONLY),
        (errors.TooManyConnections("x"), Verdict.WAIT),
        (errors.CannotConnectNow("x"), Verdict.WAIT),
        (errors.ConnectionTimeout("connection timeout expired"), Verdict.WAIT),
        (psycopg.OperationalError("FATAL:  sorry, too many clients already"), Verdict.WAIT),
        (psycopg.OperationalError("FATAL:  remaining connection slots are reserved"), Verdict.WAIT),
        (psycopg.OperationalError("FATAL:  the database system is starting up"), Verdict.WAIT),
        (psycopg.OperationalError("FATAL:  server login has been failing, try again later"), Verdict.WAIT),
        (psycopg.OperationalError("FATAL:  pgbouncer cannot connect to server"), Verdict.WAIT),
        (psycopg.OperationalError("FATAL:  no more connections allowed (max_client_conn)"), Verdict.WAIT),
        (psycopg.OperationalError("Timed-out waiting to acquire database connection"), Verdict.WAIT),
        (psycopg.OperationalError("Connection refused"), Verdict.WAIT),
        (psycopg.OperationalError("failed to resolve host 'x'"), Verdict.WAIT),
        (errors.SerializationFailure("x"), Verdict.RETRY),
        (errors.DeadlockDetected("x"), Verdict.RETRY),
        (errors.QueryCanceled("x"), Verdict.TIMEOUT),
        (errors.InvalidSqlStatementName("x"), Verdict.STALE),
        (errors.FeatureNotSupported("cached plan must not change result type"), Verdict.STALE),
        (errors.FeatureNotSupported("x"), Verdict.FATAL),
        (errors.UniqueViolation("x"), Verdict.FATAL),
        (psycopg.OperationalError('FATAL:  database "x" does not exist'), Verdict.FATAL),
        (psycopg.OperationalError("something in Klingon"), Verdict.UNKNOWN),
        (KeyError("password authentication failed"), None),
    ],
    ids=str,
)
def test_errors_mean_what_the_table_says(error: Exception, verdict: Verdict | None) -> None:
    """
    D37: by SQLSTATE where there is one, by libpq's words where there is none; AUTH goes before LOST.
    """
    assert verdict is _Postgres("").classify(error)
