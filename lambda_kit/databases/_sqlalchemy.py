"""
SQLAlchemy on the kit's connections: an engine whose pool is a database's checkout.
"""

from __future__ import annotations

import threading
from functools import cache

from lambda_kit._require import require
from lambda_kit.databases._driver import Doubt, Verdict
from lambda_kit.errors import CommitUnknownError, ConfigurationError, DeadlineError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, Protocol

    from sqlalchemy import Engine

    from lambda_kit.databases._driver import Driver

    class Loan(Protocol):
        """
        One checkout: entering it returns the connection, handing it in ends it without a commit.
        """

        def __enter__(self) -> Any: ...

        def hand_in(self, *, spent: bool) -> None: ...

    # The library's class, which stands behind it when it runs.
    Parent = Any
else:
    Parent = object


# SQLAlchemy's dialect for each driver.
_DIALECTS = {"postgres": "postgresql+psycopg://", "mysql": "mysql+pymysql://"}
# What the kit decides: how to connect, what to keep, and how errors are seen.
_RESERVED = frozenset({"creator", "connect_args", "module", "poolclass", "echo_pool", "_initialize"})
_LEVEL = "isolation_level"
# After these the connection is of no use any more.
_SPENT = frozenset({Verdict.LOST, Verdict.READ_ONLY, Verdict.STALE})


def make_engine(driver: Driver[Any], lend: Callable[[], Loan], close_idle: Callable[[], None], options: Mapping[str, Any]) -> Engine:
    """
    Return an engine that takes its connections from *lend*.
    """
    if driver.name not in _DIALECTS:
        raise ConfigurationError(f"SQLAlchemy has no dialect for {driver.name}: there are engines for {' and '.join(_DIALECTS)}")
    if taken := sorted(name for name in options if name in _RESERVED or name.startswith("pool")):
        raise ConfigurationError(f"sqlalchemy_engine() takes no {', '.join(taken)}: its pool is the database's own, declared there")
    sqlalchemy = require("sqlalchemy", extra="sqlalchemy")
    # SQLAlchemy would set the level once on each physical connection, which others use too, and find as it was declared.
    level = {name: value for name, value in options.items() if name == _LEVEL}
    others = {name: value for name, value in options.items() if name != _LEVEL}
    engine: Engine = sqlalchemy.create_engine(_DIALECTS[driver.name], pool=_pool_class()(lend, close_idle), **others)
    sqlalchemy.event.listen(engine, "handle_error", lambda context: _judge(driver, context), retval=True)
    return engine.execution_options(**level) if level else engine


def _judge(driver: Driver[Any], context: Any) -> Exception | None:
    """
    Tell SQLAlchemy which errors cost the connection, and return what a lost COMMIT is called.
    """
    error = context.original_exception
    connection = None if context.connection is None or context.connection.invalidated else context.connection.connection.dbapi_connection
    unknown = connection is not None and driver.doubt(connection) is Doubt.COMMIT
    if unknown or isinstance(error, DeadlineError) or driver.classify(error) in _SPENT:
        context.is_disconnect = True
    if not unknown:
        return None
    return CommitUnknownError(f"the connection to {driver.name} was lost during COMMIT: the transaction may or may not have happened")


@cache
def _pool_class() -> type[Any]:
    return type("LendingPool", (_Lending, require("sqlalchemy.pool", extra="sqlalchemy").Pool), {})


class _Lending(Parent):
    """
    The kit's half of a pool that keeps nothing itself. A physical connection has one record for as long as it lives, so that
    SQLAlchemy prepares it once.
    """

    def __init__(self, lend: Callable[[], Loan], close_idle: Callable[[], None], **options: Any) -> None:
        self._kit_lend = lend
        self._kit_close_idle = close_idle
        self._kit_lent = threading.local()
        # What is left open at the return of a connection is the kit's to roll back, within its limits.
        super().__init__(self._kit_connection, **{**options, "reset_on_return": None})

    def _do_get(self) -> Any:
        connection = self._kit_borrow()
        pool, record = getattr(connection, "kit_record", (None, None))
        if pool is not self:
            self._kit_lent.connection = connection
            try:
                record = self._create_connection()
            except BaseException:
                # Older versions of SQLAlchemy do not close what a listener has failed on.
                self._kit_hand_in(connection, spent=True)
                raise
            connection.kit_record = (self, record)
        return record

    def _do_return_conn(self, record: Any) -> None:
        # An invalidated connection was handed in when it was; one detached is handed in when it is closed.
        if record.dbapi_connection is not None:
            self._kit_hand_in(record.dbapi_connection, spent=False)

    def _close_connection(self, connection: Any, *, terminate: bool = False) -> None:  # noqa: ARG002  # SQLAlchemy's
        self._kit_hand_in(connection, spent=True)

    def _invalidate(self, connection: Any, exception: BaseException | None = None, _checkin: bool = True) -> None:  # SQLAlchemy's
        # The others are looked at when they are checked out.
        connection.invalidate(exception)

    def recreate(self) -> Any:
        return type(self)(self._kit_lend, self._kit_close_idle, echo=self.echo, _dispatch=self.dispatch, dialect=self._dialect)

    def dispose(self) -> None:
        self._kit_close_idle()

    def status(self) -> str:
        return "the pool of a lambda_kit database"

    def _kit_connection(self) -> Any:
        """
        Return the connection that a record is made for, or another in place of one that was invalidated softly.
        """
        connection = self._kit_lent.__dict__.pop("connection", None)
        return self._kit_borrow() if connection is None else connection

    def _kit_borrow(self) -> Any:
        loan = self._kit_lend()
        connection = loan.__enter__()
        connection.kit_loan = loan
        return connection

    def _kit_hand_in(self, connection: Any, *, spent: bool) -> None:
        loan = vars(connection).pop("kit_loan", None)
        if loan is not None:
            loan.hand_in(spent=spent)
