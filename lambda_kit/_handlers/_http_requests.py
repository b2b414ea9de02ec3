"""
Answers HTTP requests: results as JSON, errors as problem documents, never a traceback.
"""

from __future__ import annotations

import logging

from lambda_kit._handlers._logic import sole, text_of
from lambda_kit._handlers._readers import reader
from lambda_kit._http import HttpRequest
from lambda_kit._responses import Reject, Response, Retry, http_answer, problem, result_response, retry_problem
from lambda_kit.errors import EventError
from lambda_kit.events._validation import from_json, is_model

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from lambda_kit._handlers._logic import Logic
    from lambda_kit._invocation import Invocation

_logger = logging.getLogger("lambda_kit")


class HttpRequests:
    """
    What calling an HTTP handler does.
    """

    __slots__ = ("_logic", "_read", "_respond")

    def __init__(self, logic: Logic, first: Any, *, status: int, respond: Callable[[Any], Response] | None) -> None:
        self._logic = logic
        self._read: Callable[[HttpRequest], object] = _body_reader(first) if is_model(first) else reader(first, "http")
        self._respond = respond or (lambda result: result_response(result, status))

    def __call__(self, event: dict[str, Any], invocation: Invocation) -> dict[str, Any]:
        # Not a request at all: raised, because an answer would look like success to whatever source sent it.
        request = HttpRequest.from_event(event)
        try:
            return http_answer(self._response(request, invocation.request_id), request.payload_format)
        except Exception as exc:  # noqa: BLE001  # a client gets an answer to every request
            # What cannot be answered is no fault of the request, whatever the table says of such errors.
            return http_answer(self._bug(exc, invocation.request_id), request.payload_format)

    def _response(self, request: HttpRequest, request_id: str) -> Response:
        try:
            result = self._logic(self._read(request))
        except Exception as exc:  # noqa: BLE001  # as above
            return self._failure(exc, request_id)
        return self._respond(result)

    def _failure(self, exc: Exception, request_id: str) -> Response:
        outcome = self._logic.outcome(exc)
        cause = sole(exc)
        kind = type(cause).__name__
        if isinstance(outcome, Reject):
            _logger.info("%s rejected the request: %s (request %s)", self._logic.name, kind, request_id)
            return _rejection(cause, outcome.status, request_id)
        if isinstance(outcome, Retry):
            _logger.warning("%s cannot answer now: %s (request %s)", self._logic.name, kind, request_id, exc_info=exc)
            return retry_problem(outcome, request_id=request_id)
        return self._bug(exc, request_id)

    def _bug(self, exc: Exception, request_id: str) -> Response:
        _logger.error("%s failed: %s (request %s)", self._logic.name, type(exc).__name__, request_id, exc_info=exc)
        return problem(500, request_id=request_id)


def _rejection(exc: Exception, status: int, request_id: str) -> Response:
    """
    Tell the client what to change: the fields, or what the error says. Its author has mapped it for clients to see.
    """
    if isinstance(exc, EventError) and exc.details:
        return problem(status, request_id=request_id, detail="The request does not have the form expected.", errors=exc.details)
    return problem(status, request_id=request_id, detail=text_of(exc))


def _body_reader(model: Any) -> Callable[[HttpRequest], object]:
    return lambda request: from_json(model, request.body, source="http", at="body")
