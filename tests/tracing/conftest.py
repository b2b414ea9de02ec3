"""
A daemon's end of the line for tracing's tests, and invocations that X-Ray samples.
"""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING, Any

import pytest

from lambda_kit import _runtime, tracing
from tests.aws_server import CREDENTIALS, REGION, AwsServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Invoke = Callable[..., None]

ROOT = "1-5759e988-bd862e3fe1be46a994272793"
SEGMENT = "53995c3f42cd8ad8"
_PREFIX = b'{"format": "json", "version": 1}\n'
_NO_MORE = b"no more"


class Daemon:
    """
    A real UDP socket where the X-Ray daemon would listen.
    """

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(10.0)
        self.port: int = self._socket.getsockname()[1]

    def documents(self) -> list[dict[str, Any]]:
        """
        Return what has been sent since the last time, in order; each datagram has the format's first line.
        """
        self._socket.sendto(_NO_MORE, self._socket.getsockname())
        found = []
        while (datagram := self._socket.recv(65_535)) != _NO_MORE:
            assert datagram.startswith(_PREFIX)
            found.append(json.loads(datagram.removeprefix(_PREFIX)))
        return found

    def document(self) -> dict[str, Any]:
        """
        Return the only document that was sent.
        """
        (document,) = self.documents()
        return document

    def named(self) -> dict[str, dict[str, Any]]:
        """
        Return the documents by their names.
        """
        return {document["name"]: document for document in self.documents()}

    def close(self) -> None:
        """
        Stop listening.
        """
        self._socket.close()


@pytest.fixture(autouse=True)
def cold(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """
    Begin and end with nobody tracing.
    """
    for name in ("_X_AMZN_TRACE_ID", "AWS_XRAY_DAEMON_ADDRESS", "AWS_LAMBDA_RUNTIME_API", "LAMBDA_KIT_TRACING"):
        monkeypatch.delenv(name, raising=False)
    _runtime.reset()
    yield
    _runtime.reset()


@pytest.fixture
def daemon(monkeypatch: pytest.MonkeyPatch) -> Iterator[Daemon]:
    """
    A daemon where the environment says it is.
    """
    listening = Daemon()
    monkeypatch.setenv("AWS_XRAY_DAEMON_ADDRESS", f"127.0.0.1:{listening.port}")
    yield listening
    listening.close()


@pytest.fixture
def invoke(monkeypatch: pytest.MonkeyPatch) -> Invoke:
    """
    A function that begins the next invocation, as the runtime client does: with a new trace header.
    """

    def begin(parent: str = SEGMENT, *, root: str = ROOT, sampled: str = "1", more: str = "") -> None:
        monkeypatch.setenv("_X_AMZN_TRACE_ID", f"Root={root};Parent={parent};Sampled={sampled}{more}")
        _runtime.begin_invocation()

    return begin


@pytest.fixture
def traced(daemon: Daemon, invoke: Invoke) -> Daemon:
    """
    The daemon, with tracing on and a sampled invocation under way.
    """
    tracing.instrument("xray")
    invoke()
    return daemon


@pytest.fixture(scope="package")
def aws_server() -> Iterator[AwsServer]:
    """
    A real AWS endpoint.
    """
    server = AwsServer()
    yield server
    server.stop()


@pytest.fixture
def aws(aws_server: AwsServer, monkeypatch: pytest.MonkeyPatch) -> AwsServer:
    """
    The endpoint, empty, and an environment that leads boto3 to it.
    """
    aws_server.reset()
    for name, value in {**CREDENTIALS, "AWS_DEFAULT_REGION": REGION, "AWS_REGION": REGION, "AWS_ENDPOINT_URL": aws_server.url}.items():
        monkeypatch.setenv(name, value)
    return aws_server
