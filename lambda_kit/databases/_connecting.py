"""
Connecting: the login asked, refused credentials replaced, a server that is not ready waited for, all within the deadline.
"""

from __future__ import annotations

import threading

from lambda_kit import _observe, _runtime
from lambda_kit._backoff import retrying
from lambda_kit.databases import _limits
from lambda_kit.databases._driver import Verdict
from lambda_kit.errors import ConnectTimeoutError, DatabaseError, DeadlineError, LambdaKitError, LoginError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Generic, TypeVar

    from lambda_kit.databases._credentials import Credentials, Login
    from lambda_kit.databases._driver import Driver
else:
    from lambda_kit._typing import Generic, TypeVar

C = TypeVar("C")

# A refused login is worth another round while a rotation or a replica catches up; not for ever: the time is paid for.
MOST_LOGIN_S = 3.0
# Rounds that follow one another within this find a new secret soon enough.
MOST_LOGIN_PAUSE_S = 0.5
# What a login may offer in one round: what it knew, what is current, what is pending.
MOST_CREDENTIALS = 3
# How often a login is asked that cannot read its secret just now, as an AWS SDK would ask: who rotates makes everybody read at once.
MOST_READS = 3
# An attempt that begins at the very end of the budget has at least this long.
LEAST_ATTEMPT_S = 0.05
# How much earlier than at the end a driver may say that time was up.
CUT_S = 0.05

# Being cut off, or sent to a standby, while connecting means that the server comes, goes or fails over.
_WORTH_WAITING = frozenset({Verdict.WAIT, Verdict.LOST, Verdict.READ_ONLY})


class Connector(Generic[C]):
    """
    Make connections of one database.
    """

    __slots__ = ("_connect_timeout_s", "_driver", "_login", "_refusals")

    def __init__(self, driver: Driver[C], login: Login | None, connect_timeout_s: float) -> None:
        self._driver = driver
        self._login = login
        self._connect_timeout_s = connect_timeout_s
        self._refusals = Refusals()

    def forget(self) -> None:
        """
        Hold no refused password any more.
        """
        self._refusals = Refusals()

    def load(self) -> None:
        """
        Import and build what connecting needs, without network.
        """
        self._driver.load()
        # A login may have something to import; one of the user's own is any callable.
        load = getattr(self._login, "__load__", None)
        if load is not None:
            load()

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
        if self._refusals.generation != _runtime.generation():
            self._refusals = Refusals()
        now_s = _runtime.monotonic_s()
        effort = _Effort(self._driver, self._login, self._refusals, self._connect_timeout_s, now_s, now_s + budget_s)
        return retrying(effort.attempt, may_retry=effort.may_retry, budget_s=budget_s, most_s=MOST_LOGIN_PAUSE_S)


class Refusals:
    """
    What the server has refused lately. A wrong password that a thousand environments send again and again locks accounts, so
    the same one is sent again after a pause only, which doubles; and while many different ones fail, no further one is.
    """

    __slots__ = ("_known", "_lock", "generation")

    # Whether refused credentials are worth another look: a replica may catch up with a rotation.
    FIRST_PAUSE_S = 0.25
    LONGEST_PAUSE_S = 5.0
    MOST_DIFFERENT = MOST_CREDENTIALS
    # A refusal that was waited for in vain is not waited for again, unless the last one is this long ago.
    SAME_TROUBLE_S = 60.0

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: list[_Refusal] = []
        self.generation = _runtime.generation()

    def standing(self, credentials: Credentials | None) -> Exception | None:
        """
        Return the failure that these credentials would meet again, if now is too early to send them.
        """
        now_s = _runtime.monotonic_s()
        with self._lock:
            known = self._find(credentials)
            if known is not None:
                return known.failure if 0 <= now_s - known.at_s < known.pause_s else None
            late = [each for each in self._known if 0 <= now_s - each.at_s < self.LONGEST_PAUSE_S]
            return late[-1].failure if len(late) >= self.MOST_DIFFERENT else None

    def note(self, credentials: Credentials | None, failure: Exception) -> None:
        """
        Remember that the server refused *credentials* just now.
        """
        with self._lock:
            known = self._find(credentials)
            pause_s = self.FIRST_PAUSE_S if known is None else min(2 * known.pause_s, self.LONGEST_PAUSE_S)
            others = [each for each in self._known if each is not known]
            latest = _Refusal(credentials, failure, pause_s)
            latest.in_vain = known is not None and known.in_vain and latest.at_s - known.at_s < self.SAME_TROUBLE_S
            self._known = [*others[-self.MOST_DIFFERENT :], latest]

    def waited_for(self, failures: list[Exception]) -> None:
        """
        Remember that a connect has waited as long as any does, and still met *failures*.
        """
        with self._lock:
            for each in self._known:
                each.in_vain = each.in_vain or each.failure in failures

    def were_in_vain(self, failures: list[Exception]) -> bool:
        """
        Tell whether all of *failures* were waited for already.
        """
        with self._lock:
            in_vain = [each.failure for each in self._known if each.in_vain]
        return all(failure in in_vain for failure in failures)

    def forget(self) -> None:
        """
        Start afresh: the server takes what it is given.
        """
        with self._lock:
            self._known = []

    def _find(self, credentials: Credentials | None) -> _Refusal | None:
        return next((each for each in self._known if _alike(each.credentials, credentials)), None)


class _Refusal:
    """
    One refused login.
    """

    __slots__ = ("at_s", "credentials", "failure", "in_vain", "pause_s")

    def __init__(self, credentials: Credentials | None, failure: Exception, pause_s: float) -> None:
        self.credentials = credentials
        # Its frames are not to be kept for as long as this is.
        self.failure = failure.with_traceback(None)
        self.pause_s = pause_s
        self.at_s = _runtime.monotonic_s()
        self.in_vain = False


def _alike(some: Credentials | None, other: Credentials | None) -> bool:
    return some is other if some is None else some.logs_in_like(other)


class _Effort(Generic[C]):
    """
    The attempts that together make one connect.
    """

    __slots__ = ("connect_timeout_s", "driver", "failure", "has_sent", "login", "reads", "refusals", "refused", "started_s", "until_s")

    def __init__(
        self, driver: Driver[C], login: Login | None, refusals: Refusals, connect_timeout_s: float, started_s: float, until_s: float
    ) -> None:
        self.driver = driver
        self.login = login
        self.refusals = refusals
        self.connect_timeout_s = connect_timeout_s
        self.started_s = started_s
        self.until_s = until_s
        self.reads = 1
        # Of the attempt under way: what refused it, and whether the server was asked.
        self.refused: list[Exception] = []
        self.has_sent = False
        self.failure: DatabaseError | None = None

    def attempt(self) -> C:
        """
        Connect with what the login gives, and with what else it gives when that is refused.
        """
        self.refused, self.has_sent = [], False
        try:
            return self._try(None if self.login is None else self.login(None), MOST_CREDENTIALS - 1)
        except DatabaseError as exc:
            # An attempt that the deadline cut short says nothing; the one before says what is wrong.
            if self.failure is not None and isinstance(exc, ConnectTimeoutError) and _runtime.monotonic_s() >= self.until_s - CUT_S:
                raise self.failure from self.failure.__cause__
            self.failure = exc
            raise

    def may_retry(self, error: BaseException) -> bool:
        """
        Tell whether waiting may help.
        """
        if isinstance(error, ConnectTimeoutError):
            return True
        if self.login is None:
            return False
        is_late = _runtime.monotonic_s() - self.started_s >= MOST_LOGIN_S
        if isinstance(error, LoginError):
            return self._may_log_in_again(is_late=is_late)
        if is_late:
            return False
        # The login's own, which says by itself whether it passes.
        self.reads += 1
        return isinstance(error, LambdaKitError) and error.retryable and not isinstance(error, DeadlineError) and self.reads <= MOST_READS

    def _may_log_in_again(self, *, is_late: bool) -> bool:
        """
        Tell whether to wait for a login: a password that stays wrong costs that time once, not each checkout.
        """
        if is_late:
            self.refusals.waited_for(self.refused)
            return False
        return self.has_sent or not self.refused or not self.refusals.were_in_vain(self.refused)

    def _try(self, credentials: Credentials | None, others: int) -> C:
        failure = self.refusals.standing(credentials)
        if failure is None:
            self.has_sent = True
            try:
                connection = self._connect(credentials)
            except Exception as exc:  # noqa: BLE001  # any driver's errors, which classify() knows
                failure = exc
            else:
                self.refusals.forget()
                return connection
            if self.driver.classify(failure) is Verdict.AUTH:
                self.refusals.note(credentials, failure)
        self.refused.append(failure)
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
