"""
Logins: what they offer first, what after a refusal, and how often they ask AWS for it.
"""

from __future__ import annotations

import json
import time

import pytest

from lambda_kit import _runtime, env, password_login, secret, secret_login
from lambda_kit.databases import Credentials
from lambda_kit.errors import LoginError, ParameterNotFoundError, ParameterUnavailableError, ParameterValueError
from tests.aws_server import BROKEN, DENIED, AwsServer
from tests.databases.leaks import shown

GET = "GetSecretValue"


class StoredLogin:
    """
    A secret in Secrets Manager, as RDS writes it, and the rotation of it.
    """

    name = "orders/db"

    def __init__(self, aws: AwsServer) -> None:
        self._api = aws.boto3("secretsmanager")
        self._current = self._api.create_secret(Name=self.name, SecretString=self.text("first"))["VersionId"]

    def text(self, password: str, user: str = "app") -> str:
        return json.dumps(
            {"engine": "postgres", "host": "db.invalid", "port": 5432, "dbname": "orders", "username": user, "password": password}
        )

    def put_pending(self, password: str) -> str:
        """
        Do a rotation's first step: there is a version that is not current yet.
        """
        version: str = self._api.put_secret_value(SecretId=self.name, SecretString=self.text(password), VersionStages=["AWSPENDING"])[
            "VersionId"
        ]
        return version

    def put_current(self, password: str, user: str = "app") -> None:
        """
        Have a new current version.
        """
        self._api.put_secret_value(SecretId=self.name, SecretString=self.text(password, user))


@pytest.fixture
def stored(aws_environ: AwsServer) -> StoredLogin:
    return StoredLogin(aws_environ)


# secret_login


def test_declaring_reads_nothing(aws_environ: AwsServer) -> None:
    """
    A login at global scope costs no call.
    """
    login = secret_login("orders/db")

    assert [] == aws_environ.calls
    assert "<secret_login of 'orders/db'>" == repr(login)


def test_the_secret_says_who_and_where(stored: StoredLogin) -> None:
    """
    User, password, host, port and database come from the JSON that RDS writes.
    """
    offered = secret_login(stored.name)(None)

    assert ("app", "first") == (offered.user, offered.password)
    assert ("db.invalid", 5432, "orders") == (offered.host, offered.port, offered.dbname)
    assert offered.version


def test_user_and_password_are_enough(aws_environ: AwsServer) -> None:
    """
    Secrets that RDS manages say no more.
    """
    aws_environ.boto3("secretsmanager").create_secret(Name="short", SecretString='{"username": "app", "password": "x"}')

    offered = secret_login("short")(None)

    assert ("", None, "") == (offered.host, offered.port, offered.dbname)


def test_the_secret_is_cached_between_connects(stored: StoredLogin, aws_environ: AwsServer) -> None:
    """
    Two connects cost one call.
    """
    login = secret_login(stored.name)
    login(None)
    login(None)

    assert [GET] == aws_environ.calls


def test_a_refused_password_is_fetched_again(stored: StoredLogin, aws_environ: AwsServer) -> None:
    """
    After a rotation one call brings the new version, which later connects get at once.
    """
    login = secret_login(stored.name)
    old = login(None)
    stored.put_current("second")

    assert "second" == login(old).password
    assert "second" == login(None).password
    assert [GET, GET] == aws_environ.calls


def test_a_version_that_another_thread_fetched_costs_no_call(stored: StoredLogin, aws_environ: AwsServer) -> None:
    """
    Whoever comes late with the same refused version is given what is there.
    """
    login = secret_login(stored.name)
    old = login(None)
    stored.put_current("second")
    login(old)

    assert "second" == login(old).password
    assert [GET, GET] == aws_environ.calls


def test_alternating_users_change_the_user_too(stored: StoredLogin) -> None:
    """
    The other rotation strategy: the secret names the clone.
    """
    login = secret_login(stored.name)
    old = login(None)
    stored.put_current("second", user="app_clone")

    offered = login(old)

    assert ("app_clone", "second") == (offered.user, offered.password)


def test_the_pending_version_is_tried_in_the_window(stored: StoredLogin, aws_environ: AwsServer) -> None:
    """
    The server knows the new password, the secret's current version does not: two calls.
    """
    login = secret_login(stored.name)
    old = login(None)
    version = stored.put_pending("second")

    offered = login(old)

    assert "second" == offered.password
    assert version == offered.version
    assert [GET, GET, GET] == aws_environ.calls


def test_the_pending_version_does_not_become_the_current_one(stored: StoredLogin) -> None:
    """
    A rotation may still fail: the next connect begins with what is current.
    """
    login = secret_login(stored.name)
    stored.put_pending("second")
    login(login(None))

    assert "first" == login(None).password


def test_a_refused_pending_version_is_not_tried_again(stored: StoredLogin) -> None:
    """
    Once per version: servers lock accounts.
    """
    login = secret_login(stored.name)
    old = login(None)
    stored.put_pending("second")
    with pytest.raises(LoginError, match="no other version"):
        login(login(old))

    with pytest.raises(LoginError, match="no other version"):
        login(old)


def test_a_later_rotation_is_tried_again(stored: StoredLogin) -> None:
    """
    A version that was pending, and is current now, does not stand in the way of the next pending one.
    """
    login = secret_login(stored.name)
    stored.put_pending("second")
    login(login(None))
    stored.put_current("second")
    current = login(login(None))
    assert "second" == current.password
    stored.put_pending("third")

    assert "third" == login(current).password


def test_pending_can_be_left_out(stored: StoredLogin, aws_environ: AwsServer) -> None:
    """
    For roles that may not read that stage.
    """
    login = secret_login(stored.name, pending=False)
    old = login(None)
    stored.put_pending("second")

    with pytest.raises(LoginError):
        login(old)
    assert [GET, GET] == aws_environ.calls


def test_without_a_rotation_there_is_nothing_pending(stored: StoredLogin) -> None:
    """
    That is the normal case, and not an error of its own.
    """
    login = secret_login(stored.name)

    with pytest.raises(LoginError, match="secret 'orders/db' has no other version to try"):
        login(login(None))


def test_refusals_cause_five_calls_at_most(stored: StoredLogin, aws_environ: AwsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Many environments with a wrong password must not become a storm; ten seconds later it is asked again.
    """
    login = secret_login(stored.name)
    old = login(None)
    aws_environ.calls.clear()

    for _ in range(20):
        with pytest.raises(LoginError):
            login(old)
    assert 5 == len(aws_environ.calls)

    stored.put_current("second")
    now_s = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now_s + 11.0)
    assert "second" == login(old).password


def test_a_cold_environment_has_forgotten_the_refusals(stored: StoredLogin) -> None:
    """
    A restore or a fork begins with a clean slate.
    """
    login = secret_login(stored.name)
    old = login(None)
    stored.put_pending("second")
    with pytest.raises(LoginError):
        login(login(old))

    _runtime.restored()

    assert "second" == login(old).password


@pytest.mark.usefixtures("aws_environ")
def test_a_secret_that_is_not_there_is_said() -> None:
    """
    That is a mistake in the set-up, no refused login.
    """
    with pytest.raises(ParameterNotFoundError, match="nowhere"):
        secret_login("nowhere")(None)


def test_a_secret_that_cannot_be_read_again_is_said(stored: StoredLogin, aws_environ: AwsServer) -> None:
    """
    The refused password is all there is while the service is down: it may be tried again later.
    """
    login = secret_login(stored.name)
    old = login(None)
    aws_environ.always = BROKEN

    with pytest.raises(ParameterUnavailableError) as caught:
        login(old)
    assert caught.value.retryable


def test_a_pending_version_that_may_not_be_read_is_none(stored: StoredLogin, aws_environ: AwsServer) -> None:
    """
    Least privilege does not turn a refused login into another error.
    """
    login = secret_login(stored.name)
    old = login(None)
    stored.put_pending("second")
    aws_environ.faults.extend([None, DENIED])  # type: ignore[list-item]  # the first of the two calls is answered

    with pytest.raises(LoginError, match="no other version"):
        login(old)
    assert [GET, GET, GET] == aws_environ.calls


@pytest.mark.parametrize(
    "text", ["s3cret", '["s3cret"]', '"s3cret"', '{"password": "s3cret"}', '{"username": "app", "password": "s3cret", "port": "s3cret"}']
)
def test_a_secret_of_another_shape_is_not_shown(aws_environ: AwsServer, text: str) -> None:
    """
    The error says what a login needs, and nothing of what was there.
    """
    aws_environ.boto3("secretsmanager").create_secret(Name="odd", SecretString=text)

    with pytest.raises(ParameterValueError, match="secret 'odd' is no login: it needs JSON with username and password") as caught:
        secret_login("odd")(None)
    assert "s3cret" not in shown(caught.value)


# password_login


def test_a_password_comes_from_any_callable(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    User and password are read at each connect.
    """
    monkeypatch.setenv("DB_USER", "app")
    monkeypatch.setenv("DB_PASSWORD", "first")
    login = password_login(env("DB_USER"), env("DB_PASSWORD"))
    assert ("app", "first") == (login(None).user, login(None).password)

    monkeypatch.setenv("DB_PASSWORD", "second")

    assert "second" == login(None).password


def test_a_refused_password_is_read_again() -> None:
    """
    A callable that has another one by now gives it; one that has not says so.
    """
    passwords = ["second", "second", "first"]
    login = password_login("app", passwords.pop)
    old = login(None)

    new = login(old)
    assert "second" == new.password
    with pytest.raises(LoginError, match="still the same"):
        login(new)


def test_a_handle_is_made_to_fetch_again(stored: StoredLogin, aws_environ: AwsServer) -> None:
    """
    A cached secret would give the refused password for minutes.
    """
    login = password_login("app", secret(stored.name, key="password"))
    old = login(None)
    stored.put_current("second")

    offered = login(old)

    assert "second" == offered.password
    assert offered.version not in ("", old.version)
    assert [GET, GET] == aws_environ.calls


def test_the_repr_shows_no_password() -> None:
    """
    Only who logs in, if that is known.
    """
    assert "<password_login of 'app'>" == repr(password_login("app", lambda: "s3cret"))
    assert "s3cret" not in repr(password_login(lambda: "app", lambda: "s3cret"))


def test_credentials_of_a_login_are_credentials(stored: StoredLogin) -> None:
    """
    What a login offers does not show its password either, pending or not.
    """
    login = secret_login(stored.name)
    stored.put_pending("second")

    offered = login(login(None))

    assert isinstance(offered, Credentials)
    assert "second" not in repr(offered)
