"""
The network that a chaos run breaks.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest

from benchmarks._chaos.proxy import AT_COMMIT, CUT_AFTER, DOWN, HOST, MUTE_AFTER, UP, Proxy

LIMIT_S = 5.0


class Echo:
    """
    A server that sends back what it gets, and keeps it.
    """

    def __init__(self) -> None:
        self.received = bytearray()
        self.ended = threading.Event()
        self._listener = socket.create_server((HOST, 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """
        Listen no longer.
        """
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(LIMIT_S)

    def _serve(self) -> None:
        try:
            while True:
                peer, _ = self._listener.accept()
                threading.Thread(target=self._answer, args=(peer,), daemon=True).start()
        except OSError:
            return

    def _answer(self, peer: socket.socket) -> None:
        with peer, contextlib.suppress(OSError):
            while data := peer.recv(1000):
                self.received += data
                peer.sendall(data)
        self.ended.set()


@pytest.fixture
def echo() -> Iterator[Echo]:
    server = Echo()
    yield server
    server.close()


@pytest.fixture
def proxy(echo: Echo) -> Iterator[Proxy]:
    made = Proxy(echo.port)
    yield made
    made.close()


@pytest.fixture
def client(proxy: Proxy) -> Iterator[socket.socket]:
    """
    A client that has had its first answer.
    """
    with socket.create_connection((HOST, proxy.port), timeout=LIMIT_S) as connected:
        connected.sendall(b"hello")
        assert b"hello" == connected.recv(100)
        yield connected


def test_a_connection_is_cut_at_a_byte(proxy: Proxy, client: socket.socket, echo: Echo) -> None:
    """
    What is before it gets through.
    """
    proxy.links[0].cut_after(UP, 3, reset=False)

    client.sendall(b"abcdef")

    assert echo.ended.wait(LIMIT_S)
    assert b"helloabc" == echo.received
    assert 1 == proxy.cuts


def test_a_connection_is_reset_at_a_byte(proxy: Proxy, client: socket.socket) -> None:
    """
    The peer sees the difference.
    """
    proxy.links[0].cut_after(DOWN, 2, reset=True)

    client.sendall(b"abcdef")

    with pytest.raises(ConnectionResetError), client.makefile("rb") as answers:
        answers.read()


@pytest.mark.parametrize("kind", AT_COMMIT)
def test_a_connection_ends_at_a_commit(proxy: Proxy, client: socket.socket, echo: Echo, kind: str) -> None:
    """
    The COMMIT gets through or does not; no answer does.
    """
    link = proxy.links[0]
    link.at_commit = kind
    client.sendall(b"INSERT")
    assert b"INSERT" == client.recv(100)

    client.sendall(b"COMMIT")

    client.settimeout(0.1 if kind.startswith("mute") else LIMIT_S)
    if kind.startswith("mute"):
        with pytest.raises(TimeoutError):
            client.recv(100)
    else:
        assert b"" == client.recv(100)
    link.spare()
    assert echo.ended.wait(LIMIT_S)
    assert (kind in (CUT_AFTER, MUTE_AFTER)) is (b"COMMIT" in echo.received)


def test_what_was_held_back_is_delivered(proxy: Proxy, client: socket.socket, echo: Echo) -> None:
    """
    Also when whoever sent it has given up.
    """
    link = proxy.links[0]
    link.passing.clear()
    client.sendall(b"late")
    client.close()

    link.passing.set()

    assert echo.ended.wait(LIMIT_S)
    assert b"hellolate" == echo.received


def test_nobody_listens_for_a_while(proxy: Proxy, client: socket.socket) -> None:
    """
    Old connections go on meanwhile; new ones are made again later.
    """
    with proxy.refusing():
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((HOST, proxy.port), timeout=LIMIT_S)
        client.sendall(b"still")
        assert b"still" == client.recv(100)

    with socket.create_connection((HOST, proxy.port), timeout=LIMIT_S) as later:
        later.sendall(b"again")
        assert b"again" == later.recv(100)


def test_a_black_hole_takes_connections_and_answers_nothing(proxy: Proxy, client: socket.socket, echo: Echo) -> None:
    """
    Old ones and new ones; they end when it does.
    """
    with proxy.black_hole():
        client.sendall(b"lost")
        with socket.create_connection((HOST, proxy.port), timeout=LIMIT_S) as other:
            other.sendall(b"lost too")
            other.settimeout(0.1)
            with pytest.raises(TimeoutError):
                other.recv(100)

    assert b"" == client.recv(100)
    assert b"hello" == echo.received


def test_new_connections_are_struck_too(proxy: Proxy) -> None:
    """
    A fault lasts for a while, whoever comes meanwhile.
    """
    proxy.on_link = lambda link: link.cut_after(UP, 1, reset=False)

    with socket.create_connection((HOST, proxy.port), timeout=LIMIT_S) as client:
        client.sendall(b"abc")

        assert b"" == client.recv(100).replace(b"a", b"")
