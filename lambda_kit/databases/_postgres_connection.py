"""
psycopg's connection with time limits, and the few things done to it below psycopg's own methods.
"""

from __future__ import annotations

import os
import select
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import cache, partial

from lambda_kit import _runtime
from lambda_kit._require import require
from lambda_kit.errors import DeadlineError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from contextlib import AbstractContextManager
    from typing import Any, TypeVar

    from lambda_kit.databases._addresses import Shares

    Step = TypeVar("Step")
    Result = TypeVar("Result")
    # The library's class, which stands behind it when it runs.
    Parent = Any
else:
    Parent = object

# libpq's numbers, which psycopg passes on.
_CONNECTION_OK = 0
_FATAL_ERROR = 7
_IDLE, _UNKNOWN = 0, 4
# A server may have sent notices and notifications while nobody read; what is still readable after this many reads is data.
_READS = 3
_DEADLY = frozenset({"FATAL", "PANIC"})

# When connecting must be done: psycopg's own limit knows whole seconds only, two at least, and each address has all of it.
connect_shares: ContextVar[Shares] = ContextVar("lambda_kit_connect_shares")


@cache
def connection_class() -> type[Any]:
    """
    Return psycopg's ``Connection`` with time limits on connecting and on everything it waits for.
    """
    parent = require("psycopg", extra="postgres").Connection
    return type("BoundedConnection", (_Bounded, parent), {"kit_errors": require("psycopg.errors", extra="postgres")})


class _Bounded(Parent):
    """
    The kit's half of a connection.
    """

    kit_errors: Any
    kit_until_s: float | None = None
    kit_farewells: list[str]
    kit_readable: select.poll
    kit_has_input: Callable[[], list[tuple[int, int]]]
    # The server has ended the session, which libpq may not know before it reads the end.
    kit_lost = False
    # A COMMIT was sent, by whichever of psycopg's methods, and not answered; a statement was that had no transaction.
    kit_committing = kit_in_doubt = False

    def wait(self, gen: Any, *args: Any, **kwargs: Any) -> Any:
        if self.kit_until_s is not None:
            gen = _bounded(gen, self.kit_until_s, _out_of_time)
        before = self.pgconn.transaction_status
        try:
            result = super().wait(gen, *args, **kwargs)
        except self.kit_errors.Error as exc:
            self.kit_lost = self.kit_lost or exc.diag.severity_nonlocalized in _DEADLY
            if self.kit_lost or self.pgconn.transaction_status == _UNKNOWN:
                self.kit_in_doubt = self.kit_in_doubt or (self.autocommit and before == _IDLE)
            else:
                self.kit_committing = False
            raise
        self.kit_committing = False
        return result

    def pipeline(self) -> Any:
        return _saying_why(super().pipeline(), self.kit_errors.OperationalError)

    def _pipeline_nolock(self) -> Any:
        # That of executemany().
        return _saying_why(super()._pipeline_nolock(), self.kit_errors.OperationalError)

    def _exec_command(self, command: Any, *args: Any, **kwargs: Any) -> Any:
        self.kit_committing = command == b"COMMIT"
        return (yield from super()._exec_command(command, *args, **kwargs))

    def __del__(self, *_: Any) -> None:
        # psycopg warns of what nobody closed; these end with their database, and libpq's part closes itself.
        return

    @classmethod
    def _connect_gen(cls, conninfo: str = "", **kwargs: Any) -> Any:
        steps = super()._connect_gen(conninfo, **kwargs)
        return _bounded(steps, connect_shares.get().next_until_s(), lambda: cls.kit_errors.ConnectionTimeout("connection timeout expired"))


@contextmanager
def _saying_why(pipeline: AbstractContextManager[Any], error: type[Exception]) -> Iterator[Any]:
    """
    Be *pipeline*, which cannot be left while its statements run: psycopg says that in place of why they were given up.
    """
    try:
        with pipeline as entered:
            yield entered
    except error as exc:
        if isinstance(exc.__context__, DeadlineError):
            raise exc.__context__ from None
        raise


def watch(connection: Any) -> None:
    """
    Prepare a new connection for being looked at, :func:`listen` and :func:`ping`.
    """
    socket = connection.pgconn.socket
    connection.kit_readable = select.poll()
    connection.kit_readable.register(socket, select.POLLIN)
    connection.kit_has_input = _input_look(socket)
    farewells: list[str] = []
    # A server that ends an idle session says why; libpq hands that over as a notice.
    connection.add_notice_handler(lambda said: farewells.append(said.sqlstate) if said.severity_nonlocalized in _DEADLY else None)
    connection.kit_farewells = farewells


def _input_look(socket: int) -> Callable[[], list[tuple[int, int]]]:
    """
    Return what looks whether there is something to read, without waiting: nothing in the list is no.

    Every checkout looks. Linux answers through epoll in half the time, since it keeps what is watched.
    """
    if not hasattr(select, "epoll"):
        watched = select.poll()
        watched.register(socket, select.POLLIN)
        return partial(watched.poll, 0)
    epoll = select.epoll()
    epoll.register(socket, select.EPOLLIN)
    return partial(epoll.poll, 0, 1)


def listen(connection: Any) -> bool:
    """
    Read what the server has sent unasked, without waiting, and tell whether the session goes on.
    """
    readable = connection.kit_readable
    pgconn = connection.pgconn
    try:
        for _ in range(_READS):
            pgconn.consume_input()
            pgconn.is_busy()
            while (news := pgconn.notifies()) is not None:
                # Read here, it would otherwise wait for the next input to be delivered.
                pgconn.notify_handler(news)
            if connection.kit_farewells or pgconn.status != _CONNECTION_OK:
                return False
            if not readable.poll(0):
                break
    except connection.Error:
        return False
    return True


def ping(connection: Any, timeout_s: float) -> bool:
    """
    Send an empty query, which leaves no trace on the server or in a proxy, and tell whether the answer came in time.
    """
    until_s = _runtime.monotonic_s() + timeout_s
    pgconn, readable = connection.pgconn, connection.kit_readable
    alive = True
    try:
        pgconn.send_query(b"")
        # Six bytes. Where they do not fit, the peer has long stopped reading, and no answer will come.
        pgconn.flush()
        while True:
            while pgconn.is_busy():
                left_s = until_s - _runtime.monotonic_s()
                if left_s <= 0 or not readable.poll(left_s * 1000):
                    return False
                pgconn.consume_input()
            result = pgconn.get_result()
            if result is None:
                return alive
            alive = result.status != _FATAL_ERROR
    except connection.Error:
        return False


def drop(connection: Any) -> None:
    """
    Close without a byte to the peer: libpq's farewell goes to a socket that is none any more.

    In a forked child the farewell would end the parent's session.
    """
    try:
        socket: int = connection.pgconn.socket
    except connection.Error:
        socket = -1
    if socket >= 0:
        nowhere = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        os.dup2(nowhere, socket, inheritable=False)
        os.close(nowhere)
    connection.close()
    connection.pgconn.finish()


def _bounded(steps: Generator[Step, Any, Result], until_s: float, expired: Callable[[], BaseException]) -> Generator[Step, Any, Result]:
    """
    Run psycopg's *steps* and stop them when time is up: after a step, so that an answer that came in time counts.

    psycopg wakes up ten times a second while it waits, which is how exact this is.
    """
    try:
        step = next(steps)
        while True:
            step = steps.send((yield step))
            if _runtime.monotonic_s() >= until_s:
                with suppress(RuntimeError):
                    # The end of a pipeline would wait once more.
                    steps.close()
                raise expired()
    except StopIteration as done:
        result: Result = done.value
        return result


def _out_of_time() -> DeadlineError:
    return DeadlineError("the statement is not done, and the invocation has no time left to wait for it")
