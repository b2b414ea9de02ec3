"""
SQLAlchemy's engine on the kit's connections: its transactions, sessions and invalidation, and the kit's life underneath.
"""

# The with blocks under test have bodies (PT012); statements name a test's own tables (S608).
# ruff: noqa: PT012, S608

from __future__ import annotations

import gc
import select
import threading
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
import sqlalchemy
from psycopg import Connection
from sqlalchemy import Engine, event, exc, text
from sqlalchemy.exc import DBAPIError, InternalError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from lambda_kit import _invocation, _runtime, databases
from lambda_kit._local._processes import wait_until
from lambda_kit.databases import Credentials, Database
from lambda_kit.errors import CommitUnknownError, ConfigurationError, DatabaseError, DeadlineError, LoginError
from tests import fresh_process
from tests.databases.conftest import Orders
from tests.databases.fakes import FakeContext
from tests.databases.proxy import proxy
from tests.databases.servers import MariaServer

Declare = Callable[..., Database[Connection]]


@pytest.fixture
def engine(database: Database[Connection]) -> Iterator[Engine]:
    made = database.sqlalchemy_engine()
    yield made
    made.dispose()


def insert(connection: Any, orders: Orders, number: int) -> None:
    connection.execute(text(f"INSERT INTO {orders.role}.rows VALUES ({number})"))


def pid(connection: Any) -> int:
    found: int = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
    return found


# Declaring


def test_an_engine_connects_when_it_is_used() -> None:
    """
    At global scope it costs imports and no network.
    """
    code = """
        import json
        from lambda_kit import databases
        db = databases.postgres("host=nowhere.invalid")
        engine = db.sqlalchemy_engine(echo=False)
        print(json.dumps([engine.dialect.name, engine.dialect.driver, db.stats().connects]))
    """
    assert ["postgresql", "psycopg", 0] == fresh_process.result(code)


@pytest.mark.parametrize("option", ["pool_pre_ping", "poolclass", "creator", "connect_args"])
def test_options_that_the_kit_decides_are_refused(database: Database[Connection], option: str) -> None:
    """
    The database's declaration says how to connect and how many connections there are.
    """
    with pytest.raises(ConfigurationError, match=f"takes no {option}"):
        database.sqlalchemy_engine(**{option: None})


def test_there_is_no_engine_for_everything() -> None:
    """
    Redis is none of SQLAlchemy's.
    """
    with pytest.raises(ConfigurationError, match="no dialect for redis"):
        databases.redis("redis://h").sqlalchemy_engine()


# Transactions


def test_a_commit_and_a_rollback(orders: Orders, database: Database[Connection], engine: Engine) -> None:
    """
    begin() commits on success; an error, or leaving without a commit, rolls back; all on one connection.
    """
    with engine.begin() as connection:
        insert(connection, orders, 1)
    with pytest.raises(KeyError), engine.begin() as connection:
        insert(connection, orders, 2)
        raise KeyError
    with engine.connect() as connection:
        insert(connection, orders, 3)

    assert [1] == orders.rows
    assert 1 == database.stats().connects


def test_a_savepoint_keeps_the_rest(orders: Orders, engine: Engine) -> None:
    """
    begin_nested() is SQLAlchemy's own business.
    """
    with engine.begin() as connection:
        insert(connection, orders, 1)
        with pytest.raises(exc.IntegrityError), connection.begin_nested():
            insert(connection, orders, 1)

    assert [1] == orders.rows


def test_a_raw_connection_left_open_is_rolled_back(orders: Orders, database: Database[Connection], engine: Engine) -> None:
    """
    Closing the driver's connection gives it back, without what was not committed.
    """
    raw = engine.raw_connection()
    raw.cursor().execute(f"INSERT INTO {orders.role}.rows VALUES (1)")
    raw.close()

    assert [] == orders.rows
    with database.connection() as connection:
        assert psycopg.pq.TransactionStatus.IDLE == connection.info.transaction_status
    assert 0 == database.stats().rollbacks


class Base(DeclarativeBase):
    pass


class Row(Base):
    __tablename__ = "orm_rows"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


def test_an_orm_session_works(orders: Orders, database: Database[Connection], engine: Engine) -> None:
    """
    Objects are written, read and changed, in sessions one after the other.
    """
    here = engine.execution_options(schema_translate_map={None: orders.role})
    Base.metadata.create_all(here)
    with Session(here) as session, session.begin():
        session.add(Row(id=1, name="one"))
    with Session(here) as session:
        session.get_one(Row, 1).name = "uno"
        session.commit()
    with Session(here) as session:
        session.get_one(Row, 1).name = "lost"
        session.flush()

    with Session(here) as session:
        assert ["uno"] == list(session.scalars(sqlalchemy.select(Row.name)))
    assert 1 == database.stats().connects


# Connections


def test_one_engine_two_threads_two_connections(declare: Declare) -> None:
    """
    With two connections allowed, two transactions run at once; a third thread waits.
    """
    database = declare(max_connections=2)
    engine = database.sqlalchemy_engine()
    meet = threading.Barrier(2)
    pids: list[int] = []

    def work() -> None:
        with engine.begin() as connection:
            pids.append(pid(connection))
            if len(pids) <= 2:
                meet.wait(10)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert 3 == len(pids)
    assert 2 == len(set(pids))
    assert 2 == database.stats().connects
    engine.dispose()


def test_a_nested_checkout_in_one_thread_is_refused(engine: Engine) -> None:
    """
    As with the database itself: it would be another transaction.
    """
    with engine.connect(), pytest.raises(DatabaseError, match="pass it down"):
        engine.connect()
    with engine.connect() as connection:
        assert pid(connection)


def test_a_connection_that_a_traceback_keeps_alive_blocks_nobody(database: Database[Connection], engine: Engine) -> None:
    """
    An invocation that failed with a connection in a local variable, and an error that is kept, cost the connection only.
    """

    def fail() -> None:
        connection = engine.connect()
        raise ValueError(f"failed on {pid(connection)}")

    with pytest.raises(ValueError, match="failed on") as kept, _invocation.scope(FakeContext(5.0)):
        fail()

    with _invocation.scope(FakeContext(5.0)), engine.connect() as connection:
        assert f"failed on {pid(connection)}" != str(kept.value)
    del kept
    gc.collect()
    with engine.connect():
        pass
    assert {"busy": 1} == database.stats().reconnects


def test_the_driver_and_the_engine_share_connections(database: Database[Connection], engine: Engine) -> None:
    """
    SQLAlchemy prepares each connection once, whoever made it and however often it is handed out.
    """
    prepared: list[object] = []
    event.listen(engine, "connect", lambda raw, _: prepared.append(raw))
    with database.connection() as connection:
        number = connection.info.backend_pid
    for _ in range(3):
        with engine.connect() as borrowed:
            assert number == pid(borrowed)

    assert [connection] == prepared


def test_a_failing_listener_leaves_nothing_held(database: Database[Connection], engine: Engine) -> None:
    """
    An error while SQLAlchemy prepares a connection gives it back.
    """
    fails = [True]

    def listener(*_: object) -> None:
        if fails:
            fails.clear()
            raise KeyError("mine")

    event.listen(engine, "connect", listener)

    with pytest.raises(KeyError, match="mine"):
        engine.connect()
    with engine.connect() as connection:
        assert pid(connection)


def test_a_detached_connection_is_given_back_when_it_is_closed(database: Database[Connection], engine: Engine) -> None:
    """
    Until then nobody else gets it.
    """
    with engine.connect() as connection:
        connection.detach()
        number = pid(connection)
        with pytest.raises(DatabaseError, match="pass it down"):
            engine.connect()
    with engine.connect() as connection:
        assert number != pid(connection)


def test_a_connection_given_back_elsewhere_is_free(engine: Engine) -> None:
    """
    The thread that checks in need not be the one that checked out.
    """
    connection = engine.connect()
    thread = threading.Thread(target=connection.close)
    thread.start()
    thread.join(10)

    with engine.connect() as again:
        assert pid(again)


def test_a_connection_held_over_a_restore_is_dropped(database: Database[Connection], engine: Engine) -> None:
    """
    Its socket is another life's: nothing is sent on it.
    """
    connection = engine.connect()
    number = pid(connection)
    connection.rollback()
    _runtime.restored()
    connection.close()

    with engine.connect() as connection:
        assert number != pid(connection)
    assert {"life": 1} == database.stats().reconnects


def test_dispose_closes_what_is_idle(orders: Orders, engine: Engine) -> None:
    """
    The engine stays usable, as any engine does.
    """
    with engine.connect() as connection:
        number = pid(connection)
    engine.dispose()

    with engine.connect() as connection:
        assert number != pid(connection)
    assert "the pool of a lambda_kit database" == engine.pool.status()


# Alive


def test_a_terminated_session_is_replaced(orders: Orders, database: Database[Connection], engine: Engine) -> None:
    """
    The kit looks at the socket at each checkout: SQLAlchemy sees nothing of it.
    """
    with engine.connect() as connection:
        socket = connection.connection.driver_connection.pgconn.socket  # type: ignore[union-attr]  # psycopg's
    orders.end_sessions()
    assert select.select([socket], [], [], 10)[0]

    with engine.connect() as connection:
        assert pid(connection)
    assert {"closed": 1} == database.stats().reconnects


def test_a_session_lost_in_use_invalidates_the_connection(orders: Orders, database: Database[Connection], engine: Engine) -> None:
    """
    The error is SQLAlchemy's and says so; the same Connection goes on after a rollback.
    """
    with engine.connect() as connection:
        insert(connection, orders, 1)
        orders.end_sessions()
        with pytest.raises(exc.DBAPIError) as caught:
            insert(connection, orders, 2)
        assert caught.value.connection_invalidated
        connection.rollback()
        insert(connection, orders, 3)
        connection.commit()

    assert [3] == orders.rows
    assert {"lost": 1} == database.stats().reconnects


def test_invalidating_by_hand_replaces_the_connection(database: Database[Connection], engine: Engine) -> None:
    """
    At once, or at the next checkout.
    """
    with engine.connect() as connection:
        first = pid(connection)
        connection.rollback()
        connection.invalidate()
        second = pid(connection)
        connection.connection.invalidate(soft=True)
    with engine.connect() as connection:
        third = pid(connection)

    assert 3 == len({first, second, third})
    assert {"lost": 2} == database.stats().reconnects


def test_a_failover_invalidates_the_connection(orders: Orders, database: Database[Connection], engine: Engine) -> None:
    """
    A session that takes no writes any more is left for a new one.
    """
    orders.server.execute(f"ALTER ROLE {orders.role} SET default_transaction_read_only = on")
    with engine.connect():
        pass
    orders.server.execute(f"ALTER ROLE {orders.role} RESET default_transaction_read_only")

    with pytest.raises(exc.DBAPIError) as caught, engine.begin() as connection:
        insert(connection, orders, 1)
    assert caught.value.connection_invalidated
    with engine.begin() as connection:
        insert(connection, orders, 1)
    assert [1] == orders.rows


@pytest.mark.parametrize("way", ["engine", "connection"])
def test_an_isolation_level_is_the_engines_alone(orders: Orders, database: Database[Connection], way: str) -> None:
    """
    AUTOCOMMIT holds for each of its connections, not only for the first use of one; others of the database never see it.
    """
    level = {"isolation_level": "AUTOCOMMIT"}
    engine = database.sqlalchemy_engine(**level if way == "engine" else {})
    if way == "connection":
        engine = engine.execution_options(**level)

    for number in (1, 2):
        with engine.connect() as connection:
            insert(connection, orders, number)

        with pytest.raises(KeyError), database.connection() as raw:
            raw.execute(f"INSERT INTO {orders.role}.rows VALUES (9)")
            raise KeyError
    assert [1, 2] == orders.rows
    assert 1 == database.stats().connects


def test_a_stricter_isolation_level_is_the_engines_alone(database: Database[Connection]) -> None:
    """
    It is set at each checkout, and set back.
    """
    engine = database.sqlalchemy_engine(isolation_level="SERIALIZABLE")

    for _ in range(2):
        with engine.connect() as connection:
            assert "serializable" == connection.execute(text("SHOW transaction_isolation")).scalar_one()
        with database.connection() as raw:
            assert ("read committed",) == raw.execute("SHOW transaction_isolation").fetchone()


def test_a_commit_of_a_failed_transaction_is_refused(orders: Orders, engine: Engine) -> None:
    """
    PostgreSQL would answer it with a silent ROLLBACK.
    """
    with pytest.raises(InternalError, match="nothing can be committed"), engine.begin() as connection:
        insert(connection, orders, 1)
        with pytest.raises(DBAPIError):
            connection.execute(text("SELECT 1/0"))
    assert [] == orders.rows


def test_a_lost_commit_is_in_doubt(orders: Orders, declare: Declare) -> None:
    """
    The kit's word for it, with SQLAlchemy's error as its cause.
    """
    with proxy(orders.server.port) as between:
        engine = declare(f"host=127.0.0.1 port={between.port} dbname=postgres").sqlalchemy_engine()
        with engine.connect():
            pass
        between.cut_after = b"COMMIT"

        with pytest.raises(CommitUnknownError) as caught, engine.begin() as connection:
            insert(connection, orders, 1)
        assert isinstance(caught.value.__cause__, psycopg.OperationalError)
    # The server goes on with what it has got, by itself.
    assert wait_until(lambda: [1] == orders.rows, timeout_s=10)


def test_a_statement_does_not_outlive_the_deadline(database: Database[Connection], engine: Engine) -> None:
    """
    The kit's error passes through, and the next invocation has a new connection.
    """
    with engine.connect():
        pass

    with _invocation.scope(FakeContext(0.8)), pytest.raises(DeadlineError), engine.begin() as connection:
        connection.execute(text("SELECT pg_sleep(20)"))
    with engine.connect() as connection:
        assert pid(connection)
    assert {"busy": 1} == database.stats().reconnects


def test_errors_of_connecting_are_the_kits(orders: Orders, declare: Declare) -> None:
    """
    A refused login is a LoginError, at the checkout.
    """

    def offer(_: Credentials | None) -> Credentials:
        return Credentials(orders.role, "wrong")

    with _invocation.scope(FakeContext(1.0)), pytest.raises(LoginError):
        declare(login=offer).sqlalchemy_engine().connect()


def test_an_error_of_the_statement_keeps_the_connection(orders: Orders, database: Database[Connection], engine: Engine) -> None:
    """
    What the server rejects is no disconnect.
    """
    with pytest.raises(exc.ProgrammingError) as caught, engine.begin() as connection:
        connection.execute(text("SELECT nonsense"))
    assert not caught.value.connection_invalidated
    with engine.connect() as connection:
        assert pid(connection)
    assert 1 == database.stats().connects


# MySQL


def test_mysql_has_an_engine_too(maria: MariaServer) -> None:
    """
    On the same terms.
    """
    maria.execute("CREATE DATABASE alchemy")
    maria.execute("CREATE USER alchemy@'%' IDENTIFIED BY 'x'")
    maria.execute("GRANT ALL ON alchemy.* TO alchemy@'%'")
    where = Credentials("alchemy", "x", host="127.0.0.1", port=maria.port, dbname="alchemy")
    database = databases.mysql(login=lambda _: where)
    engine = database.sqlalchemy_engine()
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE numbers (id int PRIMARY KEY)"))
        connection.execute(text("INSERT INTO numbers VALUES (1)"))
    with engine.connect() as connection:
        connection.execute(text("INSERT INTO numbers VALUES (2)"))

    with engine.connect() as connection:
        assert [1] == list(connection.execute(text("SELECT id FROM numbers")).scalars())
        (number,) = connection.execute(text("SELECT connection_id()")).scalars()
        maria.execute(f"KILL {number}")
        with pytest.raises(exc.DBAPIError) as caught:
            connection.execute(text("SELECT 1"))
        assert caught.value.connection_invalidated
    assert 1 == database.stats().connects
    engine.dispose()
