"""
One view of every HTTP-shaped event: method, path, headers, query, cookies and body mean the same wherever it came from.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from base64 import b64decode
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property

from lambda_kit.errors import EventError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# How an answer must look depends on how the event came. Lambda's documentation calls the first two payload formats.
FORMAT_2 = "2.0"  # API Gateway HTTP API, function URL
FORMAT_1 = "1.0"  # API Gateway REST API, HTTP API with payload format 1.0
FORMAT_ALB = "alb"
FORMAT_ALB_MULTI = "alb-multi-value"  # the target group's multi-value headers are on


class Values(Mapping[str, str]):
    """
    Map names to values of which a name may have several: ``values[name]`` is the last one, ``values.all(name)`` has them all.
    """

    __slots__ = ("_values",)

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in pairs:
            self._values.setdefault(self._key(name), []).append(value)

    def all(self, name: str) -> tuple[str, ...]:
        """
        Return every value of *name* in the order of arrival; an empty tuple when there is none.
        """
        return tuple(self._values.get(self._key(name), ()))

    def __getitem__(self, name: str) -> str:
        return self._values[self._key(name)][-1]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._key(name) in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        # Names only: values may be tokens.
        return f"<{type(self).__name__} {', '.join(self._values)}>"

    def _key(self, name: str) -> str:
        return name


class Headers(Values):
    """
    Map header names, in any case, to values; ``headers[name]`` joins repeated ones with commas, as HTTP defines.
    """

    __slots__ = ()

    def __getitem__(self, name: str) -> str:
        return ", ".join(self._values[self._key(name)])

    def _key(self, name: str) -> str:
        return name.lower()


class HttpRequest(ABC):
    """
    Show an HTTP-shaped event as a request. Everything is read from the event on first use.

    Attributes:
        raw: The event as it came.
    """

    def __init__(self, event: Mapping[str, Any]) -> None:
        self.raw = event
        self._context = _mapping(event, "requestContext")

    @staticmethod
    def from_event(event: Mapping[str, Any]) -> HttpRequest:
        """
        Return the view of *event*, from an API Gateway HTTP or REST API, a function URL or a load balancer.

        Raises:
            EventError: It is none of these.
        """
        if isinstance(event, Mapping):
            context = event.get("requestContext")
            if isinstance(context, Mapping) and isinstance(context.get("http"), Mapping):
                return _Format2(event)
            if isinstance(event.get("httpMethod"), str) and isinstance(event.get("path"), str):
                return _Alb(event) if isinstance(context, Mapping) and "elb" in context else _Format1(event)
        raise EventError("this is no HTTP request: the event has neither requestContext.http nor httpMethod and path", source="http")

    @property
    @abstractmethod
    def payload_format(self) -> str:
        """How the event came, and how an answer must look: ``"2.0"``, ``"1.0"``, ``"alb"`` or ``"alb-multi-value"``."""

    @property
    @abstractmethod
    def method(self) -> str:
        """The method, in capitals."""

    @property
    @abstractmethod
    def path(self) -> str:
        """The path without the API's stage, as sent: still percent-encoded where the source leaves it so."""

    @property
    @abstractmethod
    def route(self) -> str:
        """The path template that matched, such as ``/orders/{id}``; ``$default`` or empty when there is none."""

    @property
    @abstractmethod
    def source_ip(self) -> str:
        """The client's address as the source saw it; empty when the event does not say."""

    @cached_property
    @abstractmethod
    def query(self) -> Values:
        """The query parameters, decoded."""

    @cached_property
    @abstractmethod
    def headers(self) -> Headers:
        """The headers."""

    @cached_property
    def path_parameters(self) -> Mapping[str, str]:
        """The values of the route's placeholders."""
        return _mapping(self.raw, "pathParameters")

    @cached_property
    def cookies(self) -> Mapping[str, str]:
        """The cookies by name. Values are as sent, without surrounding quotes."""
        found = {}
        for line in self._cookie_lines():
            for pair in line.split(";"):
                name, _, value = pair.strip().partition("=")
                if name:
                    found[name] = value.strip('"')
        return found

    @cached_property
    def body(self) -> bytes:
        """
        The body's bytes, decoded from Base64 where the event says so; empty when there is none.

        Raises ``EventError`` when it is no text, or no Base64 after all.
        """
        text = self.raw.get("body")
        if text is None:
            return b""
        if not isinstance(text, str):
            raise EventError("the body of the event is no text", source="http", field="body")
        # Some tools write the flag as text.
        if str(self.raw.get("isBase64Encoded")).lower() != "true":
            return text.encode("utf-8", "surrogatepass")
        decoded = _decoded(text)
        if decoded is None:
            raise EventError("the body is not the Base64 that the event says it is", source="http", field="body")
        return decoded

    def text(self) -> str:
        """
        Return the body as text, in the charset of the content type or UTF-8.

        Raises:
            EventError: It is no such text.
        """
        charset = "utf-8"
        for parameter in self.headers.get("content-type", "").split(";")[1:]:
            name, _, value = parameter.partition("=")
            if name.strip().lower() == "charset":
                charset = value.strip().strip('"')
        try:
            return self.body.decode(charset)
        except (LookupError, UnicodeDecodeError):
            # The decoder's error holds the whole body: it must not stay in the exception's context.
            pass
        raise EventError(f"the body is no {charset[:40]} text", source="http", field="body")

    def json(self) -> Any:
        """
        Return the body, which is JSON, as Python values.

        Raises:
            EventError: It is no JSON.
        """
        import json

        reason = "it is empty"
        body = self.body
        if body:
            try:
                return json.loads(body)
            except json.JSONDecodeError as exc:
                # The parser's error holds the whole body, as above.
                reason = f"{exc.msg} at line {exc.lineno} column {exc.colno}"
            except UnicodeDecodeError:
                reason = "it is no Unicode text"
            except RecursionError:
                reason = "it is nested too deeply"
        raise EventError(f"the body is no JSON: {reason}", source="http", field="body")

    @property
    def request_id(self) -> str:
        """The id that API Gateway gave the request, which is not Lambda's; empty for load balancers."""
        return str(self._context.get("requestId") or "")

    @property
    def domain(self) -> str:
        """The domain name that was called."""
        return str(self._context.get("domainName") or self.headers.get("host", ""))

    @property
    def stage(self) -> str:
        """The API's stage; empty where there are none."""
        return str(self._context.get("stage") or "")

    @property
    def authorizer(self) -> Mapping[str, Any]:
        """What the authorizer found out, as the source nests it: ``{"jwt": {"claims": ...}}`` for HTTP APIs."""
        return _mapping(self._context, "authorizer")

    def _cookie_lines(self) -> Iterable[str]:
        return self.headers.all("cookie")

    def _without_stage(self, path: str) -> str:
        # On its own domain, an HTTP API puts the stage in front of the path; behind a custom domain it does not.
        prefix = f"/{self.stage}"
        if ".execute-api." in self.domain and (path == prefix or path.startswith(prefix + "/")):
            return path[len(prefix) :] or "/"
        return path

    def __repr__(self) -> str:
        return f"<HttpRequest {self.method} {self.path}>"


class _Format2(HttpRequest):
    """
    Payload format 2.0: HTTP APIs and function URLs.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
    """

    @property
    def payload_format(self) -> str:
        return FORMAT_2

    @property
    def method(self) -> str:
        return str(self._context["http"].get("method") or "").upper()

    @property
    def path(self) -> str:
        return self._without_stage(str(self.raw.get("rawPath") or self._context["http"].get("path") or "/"))

    @property
    def route(self) -> str:
        return str(self.raw.get("routeKey") or "").rpartition(" ")[2]

    @property
    def source_ip(self) -> str:
        return str(self._context["http"].get("sourceIp") or "")

    @cached_property
    def query(self) -> Values:
        from urllib.parse import parse_qsl

        # queryStringParameters joins repeated names with commas, which values may hold too.
        return Values(parse_qsl(str(self.raw.get("rawQueryString") or ""), keep_blank_values=True))

    @cached_property
    def headers(self) -> Headers:
        return Headers(_pairs(_mapping(self.raw, "headers")))

    def _cookie_lines(self) -> Iterable[str]:
        # Cookies come in a list of their own, and the header is gone.
        lines = self.raw.get("cookies")
        return [str(line) for line in lines] if isinstance(lines, list) else super()._cookie_lines()


class _Format1(HttpRequest):
    """
    Payload format 1.0: REST APIs, and HTTP APIs that were set to it.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
    """

    @property
    def payload_format(self) -> str:
        return FORMAT_1

    @property
    def method(self) -> str:
        return str(self.raw["httpMethod"]).upper()

    @property
    def path(self) -> str:
        path = str(self.raw["path"])
        # A REST API's path never has the stage.
        return self._without_stage(path) if self.raw.get("version") == "1.0" else path

    @property
    def route(self) -> str:
        return str(self.raw.get("resource") or "")

    @property
    def source_ip(self) -> str:
        return str(_mapping(self._context, "identity").get("sourceIp") or "")

    @cached_property
    def query(self) -> Values:
        return Values(self._either("multiValueQueryStringParameters", "queryStringParameters"))

    @cached_property
    def headers(self) -> Headers:
        return Headers(self._either("multiValueHeaders", "headers"))

    def _either(self, many: str, one: str) -> Iterator[tuple[str, str]]:
        return _pairs(_mapping(self.raw, many) or _mapping(self.raw, one))


class _Alb(_Format1):
    """
    A load balancer's event: one or the other form of headers and query, as the target group is set.

    Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html
    """

    @property
    def payload_format(self) -> str:
        return FORMAT_ALB_MULTI if "multiValueHeaders" in self.raw else FORMAT_ALB

    @property
    def source_ip(self) -> str:
        # The balancer appends the address it saw; what stands before it, the client may have made up.
        return self.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()

    @cached_property
    def query(self) -> Values:
        from urllib.parse import unquote_plus

        # Unlike API Gateway, a load balancer does not decode.
        pairs = self._either("multiValueQueryStringParameters", "queryStringParameters")
        return Values((unquote_plus(name), unquote_plus(value)) for name, value in pairs)


def _mapping(event: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """
    Return the mapping at *key*; AWS writes an absent one as ``null`` or leaves it out.
    """
    found = event.get(key)
    if found is None:
        return {}
    if not isinstance(found, Mapping):
        raise EventError(f"{key} of the event is no object", source="http", field=key)
    return found


def _pairs(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """
    Yield name and value, once for each value of a list; ``null`` stands for an empty value.
    """
    for name, value in values.items():
        for each in value if isinstance(value, list) else [value]:
            yield name, "" if each is None else str(each)


def _decoded(text: str) -> bytes | None:
    try:
        return b64decode(text, validate=True)
    except ValueError:
        return None
