"""
A function's environment without a trace of the developer's, and servers that do as told.
"""

from __future__ import annotations

import os
import socket
import time
from typing import TYPE_CHECKING, Any

import pytest

from lambda_kit import _runtime
from tests._transport.scripted_server import ScriptedServer
from tests.aws_server import CREDENTIALS, REGION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_OTHERS = ("REQUESTS_CA_BUNDLE", "ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "http_proxy", "https_proxy")


@pytest.fixture(autouse=True)
def environ(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """
    Credentials and a region, nothing else of AWS's, and a kit that has learnt nothing yet.
    """
    for name in list(os.environ):
        if name.startswith(("AWS_", "LAMBDA_KIT_")) or name in _OTHERS:
            monkeypatch.delenv(name)
    for name, value in {**CREDENTIALS, "AWS_REGION": REGION}.items():
        monkeypatch.setenv(name, value)
    _runtime.reset()
    yield
    _runtime.reset()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedServer]:
    """
    A server without TLS that all services are asked at.
    """
    server = ScriptedServer()
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
    yield server
    _runtime.reset()
    server.stop()


@pytest.fixture
def lead_hosts_to(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """
    Let every host name be that of a port on loopback.
    """

    def lead(port: int) -> None:
        found: list[Any] = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)

    return lead


@pytest.fixture
def pass_time(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """
    Let seconds pass on the wall clock, for whoever asks Python for the time.
    """
    passed = 0.0
    wall = time.time

    def pass_by(seconds: float) -> None:
        nonlocal passed
        passed += seconds
        monkeypatch.setattr(time, "time", lambda: wall() + passed)

    return pass_by
