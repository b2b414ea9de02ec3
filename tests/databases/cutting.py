"""
A network that breaks at a chosen byte: a proxy on loopback that cuts its latest connection there.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

SENT, ANSWERED = "sent", "answered"


class Link:
    """
    One connection through the proxy: what has passed in each direction, and where it is to end.
    """

    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self.client, self.server = client, server
        self.passed = {SENT: 0, ANSWERED: 0}
        self.end: dict[str, int] = {}
        self.users = 2
        self._lock = threading.Lock()

    def cut(self) -> None:
        """
        End it on both sides. The server gets what was passed before, and then an end.
        """
        for each in (self.server, self.client):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def leave(self) -> None:
        """
        Let the last of the two directions close it.
        """
        with self._lock:
            self.users -= 1
            if not self.users:
                self.client.close()
                self.server.close()


class CuttingProxy:
    """
    Forward connections to one port.

    Attributes:
        port: Where to connect to instead.
    """

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._links: list[Link] = []
        self._threads: list[threading.Thread] = []
        self._run(self._accept)

    def passed(self) -> dict[str, int]:
        """
        Return how many bytes have passed on the latest connection, which is silent now.
        """
        return dict(self._links[-1].passed)

    def cut(self, direction: str, after: int) -> None:
        """
        Let *after* more bytes of the latest connection pass in one direction, and end it in place of the next one.
        """
        link = self._links[-1]
        link.end = {direction: link.passed[direction] + after}

    def close(self) -> None:
        """
        Close everything, and wait until the threads are done.
        """
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for link in self._links:
            link.cut()
        for thread in self._threads:
            thread.join(10)

    def _run(self, work: object, *args: object) -> None:
        thread = threading.Thread(target=work, args=args, daemon=True)  # type: ignore[arg-type]  # one of two methods
        self._threads = [each for each in self._threads if each.is_alive()]
        thread.start()
        self._threads.append(thread)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._target_port))
                for each in (client, server):
                    each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._links = [*(each for each in self._links if each.users), Link(client, server)]
                link = self._links[-1]
                self._run(self._forward, link, SENT, client, server)
                self._run(self._forward, link, ANSWERED, server, client)

    def _forward(self, link: Link, direction: str, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                end = link.end.get(direction)
                if end is not None and link.passed[direction] + len(data) > end:
                    sink.sendall(data[: end - link.passed[direction]])
                    link.cut()
                    break
                # Counted before the other side can react to it.
                link.passed[direction] += len(data)
                sink.sendall(data)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)
        link.leave()


@contextlib.contextmanager
def cutting_proxy(target_port: int) -> Iterator[CuttingProxy]:
    """
    Have one for a block.
    """
    made = CuttingProxy(target_port)
    try:
        yield made
    finally:
        made.close()
