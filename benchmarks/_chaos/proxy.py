"""
A network that misbehaves: a proxy on loopback that cuts, swallows, holds back, delays and refuses.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HOST = "127.0.0.1"
UP, DOWN = "to the server", "to the client"
# Cut off, or not answered any more; before a COMMIT, or after it.
AT_COMMIT = CUT_BEFORE, CUT_AFTER, MUTE_BEFORE, MUTE_AFTER = "cut before", "cut after", "mute before", "mute after"
_RESET = struct.pack("ii", 1, 0)


class Cut(Exception):  # noqa: N818  # it ends a thread, and is nobody's error
    """
    A connection was cut here.
    """


class Link:
    """
    One connection through the proxy, and what is done to it.

    Attributes:
        swallowed: Directions in which nothing gets through.
        passing: Unset while bytes are held back.
        at_commit: What becomes of the connection at its next COMMIT, one of :data:`AT_COMMIT`; empty for nothing.
    """

    def __init__(self, client: socket.socket, server: socket.socket | None) -> None:
        self.client, self.server = client, server
        self.swallowed: set[str] = set()
        self.passing = threading.Event()
        self.passing.set()
        self.pause_s = 0.0
        self.closed = False
        self.at_commit = ""
        self._until_cut: dict[str, int] = {}
        self._reset = False

    def cut_after(self, direction: str, size: int, *, reset: bool) -> None:
        """
        Cut once *size* more bytes have gone in this direction.
        """
        self._reset = reset
        self._until_cut[direction] = size

    def forward(self, direction: str, data: bytes, sink: socket.socket) -> None:
        """
        Pass *data* on, or what fate leaves of it.
        """
        if self.pause_s:
            time.sleep(self.pause_s)
        self.passing.wait()
        if direction in self.swallowed:
            return
        if self.at_commit and direction == UP and b"COMMIT" in data:
            self._end_at_commit(data, sink)
            return
        left = self._until_cut.get(direction)
        if left is not None:
            if len(data) >= left:
                sink.sendall(data[:left])
                raise Cut
            self._until_cut[direction] = left - len(data)
        sink.sendall(data)

    def spare(self) -> None:
        """
        Let it live on, unless it is mute.
        """
        self.at_commit = ""
        self._until_cut = {}
        if self.swallowed:
            self.close()

    def _end_at_commit(self, data: bytes, sink: socket.socket) -> None:
        """
        Let the COMMIT get through or not, and no answer.
        """
        delivered, goes_on = self.at_commit in (CUT_AFTER, MUTE_AFTER), self.at_commit in (MUTE_BEFORE, MUTE_AFTER)
        self.swallowed = {UP, DOWN} if goes_on else {DOWN}
        if delivered:
            sink.sendall(data)
        if not goes_on:
            raise Cut

    def close(self) -> None:
        """
        End both halves: in order, or by a reset where the cut was one.
        """
        self.closed = True
        self.passing.set()
        for each in filter(None, (self.client, self.server)):
            with contextlib.suppress(OSError):
                if self._reset:
                    each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                # Wakes whoever reads it, without which nothing is closed.
                each.shutdown(socket.SHUT_RD if self._reset else socket.SHUT_RDWR)
            each.close()


class Proxy:
    """
    Forward connections to one port.

    Attributes:
        port: Where to connect to instead.
        on_link: Called with each new connection.
        cuts: How many connections were cut.
    """

    def __init__(self, target_port: int) -> None:
        self.on_link: Callable[[Link], None] = leave_alone
        self._target = (HOST, target_port)
        self._listener = socket.create_server((HOST, 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self._links: set[Link] = set()
        self._lock = threading.Lock()
        self._hole = False
        self.cuts = 0
        self._serve()

    @property
    def links(self) -> list[Link]:
        """
        The connections there are.
        """
        with self._lock:
            return [link for link in self._links if not link.closed]

    @contextlib.contextmanager
    def refusing(self) -> Iterator[None]:
        """
        Have nobody listen. Connections there are go on.
        """
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        try:
            yield
        finally:
            self._listener = socket.create_server((HOST, self.port), backlog=128)
            self._serve()

    @contextlib.contextmanager
    def black_hole(self) -> Iterator[None]:
        """
        Answer nothing, on connections old and new; they end with the block.
        """
        self._hole = True
        for link in self.links:
            link.swallowed = {UP, DOWN}
        try:
            yield
        finally:
            self._hole = False
            for link in self.links:
                if link.swallowed:
                    link.close()

    def close(self) -> None:
        """
        Stop listening, and end all connections.
        """
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for link in self.links:
            link.close()

    def _serve(self) -> None:
        _begin(self._accept, self._listener)

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                _begin(self._join, client)

    def _join(self, client: socket.socket) -> None:
        """
        Connect the other half, and forward until one of them ends.
        """
        server = None
        if not self._hole:
            try:
                server = socket.create_connection(self._target)
                server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            except OSError:
                client.close()
                return
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        link = Link(client, server)
        self.on_link(link)
        with self._lock:
            self._links.add(link)
        if server is None:
            link.swallowed = {UP, DOWN}
            self._drain(link)
            return
        _begin(self._pump, link, DOWN, server, client)
        self._pump(link, UP, client, server)

    def _pump(self, link: Link, direction: str, source: socket.socket, sink: socket.socket) -> None:
        """
        Forward one direction to its end, which is the other's too, when what was sent has arrived.
        """
        try:
            while data := source.recv(65536):
                link.forward(direction, data, sink)
        except OSError:
            pass
        except Cut:
            self.cuts += 1
        self._end(link)

    def _drain(self, link: Link) -> None:
        with contextlib.suppress(OSError):
            while link.client.recv(65536):
                pass
        self._end(link)

    def _end(self, link: Link) -> None:
        with self._lock:
            self._links.discard(link)
        if not link.closed:
            link.close()


def leave_alone(_: Link) -> None:
    """
    Do nothing to a new connection.
    """


def _begin(work: Callable[..., None], *args: object) -> None:
    threading.Thread(target=work, args=args, name="proxy", daemon=True).start()
