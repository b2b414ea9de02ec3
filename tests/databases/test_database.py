"""
The database handle, on a driver without a server: exclusive, bounded, and bound to the environment's life.
"""

# The with blocks under test have bodies (PT012).
# ruff: noqa: PT012

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import lambda_kit
from lambda_kit import _invocation, _observe, _runtime, databases, preload, secret
from lambda_kit.databases import Credentials, Database
from lambda_kit.databases._driver import Doubt, State, Verdict
from lambda_kit.databases._line import Line, Place
from lambda_kit.errors import (
    CommitUnknownError,
    ConfigurationError,
    ConnectionLostError,
    DatabaseError,
    DeadlineError,
)
from tests.databases.fakes import FakeConnection, FakeContext, FakeDriver, FakeError
from tests.threads import wait_until_at

FakeDatabase = Database[FakeConnection]
TraceFunction = Callable[[FrameType, str, Any], Any]


def make(driver: FakeDriver, *, max_connections: int = 1, ping_after_s: float | None = 5.0) -> FakeDatabase:
    return Database(driver, login=None, max_connections=max_connections, ping_after_s=ping_after_s, connect_timeout_s=5.0)


def use(database: FakeDatabase) -> FakeConnection:
    with database.connection() as connection:
        return connection


def hold_in_threads(database: FakeDatabase, count: int) -> tuple[list[FakeConnection], threading.Event, list[threading.Thread]]:
    """
    Check out *count* connections, each in a thread of its own that holds it until the event.
    """
    held: list[FakeConnection] = []
    ready, done = threading.Barrier(count + 1), threading.Event()

    def work() -> None:
        with database.connection() as connection:
            held.append(connection)
            ready.wait(10)
            done.wait(10)

    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    ready.wait(10)
    return held, done, threads


def idle_connections(database: FakeDatabase, count: int) -> list[FakeConnection]:
    """
    Make the database have *count* idle connections.
    """
    held, done, threads = hold_in_threads(database, count)
    done.set()
    for thread in threads:
        thread.join(10)
    return held


def test_declaring_connects_nothing() -> None:
    """
    A database that was never used has made no connection.
    """
    driver = FakeDriver()

    database = make(driver)

    assert [] == driver.made
    assert 0 == driver.loaded
    assert "<Database fake, 0 idle, 0 in use, at most 1>" == repr(database)


def test_a_connection_is_kept_for_the_next_checkout() -> None:
    """
    Two blocks one after the other get the same connection.
    """
    driver = FakeDriver()
    database = make(driver)

    assert use(database) is use(database)
    assert 1 == database.stats().connects


def test_no_connections_at_all_are_refused() -> None:
    """
    A database needs one connection at least.
    """
    with pytest.raises(ConfigurationError, match="max_connections is 0"):
        make(FakeDriver(), max_connections=0)


def test_preload_imports_the_driver_without_connecting() -> None:
    """
    The end of INIT gets the driver's import, and no network.
    """
    driver = FakeDriver()

    preload(make(driver), make(driver))

    assert 2 == driver.loaded
    assert [] == driver.made


# Unbounded


def test_an_invocation_that_the_kit_does_not_know_of_is_told_of_once(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Without the kit's handler there is no deadline to keep to: the log says so, and what to do. In INIT there is none anyway.
    """
    monkeypatch.setenv("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9001")
    monkeypatch.delenv("_X_AMZN_TRACE_ID", raising=False)
    database = make(FakeDriver())

    use(database)
    assert [] == caplog.messages
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-0;Parent=2;Sampled=0")
    use(database)
    use(database)

    assert 1 == len(caplog.messages)
    assert "its deadline is not known" in caplog.text
    assert "how-to wire-a-handler" in caplog.text


def test_code_after_an_invocation_is_not_told_of(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A thread that runs on between two invocations does not mean that the handler is not wired.
    """
    monkeypatch.setenv("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9001")
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-0;Parent=2;Sampled=0")
    database = make(FakeDriver())
    with _invocation.scope(FakeContext(5.0)):
        use(database)

    use(database)
    use(database)

    assert [] == caplog.messages


# Exclusive


def test_a_nested_checkout_in_one_thread_is_refused() -> None:
    """
    Two connections in one thread would be two transactions: the message says to pass the connection down.
    """
    database = make(FakeDriver(), max_connections=2)

    with database.connection(), pytest.raises(DatabaseError, match="pass it down"), database.connection():
        pass
    assert isinstance(use(database), FakeConnection)


def test_threads_get_connections_of_their_own_up_to_the_limit() -> None:
    """
    Three threads at once hold three connections; the one given back last is handed out first.
    """
    database = make(FakeDriver(), max_connections=3)

    held = idle_connections(database, 3)

    assert 3 == len({id(connection) for connection in held})
    assert use(database) in held
    assert 3 == database.stats().connects


def test_a_thread_waits_for_the_connection_of_another() -> None:
    """
    With one connection the second thread goes on as soon as the first is done, on the same connection.
    """
    database = make(FakeDriver())
    held, done, threads = hold_in_threads(database, 1)

    threading.Timer(0.05, done.set).start()

    assert use(database) is held[0]
    threads[0].join(10)
    assert 1 == database.stats().waits
    assert 0 < database.stats().waited_s


def test_who_waits_gets_the_next_one_before_who_comes_again() -> None:
    """
    Threads that take a connection again as soon as they have given it back leave one to the others.
    """
    database = make(FakeDriver(), max_connections=1)
    done, waited = threading.Event(), threading.Event()

    def hold() -> None:
        while not done.is_set():
            with database.connection():
                waited.set()
                # As a statement takes.
                time.sleep(0.0005)

    greedy = [threading.Thread(target=hold) for _ in range(3)]
    for thread in greedy:
        thread.start()
    waited.wait(10.0)

    with _invocation.scope(FakeContext(5.0)):
        for _ in range(50):
            with database.connection():
                pass
    done.set()
    for thread in greedy:
        thread.join(10.0)
    assert not any(thread.is_alive() for thread in greedy)


def test_a_place_in_the_line_is_lost_with_its_call() -> None:
    """
    A signal's exception may come between any two steps; nobody waits behind who has gone.
    """
    line = Line()
    line.join(Place(1))
    second = Place(2)
    line.join(second)

    assert line.is_first(2)
    line.leave(second)
    assert [] == line.places
    assert line.is_first(3)


def test_a_checkout_that_nobody_can_end_is_taken_away(caplog: pytest.LogCaptureFixture) -> None:
    """
    Entered and dropped, as by a signal's exception before the block began: it does not block the thread for ever.
    """
    database = make(FakeDriver())
    with _invocation.scope(FakeContext(5.0, "request-7")):
        left = database.connection().__enter__()

    assert use(database) is not left
    assert ["drop"] == left.log
    assert (
        "the connection to fake: a connection that request request-7 had checked out, and never gave back, was given up" in caplog.messages
    )
    assert {"busy": 1} == database.stats().reconnects


def test_what_an_ended_invocation_kept_is_taken_away(caplog: pytest.LogCaptureFixture) -> None:
    """
    A block in a global does not block the invocations that follow; the connection is not counted twice when the block ends late.
    """
    database = make(FakeDriver())
    kept = database.connection()
    with _invocation.scope(FakeContext(5.0, "request-7")):
        left = kept.__enter__()
        left.state = State.OPEN

    with _invocation.scope(FakeContext(5.0, "request-8")):
        assert use(database) is not left
        with pytest.raises(ConnectionLostError, match="nothing was committed"):
            kept.__exit__(None, None, None)
        with database.connection(), pytest.raises(DatabaseError, match="by request request-8: pass it down"), database.connection():
            pass

    assert ["drop"] == left.log
    assert (
        "the connection to fake: a connection that request request-7 had checked out, and never gave back, was given up" in caplog.messages
    )
    assert {"busy": 1} == database.stats().reconnects


def test_a_generator_that_an_ended_invocation_left_is_taken_away() -> None:
    """
    Suspended in a block, and kept in a global.
    """
    database = make(FakeDriver())

    def rows() -> Generator[FakeConnection, None, None]:
        with database.connection() as connection:
            yield connection

    kept = rows()
    with _invocation.scope(FakeContext(5.0)):
        left = next(kept)
    with _invocation.scope(FakeContext(5.0)):
        assert use(database) is not left
    kept.close()

    assert ["drop"] == left.log


def test_what_the_outer_of_two_invocations_holds_is_its_own() -> None:
    """
    Tests run one invocation within another; the outer one has not ended.
    """
    database = make(FakeDriver())

    with (
        _invocation.scope(FakeContext(5.0, "request-7")),
        database.connection(),
        _invocation.scope(FakeContext(5.0, "request-8")),
        pytest.raises(DatabaseError, match="by request request-7: pass it down"),
    ):
        use(database)


def test_what_a_thread_of_an_ended_invocation_holds_is_its_own() -> None:
    """
    It may be in the middle of a statement.
    """
    database = make(FakeDriver())
    with _invocation.scope(FakeContext(5.0)):
        (held,), done, threads = hold_in_threads(database, 1)

    with _invocation.scope(FakeContext(0.6)), pytest.raises(DatabaseError, match="all held by other threads"):
        use(database)
    done.set()
    threads[0].join(10)

    assert use(database) is held


def test_a_checkout_outside_of_invocations_is_named_so() -> None:
    """
    Whoever reads the message knows where to look.
    """
    database = make(FakeDriver())

    with database.connection(), pytest.raises(DatabaseError, match="already by code outside of an invocation: pass"):
        use(database)


def test_a_checkout_that_another_thread_left_is_taken_away() -> None:
    """
    Nobody waits for a thread that is gone.
    """
    database = make(FakeDriver())
    thread = threading.Thread(target=lambda: database.connection().__enter__())
    thread.start()
    thread.join()

    with _invocation.scope(FakeContext(5.0)):
        use(database)
    assert 0 == database.stats().waits


def test_a_connect_under_way_is_not_taken_away() -> None:
    """
    A login that needs the very database it logs in to is a nested checkout, and refused as one.
    """

    def login(_: object) -> Credentials:
        use(database)
        return Credentials("app", "x")

    database = Database(FakeDriver(), login=login, max_connections=1, ping_after_s=None, connect_timeout_s=5.0)

    with pytest.raises(DatabaseError, match="checked out already"):
        use(database)


def test_an_interruption_anywhere_leaves_the_database_usable() -> None:
    """
    Whatever line of the kit a signal's exception hits, the next block has a connection, and nobody shares one.
    """
    folder = str(Path(databases.__file__).parent)

    def interrupted_at(number: int) -> bool:
        driver = FakeDriver()
        database = make(driver, ping_after_s=0)
        use(database).state = State.OPEN
        count = 0

        def trace(frame: FrameType, event: str, _: object) -> TraceFunction | None:
            nonlocal count
            if not frame.f_code.co_filename.startswith(folder):
                return None
            if event == "line":
                count += 1
                if count == number:
                    raise KeyboardInterrupt
            return trace

        earlier = sys.gettrace()
        sys.settrace(trace)
        try:
            with database.connection() as connection:
                connection.state = State.OPEN
        except KeyboardInterrupt:
            pass
        finally:
            sys.settrace(earlier)
        for _ in range(2):
            with database.connection() as one:
                assert State.IDLE is one.state
        assert repr(database).startswith("<Database fake, 1 idle, 0 in use")
        return count >= number

    number = 1
    while interrupted_at(number):
        number += 1
    assert number > 40


def test_a_block_ends_once() -> None:
    """
    A second end would be that of somebody else's block.
    """
    database = make(FakeDriver())
    checkout = database.connection()
    with checkout:
        pass

    with pytest.raises(AttributeError):
        checkout.__exit__(None, None, None)
    assert "1 idle, 0 in use" in repr(database)


def test_a_checkout_that_is_taken_for_its_connection_says_what_to_do() -> None:
    """
    The first thing that goes wrong is ``db.connection().execute``.
    """
    database: Any = make(FakeDriver())

    with pytest.raises(AttributeError, match=r"no 'execute': enter it, as in `with db.connection\(\) as connection:`"):
        database.connection().execute("SELECT 1")


def test_a_connection_that_cannot_even_be_dropped_blocks_nobody() -> None:
    """
    Without a file descriptor left, say.
    """
    database = make(FakeDriver())

    with pytest.raises(OSError, match="too many"), database.connection() as connection:
        connection.state, connection.doubt, connection.on_drop = State.LOST, Doubt.CLOSED, OSError("too many open files")
    assert use(database) is not connection


@pytest.mark.parametrize("turn", ["shutdown", "collection"])
def test_what_comes_in_between_does_not_wait_for_its_own_thread(turn: str) -> None:
    """
    A signal's handler, or the garbage collector, may come while this thread has the database's lock.
    """
    database = make(FakeDriver(), max_connections=2)

    def block() -> Iterator[FakeConnection]:
        with database.connection() as connection:
            yield connection

    def come_in_between() -> None:
        forgotten = block()
        next(forgotten)
        with database._lock:
            if turn == "shutdown":
                _runtime.shut_down()
            del forgotten

    thread = threading.Thread(target=come_in_between, daemon=True)
    thread.start()
    thread.join(10)
    assert not thread.is_alive()


def test_a_wait_that_is_too_long_names_the_limit() -> None:
    """
    A waiting thread gives up before the invocation's deadline and says what to raise.
    """
    database = make(FakeDriver())
    _, done, threads = hold_in_threads(database, 1)

    with _invocation.scope(FakeContext(0.6)), pytest.raises(DatabaseError, match="max_connections=1"):
        use(database)
    done.set()
    threads[0].join(10)


def test_a_restore_while_a_thread_waits_leaves_the_database_usable() -> None:
    """
    The thread waits for a connection that is gone; then it gets one of the new life, where the next wait is noticed again.
    """
    database = make(FakeDriver())
    found: list[FakeConnection] = []
    waiting = threading.Thread(target=lambda: found.append(use(database)))

    with _invocation.scope(FakeContext(0.8)), pytest.raises(ConnectionLostError), database.connection():
        waiting.start()
        wait_until_at(waiting, "waiter.acquire(True, timeout)")
        _runtime.restored()
        waiting.join(10)
    held, done, threads = hold_in_threads(database, 1)
    threading.Timer(0.05, done.set).start()

    assert held == found
    assert use(database) is held[0]
    assert 1.0 > database.stats().waited_s
    threads[0].join(10)


def test_many_threads_share_few_connections() -> None:
    """
    D31: sixty-four threads on four connections: never one connection in two threads, and all of them get through.
    """
    database = make(FakeDriver(), max_connections=4)
    shared, in_use, lock = [], set(), threading.Lock()

    def work() -> None:
        with database.connection() as connection:
            with lock:
                shared.extend([connection] if id(connection) in in_use else [])
                in_use.add(id(connection))
            time.sleep(0)
            with lock:
                in_use.discard(id(connection))

    threads = [threading.Thread(target=work) for _ in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert [] == shared
    assert 4 >= database.stats().connects


# Alive


def test_a_closed_connection_is_replaced_without_a_farewell() -> None:
    """
    What the server has ended is dropped, and the block gets a new connection.
    """
    driver = FakeDriver()
    database = make(driver)
    first = use(database)
    first.state = State.LOST

    second = use(database)

    assert first is not second
    assert ["drop"] == first.log
    assert {"closed": 1} == database.stats().reconnects


def test_a_busy_connection_is_replaced() -> None:
    """
    A statement that somebody left running cannot be waited for.
    """
    database = make(FakeDriver())
    first = use(database)
    first.state = State.BUSY

    assert use(database) is not first
    assert {"busy": 1} == database.stats().reconnects


def test_a_fresh_connection_is_not_pinged() -> None:
    """
    Within ping_after_s a look at the socket is enough.
    """
    database = make(FakeDriver())
    use(database)

    assert [] == use(database).log


@pytest.mark.parametrize("jump_s", [6.0, -6.0], ids=["forward", "backward"])
def test_a_wall_clock_that_jumped_makes_a_ping(monkeypatch: pytest.MonkeyPatch, jump_s: float) -> None:
    """
    In a freeze only the wall clock goes on; one that went backwards says nothing, so the server is asked.
    """
    database = make(FakeDriver())
    use(database)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + jump_s)

    assert ["ping within 0.5"] == use(database).log
    assert 1 == database.stats().pings


def test_a_monotonic_clock_that_went_on_makes_a_ping(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Either clock counts.
    """
    database = make(FakeDriver())
    use(database)
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 6.0)

    assert ["ping within 0.5"] == use(database).log


def test_pings_can_be_turned_off() -> None:
    """
    With ping_after_s=None no checkout asks the server.
    """
    database = make(FakeDriver(), ping_after_s=None)
    use(database)

    assert [] == use(database).log


def test_a_ping_takes_a_tenth_of_what_is_left_at_most() -> None:
    """
    A reconnect must fit after it.
    """
    database = make(FakeDriver(), ping_after_s=0)
    use(database)

    with _invocation.scope(FakeContext(2.5)):
        assert ["ping within 0.2"] == use(database).log


def test_an_unanswered_ping_condemns_all_idle_connections() -> None:
    """
    The others are as old, and would each cost a time limit.
    """
    database = make(FakeDriver(), max_connections=3, ping_after_s=0)
    old = idle_connections(database, 3)
    for connection in old:
        connection.answers = False

    new = use(database)

    assert new not in old
    assert 1 == sum("ping within 0.5" in connection.log for connection in old)
    assert ["drop"] * 3 == [connection.log[-1] for connection in old]
    assert {"unanswered": 1} == database.stats().reconnects


def test_a_closed_connection_makes_room_for_the_next_idle_one() -> None:
    """
    One dead connection does not cost a connect while there are others.
    """
    database = make(FakeDriver(), max_connections=2)
    first, second = idle_connections(database, 2)
    use(database).state = State.LOST

    assert use(database) in (first, second)
    assert 2 == database.stats().connects


def test_without_time_for_a_ping_the_connection_keeps() -> None:
    """
    An invocation at its end gets a DeadlineError; the connection is not to blame.
    """
    database = make(FakeDriver(), ping_after_s=0)
    first = use(database)

    with _invocation.scope(FakeContext(0.2)), pytest.raises(DeadlineError, match=r"0\.2\d* s left"):
        use(database)
    assert use(database) is first


def test_an_interrupted_checkout_leaves_nothing_held() -> None:
    """
    Whatever breaks a checkout, the thread can check out again, on another connection.
    """
    database = make(FakeDriver())
    first = use(database)
    first.on_inspect = KeyboardInterrupt()

    with pytest.raises(KeyboardInterrupt):
        use(database)

    assert ["drop"] == first.log
    assert use(database) is not first


def test_a_checkout_that_never_got_a_connection_is_taken_away() -> None:
    """
    A signal's exception may come right after the thread was entered among the holders.
    """
    database = make(FakeDriver())
    database._claim(threading.get_ident(), lambda: None)

    assert isinstance(use(database), FakeConnection)
    assert {} == database._holders


def test_a_connect_that_fails_leaves_nothing_held() -> None:
    """
    After a failed connect the next checkout tries again.
    """
    database = make(FakeDriver(FakeError(Verdict.FATAL)))

    with pytest.raises(DatabaseError, match="trying again does not help"):
        use(database)
    assert isinstance(use(database), FakeConnection)


def test_connects_and_pings_are_spans() -> None:
    """
    Whoever traces sees the network work and nothing else.
    """
    spans: list[tuple[str, str, object]] = []

    def trace(name: str, namespace: str, facts: object) -> AbstractContextManager[None]:
        spans.append((name, namespace, facts))
        return nullcontext()

    database = make(FakeDriver(), ping_after_s=0)
    _observe.set_tracer(trace)

    use(database)
    use(database)

    assert [("connect", "remote", {"database": "fake"}), ("ping", "remote", {"database": "fake"})] == spans


# Transactions


def test_a_block_commits_on_success() -> None:
    """
    An open transaction is committed at the end, once.
    """
    database = make(FakeDriver())

    with database.connection() as connection:
        connection.state = State.OPEN

    assert ["commit"] == connection.log
    assert use(database) is connection


def test_a_block_rolls_back_on_error_and_passes_it_on() -> None:
    """
    The error is the user's own, unchanged, and the connection keeps.
    """
    database = make(FakeDriver())

    with pytest.raises(KeyError, match="mine"), database.connection() as connection:
        connection.state = State.OPEN
        raise KeyError("mine")
    assert ["roll back within 5.0"] == connection.log
    assert use(database) is connection


def test_an_error_without_a_transaction_sends_nothing() -> None:
    """
    Where nothing is open nothing is rolled back.
    """
    database = make(FakeDriver())

    with pytest.raises(KeyError), database.connection() as connection:
        raise KeyError
    assert [] == connection.log


def test_a_rollback_at_the_deadline_has_a_little_of_the_reserve() -> None:
    """
    Even with nothing left the server hears of the end of the transaction.
    """
    database = make(FakeDriver())
    use(database)

    with _invocation.scope(FakeContext(0.1)), pytest.raises(KeyError), database.connection() as connection:
        connection.state = State.OPEN
        raise KeyError
    assert ["roll back within 0.2"] == connection.log


def test_a_rollback_that_fails_costs_the_connection(caplog: pytest.LogCaptureFixture) -> None:
    """
    The user's error passes on, and the connection, in a state nobody knows, is dropped.
    """
    database = make(FakeDriver())

    with caplog.at_level(logging.DEBUG, "lambda_kit"), pytest.raises(KeyError), database.connection() as connection:
        connection.state = State.FAILED
        connection.on_rollback = FakeError(Verdict.FATAL)
        raise KeyError
    assert ["roll back within 5.0", "drop"] == connection.log
    assert "the connection to fake: a rollback failed: FakeError" in caplog.messages


def test_a_transaction_left_open_is_rolled_back_and_named(caplog: pytest.LogCaptureFixture) -> None:
    """
    Invocation B does not commit what invocation A left behind, and the log says who left it.
    """
    database = make(FakeDriver())
    with _invocation.scope(FakeContext(9.0, "request-a")):
        left = use(database)
    left.state = State.OPEN

    with _invocation.scope(FakeContext(9.0, "request-b")), database.connection() as connection:
        assert State.IDLE is connection.state

    assert left is connection
    assert 1 == database.stats().rollbacks
    assert ["a transaction left open by request request-a was rolled back"] == [
        message.partition(": ")[2].partition(";")[0] for message in caplog.messages
    ]


def test_a_transaction_left_open_outside_of_invocations_is_named_so(caplog: pytest.LogCaptureFixture) -> None:
    """
    At import time and in scripts there is no request to name.
    """
    database = make(FakeDriver())
    use(database).state = State.FAILED

    use(database)

    assert "left open by code outside of an invocation" in caplog.text


def test_a_left_transaction_that_cannot_be_rolled_back_costs_the_connection() -> None:
    """
    Then the checkout gets a new one.
    """
    database = make(FakeDriver())
    first = use(database)
    first.state, first.on_rollback = State.OPEN, FakeError(Verdict.LOST)

    assert use(database) is not first
    assert {"busy": 1} == database.stats().reconnects


def test_a_connection_lost_in_use_is_said_and_replaced() -> None:
    """
    The driver's error is the cause; the next block has a new connection.
    """
    database = make(FakeDriver())
    error = FakeError(Verdict.LOST)

    with pytest.raises(ConnectionLostError, match="the connection to fake was lost in use") as caught, database.connection() as connection:
        connection.state = State.LOST
        raise error
    assert error is caught.value.__cause__
    assert use(database) is not connection
    assert {"lost": 1} == database.stats().reconnects


def test_a_dead_connection_makes_any_error_of_the_driver_a_loss() -> None:
    """
    What the error says may be in any language: the state of the connection counts too.
    """
    database = make(FakeDriver())

    with pytest.raises(ConnectionLostError), database.connection() as connection:
        connection.state = State.LOST
        raise FakeError(Verdict.UNKNOWN)


def test_an_error_of_the_user_on_a_dead_connection_passes_on() -> None:
    """
    It is not the driver's, so it is not renamed; the connection goes all the same.
    """
    database = make(FakeDriver())

    with pytest.raises(KeyError), database.connection() as connection:
        connection.state = State.LOST
        raise KeyError
    assert ["drop"] == connection.log


def test_a_running_statement_at_an_error_costs_the_connection() -> None:
    """
    A statement that was given up, such as by a deadline, may still be running: the server is asked to stop it.
    """
    database = make(FakeDriver())

    with pytest.raises(DeadlineError), database.connection() as connection:
        connection.state = State.BUSY
        raise DeadlineError
    assert ["cancel within 0.2", "drop"] == connection.log


def test_a_cancel_that_fails_changes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """
    It is a favour to the server: the user's error passes, the connection goes.
    """
    database = make(FakeDriver())

    with caplog.at_level(logging.DEBUG, "lambda_kit"), pytest.raises(KeyError), database.connection() as connection:
        connection.state, connection.on_cancel = State.BUSY, FakeError(Verdict.WAIT)
        raise KeyError
    assert ["cancel within 0.2", "drop"] == connection.log
    assert "the connection to fake: a cancel failed: FakeError" in caplog.messages


def test_an_error_of_another_connection_does_not_cost_this_one() -> None:
    """
    Whether a connection died, it knows itself: an error of the same driver may come from elsewhere.
    """
    database = make(FakeDriver())

    with pytest.raises(FakeError), database.connection() as connection:
        connection.state = State.OPEN
        raise FakeError(Verdict.LOST)
    assert ["roll back within 5.0"] == connection.log
    assert use(database) is connection


@pytest.mark.parametrize("late", [False, True], ids=["lost", "deadline"])
def test_a_commit_of_the_users_own_that_was_lost_leaves_doubt(late: bool) -> None:
    """
    The driver's commit() in the block is as unknown as the kit's own at its end, lost or given up.
    """
    database = make(FakeDriver())
    error = DeadlineError("late") if late else FakeError(Verdict.LOST)

    with pytest.raises(CommitUnknownError, match="may or may not") as caught, database.connection() as connection:
        connection.state, connection.doubt = State.BUSY if late else State.LOST, Doubt.COMMIT
        raise error
    assert error is caught.value.__cause__


def test_a_lost_statement_without_a_transaction_leaves_doubt() -> None:
    """
    With autocommit the statement may have happened: the error says so in words and as a fact.
    """
    database = make(FakeDriver())

    with pytest.raises(ConnectionLostError, match="may have happened") as caught, database.connection() as connection:
        connection.state, connection.doubt = State.LOST, Doubt.STATEMENT
        raise FakeError(Verdict.LOST)
    assert caught.value.in_doubt


def test_a_swallowed_loss_of_a_commit_is_not_hidden() -> None:
    """
    A block that caught the driver's error and ends well does not pass for one that committed nothing.
    """
    database = make(FakeDriver())

    with pytest.raises(CommitUnknownError), database.connection() as connection:
        connection.state, connection.doubt = State.LOST, Doubt.COMMIT


@pytest.mark.parametrize(("state", "log"), [(State.IDLE, []), (State.LOST, ["drop"]), (State.BUSY, ["cancel within 0.2", "drop"])])
def test_without_transactions_the_end_of_a_block_raises_nothing(state: State, log: list[str]) -> None:
    """
    What the block did is done; a connection that is of no use any more goes in silence.
    """
    driver = FakeDriver()
    driver.transactional = False
    database = make(driver)

    with database.connection() as connection:
        connection.state = state
    assert log == connection.log


def test_a_connection_that_does_not_know_believes_its_users_error() -> None:
    """
    Where the driver cannot tell whether the connection lives, the error's class decides.
    """
    driver = FakeDriver()
    driver.knows_loss = False
    database = make(driver)

    with pytest.raises(ConnectionLostError), database.connection() as connection:
        raise FakeError(Verdict.LOST)
    assert ["drop"] == connection.log


def test_a_connection_with_stale_statements_is_left() -> None:
    """
    What was prepared is gone: only a new connection helps.
    """
    database = make(FakeDriver())

    with pytest.raises(FakeError), database.connection() as connection:
        connection.state = State.FAILED
        raise FakeError(Verdict.STALE)
    assert use(database) is not connection
    assert {"stale": 1} == database.stats().reconnects


def test_a_server_that_became_read_only_is_left() -> None:
    """
    After a failover the next block connects anew, to find the writer; the error passes as it is.
    """
    database = make(FakeDriver())

    with pytest.raises(FakeError), database.connection() as connection:
        connection.state = State.FAILED
        raise FakeError(Verdict.READ_ONLY)
    assert use(database) is not connection
    assert {"read-only": 1} == database.stats().reconnects


def test_a_swallowed_error_does_not_pass_for_a_commit() -> None:
    """
    A failed transaction whose error was caught inside the block would be rolled back in silence: it raises.
    """
    database = make(FakeDriver())

    with pytest.raises(DatabaseError, match="savepoint"), database.connection() as connection:
        connection.state = State.FAILED
    assert ["roll back within 5.0"] == connection.log
    assert use(database) is connection


def test_a_running_statement_at_the_end_is_not_committed() -> None:
    """
    It cannot be: the block raises and the connection goes.
    """
    database = make(FakeDriver())

    with pytest.raises(DatabaseError, match="still busy"), database.connection() as connection:
        connection.state = State.BUSY
    assert ["cancel within 0.2", "drop"] == connection.log


def test_a_connection_that_died_before_commit_is_a_certain_loss() -> None:
    """
    COMMIT was not sent, so it is known that nothing happened.
    """
    database = make(FakeDriver())

    with pytest.raises(ConnectionLostError, match="nothing was committed"), database.connection() as connection:
        connection.state = State.LOST
    assert ["drop"] == connection.log


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (FakeError(Verdict.LOST), State.IDLE),
        (FakeError(Verdict.UNKNOWN), State.LOST),
        (DeadlineError("late"), State.BUSY),
        (DeadlineError("late"), State.IDLE),
    ],
    ids=["lost", "dead", "busy", "deadline"],
)
def test_a_connection_that_died_during_commit_leaves_doubt(error: Exception, state: State) -> None:
    """
    Without the server's answer nobody knows: a type of its own says so, and the connection goes.
    """
    database = make(FakeDriver())

    with pytest.raises(CommitUnknownError, match="may or may not") as caught, database.connection() as connection:
        connection.state, connection.on_commit, connection.state_after_commit = State.OPEN, error, state
    assert error is caught.value.__cause__
    assert ["commit", "drop"] == connection.log


def test_a_commit_that_was_interrupted_is_in_doubt() -> None:
    """
    An error that is none of the driver's, such as a signal's, may have come after the answer.
    """
    database = make(FakeDriver())

    with pytest.raises(CommitUnknownError), database.connection() as connection:
        connection.state, connection.on_commit, connection.state_after_commit = State.OPEN, KeyError("a signal's"), State.IDLE
    assert ["commit", "drop"] == connection.log


def test_a_commit_that_was_interrupted_before_it_was_sent_is_rolled_back() -> None:
    """
    A transaction that is still open was not committed.
    """
    database = make(FakeDriver())

    with pytest.raises(KeyError), database.connection() as connection:
        connection.state, connection.on_commit, connection.state_after_commit = State.OPEN, KeyError("a signal's"), State.OPEN
    assert ["commit", "roll back within 5.0"] == connection.log


def test_a_rollback_that_was_interrupted_costs_the_connection() -> None:
    """
    Its answer is still to come, and would be taken for that of the next statement.
    """
    database = make(FakeDriver())

    with pytest.raises(KeyboardInterrupt), database.connection() as connection:
        connection.state, connection.on_rollback = State.OPEN, KeyboardInterrupt()
        raise KeyError
    assert ["roll back within 5.0", "drop"] == connection.log


def test_a_commit_at_the_deadline_has_a_little_of_the_reserve() -> None:
    """
    What was done in time is not given up for the milliseconds that its end takes.
    """
    database = make(FakeDriver())
    use(database)

    with _invocation.scope(FakeContext(0.1)), database.connection() as connection:
        connection.state = State.OPEN
    assert connection.until_s is not None
    assert 0.1 < connection.until_s - time.monotonic() <= 0.2


def test_a_connection_closed_with_nothing_open_is_no_loss() -> None:
    """
    Its user committed and closed it: the next block gets another.
    """
    database = make(FakeDriver())

    with database.connection() as connection:
        connection.state, connection.doubt = State.LOST, Doubt.CLOSED
    assert ["drop"] == connection.log


@pytest.mark.parametrize(
    ("state", "log"), [(State.IDLE, ["commit"]), (State.FAILED, ["commit", "roll back within 5.0"])], ids=["ended", "failed"]
)
def test_a_refused_commit_passes_as_the_driver_says_it(state: State, log: list[str]) -> None:
    """
    A deferred constraint fails at COMMIT: the server has answered, so the error is the driver's and the connection keeps.
    """
    database = make(FakeDriver())

    with pytest.raises(FakeError), database.connection() as connection:
        connection.state, connection.on_commit, connection.state_after_commit = State.OPEN, FakeError(Verdict.FATAL), state
    assert log == connection.log
    assert use(database) is connection


def test_statements_are_bounded_by_the_deadline() -> None:
    """
    In an invocation a statement has what is left minus half a second; outside it may take as long as it takes.
    """
    database = make(FakeDriver())

    with _invocation.scope(FakeContext(9.0)), database.connection() as connection:
        left_s = (connection.until_s or 0.0) - time.monotonic()
        assert 8.0 < left_s <= 8.5
    with database.connection() as connection:
        assert connection.until_s is None


# run


def test_run_returns_what_the_work_returns() -> None:
    """
    It has a transaction of its own.
    """
    database = make(FakeDriver())

    def work(connection: FakeConnection) -> int:
        connection.state = State.OPEN
        return 42

    assert 42 == database.run(work)
    assert ["commit"] == use(database).log


@pytest.mark.parametrize("verdict", [Verdict.LOST, Verdict.READ_ONLY, Verdict.RETRY, Verdict.STALE], ids=lambda verdict: verdict.name)
def test_idempotent_work_is_done_again_once(verdict: Verdict) -> None:
    """
    After a loss, a failover or a conflict it runs once more, and its second error is final.
    """
    database = make(FakeDriver())
    errors: list[Exception] = [FakeError(verdict)]

    def work(connection: FakeConnection) -> int:
        if errors:
            connection.state = State.LOST if verdict is Verdict.LOST else State.FAILED
            raise errors.pop()
        return 42

    assert 42 == database.run(work, idempotent=True)
    errors += [FakeError(verdict), FakeError(verdict)]
    with pytest.raises((FakeError, ConnectionLostError)) as second:
        database.run(work, idempotent=True)
    first = second.value.__cause__ or second.value
    assert isinstance(first.__context__, FakeError | ConnectionLostError)


@pytest.mark.parametrize(
    ("error", "idempotent"),
    [(FakeError(Verdict.RETRY), False), (FakeError(Verdict.FATAL), True), (KeyError(), True)],
    ids=["not idempotent", "fatal", "not the driver's"],
)
def test_other_work_is_not_done_again(error: Exception, idempotent: bool) -> None:
    """
    Work that was not declared idempotent never is, and errors that would only come again neither.
    """
    database = make(FakeDriver())
    done: list[int] = []

    def work(_: FakeConnection) -> None:
        done.append(1)
        raise error

    with pytest.raises(type(error)):
        database.run(work, idempotent=idempotent)
    assert [1] == done


def test_a_lost_commit_is_never_done_again() -> None:
    """
    Not even idempotent work: whether it happened is for the caller to find out.
    """
    database = make(FakeDriver())
    done: list[int] = []

    def work(connection: FakeConnection) -> None:
        done.append(1)
        connection.state, connection.on_commit = State.OPEN, FakeError(Verdict.LOST)

    with pytest.raises(CommitUnknownError):
        database.run(work, idempotent=True)
    assert [1] == done


# Life


def test_a_restore_leaves_old_connections_alone() -> None:
    """
    D28: the sockets belong to another machine's life: dropped without a word, replaced on use.
    """
    database = make(FakeDriver())
    first = use(database)

    _runtime.restored()

    assert ["drop"] == first.log
    assert use(database) is not first
    assert {"life": 1} == database.stats().reconnects


def test_a_fork_leaves_the_connections_of_the_parent_alone() -> None:
    """
    In the child idle connections and the one in use are dropped without a word, and locks are new.
    """
    database = make(FakeDriver(), max_connections=2)
    idle, other = idle_connections(database, 2)

    with pytest.raises(ConnectionLostError, match="before a fork"), database.connection() as connection:
        connection.state = State.OPEN
        _runtime.forked()
    assert "drop" in idle.log
    assert "drop" in other.log
    assert use(database) not in (idle, other)


def test_an_error_after_a_fork_passes_on() -> None:
    """
    The child's own error is not renamed, and nothing is sent on the parent's connection.
    """
    database = make(FakeDriver())

    with pytest.raises(KeyError), database.connection() as connection:
        connection.state = State.OPEN
        _runtime.forked()
        raise KeyError
    assert {"drop"} == set(connection.log)


def test_a_generation_that_changed_in_silence_is_noticed() -> None:
    """
    A connection given back after a test reset is of an old life, though nothing was open on it.
    """
    database = make(FakeDriver())
    with database.connection() as connection:
        _runtime.reset()

    assert ["drop"] == connection.log
    assert use(database) is not connection


@pytest.mark.parametrize("turn", [_runtime.take_snapshot, _runtime.shut_down, _runtime.reset], ids=["snapshot", "shutdown", "reset"])
def test_connections_are_closed_in_order(turn: object) -> None:
    """
    Before a snapshot, at the end and in tests the server hears the goodbye.
    """
    database = make(FakeDriver())
    first = use(database)

    turn()  # type: ignore[operator]  # one of three functions

    assert ["close"] == first.log
    assert use(database) is not first


def test_a_stale_session_is_noticed_at_checkout() -> None:
    """
    Should a connection of an earlier life ever come back to the idle ones, its stamp gives it away.
    """
    database = make(FakeDriver())
    first = use(database)
    _runtime._life.generation += 1

    assert use(database) is not first
    assert {"life": 1} == database.stats().reconnects


def test_close_leaves_the_database_usable() -> None:
    """
    Closing is for the idle connections; the next checkout connects again.
    """
    database = make(FakeDriver())
    first = use(database)

    database.close()

    assert ["close"] == first.log
    assert use(database) is not first


@pytest.mark.parametrize(
    ("login", "kind"),
    [("p4ssw0rd", "a str"), ("", "empty text"), (secret("orders/db"), "a StoredValue")],
    ids=["text", "empty text", "handle"],
)
@pytest.mark.parametrize("declare", [databases.postgres, databases.mysql, databases.redis])
def test_what_is_no_login_is_refused_at_the_declaration(declare: Any, login: object, kind: str) -> None:
    """
    The message has the line to write, and the type of what was given: the text may be a password.
    """
    with pytest.raises(ConfigurationError) as caught:
        declare(login=login)

    assert f'{declare.__name__}(): login is {kind}: give a login such as secret_login("orders/db")' == str(caught.value)


@pytest.mark.parametrize(("name", "declared"), [("redis", "redis"), ("fake", "reconnecting")], ids=["kit's", "any driver"])
def test_a_database_is_given_bare_to_bundles(name: str, declared: str) -> None:
    """
    use() refuses it with the line to write.
    """
    driver = FakeDriver()
    driver.name = name

    with pytest.raises(ConfigurationError) as caught:
        lambda_kit.use(make(driver))  # type: ignore[arg-type]  # what the test is about

    assert f"use(databases.{declared}(...)): a database is given bare: write db = databases.{declared}(...)" == str(caught.value)
