"""
CloudFrontEvent.
"""

from __future__ import annotations

import pytest

from lambda_kit.errors import EventError
from lambda_kit.events import CloudFrontEvent
from tests.events.payloads import payload


def test_request_and_response_are_typed() -> None:
    """
    The one record has configuration, request, and the response where there is one.
    """
    asked = CloudFrontEvent.model_validate(payload("cloudfront_lambda_edge")).exchange
    answered = CloudFrontEvent.model_validate(payload("cloudfront_lambda_edge__response")).exchange

    assert asked.config is not None
    assert "origin-request" == asked.config.event_type
    assert asked.request is not None
    assert "/orders/42" == asked.request.uri
    assert asked.response is None
    assert answered.response is not None
    assert "200" == answered.response.status


def test_generated_response() -> None:
    """
    Lambda@Edge has a form of its own: the status as text, headers as lists.
    """
    event = CloudFrontEvent.model_validate(payload("cloudfront_lambda_edge"))

    assert {
        "status": "302",
        "statusDescription": "Found",
        "headers": {
            "location": [{"key": "Location", "value": "https://example.com/"}],
            "set-cookie": [{"key": "Set-Cookie", "value": "a=1"}, {"key": "Set-Cookie", "value": "b=2"}],
        },
    } == event.respond(302, headers={"Location": "https://example.com/"}, cookies=["a=1", "b=2"])
    assert {
        "status": "499",
        "headers": {"content-type": [{"key": "content-type", "value": "application/octet-stream"}]},
        "body": "aGk=",
        "bodyEncoding": "base64",
    } == event.respond(499, b"hi")


def test_a_truncated_body_is_not_read_as_a_whole_one() -> None:
    """
    CloudFront says when it has cut the body off.
    """
    raw = payload("cloudfront_lambda_edge")
    raw["Records"][0]["cf"]["request"]["body"]["inputTruncated"] = True

    with pytest.raises(EventError, match="CloudFront has cut the body off"):
        _ = CloudFrontEvent.model_validate(raw).request.body


def test_no_record_is_refused() -> None:
    """
    There is always one record.
    """
    with pytest.raises(EventError, match=r"cloudfront: Records"):
        CloudFrontEvent.model_validate({"Records": []})
