"""
Fixtures of the whole suite: an AWS endpoint on loopback and the environment that leads every client to it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from lambda_kit import _runtime
from tests.aws_server import CREDENTIALS, REGION, AwsServer

if TYPE_CHECKING:
    from collections.abc import Iterator

# Each of them would lead a client elsewhere.
_MISLEADING = (
    "AWS_PROFILE",
    "AWS_CA_BUNDLE",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "http_proxy",
    "https_proxy",
    "AWS_MAX_ATTEMPTS",
    "AWS_RETRY_MODE",
)


@pytest.fixture(scope="session")
def moto_server() -> Iterator[AwsServer]:
    """
    moto's server on loopback, shared by the session; ``aws_environ`` empties it for each test.
    """
    server = AwsServer()
    yield server
    server.stop()


@pytest.fixture
def aws_environ(moto_server: AwsServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsServer]:
    """
    An empty AWS, fake credentials and a region in the environment, and a kit that has built nothing yet.
    """
    moto_server.reset()
    for name in _MISLEADING:
        monkeypatch.delenv(name, raising=False)
    settings = {
        **CREDENTIALS,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": moto_server.url,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    _runtime.reset()
    yield moto_server
    _runtime.reset()
