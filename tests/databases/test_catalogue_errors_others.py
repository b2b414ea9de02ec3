"""
The table of errors for what stands on other drivers: SQLAlchemy over the kit's connections, and pymongo's shape given as functions.
"""

# The with blocks under test have bodies (PT012); the names of pymongo's errors are pymongo's (N818).
# ruff: noqa: N818, PT012

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from psycopg import Connection, errors
from pymysql import err
from sqlalchemy import Engine, exc, text

from lambda_kit import _invocation, databases
from lambda_kit.databases import Credentials, Database, Verdict
from lambda_kit.errors import ConnectionLostError, ConnectTimeoutError, DatabaseError, DeadlineError, LoginError
from tests.databases.accounts import Shop
from tests.databases.conftest import Declare, Orders
from tests.databases.fakes import FakeContext
from tests.threads import at_once

# SQLAlchemy


def terminated(orders: Orders, connection: Any) -> None:
    connection.execute(text("SELECT 1"))
    orders.end_sessions()
    connection.execute(text("SELECT 1"))


def asks(*statements: str) -> Callable[[Orders, Any], None]:
    def ask(orders: Orders, connection: Any) -> None:
        for statement in statements:
            connection.execute(text(statement.replace("ROWS", f"{orders.role}.rows")))

    return ask


def says(sqlstate: str) -> Callable[[Orders, Any], None]:
    return asks(f"DO $$ BEGIN RAISE EXCEPTION 'said so' USING ERRCODE = '{sqlstate}'; END $$")


@pytest.fixture
def engine(database: Database[Connection]) -> Iterator[Engine]:
    made = database.sqlalchemy_engine()
    yield made
    made.dispose()


@pytest.mark.parametrize(
    ("provoke", "shown", "original", "replaced"),
    [
        pytest.param(terminated, exc.OperationalError, errors.AdminShutdown, True, id="57P01"),
        pytest.param(
            asks("SET transaction_read_only = on", "INSERT INTO ROWS VALUES (1)"),
            exc.InternalError,
            errors.ReadOnlySqlTransaction,
            True,
            id="25006",
        ),
        pytest.param(asks("EXECUTE nothing"), exc.DBAPIError, errors.InvalidSqlStatementName, True, id="26000"),
        pytest.param(says("40001"), exc.OperationalError, errors.SerializationFailure, False, id="40001"),
        pytest.param(
            asks("SET statement_timeout = 20", "SELECT pg_sleep(20)"), exc.OperationalError, errors.QueryCanceled, False, id="57014"
        ),
        pytest.param(
            asks("INSERT INTO ROWS VALUES (1)", "INSERT INTO ROWS VALUES (1)"),
            exc.IntegrityError,
            errors.UniqueViolation,
            False,
            id="23505",
        ),
        pytest.param(asks("SELECT * FROM nowhere"), exc.ProgrammingError, errors.UndefinedTable, False, id="42P01"),
    ],
)
def test_sqlalchemy_knows_which_errors_cost_the_connection(
    orders: Orders,
    database: Database[Connection],
    engine: Engine,
    provoke: Callable[[Orders, Any], None],
    shown: type[exc.DBAPIError],
    original: type[Exception],
    replaced: bool,
) -> None:
    """
    D37: the driver's error is SQLAlchemy's orig; connection_invalidated says LOST, READONLY and stale statements, and nothing else.
    """
    with pytest.raises(shown) as caught, engine.begin() as connection:
        provoke(orders, connection)

    assert isinstance(caught.value.orig, original)
    assert replaced is caught.value.connection_invalidated
    with engine.connect() as connection:
        assert 1 == connection.execute(text("SELECT 1")).scalar_one()
    assert (2 if replaced else 1) == database.stats().connects


@pytest.mark.parametrize(("statement", "replaced"), [("KILL {}", True), ("NONSENSE", False)], ids=["killed", "1064"])
def test_sqlalchemy_knows_them_of_mysql_too(shop: Shop, statement: str, replaced: bool) -> None:
    """
    D37: a session that was killed costs the connection, a wrong statement does not.
    """
    engine = databases.mysql(login=shop.login).sqlalchemy_engine()

    with pytest.raises(exc.DBAPIError) as caught, engine.begin() as connection:
        number = connection.execute(text("SELECT connection_id()")).scalar_one()
        connection.execute(text(statement.format(number)))
        connection.execute(text("SELECT 1"))

    assert isinstance(caught.value.orig, err.MySQLError)
    assert replaced is caught.value.connection_invalidated
    with engine.connect() as connection:
        assert 1 == connection.execute(text("SELECT 1")).scalar_one()
    engine.dispose()


def test_sqlalchemys_checkout_fails_with_the_kits_errors(orders: Orders, declare: Declare) -> None:
    """
    D37: what SQLAlchemy would call OperationalError or TimeoutError has a type of its own: login, reach, room, deadline.
    """
    refused = declare(login=lambda _: Credentials(orders.role, "wrong")).sqlalchemy_engine()
    with _invocation.scope(FakeContext(0.8)), pytest.raises(LoginError):
        refused.connect()
    nowhere = declare("host=nowhere.invalid dbname=postgres").sqlalchemy_engine()
    with _invocation.scope(FakeContext(0.8)), pytest.raises(ConnectTimeoutError):
        nowhere.connect()
    engine = declare().sqlalchemy_engine()
    with _invocation.scope(FakeContext(0.2)), pytest.raises(DeadlineError):
        engine.connect()

    def in_vain() -> None:
        with _invocation.scope(FakeContext(0.6)), pytest.raises(DatabaseError, match="max_connections=1"):
            engine.connect()

    with engine.connect():
        at_once(1, in_vain)
    engine.dispose()


# pymongo's errors, as far as a classify function needs to know them


class PyMongoError(Exception):
    """
    The root of them.
    """

    def __init__(self, message: str = "", code: int | None = None, labels: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.code = code
        self._labels = labels

    def has_error_label(self, label: str) -> bool:
        return label in self._labels


class AutoReconnect(PyMongoError): ...


class NetworkTimeout(AutoReconnect): ...


class NotPrimaryError(AutoReconnect): ...


class ServerSelectionTimeoutError(AutoReconnect): ...


class OperationFailure(PyMongoError): ...


class ExecutionTimeout(OperationFailure): ...


class DuplicateKeyError(OperationFailure): ...


def classify_mongo(error: BaseException) -> Verdict | None:
    """
    Do as a user of pymongo would; the order counts, since all of a network's errors are AutoReconnect.
    """
    if not isinstance(error, PyMongoError):
        return None
    if error.has_error_label("TransientTransactionError"):
        return Verdict.RETRY
    if isinstance(error, OperationFailure):
        by_code = {18: Verdict.AUTH, 8000: Verdict.AUTH, 50: Verdict.TIMEOUT, 10107: Verdict.READ_ONLY, 13435: Verdict.READ_ONLY}
        return by_code.get(error.code or 0, Verdict.FATAL)
    if isinstance(error, NotPrimaryError):
        return Verdict.READ_ONLY
    return Verdict.WAIT if isinstance(error, ServerSelectionTimeoutError) else Verdict.LOST


class Client:
    """
    A client that can only be made.
    """

    def close(self) -> None: ...


def mongo(*script: PyMongoError) -> Database[Client]:
    """
    Declare a database whose connects fail as told, and then succeed.
    """
    failures = list(script)

    def connect(_: Credentials | None, timeout_s: float) -> Client:
        assert timeout_s > 0
        if failures:
            raise failures.pop(0)
        return Client()

    return databases.reconnecting(
        connect,
        lambda client, _: isinstance(client, Client),
        classify_mongo,
        Client.close,
        name="mongo",
        login=lambda refused: Credentials("app", "first" if refused is None else "second"),
    )


@pytest.mark.parametrize(
    ("error", "verdict", "shown", "replaced"),
    [
        (AutoReconnect("connection closed"), Verdict.LOST, ConnectionLostError, True),
        (NetworkTimeout("timed out"), Verdict.LOST, ConnectionLostError, True),
        (NotPrimaryError("not primary"), Verdict.READ_ONLY, NotPrimaryError, True),
        (OperationFailure("not primary", 10107), Verdict.READ_ONLY, OperationFailure, True),
        (OperationFailure("Authentication failed.", 18), Verdict.AUTH, OperationFailure, False),
        (OperationFailure("bad auth", 8000), Verdict.AUTH, OperationFailure, False),
        (ServerSelectionTimeoutError("no servers"), Verdict.WAIT, ServerSelectionTimeoutError, False),
        (OperationFailure("conflict", 112, ("TransientTransactionError",)), Verdict.RETRY, OperationFailure, False),
        (ExecutionTimeout("too slow", 50), Verdict.TIMEOUT, ExecutionTimeout, False),
        (DuplicateKeyError("twice", 11000), Verdict.FATAL, DuplicateKeyError, False),
    ],
    ids=repr,
)
def test_pymongos_errors_in_use(error: PyMongoError, verdict: Verdict, shown: type[Exception], replaced: bool) -> None:
    """
    D37: given as a function, the table costs or keeps connections as the kit's own drivers do; run() repeats what may succeed.
    """
    database = mongo()
    done = []

    with pytest.raises(shown) as caught, database.connection():
        raise error

    assert verdict is classify_mongo(error)
    assert error in (caught.value, caught.value.__cause__)

    def work(_: Client) -> str:
        done.append(1)
        if len(done) == 1:
            raise error
        return "done"

    repeatable = verdict in (Verdict.LOST, Verdict.READ_ONLY, Verdict.RETRY)
    if repeatable:
        assert "done" == database.run(work, idempotent=True)
    else:
        with pytest.raises(shown):
            database.run(work, idempotent=True)
    assert (2 if repeatable else 1) == len(done)
    assert (3 if replaced else 1) == database.stats().connects


@pytest.mark.parametrize(
    "error",
    [ServerSelectionTimeoutError("no servers"), AutoReconnect("closed"), NotPrimaryError("stepped down"), OperationFailure("refused", 18)],
    ids=repr,
)
def test_pymongos_errors_of_connecting(error: PyMongoError) -> None:
    """
    D37: a server that is not ready is tried again, and a refused password replaced.
    """
    with mongo(error).connection() as client:
        assert isinstance(client, Client)
