"""
A Secrets Manager on loopback with one secret, whose stages move as AWS's do, and which can fail.
"""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SECRET = "chaos/db"  # noqa: S105  # its name

# What AWS answers when it is out of order, or asked too often.
OUTAGES = ((500, "InternalServiceError"), (400, "ThrottlingException"))


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """
        Say nothing of clients that were killed.
        """


class SecretStore:
    """
    One secret through its rotations.

    Attributes:
        url: The endpoint.
        outage: ``(status, code)`` that every call gets; ``None`` answers.
        calls: How many were answered.

    Source: https://docs.aws.amazon.com/secretsmanager/latest/userguide/whats-in-a-secret.html
    """

    def __init__(self, user: str, password: str) -> None:
        self._user = user
        self.texts = {"v1": self._text(password)}
        self.stages = {"AWSCURRENT": "v1"}
        self.passwords = [password]
        self.outage: tuple[int, str] | None = None
        self.calls = 0
        self._server = _Server(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self._server.serve_forever, name="secret-store", daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def put_pending(self, password: str) -> None:
        """
        Store a version that is not current yet, as a rotation does first.
        """
        version = f"v{len(self.texts) + 1}"
        self.passwords.append(password)
        self.texts[version] = self._text(password)
        self.stages = {**self.stages, "AWSPENDING": version}

    def finish(self) -> None:
        """
        Make the pending version current, as a rotation does last.
        """
        stages = dict(self.stages)
        self.stages = {"AWSCURRENT": stages.pop("AWSPENDING"), "AWSPREVIOUS": stages["AWSCURRENT"]}

    def close(self) -> None:
        """
        Stop answering.
        """
        self._server.shutdown()
        self._server.server_close()

    def _text(self, password: str) -> str:
        return json.dumps({"username": self._user, "password": password})

    def _answer(self, payload: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        self.calls += 1
        if self.outage is not None:
            status, code = self.outage
            return status, {"__type": code, "message": "as told"}
        version = self.stages.get(payload.get("VersionStage", "AWSCURRENT"))
        if version is None or payload["SecretId"] != SECRET:
            return 400, {"__type": "ResourceNotFoundException", "message": "no such version"}
        return 200, {"Name": SECRET, "ARN": f"arn:{SECRET}-AbCdEf", "VersionId": version, "SecretString": self.texts[version]}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        answer = self._answer

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                status, body = answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
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

        return Handler
