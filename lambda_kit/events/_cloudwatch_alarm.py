"""
What CloudWatch alarms tell: to a function directly, and through SNS.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-actions-Lambda.html
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_pascal

from lambda_kit.events._carriers import json_value
from lambda_kit.events._model import Event, Part
from lambda_kit.events._times import iso_time


class AlarmState(Part):
    """
    A state, and why the alarm is in it. ``reason_data`` is JSON text; composite alarms may say who suppresses their actions.
    """

    value: str
    reason: str | None = None
    reason_data: str | None = Field(default=None, repr=False)
    timestamp: str | None = None
    actions_suppressed_by: str | None = None
    actions_suppressed_reason: str | None = None

    @property
    def since(self) -> datetime | None:
        """Since when."""
        return iso_time(self.timestamp)

    def reasons(self) -> Any:
        """
        Return the reason's data as Python values; ``None`` where there are none. Raises ``EventError`` where they are no JSON.
        """
        return None if self.reason_data is None else json_value(self.reason_data, source="cloudwatch_alarm", at="reasonData")


class AlarmData(Part):
    """
    The alarm and its states.
    """

    alarm_name: str
    state: AlarmState
    previous_state: AlarmState | None = None
    configuration: dict[str, Any] | None = None


class CloudWatchAlarmEvent(Event):
    """
    An alarm, metric or composite, has changed its state.

    Nobody reads the answer; raising makes Lambda try again.
    """

    source_name: ClassVar[str] = "cloudwatch_alarm"

    alarm_data: AlarmData
    alarm_arn: str
    source: str | None = None
    account_id: str | None = None
    time: str | None = None
    region: str | None = None

    @property
    def occurred_at(self) -> datetime | None:
        """When the state changed."""
        return iso_time(self.time)


class CloudWatchAlarmMessage(Event):
    """
    What an alarm publishes to SNS: ``event.unwrap(CloudWatchAlarmMessage)``.
    """

    model_config = ConfigDict(alias_generator=to_pascal)
    source_name: ClassVar[str] = "cloudwatch_alarm"

    alarm_name: str
    new_state_value: str
    old_state_value: str | None = None
    new_state_reason: str | None = None
    state_change_time: str | None = None
    alarm_arn: str | None = None
    alarm_description: str | None = None
    aws_account_id: str | None = Field(default=None, alias="AWSAccountId")
    # The region's name, such as "EU (Ireland)".
    region: str | None = None
    trigger: dict[str, Any] | None = None

    @property
    def occurred_at(self) -> datetime | None:
        """When the state changed."""
        return iso_time(self.state_change_time)
