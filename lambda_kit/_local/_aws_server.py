"""
The process behind embedded AWS: moto's server, which counts what it is asked. Run as a module, by :mod:`_aws`.

It writes its URL to standard output, and ends when its standard input does: when its parent is gone, however that went.
"""

from __future__ import annotations

import io
import json
import re
import sys
import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from lambda_kit._require import require

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

# Beside moto's own control paths, which begin with /moto-api.
CALLS_PATH = "/moto-api/lambda-kit/calls"

_SCOPE = re.compile(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/")
_BUCKET_OR_KEY = re.compile(r"/[^/]+(/.*)?")
_ON_A_BUCKET = {"GET": "ListObjects", "HEAD": "HeadBucket", "PUT": "CreateBucket", "DELETE": "DeleteBucket"}
_ON_AN_OBJECT = {"GET": "GetObject", "HEAD": "HeadObject", "PUT": "PutObject", "DELETE": "DeleteObject"}


class CountingApplication:
    """
    Pass requests on to moto, and keep the list of those to AWS services.
    """

    def __init__(self, application: Callable[..., Iterable[bytes]]) -> None:
        self._application = application
        self._lock = threading.Lock()
        self._calls: list[str] = []

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path == CALLS_PATH:
            start_response("200 OK", [("Content-Type", "application/json")])
            return [self._take(forget=environ["REQUEST_METHOD"] == "DELETE")]
        if not path.startswith("/moto-api"):
            operation = operation_of(environ)
            with self._lock:
                self._calls.append(operation)
        return self._application(environ, start_response)

    def _take(self, *, forget: bool) -> bytes:
        """
        Return the list as JSON, and begin a new one where asked to.
        """
        with self._lock:
            calls = json.dumps(self._calls).encode()
            if forget:
                self._calls.clear()
        return calls


def operation_of(environ: dict[str, Any]) -> str:
    """
    Name the operation of a request as IAM would: ``ssm:GetParameter``.

    JSON protocols name it in a header, the query protocol in the body; for the rest it is told from method and path.
    """
    scope = _SCOPE.search(environ.get("HTTP_AUTHORIZATION", ""))
    service = scope[1] if scope else "unsigned"
    if target := environ.get("HTTP_X_AMZ_TARGET"):
        return f"{service}:{target.rpartition('.')[2]}"
    method, path = environ["REQUEST_METHOD"], environ.get("PATH_INFO", "/")
    if action := _query_action(environ):
        return f"{service}:{action}"
    if service == "s3" and (matched := _BUCKET_OR_KEY.fullmatch(path)):
        names = _ON_AN_OBJECT if (matched[1] or "/") != "/" else _ON_A_BUCKET
        return f"s3:{names.get(method, method)}"
    return f"{service}:{method} {path}"


def _query_action(environ: dict[str, Any]) -> str | None:
    """
    Return the Action of a form, and put the body back for the application.
    """
    if not environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        return None
    body: bytes = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    return parse_qs(body.decode(errors="replace")).get("Action", [None])[0]


def main() -> None:
    """
    Serve until standard input ends.
    """
    serving = require("werkzeug.serving", extra="testing")
    moto = require("moto.moto_server.werkzeug_app", extra="testing")
    application = CountingApplication(moto.DomainDispatcherApplication(moto.create_backend_app))
    server = serving.make_server("127.0.0.1", 0, application, threaded=True, request_handler=_quiet(moto.MotoRequestHandler))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    sys.stdin.read()


def _quiet(handler: type[Any]) -> type[Any]:
    """
    Return the request handler without its access log.
    """
    return type("QuietRequestHandler", (handler,), {"log_request": lambda *_: None})


if __name__ == "__main__":
    main()
