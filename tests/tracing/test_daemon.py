"""
Documents find the daemon wherever it is, and a daemon that is not there disturbs nobody.
"""

from __future__ import annotations

import json
import logging
import socket
from typing import TYPE_CHECKING

import pytest

from lambda_kit import _runtime, tracing
from lambda_kit.tracing import _daemon
from tests import fresh_process

if TYPE_CHECKING:
    from tests.tracing.conftest import Daemon, Invoke


def send(name: str) -> None:
    """
    Send one span.
    """
    with tracing.span(name):
        pass


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1:{}", "localhost:{}", "tcp:127.0.0.1:1 udp:127.0.0.1:{}", "udp:127.0.0.1:{} tcp:127.0.0.1:1"],
    ids=["address", "name", "tcp and udp", "udp and tcp"],
)
def test_address_forms(daemon: Daemon, invoke: Invoke, monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    """
    Every form that the X-Ray SDKs understand leads to the UDP port.
    """
    monkeypatch.setenv("AWS_XRAY_DAEMON_ADDRESS", address.format(daemon.port))
    tracing.instrument("xray")
    invoke()

    send("charge")

    assert "charge" == daemon.document()["name"]


def test_ipv6(invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    An address in brackets is IPv6.
    """
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as listening:
        listening.bind(("::1", 0))
        listening.settimeout(10.0)
        monkeypatch.setenv("AWS_XRAY_DAEMON_ADDRESS", f"[::1]:{listening.getsockname()[1]}")
        tracing.instrument("xray")
        invoke()

        send("charge")

        assert b'"charge"' in listening.recv(65_535)


@pytest.mark.parametrize("address", ["nonsense", "127.0.0.1:port", "127.0.0.1:99999999", ":"], ids=["word", "port", "range", "empty"])
def test_wrong_address_is_said_once(
    invoke: Invoke, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, address: str
) -> None:
    """
    An address that leads nowhere is logged once an environment; the function does not notice.
    """
    monkeypatch.setenv("AWS_XRAY_DAEMON_ADDRESS", address)
    tracing.instrument("xray")
    invoke()

    send("first")
    send("second")

    (warning,) = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert f"AWS_XRAY_DAEMON_ADDRESS is {address!r}" in warning.getMessage()


def test_address_that_no_datagram_reaches(invoke: Invoke, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """
    An address that the kernel refuses is logged like a wrong one.
    """
    monkeypatch.setenv("AWS_XRAY_DAEMON_ADDRESS", "255.255.255.255:2000")
    tracing.instrument("xray")
    invoke()

    send("charge")

    assert "Permission denied" in caplog.text


def test_nobody_listens(invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Without a daemon spans are lost silently, and the first one after it has come back arrives.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))
        port = listening.getsockname()[1]
    monkeypatch.setenv("AWS_XRAY_DAEMON_ADDRESS", f"127.0.0.1:{port}")
    tracing.instrument("xray")
    invoke()

    send("lost")
    send("lost too")
    send("and this")

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", port))
        listening.settimeout(10.0)
        send("arrives")
        assert b'"arrives"' in listening.recv(65_535)


def test_document_that_is_too_large(traced: Daemon, caplog: pytest.LogCaptureFixture) -> None:
    """
    A datagram that the kernel refuses is lost, with a word to who debugs.
    """
    caplog.set_level(logging.DEBUG, logger="lambda_kit")

    _daemon.send(b"x" * 70_000)

    assert [] == traced.documents()
    assert "a span of 70000 bytes is lost" in caplog.text


def test_default_address(invoke: Invoke) -> None:
    """
    Without a setting the daemon is expected at port 2000, whether it listens or not.
    """
    tracing.instrument("xray")
    invoke()

    send("charge")


def test_child_process_sends_by_itself(traced: Daemon) -> None:
    """
    A forked child makes a socket of its own, and its spans belong to the same invocation.
    """
    pids = fresh_process.result(
        """
        import json, os
        from lambda_kit import tracing

        def send(name):
            with tracing.span(name) as span:
                span.annotate(pid=os.getpid())

        tracing.instrument("xray")
        with tracing.span("parent") as span:
            send("before")
            child = os.fork()
            if not child:
                send("child")
                os._exit(0)
            assert os.waitpid(child, 0)[1] == 0
        print(json.dumps([os.getpid(), child]))
        """
    )

    spans = traced.named()
    assert pids == [spans[name]["annotations"]["pid"] for name in ("before", "child")]
    assert [spans["parent"]["id"]] * 2 == [spans[name]["parent_id"] for name in ("before", "child")]


@pytest.mark.usefixtures("traced")
def test_snapshot_takes_no_socket_along(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    After a restore documents go where the environment says then.
    """
    send("before")
    _runtime.take_snapshot()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.settimeout(10.0)
        monkeypatch.setenv("AWS_XRAY_DAEMON_ADDRESS", f"127.0.0.1:{listening.getsockname()[1]}")
        _runtime.restored()

        send("after")

        assert "after" == json.loads(listening.recv(65_535).partition(b"\n")[2])["name"]
