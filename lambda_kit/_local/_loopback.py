"""
A small HTTP server on a free loopback port: a function answers each request.
"""

from __future__ import annotations

import socketserver
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from email.message import Message

# How often the server looks whether it should stop; requests are served at once.
_STOP_CHECK_S = 0.05


@dataclass(frozen=True, slots=True)
class Reply:
    """
    One HTTP answer.
    """

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


class LoopbackServer:
    """
    Serve until closed; each connection has a thread, so that a request may block.

    Attributes:
        address: ``127.0.0.1:port``.
    """

    def __init__(self, reply: Callable[[str, str, Message[str, str], bytes], Reply | None], *, name: str) -> None:
        """
        Args:
            reply: Gets method, path, headers and body; None drops the connection without an answer.
            name: The serving thread's name.
        """
        self._server = _Server(reply)
        self.address = f"127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(_STOP_CHECK_S,), name=name, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """
        Take no further connection. Requests under way end by themselves.
        """
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, reply: Callable[[str, str, Message[str, str], bytes], Reply | None]) -> None:
        self.reply = reply
        super().__init__(("127.0.0.1", 0), _Handler)

    def server_bind(self) -> None:
        # HTTPServer's own looks up this machine's name, which may ask a DNS server.
        socketserver.TCPServer.server_bind(self)

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A client that is killed in the middle of a request is an everyday event here, not an error of this server.
        pass


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # One segment an answer: two small ones would wait 40 ms for each other (Nagle and delayed ACK).
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class names it so
        # The function's log is not the place for this server's.
        pass

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        reply = cast("_Server", self.server).reply(self.command, self.path, self.headers, body)
        if reply is None:
            self.close_connection = True
            return
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)
