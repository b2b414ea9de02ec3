"""
Behind PgBouncer, which gives its server connections away between transactions, as RDS Proxy does.
"""

# The with blocks under test have bodies (PT012); statements name a test's own tables (S608).
# ruff: noqa: PT012, S608

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from psycopg import Connection

from lambda_kit import _invocation, databases
from lambda_kit._local._postgres import PostgresServer
from lambda_kit.databases import Credentials, Database
from lambda_kit.errors import ConnectionLostError, ConnectTimeoutError, DeadlineError, LoginError
from tests.databases.conftest import Orders
from tests.databases.fakes import FakeContext
from tests.databases.leaks import shown
from tests.databases.servers import HOST
from tests.databases.systems import PgBouncer

Declare = Callable[..., Database[Connection]]


@pytest.fixture(scope="module")
def bouncer(server: PostgresServer) -> Iterator[PgBouncer]:
    """
    One for the module; it has one server connection for each role.
    """
    with PgBouncer(server.port, user="postgres", password=server.superuser_password) as running:
        yield running


@pytest.fixture
def declare(bouncer: PgBouncer, orders: Orders) -> Iterator[Declare]:
    """
    Declare a database of the role, behind PgBouncer.
    """
    made: list[Database[Connection]] = []

    def declared(**options: object) -> Database[Connection]:
        where = f"host={HOST} port={bouncer.port} dbname=postgres"
        made.append(databases.postgres(where, **{"login": orders.login, "proxy": True, **options}))  # type: ignore[arg-type]
        return made[-1]

    yield declared
    for each in made:
        each.close()


def insert(connection: Connection, orders: Orders, number: int) -> None:
    connection.execute(f"INSERT INTO {orders.role}.rows VALUES ({number})")


def ask(connection: Connection) -> int:
    """
    Return the process that serves this transaction: not the one of PgBouncer's number.
    """
    (pid,) = connection.execute("SELECT pg_backend_pid()").fetchone()  # type: ignore[misc]  # one row
    return int(pid)


def use(database: Database[Connection]) -> int:
    with database.connection() as connection:
        return ask(connection)


def said(orders: Orders) -> set[str]:
    """
    Return what the server was told by the role's sessions, without the parameters.
    """
    log = orders.server.log_file.read_text()
    pids = set(re.findall(rf"\[(\d+)\] LOG:  connection authorized: user={orders.role} ", log))
    lines = re.findall(r"\[(\d+)\] LOG:  ((?:statement|execute|parse|bind)\b.*)", log)
    return {line for pid, line in lines if pid in pids}


# What goes over the wire


def test_nothing_that_outlives_a_transaction_is_said(
    bouncer: PgBouncer, orders: Orders, declare: Declare, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    D33: no SET, DISCARD, DEALLOCATE or RESET, nothing prepared by name, however often: between blocks PgBouncer has its server
    connection back.
    """
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "orders")
    orders.server.execute(f"ALTER ROLE {orders.role} SET log_statement = 'all'")
    database = declare(ping_after_s=0)

    for _ in range(8):
        with database.connection() as connection:
            connection.execute("SELECT %s::int", [1])
        assert [""] == [each["link"] for each in bouncer.show("clients") if each["user"] == orders.role]
    with pytest.raises(KeyError), database.connection() as connection:
        connection.execute("SELECT %s::int", [1])
        raise KeyError

    # The empty statement is the ping.
    assert {"statement: ", "statement: BEGIN", "statement: COMMIT", "statement: ROLLBACK", "execute <unnamed>: SELECT $1::int"} == said(
        orders
    )
    assert 1 == database.stats().connects
    assert 8 == database.stats().pings


def test_without_proxy_a_name_is_set(orders: Orders, declare: Declare, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    That is what the option is for: PgBouncer sets what a session says of itself, RDS Proxy would keep a connection for it.
    """
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "orders")
    orders.server.execute(f"ALTER ROLE {orders.role} SET log_statement = 'all'")

    use(declare(proxy=False))

    assert any("SET application_name" in line for line in said(orders))


def test_two_environments_share_one_server_connection(orders: Orders, declare: Declare) -> None:
    """
    In turn, each with its own connection to PgBouncer.
    """
    first, second = declare(), declare()

    served = {use(database) for database in (first, second, first, second)}

    assert served == set(orders.backends)
    assert 1 == len(served)
    assert [1, 1] == [database.stats().connects for database in (first, second)]


# What is left behind


def test_a_transaction_left_behind_gives_the_server_connection_back(
    orders: Orders, declare: Declare, caplog: pytest.LogCaptureFixture
) -> None:
    """
    It would hold up everybody: it ends at the next checkout, without its row, and it is known whose it was.
    """
    database, other = declare(), declare()
    with _invocation.scope(FakeContext(9.0, "request-a")), database.connection() as kept:
        pass
    insert(kept, orders, 1)

    with database.connection() as connection:
        insert(connection, orders, 2)
    use(other)
    assert [2] == orders.rows
    assert "left open by request request-a" in caplog.text
    assert 1 == database.stats().connects


# Deadlines


def test_waiting_for_a_server_connection_ends_in_time(declare: Declare) -> None:
    """
    PgBouncer takes everybody, and lets them wait: the invocation does not wait longer than it can.
    """
    busy, database = declare(), declare()
    with busy.connection() as connection:
        ask(connection)
        started_s = time.monotonic()

        with _invocation.scope(FakeContext(1.0)), pytest.raises(DeadlineError):
            use(database)
        assert time.monotonic() - started_s < 1.0
    use(database)


def test_a_statement_given_up_is_cancelled(orders: Orders, declare: Declare) -> None:
    """
    PgBouncer passes the request on: the server connection is there for others, not asleep for twenty seconds.
    """
    database, other = declare(), declare()

    with _invocation.scope(FakeContext(0.9)), pytest.raises(DeadlineError), database.connection() as connection:
        connection.execute("SELECT pg_sleep(20)")
    started_s = time.monotonic()
    use(other)
    assert time.monotonic() - started_s < 5.0


# Loss


@pytest.mark.parametrize("end", ["restart", "kill"])
def test_a_restart_of_pgbouncer_is_survived(bouncer: PgBouncer, declare: Declare, end: str) -> None:
    """
    In order or not: between two blocks it is not the user's business.
    """
    database = declare()
    use(database)
    if end == "kill":
        bouncer.kill()
        bouncer.start()
    else:
        bouncer.restart()

    use(database)
    assert {"closed": 1} == database.stats().reconnects


def test_a_server_that_dies_behind_pgbouncer_is_a_loss(server: PostgresServer, orders: Orders, declare: Declare) -> None:
    """
    PgBouncer says so in its own words; nothing was committed, and when the server is back it is found.
    """
    database = declare()
    use(database)
    killed = threading.Timer(0.1, server.kill)
    killed.start()

    with pytest.raises(ConnectionLostError) as caught, database.connection() as connection:
        insert(connection, orders, 1)
        connection.execute("SELECT pg_sleep(20)")
    assert not caught.value.in_doubt
    killed.join()
    server.restart()
    use(database)
    assert [] == orders.rows


def test_a_server_that_comes_up_behind_pgbouncer_is_waited_for(server: PostgresServer, declare: Declare) -> None:
    """
    Meanwhile PgBouncer refuses new clients, and that is no reason to give up.
    """
    use(declare())
    server.kill()
    for _ in range(2):
        with _invocation.scope(FakeContext(0.9)), pytest.raises((ConnectTimeoutError, DeadlineError)):
            use(declare())
    starting = threading.Timer(0.2, server.restart)
    starting.start()

    use(declare())
    starting.join()


# Logging in


@pytest.mark.parametrize("stage", ["AWSCURRENT", "AWSPENDING"])
def test_a_rotated_password_is_asked_for_when_refused(orders: Orders, declare: Declare, stage: str) -> None:
    """
    PgBouncer asks the server for passwords, and refuses an old one as the server would; who is in stays in.
    """
    inside = declare()
    use(inside)
    orders.server.set_password(orders.role, "second")
    orders.stages[stage] = "second"

    use(inside)
    assert [] == orders.asked
    use(declare())
    assert [orders.password] == orders.asked
    assert 1 == inside.stats().connects


def test_a_password_that_stays_wrong_is_a_login_error(orders: Orders, declare: Declare) -> None:
    """
    PgBouncer's words for it are known too, and no password is with them.
    """
    wrong = "wrong-and-secret"

    with _invocation.scope(FakeContext(1.0)), pytest.raises(LoginError, match="SASL authentication failed") as caught:
        use(declare(login=lambda _: Credentials(orders.role, wrong)))
    assert wrong not in shown(caught.value)
