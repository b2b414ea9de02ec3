"""
Packets that are lost without a word: an idle connection, a statement under way, and connecting, all within their time.

As root the packets of a real flow are dropped in a network namespace of this module's own. Others get a peer that acknowledges and
never answers, and a port whose queue is full.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from lambda_kit import _invocation, databases, password_login, preload
from lambda_kit.databases import Database
from lambda_kit.errors import CommitUnknownError, ConnectionLostError, ConnectTimeoutError, DeadlineError
from tests.certificates import Authority
from tests.databases.conftest import Orders
from tests.databases.fakes import FakeContext
from tests.databases.network import Namespace, Wire, full_backlog, namespace_if_possible, wire
from tests.databases.servers import HOST, MariaServer, ValkeyServer
from tests.databases.systems import TLS_HOST, TlsPostgres

pytestmark = pytest.mark.realtime

PING_S = 0.5
# What an invocation keeps for its end.
RESERVE_S = 0.5
# A loaded machine is late.
LATE_S = 0.3
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Subject:
    """
    A server, and what one says to it.

    Attributes:
        declare: Takes host and port, and options.
        ask: Waits for one answer.
        stall: Waits for an answer that does not come within 20 s.
    """

    port: int
    declare: Callable[..., Database[Any]]
    ask: Callable[[Any], object]
    stall: Callable[[Any], object]

    def over(self, between: Wire, **options: object) -> Database[Any]:
        """
        Declare a database that is reached through *between*.
        """
        database = self.declare(between.host, between.port, **options)
        preload(database)
        return database

    def use(self, database: Database[Any]) -> None:
        """
        Have one block that asks something.
        """
        with database.connection() as connection:
            self.ask(connection)


@pytest.fixture(scope="module")
def namespace() -> Iterator[Namespace | None]:
    with namespace_if_possible() as found:
        yield found


@pytest.fixture(scope="module")
def tls_server() -> Iterator[TlsPostgres]:
    with TlsPostgres(Authority.make("Root of the black holes")) as running:
        yield running


@pytest.fixture
def postgres(orders: Orders) -> Subject:
    def declare(host: str, port: int, **options: Any) -> Database[Any]:
        return databases.postgres(f"host={host} port={port} dbname=postgres", login=orders.login, **options)

    return _postgres(orders.server.port, declare)


@pytest.fixture
def postgres_over_tls(tls_server: TlsPostgres) -> Subject:
    role = f"app_{next(_numbers)}"
    tls_server.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'secret'")

    def declare(host: str, port: int, **options: Any) -> Database[Any]:
        where = f"host={TLS_HOST} hostaddr={host} port={port} dbname=postgres sslmode=verify-full sslrootcert={tls_server.tls.root}"
        return databases.postgres(where, login=password_login(role, lambda: "secret"), **options)

    return _postgres(tls_server.port, declare)


@pytest.fixture
def mysql(maria: MariaServer) -> Subject:
    user = f"dark_{next(_numbers)}"
    maria.execute(f"CREATE USER {user}@'%%' IDENTIFIED BY %s", "secret")

    def declare(host: str, port: int, **options: Any) -> Database[Any]:
        return databases.mysql(host, port=port, login=password_login(user, lambda: "secret"), **options)

    return Subject(
        maria.port, declare, lambda connection: connection.query("SELECT 1"), lambda connection: connection.query("SELECT SLEEP(20)")
    )


@pytest.fixture
def redis(valkey: ValkeyServer) -> Subject:
    def declare(host: str, port: int, **options: Any) -> Database[Any]:
        return databases.redis(f"redis://{host}:{port}", **options)

    return Subject(valkey.port, declare, lambda client: client.ping(), lambda client: client.blpop("nothing", 20))


@pytest.fixture(params=["postgres", "postgres_over_tls", "mysql", "redis"])
def subject(request: pytest.FixtureRequest) -> Subject:
    """
    Each server in turn.
    """
    found: Subject = request.getfixturevalue(request.param)
    return found


def _postgres(port: int, declare: Callable[..., Database[Any]]) -> Subject:
    return Subject(
        port, declare, lambda connection: connection.execute("SELECT 1"), lambda connection: connection.execute("SELECT pg_sleep(20)")
    )


def seconds(work: Callable[[], object]) -> float:
    started_s = time.monotonic()
    work()
    return time.monotonic() - started_s


def fails(kind: type[Exception], work: Callable[[], object]) -> None:
    with pytest.raises(kind):
        work()


# The idle connection


def test_a_black_hole_costs_a_bounded_ping(subject: Subject, namespace: Namespace | None) -> None:
    """
    D7: half a second of silence, then a new connection: the user sees nothing of it.
    """
    with wire(subject.port, namespace) as between:
        database = subject.over(between, ping_after_s=0)
        connect_s = seconds(lambda: subject.use(database))
        between.go_dark()

        took_s = seconds(lambda: subject.use(database))
        assert PING_S <= took_s <= PING_S + 1.5 * connect_s + LATE_S
        assert {"unanswered": 1} == database.stats().reconnects
        assert 2 == between.count
        database.close()


def test_several_dead_connections_cost_one_ping(postgres: Subject, namespace: Namespace | None) -> None:
    """
    D7: where one does not answer, the other idle ones are not asked any more.
    """
    with wire(postgres.port, namespace) as between:
        database = postgres.over(between, ping_after_s=0, max_connections=3)
        meet = threading.Barrier(3)

        def hold() -> None:
            with database.connection():
                meet.wait(10)

        threads = [threading.Thread(target=hold) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        between.go_dark()

        took_s = seconds(lambda: postgres.use(database))
        assert PING_S <= took_s < 2 * PING_S
        assert 1 == database.stats().pings
        assert 4 == database.stats().connects
        database.close()


def test_a_ping_leaves_time_for_a_new_connection(postgres: Subject, namespace: Namespace | None) -> None:
    """
    It takes a tenth of what the invocation has left, at most.
    """
    with wire(postgres.port, namespace) as between:
        database = postgres.over(between, ping_after_s=0)
        postgres.use(database)
        between.go_dark()

        with _invocation.scope(FakeContext(1.0 + RESERVE_S)):
            took_s = seconds(lambda: postgres.use(database))
        assert 0.1 <= took_s < PING_S
        database.close()


def test_when_nothing_answers_at_all_the_time_is_kept(subject: Subject, namespace: Namespace | None) -> None:
    """
    The connection is dead, and so is the way to a new one: an error, while the invocation can still say so.
    """
    with wire(subject.port, namespace) as between:
        database = subject.over(between, ping_after_s=0)
        subject.use(database)
        between.go_dark()
        between.take_no_more()

        with _invocation.scope(FakeContext(1.0 + RESERVE_S)):
            took_s = seconds(lambda: fails(ConnectTimeoutError, lambda: subject.use(database)))
        assert 1.0 - LATE_S <= took_s <= 1.0 + LATE_S


# The statement under way


@pytest.mark.parametrize("begun", [False, True], ids=["before it is sent", "while it runs"])
def test_a_statement_in_a_black_hole_is_given_up_in_time(subject: Subject, namespace: Namespace | None, begun: bool) -> None:
    """
    D9: the error says that the time is up, and it comes before the invocation's end; the next block works.
    """
    with wire(subject.port, namespace) as between:
        database = subject.over(between)
        subject.use(database)

        def stall(connection: Any) -> None:
            fault = threading.Timer(0.1 if begun else 0.0, between.go_dark)
            fault.start()
            if not begun:
                fault.join()
            subject.stall(connection)

        with _invocation.scope(FakeContext(0.5 + RESERVE_S)):
            took_s = seconds(lambda: fails(DeadlineError, lambda: database.run(stall)))
        assert 0.5 - LATE_S <= took_s < 0.5 + RESERVE_S
        subject.use(database)
        assert 2 == database.stats().connects
        database.close()


@pytest.mark.parametrize("where", ["postgres", "mysql"])
def test_a_commit_in_a_black_hole_is_in_doubt(where: str, namespace: Namespace | None, request: pytest.FixtureRequest) -> None:
    """
    D26: nobody knows whether it came through: the error says that, in time.
    """
    subject: Subject = request.getfixturevalue(where)
    with wire(subject.port, namespace) as between:
        database = subject.over(between)

        def work(connection: Any) -> None:
            subject.ask(connection)
            between.go_dark()

        with _invocation.scope(FakeContext(0.5 + RESERVE_S)):
            took_s = seconds(lambda: fails(CommitUnknownError, lambda: database.run(work, idempotent=True)))
        assert 0.5 - LATE_S <= took_s < 0.5 + RESERVE_S


def test_a_rollback_in_a_black_hole_hides_no_error(subject: Subject, namespace: Namespace | None) -> None:
    """
    What the block raised passes, in time: the server rolls back by itself.
    """
    with wire(subject.port, namespace) as between:
        database = subject.over(between)

        def work(connection: Any) -> None:
            subject.ask(connection)
            between.go_dark()
            raise KeyError

        with _invocation.scope(FakeContext(0.5 + RESERVE_S)):
            took_s = seconds(lambda: fails(KeyError, lambda: database.run(work)))
        assert took_s < 0.5 + RESERVE_S


def test_outside_of_invocations_the_kernel_gives_up(postgres: Subject, namespace: Namespace | None) -> None:
    """
    No deadline is there, but what is sent to PostgreSQL and not acknowledged within five seconds counts as lost.
    """
    if namespace is None:
        pytest.skip("needs root: a peer that acknowledges keeps the kernel waiting")
    with wire(postgres.port, namespace) as between:
        database = postgres.over(between)
        postgres.use(database)

        def ask(connection: Any) -> None:
            between.go_dark()
            postgres.ask(connection)

        took_s = seconds(lambda: fails(ConnectionLostError, lambda: database.run(ask)))
        assert 4.5 < took_s < 8.0


# Connecting


def test_connecting_where_packets_are_lost_ends_in_time(subject: Subject, namespace: Namespace | None) -> None:
    """
    D10: nobody refuses, nobody answers: the attempt ends half a second before the invocation does.
    """
    with wire(subject.port, namespace) as between:
        between.take_no_more()
        database = subject.over(between)

        with _invocation.scope(FakeContext(0.6 + RESERVE_S)):
            took_s = seconds(lambda: fails(ConnectTimeoutError, lambda: subject.use(database)))
        assert 0.6 - LATE_S <= took_s <= 0.6 + LATE_S


def test_connecting_where_the_queue_is_full_ends_in_time(subject: Subject) -> None:
    """
    D10: a server that is too busy to accept loses the same packets.
    """
    with full_backlog() as port:
        database = subject.declare(HOST, port)

        with _invocation.scope(FakeContext(0.6 + RESERVE_S)):
            took_s = seconds(lambda: fails(ConnectTimeoutError, lambda: subject.use(database)))
        assert 0.6 - LATE_S <= took_s <= 0.6 + LATE_S
