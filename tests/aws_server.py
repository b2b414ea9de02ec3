"""
A real AWS endpoint on loopback: moto's server, with its calls counted and, where a test wants it, failing or hanging.
"""

from __future__ import annotations

import json
import logging
import threading
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from wsgiref.types import StartResponse, WSGIEnvironment

REGION = "eu-west-1"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing-key", "AWS_SESSION_TOKEN": "testing-token"}

# Marks the clients that tests arrange things with: their calls are neither counted nor disturbed.
_ARRANGING = "arranging"


@dataclass(frozen=True, slots=True)
class Fault:
    """
    An error answer in the JSON protocols' form.
    """

    status: int
    code: str
    message: str = ""


THROTTLED = Fault(400, "ThrottlingException", "Rate exceeded")
BROKEN = Fault(500, "InternalServerError")
DENIED = Fault(400, "AccessDeniedException", "User is not authorized to perform this action")


class AwsServer:
    """
    moto's server in a thread of this process.

    Attributes:
        url: Where it listens.
        calls: Name of each operation asked for, in order: ``["GetParameter"]``.
        faults: Answers for the next calls, instead of moto's; each is used once.
        always: Answer for every call once ``faults`` is used up; ``None`` lets moto answer.
    """

    def __init__(self) -> None:
        from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
        from werkzeug.serving import make_server

        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._server = make_server("127.0.0.1", 0, self._answer, threaded=True, request_handler=MotoRequestHandler)
        self._thread = threading.Thread(target=self._server.serve_forever, name="moto", daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self.calls: list[str] = []
        self.faults: deque[Fault] = deque()
        self.always: Fault | None = None
        self._came = threading.Condition()
        self._gate = threading.Event()
        self._gate.set()

    def stop(self) -> None:
        """
        Stop listening.
        """
        self._gate.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def reset(self) -> None:
        """
        Forget everything stored, counted and planned.
        """
        from http.client import HTTPConnection

        self.faults.clear()
        self.always = None
        self._gate.set()
        connection = HTTPConnection("127.0.0.1", self._server.server_port)
        connection.request("POST", "/moto-api/reset", headers={"User-Agent": _ARRANGING})
        assert 200 == connection.getresponse().status
        connection.close()
        self.calls.clear()

    @contextmanager
    def held(self) -> Iterator[None]:
        """
        Keep every call of the block without an answer until the block ends.
        """
        self._gate.clear()
        try:
            yield
        finally:
            self._gate.set()

    def await_calls(self, count: int, timeout_s: float = 10.0) -> None:
        """
        Wait until *count* calls have come in, answered or not.
        """
        with self._came:
            assert self._came.wait_for(lambda: len(self.calls) >= count, timeout_s), f"{count} calls wanted, got {self.calls}"

    def boto3(self, service: str) -> Any:
        """
        Return a plain boto3 client for arranging things; its calls are not counted.
        """
        from boto3.session import Session
        from botocore.config import Config

        keys: dict[str, Any] = {name.lower(): value for name, value in CREDENTIALS.items()}
        make: Any = Session(region_name=REGION, **keys).client
        return make(service, endpoint_url=self.url, config=Config(user_agent_extra=_ARRANGING))

    def _answer(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if _ARRANGING in environ.get("HTTP_USER_AGENT", ""):
            return self._moto(environ, start_response)  # type: ignore[no-any-return]  # moto is untyped
        target = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2]
        with self._came:
            self.calls.append(target or f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}")
            self._came.notify_all()
            fault = self.faults.popleft() if self.faults else self.always
        self._gate.wait()
        if fault is None:
            return self._moto(environ, start_response)  # type: ignore[no-any-return]  # moto is untyped
        body = json.dumps({"__type": fault.code, "message": fault.message}).encode()
        headers = [("Content-Type", "application/x-amz-json-1.1"), ("Content-Length", str(len(body)))]
        start_response(f"{fault.status} Fault", headers)
        return [body]
