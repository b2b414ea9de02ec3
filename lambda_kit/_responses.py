"""
What an event source expects back: outcomes of errors, HTTP responses and problem documents, batch answers, plain JSON.
"""

from __future__ import annotations

import json
import math
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from decimal import Decimal
from enum import Enum

from lambda_kit._http import answer_form, body_text, printable, well_formed
from lambda_kit.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_JSON = "application/json"
_PROBLEM = "application/problem+json"
# Seconds a client is asked to wait when nobody said how long.
_RETRY_AFTER_S = 1
# Decimal("1E+1000000") is an integer that nobody wants to see written out.
_MOST_DIGITS = 300


# Outcomes


class Outcome:
    """
    Say what an error means to the caller; :class:`Reject` and :class:`Retry` are the two there are.
    """

    __slots__ = ()


class Reject(Outcome):
    """
    The request is at fault: sending it again does not help. HTTP answers *status*, a batch reports the record as failed.

    Args:
        status: The HTTP status, 400 to 499.
    """

    __slots__ = ("status",)

    def __init__(self, *, status: int = 400) -> None:
        if not is_number(status, int) or not 400 <= status <= 499:
            raise ConfigurationError(f"Reject(status={status!r}): a rejection is a status from 400 to 499, a whole number")
        self.status = status

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Reject) and other.status == self.status

    def __hash__(self) -> int:
        return hash((Reject, self.status))

    def __repr__(self) -> str:
        return f"Reject(status={self.status})"


class Retry(Outcome):
    """
    The moment is at fault: the same request may succeed later. HTTP answers 503, a batch reports the record as failed.

    Args:
        after_s: Seconds the client should wait, sent as Retry-After; 1 by default.
    """

    __slots__ = ("after_s",)

    def __init__(self, *, after_s: float | None = None) -> None:
        if after_s is not None and not (is_number(after_s) and 0 <= after_s < math.inf):
            raise ConfigurationError(f"Retry(after_s={after_s!r}): seconds to wait are a number, 0 or more")
        self.after_s = after_s

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Retry) and other.after_s == self.after_s

    def __hash__(self) -> int:
        return hash((Retry, self.after_s))

    def __repr__(self) -> str:
        return f"Retry(after_s={self.after_s})"


# HTTP


def is_number(value: object, *types: type) -> bool:
    """
    Tell whether *value* is a number, of *types* where they are given. True and False are none.
    """
    return isinstance(value, types or (int, float)) and not isinstance(value, bool)


class Response:
    """
    An HTTP response, for where a result alone does not say enough.

    Args:
        status: The HTTP status.
        body: Text and bytes are sent as they are, ``None`` is no body, anything else becomes JSON.
        headers: Header names and values. A content type that fits the body is added when there is none.
        cookies: Whole ``Set-Cookie`` values, such as ``"id=1; Secure; HttpOnly"``.
    """

    __slots__ = ("body", "cookies", "headers", "status")

    def __init__(
        self,
        status: int = 200,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        cookies: Iterable[str] = (),
    ) -> None:
        self.status = status
        self.body = body
        self.headers = dict(headers or {})
        self.cookies = tuple(cookies)

    def __repr__(self) -> str:
        return f"<Response {self.status}>"


def result_response(result: object, status: int) -> Response:
    """
    Return the response for what logic returned: nothing is 204, a :class:`Response` is itself, bytes are sent as they
    are, all else is JSON.
    """
    if isinstance(result, Response):
        return result
    if result is None:
        return Response(204)
    if isinstance(result, bytes | bytearray):
        return Response(status, bytes(result))
    return Response(status, json_text(result), {"content-type": _JSON})


def problem(
    status: int,
    *,
    request_id: str,
    detail: str = "",
    errors: Sequence[Mapping[str, str]] = (),
    retry_after_s: float | None = None,
) -> Response:
    """
    Return a problem document (RFC 9457): ``{"type", "title", "status", "detail", "instance", "errors"}``.

    Args:
        request_id: Becomes ``instance``: what the client tells you, and the log knows.
        errors: What is wrong with the request, ``{"field": ..., "message": ...}`` each; an extension member.
    """
    from http import HTTPStatus

    try:
        title = HTTPStatus(status).phrase
    except ValueError:
        title = "Error"
    document: dict[str, object] = {"type": "about:blank", "title": title, "status": status, "instance": request_id}
    if detail:
        document["detail"] = detail
    if errors:
        document["errors"] = list(errors)
    headers = {"content-type": _PROBLEM}
    if retry_after_s is not None:
        # Whole seconds; a fraction rounded down would have the client come too early.
        headers["retry-after"] = str(math.ceil(retry_after_s))
    return Response(status, json.dumps(document), headers)


def retry_problem(outcome: Retry, *, request_id: str) -> Response:
    """
    Return the 503 that asks a client to come again.
    """
    after_s = _RETRY_AFTER_S if outcome.after_s is None else outcome.after_s
    return problem(503, request_id=request_id, detail="Try again later.", retry_after_s=after_s)


def http_answer(response: Response, payload_format: str) -> dict[str, Any]:
    """
    Return *response* in the form that the source of *payload_format* (see :mod:`lambda_kit._http`) expects.

    Raises:
        ConfigurationError: The body cannot be JSON, or the source cannot send what was asked for.
    """
    body, content_type, is_base64 = _body(response.body)
    headers = dict(response.headers)
    if content_type and not any(name.lower() == "content-type" for name in headers):
        headers["content-type"] = content_type
    return answer_form(payload_format, response.status, body, is_base64=is_base64, headers=headers, cookies=response.cookies)


def _body(body: object) -> tuple[str, str, bool]:
    """
    Return the body as text, the content type that fits it, and whether the text is Base64.
    """
    if body is None or isinstance(body, str | bytes | bytearray):
        return body_text(body)
    return json_text(body), _JSON, False


# Batches


def batch_answer(failed: Iterable[object]) -> dict[str, Any]:
    """
    Return ``{"batchItemFailures": [{"itemIdentifier": id}]}``. An empty list acknowledges the whole batch. A Kafka record's
    id is ``{"partition": "orders-0", "offset": 15}``.
    """
    return {"batchItemFailures": [{"itemIdentifier": identifier} for identifier in failed]}


# JSON


def plain(value: object) -> Any:
    """
    Return *value* as what JSON has: dicts, lists, text, numbers, booleans and ``None``.

    pydantic models dump themselves, dataclasses become dicts, enums their values, dates ISO 8601 text, UUIDs text, bytes
    Base64, a Decimal a number (what a float cannot hold exactly is rounded), sets and tuples lists. Half of a surrogate pair in text
    becomes U+FFFD.

    Raises:
        ConfigurationError: Something in it has no such form. The message names its type and where it is.
    """
    try:
        return _plain(value, ("result",))
    except RecursionError:
        pass
    raise ConfigurationError("the result cannot become JSON: it contains itself, or is nested too deeply")


def json_text(value: object) -> str:
    """
    Return *value* as JSON, by the rules of :func:`plain`; a pydantic model by its own.
    """
    if hasattr(type(value), "model_dump_json"):
        dumped: str = value.model_dump_json(by_alias=True)  # type: ignore[attr-defined]  # a pydantic model; pydantic is optional
        return dumped
    return json.dumps(plain(value), separators=(",", ":"))


def _plain(value: object, path: tuple[str, ...]) -> Any:
    kind = type(value)
    if kind is str:
        return value if value.isascii() else well_formed(value)  # type: ignore[attr-defined,arg-type]  # a str, as the line above says
    if kind is int or kind is bool or value is None:
        return value
    if kind is dict or isinstance(value, Mapping):
        return {_key(key, path): _plain(each, (*path, str(key))) for key, each in value.items()}  # type: ignore[attr-defined]  # a mapping
    if isinstance(value, Enum):
        return _plain(value.value, path)
    if isinstance(value, str | int):
        return well_formed(str(value)) if isinstance(value, str) else int(value)
    if isinstance(value, float | Decimal):
        return _number(value, path)
    if isinstance(value, bytes | bytearray):
        return b64encode(value).decode()
    if isinstance(value, Sequence | AbstractSet):
        return [_plain(each, (*path, str(index))) for index, each in enumerate(value)]
    return _object(value, path)


def _object(value: Any, path: tuple[str, ...]) -> Any:
    kind = type(value)
    if hasattr(kind, "model_dump_json"):
        # Once more, because pydantic leaves infinities in.
        return _plain(value.model_dump(mode="json", by_alias=True), path)
    if hasattr(kind, "__dataclass_fields__"):
        from dataclasses import fields

        return {field.name: _plain(getattr(value, field.name), (*path, field.name)) for field in fields(value)}
    # A subclass too, as pandas and date libraries have them. A timedelta has no such form.
    if any(base.__module__ == "datetime" for base in kind.__mro__) and hasattr(value, "isoformat"):
        return value.isoformat()
    if hasattr(kind, "__fspath__") or any(base.__module__ in _AS_TEXT for base in kind.__mro__):
        return well_formed(str(value))
    raise _refusal(path, f"is of type {kind.__module__}.{kind.__qualname__}")


# Whose types are text by nature. By name, so that nothing is imported for results that hold none of them.
_AS_TEXT = {"uuid", "ipaddress"}


def _number(value: float | Decimal, path: tuple[str, ...]) -> int | float:
    number: int | float
    if isinstance(value, Decimal) and value.is_finite() and value.adjusted() < _MOST_DIGITS and value == value.to_integral_value():
        number = int(value)
    else:
        number = float(value)
    if not math.isfinite(number):
        raise _refusal(path, f"is a number that JSON does not have: {value}")
    return number


def _key(key: object, path: tuple[str, ...]) -> str | int | float | bool | None:
    # json turns the other four into text itself.
    found: object = well_formed(key) if isinstance(key, str) else _plain(key, (*path, str(key)))
    if found is None or isinstance(found, str | int | float | bool):
        return found
    raise _refusal(("a key of " + path[0], *path[1:]), f"is of type {type(key).__name__}")


def _refusal(path: tuple[str, ...], reason: str) -> ConfigurationError:
    # Keys of a result may be a client's.
    return ConfigurationError(f"the result cannot become JSON: {printable('.'.join(path))} {reason}")
