"""
Rotations as they happen: a real PostgreSQL whose passwords change, and the secret in a real endpoint that counts its calls.
"""

# The with blocks under test have bodies (PT012).

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import textwrap
import threading
import time

import psycopg
import pytest
from psycopg import Connection

from lambda_kit import _invocation, databases, rds_iam_login, secret_login
from lambda_kit.databases import Credentials, Database
from lambda_kit.errors import LoginError
from tests.aws_server import AwsServer
from tests.databases.conftest import Orders
from tests.databases.fakes import FakeContext
from tests.databases.leaks import shown

GET = "GetSecretValue"
PROCESSES = 16


class Rotation:
    """
    A role whose password is in Secrets Manager, and the steps of a rotation.
    """

    def __init__(self, orders: Orders, aws: AwsServer) -> None:
        self.orders, self.aws = orders, aws
        self.name = f"{orders.role}/db"
        self._api = aws.boto3("secretsmanager")
        self._api.create_secret(Name=self.name, SecretString=self._text(orders.role, orders.password))

    @property
    def calls(self) -> int:
        """
        How often Secrets Manager was asked.
        """
        return self.aws.calls.count(GET)

    def declare(self) -> Database[Connection]:
        return databases.postgres(login=secret_login(self.name))

    def tell_server(self, password: str) -> None:
        self.orders.server.set_password(self.orders.role, password)

    def tell_secret(self, password: str, *, user: str = "", stage: str = "AWSCURRENT") -> None:
        self._api.put_secret_value(SecretId=self.name, SecretString=self._text(user or self.orders.role, password), VersionStages=[stage])

    def _text(self, user: str, password: str) -> str:
        return json.dumps(self.orders.server.secret(dbname="postgres", user=user, password=password))


@pytest.fixture
def rotation(orders: Orders, aws_environ: AwsServer) -> Rotation:
    return Rotation(orders, aws_environ)


@pytest.fixture
def known(rotation: Rotation) -> Database[Connection]:
    """
    A database that has connected once, whose session has ended since; the calls of that are forgotten.
    """
    database = rotation.declare()
    assert rotation.orders.role == who(database)
    database.close()
    assert 1 == rotation.calls
    rotation.aws.calls.clear()
    return database


def who(database: Database[Connection]) -> str:
    with database.connection() as connection:
        row = connection.execute("SELECT current_user").fetchone()
    assert row is not None
    return str(row[0])


def test_a_finished_rotation_costs_one_call(rotation: Rotation, known: Database[Connection]) -> None:
    """
    D14: the cached password is refused, the current version is fetched once, and fits.
    """
    rotation.tell_server("second")
    rotation.tell_secret("second")

    assert rotation.orders.role == who(known)
    assert 1 == rotation.calls


def test_the_window_of_a_rotation_costs_two_calls(rotation: Rotation, known: Database[Connection]) -> None:
    """
    D15: the server knows the new password, which only the pending version of the secret has.
    """
    rotation.tell_secret("second", stage="AWSPENDING")
    rotation.tell_server("second")

    assert rotation.orders.role == who(known)
    assert 2 == rotation.calls


@pytest.mark.realtime
def test_a_moment_without_a_valid_password_is_survived(rotation: Rotation, known: Database[Connection]) -> None:
    """
    D16: for 0.6 s the server knows a password that the secret does not have; the back-off finds it within 1.5 s.
    """
    rotation.tell_server("second")
    finishing = threading.Timer(0.6, rotation.tell_secret, ["second"])
    started_s = time.monotonic()
    finishing.start()

    assert rotation.orders.role == who(known)
    assert 0.6 <= time.monotonic() - started_s < 1.5
    finishing.join()


def test_the_order_of_a_rotation_does_not_matter(rotation: Rotation, known: Database[Connection]) -> None:
    """
    D16: a secret that is ahead of the server is tried again once the server knows it: here from the third refusal on.
    """
    rotation.tell_server("neither-the-first-nor-the-second")
    rotation.tell_secret("second")
    login = secret_login(rotation.name)
    refused: list[str] = []

    def watched(credentials: Credentials | None, /) -> Credentials:
        if credentials is not None:
            refused.append(credentials.password)
            if len(refused) == 3:
                rotation.tell_server("second")
        return login(credentials)

    assert rotation.orders.role == who(databases.postgres(login=watched))
    assert 3 <= len(refused)


@pytest.mark.realtime
def test_a_password_that_stays_wrong_costs_five_calls(
    rotation: Rotation, known: Database[Connection], caplog: pytest.LogCaptureFixture
) -> None:
    """
    D17: the server's own error is the cause at the deadline, after five calls at most, and no password is anywhere in it.
    """
    # botocore writes down what it gets, at this level.
    caplog.set_level(logging.DEBUG, logger="lambda_kit")
    rotation.tell_secret("never-valid-and-secret", stage="AWSPENDING")
    rotation.tell_server("unknown-to-the-secret")
    started_s = time.monotonic()

    with _invocation.scope(FakeContext(2.5)), pytest.raises(LoginError, match="password authentication failed") as caught:
        known.connection().__enter__()

    assert time.monotonic() - started_s < 2.1
    assert isinstance(caught.value.__cause__, psycopg.OperationalError)
    assert rotation.calls <= 5
    for password in (rotation.orders.password, "never-valid-and-secret"):
        assert password not in shown(caught.value)
        assert password not in caplog.text


def test_alternating_users_are_followed(rotation: Rotation, known: Database[Connection]) -> None:
    """
    D19: the new version of the secret names another user, and the old one is locked out.
    """
    other = f"{rotation.orders.role}_clone"
    rotation.orders.server.create_role(other, "of-the-clone")
    rotation.tell_secret("of-the-clone", user=other)
    rotation.orders.server.execute(f"ALTER ROLE {rotation.orders.role} NOLOGIN")

    assert other == who(known)
    assert 1 == rotation.calls


def test_an_open_connection_survives_a_rotation(rotation: Rotation, known: Database[Connection]) -> None:
    """
    D20: no reconnect and no call, before, in and after the rotation.
    """
    assert rotation.orders.role == who(known)
    made = known.stats().connects

    rotation.tell_secret("second", stage="AWSPENDING")
    assert rotation.orders.role == who(known)
    rotation.tell_server("second")
    assert rotation.orders.role == who(known)
    rotation.tell_secret("second")
    assert rotation.orders.role == who(known)
    assert (made, 0) == (known.stats().connects, rotation.calls)


# Sixteen environments: forked before anything was connected or fetched. Each connects, waits for the word, connects anew.
_ENVIRONMENTS = """
    import os, sys, traceback
    import boto3
    from lambda_kit import databases, preload, secret_login

    db = databases.postgres(login=secret_login(os.environ["SECRET"]))
    preload(db)
    count = int(os.environ["COUNT"])
    gate, word = os.pipe()
    told, tell = os.pipe()

    def connect():
        with db.connection() as connection:
            connection.execute("SELECT 1")
        db.close()

    def live():
        os.close(word)
        connect()
        os.write(tell, b"1")
        os.read(gate, 1)
        connect()
        os.write(tell, b"2")

    for _ in range(count):
        if os.fork() == 0:
            try:
                live()
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(0)
    os.close(tell)
    def heard():
        got = b""
        while len(got) < count and (piece := os.read(told, count - len(got))):
            got += piece
        print(got.decode(), flush=True)
    heard()
    sys.stdin.readline()
    os.close(word)
    heard()
    for _ in range(count):
        os.wait()
"""


@pytest.mark.parametrize(("stage", "calls"), [("AWSCURRENT", 1), ("AWSPENDING", 2)])
def test_sixteen_processes_in_a_rotation_are_no_storm(rotation: Rotation, stage: str, calls: int) -> None:
    """
    D18: processes that all connect anew at once after a rotation make one call each, and two in its window.
    """
    environ = {**os.environ, "SECRET": rotation.name, "COUNT": str(PROCESSES)}
    command = [sys.executable, "-W", "ignore:This process:DeprecationWarning", "-c", textwrap.dedent(_ENVIRONMENTS)]
    with subprocess.Popen(command, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert "1" * PROCESSES == process.stdout.readline().strip()
        assert PROCESSES == rotation.calls
        rotation.tell_secret("second", stage=stage)
        rotation.tell_server("second")
        rotation.aws.calls.clear()

        process.stdin.write("go\n")
        process.stdin.flush()
        assert "2" * PROCESSES == process.stdout.readline().strip()
    assert PROCESSES * calls == rotation.calls


def test_each_physical_connect_has_a_token_of_its_own(orders: Orders, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    D35: a warm checkout signs nothing; each connect signs once, with the AWS credentials of that moment.
    """
    tokens: list[str] = []
    sign = rds_iam_login(orders.role, "orders.abc.eu-west-1.rds.amazonaws.com")

    def login(refused: Credentials | None, /) -> Credentials:
        # The server checks passwords, not signatures: it is told the token in place of asking IAM.
        tokens.append(sign(refused).password)
        orders.server.set_password(orders.role, tokens[-1])
        return Credentials(orders.role, tokens[-1])

    for number in range(3):
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", f"AKID{number}")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", f"key-{number}")
        database = databases.postgres(orders.conninfo, login=login)
        assert [orders.role] * 2 == [who(database), who(database)]
        database.close()

    assert 3 == len(set(tokens)) == len(tokens)
    assert ["AKID0" in tokens[0], "AKID1" in tokens[1], "AKID2" in tokens[2]] == [True] * 3
