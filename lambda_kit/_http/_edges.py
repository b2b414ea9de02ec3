"""
Requests through CloudFront, as Lambda@Edge gets them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property

from lambda_kit._http._answers import FORMAT_CLOUDFRONT
from lambda_kit._http._request import HttpRequest
from lambda_kit._http._values import Headers, Values, mapping
from lambda_kit.errors import EventError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class CloudFront(HttpRequest):
    """
    The request of a Lambda@Edge event, of any of the four event types.

    Source: https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/lambda-event-structure.html
    """

    def __init__(self, event: Mapping[str, Any]) -> None:
        super().__init__(event)
        self._cf: Mapping[str, Any] = event["Records"][0]["cf"]
        self._request = mapping(self._cf, "request")

    @staticmethod
    def fits(event: Mapping[str, Any]) -> bool:
        records = event.get("Records")
        first = records[0] if isinstance(records, list) and records else None
        return isinstance(first, Mapping) and isinstance(first.get("cf"), Mapping)

    @property
    def payload_format(self) -> str:
        return FORMAT_CLOUDFRONT

    @property
    def method(self) -> str:
        return str(self._request.get("method") or "").upper()

    @property
    def path(self) -> str:
        return str(self._request.get("uri") or "/")

    @property
    def route(self) -> str:
        return ""

    @property
    def source_ip(self) -> str:
        return str(self._request.get("clientIp") or "")

    @property
    def request_id(self) -> str:
        """The id that CloudFront gave the request."""
        return str(mapping(self._cf, "config").get("requestId") or "")

    @property
    def domain(self) -> str:
        """The domain name that was called, as far as the event says."""
        return self.headers.get("host", "") or str(mapping(self._cf, "config").get("distributionDomainName") or "")

    @cached_property
    def query(self) -> Values:
        from urllib.parse import parse_qsl

        return Values(parse_qsl(str(self._request.get("querystring") or ""), keep_blank_values=True))

    @cached_property
    def headers(self) -> Headers:
        return Headers(self._header_pairs())

    def _header_pairs(self) -> Iterator[tuple[str, str]]:
        # {"host": [{"key": "Host", "value": "example.com"}]}
        for name, lines in mapping(self._request, "headers").items():
            for line in lines if isinstance(lines, list) else ():
                if isinstance(line, Mapping):
                    yield name, str(line.get("value") or "")

    def _sent_body(self) -> tuple[object, bool]:
        # There is one only where the trigger includes it, and CloudFront cuts it off at 40 KB or 1 MB.
        body = mapping(self._request, "body")
        if is_cut := body.get("inputTruncated"):
            raise EventError(f"CloudFront has cut the body off (inputTruncated: {is_cut})", source="cloudfront", field="body")
        return body.get("data"), body.get("encoding") == "base64"
