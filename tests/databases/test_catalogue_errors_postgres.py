"""
What PostgreSQL and psycopg really say, and what the kit takes it for: the table of errors, each provoked on a server.
"""

# Statements name a test's own tables (S608); what fills a server does it in a loop (PT012).
# ruff: noqa: PT012, S608

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import psycopg
import pytest
from psycopg import Connection, errors

from lambda_kit import _invocation, databases
from lambda_kit._local._postgres import PostgresServer
from lambda_kit._local._processes import wait_until
from lambda_kit.databases import Credentials, Database
from lambda_kit.databases._driver import Verdict
from lambda_kit.databases._postgres import _Postgres
from lambda_kit.errors import ConnectionLostError, ConnectTimeoutError, DatabaseError, LoginError
from tests.databases.conftest import Orders
from tests.databases.cutting import ANSWERED, CuttingProxy, cutting_proxy
from tests.databases.fakes import FakeContext

# Time for a few attempts, in those that wait for a server.
SHORT_S = 0.8


class Scene:
    """
    A role with a table of two rows, behind a proxy that can be cut.
    """

    def __init__(self, orders: Orders, proxy: CuttingProxy) -> None:
        self.orders, self.server, self.proxy, self.role = orders, orders.server, proxy, orders.role
        self.rows = f"{self.role}.rows"
        self.server.execute(f"INSERT INTO {self.rows} VALUES (1), (2)")

    @property
    def conninfo(self) -> str:
        return f"host=127.0.0.1 port={self.proxy.port} dbname=postgres"

    def declare(self, conninfo: str = "", **credentials: Any) -> Database[Connection]:
        who = Credentials(credentials.get("user", self.role), credentials.get("password", self.orders.password))
        return databases.postgres(conninfo or self.conninfo, login=lambda _: who)

    def run(self, statement: str) -> Callable[[Connection], object]:
        return lambda connection: connection.execute(statement)

    def end(self, connection: Connection) -> None:
        self.server.execute("SELECT pg_terminate_backend(%s, 5000)", [connection.info.backend_pid])

    @contextlib.contextmanager
    def other(self) -> Iterator[Connection]:
        """
        Have a session of the same role beside the kit's.
        """
        with psycopg.connect(self.server.conninfo(user=self.role, password=self.orders.password)) as connection:
            yield connection


@pytest.fixture
def scene(orders: Orders) -> Iterator[Scene]:
    with cutting_proxy(orders.server.port) as proxy:
        yield Scene(orders, proxy)


# In use: what is done to the connection, or asked of it, until psycopg raises


def terminated(scene: Scene, connection: Connection) -> None:
    connection.execute("SELECT 1")
    scene.end(connection)
    connection.execute("SELECT 1")


def crashed(scene: Scene, connection: Connection) -> None:
    with scene.other() as other:
        os.kill(other.info.backend_pid, signal.SIGKILL)
        assert select.select([connection.pgconn.socket], [], [], 10)[0]
        other.close()
    try:
        connection.execute("SELECT 1")
    finally:
        assert wait_until(lambda: accepts(scene.server), timeout_s=10)


def server_killed(scene: Scene, connection: Connection) -> None:
    scene.server.kill()
    try:
        connection.execute("SELECT 1")
    finally:
        scene.server.restart()


def idle_too_long(_: Scene, connection: Connection) -> None:
    connection.execute("SET idle_session_timeout = 20")
    connection.commit()
    assert select.select([connection.pgconn.socket], [], [], 10)[0]
    connection.execute("SELECT 1")


def idle_in_transaction(_: Scene, connection: Connection) -> None:
    connection.execute("SET idle_in_transaction_session_timeout = 20")
    assert select.select([connection.pgconn.socket], [], [], 10)[0]
    connection.execute("SELECT 1")


def cut_off(scene: Scene, connection: Connection) -> None:
    scene.proxy.cut(ANSWERED, 3)
    connection.execute("SELECT 1")


def cannot_send(_: Scene, connection: Connection) -> None:
    with socket.socket(fileno=os.dup(connection.pgconn.socket)) as same:
        same.shutdown(socket.SHUT_RDWR)
    connection.execute("SELECT 1")


def closed(_: Scene, connection: Connection) -> None:
    connection.close()
    connection.execute("SELECT 1")


def says(sqlstate: str) -> Callable[[Scene, Connection], None]:
    """
    Have the server raise what cannot be brought about here.
    """

    def said(_: Scene, connection: Connection) -> None:
        connection.execute(f"DO $$ BEGIN RAISE EXCEPTION 'said so' USING ERRCODE = '{sqlstate}'; END $$")

    return said


def read_only(scene: Scene, connection: Connection) -> None:
    connection.execute("SET transaction_read_only = on")
    connection.execute(f"INSERT INTO {scene.rows} VALUES (3)")


def conflict(scene: Scene, connection: Connection) -> None:
    connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    connection.execute(f"SELECT * FROM {scene.rows}")
    scene.server.execute(f"UPDATE {scene.rows} SET id = 11 WHERE id = 1")
    connection.execute(f"UPDATE {scene.rows} SET id = 21 WHERE id = 1")


def deadlock(scene: Scene, connection: Connection) -> None:
    """
    Each waits for the other; the kit's session looks first whether it is in vain.
    """
    lock = f"SELECT * FROM {scene.rows} WHERE id = %s FOR UPDATE"
    waiting = "SELECT 1 FROM pg_stat_activity WHERE pid = %s AND wait_event_type = 'Lock'"
    with psycopg.connect(scene.server.conninfo(), options="-c deadlock_timeout=20s") as other:
        other.execute(lock, [2])
        connection.execute(lock, [1])
        crossing = threading.Thread(target=other.execute, args=(lock, [1]))
        crossing.start()
        pid = other.info.backend_pid
        assert wait_until(lambda: bool(scene.server.execute(waiting, [pid])), timeout_s=10)
        try:
            connection.execute(lock, [2])
        finally:
            connection.rollback()
            crossing.join()


def too_slow(_: Scene, connection: Connection) -> None:
    connection.execute("SET statement_timeout = 20")
    connection.execute("SELECT pg_sleep(20)")


def cancelled(scene: Scene, connection: Connection) -> None:
    stop = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE pid = %s AND wait_event = 'PgSleep'"
    pid = connection.info.backend_pid
    stopping = threading.Thread(target=lambda: wait_until(lambda: bool(scene.server.execute(stop, [pid])), timeout_s=10))
    stopping.start()
    try:
        connection.execute("SELECT pg_sleep(20)")
    finally:
        stopping.join()


def not_prepared(_: Scene, connection: Connection) -> None:
    connection.execute("EXECUTE nothing")


def plan_changed(scene: Scene, connection: Connection) -> None:
    connection.execute(f"PREPARE old AS SELECT * FROM {scene.rows}")
    connection.commit()
    scene.server.execute(f"ALTER TABLE {scene.rows} ADD COLUMN more int")
    connection.execute("EXECUTE old")


def twice(scene: Scene, connection: Connection) -> None:
    connection.execute(f"INSERT INTO {scene.rows} VALUES (1)")


def no_table(_: Scene, connection: Connection) -> None:
    connection.execute("SELECT * FROM nowhere")


def no_lock(scene: Scene, connection: Connection) -> None:
    with scene.other() as other:
        other.execute(f"LOCK TABLE {scene.rows}")
        connection.execute(f"LOCK TABLE {scene.rows} NOWAIT")


Loss = ConnectionLostError


@pytest.mark.parametrize(
    ("provoke", "raised", "verdict", "shown"),
    [
        pytest.param(terminated, errors.AdminShutdown, Verdict.LOST, Loss, id="57P01"),
        pytest.param(says("57P02"), errors.CrashShutdown, Verdict.LOST, None, id="57P02"),
        pytest.param(crashed, psycopg.OperationalError, Verdict.LOST, Loss, id="another backend crashed"),
        pytest.param(server_killed, psycopg.OperationalError, Verdict.LOST, Loss, id="kill -9"),
        pytest.param(idle_too_long, errors.IdleSessionTimeout, Verdict.LOST, Loss, id="57P05"),
        pytest.param(idle_in_transaction, errors.IdleInTransactionSessionTimeout, Verdict.LOST, Loss, id="25P03"),
        pytest.param(says("08006"), errors.ConnectionFailure, Verdict.LOST, None, id="08006"),
        pytest.param(cut_off, psycopg.OperationalError, Verdict.LOST, Loss, id="cut"),
        pytest.param(cannot_send, psycopg.OperationalError, Verdict.LOST, Loss, id="cannot send"),
        pytest.param(closed, psycopg.OperationalError, Verdict.LOST, Loss, id="closed"),
        pytest.param(says("28P01"), errors.InvalidPassword, Verdict.AUTH, None, id="28P01"),
        pytest.param(says("28000"), errors.InvalidAuthorizationSpecification, Verdict.AUTH, None, id="28000"),
        pytest.param(read_only, errors.ReadOnlySqlTransaction, Verdict.READ_ONLY, None, id="25006"),
        pytest.param(says("53300"), errors.TooManyConnections, Verdict.WAIT, None, id="53300"),
        pytest.param(says("57P03"), errors.CannotConnectNow, Verdict.WAIT, None, id="57P03"),
        pytest.param(conflict, errors.SerializationFailure, Verdict.RETRY, None, id="40001"),
        pytest.param(deadlock, errors.DeadlockDetected, Verdict.RETRY, None, id="40P01"),
        pytest.param(not_prepared, errors.InvalidSqlStatementName, Verdict.STALE, None, id="26000"),
        pytest.param(plan_changed, errors.FeatureNotSupported, Verdict.STALE, None, id="0A000"),
        pytest.param(too_slow, errors.QueryCanceled, Verdict.TIMEOUT, None, id="57014 by time"),
        pytest.param(cancelled, errors.QueryCanceled, Verdict.TIMEOUT, None, id="57014 by hand"),
        pytest.param(twice, errors.UniqueViolation, Verdict.FATAL, None, id="23505"),
        pytest.param(no_table, errors.UndefinedTable, Verdict.FATAL, None, id="42P01"),
        pytest.param(no_lock, errors.LockNotAvailable, Verdict.FATAL, None, id="55P03"),
    ],
)
def test_errors_in_use(
    scene: Scene, provoke: Callable[[Scene, Connection], None], raised: type[Exception], verdict: Verdict, shown: type[Exception] | None
) -> None:
    """
    D37: a lost connection is ConnectionLostError; all else reaches the user as psycopg says it. The next block works in each case.
    """
    scene.server.execute(f"ALTER ROLE {scene.role} SET deadlock_timeout = '10ms'")
    database = scene.declare()

    with pytest.raises(shown or raised) as caught, database.connection() as connection:
        provoke(scene, connection)

    error = caught.value.__cause__ if shown else caught.value
    assert isinstance(error, raised)
    assert verdict is _Postgres("").classify(error)
    with database.connection() as connection:
        assert (1,) == connection.execute("SELECT 1").fetchone()
    replaced = verdict in (Verdict.READ_ONLY, Verdict.STALE) or shown is Loss
    assert (2 if replaced else 1) == database.stats().connects
    database.close()


# While connecting: what is wrong, and how the kit's error reads


@contextlib.contextmanager
def wrong_password(scene: Scene) -> Iterator[Database[Connection]]:
    yield scene.declare(password="wrong")


@contextlib.contextmanager
def unknown_role(scene: Scene) -> Iterator[Database[Connection]]:
    yield scene.declare(user="nobody_knows")


@contextlib.contextmanager
def no_login(scene: Scene) -> Iterator[Database[Connection]]:
    scene.server.execute(f"ALTER ROLE {scene.role} NOLOGIN")
    yield scene.declare()


@contextlib.contextmanager
def no_password(scene: Scene) -> Iterator[Database[Connection]]:
    yield databases.postgres(f"{scene.conninfo} user={scene.role}")


@contextlib.contextmanager
def not_in_pg_hba(scene: Scene) -> Iterator[Database[Connection]]:
    with rules(scene.server, "host all postgres 127.0.0.1/32 scram-sha-256"):
        yield scene.declare()


@contextlib.contextmanager
def rejected_by_pg_hba(scene: Scene) -> Iterator[Database[Connection]]:
    with rules(scene.server, f"host all {scene.role} 127.0.0.1/32 reject\nhost all all 127.0.0.1/32 scram-sha-256"):
        yield scene.declare()


@contextlib.contextmanager
def rules(server: PostgresServer, text: str) -> Iterator[None]:
    """
    Let in who is named in *text* only.
    """
    ((path,),) = server.execute("SHOW hba_file")
    with open(path, encoding="utf-8") as file:
        before = file.read()
    try:
        put(server, path, text)
        yield
    finally:
        put(server, path, before)


def put(server: PostgresServer, path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"{text}\n")
    loaded = "SELECT pg_conf_load_time()"
    before = server.execute(loaded)
    server.execute("SELECT pg_reload_conf()")
    assert wait_until(lambda: server.execute(loaded) != before, timeout_s=10)


@contextlib.contextmanager
def role_is_full(scene: Scene) -> Iterator[Database[Connection]]:
    scene.server.execute(f"ALTER ROLE {scene.role} CONNECTION LIMIT 1")
    with scene.other():
        yield scene.declare()


@contextlib.contextmanager
def slots_are_reserved(scene: Scene) -> Iterator[Database[Connection]]:
    with ExitStack() as taken:
        with pytest.raises(psycopg.OperationalError, match="remaining connection slots"):
            while True:
                taken.enter_context(scene.other())
        yield scene.declare()


@contextlib.contextmanager
def server_is_full(scene: Scene) -> Iterator[Database[Connection]]:
    with ExitStack() as taken:
        with pytest.raises(psycopg.OperationalError, match="too many clients already"):
            while True:
                taken.enter_context(psycopg.connect(scene.server.conninfo()))
        yield scene.declare()


@contextlib.contextmanager
def shutting_down(scene: Scene) -> Iterator[Database[Connection]]:
    """
    The server waits for its last session, and takes no new one.
    """
    process = scene.server._process
    with scene.other() as last:
        process.send_signal(signal.SIGTERM)
        assert wait_until(lambda: not accepts(scene.server), timeout_s=10)
        yield scene.declare()
        last.close()
    process.wait(10)
    scene.server.restart()


@contextlib.contextmanager
def nobody_listens(scene: Scene) -> Iterator[Database[Connection]]:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    yield scene.declare(f"host=127.0.0.1 port={port} dbname=postgres")


@contextlib.contextmanager
def nobody_answers(scene: Scene) -> Iterator[Database[Connection]]:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        yield scene.declare(f"host=127.0.0.1 port={mute.getsockname()[1]} dbname=postgres")


@contextlib.contextmanager
def no_such_host(scene: Scene) -> Iterator[Database[Connection]]:
    yield scene.declare("host=nowhere.invalid dbname=postgres")


@contextlib.contextmanager
def a_reader_where_a_writer_is_wanted(scene: Scene) -> Iterator[Database[Connection]]:
    scene.server.execute(f"ALTER ROLE {scene.role} SET default_transaction_read_only = on")
    yield scene.declare(f"{scene.conninfo} target_session_attrs=read-write")


@contextlib.contextmanager
def cut_while_connecting(scene: Scene) -> Iterator[Database[Connection]]:
    """
    The peer takes the connection and closes it.
    """
    with socket.create_server(("127.0.0.1", 0)) as rude:

        def close() -> None:
            with contextlib.suppress(OSError):
                while True:
                    rude.accept()[0].close()

        closing = threading.Thread(target=close)
        closing.start()
        yield scene.declare(f"host=127.0.0.1 port={rude.getsockname()[1]} dbname=postgres")
        rude.shutdown(socket.SHUT_RDWR)
        closing.join()


@contextlib.contextmanager
def no_such_database(scene: Scene) -> Iterator[Database[Connection]]:
    yield scene.declare(f"{scene.conninfo} dbname=nowhere")


@contextlib.contextmanager
def closed_database(scene: Scene) -> Iterator[Database[Connection]]:
    scene.server.execute(f"CREATE DATABASE {scene.role} ALLOW_CONNECTIONS false")
    yield scene.declare(f"{scene.conninfo} dbname={scene.role}")


def accepts(server: PostgresServer) -> bool:
    try:
        return bool(server.execute("SELECT 1"))
    except psycopg.OperationalError:
        return False


Wrong = Callable[[Scene], contextlib.AbstractContextManager[Database[Connection]]]


@pytest.mark.parametrize(
    ("wrong", "verdict", "shown", "words"),
    [
        (wrong_password, Verdict.AUTH, LoginError, "password authentication failed"),
        (unknown_role, Verdict.AUTH, LoginError, "password authentication failed"),
        (no_login, Verdict.AUTH, LoginError, "is not permitted to log in"),
        (no_password, Verdict.AUTH, LoginError, "no password supplied"),
        (not_in_pg_hba, Verdict.AUTH, LoginError, "no pg_hba.conf entry"),
        (rejected_by_pg_hba, Verdict.AUTH, LoginError, "pg_hba.conf rejects connection"),
        (role_is_full, Verdict.WAIT, ConnectTimeoutError, "too many connections for role"),
        (slots_are_reserved, Verdict.WAIT, ConnectTimeoutError, "remaining connection slots"),
        (server_is_full, Verdict.WAIT, ConnectTimeoutError, "too many clients already"),
        (shutting_down, Verdict.WAIT, ConnectTimeoutError, "the database system is shutting down"),
        (nobody_listens, Verdict.WAIT, ConnectTimeoutError, "Connection refused"),
        (nobody_answers, Verdict.WAIT, ConnectTimeoutError, "connection timeout expired"),
        (no_such_host, Verdict.WAIT, ConnectTimeoutError, "nowhere.invalid"),
        (a_reader_where_a_writer_is_wanted, Verdict.WAIT, ConnectTimeoutError, "session is read-only"),
        (cut_while_connecting, Verdict.LOST, ConnectTimeoutError, "server closed the connection"),
        (no_such_database, Verdict.FATAL, DatabaseError, "does not exist"),
        (closed_database, Verdict.FATAL, DatabaseError, "not currently accepting connections"),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_errors_of_connecting(scene: Scene, wrong: Wrong, verdict: Verdict, shown: type[DatabaseError], words: str) -> None:
    """
    D37: what may pass is tried until the deadline, what concerns the password asks the login, all else is said at once.
    """
    with wrong(scene) as database, _invocation.scope(FakeContext(SHORT_S)), pytest.raises(DatabaseError, match=words) as caught:
        database.connection().__enter__()

    cause = caught.value.__cause__
    assert isinstance(cause, psycopg.OperationalError)
    assert (verdict, shown) == (_Postgres("").classify(cause), type(caught.value))
