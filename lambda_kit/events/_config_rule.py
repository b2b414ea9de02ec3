"""
Evaluations that AWS Config asks for.

Source: https://docs.aws.amazon.com/config/latest/developerguide/evaluate-config_develop-rules_example-events.html
"""

from __future__ import annotations

from datetime import datetime
from functools import cached_property
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, Field

from lambda_kit.events._carriers import json_value
from lambda_kit.events._model import Event, Part
from lambda_kit.events._times import iso_time
from lambda_kit.events._validation import from_json

M = TypeVar("M", bound=BaseModel)


class ConfigItem(Part):
    """
    A resource and how it is configured. Of one too large for the event there is a summary, without the configuration.
    """

    resource_type: str | None = None
    resource_id: str | None = None
    resource_name: str | None = None
    arn: str | None = Field(default=None, alias="ARN")
    aws_account_id: str | None = None
    aws_region: str | None = None
    configuration_item_status: str | None = None
    configuration_item_capture_time: str | None = None
    configuration: Any = Field(default=None, repr=False)
    tags: dict[str, Any] | None = None

    @property
    def captured_at(self) -> datetime | None:
        """When Config took it down: what evaluations have as their time."""
        return iso_time(self.configuration_item_capture_time)


class ConfigNotification(Event):
    """
    Why the rule runs: an item has changed, is too large for the event, or it is time.
    """

    source_name: ClassVar[str] = "config"

    message_type: str
    configuration_item: ConfigItem | None = None
    configuration_item_summary: ConfigItem | None = None
    configuration_item_diff: dict[str, Any] | None = Field(default=None, repr=False)
    notification_creation_time: str | None = None
    aws_account_id: str | None = None
    record_version: str | None = None

    @property
    def item(self) -> ConfigItem | None:
        """The item or its summary; ``None`` for scheduled runs."""
        return self.configuration_item or self.configuration_item_summary

    @property
    def is_oversized(self) -> bool:
        """Whether the configuration must be fetched: ``get_resource_config_history``."""
        return self.message_type == "OversizedConfigurationItemChangeNotification"

    @property
    def is_scheduled(self) -> bool:
        """Whether it is time, and nothing has changed."""
        return self.message_type == "ScheduledNotification"


class ConfigRuleEvent(Event):
    """
    A rule is to be evaluated. Say the outcome by ``put_evaluations`` with :attr:`result_token`.
    """

    source_name: ClassVar[str] = "config"

    invoking_event: str = Field(repr=False)
    rule_parameters: str | None = Field(default=None, repr=False)
    result_token: str | None = Field(default=None, repr=False)
    event_left_scope: bool | None = None
    execution_role_arn: str | None = None
    config_rule_arn: str | None = None
    config_rule_name: str | None = None
    config_rule_id: str | None = None
    account_id: str | None = None
    version: str | None = None
    evaluation_mode: str | None = None

    @cached_property
    def notification(self) -> ConfigNotification:
        """The invoking event, which is JSON text. Raises ``EventError`` where it is damaged."""
        return ConfigNotification.model_validate(json_value(self.invoking_event, source=self.source_name, at="invokingEvent"))

    def parse(self, model: type[M]) -> M:
        """
        Return the rule's parameters, which are JSON text, as *model*; a rule without any has ``{}``.

        Raises:
            EventError: They do not fit.
        """
        return from_json(model, self.rule_parameters or "{}", source=self.source_name, at="ruleParameters")
