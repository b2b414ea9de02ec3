"""
What the engine wants from a driver: an interface that knows no library, and the words it answers in.
"""

from __future__ import annotations

from enum import Enum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol, TypeVar

    from lambda_kit.databases._credentials import Credentials
else:
    from lambda_kit._typing import Protocol, TypeVar

C = TypeVar("C")


class State(Enum):
    """
    What a connection says of itself, without asking the server.
    """

    IDLE = "idle"
    OPEN = "in a transaction"
    FAILED = "in a transaction that has failed"
    BUSY = "busy with a statement"
    LOST = "lost"


# Compared with at every checkout, and an Enum is slow to find its members on Python 3.11.
IDLE = State.IDLE


class Doubt(Enum):
    """
    What may have happened although the connection was given up before the answer came.
    """

    NOTHING = "nothing"
    CLOSED = "nothing: its user closed it, with no transaction open"
    STATEMENT = "a statement outside of a transaction"
    COMMIT = "a COMMIT"


class Verdict(Enum):
    """
    What an error of the driver means for the connection and for whoever may try again.
    """

    LOST = "the connection is gone"
    AUTH = "the credentials were refused"
    READ_ONLY = "the server takes no writes (any more)"
    WAIT = "the server cannot take a connection now"
    RETRY = "the server rolled the transaction back; the same one may succeed"
    STALE = "what the connection has prepared is not valid any more; a new connection is"
    TIMEOUT = "the server stopped the statement; the connection is sound"
    UNKNOWN = "connecting failed for a reason that is not known"
    FATAL = "trying again does not help"


class Driver(Protocol[C]):
    """
    Connect with one library. Nothing here waits but what takes a time limit.
    """

    @property
    def name(self) -> str:
        """What it connects to, for messages and spans: ``"postgres"``."""
        ...

    @property
    def transactional(self) -> bool:
        """Whether the end of a block has something to commit."""
        ...

    @property
    def knows_loss(self) -> bool:
        """Whether :meth:`state` says so when a connection has died in use; else the error that its user saw has to."""
        ...

    def load(self) -> None:
        """Import the library; nothing else."""
        ...

    def connect(self, credentials: Credentials | None, timeout_s: float) -> C:
        """Return a new connection within *timeout_s*; its errors hold no password."""
        ...

    def inspect(self, connection: C) -> State:
        """Look at the socket, without waiting, and return the state."""
        ...

    def state(self, connection: C) -> State:
        """Return the state as far as it is known without looking at the socket."""
        ...

    def doubt(self, connection: C) -> Doubt:
        """Say of a lost or busy connection what of the last thing sent may have happened."""
        ...

    def ping(self, connection: C, timeout_s: float) -> bool:
        """Ask the server for a sign of life; tell whether it came in time."""
        ...

    def bound(self, connection: C, until_s: float | None) -> None:
        """Let no statement wait longer than to *until_s* of the monotonic clock; ``None``: as long as it takes."""
        ...

    def commit(self, connection: C) -> None:
        """Commit the open transaction."""
        ...

    def roll_back(self, connection: C, timeout_s: float) -> None:
        """Roll the open transaction back, within *timeout_s*."""
        ...

    def cancel(self, connection: C, timeout_s: float) -> None:
        """Ask the server, within *timeout_s*, to stop the running statement, where that hits no other session."""
        ...

    def close(self, connection: C) -> None:
        """Say goodbye and close."""
        ...

    def drop(self, connection: C) -> None:
        """Let go of the connection without a byte to its peer: that may not answer, or may be another process's."""
        ...

    def classify(self, error: BaseException) -> Verdict | None:
        """Say what *error* means; ``None``: it is none of the library's."""
        ...
