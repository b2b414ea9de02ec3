"""
A Parameter Store that keeps connections open and remembers who called over which; moto's server closes them.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_BODY = b'{"Parameter": {"Name": "/p", "Type": "String", "Value": "1"}}'


class KeepAliveServer:
    """
    Answers every call with the same parameter.

    Attributes:
        ports: The caller's port of each call.
        together: How many calls have to be there before one is answered.
    """

    def __init__(self) -> None:
        self.ports: list[int] = []
        self.together = 1
        self._came = threading.Condition()
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                owner._wait(self.client_address[1])
                self.send_response(200)
                self.send_header("Content-Type", "application/x-amz-json-1.1")
                self.send_header("Content-Length", str(len(_BODY)))
                self.end_headers()
                self.wfile.write(_BODY)

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            # Closing does not wait for connections that others keep open.
            block_on_close = False

            def handle_error(self, *_: object) -> None:
                pass

        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """
        As AWS_ENDPOINT_URL takes it.
        """
        return f"http://127.0.0.1:{self._server.server_port}"

    def stop(self) -> None:
        """
        Take no more connections.
        """
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _wait(self, port: int) -> None:
        with self._came:
            self.ports.append(port)
            self._came.notify_all()
            self._came.wait_for(lambda: len(self.ports) >= self.together, 30.0)


@contextmanager
def keeping_alive() -> Iterator[KeepAliveServer]:
    """
    Run such a server until the block ends.
    """
    server = KeepAliveServer()
    try:
        yield server
    finally:
        server.stop()
