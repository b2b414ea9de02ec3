"""
AlbEvent and AlbMultiValueEvent.
"""

from __future__ import annotations

import pytest

from lambda_kit.errors import ConfigurationError
from lambda_kit.events import AlbEvent, AlbMultiValueEvent, parse_event
from tests.events.payloads import payload


def test_multi_value_headers_are_told_apart() -> None:
    """
    A target group with multi-value headers sends no single ones (the form the incumbent refuses).
    """
    event = parse_event(payload("alb_multi_value"))

    assert AlbMultiValueEvent is type(event)
    assert (None, None) == (event.headers, event.query_string_parameters)
    assert ("a,b", "c") == event.request.query.all("tag")


def test_answers_have_the_form_of_the_target_group() -> None:
    """
    A load balancer reads one form of headers only.
    """
    one = AlbEvent.model_validate(payload("alb")).respond(200, "hi", cookies=["a=1"])
    many = AlbMultiValueEvent.model_validate(payload("alb_multi_value")).respond(200, b"hi", cookies=["a=1", "b=2"])

    assert {"content-type": "text/plain; charset=utf-8", "set-cookie": "a=1"} == one["headers"]
    assert {"content-type": ["application/octet-stream"], "set-cookie": ["a=1", "b=2"]} == many["multiValueHeaders"]
    assert ("aGk=", True) == (many["body"], many["isBase64Encoded"])
    assert "headers" not in many


def test_two_cookies_need_multi_value_headers() -> None:
    """
    What cannot be sent is refused, with the remedy.
    """
    with pytest.raises(ConfigurationError, match="turn on multi-value headers"):
        AlbEvent.model_validate(payload("alb")).respond(cookies=["a=1", "b=2"])


def test_null_multi_value_headers_mean_single_ones() -> None:
    """
    A form that is null is not there.
    """
    event = parse_event({**payload("alb"), "multiValueHeaders": None})

    assert AlbEvent is type(event)
    assert "alb" == event.request.payload_format


@pytest.mark.parametrize(("agent", "expected"), [("ELB-HealthChecker/2.0", True), ("curl/8.5.0", False)])
def test_health_checks_are_recognised(agent: str, expected: bool) -> None:
    """
    The load balancer says who it is; its body is empty or null.
    """
    event = AlbEvent.model_validate({**payload("alb"), "headers": {"user-agent": agent}, "body": None})

    assert expected is event.is_health_check
