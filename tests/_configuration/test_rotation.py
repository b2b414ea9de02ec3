"""
A whole rotation, step by step, against a Secrets Manager that moves the stages of versions as AWS's does.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from lambda_kit import _runtime, get_secret, get_secrets, secret, secret_login
from lambda_kit.errors import ParameterNotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.aws_server import AwsServer


@pytest.fixture(scope="module")
def stack() -> Iterator[str]:
    """
    An AWS with real stages, in a process of its own; moto's AWSCURRENT may stay on two versions.
    """
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = {"GATEWAY_PORT": str(port), "SERVICES": "secretsmanager", "LOG_LEVEL": "ERROR", "DOCKER_HOST": "unix:///nowhere"}
    output = subprocess.DEVNULL
    server = subprocess.Popen([sys.executable, "-m", "ministack"], env={**os.environ, **settings}, stdout=output, stderr=output)
    try:
        _await_port(port, server)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(30)


def _await_port(port: int, server: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        assert server.poll() is None, "the server has ended"
        try:
            socket.create_connection(("127.0.0.1", port), 1.0).close()
        except OSError:
            threading.Event().wait(0.1)
        else:
            return
    raise AssertionError("the server does not listen")


class Rotation:
    """
    A secret, and what a rotation function does to it.
    """

    def __init__(self, url: str, name: str, text: str) -> None:
        make: Any = boto3.client
        self.api = make("secretsmanager", endpoint_url=url)
        self.name = name
        self.current: str = self.api.create_secret(Name=name, SecretString=text)["VersionId"]
        self.pending = ""

    def create(self, text: str) -> None:
        """
        Put a version that is not current yet.
        """
        self.pending = self.api.put_secret_value(SecretId=self.name, SecretString=text, VersionStages=["AWSPENDING"])["VersionId"]

    def finish(self) -> None:
        """
        Make it the current one.
        """
        self.api.update_secret_version_stage(
            SecretId=self.name, VersionStage="AWSCURRENT", MoveToVersionId=self.pending, RemoveFromVersionId=self.current
        )
        self.current = self.pending


@pytest.fixture
def rotation(aws_environ: AwsServer, stack: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Rotation:
    """
    A secret of the test's own, which the kit reads from the server with real stages.
    """
    monkeypatch.setenv("AWS_ENDPOINT_URL", stack)
    _runtime.reset()
    name = "".join(each if each.isalnum() else "-" for each in request.node.name)
    return Rotation(stack, name, '{"username": "orders", "password": "old"}')


def test_stages_are_followed_through_a_rotation(rotation: Rotation) -> None:
    """
    What is current, pending and previous is read as such at each step, one by one and together.
    """
    name = rotation.name
    others = [Rotation(rotation.api.meta.endpoint_url, f"{name}-{number}", "{}").name for number in range(2)]
    password = secret(name, key="password")
    assert ("old", rotation.current) == (password(), password.version)
    with pytest.raises(ParameterNotFoundError, match="AWSPENDING"):
        get_secret(name, version_stage="AWSPENDING")

    rotation.create('{"username": "orders", "password": "new"}')
    pending = secret(name, key="password", version_stage="AWSPENDING")
    pending.invalidate()
    assert ("old", "new") == (get_secret(name, key="password", fresh=True), pending())

    failed = password.version
    rotation.finish()
    assert "old" == password()
    password.invalidate(failed_version=failed)
    assert ("new", rotation.current) == (password(), password.version)
    assert "old" == get_secret(name, key="password", version_stage="AWSPREVIOUS")
    assert '"new"' in get_secrets([name, *others], fresh=True)[name]


def test_login_goes_through_a_rotation(rotation: Rotation) -> None:
    """
    When the server knows the pending password already, the login offers it; when it is current, it is read as that.
    """
    login = secret_login(rotation.name)
    old = login(None)
    assert "old" == old.password

    rotation.create('{"username": "orders", "password": "new"}')
    assert "new" == login(old).password
    rotation.finish()
    assert ("new", rotation.current) == (login(old).password, login(None).version)
