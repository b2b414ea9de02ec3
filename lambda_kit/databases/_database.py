"""
The database handle: connections checked out one thread at a time, replaced when they die, bound to the environment's life.
"""

from __future__ import annotations

import threading
from weakref import WeakSet

from lambda_kit import _runtime
from lambda_kit.databases import _limits, _session, _sqlalchemy
from lambda_kit.databases._checkout import Checkout
from lambda_kit.databases._checks import check, is_async
from lambda_kit.databases._connecting import Connector
from lambda_kit.databases._driver import Verdict
from lambda_kit.databases._line import Line, Place
from lambda_kit.databases._session import Session
from lambda_kit.databases._stats import Counts
from lambda_kit.errors import ConfigurationError, ConnectionLostError, DatabaseError, DeadlineError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from typing import Any, Generic, TypeVar

    from sqlalchemy import Engine

    from lambda_kit.databases._credentials import Login
    from lambda_kit.databases._driver import Driver
    from lambda_kit.databases._stats import Stats
else:
    from lambda_kit._typing import Generic, TypeVar

C = TypeVar("C")
T = TypeVar("T")

# The functions of this package that are named as the drivers they declare.
_DECLARING = ("mysql", "postgres", "redis")
_REPLAYABLE = frozenset({Verdict.READ_ONLY, Verdict.RETRY, Verdict.STALE})


class Database(Generic[C]):
    """
    A database as one object at global scope; declared by :func:`lambda_kit.databases.postgres` and its like.

    Nothing is imported, read or connected before the first checkout. Connections are kept between invocations, looked at
    before each use, and never cross a fork or a snapshot.
    """

    __slots__ = (
        "__weakref__",
        "_connecting",
        "_connector",
        "_counts",
        "_driver",
        "_free",
        "_holders",
        "_idle",
        "_line",
        "_lock",
        "_max_connections",
        "_ping_after_s",
    )

    _free: threading.Condition
    _lock: threading.RLock
    _connecting: set[int]
    _line: Line
    _holders: dict[int, Session[C] | None]
    _idle: list[Session[C]]
    _counts: Counts

    def __init__(
        self, driver: Driver[C], *, login: Login | None, max_connections: int, ping_after_s: float | None, connect_timeout_s: float
    ) -> None:
        """
        Called by the functions that declare a database.
        """
        limits = {"max_connections": max_connections, "ping_after_s": ping_after_s, "connect_timeout_s": connect_timeout_s}
        check(driver.name if driver.name in _DECLARING else "reconnecting", login=login, **limits)
        self._driver = driver
        self._connector = Connector(driver, login, connect_timeout_s)
        self._max_connections = max_connections
        self._ping_after_s = ping_after_s
        self._begin_life()
        _databases.add(self)

    def connection(self) -> AbstractContextManager[C, None]:
        """
        Check out a connection for one ``with`` block: alive, exclusive, with no transaction of anyone else.

        The end of the block commits; an error in it rolls back and passes on. Statements wait no longer than the
        invocation's deadline minus half a second. A warm checkout costs microseconds; after ``ping_after_s`` idle
        seconds one round trip, bounded at 0.5 s.

        Raises:
            DatabaseError: This thread holds a connection already (pass it down), or other threads held all
                ``max_connections`` for too long, or the transaction cannot be committed.
            ConnectTimeoutError: No connection could be made in time.
            LoginError: The server refused all credentials.
            ConnectionLostError: The connection died in use; the next checkout makes a new one.
            CommitUnknownError: The connection died during COMMIT, that of the block's end or one of the driver's own methods.
            DeadlineError: The invocation has no time left for the network.
        """
        return Checkout(self)

    def run(self, work: Callable[[C], T], *, idempotent: bool = False) -> T:
        """
        Return what *work* makes of a connection, in a transaction of its own.

        Args:
            idempotent: Doing it twice is as good as doing it once. Then a connection that died, a failover or a
                serialization conflict makes *work* run once more, on a healthy connection; a lost COMMIT never does.

        Raises:
            ConfigurationError: *work* is async: its statements would run after the block's end.
        """
        if is_async(work):
            raise ConfigurationError(
                "run() takes a plain function, and this one is async: await asyncio.to_thread(db.run, work) of a plain one"
            )
        try:
            with self.connection() as connection:
                return work(connection)
        except Exception as exc:  # the driver's or the kit's, put to the table
            if not idempotent or not (isinstance(exc, ConnectionLostError) or self._driver.classify(exc) in _REPLAYABLE):
                raise
            # Within this block, so that an error of the second attempt shows the first one as its context.
            with self.connection() as connection:
                return work(connection)

    def sqlalchemy_engine(self, **options: Any) -> Engine:
        """
        Return a SQLAlchemy engine on these connections, for global scope; it connects when first used, as the database does.

        Each of its connections is a checkout: exclusive, one per thread, alive, bounded by the deadline. Leaving one, or a
        ``Session``, without a commit rolls back. Errors of the driver reach you as SQLAlchemy wraps them, those of the kit
        (connecting, waiting, deadline, a lost COMMIT) as they are.

        Args:
            options: What ``sqlalchemy.create_engine`` takes, except for its pool.

        Raises:
            ConfigurationError: An option is about the pool or connecting, or SQLAlchemy has no dialect for this database.
            MissingDependencyError: SQLAlchemy, or the driver, is not installed.

        Source: https://docs.sqlalchemy.org/en/20/core/engines.html
        """
        return _sqlalchemy.make_engine(self._driver, lambda: Checkout(self), self.close, options)

    def stats(self) -> Stats:
        """
        Return what happened so far in this process.
        """
        return self._counts.snapshot()

    def close(self) -> None:
        """
        Close the idle connections. The database stays usable: the next checkout connects again.
        """
        for session in self._take_idle():
            session.close()

    def __repr__(self) -> str:
        return f"<Database {self._driver.name}, {len(self._idle)} idle, {len(self._holders)} in use, at most {self._max_connections}>"

    @staticmethod
    def __preload__(databases: list[Database[Any]], timeout_s: float) -> None:
        """
        Import the drivers, and what the logins read with; without network, for any init type.
        """
        for database in databases:
            database._connector.load()  # noqa: SLF001  # of this very class

    @staticmethod
    def __bare__(database: Database[Any]) -> tuple[str, str, str]:
        name = database._driver.name
        return "database", f"databases.{name if name in _DECLARING else 'reconnecting'}(...)", "db"

    # Checkout

    def _take(self, me: int, checkout: Callable[[], object]) -> Session[C]:
        """
        Hand a session out to thread *me*: the idle one used last, else a new one.
        """
        session = self._claim(me, checkout)
        try:
            while session is not None:
                session.examine(self._ping_after_s, self._counts)
                if not session.fault:
                    break
                session = self._instead_of(me, session)
            if session is None:
                session = self._connect(me, checkout)
                self._holders[me] = session
            session.hand_out()
        except DeadlineError:
            self._release(me, session)
            raise
        except BaseException:
            if session is not None:
                session.fault = session.fault or _session.BUSY
            self._release(me, session)
            if session is not None:
                session.drop()
            raise
        return session

    def _put_away(self, me: int, session: Session[C]) -> None:
        """
        Make room for the next thread.
        """
        if session.fault:
            try:
                self._give_up(session)
            finally:
                self._release(me, session)
        else:
            session.rest()
            self._release(me, session)

    def _claim(self, me: int, checkout: Callable[[], object]) -> Session[C] | None:
        """
        Enter thread *me* among the holders; return an idle session, or ``None`` when it is to make one.
        """
        with self._lock:
            if self._holders or self._line.places:
                self._queue(me)
            session = self._idle.pop() if self._idle else None
            if session is not None:
                session.checkout = checkout
            self._holders[me] = session
            return session

    def _queue(self, me: int) -> None:
        """
        Wait, if need be, until others hold fewer than ``max_connections``, behind those who wait already: who comes again and
        again would else leave them nothing.
        """
        if me in self._holders or len(self._holders) >= self._max_connections:
            self._take_abandoned(me)
        if me in self._holders:
            raise DatabaseError(
                f"this thread has a connection to {self._driver.name} checked out already: pass it down to where it is needed"
            )
        if self._line.places or len(self._holders) >= self._max_connections:
            self._wait(me)

    def _take_abandoned(self, me: int) -> None:
        """
        Take away what nobody can give back any more: a signal's exception ended the checkout before its block began, or
        somebody entered it and dropped it.
        """
        for holder, session in list(self._holders.items()):
            # Without a session the thread is about to connect, unless it is this one, which is here.
            lost = (holder == me and me not in self._connecting) if session is None else session.is_abandoned()
            if lost:
                del self._holders[holder]
                self._free.notify_all()
                if session is not None:
                    session.fault = _session.BUSY
                    self._give_up(session)

    def _wait(self, me: int) -> None:
        # Those of this life: it may end meanwhile, and in the next one nobody is waiting.
        started_s, released, line = _runtime.monotonic_s(), self._free, self._line
        place = Place(me)
        line.join(place)
        try:
            free = released.wait_for(
                lambda: line.is_first(me) and len(self._holders) < self._max_connections, timeout=max(0.0, _limits.left_s())
            )
        finally:
            line.leave(place)
            # The next one, for whom there may be room too.
            released.notify_all()
        waited_s = _runtime.monotonic_s() - started_s
        self._counts.add("waits")
        self._counts.add("waited_s", waited_s)
        if not free:
            raise DatabaseError(
                f"no connection to {self._driver.name} became free within {waited_s:.1f} s: max_connections={self._max_connections}, "
                "all held by other threads"
            )

    def _release(self, me: int, session: Session[C] | None) -> None:
        """
        Let go of what thread *me* holds, if that is still *session*; keep it when it is sound.
        """
        with self._lock:
            if me in self._holders and self._holders[me] is session:
                del self._holders[me]
                if session is not None and not session.fault:
                    self._idle.append(session)
            if self._line.places:
                self._free.notify_all()

    def _instead_of(self, me: int, faulty: Session[C]) -> Session[C] | None:
        """
        Give *faulty* up and return the next idle session. One that did not answer condemns the others: they would each
        cost a time limit.
        """
        self._give_up(faulty)
        if faulty.fault == _session.UNANSWERED:
            for session in self._take_idle():
                session.fault = _session.UNANSWERED
                self._give_up(session)
        with self._lock:
            following = self._idle.pop() if self._idle else None
            if following is not None:
                following.checkout = faulty.checkout
            self._holders[me] = following
            return following

    def _connect(self, me: int, checkout: Callable[[], object]) -> Session[C]:
        _runtime.watch_life()
        generation = _runtime.generation()
        self._connecting.add(me)
        try:
            connection = self._connector.connect()
        finally:
            self._connecting.discard(me)
        self._counts.connected()
        return Session(self._driver, connection, generation, checkout)

    def _give_up(self, session: Session[C]) -> None:
        self._counts.given_up(session.fault)
        session.drop()

    def _take_idle(self) -> list[Session[C]]:
        with self._lock:
            taken, self._idle = self._idle, []
            return taken

    # Life

    def _begin_life(self) -> None:
        """
        Start with no connections, and with a lock that no vanished thread holds.
        """
        # One that its own thread may take again: the collector ends a forgotten checkout in the middle of anything, and so does a
        # signal's handler.
        self._lock = threading.RLock()
        self._free = threading.Condition(self._lock)
        self._connecting = set()
        self._line = Line()
        self._holders = {}
        self._idle = []
        self._counts = Counts()

    def _leave_alone(self) -> None:
        """
        In a forked child, or after a restore: the sockets are someone else's. Let go of them without a word.
        """
        idle, held = self._idle, [session for session in self._holders.values() if session is not None]
        self._begin_life()
        for session in idle:
            session.fault = _session.LIFE
            self._give_up(session)
        for session in held:
            # Counted when its with block ends, if that happens in this life.
            session.drop()

    def _restart(self) -> None:
        """
        For a test that wants a cold environment.
        """
        self.close()
        self._counts = Counts()


_databases: WeakSet[Database[Any]] = WeakSet()


def _close_all() -> None:
    for database in list(_databases):
        database.close()
        database._connector.forget()  # noqa: SLF001  # this module's own


def _leave_all_alone() -> None:
    for database in list(_databases):
        database._leave_alone()  # noqa: SLF001  # this module's own


def _restart_all() -> None:
    for database in list(_databases):
        database._restart()  # noqa: SLF001  # this module's own


_runtime.register(fork=_leave_all_alone, snapshot=_close_all, restore=_leave_all_alone, shutdown=_close_all, reset=_restart_all)
