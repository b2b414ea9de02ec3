"""
One connection and what is known of it: whether it may be handed out, and what its user has left behind.
"""

from __future__ import annotations

import logging

from lambda_kit import _invocation, _observe, _runtime
from lambda_kit.databases import _limits
from lambda_kit.databases._driver import IDLE, Doubt, State, Verdict
from lambda_kit.errors import CommitUnknownError, ConnectionLostError, DatabaseError, DeadlineError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Generic, TypeVar

    from lambda_kit._invocation import Invocation
    from lambda_kit.databases._driver import Driver
    from lambda_kit.databases._stats import Counts
else:
    from lambda_kit._typing import Generic, TypeVar

C = TypeVar("C")

# Why a connection is given up; the words of Stats.reconnects.
CLOSED = "closed"
UNANSWERED = "unanswered"
LOST = "lost"
READ_ONLY = "read-only"
STALE = "stale"
BUSY = "busy"
LIFE = "life"

_SPENT = {Verdict.READ_ONLY: READ_ONLY, Verdict.STALE: STALE}

_logger = logging.getLogger("lambda_kit")


class Session(Generic[C]):
    """
    One connection with its stamp of life, its idle time and its last user. Used by one thread at a time.

    Attributes:
        checkout: The block that has it, for as long as that is there to end.
        fault: Why the connection must be given up; empty while it is sound.
    """

    __slots__ = (
        "_driver",
        "_generation",
        "_idle_monotonic_s",
        "_idle_wall_s",
        "_may_tell",
        "_until_s",
        "_user",
        "checkout",
        "connection",
        "fault",
    )

    def __init__(self, driver: Driver[C], connection: C, generation: int, checkout: Callable[[], object]) -> None:
        self._driver = driver
        self._generation = generation
        self._user: Invocation | None = None
        self._until_s: float | None = None
        self._may_tell = _runtime.on_lambda()
        self._idle_monotonic_s = self._idle_wall_s = 0.0
        self.checkout = checkout
        self.connection = connection
        self.fault = ""

    def hand_out(self) -> None:
        """
        Note who uses the connection from now on, and bound it by that invocation's deadline.
        """
        user = _invocation.current()
        if user is not self._user:
            self._user = user
            # Worked out once, since the deadline of an invocation does not move.
            self._until_s = None if user is None else _limits.until_s(user)
        elif self._may_tell and user is None:
            self._may_tell = _limits.tell_unbounded(self._driver.name)
        self._driver.bound(self.connection, self._until_s)

    def is_abandoned(self, *, mine: bool) -> bool:
        """
        Tell, and log, whether the block that has it is gone, or is one of *mine* that an invocation has left behind: kept in a
        global, or by the traceback of an error. Another thread may be in the middle of a statement.
        """
        block = self.checkout()
        # A block that has no session yet is about to begin; what is known here is of its last user.
        ended = mine and self._user is not None and hasattr(block, "_session") and not _invocation.is_under_way(self._user)
        if block is not None and not ended:
            return False
        _logger.warning("%s: a connection that %s had checked out, and never gave back, was given up", self._what, self.whose)
        return True

    def rest(self) -> None:
        """
        Note since when it is idle: a frozen environment's monotonic clock may stand still, the wall clock may jump.
        """
        self._idle_monotonic_s = _runtime.monotonic_s()
        self._idle_wall_s = _runtime.wall_s()

    def examine(self, ping_after_s: float | None, counts: Counts) -> None:
        """
        Find out whether the connection may be handed out, and set :attr:`fault` when not.

        Raises:
            DeadlineError: Finding out needs the network, and there is no time left for it. The connection keeps.
        """
        if self._generation != _runtime.generation():
            self.fault = LIFE
            return
        state = self._driver.inspect(self.connection)
        if state is not IDLE:
            self._clear(state, counts)
        elif ping_after_s is not None:
            idle_s = _runtime.wall_s() - self._idle_wall_s
            # A wall clock that went backwards says nothing: better ask.
            if not 0 <= idle_s < ping_after_s or _runtime.monotonic_s() - self._idle_monotonic_s >= ping_after_s:
                self._ping(counts)

    def settle(self, error: BaseException | None) -> None:
        """
        End the user's transaction: commit on success, else roll back; set :attr:`fault` when the connection is spent.

        Raises:
            ConnectionLostError: The connection died in use; nothing was committed at its end.
            CommitUnknownError: It died during a COMMIT, this one or one of the user's own.
            DatabaseError: The transaction cannot be committed. What else the driver says of a COMMIT passes as it is.
        """
        if self._generation != _runtime.generation():
            self.fault = LIFE
            if error is None and self._driver.state(self.connection) is not State.IDLE:
                raise ConnectionLostError(f"{self._what} was checked out before a fork, restore or reset: it cannot be used after it")
        elif error is not None:
            self._undo(error)
        elif (state := self._driver.state(self.connection)) is IDLE:
            return
        elif self._driver.transactional:
            self._commit(state)
        else:
            self._end(state)

    def clear(self, *, spent: bool) -> None:
        """
        End what is left without committing it; set :attr:`fault` when the connection cannot be used again, or is *spent*.
        """
        if self._generation != _runtime.generation():
            self.fault = LIFE
            return
        state = self._driver.state(self.connection)
        if state is State.BUSY or not spent:
            self._end(state)
        self.fault = self.fault or (LOST if spent else "")

    def close(self) -> None:
        """
        Say goodbye and close.
        """
        self._driver.close(self.connection)

    def drop(self) -> None:
        """
        Let go without a word to the server.
        """
        self._driver.drop(self.connection)

    @property
    def _what(self) -> str:
        return f"the connection to {self._driver.name}"

    @property
    def whose(self) -> str:
        """
        Who uses the connection, or did last, for messages.
        """
        return "code outside of an invocation" if self._user is None else f"request {self._user.request_id}"

    def _ping(self, counts: Counts) -> None:
        timeout_s = _limits.ping_s(self._driver.name)
        counts.add("pings")
        with _observe.span("ping", "remote", database=self._driver.name):
            if not self._driver.ping(self.connection, timeout_s):
                self.fault = UNANSWERED

    def _clear(self, state: State, counts: Counts) -> None:
        """
        Roll back the transaction of someone who went on using the connection after giving it back.
        """
        if state is State.LOST:
            self.fault = CLOSED
            return
        if state is State.BUSY:
            self._abandon()
            return
        counts.add("rollbacks")
        _logger.warning(
            "%s: a transaction left open by %s was rolled back; do not use a connection after its with block", self._what, self.whose
        )
        self._roll_back()

    def _roll_back(self) -> None:
        self.fault = BUSY
        try:
            self._driver.roll_back(self.connection, _limits.rollback_s())
        except Exception as exc:  # noqa: BLE001  # whatever it was, what the connection is in the middle of is not known
            _logger.debug("%s: a rollback failed: %s", self._what, type(exc).__name__)
            return
        self.fault = ""
        # Its user may go on using it; the rollback's own limit is not for that.
        self._driver.bound(self.connection, self._until_s)

    def _abandon(self) -> None:
        """
        Give the connection up in the middle of a statement, and ask the server to stop: it would go on, and keep its locks.
        """
        self.fault = BUSY
        try:
            self._driver.cancel(self.connection, _limits.CANCEL_S)
        except Exception as exc:  # noqa: BLE001  # a favour to the server; the connection is dropped in any case
            _logger.debug("%s: a cancel failed: %s", self._what, type(exc).__name__)

    def _end(self, state: State) -> None:
        """
        Leave the connection idle, or with a fault.
        """
        if state is State.LOST:
            self.fault = LOST
        elif state is State.BUSY:
            self._abandon()
        elif state is not State.IDLE:
            self._roll_back()

    def _undo(self, error: BaseException) -> None:
        """
        Roll back, and say so when the connection died. *error* alone does not tell where the connection does: it may be
        another connection's.
        """
        verdict = self._driver.classify(error)
        if verdict is Verdict.LOST and not self._driver.knows_loss:
            self.fault = LOST
        else:
            self._end(self._driver.state(self.connection))
        if self.fault == LOST and verdict is not None:
            raise self._loss(f"{self._what} was lost in use: {error}") from error
        if self.fault in (BUSY, LOST) and isinstance(error, DeadlineError):
            doubt = self._driver.doubt(self.connection)
            if doubt is Doubt.COMMIT:
                raise self._unknown() from error
            error.in_doubt = doubt is Doubt.STATEMENT
        if verdict is not None and not self.fault:
            # What was a writer is a reader now, and the next connect finds the writer; or a prepared statement is gone.
            self.fault = _SPENT.get(verdict, "")

    def _loss(self, message: str) -> DatabaseError:
        """
        Return the error that says what is known: a COMMIT, or a statement without a transaction, may have happened.
        """
        doubt = self._driver.doubt(self.connection)
        if doubt is Doubt.COMMIT:
            return self._unknown()
        if doubt is Doubt.STATEMENT:
            return ConnectionLostError(f"{message} (what was under way, outside of a transaction, may have happened)", in_doubt=True)
        return ConnectionLostError(message)

    def _unknown(self) -> CommitUnknownError:
        return CommitUnknownError(f"{self._what} was lost during COMMIT: the transaction may or may not have happened")

    def _commit(self, state: State) -> None:
        """
        Commit, unless the connection is in no state to.
        """
        if state is State.OPEN and self._driver.inspect(self.connection) is State.LOST:
            state = State.LOST
        if state is State.LOST:
            self.fault = LOST
            if self._driver.doubt(self.connection) is Doubt.CLOSED:
                return
            raise self._loss(f"{self._what} was lost before COMMIT was sent: nothing was committed")
        if state is State.BUSY:
            self._abandon()
            raise DatabaseError(f"{self._what} is still busy with a statement at the end of its with block: nothing was committed")
        if state is State.FAILED:
            self._roll_back()
            raise DatabaseError(
                f"nothing was committed on {self._what}: a statement had failed and the error was caught inside the with block; "
                "catch it outside, or give the statement a savepoint"
            )
        self._send_commit()

    def _send_commit(self) -> None:
        self.fault = LOST
        # What was done in time is not given up for the milliseconds that its end takes.
        self._driver.bound(self.connection, _limits.commit_until_s())
        try:
            self._driver.commit(self.connection)
        except Exception as exc:  # any driver's: what matters is whether the server has answered
            state, verdict = self._driver.state(self.connection), self._driver.classify(exc)
            answered = verdict is not Verdict.LOST and state not in (State.LOST, State.BUSY)
            if verdict is None:
                # None of the driver's, such as a signal's: it may have come before COMMIT or after its answer.
                answered = self._driver.knows_loss and state in (State.OPEN, State.FAILED)
            if not answered or isinstance(exc, DeadlineError):
                raise self._unknown() from exc
            self.fault = ""
            if state is not State.IDLE:
                self._roll_back()
            raise
        self.fault = ""
