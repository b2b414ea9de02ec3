"""
Drivers given as functions: sqlite3, and a client of pymongo's shape, which has no transactions and pings by a command.
"""

# The with blocks under test have bodies (PT012).
# ruff: noqa: PT012

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from lambda_kit import _invocation, databases, preload
from lambda_kit.databases import Credentials, Database, Verdict
from lambda_kit.errors import ConfigurationError, ConnectionLostError, ConnectTimeoutError, LoginError
from tests.databases.fakes import FakeContext

# sqlite3


def classify_sqlite(error: BaseException) -> Verdict | None:
    if not isinstance(error, sqlite3.Error):
        return None
    if isinstance(error, sqlite3.ProgrammingError) and "closed database" in str(error):
        return Verdict.LOST
    if isinstance(error, sqlite3.OperationalError) and "unable to open" in str(error):
        return Verdict.WAIT
    return Verdict.FATAL


def sqlite_database(path: Path) -> Database[sqlite3.Connection]:
    return databases.reconnecting(
        # A connection is used by one thread at a time, though not always the same.
        lambda _, timeout_s: sqlite3.connect(path, timeout=timeout_s, check_same_thread=False),
        lambda connection, _: connection.execute("SELECT 1").fetchone() == (1,),
        classify_sqlite,
        sqlite3.Connection.close,
        name="sqlite",
        commit=sqlite3.Connection.commit,
        roll_back=sqlite3.Connection.rollback,
        in_transaction=lambda connection: connection.in_transaction,
        ping_after_s=0,
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """
    A file with an empty table.
    """
    file = tmp_path / "numbers.db"
    connection = sqlite3.connect(file)
    connection.execute("CREATE TABLE numbers (id int)")
    connection.close()
    return file


def numbers(path: Path) -> list[int]:
    """
    What is committed.
    """
    connection = sqlite3.connect(path)
    try:
        return [number for (number,) in connection.execute("SELECT id FROM numbers")]
    finally:
        connection.close()


def test_a_block_commits_or_rolls_back(path: Path) -> None:
    """
    With commit and roll_back given, a block is a transaction, on a connection that is kept and pinged.
    """
    database = sqlite_database(path)
    with database.connection() as connection:
        connection.execute("INSERT INTO numbers VALUES (1)")
    with pytest.raises(KeyError), database.connection() as connection:
        connection.execute("INSERT INTO numbers VALUES (2)")
        raise KeyError

    assert [1] == numbers(path)
    assert (1, 1) == (database.stats().connects, database.stats().pings)
    database.close()


def test_a_transaction_left_behind_is_not_committed(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """
    in_transaction tells of it at the next checkout.
    """
    database = sqlite_database(path)
    with _invocation.scope(FakeContext(9.0, "request-a")), database.connection() as kept:
        pass
    kept.execute("INSERT INTO numbers VALUES (1)")

    with database.connection() as connection:
        connection.execute("INSERT INTO numbers VALUES (2)")
    assert [2] == numbers(path)
    assert "left open by request request-a" in caplog.text
    database.close()


def test_a_dead_connection_is_replaced(path: Path) -> None:
    """
    An exception in is_alive is no sign of life.
    """
    database = sqlite_database(path)
    with database.connection() as connection:
        pass
    connection.close()

    with database.connection() as again:
        assert again is not connection
    assert {"closed": 1} == database.stats().reconnects
    database.close()


def test_a_connection_lost_in_use_is_said_and_replaced(path: Path) -> None:
    """
    classify() says so of the error; run() may do it again.
    """
    database = sqlite_database(path)

    with pytest.raises(ConnectionLostError, match="the connection to sqlite was lost") as caught, database.connection() as connection:
        connection.close()
        connection.execute("SELECT 1")
    assert caught.value.in_doubt
    closes = [sqlite3.Connection.close]

    def work(connection: sqlite3.Connection) -> object:
        while closes:
            closes.pop()(connection)
        return connection.execute("SELECT 42").fetchone()

    assert (42,) == database.run(work, idempotent=True)
    assert {"lost": 2} == database.stats().reconnects
    database.close()


def test_a_connect_that_may_succeed_later_is_tried_again(tmp_path: Path) -> None:
    """
    WAIT goes on until the deadline, FATAL does not.
    """
    database = sqlite_database(tmp_path / "nowhere" / "x.db")

    with _invocation.scope(FakeContext(0.7)), pytest.raises(ConnectTimeoutError, match="unable to open"), database.connection():
        pass


# The shape of pymongo: a client object, no transaction, ``client.admin.command("ping")``, and its errors


class MongoError(Exception):
    """
    Of pymongo's errors, what the example needs.
    """

    def __init__(self, message: str, code: int | None = None) -> None:
        super().__init__(message)
        self.code = code


class Admin:
    def __init__(self) -> None:
        self.answers = True

    def command(self, name: str) -> dict[str, float]:
        if not self.answers:
            raise MongoError(f"connection closed: {name}")
        return {"ok": 1.0}


class MongoClient:
    """
    A client that knows one password.
    """

    def __init__(self, *, username: str, password: str, timeout_ms: int) -> None:
        if password != "second":
            raise MongoError("Authentication failed.", code=18)
        self.admin = Admin()
        self.username, self.timeout_ms = username, timeout_ms

    def close(self) -> None:
        raise MongoError("closing fails too")


def connect_mongo(credentials: Credentials | None, timeout_s: float) -> MongoClient:
    assert credentials is not None
    return MongoClient(username=credentials.user, password=credentials.password, timeout_ms=int(timeout_s * 1000))


def classify_mongo(error: BaseException) -> Verdict | None:
    if not isinstance(error, MongoError):
        return None
    return Verdict.AUTH if error.code == 18 else Verdict.LOST


def mongo(login: databases.Login) -> Database[MongoClient]:
    return databases.reconnecting(
        connect_mongo,
        lambda client, _: client.admin.command("ping")["ok"] == 1.0,
        classify_mongo,
        MongoClient.close,
        name="mongo",
        login=login,
        ping_after_s=0,
    )


def rotating(refused: Credentials | None, /) -> Credentials:
    return Credentials("app", "first" if refused is None else "second")


def test_a_client_without_transactions_is_just_kept() -> None:
    """
    The login is asked as with any driver, an attempt has its limit, and the end of a block calls nothing.
    """
    database = mongo(rotating)
    with pytest.raises(KeyError), database.connection() as client:
        assert ("app", 5000) == (client.username, client.timeout_ms)
        raise KeyError

    with database.connection() as again:
        assert again is client
    again.admin.answers = False
    with database.connection() as other:
        assert other is not client
    database.close()


def test_a_refused_login_is_a_login_error() -> None:
    """
    AUTH means what it means everywhere.
    """

    def stubborn(_: Credentials | None, /) -> Credentials:
        return Credentials("app", "first")

    with _invocation.scope(FakeContext(1.0)), pytest.raises(LoginError, match="no connection to mongo"), mongo(stubborn).connection():
        pass


# Declaring


def test_half_a_transaction_is_refused() -> None:
    """
    What can be committed must be able to be rolled back.
    """
    with pytest.raises(ConfigurationError, match="commit and roll_back, or neither"):
        databases.reconnecting(connect_mongo, lambda *_: True, classify_mongo, MongoClient.close, commit=lambda _: None)


def test_preload_imports_what_it_is_told_to() -> None:
    """
    The end of INIT calls load, where there is one.
    """
    loaded: list[str] = []
    first = databases.reconnecting(connect_mongo, lambda *_: True, classify_mongo, MongoClient.close, load=lambda: loaded.append("driver"))
    second = mongo(rotating)

    preload(first, second)

    assert ["driver"] == loaded


def test_without_in_transaction_each_block_ends_one() -> None:
    """
    The kit cannot know, so it commits or rolls back each time, and takes connections for idle between blocks.
    """
    said: list[str] = []
    database = databases.reconnecting(
        lambda *_: object(),
        lambda *_: True,
        lambda _: None,
        lambda _: said.append("close"),
        commit=lambda _: said.append("commit"),
        roll_back=lambda _: said.append("roll back"),
    )
    with database.connection():
        pass
    with pytest.raises(KeyError), database.connection():
        raise KeyError
    database.close()

    assert ["commit", "roll back", "close"] == said
