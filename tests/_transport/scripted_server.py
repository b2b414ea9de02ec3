"""
A server on loopback that does what a test says, down to the bytes: half an answer, none, or the connection closed.
"""

from __future__ import annotations

import json
import socket
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator, Mapping


@dataclass(frozen=True, slots=True)
class Seen:
    """
    A request as it came in; header names are in lower case.
    """

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    connection: int


def reply(body: bytes | Mapping[str, object] = b"{}", status: int = 200, **headers: str) -> bytes:
    """
    Return the bytes of an answer.
    """
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} As Told", f"Content-Length: {len(content)}", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode() + content


class ScriptedServer:
    """
    Listens on loopback, one thread per connection.

    Attributes:
        seen: Requests in order.
        answer: Returns the bytes to send, at once or piece by piece; ``None`` closes the connection instead, ``Connection: close``
            in them does afterwards.
        connections: How many were accepted.
    """

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.seen: list[Seen] = []
        self.answer: Callable[[Seen], bytes | Iterator[bytes] | None] = lambda seen: reply()
        self.connections = 0
        self._context = context
        self._open: list[socket.socket] = []
        self._gone = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._start(self._accept)

    def hang_up(self) -> None:
        """
        Close all open connections from this side, and wait until that has happened.
        """
        with self._gone:
            for each in self._open:
                with suppress(OSError):  # the other side was faster
                    each.shutdown(socket.SHUT_RDWR)
            assert self._gone.wait_for(lambda: not self._open, 10.0)

    def stop(self) -> None:
        """
        Stop listening, and hang up.
        """
        self._listener.shutdown(socket.SHUT_RDWR)
        self._threads[0].join()
        self._listener.close()
        self.hang_up()
        for thread in self._threads:
            thread.join()

    def _start(self, run: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=run, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                raw, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(raw)
            self._start(self._serve, raw, self.connections)

    def _serve(self, raw: socket.socket, number: int) -> None:
        served = raw
        try:
            if self._context is not None:
                # A copy, so that hang_up can still close what is below.
                served = self._context.wrap_socket(raw.dup(), server_side=True)
            with served.makefile("rb") as lines:
                while (seen := _request(lines, number)) is not None:
                    self.seen.append(seen)
                    answer = self.answer(seen)
                    if answer is None:
                        break
                    for piece in [answer] if isinstance(answer, bytes) else answer:
                        served.sendall(piece)
                    if isinstance(answer, bytes) and b"Connection: close" in answer:
                        break
        except OSError:
            pass  # the other side is gone, or did not like the certificate
        with self._gone:
            served.close()
            self._open.remove(raw)
            raw.close()
            self._gone.notify_all()


def _request(lines: object, number: int) -> Seen | None:
    readline, read = lines.readline, lines.read  # type: ignore[attr-defined]  # a file
    first = readline().decode().split()
    if not first:
        return None
    headers = {}
    while line := readline().decode("latin-1").strip():
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    return Seen(first[0], first[1], headers, read(int(headers.get("content-length", "0"))), number)
