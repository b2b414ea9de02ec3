"""
Requests through load balancers and VPC Lattice.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from lambda_kit._http._answers import FORMAT_ALB, FORMAT_ALB_MULTI, FORMAT_LATTICE
from lambda_kit._http._gateways import Format1
from lambda_kit._http._request import HttpRequest
from lambda_kit._http._values import Headers, Values, is_true, mapping, pairs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Alb(Format1):
    """
    A load balancer's event: one or the other form of headers and query, as the target group is set.

    Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html
    """

    @staticmethod
    def fits(event: Mapping[str, Any]) -> bool:
        context = event.get("requestContext")
        return Format1.fits(event) and isinstance(context, Mapping) and "elb" in context

    @property
    def payload_format(self) -> str:
        return FORMAT_ALB if self.raw.get("multiValueHeaders") is None else FORMAT_ALB_MULTI

    @property
    def source_ip(self) -> str:
        # The balancer appends the address it saw; what stands before it, the client may have made up.
        return self.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()

    @cached_property
    def query(self) -> Values:
        from urllib.parse import unquote_plus

        # Unlike API Gateway, a load balancer does not decode.
        pairs = self._many_or_one("multiValueQueryStringParameters", "queryStringParameters")
        return Values((unquote_plus(name), unquote_plus(value)) for name, value in pairs)


class Lattice2(HttpRequest):
    """
    VPC Lattice's event of version 2.0, whose header and query values are lists; samples with single values exist.

    Source: https://docs.aws.amazon.com/vpc-lattice/latest/ug/lambda-functions.html
    """

    @staticmethod
    def fits(event: Mapping[str, Any]) -> bool:
        # "httpMethod" is API Gateway's and the load balancers'.
        return isinstance(event.get("method"), str) and isinstance(event.get("path"), str) and "headers" in event

    @property
    def payload_format(self) -> str:
        return FORMAT_LATTICE

    @property
    def method(self) -> str:
        return str(self.raw["method"]).upper()

    @property
    def path(self) -> str:
        return str(self.raw["path"]).partition("?")[0]

    @property
    def route(self) -> str:
        return ""

    @property
    def source_ip(self) -> str:
        # Lattice appends the address it saw, as a load balancer does.
        return self.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()

    @cached_property
    def query(self) -> Values:
        return Values(pairs(mapping(self.raw, "queryStringParameters")))

    @cached_property
    def headers(self) -> Headers:
        return Headers(pairs(mapping(self.raw, "headers")))


class Lattice1(Lattice2):
    """
    VPC Lattice's event of version 1.0, in snake case.
    """

    @staticmethod
    def fits(event: Mapping[str, Any]) -> bool:
        return isinstance(event.get("method"), str) and isinstance(event.get("raw_path"), str)

    @property
    def path(self) -> str:
        return str(self.raw["raw_path"]).partition("?")[0]

    @cached_property
    def query(self) -> Values:
        return Values(pairs(mapping(self.raw, "query_string_parameters")))

    def _sent_body(self) -> tuple[object, bool]:
        return self.raw.get("body"), is_true(self.raw.get("is_base64_encoded"))
