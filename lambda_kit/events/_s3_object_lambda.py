"""
Requests through S3 Object Lambda access points.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/olap-event-context.html
"""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from lambda_kit.events._model import Event, Part


class S3ObjectLambdaContext(Part):
    """
    Where to get the original from, and, for GetObject, where to send the result. The URL is signed: it is a credential.
    """

    input_s3_url: str = Field(alias="inputS3Url", repr=False)
    output_route: str | None = None
    output_token: str | None = Field(default=None, repr=False)


class S3ObjectLambdaConfiguration(Part):
    """
    The access point. ``payload`` is text of one's own.
    """

    access_point_arn: str | None = None
    supporting_access_point_arn: str | None = None
    payload: str | None = Field(default=None, repr=False)


class S3ObjectLambdaRequest(Part):
    """
    What the client asked for.
    """

    url: str | None = Field(default=None, repr=False)
    headers: dict[str, str] | None = Field(default=None, repr=False)


class S3ObjectLambdaEvent(Event):
    """
    A GetObject, HeadObject or ListObjects request; one of the four contexts is set, :attr:`context` is it.

    GetObject answers by ``WriteGetObjectResponse`` with route and token; the others return ``{"statusCode": ...}`` and more.
    """

    source_name: ClassVar[str] = "s3_object_lambda"

    x_amz_request_id: str | None = None
    get_object_context: S3ObjectLambdaContext | None = None
    head_object_context: S3ObjectLambdaContext | None = None
    list_objects_context: S3ObjectLambdaContext | None = None
    list_objects_v2_context: S3ObjectLambdaContext | None = Field(default=None, alias="listObjectsV2Context")
    configuration: S3ObjectLambdaConfiguration
    user_request: S3ObjectLambdaRequest
    user_identity: dict[str, Any] | None = Field(default=None, repr=False)
    protocol_version: str | None = None

    @property
    def context(self) -> S3ObjectLambdaContext | None:
        """The context that is set."""
        return self.get_object_context or self.head_object_context or self.list_objects_context or self.list_objects_v2_context
