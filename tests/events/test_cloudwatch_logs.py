"""
CloudWatchLogsEvent.
"""

from __future__ import annotations

import json
import zlib
from base64 import b64encode
from datetime import UTC, datetime

import pytest
from pydantic import BaseModel

from lambda_kit.errors import EventError
from lambda_kit.events import CloudWatchLogsEvent
from tests.events.payloads import payload


class Order(BaseModel):
    sku: str
    quantity: int


def test_log_events_are_decoded() -> None:
    """
    Base64 and gzip are taken off, times are in milliseconds, extracted fields are kept.
    """
    event = CloudWatchLogsEvent.model_validate(payload("cloudwatch_logs"))
    first = event.logs.log_events[0]

    assert ("/aws/lambda/orders", ["orders"]) == (event.logs.log_group, event.logs.subscription_filters)
    assert datetime(2024, 1, 1, 0, 0, 0, 123000, UTC) == first.logged_at
    assert Order(sku="teapot", quantity=2) == first.parse(Order)
    assert {"sku": "teapot"} == first.extracted_fields
    assert event.logs is event.logs


def test_the_test_message_is_told() -> None:
    """
    Control messages are of no log group.
    """
    assert CloudWatchLogsEvent.model_validate(payload("cloudwatch_logs__control")).logs.is_test


def test_zlib_is_read_too() -> None:
    """
    Hand-made events are at times compressed without gzip's header; the policy's level is known.
    """
    data = json.dumps({"messageType": "DATA_MESSAGE", "logEvents": [], "policyLevel": "ACCOUNT_LEVEL_POLICY"}).encode()
    event = CloudWatchLogsEvent.model_validate({"awslogs": {"data": b64encode(zlib.compress(data)).decode()}})

    assert "ACCOUNT_LEVEL_POLICY" == event.logs.policy_level


@pytest.mark.parametrize("data", ["?", "aHVudGVyMg==", b64encode(b"\x1f\x8bhunter2").decode(), b64encode(b"[]").decode()])
def test_damaged_data_are_an_event_error(data: str) -> None:
    """
    Not Base64, not compressed, not JSON, not an object: the error shows nothing of them.
    """
    event = CloudWatchLogsEvent.model_validate({"awslogs": {"data": data}})

    with pytest.raises(EventError, match="cloudwatch_logs: ") as caught:
        event.logs  # noqa: B018  # reading it is the test

    assert "hunter2" not in repr(caught.value)
    assert caught.value.__context__ is None
