"""
Notifications of S3 buckets.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Self, cast
from urllib.parse import unquote_plus

from pydantic import Field

from lambda_kit.events._carriers import Records
from lambda_kit.events._model import Event, Part
from lambda_kit.events._times import iso_time


class S3Identity(Part):
    """
    Who, by the id of a principal.
    """

    principal_id: str | None = None


class S3Bucket(Part):
    """
    The bucket.
    """

    name: str
    arn: str | None = None
    owner_identity: S3Identity | None = None


class S3Object(Part):
    """
    The object. Deleted ones have neither size nor ETag.
    """

    encoded_key: str = Field(alias="key")
    size: int | None = None
    e_tag: str | None = None
    version_id: str | None = None
    sequencer: str | None = None

    @property
    def key(self) -> str:
        """The key as S3's API takes it. In the notification, :attr:`encoded_key`, it is encoded as in a form."""
        return unquote_plus(self.encoded_key)


class S3Facts(Part):
    """
    What was notified of.
    """

    bucket: S3Bucket
    object: S3Object
    configuration_id: str | None = None
    s3_schema_version: str | None = None


class S3RequestParameters(Part):
    """
    Where the request came from: an address, or a service's name.
    """

    source_ip_address: str | None = Field(default=None, alias="sourceIPAddress")


class S3Record(Event):
    """
    One notification.

    The blocks that some kinds of event add are dictionaries as they came.
    """

    source_name: ClassVar[str] = "s3"

    s3: S3Facts
    event_name: str | None = None
    event_time: str | None = None
    event_source: str | None = None
    event_version: str | None = None
    aws_region: str | None = None
    user_identity: S3Identity | None = None
    request_parameters: S3RequestParameters | None = None
    response_elements: dict[str, Any] | None = None
    glacier_event_data: dict[str, Any] | None = None
    restore_event_data: dict[str, Any] | None = None
    replication_event_data: dict[str, Any] | None = None
    intelligent_tiering_event_data: dict[str, Any] | None = None
    lifecycle_event_data: dict[str, Any] | None = None

    @property
    def bucket(self) -> str:
        """The bucket's name."""
        return self.s3.bucket.name

    @property
    def key(self) -> str:
        """The object's key, decoded."""
        return self.s3.object.key

    @property
    def kind(self) -> str:
        """What happened, such as ``ObjectCreated:Put``: some event names start with ``s3:``, others do not."""
        return (self.event_name or "").removeprefix("s3:")

    @property
    def occurred_at(self) -> datetime | None:
        """When S3 finished the request."""
        return iso_time(self.event_time)


class S3Event(Records):
    """
    Notifications of a bucket. S3's test event, sent when notifications are configured, is one without records.

    Nobody reads the answer; raising makes Lambda try again.
    """

    source_name: ClassVar[str] = "s3"

    records: list[S3Record] = Field(alias="Records")

    @classmethod
    def model_validate(cls, obj: Any, **options: Any) -> Self:
        if cls is S3Event and is_test_event(obj):
            return cast("Self", S3TestEvent.model_validate(obj, **options))
        return super().model_validate(obj, **options)


class S3TestEvent(S3Event):
    """
    S3 tries whether notifications arrive. There is nothing to do.
    """

    event: str = Field(alias="Event")
    service: str | None = Field(default=None, alias="Service")
    time: str | None = Field(default=None, alias="Time")
    bucket: str | None = Field(default=None, alias="Bucket")
    request_id: str | None = Field(default=None, alias="RequestId")
    host_id: str | None = Field(default=None, alias="HostId")
    records: list[S3Record] = Field(default_factory=list, alias="Records")

    @property
    def occurred_at(self) -> datetime | None:
        """When the notifications were configured."""
        return iso_time(self.time)


def is_test_event(raw: object) -> bool:
    """
    Tell S3's test event from its notifications.
    """
    return isinstance(raw, Mapping) and raw.get("Event") == "s3:TestEvent" and "Records" not in raw
