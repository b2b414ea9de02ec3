"""
What Valkey and redis-py really say, and what the kit takes it for: the table of errors, each provoked on a server.
"""

# What fills a server does it in a loop.
# ruff: noqa: PT012

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import redis
from redis import exceptions
from redis.backoff import NoBackoff
from redis.retry import Retry

from lambda_kit import _invocation, databases
from lambda_kit._local._processes import wait_until
from lambda_kit.databases import Credentials, Database
from lambda_kit.databases._driver import Verdict
from lambda_kit.databases._redis import _Redis
from lambda_kit.errors import ConnectionLostError, ConnectTimeoutError, DatabaseError, LoginError
from tests.databases.accounts import Store
from tests.databases.fakes import FakeContext

# Time for a few attempts, in those that wait for a server.
SHORT_S = 0.8

Client = redis.Redis
Loss = ConnectionLostError


def classify(error: BaseException | None) -> Verdict | None:
    assert error is not None
    return _Redis("", {}).classify(error)


# In use: what is done to the connection, or asked of it, until redis-py raises


def killed(store: Store, client: Client) -> None:
    with at_work(store, store.end_sessions):
        client.blpop(["nothing"], timeout=20)


def server_killed(store: Store, client: Client) -> None:
    try:
        with at_work(store, store.server.kill):
            client.blpop(["nothing"], timeout=20)
    finally:
        store.server.start()
        store.allow(store.password)


@contextlib.contextmanager
def at_work(store: Store, kill: Callable[[], object]) -> Iterator[None]:
    """
    Kill once the block waits for an answer. Before it is waited for redis-py connects again, and nobody sees a thing.
    """

    def once_blocked() -> None:
        with store.server.client() as superuser:
            assert wait_until(lambda: int(superuser.info("clients")["blocked_clients"]) > 0, timeout_s=10)
        kill()

    killing = threading.Thread(target=once_blocked)
    killing.start()
    try:
        yield
    finally:
        killing.join()


def no_answer(_: Store, client: Client) -> None:
    client.blpop(["nothing"], timeout=20)


def replica(store: Store, client: Client) -> None:
    with follower(store, "yes"):
        client.set(store.key, 1)


def replica_without_master(store: Store, client: Client) -> None:
    with follower(store, "no"):
        client.get(store.key)


@contextlib.contextmanager
def follower(store: Store, stale: str) -> Iterator[None]:
    """
    Make the server follow another, which is not there.
    """
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    store.server.execute("CONFIG", "SET", "replica-serve-stale-data", stale)
    store.server.execute("REPLICAOF", "127.0.0.1", str(port))
    try:
        yield
    finally:
        store.server.execute("REPLICAOF", "NO", "ONE")
        store.server.execute("CONFIG", "SET", "replica-serve-stale-data", "yes")


def says(text: str) -> Callable[[Store, Client], None]:
    """
    Have the server answer what cannot be brought about here.
    """

    def said(_: Store, client: Client) -> None:
        client.eval(f"return redis.error_reply('{text}')", 0)

    return said


def without_memory(store: Store, client: Client) -> None:
    store.server.execute("CONFIG", "SET", "maxmemory", "1")
    try:
        client.set(store.key, 1)
    finally:
        store.server.execute("CONFIG", "SET", "maxmemory", "0")


def changed(store: Store, client: Client) -> None:
    pipeline: Any
    with client.pipeline() as pipeline:
        pipeline.watch(store.key)
        store.server.execute("SET", store.key, "2")
        pipeline.multi()
        pipeline.incr(store.key)
        pipeline.execute()


def wrong_type(store: Store, client: Client) -> None:
    client.set(store.key, "text")
    client.incr(store.key)


def forbidden(store: Store, client: Client) -> None:
    store.server.execute("ACL", "SETUSER", store.user, "-get")
    client.get(store.key)


@pytest.mark.parametrize(
    ("provoke", "raised", "verdict", "shown"),
    [
        pytest.param(killed, exceptions.ConnectionError, Verdict.LOST, Loss, id="killed"),
        pytest.param(server_killed, exceptions.ConnectionError, Verdict.LOST, Loss, id="kill -9"),
        pytest.param(no_answer, exceptions.TimeoutError, Verdict.LOST, Loss, id="timeout"),
        pytest.param(says("NOAUTH Authentication required."), exceptions.AuthenticationError, Verdict.AUTH, LoginError, id="NOAUTH"),
        pytest.param(replica, exceptions.ReadOnlyError, Verdict.READ_ONLY, None, id="READONLY"),
        pytest.param(replica_without_master, exceptions.MasterDownError, Verdict.WAIT, None, id="MASTERDOWN"),
        pytest.param(says("LOADING in memory"), exceptions.BusyLoadingError, Verdict.WAIT, Loss, id="LOADING"),
        pytest.param(says("CLUSTERDOWN down"), exceptions.ClusterDownError, Verdict.WAIT, None, id="CLUSTERDOWN"),
        pytest.param(says("TRYAGAIN later"), exceptions.TryAgainError, Verdict.WAIT, None, id="TRYAGAIN"),
        pytest.param(without_memory, exceptions.OutOfMemoryError, Verdict.FATAL, None, id="OOM"),
        pytest.param(changed, exceptions.WatchError, Verdict.FATAL, None, id="WATCH"),
        pytest.param(wrong_type, exceptions.ResponseError, Verdict.FATAL, None, id="wrong type"),
        pytest.param(forbidden, exceptions.NoPermissionError, Verdict.FATAL, None, id="NOPERM"),
    ],
)
def test_errors_in_use(
    store: Store, provoke: Callable[[Store, Client], None], raised: type[Exception], verdict: Verdict, shown: type[Exception] | None
) -> None:
    """
    D37: a lost connection, and one that redis-py closes on what it is told, is ConnectionLostError, one that wants a password
    LoginError; all else is redis-py's.
    """
    database = databases.redis(login=store.login, options={"socket_timeout": 0.3 if provoke is no_answer else 20})

    with pytest.raises(shown or raised) as caught, database.connection() as client:
        provoke(store, client)

    error = caught.value.__cause__ if shown else caught.value
    assert isinstance(error, raised)
    assert verdict is classify(error)
    with database.connection() as client:
        assert client.ping()
    replaced = verdict is Verdict.READ_ONLY or shown is not None
    assert (2 if replaced else 1) == database.stats().connects
    database.close()


# While connecting: what is wrong, and how the kit's error reads


def declare(
    store: Store, *, user: str = "", password: str = "", port: int = 0, host: str = "127.0.0.1", protocol: int = 2
) -> Database[Client]:
    who = Credentials(user or store.user, password or store.password)
    return databases.redis(f"redis://{host}:{port or store.server.port}", login=lambda _: who, options={"protocol": protocol})


@contextlib.contextmanager
def wrong_password(store: Store) -> Iterator[Database[Client]]:
    yield declare(store, password="wrong")


@contextlib.contextmanager
def wrong_password_with_hello(store: Store) -> Iterator[Database[Client]]:
    yield declare(store, password="wrong", protocol=3)


@contextlib.contextmanager
def unknown_user(store: Store) -> Iterator[Database[Client]]:
    yield declare(store, user="nobody_knows")


@contextlib.contextmanager
def nobody_logs_in(store: Store) -> Iterator[Database[Client]]:
    """
    The third protocol begins with HELLO, which wants to know who says it.
    """
    store.server.execute("ACL", "SETUSER", "default", "resetpass", ">of-the-default-user")
    try:
        yield databases.redis(f"redis://127.0.0.1:{store.server.port}", options={"protocol": 3})
    finally:
        with redis.Redis(host="127.0.0.1", port=store.server.port, password="of-the-default-user") as client:
            client.execute_command("ACL", "SETUSER", "default", "nopass")


@contextlib.contextmanager
def server_is_full(store: Store) -> Iterator[Database[Client]]:
    with ExitStack() as taken:
        superuser = taken.enter_context(store.server.client())
        before = superuser.config_get("maxclients")["maxclients"]
        superuser.config_set("maxclients", len(superuser.client_list()) + 2)
        try:
            with pytest.raises(exceptions.ConnectionError, match="max number of clients reached"):
                while True:
                    client = taken.enter_context(redis.Redis(host="127.0.0.1", port=store.server.port, retry=Retry(NoBackoff(), 0)))
                    client.ping()
            yield declare(store)
        finally:
            superuser.config_set("maxclients", before)


@contextlib.contextmanager
def nobody_listens(store: Store) -> Iterator[Database[Client]]:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    yield declare(store, port=port)


@contextlib.contextmanager
def nobody_answers(store: Store) -> Iterator[Database[Client]]:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        yield declare(store, port=mute.getsockname()[1])


@contextlib.contextmanager
def no_such_host(store: Store) -> Iterator[Database[Client]]:
    yield declare(store, host="nowhere.invalid")


Made = contextlib.AbstractContextManager[Database[Client]]


@pytest.mark.parametrize(
    ("wrong", "raised", "verdict", "shown", "words"),
    [
        (wrong_password, exceptions.AuthenticationError, Verdict.AUTH, LoginError, "invalid username-password pair"),
        (wrong_password_with_hello, exceptions.AuthenticationError, Verdict.AUTH, LoginError, "invalid username-password pair"),
        (unknown_user, exceptions.AuthenticationError, Verdict.AUTH, LoginError, "invalid username-password pair"),
        (nobody_logs_in, exceptions.AuthenticationError, Verdict.AUTH, LoginError, "HELLO must be called"),
        (server_is_full, exceptions.ConnectionError, Verdict.WAIT, ConnectTimeoutError, "max number of clients reached"),
        (nobody_listens, exceptions.ConnectionError, Verdict.LOST, ConnectTimeoutError, "refused"),
        (no_such_host, exceptions.ConnectionError, Verdict.LOST, ConnectTimeoutError, "nowhere.invalid"),
        (nobody_answers, exceptions.TimeoutError, Verdict.LOST, ConnectTimeoutError, "timeout expired|Timeout"),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_errors_of_connecting(
    store: Store, wrong: Callable[[Store], Made], raised: type[Exception], verdict: Verdict, shown: type[DatabaseError], words: str
) -> None:
    """
    D37: a refused login is no lost connection, which it is to redis-py; what may pass is tried until the deadline.
    """
    with wrong(store) as database, _invocation.scope(FakeContext(SHORT_S)), pytest.raises(DatabaseError, match=words) as caught:
        database.connection().__enter__()

    cause = caught.value.__cause__
    assert isinstance(cause, raised)
    assert (verdict, shown) == (classify(cause), type(caught.value))
