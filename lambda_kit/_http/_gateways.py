"""
Requests through API Gateway and function URLs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property

from lambda_kit._http._answers import FORMAT_1, FORMAT_2
from lambda_kit._http._request import HttpRequest
from lambda_kit._http._values import Headers, Values, mapping, pairs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Format2(HttpRequest):
    """
    Payload format 2.0: HTTP APIs and function URLs.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
    """

    @staticmethod
    def fits(event: Mapping[str, Any]) -> bool:
        context = event.get("requestContext")
        return isinstance(context, Mapping) and isinstance(context.get("http"), Mapping)

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
        return Headers(pairs(mapping(self.raw, "headers")))

    def _cookie_lines(self) -> Iterable[str]:
        # Cookies come in a list of their own, and the header is gone.
        lines = self.raw.get("cookies")
        return [str(line) for line in lines] if isinstance(lines, list) else super()._cookie_lines()


class Format1(HttpRequest):
    """
    Payload format 1.0: REST APIs, and HTTP APIs that were set to it.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
    """

    @staticmethod
    def fits(event: Mapping[str, Any]) -> bool:
        return isinstance(event.get("httpMethod"), str) and isinstance(event.get("path"), str)

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
        return str(mapping(self._context, "identity").get("sourceIp") or "")

    @cached_property
    def query(self) -> Values:
        return Values(self._many_or_one("multiValueQueryStringParameters", "queryStringParameters"))

    @cached_property
    def headers(self) -> Headers:
        return Headers(self._many_or_one("multiValueHeaders", "headers"))

    def _many_or_one(self, many: str, one: str) -> Iterator[tuple[str, str]]:
        return pairs(mapping(self.raw, many) or mapping(self.raw, one))
