"""
AWS's hosts on loopback, over TLS: certificates per host, every connection and request remembered, empty or given answers.
"""

from __future__ import annotations

import socket
import ssl
import threading
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest


@dataclass(frozen=True, slots=True)
class Request:
    """
    One request as it came in.
    """

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    host: str = field(default="", compare=False)


class TlsServer:
    """
    A server that shows each host its own certificate.

    Attributes:
        contexts: By host; ``""`` is for all others.
        answers: Bodies by path; all other paths get an empty JSON or CBOR document.
        connections: Host and outcome of each handshake: ``("ssm.eu-west-1.amazonaws.com", True)``.
        requests: What was asked.
    """

    def __init__(self, contexts: dict[str, ssl.SSLContext]) -> None:
        self.contexts = contexts
        self.answers: dict[str, bytes] = {}
        self.connections: list[tuple[str, bool]] = []
        self.requests: list[Request] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._changed = threading.Condition()
        self._first = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._first.sni_callback = self._choose
        threading.Thread(target=self._accept, name="tls", daemon=True).start()

    @property
    def port(self) -> int:
        """
        Where it listens on 127.0.0.1.
        """
        return int(self._listener.getsockname()[1])

    def stop(self) -> None:
        """
        Take no more connections.
        """
        self._listener.close()

    def handshakes(self, count: int, timeout_s: float = 10.0) -> list[tuple[str, bool]]:
        """
        Wait until *count* handshakes have ended, this way or that, and return all there were.
        """
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.connections) >= count, timeout_s), f"{count} wanted, got {self.connections}"
            return list(self.connections)

    def _choose(self, connection: ssl.SSLObject | ssl.SSLSocket, name: str | None, _: ssl.SSLContext) -> None:
        host = name or ""
        connection.context = self.contexts.get(host, self.contexts.get("", self._first))
        connection.server_name = host  # type: ignore[union-attr]  # for _serve

    def _accept(self) -> None:
        while True:
            try:
                raw, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(raw,), name="tls connection", daemon=True).start()

    def _serve(self, raw: socket.socket) -> None:
        with closing(raw):
            connection = self._first.wrap_socket(raw, server_side=True, do_handshake_on_connect=False)
            with connection:
                try:
                    connection.do_handshake()
                    # In TLS 1.3 the client's refusal comes after the server's part of the handshake is over.
                    begun = bool(connection.recv(1))
                except (ssl.SSLError, ConnectionError):
                    begun = False
                host = getattr(connection, "server_name", "")
                with self._changed:
                    self.connections.append((host, begun))
                    self._changed.notify_all()
                if begun:
                    self._answer_all(connection, host)

    def _answer_all(self, connection: ssl.SSLSocket, host: str) -> None:
        try:
            with connection.makefile("rb") as lines:
                line = lines.readline()
                while line:
                    self._answer(connection, lines, line.decode("latin-1"), host)
                    line = lines.readline()
        except (ssl.SSLError, ConnectionError):
            return  # gone in the middle

    def _answer(self, connection: ssl.SSLSocket, lines: Any, first: str, host: str) -> None:
        method, path, _ = first.split()
        headers = {}
        while line := lines.readline().decode("latin-1").strip():
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        if headers.get("expect") == "100-continue":
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = lines.read(int(headers.get("content-length", "0")))
        # The first letter of a connection's first request was read to see whether the client accepted the certificate.
        method = next((known for known in ("GET", "POST", "PUT", "HEAD", "DELETE") if known.endswith(method)), method)
        self.requests.append(Request(method, path, headers, body, host))
        answer, kind = self.answers.get(path, b"{}"), "application/x-amz-json-1.1"
        if "smithy-protocol" in headers:
            answer, kind = b"\xa0", f"application/cbor\r\nSmithy-Protocol: {headers['smithy-protocol']}"
        connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(answer)}\r\n\r\n".encode() + answer)


class ConnectProxy:
    """
    An HTTP proxy that leads every CONNECT to one port of this machine.
    """

    def __init__(self, port: int) -> None:
        self._to = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.asked: list[str] = []
        threading.Thread(target=self._accept, name="proxy", daemon=True).start()

    @property
    def url(self) -> str:
        """
        Where it listens, as HTTPS_PROXY takes it.
        """
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def stop(self) -> None:
        """
        Take no more connections.
        """
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._tunnel, args=(near,), name="tunnel", daemon=True).start()

    def _tunnel(self, near: socket.socket) -> None:
        asked = b""
        while not asked.endswith(b"\r\n\r\n"):
            asked += near.recv(1)
        self.asked.append(asked.split()[1].decode())
        far = socket.create_connection(("127.0.0.1", self._to))
        near.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
        back = threading.Thread(target=_pump, args=(far, near), daemon=True)
        back.start()
        _pump(near, far)
        back.join()
        near.close()
        far.close()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        return  # one end is gone


@contextmanager
def serving(monkeypatch: pytest.MonkeyPatch, contexts: dict[str, ssl.SSLContext]) -> Iterator[TlsServer]:
    """
    Run a server that all names under amazonaws.com, amazonaws.com.cn and api.aws lead to, until the block ends.
    """
    server = TlsServer(contexts)
    find = socket.getaddrinfo

    def found(host: Any, port: Any, *args: Any, **options: Any) -> Any:
        if isinstance(host, str) and host.endswith((".amazonaws.com", ".amazonaws.com.cn", ".api.aws")):
            return find("127.0.0.1", server.port, *args, **options)
        return find(host, port, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", found)
    try:
        yield server
    finally:
        server.stop()
