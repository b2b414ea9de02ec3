"""
Connecting: the login asked, refused credentials replaced, a server that is not ready waited for, all within the deadline.
"""

from __future__ import annotations

from lambda_kit import _observe, _runtime
from lambda_kit._backoff import retrying
from lambda_kit.databases import _limits
from lambda_kit.databases._driver import Verdict
from lambda_kit.errors import ConnectTimeoutError, DatabaseError, LoginError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Generic, TypeVar

    from lambda_kit.databases._credentials import Credentials, Login
    from lambda_kit.databases._driver import Driver
else:
    from lambda_kit._typing import Generic, TypeVar

C = TypeVar("C")

# A refused login is worth another round while a rotation or a replica catches up; not for ever: accounts get locked.
MOST_LOGIN_ROUNDS = 6
# What a login may offer in one round: what it knew, what is current, what is pending.
MOST_CREDENTIALS = 3
# An attempt that begins at the very end of the budget has at least this long.
LEAST_ATTEMPT_S = 0.05

# Being cut off, or sent to a standby, while connecting means that the server comes, goes or fails over.
_WORTH_WAITING = frozenset({Verdict.WAIT, Verdict.LOST, Verdict.READ_ONLY})


class Connector(Generic[C]):
    """
    Make connections of one database.
    """

    __slots__ = ("_connect_timeout_s", "_driver", "_login")

    def __init__(self, driver: Driver[C], login: Login | None, connect_timeout_s: float) -> None:
        self._driver = driver
        self._login = login
        self._connect_timeout_s = connect_timeout_s

    def connect(self) -> C:
        """
        Return a new connection.

        Raises:
            DeadlineError: The invocation has no time left to begin.
            ConnectTimeoutError: The server could not be reached, or took no connection, in the time there was.
            LoginError: The server refused everything the login had.
            DatabaseError: The server, or the driver, rejects the connection for good.
        """
        budget_s = _limits.left_for(f"a connection to {self._driver.name}")
        effort = _Effort(self._driver, self._login, self._connect_timeout_s, _runtime.monotonic_s() + budget_s)
        return retrying(effort.attempt, may_retry=effort.may_retry, budget_s=budget_s)


class _Effort(Generic[C]):
    """
    The attempts that together make one connect.
    """

    __slots__ = ("connect_timeout_s", "driver", "login", "rounds", "until_s")

    def __init__(self, driver: Driver[C], login: Login | None, connect_timeout_s: float, until_s: float) -> None:
        self.driver = driver
        self.login = login
        self.connect_timeout_s = connect_timeout_s
        self.until_s = until_s
        self.rounds = 0

    def attempt(self) -> C:
        """
        Connect with what the login gives, and with what else it gives when that is refused.
        """
        self.rounds += 1
        return self._try(None if self.login is None else self.login(None), MOST_CREDENTIALS - 1)

    def may_retry(self, error: BaseException) -> bool:
        """
        Tell whether waiting may help.
        """
        return isinstance(error, ConnectTimeoutError) or (
            isinstance(error, LoginError) and self.login is not None and self.rounds < MOST_LOGIN_ROUNDS
        )

    def _try(self, credentials: Credentials | None, others: int) -> C:
        try:
            return self._connect(credentials)
        except Exception as exc:  # noqa: BLE001  # any driver's errors, which classify() knows
            failure = exc
        return self._try(self._instead_of(credentials, failure, may_ask=others > 0), others - 1)

    def _connect(self, credentials: Credentials | None) -> C:
        left_s = max(LEAST_ATTEMPT_S, self.until_s - _runtime.monotonic_s())
        with _observe.span("connect", "remote", database=self.driver.name):
            return self.driver.connect(credentials, min(self.connect_timeout_s, left_s))

    def _instead_of(self, refused: Credentials | None, failure: Exception, *, may_ask: bool) -> Credentials:
        """
        Return other credentials when *failure* refused these, else raise what it means.
        """
        verdict = self.driver.classify(failure)
        if verdict is None:
            raise failure
        message = f"no connection to {self.driver.name}: {failure}"
        if verdict in _WORTH_WAITING:
            raise ConnectTimeoutError(message) from failure
        # Servers say in their own language that they refuse a password, so an unknown failure is put to the login too:
        # it has something else only when the password has changed.
        if self.login is not None and may_ask and verdict in (Verdict.AUTH, Verdict.UNKNOWN):
            try:
                offered = self.login(refused)
                if not offered.logs_in_like(refused):
                    return offered
                message += " (the login has no other credentials)"
            except LoginError as exc:
                message = f"{message} ({exc})"
        raise (LoginError if verdict is Verdict.AUTH else DatabaseError)(message) from failure
