"""
Any other driver, given as functions: the engine's checkout, liveness, back-off and life for connections it knows nothing of.
"""

from __future__ import annotations

from lambda_kit.databases._checks import check
from lambda_kit.databases._database import Database
from lambda_kit.databases._driver import Doubt, State, Verdict
from lambda_kit.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Generic, TypeVar

    from lambda_kit.databases._credentials import Credentials, Login
else:
    from lambda_kit._typing import Generic, TypeVar

C = TypeVar("C")


def reconnecting(
    connect: Callable[[Credentials | None, float], C],
    is_alive: Callable[[C, float], bool],
    classify: Callable[[BaseException], Verdict | None],
    close: Callable[[C], object],
    *,
    name: str = "database",
    login: Login | None = None,
    commit: Callable[[C], object] | None = None,
    roll_back: Callable[[C], object] | None = None,
    in_transaction: Callable[[C], bool] | None = None,
    load: Callable[[], object] | None = None,
    max_connections: int = 1,
    ping_after_s: float | None = 5.0,
    connect_timeout_s: float = 5.0,
) -> Database[C]:
    """
    Declare a database whose driver the kit does not know. None of the functions is called now.

    The kit cannot look at such a connection's socket, nor bound its statements: give the driver limits of its own in *connect*.

    Args:
        connect: Returns a new connection, within the seconds it is given; gets what *login* offers. Its errors must not
            hold the password.
        is_alive: Asks the server for a sign of life, within the seconds it is given. Called at a checkout after
            *ping_after_s* idle seconds; an exception counts as no.
        classify: Says what an error means, as a :class:`Verdict`; ``None``: it is none of the driver's. ``LOST`` after a use costs the
            connection; ``WAIT`` and ``LOST`` while connecting are tried again within the time there is; ``AUTH`` makes the
            login offer something else.
        close: Closes the connection, healthy or not. It must not wait for the server. An exception counts as closed.
        name: What it connects to, for messages and spans.
        commit: Called at the end of a block; without it, and *roll_back*, a block ends nothing.
        roll_back: Called when a block raises.
        in_transaction: Says whether there is something to end, without asking the server; an exception means that the
            connection is dead. Without it there is at the end of each block, and never
            between blocks.
        load: Imports the driver, at the end of INIT.
        max_connections: Connections of this process, at most.
        ping_after_s: ``0`` asks at each checkout, ``None`` never.
        connect_timeout_s: Seconds one attempt may take. Attempts go on within the invocation's deadline, or 10 s.

    Raises:
        ConfigurationError: Only one of *commit* and *roll_back* is given, or an argument is of another type.
    """
    check("reconnecting", connect=connect, is_alive=is_alive, classify=classify, close=close, name=name)
    check("reconnecting", commit=commit, roll_back=roll_back, in_transaction=in_transaction, load=load)
    if (commit is None) is not (roll_back is None):
        raise ConfigurationError("reconnecting() needs commit and roll_back, or neither")
    driver = _Functions(name, load, connect, is_alive, classify, close, commit, roll_back, in_transaction)
    return Database(driver, login=login, max_connections=max_connections, ping_after_s=ping_after_s, connect_timeout_s=connect_timeout_s)


class _Functions(Generic[C]):
    """
    Functions as the engine wants a driver.
    """

    __slots__ = (
        "_classify",
        "_close",
        "_commit",
        "_connect",
        "_in_transaction",
        "_is_alive",
        "_load",
        "_roll_back",
        "name",
        "transactional",
    )

    def __init__(
        self,
        name: str,
        load: Callable[[], object] | None,
        connect: Callable[[Credentials | None, float], C],
        is_alive: Callable[[C, float], bool],
        classify: Callable[[BaseException], Verdict | None],
        close: Callable[[C], object],
        commit: Callable[[C], object] | None,
        roll_back: Callable[[C], object] | None,
        in_transaction: Callable[[C], bool] | None,
    ) -> None:
        self.name = name
        self._load = load
        self._connect = connect
        self._is_alive = is_alive
        self._classify = classify
        self._close = close
        self.transactional = commit is not None
        self._commit = commit or _nothing
        self._roll_back = roll_back or _nothing
        self._in_transaction = in_transaction

    knows_loss = False

    def load(self) -> None:
        if self._load is not None:
            self._load()

    def connect(self, credentials: Credentials | None, timeout_s: float) -> C:
        return self._connect(credentials, timeout_s)

    def inspect(self, connection: C) -> State:
        return State.IDLE if self._in_transaction is None else self.state(connection)

    def state(self, connection: C) -> State:
        if not self.transactional:
            return State.IDLE
        try:
            return State.OPEN if self._in_transaction is None or self._in_transaction(connection) else State.IDLE
        except Exception:  # noqa: BLE001  # any driver's: who cannot say that is of no use
            return State.LOST

    def doubt(self, connection: C) -> Doubt:  # noqa: ARG002  # the interface's
        return Doubt.STATEMENT

    def ping(self, connection: C, timeout_s: float) -> bool:
        try:
            return self._is_alive(connection, timeout_s)
        except Exception:  # noqa: BLE001  # any driver's: there was no sign of life
            return False

    def bound(self, connection: C, until_s: float | None) -> None:
        """
        Do nothing: statements have the limits that the driver was given.
        """

    def commit(self, connection: C) -> None:
        self._commit(connection)

    def roll_back(self, connection: C, timeout_s: float) -> None:  # noqa: ARG002  # the interface's
        self._roll_back(connection)

    def cancel(self, connection: C, timeout_s: float) -> None:
        """
        Do nothing: nobody said how.
        """

    def close(self, connection: C) -> None:
        try:
            self._close(connection)
        except Exception:  # noqa: BLE001  # any driver's: what is broken cannot always be closed
            return

    drop = close

    def classify(self, error: BaseException) -> Verdict | None:
        return self._classify(error)


def _nothing(_: object) -> None:
    """
    End no transaction where there is none.
    """
