"""
Connecting, on a driver without a server: what a login is asked, what is tried again, and when it ends.
"""

from __future__ import annotations

import gc
import threading
import time

import pytest

from lambda_kit import _invocation, _runtime
from lambda_kit.databases import Credentials, Database, Login
from lambda_kit.databases._connecting import MOST_LOGIN_S, MOST_READS, Connector, Refusals
from lambda_kit.databases._driver import Verdict
from lambda_kit.errors import (
    ConnectTimeoutError,
    DatabaseError,
    DeadlineError,
    LoginError,
    ParameterNotFoundError,
    ParameterUnavailableError,
)
from tests.databases.fakes import FakeConnection, FakeContext, FakeDriver, FakeError, FakeLogin, TickingContext


def accept_only(password: str, times: int) -> list[object]:
    """
    Script a server that refuses every other password.
    """

    def step(credentials: Credentials | None) -> None:
        if credentials is None or credentials.password != password:
            raise FakeError(Verdict.AUTH)

    return [step] * times


def connector(driver: FakeDriver, login: Login | None = None) -> Connector[FakeConnection]:
    return Connector(driver, login, connect_timeout_s=5.0)


def test_the_login_gives_the_credentials() -> None:
    """
    It is asked once for a connect that succeeds.
    """
    login = FakeLogin("right")

    connection = connector(FakeDriver(), login).connect()

    assert connection.credentials is not None
    assert "right" == connection.credentials.password
    assert [None] == login.asked


def test_without_a_login_there_are_no_credentials() -> None:
    """
    Then the conninfo has to know.
    """
    assert connector(FakeDriver()).connect().credentials is None


def test_refused_credentials_are_replaced() -> None:
    """
    Cached, current, pending: each is told what was refused, until one is accepted.
    """
    login = FakeLogin("cached", "current", "pending")

    connection = connector(FakeDriver(*accept_only("pending", 3)), login).connect()  # type: ignore[arg-type]  # a script

    assert connection.credentials is not None
    assert "pending" == connection.credentials.password
    assert [None, "cached", "current"] == login.asked


def test_a_login_that_has_nothing_else_is_asked_again_later() -> None:
    """
    A rotation may be on its way: some rounds, then the refusal is raised, with the driver's error as its cause.
    """
    login = FakeLogin("wrong")

    with _invocation.scope(FakeContext(1.5)), pytest.raises(LoginError, match="refused \\(nothing else to offer\\)") as caught:
        connector(FakeDriver(*accept_only("right", 99)), login).connect()  # type: ignore[arg-type]  # a script
    assert {None, "wrong"} == set(login.asked)
    assert 4 < len(login.asked)
    assert isinstance(caught.value.__cause__, FakeError)


class UnreadableLogin(FakeLogin):
    """
    A login on a secret that cannot be read for so many times.
    """

    def __init__(self, *passwords: str, error: Exception, times: int) -> None:
        super().__init__(*passwords)
        self.error, self.times, self.reads = error, times, 0

    def __call__(self, refused: Credentials | None, /) -> Credentials:
        self.reads += 1
        if self.reads <= self.times:
            raise self.error
        return super().__call__(refused)


def test_a_secret_that_cannot_be_read_just_now_is_read_again() -> None:
    """
    Who rotates makes all environments read at once, and some are throttled.
    """
    login = UnreadableLogin("right", error=ParameterUnavailableError("throttled"), times=MOST_READS - 1)

    assert connector(FakeDriver(), login).connect() is not None
    assert MOST_READS == login.reads


@pytest.mark.parametrize(
    ("error", "reads"),
    [
        (ParameterUnavailableError("down"), MOST_READS),
        (ParameterNotFoundError("none"), 1),
        (DeadlineError("late"), 1),
        (KeyError("mine"), 1),
    ],
    ids=["does not pass", "definitive", "deadline", "user"],
)
def test_a_secret_that_cannot_be_read_is_said(error: Exception, reads: int) -> None:
    """
    The login's own error is raised, at once where it does not pass.
    """
    login = UnreadableLogin("right", error=error, times=99)

    with pytest.raises(type(error)) as caught:
        connector(FakeDriver(), login).connect()
    assert error is caught.value
    assert reads == login.reads


def test_rounds_end_though_there_is_time() -> None:
    """
    Fifteen minutes of waiting for a password that may never come would be paid for.
    """
    effort = connector(FakeDriver(*accept_only("right", 99)), FakeLogin("wrong"))  # type: ignore[arg-type]  # a script
    started_s = time.monotonic()

    with pytest.raises(LoginError):
        effort.connect()
    assert time.monotonic() - started_s < MOST_LOGIN_S + 1.0


def test_a_password_that_stays_wrong_is_waited_for_once() -> None:
    """
    The next connects fail as the first did, and at once, until the server is to be asked again; it is, and may have changed its mind.
    """
    driver = FakeDriver(*accept_only("right", 99))  # type: ignore[arg-type]  # a script
    login = FakeLogin("wrong")
    database = connector(driver, login)
    with pytest.raises(LoginError) as first:
        database.connect()

    sent, started_s = len(driver.timeouts_s), time.monotonic()
    for _ in range(5):
        with pytest.raises(LoginError) as later:
            database.connect()
        assert str(first.value) == str(later.value)
        assert isinstance(later.value.__cause__, FakeError)
    assert 1.0 > time.monotonic() - started_s
    assert sent + 1 >= len(driver.timeouts_s)

    login.passwords.append("right")
    found = database.connect().credentials
    assert found is not None
    assert "right" == found.password


def test_a_password_refused_again_is_waited_for_at_most_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    What was waited for in vain stays so when the server says it again, for a minute after each refusal.
    """
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    refusals, wrong = Refusals(), Credentials("app", "wrong")

    def refuse_later(pause_s: float) -> list[Exception]:
        now[0] += pause_s
        failure = FakeError(Verdict.AUTH)
        refusals.note(wrong, failure)
        return [failure]

    first = refuse_later(0.0)
    assert not refusals.were_in_vain(first)
    refusals.waited_for(first)
    assert refusals.were_in_vain(first)
    assert refusals.were_in_vain(refuse_later(59.0))
    assert refusals.were_in_vain(refuse_later(59.0))
    assert not refusals.were_in_vain([*refuse_later(1.0), FakeError(Verdict.AUTH)])
    assert not refusals.were_in_vain(refuse_later(61.0))


def test_a_login_that_repeats_itself_is_not_believed() -> None:
    """
    The same credentials are not tried twice in a row, and never more than three in one round: servers lock accounts.
    """
    tried: list[str] = []
    versions = iter(range(99))

    def refuse(credentials: Credentials | None) -> None:
        assert credentials is not None
        tried.append(credentials.password)
        raise FakeError(Verdict.AUTH)

    same = Connector(FakeDriver(*[refuse] * 99), lambda _: Credentials("app", "same"), 5.0)
    with _invocation.scope(FakeContext(2.0)), pytest.raises(LoginError, match="no other credentials"):
        same.connect()
    assert ["same"] * len(tried) == tried
    # After 0.25 s and another 0.5 s; not with each of the rounds.
    assert 2 <= len(tried) <= 3

    tried.clear()
    restless = Connector(FakeDriver(*[refuse] * 99), lambda _: Credentials("app", str(next(versions))), 5.0)
    with _invocation.scope(FakeContext(2.0)), pytest.raises(LoginError):
        restless.connect()
    assert 3 == len(tried)


def test_a_refusal_in_an_unknown_language_is_put_to_the_login() -> None:
    """
    If the login has something else the password has changed, and that is tried.
    """
    login = FakeLogin("old", "new")

    connection = connector(FakeDriver(FakeError(Verdict.UNKNOWN)), login).connect()

    assert connection.credentials is not None
    assert "new" == connection.credentials.password


def test_an_unknown_failure_with_nothing_else_to_try_is_final() -> None:
    """
    It was not the password.
    """
    with pytest.raises(DatabaseError, match="not known") as caught:
        connector(FakeDriver(FakeError(Verdict.UNKNOWN)), FakeLogin("only")).connect()
    assert not isinstance(caught.value, LoginError)


def test_a_login_error_without_a_login_is_final() -> None:
    """
    There is nobody to ask.
    """
    driver = FakeDriver(FakeError(Verdict.AUTH))

    with pytest.raises(LoginError):
        connector(driver).connect()
    assert 1 == len(driver.timeouts_s)


@pytest.mark.parametrize("verdict", [Verdict.WAIT, Verdict.LOST, Verdict.READ_ONLY], ids=lambda verdict: verdict.name)
def test_a_server_that_is_not_ready_is_waited_for(verdict: Verdict) -> None:
    """
    It starts, stops or fails over: the next attempt succeeds.
    """
    driver = FakeDriver(FakeError(verdict), FakeError(verdict))

    connector(driver).connect()

    assert 3 == len(driver.timeouts_s)


def test_waiting_ends_before_the_deadline() -> None:
    """
    The last failure is raised while the invocation can still answer.
    """
    driver = FakeDriver(*[FakeError(Verdict.WAIT) for _ in range(99)])
    started_s = time.monotonic()

    with _invocation.scope(FakeContext(1.0)), pytest.raises(ConnectTimeoutError) as caught:
        connector(driver).connect()
    assert time.monotonic() - started_s < 0.7
    assert isinstance(caught.value.__cause__, FakeError)
    assert all(timeout_s <= 0.5 for timeout_s in driver.timeouts_s)


def test_an_attempt_cut_short_does_not_hide_the_one_before() -> None:
    """
    An attempt that the deadline ends has only that to say: the error says what was wrong.
    """

    def hang(_: Credentials | None) -> None:
        threading.Event().wait(0.4)
        raise FakeError(Verdict.LOST)

    driver = FakeDriver(FakeError(Verdict.WAIT), hang)

    with _invocation.scope(FakeContext(0.8)), pytest.raises(ConnectTimeoutError, match="cannot take a connection now") as caught:
        connector(driver).connect()
    assert isinstance(caught.value.__cause__, FakeError)
    assert 2 == len(driver.timeouts_s)


def test_an_attempt_has_the_declared_limit() -> None:
    """
    With more time left than that, one attempt gets no more.
    """
    driver = FakeDriver()

    with _invocation.scope(FakeContext(60.0)):
        connector(driver).connect()

    assert [5.0] == driver.timeouts_s


def test_without_time_the_login_is_not_even_asked() -> None:
    """
    What is left of the reserve is for the answer.
    """
    login = FakeLogin("right")

    with _invocation.scope(FakeContext(0.3)), pytest.raises(DeadlineError) as caught:
        connector(FakeDriver(), login).connect()
    assert "a connection to fake: 0.300 s left of the invocation, and the last 0.5 s are kept for its end" == str(caught.value)
    assert [] == login.asked


@pytest.mark.parametrize("error", [KeyError("mine"), DeadlineError("late")], ids=["user", "deadline"])
def test_what_is_not_the_drivers_passes(error: Exception) -> None:
    """
    An error of on_connect, or of a deadline, is raised as it is, and nothing is tried again.
    """
    driver = FakeDriver(error)

    with pytest.raises(type(error)) as caught:
        connector(driver).connect()
    assert error is caught.value
    assert 1 == len(driver.timeouts_s)


def test_a_login_that_takes_its_time_to_fail_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    After three seconds a secret that cannot be read is no longer waited for, however passing its error.
    """
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    asked = []

    def login(_: Credentials | None) -> Credentials:
        asked.append(now[0])
        now[0] += MOST_LOGIN_S
        raise ParameterUnavailableError("throttled")

    with pytest.raises(ParameterUnavailableError):
        connector(FakeDriver(), login).connect()
    assert 1 == len(asked)


# What was refused lately


def test_a_refused_password_is_not_sent_again_at_once() -> None:
    """
    The next checkout gets the same answer without the server; a success, or a new life, begins afresh.
    """
    driver = FakeDriver(FakeError(Verdict.AUTH))
    database = connector(driver)
    with pytest.raises(LoginError) as first:
        database.connect()

    with pytest.raises(LoginError) as second:
        database.connect()
    assert first.value.__cause__ is second.value.__cause__
    assert 1 == len(driver.timeouts_s)

    _runtime.restored()
    database.connect()
    assert 2 == len(driver.timeouts_s)


def test_pauses_double_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A password that stays wrong is sent every five seconds at most, by each environment.
    """
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    refusals, wrong = Refusals(), Credentials("app", "wrong")
    pauses = []
    for _ in range(7):
        refusals.note(wrong, FakeError(Verdict.AUTH))
        started_s = now[0]
        while refusals.standing(wrong) is not None:
            now[0] += 0.25
        pauses.append(now[0] - started_s)

    assert [0.25, 0.5, 1.0, 2.0, 4.0, 5.0, 5.0] == pauses
    refusals.forget()
    refusals.note(wrong, FakeError(Verdict.AUTH))
    now[0] -= 100.0
    assert refusals.standing(wrong) is None


def test_after_three_different_ones_no_other_is_sent_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    What was known, what is current and what is pending may fail; then something else is wrong.
    """
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    refusals, failures = Refusals(), [FakeError(Verdict.AUTH) for _ in range(3)]
    for number, failure in enumerate(failures):
        assert refusals.standing(Credentials("app", str(number))) is None
        refusals.note(Credentials("app", str(number)), failure)

    assert failures[-1] is refusals.standing(Credentials("app", "another"))
    assert refusals.standing(None) is not None
    now[0] += 5.0
    assert refusals.standing(Credentials("app", "another")) is None


def test_an_attempt_that_the_end_cuts_off_does_not_hide_the_one_before() -> None:
    """
    The server's own words say more than that the time was up.
    """
    context = TickingContext(0.8)

    def stall(_: Credentials | None) -> None:
        context.until(0.5)
        raise FakeError(Verdict.LOST)

    told = FakeError(Verdict.WAIT)

    with _invocation.scope(context), pytest.raises(ConnectTimeoutError) as caught:
        connector(FakeDriver(told, stall)).connect()
    assert told is caught.value.__cause__


def test_a_snapshot_holds_no_refused_password() -> None:
    """
    Every environment made of it would have it.
    """
    database = Database(
        FakeDriver(FakeError(Verdict.AUTH)),
        login=lambda _: Credentials("app", "a-refused-secret"),
        max_connections=1,
        ping_after_s=None,
        connect_timeout_s=5.0,
    )
    with _invocation.scope(FakeContext(0.55)), pytest.raises(LoginError), database.connection():
        pass

    _runtime.take_snapshot()
    # The frames of the error.
    gc.collect()

    assert [] == [each for each in gc.get_objects() if issubclass(type(each), Credentials) and "a-refused-secret" == each.password]
