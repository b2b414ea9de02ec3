"""
ConfigRuleEvent.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import BaseModel

from lambda_kit.errors import EventError
from lambda_kit.events import ConfigRuleEvent
from tests.events.payloads import payload


class Parameters(BaseModel):
    maximum: int = 0


_MOMENT = datetime(2024, 1, 1, 0, 0, 0, 123000, UTC)


def test_a_rule_knows_why_it_runs() -> None:
    """
    The invoking event is JSON text: an item, a summary of one that is too large, or nothing but the time.
    """
    changed, large, timed = (
        ConfigRuleEvent.model_validate(payload(f"config_rule{variant}")).notification for variant in ("", "__oversized", "__scheduled")
    )

    assert [(False, False), (True, False), (False, True)] == [(each.is_oversized, each.is_scheduled) for each in (changed, large, timed)]
    assert changed.item is not None
    assert large.item is not None
    assert ({"name": "orders-uploads"}, None, None) == (changed.item.configuration, large.item.configuration, timed.item)
    assert _MOMENT == changed.item.captured_at


def test_rule_parameters_parse() -> None:
    """
    They are JSON text, or missing.
    """
    found = [ConfigRuleEvent.model_validate(payload(f"config_rule{variant}")).parse(Parameters) for variant in ("", "__scheduled")]

    assert [Parameters(maximum=3), Parameters()] == found


def test_a_damaged_invoking_event_is_an_event_error() -> None:
    """
    It shows nothing of it.
    """
    event = ConfigRuleEvent.model_validate(payload("config_rule") | {"invokingEvent": "hunter2"})

    with pytest.raises(EventError, match="config: invokingEvent: it is no JSON") as caught:
        event.notification  # noqa: B018  # reading it is the test

    assert caught.value.__context__ is None
