"""
What MariaDB and PyMySQL really say, and what the kit takes it for: the table of errors, each provoked on a server.
"""

# Statements name a test's own tables.
# ruff: noqa: S608

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pymysql
import pytest
from pymysql import err

from lambda_kit import _invocation, databases
from lambda_kit._local._processes import wait_until
from lambda_kit.databases import Credentials, Database
from lambda_kit.databases._driver import Verdict
from lambda_kit.databases._mysql import _Mysql
from lambda_kit.errors import ConnectionLostError, ConnectTimeoutError, DatabaseError, LoginError
from tests.databases.accounts import Shop
from tests.databases.fakes import FakeContext

# Time for a few attempts, in those that wait for a server.
SHORT_S = 0.8
MARIA_ASLEEP = "SELECT id FROM information_schema.processlist WHERE id = %s AND state = 'User sleep'"
WAITING = "SELECT 1 FROM information_schema.innodb_trx WHERE trx_mysql_thread_id = %s AND trx_state = 'LOCK WAIT'"


@pytest.fixture
def stocked(shop: Shop) -> Shop:
    """
    A user with a table of two rows.
    """
    shop.server.execute(f"INSERT INTO {shop.user}.numbers VALUES (1), (2)")
    return shop


def classify(error: BaseException | None) -> Verdict | None:
    assert error is not None
    return _Mysql({}, autocommit=False, on_connect=None, options={}).classify(error)


def ask(connection: Any, statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def raw(shop: Shop) -> Any:
    """
    Return a session of the same user beside the kit's.
    """
    return pymysql.connect(host="127.0.0.1", port=shop.server.port, user=shop.user, password=shop.password, database=shop.user)


# In use: what is done to the connection, or asked of it, until PyMySQL raises


def killed(shop: Shop, connection: Any) -> None:
    shop.server.execute(f"KILL {connection.thread_id()}")
    ask(connection, "SELECT 1")


def killed_at_work(shop: Shop, connection: Any) -> None:
    with at_work(shop, connection, "KILL"):
        ask(connection, "SELECT sleep(20)")


def cancelled(shop: Shop, connection: Any) -> None:
    with at_work(shop, connection, "KILL QUERY"):
        ask(connection, "SELECT id, sleep(20) FROM numbers")


@contextlib.contextmanager
def at_work(shop: Shop, connection: Any, order: str) -> Iterator[None]:
    """
    Give *order* about the connection once it is busy in the block.
    """
    number = connection.thread_id()

    def give() -> None:
        assert wait_until(lambda: bool(shop.server.execute(MARIA_ASLEEP, number)), timeout_s=10)
        shop.server.execute(f"{order} {number}")

    giving = threading.Thread(target=give)
    giving.start()
    try:
        yield
    finally:
        giving.join()


def cannot_send(_: Shop, connection: Any) -> None:
    connection._sock.shutdown(socket.SHUT_RDWR)
    ask(connection, "SELECT 1")


def closed(_: Shop, connection: Any) -> None:
    connection.close()
    ask(connection, "SELECT 1")


def closed_and_pinged(_: Shop, connection: Any) -> None:
    connection.close()
    connection.ping(reconnect=False)


def server_killed(shop: Shop, connection: Any) -> None:
    shop.server.kill()
    try:
        ask(connection, "SELECT 1")
    finally:
        shop.server.start()


def says(code: int) -> Callable[[Shop, Any], None]:
    """
    Have the server say what cannot be brought about here.
    """
    return lambda _, connection: ask(connection, f"SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = {code}, MESSAGE_TEXT = 'said so'")


def read_only_server(shop: Shop, connection: Any) -> None:
    shop.server.execute("SET GLOBAL read_only = 1")
    try:
        ask(connection, "INSERT INTO numbers VALUES (3)")
    finally:
        shop.server.execute("SET GLOBAL read_only = 0")


def read_only_transaction(_: Shop, connection: Any) -> None:
    ask(connection, "START TRANSACTION READ ONLY")
    ask(connection, "INSERT INTO numbers VALUES (3)")


def deadlock(shop: Shop, connection: Any) -> None:
    """
    Each waits for the other; the server picks the one that has written less.
    """
    lock = "SELECT * FROM numbers WHERE id = {} FOR UPDATE"
    with raw(shop) as other:
        ask(other, "INSERT INTO numbers VALUES (10), (11), (12)")
        ask(other, lock.format(2))
        ask(connection, lock.format(1))
        crossing = threading.Thread(target=ask, args=(other, lock.format(1)))
        crossing.start()
        number = other.thread_id()
        assert wait_until(lambda: bool(shop.server.execute(WAITING, number)), timeout_s=10)
        try:
            ask(connection, lock.format(2))
        finally:
            connection.rollback()
            crossing.join()


def lock_wait(shop: Shop, connection: Any) -> None:
    with raw(shop) as other:
        ask(other, "SELECT * FROM numbers WHERE id = 1 FOR UPDATE")
        ask(connection, "SET innodb_lock_wait_timeout = 0")
        ask(connection, "SELECT * FROM numbers WHERE id = 1 FOR UPDATE")


def too_slow(_: Shop, connection: Any) -> None:
    ask(connection, "SET max_statement_time = 0.02")
    ask(connection, "SELECT sleep(20) FROM numbers")


def not_prepared(_: Shop, connection: Any) -> None:
    ask(connection, "EXECUTE nothing")


def asks(statement: str) -> Callable[[Shop, Any], None]:
    return lambda _, connection: ask(connection, statement)


Loss = ConnectionLostError


@pytest.mark.parametrize(
    ("provoke", "raised", "codes", "verdict", "shown"),
    [
        pytest.param(killed, err.OperationalError, {2006, 2013}, Verdict.LOST, Loss, id="killed"),
        pytest.param(killed_at_work, err.OperationalError, {2013}, Verdict.LOST, Loss, id="2013"),
        pytest.param(cannot_send, err.OperationalError, {2006}, Verdict.LOST, Loss, id="2006"),
        pytest.param(server_killed, err.OperationalError, {2006, 2013}, Verdict.LOST, Loss, id="kill -9"),
        pytest.param(closed, err.InterfaceError, {0}, Verdict.LOST, Loss, id="0"),
        pytest.param(closed_and_pinged, err.Error, {"Already closed"}, Verdict.LOST, Loss, id="already closed"),
        pytest.param(says(1927), err.OperationalError, {1927}, Verdict.LOST, Loss, id="1927"),
        pytest.param(says(4031), err.OperationalError, {4031}, Verdict.LOST, Loss, id="4031"),
        pytest.param(says(1053), err.OperationalError, {1053}, Verdict.WAIT, Loss, id="1053"),
        pytest.param(says(1203), err.MySQLError, {1203}, Verdict.WAIT, None, id="1203"),
        pytest.param(says(2055), err.MySQLError, {2055}, Verdict.LOST, None, id="2055"),
        pytest.param(read_only_server, err.OperationalError, {1290}, Verdict.READ_ONLY, None, id="1290"),
        pytest.param(read_only_transaction, err.MySQLError, {1792}, Verdict.READ_ONLY, None, id="1792"),
        pytest.param(says(1836), err.MySQLError, {1836}, Verdict.READ_ONLY, None, id="1836"),
        pytest.param(deadlock, err.OperationalError, {1213}, Verdict.RETRY, None, id="1213"),
        pytest.param(lock_wait, err.OperationalError, {1205}, Verdict.RETRY, None, id="1205"),
        pytest.param(not_prepared, err.OperationalError, {1243}, Verdict.STALE, None, id="1243"),
        pytest.param(too_slow, err.OperationalError, {1969}, Verdict.TIMEOUT, None, id="1969"),
        pytest.param(says(3024), err.OperationalError, {3024}, Verdict.TIMEOUT, None, id="3024"),
        pytest.param(cancelled, err.MySQLError, {1317}, Verdict.TIMEOUT, None, id="1317"),
        pytest.param(asks("INSERT INTO numbers VALUES (1)"), err.IntegrityError, {1062}, Verdict.FATAL, None, id="1062"),
        pytest.param(asks("NONSENSE"), err.ProgrammingError, {1064}, Verdict.FATAL, None, id="1064"),
        pytest.param(asks("SELECT * FROM nowhere"), err.ProgrammingError, {1146}, Verdict.FATAL, None, id="1146"),
        pytest.param(asks("SELECT * FROM mysql.user"), err.OperationalError, {1142}, Verdict.FATAL, None, id="1142"),
    ],
)
def test_errors_in_use(
    stocked: Shop,
    provoke: Callable[[Shop, Any], None],
    raised: type[Exception],
    codes: set[object],
    verdict: Verdict,
    shown: type[Exception] | None,
) -> None:
    """
    D37: a lost connection is ConnectionLostError; all else reaches the user as PyMySQL says it. The next block works in each case.
    """
    database = databases.mysql(login=stocked.login)

    with pytest.raises(shown or raised) as caught, database.connection() as connection:
        provoke(stocked, connection)

    error = caught.value.__cause__ if shown else caught.value
    assert isinstance(error, raised)
    assert error.args[0] in codes
    assert verdict is classify(error)
    with database.connection() as connection:
        ask(connection, "SELECT 1")
    replaced = verdict in (Verdict.READ_ONLY, Verdict.STALE) or shown is Loss
    assert (2 if replaced else 1) == database.stats().connects
    database.close()


# While connecting: what is wrong, and how the kit's error reads

Made = contextlib.AbstractContextManager[Database[Any]]


def declare(shop: Shop, *, user: str = "", password: str = "", host: str = "127.0.0.1", port: int = 0, dbname: str = "") -> Database[Any]:
    who = Credentials(user or shop.user, password or shop.password)
    return databases.mysql(host, port=port or shop.server.port, dbname=dbname, login=lambda _: who)


@contextlib.contextmanager
def wrong_password(shop: Shop) -> Iterator[Database[Any]]:
    yield declare(shop, password="wrong")


@contextlib.contextmanager
def in_german(shop: Shop) -> Iterator[Database[Any]]:
    shop.server.execute("SET GLOBAL lc_messages = 'de_DE'")
    try:
        yield declare(shop, password="wrong")
    finally:
        shop.server.execute("SET GLOBAL lc_messages = 'en_US'")


@contextlib.contextmanager
def unknown_user(shop: Shop) -> Iterator[Database[Any]]:
    yield declare(shop, user="nobody_knows")


@contextlib.contextmanager
def no_passwords_taken(shop: Shop) -> Iterator[Database[Any]]:
    shop.server.execute(f"ALTER USER {shop.user}@'%' IDENTIFIED VIA unix_socket")
    yield declare(shop)


@contextlib.contextmanager
def someone_elses_database(shop: Shop) -> Iterator[Database[Any]]:
    yield declare(shop, dbname="mysql")


@contextlib.contextmanager
def no_such_database(shop: Shop) -> Iterator[Database[Any]]:
    shop.server.execute(f"GRANT ALL ON nowhere.* TO {shop.user}@'%'")
    yield declare(shop, dbname="nowhere")


@contextlib.contextmanager
def server_is_full(shop: Shop) -> Iterator[Database[Any]]:
    shop.server.execute("SET GLOBAL max_connections = 10")
    with ExitStack() as taken:
        try:
            with contextlib.suppress(err.OperationalError):
                while True:
                    taken.enter_context(raw(shop))
            yield declare(shop)
        finally:
            # MariaDB keeps one connection more, for its superuser.
            shop.server.execute("SET GLOBAL max_connections = 151")


@contextlib.contextmanager
def user_is_full(shop: Shop) -> Iterator[Database[Any]]:
    shop.server.execute(f"GRANT USAGE ON *.* TO {shop.user}@'%' WITH MAX_USER_CONNECTIONS 1")
    with raw(shop):
        yield declare(shop)


@contextlib.contextmanager
def quota_is_used_up(shop: Shop) -> Iterator[Database[Any]]:
    shop.server.execute(f"GRANT USAGE ON *.* TO {shop.user}@'%' WITH MAX_CONNECTIONS_PER_HOUR 1")
    with raw(shop):
        yield declare(shop)


@contextlib.contextmanager
def nobody_listens(shop: Shop) -> Iterator[Database[Any]]:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    yield declare(shop, port=port)


@contextlib.contextmanager
def no_such_host(shop: Shop) -> Iterator[Database[Any]]:
    yield declare(shop, host="nowhere.invalid")


@contextlib.contextmanager
def nobody_answers(shop: Shop) -> Iterator[Database[Any]]:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        yield declare(shop, port=mute.getsockname()[1])


@pytest.mark.parametrize(
    ("wrong", "code", "verdict", "shown", "words"),
    [
        (wrong_password, 1045, Verdict.AUTH, LoginError, "Access denied"),
        (in_german, 1045, Verdict.AUTH, LoginError, "keine Zugriffsberechtigung"),
        (unknown_user, 1045, Verdict.AUTH, LoginError, "Access denied"),
        (no_passwords_taken, 1698, Verdict.AUTH, LoginError, "Access denied"),
        (someone_elses_database, 1044, Verdict.FATAL, DatabaseError, "Access denied"),
        (no_such_database, 1049, Verdict.FATAL, DatabaseError, "Unknown database"),
        (server_is_full, 1040, Verdict.WAIT, ConnectTimeoutError, "Too many connections"),
        (user_is_full, 1226, Verdict.WAIT, ConnectTimeoutError, "max_user_connections"),
        (quota_is_used_up, 1226, Verdict.WAIT, ConnectTimeoutError, "max_connections_per_hour"),
        (nobody_listens, 2003, Verdict.WAIT, ConnectTimeoutError, "refused"),
        (no_such_host, 2003, Verdict.WAIT, ConnectTimeoutError, "nowhere.invalid"),
        (nobody_answers, 2013, Verdict.LOST, ConnectTimeoutError, "timeout expired"),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_errors_of_connecting(
    shop: Shop, wrong: Callable[[Shop], Made], code: int, verdict: Verdict, shown: type[DatabaseError], words: str
) -> None:
    """
    D37: what may pass is tried until the deadline, what concerns the password asks the login, all else is said at once.
    """
    with wrong(shop) as database, _invocation.scope(FakeContext(SHORT_S)), pytest.raises(DatabaseError, match=words) as caught:
        database.connection().__enter__()

    cause = caught.value.__cause__
    assert isinstance(cause, pymysql.MySQLError)
    assert (code, verdict, shown) == (cause.args[0], classify(cause), type(caught.value))
