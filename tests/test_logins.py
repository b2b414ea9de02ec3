"""
Logins: what they offer first, what after a refusal, and how often they ask AWS for it.
"""

from __future__ import annotations

import datetime
import gc
import json
import os
import time
from pathlib import Path
from typing import Any

import botocore.auth
import botocore.session
import pytest

import lambda_kit
from lambda_kit import _runtime, databases, env, password_login, preload, rds_iam_login, secret, secret_login
from lambda_kit._logins._refusals import MOST_CALLS
from lambda_kit.databases import Credentials
from lambda_kit.errors import ConfigurationError, LoginError, ParameterNotFoundError, ParameterUnavailableError, ParameterValueError
from tests import fresh_process
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


@pytest.mark.parametrize("declared", ['secret_login("orders/db")', 'password_login("app", secret("orders/db"))'])
@pytest.mark.parametrize(("transport", "loaded"), [("boto3", True), ("lean", False)])
def test_preload_gets_ready_to_read(stored: StoredLogin, aws_environ: AwsServer, declared: str, transport: str, *, loaded: bool) -> None:
    """
    What reading the secret needs is imported at the end of INIT, not in the first invocation; nothing is read there.
    """
    before = len(aws_environ.calls)
    code = f"""
    import json, sys
    from lambda_kit import databases, password_login, preload, secret, secret_login
    preload(databases.postgres("host=db.invalid", login={declared}))
    print(json.dumps(["psycopg" in sys.modules, "botocore.client" in sys.modules]))
    """

    assert [True, loaded] == fresh_process.result(code, environ={"LAMBDA_KIT_TRANSPORT": transport})
    assert before == len(aws_environ.calls)


def test_preload_takes_any_callable_for_a_password() -> None:
    """
    A function has nothing to get ready.
    """
    preload(databases.postgres("host=db.invalid", login=password_login("app", lambda: "x")))


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
    D19: the other rotation strategy: the secret names the clone.
    """
    login = secret_login(stored.name)
    old = login(None)
    stored.put_current("second", user="app_clone")

    offered = login(old)

    assert ("app_clone", "second") == (offered.user, offered.password)


def test_the_pending_version_is_tried_in_the_window(stored: StoredLogin, aws_environ: AwsServer) -> None:
    """
    D15: the server knows the new password, the secret's current version does not: two calls.
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


def test_connections_lost_within_a_rotation_are_made_again(stored: StoredLogin, aws_environ: AwsServer) -> None:
    """
    The pending version that was offered and not refused is offered again without a call, when no more calls are allowed.
    """
    login = secret_login(stored.name)
    old = login(None)
    stored.put_pending("second")
    aws_environ.calls.clear()

    offered = [login(old).password for _ in range(10)]

    assert ["second"] * 10 == offered
    assert MOST_CALLS >= len(aws_environ.calls)


def test_a_pending_version_that_is_refused_later_is_not_offered_again(stored: StoredLogin) -> None:
    """
    A rotation that was undone leaves nothing to offer.
    """
    login = secret_login(stored.name)
    old = login(None)
    stored.put_pending("second")
    pending = [login(old) for _ in range(5)][-1]

    with pytest.raises(LoginError, match="no other version"):
        login(pending)
    with pytest.raises(LoginError, match="no other version"):
        login(old)


def test_a_refused_pending_version_is_not_tried_again_at_once(stored: StoredLogin, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Servers lock accounts; but the database may be about to learn it, so it is worth another look half a minute later.
    """
    now_s = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now_s)
    login = secret_login(stored.name)
    old = login(None)
    stored.put_pending("second")
    with pytest.raises(LoginError, match="no other version"):
        login(login(old))

    now_s += 11.0
    with pytest.raises(LoginError, match="no other version"):
        login(old)
    now_s += 20.0
    assert "second" == login(old).password


def test_a_later_rotation_is_tried_again(stored: StoredLogin, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A version that was pending, and is current now, does not stand in the way of the next pending one.
    """
    now_s = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now_s)
    login = secret_login(stored.name)
    stored.put_pending("second")
    login(login(None))
    now_s += 11.0
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
    D17: many environments with a wrong password must not become a storm: three calls at once, two more within a second, and
    ten seconds later it is asked again.
    """
    # A clock whose sums are exact.
    tick_s, now_s = 0.0625, 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now_s)
    login = secret_login(stored.name)
    old = login(None)
    aws_environ.calls.clear()
    at_s: list[float] = []

    for _ in range(48):
        with pytest.raises(LoginError):
            login(old)
        at_s += [now_s] * (len(aws_environ.calls) - len(at_s))
        now_s += tick_s
    assert [0, 0, 0.0625, 0.5, 1.0] == at_s

    stored.put_current("second")
    now_s += 11.0
    assert "second" == login(old).password


def test_a_snapshot_holds_no_pending_password(stored: StoredLogin) -> None:
    """
    What was offered in INIT is kept for the next connect, and not for every environment made of the snapshot.
    """
    login = secret_login(stored.name)
    stored.put_pending("a-pending-secret")
    login(login(None))

    _runtime.take_snapshot()

    assert [] == [each for each in gc.get_objects() if issubclass(type(each), Credentials) and "a-pending-secret" == each.password]


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
    "text",
    [
        "s3cret",
        '["s3cret"]',
        '"s3cret"',
        '{"password": "s3cret"}',
        '{"username": null, "password": "s3cret"}',
    ],
)
def test_a_secret_of_another_shape_is_not_shown(aws_environ: AwsServer, text: str) -> None:
    """
    The error says what a login needs, and nothing of what was there.
    """
    aws_environ.boto3("secretsmanager").create_secret(Name="odd", SecretString=text)

    with pytest.raises(ParameterValueError, match="secret 'odd' is no login: it needs JSON with username and password") as caught:
        secret_login("odd")(None)
    assert "s3cret" not in shown(caught.value)


@pytest.mark.parametrize("port", ['"s3cret"', "true", "70000", "-1", "5432.0", '"٣"'])
def test_a_port_that_is_none_is_named(aws_environ: AwsServer, port: str) -> None:
    """
    User and password are fine then; what is there instead is not shown.
    """
    text = f'{{"username": "app", "password": "s3cret", "port": {port}}}'
    aws_environ.boto3("secretsmanager").create_secret(Name="odd", SecretString=text)

    with pytest.raises(ParameterValueError, match="secret 'odd' is no login: its port is no whole number from 1 to 65535") as caught:
        secret_login("odd")(None)
    assert "s3cret" not in shown(caught.value)


# What the types forbid is written here too.
UNTYPED: Any = lambda_kit


async def _later(*_: object) -> str:
    return "s3cret"


@pytest.mark.parametrize(
    ("declare", "message"),
    [
        (lambda: UNTYPED.password_login("app", "s3cret"), "password_login\\(\\): password is a str: give a handle such as secret"),
        (lambda: UNTYPED.password_login("app", None), "password is None"),
        (lambda: UNTYPED.password_login("app", _later), "password is a function: give a handle"),
        (lambda: UNTYPED.password_login(None, lambda: "s3cret"), "password_login\\(\\): user is None: give text"),
        (lambda: UNTYPED.secret_login(""), "secret_login\\(\\): name is empty text: give a name"),
        (lambda: UNTYPED.secret_login(None), "secret_login\\(\\): name is None"),
        (lambda: UNTYPED.secret_login("orders/db", pending="no"), "pending is a str: write True or False"),
        (lambda: UNTYPED.secret_login("orders/db", pending=0), "pending is 0: write True or False"),
        (lambda: UNTYPED.rds_iam_login("", "db"), "rds_iam_login\\(\\) needs a user, and the host"),
        (lambda: UNTYPED.rds_iam_login("app", ""), "rds_iam_login\\(\\) needs a user, and the host"),
        (
            lambda: UNTYPED.rds_iam_login("app", "db", port="s3cret"),
            "rds_iam_login\\(\\): port is a str: give a whole number from 1 to 65535",
        ),
        (lambda: UNTYPED.rds_iam_login("app", None), "host is None: give text"),
    ],
)
def test_a_login_that_cannot_work_is_refused_at_its_declaration(declare: Any, message: str) -> None:
    """
    The message names the argument and its type, and not what it holds.
    """
    with pytest.raises(ConfigurationError, match=message) as caught:
        declare()
    assert "s3cret" not in str(caught.value)


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


def test_a_handle_is_fetched_again_five_times_at_most(stored: StoredLogin, aws_environ: AwsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    As with a secret that is a whole login; a new life may ask anew.
    """
    now_s = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now_s)
    login = password_login("app", secret(stored.name, key="password"))
    old = login(None)
    aws_environ.calls.clear()

    for _ in range(60):
        with pytest.raises(LoginError, match="still the same"):
            login(old)
        now_s += 0.05
    assert 5 == len(aws_environ.calls)
    _runtime.restored()
    stored.put_current("second")
    assert "second" == login(old).password


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


# rds_iam_login

HOST = "orders.abc123.eu-west-1.rds.amazonaws.com"


@pytest.fixture
def aws_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Credentials and a region as Lambda sets them.
    """
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wJalr/XUtn+FEMI")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "IQoJb3//+=token")
    monkeypatch.setenv("AWS_REGION", "us-east-2")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-2")


def botocores_token(monkeypatch: pytest.MonkeyPatch, user: str, host: str, port: int, region: str | None = None) -> str:
    """
    Return what boto3's client makes at the clock of the kit.
    """
    at = datetime.datetime.fromtimestamp(int(time.time()), datetime.UTC)
    monkeypatch.setattr(time, "time", at.timestamp)
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda *_: at.replace(tzinfo=None))
    client: Any = botocore.session.Session().create_client("rds")
    token: str = client.generate_db_auth_token(host, port, user, Region=region)
    return token


@pytest.mark.usefixtures("aws_keys")
@pytest.mark.parametrize("session_token", [True, False], ids=["role", "user"])
@pytest.mark.parametrize(
    ("user", "host", "port", "region"),
    [("app", HOST, 5432, "eu-west-1"), ("jane doe+x@y/z", "DB.example.com", 3306, "us-east-2"), ("app", HOST, 5432, "ap-south-1")],
    ids=["region of the host", "region of the environment", "region said"],
)
def test_a_token_is_botocores(monkeypatch: pytest.MonkeyPatch, user: str, host: str, port: int, region: str, session_token: bool) -> None:
    """
    At the same clock, byte by byte.
    """
    if not session_token:
        monkeypatch.delenv("AWS_SESSION_TOKEN")
    expected = botocores_token(monkeypatch, user, host, port, region)

    offered = rds_iam_login(user, host, port=port, region=region if region == "ap-south-1" else "", dbname="orders")(None)

    assert expected == offered.password
    assert (user, host, port, "orders", True) == (offered.user, offered.host, offered.port, offered.dbname, offered.needs_tls)


@pytest.mark.usefixtures("aws_keys")
def test_each_connect_gets_a_token_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    D35: signed with the AWS credentials of that moment.
    """
    login = rds_iam_login("app", HOST)
    first = login(None)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 60.0)
    second = login(None)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDANOTHER")

    assert 3 == len({first.password, second.password, login(first).password})
    assert first.logs_in_like(second)
    assert not first.logs_in_like(login(None))
    assert not first.logs_in_like(None)


@pytest.mark.usefixtures("aws_keys")
def test_a_refused_token_is_not_replaced_by_one_as_good() -> None:
    """
    While the AWS credentials are the same, so is what the server says.
    """
    login = rds_iam_login("app", HOST)

    with pytest.raises(LoginError, match="rds-db:connect") as caught:
        login(login(None))
    assert "wJalr" not in shown(caught.value)


def test_credentials_may_come_from_elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """
    Under SnapStart they are not in the environment: botocore knows where they are. A file stands for it here.
    """
    file = tmp_path / "credentials"
    file.write_text("[default]\naws_access_key_id = AKIDFILE\naws_secret_access_key = x\n", encoding="utf-8")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    login = rds_iam_login("app", HOST)

    assert "AKIDFILE" == login(None).version
    assert "AKIDFILE" == login(None).version


def test_without_credentials_or_a_region_the_mistake_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    At the connect, since nothing is read before.
    """
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    login = rds_iam_login("app", "db.example.com")

    with pytest.raises(ConfigurationError, match="needs a region"):
        login(None)
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    with pytest.raises(ConfigurationError, match="no AWS credentials"):
        login(None)
    assert "<rds_iam_login of 'app' at db.example.com>" == repr(login)


@pytest.mark.usefixtures("aws_keys")
def test_a_token_needs_no_client() -> None:
    """
    Signing imports neither boto3 nor botocore.
    """
    code = """
        import json, sys
        from lambda_kit import rds_iam_login
        offered = rds_iam_login("app", "orders.abc123.eu-west-1.rds.amazonaws.com")(None)
        print(json.dumps([name for name in ("boto3", "botocore") if name in sys.modules]))
    """
    assert [] == fresh_process.result(code, environ={"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "x"})
