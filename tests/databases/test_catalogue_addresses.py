"""
Names with several addresses, some of which are dead: they share the time there is for connecting.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from lambda_kit import _invocation, databases, password_login
from lambda_kit.databases import Database
from lambda_kit.databases._addresses import Shares, count
from lambda_kit.errors import ConnectTimeoutError
from tests.databases.conftest import Orders
from tests.databases.fakes import FakeContext
from tests.databases.network import full_backlog
from tests.databases.servers import HOST, MariaServer, ValkeyServer

NAME = "orders.example.com"
DEAD_HOSTS = ("127.0.0.2", "127.0.0.3", "127.0.0.4")
RESERVE_S = 0.5
# A loaded machine is late.
LATE_S = 0.3


@pytest.fixture
def postgres(orders: Orders) -> tuple[Database[Any], int]:
    where = f"host={NAME} port={orders.server.port} dbname=postgres"
    return databases.postgres(where, login=orders.login), orders.server.port


@pytest.fixture
def mysql(maria: MariaServer) -> tuple[Database[Any], int]:
    maria.execute("CREATE OR REPLACE USER addressed@'%' IDENTIFIED BY 'secret'")
    return databases.mysql(NAME, port=maria.port, login=password_login("addressed", lambda: "secret")), maria.port


@pytest.fixture
def redis(valkey: ValkeyServer) -> tuple[Database[Any], int]:
    return databases.redis(f"redis://{NAME}:{valkey.port}"), valkey.port


@pytest.fixture(params=["postgres", "mysql", "redis"])
def named(request: pytest.FixtureRequest) -> tuple[Database[Any], int]:
    """
    A database by its name, and its port: each library in turn, since each looks names up in its own way.
    """
    found: tuple[Database[Any], int] = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def lead(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """
    Let the name have addresses.
    """
    find = socket.getaddrinfo

    def leads(*addresses: str) -> None:
        def found(host: Any, *args: Any, **options: Any) -> Any:
            hosts = addresses if host == NAME else (host,)
            return [each for address in hosts for each in find(address, *args, **options)]

        monkeypatch.setattr(socket, "getaddrinfo", found)

    return leads


def checkout_s(database: Database[Any]) -> float:
    """
    Return how long a block took that does nothing, or that could not be entered.
    """
    started_s = time.monotonic()
    with contextlib.suppress(ConnectTimeoutError), database.connection():
        pass
    return time.monotonic() - started_s


@pytest.mark.realtime
def test_a_dead_address_costs_its_share(named: tuple[Database[Any], int], lead: Callable[..., None]) -> None:
    """
    The first of two does not answer: the second has half of the time.
    """
    database, port = named
    lead(DEAD_HOSTS[0], HOST)

    with full_backlog(DEAD_HOSTS[0], port), _invocation.scope(FakeContext(1.0 + RESERVE_S)):
        assert 0.5 - LATE_S <= checkout_s(database) <= 0.5 + LATE_S
    assert 1 == database.stats().connects


@pytest.mark.realtime
def test_dead_addresses_do_not_add_up(named: tuple[Database[Any], int], lead: Callable[..., None]) -> None:
    """
    However many a name has, they share the time that there is.
    """
    database, port = named
    lead(*DEAD_HOSTS)
    with contextlib.ExitStack() as stack:
        for host in DEAD_HOSTS:
            stack.enter_context(full_backlog(host, port))

        with _invocation.scope(FakeContext(0.6 + RESERVE_S)):
            assert 0.6 - LATE_S <= checkout_s(database) <= 0.6 + LATE_S
    assert 0 == database.stats().connects


@pytest.mark.realtime
def test_a_dead_host_of_a_list_costs_its_share(orders: Orders) -> None:
    """
    libpq's lists of hosts are for failovers, after which the first may not answer any more.
    """
    where = f"host={DEAD_HOSTS[0]},{HOST} port={orders.server.port} dbname=postgres"
    database = databases.postgres(where, login=orders.login)

    with full_backlog(DEAD_HOSTS[0], orders.server.port), _invocation.scope(FakeContext(1.0 + RESERVE_S)):
        assert checkout_s(database) <= 0.5 + LATE_S
    assert 1 == database.stats().connects


@pytest.mark.realtime
def test_a_handshake_has_what_connecting_has_left(lead: Callable[..., None]) -> None:
    """
    Half of the time went to a dead address; the other one answers, and then says nothing to TLS.
    """
    lead(DEAD_HOSTS[0], HOST)
    with socket.create_server((HOST, 0)) as mute, full_backlog(DEAD_HOSTS[0], mute.getsockname()[1]) as port:
        database = databases.redis(f"rediss://{NAME}:{port}")

        with _invocation.scope(FakeContext(0.8 + RESERVE_S)):
            assert checkout_s(database) <= 0.8 + LATE_S
    assert 0 == database.stats().connects


@pytest.mark.realtime
def test_a_resolver_that_says_nothing_is_left_in_time(named: tuple[Database[Any], int], monkeypatch: pytest.MonkeyPatch) -> None:
    """
    It has limits of its own, of many seconds, and is left to them.
    """
    database, _ = named
    answers = threading.Event()
    find = socket.getaddrinfo

    def found(host: Any, *args: Any, **options: Any) -> Any:
        if host == NAME and "flags" not in options:
            answers.wait(20)
        return find(host, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", found)

    with _invocation.scope(FakeContext(0.6 + RESERVE_S)):
        assert 0.6 - LATE_S <= checkout_s(database) <= 0.6 + LATE_S
    assert 0 == database.stats().connects
    answers.set()


@pytest.mark.parametrize("name", ["nowhere.invalid", f"{'x' * 64}.invalid"], ids=["unknown", "unspeakable"])
def test_a_name_without_an_address_counts_as_one(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Connecting will tell what is wrong with it.
    """
    find = socket.getaddrinfo

    def unknown(host: Any, *args: Any, **options: Any) -> Any:
        if "flags" in options or len(host) > 64:
            return find(host, *args, **options)
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)

    assert 2 == count([name, name], time.monotonic() + 10.0)


def test_a_name_is_looked_up_where_no_thread_can_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The process has as many threads as it may have, or its interpreter is about to end, in an ``atexit`` hook of Python 3.12.
    """

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)

    assert 1 <= count(["localhost"], time.monotonic() + 10.0)


def test_what_an_attempt_leaves_is_for_those_that_follow() -> None:
    """
    A refused address costs nothing; attempts beyond the expected ones share what is left.
    """
    shares = Shares(time.monotonic() + 10.0, 2)

    assert [5.0, 10.0, 10.0] == pytest.approx([shares.next_until_s() - time.monotonic() for _ in range(3)], abs=0.5)
