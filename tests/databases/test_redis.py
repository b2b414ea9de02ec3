"""
Valkey for real, through redis-py: what dies is replaced, nothing is sent twice, and nothing waits past the deadline.
"""

# The with blocks under test have bodies (PT012).
# ruff: noqa: PT012

from __future__ import annotations

import contextlib
import logging
import select
import socket
import threading
import time
from collections.abc import Callable

import pytest
import redis
from redis import exceptions

from lambda_kit import _invocation, databases, preload
from lambda_kit._local._processes import wait_until
from lambda_kit.databases import Credentials, Database
from lambda_kit.databases._driver import Verdict
from lambda_kit.databases._redis import _Redis
from lambda_kit.errors import ConfigurationError, ConnectionLostError, ConnectTimeoutError, DatabaseError, DeadlineError, LoginError
from tests import fresh_process
from tests.databases.accounts import Store
from tests.databases.fakes import FakeContext, TickingContext
from tests.databases.leaks import shown
from tests.databases.proxy import full, proxy

Cache = Database[redis.Redis]
Declare = Callable[..., Cache]


@pytest.fixture
def declare(store: Store) -> Declare:
    """
    Declare a database on that user with options.
    """

    def declared(url: str = "", **options: object) -> Cache:
        return databases.redis(url, **{"login": store.login, **options})  # type: ignore[arg-type]

    return declared


@pytest.fixture
def database(declare: Declare) -> Cache:
    return declare()


def await_input(client: redis.Redis) -> None:
    """
    Wait until the kernel has something for the client: here, that the server has ended its session.
    """
    (only,) = client.connection_pool._available_connections
    assert select.select([only._sock], [], [], 10)[0]


# Declaring


def test_declaring_imports_no_driver() -> None:
    """
    A database at global scope costs no import of redis-py and no network.
    """
    code = """
        import json, sys
        from lambda_kit import databases
        databases.redis("redis://nowhere.invalid")
        print(json.dumps("redis" in sys.modules))
    """
    assert fresh_process.result(code) is False


def test_preload_imports_the_driver_and_connects_nowhere() -> None:
    """
    At the end of INIT the driver is imported; a server that is not there does not matter.
    """
    database = databases.redis("redis://nowhere.invalid")

    preload(database)

    assert 0 == database.stats().connects


def test_nowhere_to_go_is_refused() -> None:
    """
    Neither a url nor a login is a mistake that shows at import.
    """
    with pytest.raises(ConfigurationError, match="give a url, or a login"):
        databases.redis()


def test_options_that_the_kit_decides_are_refused() -> None:
    """
    A retry policy above all: it would send commands twice.
    """
    with pytest.raises(ConfigurationError, match="takes retry from elsewhere"):
        databases.redis("redis://h", options={"retry": 3})


@pytest.mark.parametrize(
    ("url", "complaint"),
    [("http://u:s3cret@h", "cannot be parsed"), ("unix:///s3cret", "over TCP"), ("redis:///1?password=s3cret", "no host")],
    ids=["scheme", "socket", "no host"],
)
def test_a_url_that_leads_nowhere_is_not_shown(url: str, complaint: str) -> None:
    """
    It may hold a password.
    """
    with pytest.raises(ConfigurationError, match=complaint) as caught, databases.redis(lambda: url).connection():
        pass
    assert "s3cret" not in shown(caught.value)


def test_the_url_may_hold_everything(store: Store) -> None:
    """
    User, password, host, port and number; options are redis-py's own.
    """
    url = f"redis://{store.user}:{store.password}@127.0.0.1:{store.server.port}/3"
    database = databases.redis(url, options={"decode_responses": True})

    with database.connection() as client:
        assert store.user == client.acl_whoami()
        assert 3 == client.client_info()["db"]
    assert store.password not in repr(client)


def test_without_a_password_nobody_logs_in(store: Store) -> None:
    """
    An open server in a test, say; a login with an empty user means the default one.
    """
    with databases.redis(f"redis://127.0.0.1:{store.server.port}").connection() as client:
        assert client.ping()
    anybody = Credentials("", "any", host="127.0.0.1", port=store.server.port)

    with store.server.client() as superuser:
        superuser.config_set("requirepass", "any")
        try:
            with databases.redis(login=lambda _: anybody).connection() as client:
                assert "default" == client.acl_whoami()
        finally:
            superuser.config_set("requirepass", "")


@pytest.mark.parametrize("idempotent", [False, True])
def test_a_password_that_is_missing_is_no_loss(store: Store, database: Cache, *, idempotent: bool) -> None:
    """
    A server that refuses a command has not run it: nothing is in doubt, and doing it again is of no use.
    """
    ran = []

    def work(client: redis.Redis) -> None:
        ran.append(client)
        # As nobody; most versions of redis-py find out by themselves when they connect without a password.
        client.execute_command("RESET")  # type: ignore[no-untyped-call]  # redis-py's
        client.set("a", "b")

    with store.server.client() as superuser:
        superuser.config_set("requirepass", "any")
        try:
            with pytest.raises(LoginError, match="Authentication required"):
                database.run(work, idempotent=idempotent)
        finally:
            superuser.config_set("requirepass", "")

    assert 1 == len(ran)


# Use


def test_a_connection_is_kept_for_the_next_block(store: Store, database: Cache) -> None:
    """
    Commands, pipelines and transactions go over one connection; the end of a block takes nothing back.
    """
    with pytest.raises(KeyError), database.connection() as client:
        client.incr(store.key)
        with client.pipeline() as pipe:
            pipe.incr(store.key)
            pipe.incr(store.key)
            assert [2, 3] == pipe.execute()
        raise KeyError
    with database.connection() as again:
        assert again is client
        assert 4 == again.incr(store.key)

    assert 1 == len(store.sessions)
    assert 1 == database.stats().connects


def test_a_subscription_that_was_closed_leaves_one_connection(store: Store, database: Cache) -> None:
    """
    While it is open it has a connection of its own; afterwards the extra one goes.
    """
    with database.connection() as client, client.pubsub() as subscription:  # type: ignore[no-untyped-call]  # redis-py's
        subscription.subscribe("news")
        client.publish("news", "hello")
        kinds = [(subscription.get_message(timeout=5) or {})["type"] for _ in range(2)]
    assert ["subscribe", "message"] == kinds

    with database.connection() as again:
        assert again is client
        assert again.ping()
    assert 1 == len(store.sessions)


def test_a_subscription_left_open_costs_the_connection(database: Cache) -> None:
    """
    Whoever comes next gets a connection that hears nothing of it.
    """
    with database.connection() as client:
        subscription = client.pubsub()  # type: ignore[no-untyped-call]  # redis-py's
        subscription.subscribe("news")

    with database.connection() as again:
        assert again is not client
    assert {"busy": 1} == database.stats().reconnects
    subscription.close()


def test_a_subscription_opened_after_the_block_costs_the_connection(database: Cache) -> None:
    """
    Whoever goes on using the client does not share it with the next.
    """
    with database.connection() as client:
        pass
    subscription = client.pubsub()  # type: ignore[no-untyped-call]  # redis-py's
    subscription.subscribe("news")

    with database.connection() as again:
        assert again is not client
    assert {"busy": 1} == database.stats().reconnects
    subscription.close()


@pytest.mark.parametrize(
    "command",
    ["MULTI", "SELECT 3", "CLIENT SETNAME me", b"multi", "SUBSCRIBE news"],
    ids=["multi", "select", "client", "bytes", "subscribe"],
)
def test_a_session_that_was_changed_is_not_for_the_next(database: Cache, command: str | bytes) -> None:
    """
    The next invocation would get QUEUED for an answer, or the keys of another database.
    """
    with database.connection() as client:
        client.execute_command(*command.split())  # type: ignore[no-untyped-call]  # redis-py's

    with database.connection() as again:
        assert again is not client
        assert again.get("nothing") is None
    assert {"busy": 1} == database.stats().reconnects


def test_what_changes_no_session_costs_none(store: Store, database: Cache) -> None:
    """
    Transactions of redis-py's own, a watched key, a look at who is there.
    """
    with database.connection() as client:
        with client.pipeline() as pipe:
            pipe.watch(store.key)  # type: ignore[no-untyped-call]  # redis-py's
            pipe.multi()
            pipe.incr(store.key)
            pipe.execute()
        client.client_id()

    with database.connection() as again:
        assert again is client
    assert 1 == store.count


def test_an_answer_that_nobody_waited_for_is_not_taken_for_another(database: Cache) -> None:
    """
    A signal's exception may come between a command and its answer; redis-py puts the connection back as it is.
    """
    with database.connection() as client:
        pool = client.connection_pool
        for commands in ([("ECHO", "old")], [("ECHO", "old"), ("ECHO", "older")]):
            only = pool.get_connection()
            only.send_packed_command(only.pack_commands(commands))  # type: ignore[no-untyped-call]  # redis-py's
            if len(commands) > 1:
                only.read_response()
            pool.release(only)

            assert b"new" == client.echo("new")
    with database.connection() as again:
        assert again is not client
    assert {"lost": 1} == database.stats().reconnects


def test_a_client_kept_by_its_user_has_the_time_of_each_invocation(database: Cache) -> None:
    """
    A block around several invocations is not held to the first one's end.
    """
    with database.connection():
        pass
    with contextlib.ExitStack() as kept:
        first = TickingContext(1.0)
        with _invocation.scope(first):
            client = kept.enter_context(database.connection())
            first.until(0.45)
        with _invocation.scope(TickingContext(5.0)):
            assert client.ping()


def test_a_kept_client_has_no_more_time_than_the_invocation_under_way(database: Cache) -> None:
    """
    The end of an invocation that is over is no limit, though it would come later.
    """
    with contextlib.ExitStack() as kept:
        with _invocation.scope(TickingContext(8.0)):
            client = kept.enter_context(database.connection())
        started_s = time.monotonic()

        with _invocation.scope(TickingContext(1.0)), pytest.raises(DeadlineError):
            client.blpop(["nothing"], timeout=5)
        assert 2.0 > time.monotonic() - started_s


def test_all_addresses_of_a_name_share_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A name with two silent addresses takes no longer than one.
    """
    with full() as silent:
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", silent)] * 2)
        started_s = time.monotonic()
        with (
            _invocation.scope(TickingContext(1.1)),
            pytest.raises(ConnectTimeoutError),
            databases.redis("redis://many.invalid").connection(),
        ):
            pass
        assert time.monotonic() - started_s < 0.9


def test_a_pool_that_was_emptied_is_replaced(declare: Declare) -> None:
    """
    Resetting redis-py's pool is rude, but clear to a ping.
    """
    database = declare(ping_after_s=0)
    with database.connection() as client:
        client.connection_pool.reset()

    with database.connection() as again:
        assert again.ping()
    assert {"unanswered": 1} == database.stats().reconnects


def test_a_password_stays_hidden_when_redis_py_connects_again(store: Store, declare: Declare) -> None:
    """
    In a block redis-py may reconnect by itself: with a password that is wrong by now, and with no time left.
    """
    with _invocation.scope(FakeContext(5.0)), pytest.raises(LoginError) as caught, declare().connection() as client:
        (only,) = client.connection_pool._available_connections
        store.allow("second")
        only.disconnect()
        try:
            client.ping()
        except exceptions.AuthenticationError as exc:
            raise LoginError("mine") from exc
    assert store.password not in shown(caught.value)


# Alive


def test_a_killed_session_is_replaced(store: Store, database: Cache) -> None:
    """
    D6: the user sees nothing of it.
    """
    with database.connection() as client:
        client.ping()
    store.end_sessions()
    await_input(client)

    with database.connection() as client:
        assert client.ping()
    assert {"closed": 1} == database.stats().reconnects
    assert 0 == database.stats().pings


def test_a_killed_and_restarted_server_is_found_again(store: Store, database: Cache) -> None:
    """
    D6: while nobody listens, connecting goes on within the time there is.
    """
    with database.connection() as client:
        client.ping()
    store.server.kill()

    def start() -> None:
        store.server.start()
        store.allow(store.password)

    starting = threading.Timer(0.1, start)
    starting.start()

    with _invocation.scope(FakeContext(60.0)):
        assert database.run(lambda client: client.ping(), idempotent=True)
    starting.join()


def test_an_idle_connection_answers_a_ping(declare: Declare) -> None:
    """
    After ping_after_s one round trip shows that the server is there.
    """
    database = declare(ping_after_s=0)
    with database.connection() as first:
        pass

    with database.connection() as client:
        assert first is client
    assert 1 == database.stats().pings


def test_a_mute_peer_costs_a_bounded_ping(store: Store, declare: Declare) -> None:
    """
    A peer whose kernel acknowledges and that never answers: half a second, then a new connection.
    """
    with proxy(store.server.port) as between:
        database = declare(f"redis://127.0.0.1:{between.port}", ping_after_s=0)
        with database.connection():
            pass
        between.mute()
        started_s = time.monotonic()

        with database.connection() as client:
            assert client.ping()
        assert 0.4 <= time.monotonic() - started_s < 2.0
        assert {"unanswered": 1} == database.stats().reconnects
        database.close()


def test_a_connection_the_user_closed_is_replaced(database: Cache) -> None:
    """
    Closing it is rude, but clear; so is closing the database.
    """
    with database.connection() as client:
        pass
    client.connection_pool.disconnect()

    with database.connection() as again:
        assert again is not client
        assert again.ping()
    database.close()


def test_a_command_lost_in_use_is_not_sent_twice(store: Store, declare: Declare) -> None:
    """
    It went to the server, and it happened there, once: the error says that nobody knows.
    """
    with proxy(store.server.port) as between:
        database = declare(f"redis://127.0.0.1:{between.port}")

        with pytest.raises(ConnectionLostError, match="may have happened") as caught, database.connection() as client:
            between.cut_after = b"INCR"
            client.incr(store.key)
        assert caught.value.in_doubt
        assert isinstance(caught.value.__cause__, exceptions.ConnectionError)
    assert wait_until(lambda: 1 == store.count, timeout_s=10)


def test_an_error_of_a_command_keeps_the_connection(store: Store, database: Cache) -> None:
    """
    What the server rejects is an answer.
    """
    with pytest.raises(exceptions.ResponseError, match="not an integer"), database.connection() as client:
        client.set(store.key, "x")
        client.incr(store.key)
    with database.connection() as again:
        assert again is client


def test_a_command_that_cannot_be_sent_is_said(database: Cache) -> None:
    """
    The connection goes, as with one that gets no answer.
    """
    with pytest.raises(ConnectionLostError, match="writing to socket"), database.connection() as client:
        only = client.connection_pool._available_connections.pop()
        only._sock.shutdown(socket.SHUT_WR)
        only.send_command("PING")


def test_a_loss_that_the_user_has_dealt_with_is_not_an_error(store: Store, database: Cache) -> None:
    """
    There is no transaction that could have been lost: the block goes on, on a connection that goes at its end.
    """
    with database.connection() as client:
        store.end_sessions()
        await_input(client)
        assert client.ping()
        with client.pipeline() as pipe:
            pipe.watch(store.key)  # type: ignore[no-untyped-call]  # redis-py's
            store.end_sessions()
            with pytest.raises(exceptions.RedisError):
                pipe.get(store.key)
        assert client.ping()

    with database.connection() as again:
        assert again is not client
    assert {"lost": 1} == database.stats().reconnects


def test_idempotent_work_survives_a_kill(store: Store, database: Cache) -> None:
    """
    run() does it again on a new connection.
    """
    with proxy(store.server.port) as between:
        database = databases.redis(f"redis://127.0.0.1:{between.port}", login=store.login)
        between.cut_after = b"SET\r"

        def work(client: redis.Redis) -> object:
            done = [client.set(store.key, 7)]
            return done.pop()

        with pytest.raises(ConnectionLostError):
            database.run(work)
        between.cut_after = b""
        assert database.run(work, idempotent=True) is True
    assert 7 == store.count


# Logging in


def test_a_password_that_cannot_be_encoded_is_not_shown(store: Store, declare: Declare) -> None:
    """
    Python's own error has all of it.
    """
    database = declare(login=lambda _: Credentials(store.user, "s3cret\ud800", host="127.0.0.1", port=store.server.port))

    with pytest.raises(ConfigurationError, match="cannot be encoded") as caught, database.connection():
        pass
    assert "s3cret" not in shown(caught.value)


def test_a_host_that_no_resolver_can_be_asked_for_is_an_error_of_the_kits(declare: Declare) -> None:
    """
    A label of a name has 63 characters at most.
    """
    database = declare(f"redis://{'x' * 64}.invalid")

    with pytest.raises(ConfigurationError, match="host, user or password of a redis database"), database.connection():
        pass


def test_a_rotated_password_is_asked_for_when_refused(store: Store, database: Cache) -> None:
    """
    The open connection stays; a new one needs the new password.
    """
    old = Credentials(store.user, store.password, host="127.0.0.1", port=store.server.port)
    store.password = "second"
    store.allow("second")
    database = databases.redis(login=lambda refused: old if refused is None else store.login(None))

    with database.connection() as client:
        assert client.ping()


@pytest.mark.parametrize("protocol", [2, 3])
def test_a_password_that_stays_wrong_is_a_login_error(
    store: Store, declare: Declare, caplog: pytest.LogCaptureFixture, protocol: int
) -> None:
    """
    The server's own words are raised, and no password with them: in no cause, frame or log.
    """
    caplog.set_level(logging.DEBUG)
    wrong = "wrong-and-secret"

    def offer(_: Credentials | None) -> Credentials:
        return Credentials(store.user, wrong, host="127.0.0.1", port=store.server.port)

    with _invocation.scope(FakeContext(1.5)), pytest.raises(LoginError, match="invalid username-password") as caught:
        declare(login=offer, options={"protocol": protocol}).connection().__enter__()
    assert isinstance(caught.value.__cause__, exceptions.AuthenticationError)
    assert wrong not in shown(caught.value)
    assert wrong not in caplog.text


def test_a_login_may_want_tls(store: Store, declare: Declare) -> None:
    """
    Its password goes over no wire in clear: a server without TLS gets nothing.
    """

    def offer(_: Credentials | None) -> Credentials:
        return Credentials(store.user, store.password, host="127.0.0.1", port=store.server.port, needs_tls=True)

    with _invocation.scope(FakeContext(1.0)), pytest.raises(DatabaseError), declare(login=offer).connection():
        pass
    assert [] == store.sessions


# Limits


def test_a_refused_port_is_tried_until_the_deadline(declare: Declare) -> None:
    """
    Then the last refusal is raised, while there is time to answer.
    """
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    started_s = time.monotonic()

    with _invocation.scope(FakeContext(1.2)), pytest.raises(ConnectTimeoutError, match="refused"):
        declare(f"redis://127.0.0.1:{port}").connection().__enter__()
    assert time.monotonic() - started_s < 1.0


def test_a_server_that_says_nothing_is_left_at_the_deadline(declare: Declare) -> None:
    """
    The answer to AUTH has to come in time too.
    """
    with socket.create_server(("127.0.0.1", 0)) as mute:
        database = declare(f"redis://127.0.0.1:{mute.getsockname()[1]}")
        started_s = time.monotonic()

        with _invocation.scope(FakeContext(1.0)), pytest.raises(ConnectTimeoutError, match=r"(?i)time"), database.connection():
            pass
        assert 0.4 <= time.monotonic() - started_s < 0.9


def test_a_command_does_not_outlive_the_deadline(store: Store, database: Cache) -> None:
    """
    It is given up half a second before the end, the connection with it, and the next invocation has a new one.
    """
    with database.connection():
        pass
    started_s = time.monotonic()

    with (
        _invocation.scope(FakeContext(0.8)),
        pytest.raises(DeadlineError, match="not done") as caught,
        database.connection() as client,
    ):
        client.blpop(f"{store.user}:nothing", 20)
    assert caught.value.in_doubt

    assert time.monotonic() - started_s < 0.7
    with database.connection() as client:
        assert client.ping()
    assert {"lost": 1} == database.stats().reconnects


def test_nothing_is_sent_after_the_deadline(store: Store, database: Cache) -> None:
    """
    Nor is an answer waited for, which would be taken for the next command's.
    """
    with database.connection():
        pass

    with _invocation.scope(TickingContext(0.6)), pytest.raises(DeadlineError) as caught, database.connection() as client:
        threading.Event().wait(0.15)
        client.incr(store.key)
    assert 0 == store.count
    assert not caught.value.in_doubt
    with _invocation.scope(FakeContext(0.8)), pytest.raises(DeadlineError), database.connection() as client:
        only = client.connection_pool._available_connections.pop()
        only.send_command("INCR", store.key)
        threading.Event().wait(0.4)
        only.read_response()
    with database.connection() as client:
        assert 1 == int(client.get(store.key))  # type: ignore[arg-type]  # a synchronous client's answer


def test_an_answer_has_a_limit_outside_of_invocations_too(store: Store, declare: Declare) -> None:
    """
    socket_timeout is redis-py's option for it.
    """
    database = declare(options={"socket_timeout": 0.1})

    with pytest.raises(ConnectionLostError, match="Timeout"), database.connection() as client:
        client.blpop(f"{store.user}:nothing", 20)


# Life


def test_a_forked_child_leaves_the_parents_session_alone(store: Store) -> None:
    """
    D27: the child has a session of its own, also when it ends, and the parent goes on in the old one.
    """
    code = """
        import json, os
        from lambda_kit import databases
        db = databases.redis(os.environ["URL"])
        def number():
            with db.connection() as client:
                return client.client_id()
        before = number()
        readable, writable = os.pipe()
        child = os.fork()
        if child == 0:
            os.write(writable, str(number()).encode())
            db.close()
            os._exit(0)
        os.waitpid(child, 0)
        in_child = int(os.read(readable, 100))
        after = number()
        db.close()
        print(json.dumps([before, in_child, after]))
    """
    url = f"redis://{store.user}:{store.password}@127.0.0.1:{store.server.port}"

    before, in_child, after = fresh_process.result(code, environ={"URL": url})

    assert before == after
    assert before != in_child


# Errors


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (exceptions.ConnectionError("x"), Verdict.LOST),
        (exceptions.ConnectionError("certificate verify failed: self-signed"), Verdict.FATAL),
        (exceptions.TimeoutError("x"), Verdict.LOST),
        (exceptions.AuthenticationError("x"), Verdict.AUTH),
        (exceptions.ReadOnlyError("x"), Verdict.READ_ONLY),
        (exceptions.ConnectionError("max number of clients reached"), Verdict.WAIT),
        (exceptions.BusyLoadingError("x"), Verdict.WAIT),
        (exceptions.ClusterDownError("x"), Verdict.WAIT),
        (exceptions.TryAgainError("x"), Verdict.WAIT),
        (exceptions.MasterDownError("x"), Verdict.WAIT),
        (exceptions.WatchError("x"), Verdict.FATAL),
        (exceptions.OutOfMemoryError("x"), Verdict.FATAL),
        (exceptions.ResponseError("x"), Verdict.FATAL),
        (KeyError("x"), None),
    ],
    ids=repr,
)
def test_errors_mean_what_the_table_says(error: Exception, verdict: Verdict | None) -> None:
    """
    D37: by redis-py's classes; AUTH and WAIT go before LOST, whose subclasses they are.
    """
    assert verdict is _Redis("", {}).classify(error)
