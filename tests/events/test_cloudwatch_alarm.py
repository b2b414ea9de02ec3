"""
CloudWatchAlarmEvent.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from lambda_kit.errors import EventError
from lambda_kit.events import CloudWatchAlarmEvent
from lambda_kit.events._cloudwatch_alarm import AlarmState
from tests.events.payloads import payload


def test_an_alarm_has_its_states() -> None:
    """
    Times with a zone of four digits are aware; the reason's data are JSON text, and may be missing.
    """
    event = CloudWatchAlarmEvent.model_validate(payload("cloudwatch_alarm_action"))
    before = event.alarm_data.previous_state

    assert before is not None
    assert ("errors", "ALARM", "INSUFFICIENT_DATA") == (event.alarm_data.alarm_name, event.alarm_data.state.value, before.value)
    assert datetime(2024, 1, 1, 0, 0, 0, 124000, UTC) == event.occurred_at
    assert datetime(2024, 1, 1, 0, 0, 0, 123000, UTC) == event.alarm_data.state.since
    assert [5.0] == event.alarm_data.state.reasons()["recentDatapoints"]
    assert before.reasons() is None
    with pytest.raises(EventError, match="cloudwatch_alarm: reasonData: it is no JSON"):
        AlarmState.model_validate({"value": "OK", "reasonData": "hunter2"}).reasons()


def test_composite_alarms_say_who_suppresses_them() -> None:
    """
    They have a rule in place of metrics.
    """
    event = CloudWatchAlarmEvent.model_validate(payload("cloudwatch_alarm_action__composite"))

    assert "WaitPeriod" == event.alarm_data.state.actions_suppressed_by
    assert event.alarm_data.configuration is not None
    assert "ALARM(errors)" == event.alarm_data.configuration["alarmRule"]
