"""
MariaDB for real, through PyMySQL: what dies is replaced, what is left behind is cleaned up, and nothing waits past the deadline.
"""

# The with blocks under test have bodies (PT012); statements name a test's own tables (S608).
# ruff: noqa: PT012, S608

from __future__ import annotations

import contextlib
import logging
import select
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Never

import pymysql
import pytest
from pymysql import err
from pymysql.connections import Connection
from pymysql.constants import CLIENT, FIELD_TYPE
from pymysql.converters import conversions
from pymysql.cursors import SSCursor

from lambda_kit import _invocation, databases, preload
from lambda_kit._local._processes import wait_until
from lambda_kit.databases import Credentials, Database
from lambda_kit.databases._driver import Verdict
from lambda_kit.databases._mysql import _Mysql
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
from tests.databases.accounts import Shop
from tests.databases.fakes import FakeContext, TickingContext
from tests.databases.leaks import shown
from tests.databases.proxy import full, proxy

Mysql = Database[Connection]
Declare = Callable[..., Mysql]
_ASLEEP = "SELECT id FROM information_schema.processlist WHERE user = %s AND state = 'User sleep'"


@pytest.fixture
def database(shop: Shop) -> Mysql:
    return databases.mysql(login=shop.login)


@pytest.fixture
def declare(shop: Shop) -> Declare:
    """
    Declare a database on that user with options.
    """

    def declared(host: str = "", **options: object) -> Mysql:
        return databases.mysql(host, **{"login": shop.login, **options})  # type: ignore[arg-type]

    return declared


def value(connection: Connection, statement: str) -> object:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        row = cursor.fetchone()
        return row[0] if row else None


def insert(connection: Connection, number: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO numbers VALUES ({number})")


def await_input(connection: Connection) -> None:
    """
    Wait until the kernel has something for the connection: here, that the server has ended it.
    """
    assert select.select([connection._sock], [], [], 10)[0]  # type: ignore[attr-defined]  # not in the stubs


# Declaring


def test_a_user_without_a_password_needs_no_login(shop: Shop) -> None:
    """
    As MySQL has them for tests: the name is among the options.
    """
    user = f"{shop.user}_open"
    shop.server.execute(f"CREATE USER {user}@'%'")
    database = databases.mysql("127.0.0.1", port=shop.server.port, options={"user": user})

    with database.connection() as connection:
        assert str(value(connection, "SELECT CURRENT_USER()")).startswith(user)
    database.close()


def test_declaring_imports_no_driver() -> None:
    """
    A database at global scope costs no import of PyMySQL and no network.
    """
    code = """
        import json, sys
        from lambda_kit import databases
        databases.mysql("nowhere.invalid", options={"user": "app"})
        print(json.dumps("pymysql" in sys.modules))
    """
    assert fresh_process.result(code) is False


def test_preload_imports_the_driver_and_connects_nowhere() -> None:
    """
    At the end of INIT the driver is imported; a server that is not there does not matter.
    """
    database = databases.mysql("nowhere.invalid", options={"user": "app"})

    preload(database)

    assert 0 == database.stats().connects


def test_nowhere_to_go_is_refused() -> None:
    """
    Neither a host nor a login is a mistake that shows at import.
    """
    with pytest.raises(ConfigurationError, match="give a host, or a login"):
        databases.mysql()


def test_options_that_the_kit_decides_are_refused() -> None:
    """
    One place for each thing.
    """
    with pytest.raises(ConfigurationError, match="takes autocommit, database"):
        databases.mysql("h", options={"database": "x", "autocommit": True})


def test_an_option_that_pymysql_does_not_know_is_named(declare: Declare) -> None:
    """
    With its word, and without what it was set to.
    """
    with (
        pytest.raises(ConfigurationError, match="PyMySQL knows no 'ssl_caa'") as caught,
        declare(options={"ssl_caa": "s3cret"}).connection(),
    ):
        pass
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("where", "complaint"),
    [
        (Credentials("", "s3cret", host="127.0.0.1"), "has no user to log in as"),
        (Credentials("app", "s3cret", host="mysql://app:s3cret@h"), "host is no name of a server"),
        (Credentials("app", "s3cret", host="127.0.0.1:3306"), "give it as port="),
    ],
    ids=["user", "url", "port"],
)
def test_a_login_that_leads_nowhere_is_refused(where: Credentials, complaint: str) -> None:
    """
    PyMySQL would log in as the user of the operating system, or look the URL up as a name and show it.
    """
    with pytest.raises(ConfigurationError, match=complaint) as caught, databases.mysql(login=lambda _: where).connection():
        pass
    assert "s3cret" not in shown(caught.value)


def test_arguments_go_before_the_login(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Host, as a handle too, port and name; user and password are the login's; the server sees the function.
    """
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "orders")
    database = databases.mysql(
        lambda: "127.0.0.1", port=shop.server.port, dbname=shop.user, login=lambda _: Credentials(shop.user, shop.password, host="nowhere")
    )

    with database.connection() as connection:
        assert shop.user == value(connection, "SELECT database()")
        assert "lambda:orders" == connection._connect_attrs["program_name"]  # type: ignore[attr-defined]  # not in the stubs


def test_new_connections_are_prepared(declare: Declare) -> None:
    """
    on_connect sets what the session needs, on each new connection and only then.
    """
    prepared: list[Connection] = []

    def prepare(connection: Connection) -> None:
        prepared.append(connection)
        value(connection, "SET @greeting = 'hello'")

    database = declare(on_connect=prepare)
    with database.connection():
        pass

    with database.connection() as connection:
        assert "hello" == value(connection, "SELECT @greeting")
        assert [connection] == prepared


def test_a_failing_preparation_closes_the_connection(shop: Shop, declare: Declare) -> None:
    """
    Its error passes as it is, and nothing is left on the server.
    """

    def fail(_: Connection) -> None:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"), declare(on_connect=fail).connection():
        pass
    shop.end_sessions()
    assert [] == shop.sessions


# Transactions


def test_a_block_commits_or_rolls_back(shop: Shop, database: Mysql) -> None:
    """
    What a block wrote is there at its end, unless it raised; both on one connection.
    """
    with database.connection() as connection:
        insert(connection, 1)
    with pytest.raises(KeyError), database.connection() as connection:
        insert(connection, 2)
        raise KeyError

    assert [1] == shop.rows
    assert 1 == database.stats().connects


def test_reading_leaves_no_snapshot_behind(shop: Shop, database: Mysql) -> None:
    """
    A SELECT opens a transaction whose snapshot would hide all later changes: it ends with the block.
    """
    with database.connection() as connection:
        assert 0 == value(connection, "SELECT count(*) FROM numbers")
    shop.server.execute(f"INSERT INTO {shop.user}.numbers VALUES (1)")

    with database.connection() as connection:
        assert 1 == value(connection, "SELECT count(*) FROM numbers")


def test_a_failed_statement_leaves_no_lock_behind(shop: Shop, database: Mysql) -> None:
    """
    A duplicate key leaves a lock on the row, though the server has not said that a transaction is open.
    """
    shop.server.execute(f"INSERT INTO {shop.user}.numbers VALUES (1)")
    with pytest.raises(err.IntegrityError), database.connection() as connection:
        insert(connection, 1)

    shop.server.execute("SET GLOBAL innodb_lock_wait_timeout = 1")
    shop.server.execute(f"DELETE FROM {shop.user}.numbers")
    assert [] == shop.rows


def test_a_transaction_left_behind_is_not_committed(shop: Shop, database: Mysql, caplog: pytest.LogCaptureFixture) -> None:
    """
    D21: Invocation A keeps the connection and writes after its block; B does not make that durable.
    """
    with _invocation.scope(FakeContext(9.0, "request-a")), database.connection() as kept:
        pass
    insert(kept, 1)

    with database.connection() as connection:
        insert(connection, 2)

    assert [2] == shop.rows
    assert "left open by request request-a" in caplog.text
    assert 1 == database.stats().connects


def test_rows_left_unread_cost_the_connection(declare: Declare) -> None:
    """
    Nobody reads the rest of an unbuffered result.
    """
    database = declare()
    with database.connection() as kept:
        pass
    cursor = kept.cursor(SSCursor)
    cursor.execute("SELECT seq FROM seq_1_to_100000")

    with database.connection() as connection:
        assert 1 == value(connection, "SELECT 1")
    assert {"busy": 1} == database.stats().reconnects
    assert kept is not connection


def test_autocommit_is_as_it_was_declared(shop: Shop, database: Mysql, declare: Declare) -> None:
    """
    What one user of the connection sets does not reach the next.
    """
    with database.connection() as connection:
        connection.autocommit(True)
        insert(connection, 1)

    with database.connection() as connection:
        assert connection.get_autocommit() is False
    with declare(autocommit=True).connection() as connection:
        assert connection.get_autocommit() is True
        insert(connection, 2)
        assert [1, 2] == shop.rows
    assert 1 == database.stats().connects


def test_autocommit_that_cannot_be_set_back_costs_the_connection(database: Mysql, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The transaction's end is through, so nothing is raised; the next block has a new connection.
    """

    def fail(_: bool) -> None:
        raise err.OperationalError(2013, "lost")

    with database.connection() as connection:
        connection.autocommit(True)
        monkeypatch.setattr(connection, "autocommit", fail)

    with database.connection() as again:
        assert again is not connection


# Alive


def test_a_killed_session_is_replaced(shop: Shop, database: Mysql) -> None:
    """
    D5: the user sees nothing of it.
    """
    with database.connection() as connection:
        pass
    shop.end_sessions()
    await_input(connection)

    with database.connection() as connection:
        assert 1 == value(connection, "SELECT 1")
    assert {"closed": 1} == database.stats().reconnects
    assert 0 == database.stats().pings


def test_a_killed_and_restarted_server_is_found_again(shop: Shop, database: Mysql) -> None:
    """
    While nobody listens, connecting goes on within the time there is.
    """
    with database.connection() as connection:
        insert(connection, 1)
    shop.server.kill()
    starting = threading.Timer(0.1, shop.server.start)
    starting.start()

    with _invocation.scope(FakeContext(60.0)), database.connection() as connection:
        insert(connection, 2)
    starting.join()
    assert [1, 2] == shop.rows


@pytest.mark.realtime
def test_an_idle_timeout_of_the_server_is_survived(database: Mysql) -> None:
    """
    D5: wait_timeout ends the session by the server's own clock; the next block has a new one.
    """
    with database.connection() as connection:
        value(connection, "SET wait_timeout = 1")
    await_input(connection)

    with database.connection() as connection:
        assert 1 == value(connection, "SELECT 1")
    assert {"closed": 1} == database.stats().reconnects


def test_an_idle_connection_answers_a_ping(declare: Declare) -> None:
    """
    After ping_after_s one round trip shows that the server is there.
    """
    database = declare(ping_after_s=0)
    with database.connection() as first:
        pass

    with database.connection() as connection:
        assert first is connection
    assert 1 == database.stats().pings


def test_a_mute_peer_costs_a_bounded_ping(shop: Shop, declare: Declare) -> None:
    """
    A peer whose kernel acknowledges and that never answers: half a second, then a new connection.
    """
    with proxy(shop.server.port) as between:
        database = declare("127.0.0.1", port=between.port, ping_after_s=0)
        with database.connection():
            pass
        between.mute()
        started_s = time.monotonic()

        with database.connection() as connection:
            assert 1 == value(connection, "SELECT 1")
        assert 0.4 <= time.monotonic() - started_s < 2.0
        assert {"unanswered": 1} == database.stats().reconnects
        database.close()


def test_a_connection_the_user_closed_is_replaced(database: Mysql) -> None:
    """
    Closing it is rude, but clear; so is closing the database.
    """
    with database.connection() as connection:
        pass
    connection.close()
    database.close()

    with database.connection() as connection:
        assert 1 == value(connection, "SELECT 1")


def test_a_session_lost_in_use_is_said(shop: Shop, database: Mysql) -> None:
    """
    The type says what happened, the cause is PyMySQL's error, and the next block works.
    """
    with pytest.raises(ConnectionLostError, match="lost in use") as caught, database.connection() as connection:
        insert(connection, 1)
        shop.end_sessions()
        insert(connection, 2)
    assert isinstance(caught.value.__cause__, pymysql.Error)
    assert not caught.value.in_doubt
    with database.connection() as connection:
        insert(connection, 3)
    assert [3] == shop.rows


def test_a_session_killed_in_a_statement_is_lost(shop: Shop, database: Mysql) -> None:
    """
    The server's last words are an answer, but not to what was asked.
    """

    def kill() -> None:
        assert wait_until(lambda: bool(shop.server.execute(_ASLEEP, shop.user)), timeout_s=10)
        shop.end_sessions()

    killing = threading.Thread(target=kill)
    killing.start()

    with pytest.raises(ConnectionLostError), database.connection() as connection:
        value(connection, "SELECT sleep(20)")
    killing.join()


def test_a_farewell_in_place_of_an_answer_is_a_loss(database: Mysql) -> None:
    """
    A server that ends the session says so with an error of its own, which this one is made to send.
    """
    with pytest.raises(ConnectionLostError, match="1927"), database.connection() as connection:
        value(connection, "SIGNAL SQLSTATE '70100' SET MYSQL_ERRNO = 1927")


def test_a_statement_that_cannot_be_sent_is_said(database: Mysql) -> None:
    """
    The connection goes, as with one that gets no answer.
    """
    with pytest.raises(ConnectionLostError, match="gone away"), database.connection() as connection:
        connection._sock.shutdown(socket.SHUT_WR)  # type: ignore[attr-defined]  # not in the stubs
        value(connection, "SELECT 1")


@pytest.mark.parametrize("way", ["end", "method", "statement"])
def test_a_lost_commit_is_in_doubt(shop: Shop, declare: Declare, way: str) -> None:
    """
    D26: the server committed, the answer did not come: at the block's end, by commit(), or by a statement.
    """
    with proxy(shop.server.port) as between:
        database = declare("127.0.0.1", port=between.port)

        with pytest.raises(CommitUnknownError) as caught, database.connection() as connection:
            insert(connection, 1)
            between.cut_after = b"COMMIT"
            if way == "method":
                connection.commit()
            if way == "statement":
                value(connection, " COMMIT")
        assert isinstance(caught.value.__cause__, pymysql.Error)
    # The server goes on with what it has got, by itself.
    assert wait_until(lambda: [1] == shop.rows, timeout_s=10)


@pytest.mark.parametrize(
    "statement",
    ["/* the end */ commit", "TRUNCATE numbers", "SET @@autocommit = 1", "START TRANSACTION"],
    ids=["comment", "ddl", "set", "start"],
)
def test_a_lost_statement_that_commits_is_in_doubt(shop: Shop, declare: Declare, statement: str) -> None:
    """
    MySQL commits before many a statement that does not look like it: an idempotent work is not done again either.
    """
    with proxy(shop.server.port) as between:
        database = declare("127.0.0.1", port=between.port)

        def work(connection: Connection) -> None:
            insert(connection, 1)
            between.cut_after = statement.encode()
            value(connection, statement)

        with pytest.raises(CommitUnknownError):
            database.run(work, idempotent=True)


def test_a_lost_statement_that_commits_nothing_is_certain(shop: Shop, declare: Declare) -> None:
    """
    A temporary table ends no transaction, and what was only wanted later does not count.
    """
    with proxy(shop.server.port) as between:
        database = declare("127.0.0.1", port=between.port)

        with pytest.raises(ConnectionLostError), database.connection() as connection:
            insert(connection, 1)
            between.cut_after = b"TEMPORARY"
            with pytest.raises(pymysql.Error):
                value(connection, "CREATE TEMPORARY TABLE later (id int)")
            connection.commit()
    assert [] == shop.rows


def test_a_lost_commit_stays_in_doubt_whatever_follows(shop: Shop, declare: Declare) -> None:
    """
    Code that rolls back when its commit fails does not make it certain.
    """
    with proxy(shop.server.port) as between:
        database = declare("127.0.0.1", port=between.port)

        with pytest.raises(CommitUnknownError), database.connection() as connection:
            insert(connection, 1)
            between.cut_after = b"COMMIT"
            try:
                connection.commit()
            except pymysql.Error:
                connection.rollback()


@pytest.mark.filterwarnings("ignore:The 'reconnect' argument:DeprecationWarning")
def test_a_ping_does_not_reconnect_in_silence(shop: Shop, database: Mysql) -> None:
    """
    PyMySQL would go on in a new session, and commit there without what the lost one had written.
    """
    with pytest.raises(ConnectionLostError), database.connection() as connection:
        insert(connection, 1)
        shop.end_sessions()
        connection.ping(reconnect=True)
        insert(connection, 2)
    assert [] == shop.rows


def test_an_answer_that_was_read_in_part_is_not_taken_for_another(declare: Declare) -> None:
    """
    What breaks in the middle of the rows, such as a signal's exception, costs the connection: the rest would answer the next.
    """

    def interrupt(text: str) -> int:
        if text == "2":
            raise KeyboardInterrupt
        return int(text)

    database = declare(options={"conv": conversions | {FIELD_TYPE.LONGLONG: interrupt}})

    with pytest.raises(ConnectionLostError), database.connection() as connection:
        with pytest.raises(KeyboardInterrupt):
            value(connection, "SELECT seq FROM seq_1_to_1000")
        assert not connection.open
    with database.connection() as connection:
        assert 3 == value(connection, "SELECT 3")


def test_further_results_that_were_read_in_part_are_not_taken_for_others(declare: Declare) -> None:
    """
    The second result of two is no better.
    """

    def interrupt(text: str) -> int:
        if text == "2":
            raise KeyboardInterrupt
        return int(text)

    database = declare(options={"conv": conversions | {FIELD_TYPE.LONGLONG: interrupt}, "client_flag": CLIENT.MULTI_STATEMENTS})

    with pytest.raises(KeyboardInterrupt), database.connection() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 1; SELECT seq FROM seq_1_to_1000")
        cursor.nextset()
    assert not connection.open


def test_a_packet_that_was_read_in_part_costs_the_connection(database: Mysql, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Between a packet's length and the rest of it too.
    """

    def interrupt(*_: object) -> Never:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), database.connection() as connection:
        monkeypatch.setattr(pymysql.connections.Connection._read_packet, "__defaults__", (interrupt,))
        value(connection, "SELECT 1")
    assert not connection.open


def test_an_argument_that_cannot_be_sent_costs_nothing(shop: Shop, database: Mysql) -> None:
    """
    Nothing went out, so the transaction goes on.
    """
    with database.connection() as connection:
        insert(connection, 1)
        with pytest.raises(UnicodeError):
            connection.query("SELECT '\ud800'")
    assert [1] == shop.rows


@pytest.mark.parametrize("committed", [True, False])
def test_closing_after_a_commit_loses_nothing(shop: Shop, database: Mysql, committed: bool) -> None:
    """
    Nothing is open then, so nothing is said; with something open it is.
    """
    loss = contextlib.nullcontext() if committed else pytest.raises(ConnectionLostError)

    with loss, database.connection() as connection:
        insert(connection, 1)
        if committed:
            connection.commit()
        connection.close()
    assert [1] * committed == shop.rows


def test_a_refused_statement_is_no_lost_commit(shop: Shop, database: Mysql) -> None:
    """
    The server has answered, so what is lost after it is certain.
    """
    with pytest.raises(ConnectionLostError) as caught, database.connection() as connection:
        with pytest.raises(err.ProgrammingError):
            connection.query(b"COMMIT NONSENSE")
        shop.end_sessions()
        insert(connection, 1)
    assert not caught.value.in_doubt


def test_a_lost_statement_with_autocommit_is_in_doubt(shop: Shop, declare: Declare) -> None:
    """
    It went to the server, and it happened there.
    """
    with proxy(shop.server.port) as between:
        database = declare("127.0.0.1", port=between.port, autocommit=True)
        between.cut_after = b"INSERT"

        with pytest.raises(ConnectionLostError, match="may have happened") as caught, database.connection() as connection:
            insert(connection, 1)
        assert caught.value.in_doubt
    # The server goes on with what it has got, by itself.
    assert wait_until(lambda: [1] == shop.rows, timeout_s=10)


def test_idempotent_work_survives_a_kill(shop: Shop, database: Mysql) -> None:
    """
    run() does it again on a new connection, in a new transaction.
    """
    ends = [shop.end_sessions]

    def work(connection: Connection) -> str:
        insert(connection, 1)
        if ends:
            ends.pop()()
        value(connection, "SELECT 1")
        return "done"

    assert "done" == database.run(work, idempotent=True)
    assert [1] == shop.rows


def test_idempotent_work_finds_the_writer_after_a_failover(shop: Shop, database: Mysql) -> None:
    """
    A server that takes no writes any more is left for a new connection.
    """
    opened = [lambda: shop.server.execute("SET GLOBAL read_only = 0")]
    shop.server.execute("SET GLOBAL read_only = 1")

    def work(connection: Connection) -> None:
        try:
            insert(connection, 1)
        finally:
            while opened:
                opened.pop()()

    database.run(work, idempotent=True)

    assert [1] == shop.rows
    assert {"read-only": 1} == database.stats().reconnects


# Logging in


def test_a_rotated_password_is_asked_for_when_refused(shop: Shop, database: Mysql) -> None:
    """
    The open connection stays; a new one needs the new password.
    """
    with database.connection() as connection:
        pass
    old, shop.password = shop.password, "second"
    shop.server.execute(f"SET PASSWORD FOR {shop.user}@'%%' = PASSWORD(%s)", "second")
    with database.connection() as again:
        assert connection is again
    database.close()
    known = [Credentials(shop.user, old, host="127.0.0.1", port=shop.server.port)]

    def login(refused: Credentials | None, /) -> Credentials:
        return known[-1] if refused is None else Credentials(shop.user, "second", host="127.0.0.1", port=shop.server.port)

    with databases.mysql(login=login).connection() as connection:
        assert 1 == value(connection, "SELECT 1")


def test_a_password_that_stays_wrong_is_a_login_error(shop: Shop, declare: Declare, caplog: pytest.LogCaptureFixture) -> None:
    """
    The server's own words are raised, and no password with them: in no cause, frame or log.
    """
    caplog.set_level(logging.DEBUG)
    wrong = "wrong-and-secret"

    def offer(_: Credentials | None) -> Credentials:
        return Credentials(shop.user, wrong, host="127.0.0.1", port=shop.server.port)

    with _invocation.scope(FakeContext(1.5)), pytest.raises(LoginError, match="Access denied for user") as caught:
        declare(login=offer).connection().__enter__()
    assert isinstance(caught.value.__cause__, err.OperationalError)
    assert wrong not in shown(caught.value)
    assert wrong not in caplog.text


def test_a_password_that_cannot_be_encoded_is_not_shown(declare: Declare, shop: Shop) -> None:
    """
    Python's own error has all of it.
    """
    database = declare(login=lambda _: Credentials(shop.user, "s3cret\ud800", host="127.0.0.1", port=shop.server.port))

    with pytest.raises(ConfigurationError, match="cannot be encoded") as caught, database.connection():
        pass
    assert "s3cret" not in shown(caught.value)


def test_a_host_that_no_resolver_can_be_asked_for_is_named_as_a_cause(declare: Declare) -> None:
    """
    A label of a name has 63 characters at most.
    """
    database = declare(f"{'x' * 64}.invalid")

    with pytest.raises(ConfigurationError, match="host, user or password of a mysql database"), database.connection():
        pass


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # PyMySQL leaves the Unix socket open
def test_the_error_that_pymysql_keeps_has_no_frames(declare: Declare, tmp_path: Path) -> None:
    """
    In them is the connection, which knows its password.
    """
    database = declare(options={"unix_socket": str(tmp_path / "none")})

    with _invocation.scope(FakeContext(0.7)), pytest.raises(ConnectTimeoutError) as caught, database.connection():
        pass
    assert caught.value.__cause__.original_exception.__traceback__ is None  # type: ignore[union-attr]  # PyMySQL's own


def test_a_login_may_want_tls(shop: Shop, declare: Declare) -> None:
    """
    Its password goes over no wire in clear: a server without TLS is refused.
    """

    def offer(_: Credentials | None) -> Credentials:
        return Credentials(shop.user, shop.password, host="127.0.0.1", port=shop.server.port, needs_tls=True)

    with pytest.raises(DatabaseError, match="SSL"), declare(login=offer).connection():
        pass


def test_a_certificate_that_is_not_there_is_named(declare: Declare) -> None:
    """
    Python's own error does not say which file it looked for.
    """
    with pytest.raises(ConfigurationError, match="ssl_ca"), declare(options={"ssl_ca": "/nowhere.pem"}).connection():
        pass


def test_an_unknown_database_is_not_tried_again(shop: Shop, declare: Declare) -> None:
    """
    What will not change by waiting is raised at once.
    """
    with pytest.raises(DatabaseError, match=r"1044|1049"), declare(dbname="nowhere").connection():
        pass
    assert [] == shop.asked


# Limits


def test_a_refused_port_is_tried_until_the_deadline(declare: Declare) -> None:
    """
    Then the last refusal is raised, while there is time to answer.
    """
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    started_s = time.monotonic()

    with _invocation.scope(FakeContext(1.2)), pytest.raises(ConnectTimeoutError, match="refused"):
        declare("127.0.0.1", port=port).connection().__enter__()
    assert time.monotonic() - started_s < 1.0


def test_all_addresses_of_a_name_share_the_time(declare: Declare, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A name with two silent addresses takes no longer than one; a third that answers is reached.
    """
    real = socket.getaddrinfo
    addresses: list[tuple[str, int]] = []

    def known(host: str, *args: Any, **kwargs: Any) -> Any:
        if host == "nowhere.invalid":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        if host != "many.invalid":
            return real(host, *args, **kwargs)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", known)
    database = declare("many.invalid", port=shop.server.port)
    with full() as silent:
        addresses += [silent, silent]
        started_s = time.monotonic()
        with _invocation.scope(FakeContext(1.1)), pytest.raises(ConnectTimeoutError, match="timed out"), database.connection():
            pass
        assert time.monotonic() - started_s < 0.9

        addresses.append(("127.0.0.1", shop.server.port))
        with _invocation.scope(FakeContext(1.1)), database.connection() as connection:
            assert 1 == value(connection, "SELECT 1")
    database.close()
    addresses.clear()
    with _invocation.scope(FakeContext(0.7)), pytest.raises(ConnectTimeoutError, match="no address"), database.connection():
        pass
    database = declare("nowhere.invalid")
    with _invocation.scope(FakeContext(0.7)), pytest.raises(ConnectTimeoutError, match="not known"), database.connection():
        pass


def test_a_commit_at_the_deadline_has_a_little_of_the_reserve(shop: Shop, database: Mysql) -> None:
    """
    What was done in time is committed; a commit of the user's own that is not sent any more is no lost one.
    """
    with database.connection():
        pass
    for way in ("end", "method"):
        context = TickingContext(1.0)
        outcome = pytest.raises(DeadlineError) if way == "method" else contextlib.nullcontext()
        with _invocation.scope(context), outcome, database.connection() as connection:
            insert(connection, len(way))
            context.until(0.45)
            if way == "method":
                connection.commit()
    assert [len("end")] == shop.rows


def test_a_connection_kept_by_its_user_has_the_time_of_each_invocation(shop: Shop, database: Mysql) -> None:
    """
    A block around several invocations is not held to the first one's end.
    """
    with database.connection():
        pass
    with contextlib.ExitStack() as kept:
        first = TickingContext(1.0)
        with _invocation.scope(first):
            connection = kept.enter_context(database.connection())
            first.until(0.45)
        with _invocation.scope(TickingContext(5.0)):
            insert(connection, 1)
    assert [1] == shop.rows


def test_a_kept_connection_has_no_more_time_than_the_invocation_under_way(database: Mysql) -> None:
    """
    The end of an invocation that is over is no limit, though it would come later.
    """
    with contextlib.ExitStack() as kept:
        with _invocation.scope(TickingContext(8.0)):
            connection = kept.enter_context(database.connection())
        started_s = time.monotonic()

        with _invocation.scope(TickingContext(1.0)), pytest.raises(DeadlineError):
            connection.cursor().execute("SELECT SLEEP(5)")
        assert 2.0 > time.monotonic() - started_s
        with pytest.raises(ConnectionLostError):
            kept.close()


def test_a_server_that_says_nothing_is_left_at_the_deadline(declare: Declare) -> None:
    """
    The greeting has to come in time too.
    """
    with socket.create_server(("127.0.0.1", 0)) as mute:
        database = declare("127.0.0.1", port=mute.getsockname()[1])
        started_s = time.monotonic()

        with _invocation.scope(FakeContext(1.0)), pytest.raises(ConnectTimeoutError, match="timeout expired"), database.connection():
            pass
        assert 0.4 <= time.monotonic() - started_s < 0.9


def test_a_statement_does_not_outlive_the_deadline(database: Mysql) -> None:
    """
    It is given up half a second before the end, the connection with it, and the next invocation has a new one.
    """
    with database.connection():
        pass
    started_s = time.monotonic()

    with _invocation.scope(FakeContext(0.8)), pytest.raises(DeadlineError, match="not done"), database.connection() as connection:
        value(connection, "SELECT sleep(20)")

    assert time.monotonic() - started_s < 0.7
    with database.connection() as connection:
        assert 1 == value(connection, "SELECT 1")
    assert {"lost": 1} == database.stats().reconnects


def test_nothing_is_sent_after_the_deadline(database: Mysql) -> None:
    """
    Nor is an answer waited for.
    """
    with database.connection():
        pass

    with _invocation.scope(TickingContext(0.6)), pytest.raises(DeadlineError), database.connection() as connection:
        threading.Event().wait(0.15)
        value(connection, "SELECT 1")


def test_a_large_answer_is_read_in_time(database: Mysql) -> None:
    """
    A packet of megabytes comes in pieces, each within the deadline.
    """
    with _invocation.scope(FakeContext(20.0)), database.connection() as connection:
        assert "x" * 3_000_000 == value(connection, "SELECT repeat('x', 3000000)")


def test_a_full_server_is_waited_for(shop: Shop, declare: Declare) -> None:
    """
    Other environments hold all sessions of the user; one of them ends in time.
    """
    shop.server.execute(f"GRANT USAGE ON *.* TO {shop.user}@'%' WITH MAX_USER_CONNECTIONS 1")
    other = pymysql.connect(host="127.0.0.1", port=shop.server.port, user=shop.user, password=shop.password)
    ends = threading.Timer(0.3, other.close)
    ends.start()

    with declare().connection() as connection:
        assert 1 == value(connection, "SELECT 1")
    ends.join()


# Life


def test_a_forked_child_leaves_the_parents_session_alone(shop: Shop) -> None:
    """
    D27: the child has a session of its own, also when it ends, and the parent goes on in the old one.
    """
    code = """
        import json, os
        from lambda_kit import databases
        who = databases.Credentials(os.environ["WHO"], os.environ["PASSWORD"])
        db = databases.mysql("127.0.0.1", port=int(os.environ["PORT"]), login=lambda refused: who)
        def number():
            with db.connection() as connection, connection.cursor() as cursor:
                cursor.execute("SELECT connection_id()")
                return cursor.fetchone()[0]
        before = number()
        readable, writable = os.pipe()
        child = os.fork()
        if child == 0:
            os.write(writable, str(number()).encode())
            db.close()
            os._exit(0)
        os.waitpid(child, 0)
        in_child = int(os.read(readable, 100))
        after = number()
        db.close()
        print(json.dumps([before, in_child, after]))
    """
    environ = {"WHO": shop.user, "PASSWORD": shop.password, "PORT": str(shop.server.port)}

    before, in_child, after = fresh_process.result(code, environ=environ)

    assert before == after
    assert before != in_child


# Errors


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (err.OperationalError(2006, "x"), Verdict.LOST),
        (err.OperationalError(2013, "x"), Verdict.LOST),
        (err.OperationalError(1927, "x"), Verdict.LOST),
        (err.OperationalError(4031, "x"), Verdict.LOST),
        (err.InterfaceError(0, ""), Verdict.LOST),
        (err.Error("Already closed"), Verdict.LOST),
        (err.OperationalError(1045, "x"), Verdict.AUTH),
        (err.OperationalError(1698, "x"), Verdict.AUTH),
        (err.OperationalError(1044, "x"), Verdict.FATAL),
        (err.OperationalError(1049, "x"), Verdict.FATAL),
        (err.OperationalError(1290, "running with the --read-only option"), Verdict.READ_ONLY),
        (err.OperationalError(1290, "running with the --secure-file-priv option"), Verdict.FATAL),
        (err.OperationalError(1792, "x"), Verdict.READ_ONLY),
        (err.OperationalError(1836, "x"), Verdict.READ_ONLY),
        (err.OperationalError(1040, "x"), Verdict.WAIT),
        (err.OperationalError(1203, "x"), Verdict.WAIT),
        (err.OperationalError(1226, "x"), Verdict.WAIT),
        (err.OperationalError(2003, "x"), Verdict.WAIT),
        (err.OperationalError(2003, "certificate verify failed: self-signed"), Verdict.FATAL),
        (err.OperationalError(1053, "x"), Verdict.WAIT),
        (err.OperationalError(1213, "x"), Verdict.RETRY),
        (err.OperationalError(1205, "x"), Verdict.RETRY),
        (err.OperationalError(1243, "x"), Verdict.STALE),
        (err.OperationalError(1969, "x"), Verdict.TIMEOUT),
        (err.OperationalError(3024, "x"), Verdict.TIMEOUT),
        (err.OperationalError(1317, "x"), Verdict.TIMEOUT),
        (err.IntegrityError(1062, "x"), Verdict.FATAL),
        (err.ProgrammingError(1146, "x"), Verdict.FATAL),
        (err.OperationalError(), Verdict.UNKNOWN),
        (KeyError(1045), None),
    ],
    ids=str,
)
def test_errors_mean_what_the_table_says(error: Exception, verdict: Verdict | None) -> None:
    """
    D37: by the server's and PyMySQL's numbers.
    """
    assert verdict is _Mysql({}, autocommit=False, on_connect=None, options={}).classify(error)
