"""
A Runtime API for Managed Instances: it hands out events to however many workers ask, several at a time.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import uuid
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class ConcurrentRuntimeApi:
    """
    Events in, answers out, in any order.
    """

    def __init__(self) -> None:
        self._events: queue.Queue[bytes | None] = queue.Queue()
        self._answers: queue.Queue[Any] = queue.Queue()
        events, answers = self._events, self._answers

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                event = events.get()
                if event is None:  # closing
                    self.close_connection = True
                    return
                self.send_response(200)
                for name, value in _HEADERS.items():
                    self.send_header(name, value)
                self.send_header("Lambda-Runtime-Aws-Request-Id", str(uuid.uuid4()))
                self.send_header("Content-Length", str(len(event)))
                self.end_headers()
                self.wfile.write(event)

            def do_POST(self) -> None:
                answers.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(202)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            def handle_error(self, *_: object) -> None:
                """Workers end in the middle of things."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        """
        As AWS_LAMBDA_RUNTIME_API takes it.
        """
        return f"127.0.0.1:{self._server.server_port}"

    def send(self, count: int) -> None:
        """
        Hand out *count* events to whoever asks.
        """
        for _ in range(count):
            self._events.put(b"{}")

    def answers(self, count: int, timeout_s: float = 30.0) -> list[Any]:
        """
        Wait for *count* answers.
        """
        return [self._answers.get(timeout=timeout_s) for _ in range(count)]

    def stop(self, workers: int) -> None:
        """
        Let all *workers* go and stop listening.
        """
        for _ in range(workers):
            self._events.put(None)
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextmanager
def workers(task_root: Path, count: int, environ: dict[str, str]) -> Iterator[ConcurrentRuntimeApi]:
    """
    Run ``app.handler`` under the real runtime client with *count* worker processes, until the block ends.
    """
    api = ConcurrentRuntimeApi()
    variables = {
        **os.environ,
        **environ,
        "AWS_LAMBDA_RUNTIME_API": api.address,
        "AWS_LAMBDA_MAX_CONCURRENCY": str(count),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "lambda-managed-instances",
        "AWS_LAMBDA_FUNCTION_NAME": "function",
        "LAMBDA_TASK_ROOT": str(task_root),
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "_HANDLER": "app.handler",
    }
    command = [sys.executable, "-m", "awslambdaric", "app.handler"]
    # Its workers stay behind when it is killed alone.
    process = subprocess.Popen(command, cwd=task_root, env=variables, start_new_session=True)
    try:
        yield api
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        api.stop(count)


_HEADERS = {
    "Content-Type": "application/json",
    "Lambda-Runtime-Deadline-Ms": "4102444800000",
    "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:eu-west-1:123456789012:function:function",
    "Lambda-Runtime-Trace-Id": "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0",
}
