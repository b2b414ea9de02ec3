"""
An AWS that answers what a test says: for refusals of single items, pages, stages and selectors, which moto has not or not right.
"""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    Answer = Callable[[str, dict[str, Any]], "dict[str, Any] | tuple[int, str]"]


class FaultServer:
    """
    A server on loopback that asks a function of the test what to answer.

    Attributes:
        url: Where it listens.
        calls: ``(operation, payload)`` of each request, in order.
        answer: Takes operation and payload; returns the answer, or ``(status, code)`` of an error.
    """

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.answer: Answer = lambda operation, payload: {}
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                payload = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                operation = self.headers["X-Amz-Target"].rpartition(".")[2]
                server.calls.append((operation, payload))
                answer = server.answer(operation, payload)
                status, body = (200, answer) if isinstance(answer, dict) else (answer[0], {"__type": answer[1], "message": "as told"})
                sent = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/x-amz-json-1.1")
                self.send_header("Content-Length", str(len(sent)))
                self.end_headers()
                self.wfile.write(sent)

            def log_message(self, *_: object) -> None:
                """
                Say nothing.
                """

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name="faults", daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    @property
    def operations(self) -> list[str]:
        """
        What was asked for, in order.
        """
        return [operation for operation, _ in self.calls]

    def stop(self) -> None:
        """
        Stop listening.
        """
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
