"""
psycopg's connection with time limits, and the few things done to it below psycopg's own methods.
"""

from __future__ import annotations

import os
import select
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import cache, partial
from math import inf

from lambda_kit import _runtime
from lambda_kit._require import require
from lambda_kit.databases import _limits
from lambda_kit.databases._statements import commits
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
_IDLE, _ACTIVE, _FAILED, _UNKNOWN = 0, 1, 3, 4
_UNANSWERED = frozenset({_ACTIVE, _UNKNOWN})
# psycopg's generators for the end of a transaction(), a pipeline() or a cursor: they have a little of the reserve, as the end
# of a block has.
_ENDS = frozenset({"_exit_gen", "_close_gen"})
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
    # A COMMIT was sent and not answered; a statement was that had no transaction; the user closed it with none open.
    kit_committing = kit_in_doubt = kit_closed_idle = False
    # What its user may have set in Python, as it was at first; whether somebody has touched it since.
    kit_settings: tuple[Any, ...]
    kit_row_factory: Any
    kit_changed = False

    def wait(self, gen: Any, *args: Any, **kwargs: Any) -> Any:
        steps, until_s = gen, self.kit_until_s
        if until_s is not None:
            now_s = _runtime.monotonic_s()
            if _limits.is_over(until_s, now_s):
                until_s = self._kit_later(gen, until_s, now_s)
            steps = _bounded(gen, until_s, _out_of_time)
        before = self.pgconn.transaction_status
        try:
            result = super().wait(steps, *args, **kwargs)
        except BaseException as exc:
            self._kit_note(exc, gen, before)
            with suppress(RuntimeError):
                # The end of a pipeline would wait once more.
                gen.close()
            raise
        if self.kit_committing and not (self._pipeline and self._pipeline.result_queue):
            self.kit_committing = False
        return result

    def _kit_later(self, gen: Any, earlier_s: float, now_s: float) -> float:
        """
        Return when *gen*, which begins after its time, or in an invocation that follows, must be done.

        Raises:
            DeadlineError: It may not begin: nothing is sent any more.
        """
        ends = gen.__name__ in _ENDS
        if not ends or earlier_s > now_s:
            # Its user may have kept the connection from one invocation to the next.
            self.kit_until_s = until_s = _limits.current_until_s()
            if until_s is None:
                return inf
            if until_s > now_s:
                return until_s
        if ends:
            return now_s + _limits.LAST_ROLLBACK_S
        raise _out_of_time()

    def _kit_note(self, error: Any, gen: Any, before: int) -> None:
        """
        Note what an error says of the session, and what may have happened when no answer came.
        """
        if isinstance(error, self.kit_errors.Error):
            self.kit_lost = self.kit_lost or error.diag.severity_nonlocalized in _DEADLY
        if not self.kit_lost and self.pgconn.transaction_status not in _UNANSWERED:
            self.kit_committing = False
        elif self.autocommit and before == _IDLE:
            self.kit_in_doubt = True
        elif before != _UNKNOWN and any(commits(statement) for statement in _under_way(error, gen)):
            self.kit_committing = True

    def close(self) -> None:
        self.kit_closed_idle = self.kit_closed_idle or (not self.kit_lost and self.pgconn.transaction_status == _IDLE)
        super().close()

    def _set_autocommit_gen(self, value: Any) -> Any:
        self.kit_changed = True
        return super()._set_autocommit_gen(value)

    def _set_isolation_level_gen(self, value: Any) -> Any:
        self.kit_changed = True
        return super()._set_isolation_level_gen(value)

    def _set_read_only_gen(self, value: Any) -> Any:
        self.kit_changed = True
        return super()._set_read_only_gen(value)

    def _set_deferrable_gen(self, value: Any) -> Any:
        self.kit_changed = True
        return super()._set_deferrable_gen(value)

    def _tpc_begin_gen(self, xid: Any) -> Any:
        self.kit_changed = True
        return super()._tpc_begin_gen(xid)

    def pipeline(self) -> Any:
        self.kit_changed = True
        return _saying_why(super().pipeline(), self.kit_errors.OperationalError)

    def _pipeline_nolock(self) -> Any:
        # That of executemany().
        return _saying_why(super()._pipeline_nolock(), self.kit_errors.OperationalError)

    def _exec_command(self, command: Any, *args: Any, **kwargs: Any) -> Any:
        if command == b"COMMIT" or (not isinstance(command, bytes) and commits(_text(command, self))):
            if self.pgconn.transaction_status == _FAILED and not self._pipeline:
                # PostgreSQL would answer with a silent ROLLBACK.
                raise self.kit_errors.InFailedSqlTransaction("nothing can be committed: a statement of the transaction has failed")
            self.kit_committing = self.kit_committing or self.pgconn.status == _CONNECTION_OK
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


def remember(connection: Any, *, autocommit: bool) -> None:
    """
    Take the connection as it is now for what each user gets, save for *autocommit*, which is as declared.
    """
    connection.kit_settings = (autocommit, connection.isolation_level, connection.read_only, connection.deferrable)
    connection.kit_row_factory = connection.row_factory
    connection.kit_changed = connection.autocommit is not autocommit


def restore(connection: Any) -> bool:
    """
    Undo what the last user has set in Python; tell whether that was possible.
    """
    if connection._tpc is not None or connection._pipeline is not None:  # noqa: SLF001  # psycopg has no public name for it
        return False
    connection.kit_until_s = None
    connection.autocommit, connection.isolation_level, connection.read_only, connection.deferrable = connection.kit_settings
    connection.row_factory = connection.kit_row_factory
    connection.kit_changed = False
    return True


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
            _deliver(pgconn)
            if connection.kit_farewells or pgconn.status != _CONNECTION_OK:
                return False
            if not readable.poll(0):
                break
    except connection.Error:
        return False
    return True


def _deliver(pgconn: Any) -> None:
    """
    Hand over the notifications that were read here; they would otherwise wait for the next input.
    """
    while (news := pgconn.notifies()) is not None:
        pgconn.notify_handler(news)


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
                _deliver(pgconn)
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
                raise expired()
    except StopIteration as done:
        result: Result = done.value
        return result


def _out_of_time() -> DeadlineError:
    return DeadlineError("the statement is not done, and the invocation has no time left to wait for it")


def _under_way(error: BaseException, gen: Any) -> Iterator[bytes]:
    """
    Yield the statements that a cursor was about to run when it failed: psycopg keeps them in the frames of its generators.
    """
    frames, trace = [gen.gi_frame], error.__traceback__
    while trace is not None:
        frames.append(trace.tb_frame)
        trace = trace.tb_next
    for frame in frames:
        statement = None if frame is None else frame.f_locals.get("pgq")
        if statement is not None:
            yield statement.query


def _text(command: Any, connection: Any) -> str:
    return command if isinstance(command, str) else str(command.as_string(connection))
