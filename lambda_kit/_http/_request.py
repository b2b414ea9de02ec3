"""
The view of an HTTP request, whatever the event it is read from.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from functools import cached_property

from lambda_kit._http._answers import answer_form, body_text
from lambda_kit._http._values import Headers, Values, decoded, is_true, mapping, printable
from lambda_kit.errors import EventError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv6Address
    from typing import Any, ClassVar


class HttpRequest(ABC):
    """
    Show an HTTP-shaped event as a request. Everything is read from the event on first use.

    Attributes:
        raw: The event as it came.
        forms: The forms of events there are, from the specific to the general.
    """

    forms: ClassVar[tuple[type[HttpRequest], ...]] = ()

    def __init__(self, event: Mapping[str, Any]) -> None:
        self.raw = event
        self._context = mapping(event, "requestContext")

    @staticmethod
    def from_event(event: Mapping[str, Any]) -> HttpRequest:
        """
        Return the view of *event*: from API Gateway (HTTP and REST APIs, their request authorizers), a function URL, a
        load balancer, VPC Lattice or Lambda@Edge.

        Raises:
            EventError: It is none of these.
        """
        if isinstance(event, Mapping):
            for form in HttpRequest.forms:
                if form.fits(event):
                    return form(event)
        raise EventError("this is no HTTP request: the event has neither requestContext.http nor httpMethod and path", source="http")

    @staticmethod
    @abstractmethod
    def fits(event: Mapping[str, Any]) -> bool:
        """Tell whether *event* has this form."""

    @property
    @abstractmethod
    def payload_format(self) -> str:
        """
        How the event came, and how an answer must look: ``"2.0"``, ``"1.0"``, ``"alb"``, ``"alb-multi-value"``,
        ``"vpc-lattice"`` or ``"cloudfront"``.
        """

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

    @property
    def ip(self) -> IPv4Address | IPv6Address | None:
        """:attr:`source_ip` as an address, without the port some sources add; ``None`` for what is no address."""
        from ipaddress import ip_address

        text = self.source_ip
        # "[2001:db8::1]:443", "192.0.2.1:443"; more than one colon without brackets is IPv6 itself.
        host = text[1:].partition("]")[0] if text.startswith("[") else text.partition(":")[0] if text.count(":") == 1 else text
        try:
            return ip_address(host)
        except ValueError:
            return None

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
        return mapping(self.raw, "pathParameters")

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
        text, is_base64 = self._sent_body()
        if text is None:
            return b""
        if not isinstance(text, str):
            raise EventError("the body of the event is no text", source="http", field="body")
        if not is_base64:
            return text.encode("utf-8", "surrogatepass")
        sent = decoded(text)
        if sent is None:
            raise EventError("the body is not the Base64 that the event says it is", source="http", field="body")
        return sent

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
        body = self.body
        try:
            return body.decode(charset)
        except (LookupError, ValueError):
            # The decoder's error holds the whole body: it must not stay in the exception's context. Of a name that is none, or of a
            # codec that always fails, it is no UnicodeDecodeError.
            pass
        raise EventError(f"the body is no {printable(charset[:40])} text", source="http", field="body")

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
            except ValueError:
                # Python's limit, against input that takes it minutes.
                reason = "a number in it has too many digits"
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
        return mapping(self._context, "authorizer")

    def _sent_body(self) -> tuple[object, bool]:
        """
        Return what stands for the body in the event, and whether it is said to be Base64.
        """
        return self.raw.get("body"), is_true(self.raw.get("isBase64Encoded"))

    def _cookie_lines(self) -> Iterable[str]:
        return self.headers.all("cookie")

    def _without_stage(self, path: str) -> str:
        # On its own domain, an HTTP API puts the stage in front of the path; behind a custom domain it does not.
        prefix = f"/{self.stage}"
        if ".execute-api." in self.domain and (path == prefix or path.startswith(prefix + "/")):
            return path[len(prefix) :] or "/"
        return path

    def answer(
        self,
        status: int = 200,
        body: object = None,
        *,
        headers: Mapping[str, str] | None = None,
        cookies: Iterable[str] = (),
    ) -> dict[str, Any]:
        """
        Return the response in the form that this request's source expects, for handlers that answer themselves.

        Args:
            body: Text and bytes are sent as they are (bytes as Base64), ``None`` is no body, anything else becomes JSON.
            headers: A content type that fits the body is added when there is none.
            cookies: Whole ``Set-Cookie`` values, such as ``"id=1; Secure; HttpOnly"``.

        Raises:
            ConfigurationError: The source cannot send what was asked for: load balancers send one cookie only.
        """
        text, content_type, is_base64 = body_text(body)
        sent = dict(headers or {})
        if content_type and not any(name.lower() == "content-type" for name in sent):
            sent["content-type"] = content_type
        return answer_form(self.payload_format, status, text, is_base64=is_base64, headers=sent, cookies=tuple(cookies))

    def __repr__(self) -> str:
        return f"<HttpRequest {self.method} {self.path}>"
