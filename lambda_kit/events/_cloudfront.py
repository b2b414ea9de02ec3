"""
What CloudFront asks Lambda@Edge functions.

Source: https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/lambda-event-structure.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from pydantic import Field

from lambda_kit.events._http_events import RequestEvent
from lambda_kit.events._model import Part

# {"host": [{"key": "Host", "value": "example.com"}]}
EdgeHeaders = dict[str, list[dict[str, str | None]]]


class CloudFrontConfig(Part):
    """
    The distribution, and when in the life of the request the function is asked.

    ``event_type`` is ``viewer-request``, ``origin-request``, ``origin-response`` or ``viewer-response``.
    """

    distribution_domain_name: str | None = None
    distribution_id: str | None = None
    event_type: str | None = None
    request_id: str | None = None


class CloudFrontBody(Part):
    """
    The body, where the trigger includes it: Base64, and cut off at 40 KB (viewer) or 1 MB (origin).
    """

    input_truncated: bool | None = None
    action: str | None = None
    encoding: str | None = None
    data: str | None = Field(default=None, repr=False)


class CloudFrontRequest(Part):
    """
    The request; only origin requests have ``origin``.
    """

    method: str | None = None
    uri: str | None = None
    client_ip: str | None = None
    querystring: str | None = Field(default=None, repr=False)
    headers: EdgeHeaders | None = Field(default=None, repr=False)
    body: CloudFrontBody | None = None
    origin: dict[str, Any] | None = Field(default=None, repr=False)


class CloudFrontResponse(Part):
    """
    The response of the origin, or of the cache.
    """

    status: str | None = None
    status_description: str | None = None
    headers: EdgeHeaders | None = Field(default=None, repr=False)


class CloudFrontExchange(Part):
    """
    One request, with the response where there is one already.
    """

    config: CloudFrontConfig | None = None
    request: CloudFrontRequest | None = None
    response: CloudFrontResponse | None = None


class CloudFrontRecord(Part):
    """
    What the event's list holds.
    """

    cf: CloudFrontExchange


class CloudFrontEvent(RequestEvent):
    """
    A request, or a response, on its way through CloudFront; always one record.

    Answer with the request or the response, changed or not, as they stand in ``raw``; or with :meth:`respond`, which
    generates a response: ``{"status", "statusDescription", "headers", "body", "bodyEncoding"}``. Lambda@Edge functions
    have no environment variables.
    """

    source_name: ClassVar[str] = "cloudfront"

    records: list[CloudFrontRecord] = Field(alias="Records", min_length=1)

    @property
    def exchange(self) -> CloudFrontExchange:
        """The one record."""
        return self.records[0].cf

    def respond(
        self,
        status: int = 200,
        body: object = None,
        *,
        headers: Mapping[str, str] | None = None,
        cookies: Iterable[str] = (),
    ) -> dict[str, Any]:
        """
        Return a generated response; see :meth:`lambda_kit.HttpRequest.answer`.
        """
        return self.request.answer(status, body, headers=headers, cookies=cookies)
