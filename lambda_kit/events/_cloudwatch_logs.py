"""
Log events that a subscription sends on.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html
"""

from __future__ import annotations

from datetime import datetime
from functools import cached_property
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, Field

from lambda_kit.events._carriers import base64_bytes, inflated, json_value
from lambda_kit.events._model import Event, Part
from lambda_kit.events._times import epoch_time
from lambda_kit.events._validation import from_json

M = TypeVar("M", bound=BaseModel)


class CloudWatchLogEvent(Part):
    """
    One log event. ``extracted_fields`` are what the subscription's filter pattern names.
    """

    id: str
    timestamp: int
    message: str = Field(repr=False)
    extracted_fields: dict[str, Any] | None = Field(default=None, repr=False)

    @property
    def logged_at(self) -> datetime | None:
        """When it was logged."""
        return epoch_time(self.timestamp, per_s=1000)

    def parse(self, model: type[M]) -> M:
        """
        Return the message, which is JSON, as *model*.

        Raises:
            EventError: It is no JSON, or does not fit; it names the field and shows no value.
        """
        return from_json(model, self.message, source="cloudwatch_logs", at="message")


class CloudWatchLogsData(Event):
    """
    Log events of one stream, decoded. Through Kinesis and Firehose: ``record.unwrap(CloudWatchLogsData)``.
    """

    source_name: ClassVar[str] = "cloudwatch_logs"

    message_type: str
    log_events: list[CloudWatchLogEvent]
    owner: str | None = None
    log_group: str | None = None
    log_stream: str | None = None
    subscription_filters: list[str] | None = None
    policy_level: str | None = None

    @property
    def is_test(self) -> bool:
        """Whether CloudWatch Logs only tries whether the destination is there; such events are not from any log group."""
        return self.message_type == "CONTROL_MESSAGE"


class CloudWatchLogsPart(Part):
    """
    Base64 of compressed JSON.
    """

    data: str = Field(repr=False)


class CloudWatchLogsEvent(Event):
    """
    Log events as Lambda gets them; :attr:`logs` are they.

    Nobody reads the answer; raising makes Lambda try again.
    """

    source_name: ClassVar[str] = "cloudwatch_logs"

    awslogs: CloudWatchLogsPart

    @cached_property
    def logs(self) -> CloudWatchLogsData:
        """The log events. Raises ``EventError`` where the data are damaged."""
        at = "awslogs.data"
        compressed = base64_bytes(self.awslogs.data, source=self.source_name, at=at)
        return CloudWatchLogsData.model_validate(json_value(inflated(compressed), source=self.source_name, at=at))
