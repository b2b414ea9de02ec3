"""
Requests that come through an Application Load Balancer.

Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html
"""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from lambda_kit.events._http_events import HttpEvent, MultiNames, Names
from lambda_kit.events._model import Part


class AlbTarget(Part):
    """
    The target group that the request was sent to.
    """

    target_group_arn: str | None = None


class AlbRequestContext(Part):
    """
    What the load balancer says of itself.
    """

    elb: AlbTarget


class AlbEvent(HttpEvent):
    """
    A request through a load balancer. The query is as the client sent it, percent-encoded: :attr:`request` decodes it.

    Answer with :meth:`respond`: ``{"statusCode", "headers", "body", "isBase64Encoded"}``, at most 1 MB and one cookie.
    """

    source_name: ClassVar[str] = "alb"

    request_context: AlbRequestContext
    http_method: str
    path: str
    headers: Names | None = Field(default=None, repr=False)
    multi_value_headers: MultiNames | None = Field(default=None, repr=False)
    query_string_parameters: Names | None = Field(default=None, repr=False)
    multi_value_query_string_parameters: MultiNames | None = Field(default=None, repr=False)
    body: str | None = Field(default=None, repr=False)
    is_base64_encoded: bool | None = None

    @property
    def is_health_check(self) -> bool:
        """Whether the load balancer itself asks whether the function is well."""
        return self.request.headers.get("user-agent", "").startswith("ELB-HealthChecker/")


class AlbMultiValueEvent(AlbEvent):
    """
    A request through a load balancer whose target group has multi-value headers on: ``headers`` is not there.

    Answer with :meth:`respond`: ``{"statusCode", "multiValueHeaders", "body", "isBase64Encoded"}``.
    """

    source_name: ClassVar[str] = "alb_multi_value"
