"""
Real servers that are killed, stopped, full or late: work that may be done again goes through, and nothing waits for long.
"""

# The with blocks under test have bodies.
# ruff: noqa: PT012

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from typing import Any

import psycopg
import pytest
from psycopg import Connection

from lambda_kit import _invocation, _runtime, databases
from lambda_kit._local._postgres import PostgresServer
from lambda_kit._local._processes import wait_until
from lambda_kit.databases import Database
from lambda_kit.errors import ConnectionLostError, ConnectTimeoutError, DeadlineError
from tests.databases.accounts import Shop, Store
from tests.databases.conftest import Declare, Orders
from tests.databases.fakes import FakeContext
from tests.threads import at_once

TERMINATIONS = 200
# Coming up after a crash takes the server a tenth of a second.
CRASHES = 20

End = tuple[int, Callable[[int], object]]


def one(connection: Connection) -> int:
    row = connection.execute("SELECT 1").fetchone()
    assert row is not None
    return int(row[0])


def used(database: Database[Connection]) -> int:
    """
    Use the database, and return the process id of its session.
    """
    with database.connection() as connection:
        return connection.info.backend_pid


def accepts(server: PostgresServer) -> bool:
    try:
        return bool(server.execute("SELECT 1"))
    except psycopg.OperationalError:
        return False


# Killed


@pytest.fixture(params=["kill -9", "terminate"])
def end(server: PostgresServer, request: pytest.FixtureRequest) -> Iterator[End]:
    """
    How to end a session without waiting for its end, and how often to do it.
    """
    if request.param == "terminate":
        with psycopg.connect(server.conninfo(), autocommit=True) as superuser:
            yield TERMINATIONS, lambda pid: superuser.execute("SELECT pg_terminate_backend(%s)", [pid])
        return
    starting: list[threading.Thread] = []

    def crash(_: int) -> None:
        """
        Kill the server, and have it come up meanwhile.
        """
        for thread in starting:
            thread.join()
        server.kill()
        starting[:] = [threading.Thread(target=server.restart)]
        starting[0].start()

    yield CRASHES, crash
    starting[0].join()


def test_repeatable_work_survives_each_kill(database: Database[Connection], end: End) -> None:
    """
    D13: a session killed at the very moment of the checkout, when its end has not arrived, is nothing that run() shows.
    """
    repeats, kill = end
    results = []
    for _ in range(repeats):
        kill(used(database))
        results.append(database.run(one, idempotent=True))

    assert [1] * repeats == results
    assert repeats == sum(database.stats().reconnects.values())


def test_a_block_on_a_session_just_killed_says_so(database: Database[Connection], end: End) -> None:
    """
    D13: without leave to do it again a block works or raises ConnectionLostError, and never hangs.
    """
    repeats, kill = end
    longest_s, doubts = 0.0, []
    for _ in range(repeats):
        kill(used(database))
        started_s = time.monotonic()
        try:
            with database.connection() as connection:
                one(connection)
        except ConnectionLostError as exc:
            doubts.append(exc.in_doubt)
        longest_s = max(longest_s, time.monotonic() - started_s)

    assert longest_s < 5.0
    assert not any(doubts)


def test_a_crash_of_one_session_takes_the_others_along(server: PostgresServer, database: Database[Connection]) -> None:
    """
    D13: where the server kills all sessions a moment after one has crashed, even a new one may die; each loss is said.
    """
    said = 0
    for _ in range(CRASHES):
        # The session may have died of the crash before.
        with suppress(ProcessLookupError):
            os.kill(used(database), signal.SIGKILL)
        try:
            with database.connection() as connection:
                one(connection)
        except ConnectionLostError:
            said += 1
    assert wait_until(lambda: accepts(server), timeout_s=10)

    assert 0 < said <= CRASHES
    assert 1 == database.run(one, idempotent=True)


def test_a_fast_restart_is_not_seen(server: PostgresServer, database: Database[Connection]) -> None:
    """
    D3: the server ends its sessions in order and comes back; the next block has a new one.
    """
    first = used(database)
    server.restart()

    assert first != used(database)
    assert {"closed": 1} == database.stats().reconnects


# Down


@pytest.mark.realtime
def test_a_server_that_is_down_for_a_moment_is_waited_for(server: PostgresServer, database: Database[Connection]) -> None:
    """
    D12: down for 0.8 s, and the block begins as soon as the server is up.
    """
    used(database)
    server.stop()
    starting = threading.Timer(0.8, server.restart)
    started_s = time.monotonic()
    starting.start()

    assert used(database)
    assert 0.8 <= time.monotonic() - started_s < 5.0
    starting.join()


@pytest.mark.realtime
def test_a_server_that_is_down_for_longer_is_said_in_time(server: PostgresServer, database: Database[Connection]) -> None:
    """
    D12: when the deadline comes first the driver's own error is raised at it, and the next invocation may find the server up.
    """
    used(database)
    server.stop()
    started_s = time.monotonic()
    try:
        with _invocation.scope(FakeContext(2.0)), pytest.raises(ConnectTimeoutError, match="refused") as caught:
            used(database)
        assert time.monotonic() - started_s < 1.6
        assert isinstance(caught.value.__cause__, psycopg.OperationalError)
    finally:
        server.restart()
    assert used(database)


@pytest.mark.realtime
def test_a_full_server_is_waited_for(server: PostgresServer, orders: Orders, database: Database[Connection]) -> None:
    """
    D30: with each of max_connections taken for a second the back-off goes on, and a session is there soon after.
    """
    with ExitStack() as taken:
        with pytest.raises(psycopg.OperationalError, match="too many clients already"):
            while True:
                taken.enter_context(psycopg.connect(server.conninfo()))
        freeing = threading.Timer(1.0, taken.pop_all().close)
        started_s = time.monotonic()
        freeing.start()

        assert used(database)
        assert 1.0 <= time.monotonic() - started_s < 2.5
        freeing.join()
    assert 1 == len(orders.backends)


# Threads


def test_sixty_four_threads_share_a_few_sessions(orders: Orders, declare: Declare) -> None:
    """
    D31: never two threads on one session, never more sessions than allowed, and all get through, though sessions are killed.
    """
    # Without a transaction there is no COMMIT to be lost.
    database = declare(max_connections=4, autocommit=True)
    holders: dict[int, int] = {}
    seen: set[int] = set()
    meanwhile = threading.Event()

    def work(connection: Connection) -> None:
        pid = connection.info.backend_pid
        assert holders.setdefault(pid, threading.get_ident()) == threading.get_ident()
        seen.add(pid)
        try:
            connection.execute("SELECT pg_sleep(0.001)")
        finally:
            del holders[pid]

    def use() -> None:
        for number in range(4):
            database.run(work, idempotent=True)
            if number == 2 and not meanwhile.is_set():
                meanwhile.set()
                orders.end_sessions()

    at_once(64, use)

    assert {} == holders
    assert len(orders.backends) <= 4
    assert 4 < len(seen)


# Life


def test_a_restore_makes_new_sessions(orders: Orders, database: Database[Connection]) -> None:
    """
    D28: before a snapshot the session is closed in order; one that was restored nevertheless is left without a word.
    """
    first = used(database)
    _runtime.take_snapshot()
    assert wait_until(lambda: [] == orders.backends, timeout_s=10)
    second = used(database)

    _runtime.restored()

    assert 3 == len({first, second, used(database)})
    assert "life" in database.stats().reconnects


# Late


@pytest.fixture(params=["postgres", "mysql", "redis"])
def warm(request: pytest.FixtureRequest) -> tuple[Database[Any], Callable[[Any], object]]:
    """
    A database that is connected, and something that asks it.
    """

    def ask(connection: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")

    asks: dict[str, Callable[[Any], object]] = {"postgres": ask, "mysql": ask, "redis": lambda client: client.ping()}
    if request.param == "postgres":
        orders: Orders = request.getfixturevalue("orders")
        database: Database[Any] = databases.postgres(orders.conninfo, login=orders.login)
    elif request.param == "mysql":
        shop: Shop = request.getfixturevalue("shop")
        database = databases.mysql(login=shop.login)
    else:
        store: Store = request.getfixturevalue("store")
        database = databases.redis(login=store.login)
    database.run(asks[request.param])
    return database, asks[request.param]


def test_an_invocation_at_its_end_fails_fast(warm: tuple[Database[Any], Callable[[Any], object]]) -> None:
    """
    D36: with 200 ms left neither a statement on a warm connection nor a connect is begun.
    """
    database, ask = warm
    started_s = time.monotonic()

    with _invocation.scope(FakeContext(0.2)):
        with pytest.raises(DeadlineError):
            database.run(ask, idempotent=True)
        database.close()
        with pytest.raises(DeadlineError):
            database.run(ask, idempotent=True)
    assert time.monotonic() - started_s < 0.2
