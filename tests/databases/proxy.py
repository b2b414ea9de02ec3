"""
A network that misbehaves: a proxy on loopback that goes mute, or cuts a connection at a chosen word.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Proxy:
    """
    Forward connections to one port.

    Attributes:
        port: Where to connect to instead.
        target_port: Where new connections lead to.
        cut_after: Close a connection as soon as its client has sent this, which still reaches the server.
        sent: What all clients have sent.
    """

    def __init__(self, target_port: int, listener: socket.socket | None = None) -> None:
        self.target_port = target_port
        self._listener = listener or socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.cut_after = b""
        self.sent = bytearray()
        self._muted: set[socket.socket] = set()
        self._clients: list[socket.socket] = []
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._run(self._accept)

    def mute(self) -> None:
        """
        Swallow whatever comes on the present connections; the kernel goes on acknowledging. New ones work.
        """
        self._muted.update(self._clients)

    def cut(self) -> None:
        """
        End the present connections. New ones work.
        """
        for client in self._clients:
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)

    @property
    def count(self) -> int:
        """
        How many connections there were so far.
        """
        return len(self._clients)

    def close(self) -> None:
        """
        Close everything, and wait until the threads are done.
        """
        for each in [self._listener, *self._sockets]:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        for thread in self._threads:
            thread.join(10)

    def _run(self, work: object, *args: object) -> None:
        thread = threading.Thread(target=work, args=args, daemon=True)  # type: ignore[arg-type]  # one of two methods
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self.target_port))
                self._clients.append(client)
                self._sockets += [client, server]
                self._run(self._forward, client, client, server)
                self._run(self._forward, client, server, client)

    def _forward(self, client: socket.socket, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if source is client:
                    self.sent += data
                if client in self._muted:
                    continue
                cut = bool(self.cut_after) and source is client and self.cut_after in data
                if cut:
                    # The answer must not get through.
                    self._muted.add(client)
                sink.sendall(data)
                if cut:
                    break
        if client not in self._muted or source is client:
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def proxy(target_port: int) -> Iterator[Proxy]:
    """
    Have a proxy for a block.
    """
    made = Proxy(target_port)
    try:
        yield made
    finally:
        made.close()


@contextlib.contextmanager
def full() -> Iterator[tuple[str, int]]:
    """
    Have an address that answers no connect: its queue is full, and nobody takes from it.
    """
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener, contextlib.ExitStack() as waiting:
        address: tuple[str, int] = listener.getsockname()
        for _ in range(3):
            client = waiting.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(address)
        yield address
