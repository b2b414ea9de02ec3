"""
ApiGatewayRestEvent and ApiGatewayHttpV1Event.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import BaseModel

from lambda_kit.events import ApiGatewayHttpV1Event, ApiGatewayRestEvent, parse_event
from tests.events.payloads import payload


class Order(BaseModel):
    sku: str
    quantity: int


def _rest(**changes: Any) -> ApiGatewayRestEvent:
    return ApiGatewayRestEvent.model_validate({**payload("apigw_rest"), **changes})


def test_console_test_has_no_headers() -> None:
    """
    What API Gateway's console sends is accepted: headers are null, and the address is none (TS#2527, TS#4454, #1562).
    """
    event = ApiGatewayRestEvent.model_validate(payload("apigw_rest__console_test"))

    assert (None, None) == (event.headers, event.multi_value_headers)
    assert event.request_context is not None
    assert event.request_context.identity is not None
    assert "test-invoke-source-ip" == event.request_context.identity.source_ip
    assert event.request.ip is None


def test_null_body_and_query_are_none() -> None:
    """
    What there is none of is null in the event (#797, #820).
    """
    event = _rest(body=None, queryStringParameters=None, multiValueQueryStringParameters=None)

    assert (None, None) == (event.body, event.query_string_parameters)
    assert b"" == event.request.body


def test_version_and_authorizer_may_be_missing() -> None:
    """
    REST APIs have no version, and most requests no authorizer (#531).
    """
    context = {key: value for key, value in payload("apigw_rest")["requestContext"].items() if key != "authorizer"}

    event = parse_event({**payload("apigw_rest"), "requestContext": context})

    assert ApiGatewayRestEvent is type(event)
    assert event.request_context is not None
    assert event.request_context.authorizer is None


def test_an_authorizer_s_context_is_kept() -> None:
    """
    Whatever a Lambda authorizer returned is there, not only claims and scopes.
    """
    found = {"principalId": "user-1", "integrationLatency": 7, "tenant": "acme"}

    event = _rest(requestContext={"authorizer": found})

    assert event.request_context is not None
    assert found == event.request_context.authorizer


@pytest.mark.parametrize("method", ["TRACE", "PROPFIND", "QUERY"])
def test_any_method_goes(method: str) -> None:
    """
    ANY lets methods through that nobody listed.
    """
    assert method == _rest(httpMethod=method).request.method


@pytest.mark.parametrize(
    ("source_ip", "address"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("203.0.113.7:51234", "203.0.113.7"),
        ("2001:db8::1", "2001:db8::1"),
        ("[2001:db8::1]:51234", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("", "None"),
        ("IP", "None"),
    ],
)
def test_source_ip_is_text_and_an_address_where_it_is_one(source_ip: str, address: str) -> None:
    """
    The address stays as it came, with a port too; it is offered parsed (#7288, #7315, #7351).
    """
    event = _rest(requestContext={"identity": {"sourceIp": source_ip}})

    assert event.request_context is not None
    assert event.request_context.identity is not None
    assert source_ip == event.request_context.identity.source_ip
    assert address == str(event.request.ip)


def test_base64_body_parses() -> None:
    """
    A body of bytes is decoded before it is read as JSON (TS#3269).
    """
    event = _rest(body="eyJza3UiOiAidGVhcG90IiwgInF1YW50aXR5IjogMn0=", isBase64Encoded=True)

    assert Order(sku="teapot", quantity=2) == event.parse(Order)


def test_time_is_milliseconds() -> None:
    """
    requestTimeEpoch counts milliseconds; without a context there is no time.
    """
    assert datetime(2024, 1, 1, tzinfo=UTC) == _rest(requestContext={"requestTimeEpoch": 1704067200000}).received_at
    assert _rest(requestContext=None).received_at is None


def test_answer_has_this_source_s_form() -> None:
    """
    Several cookies need headers of many values.
    """
    answer = _rest().respond(201, {"id": 42}, headers={"x-id": "42"}, cookies=["a=1", "b=2"])

    assert {
        "statusCode": 201,
        "headers": {"x-id": "42", "content-type": "application/json"},
        "multiValueHeaders": {"set-cookie": ["a=1", "b=2"]},
        "body": '{"id":42}',
        "isBase64Encoded": False,
    } == answer


def test_http_api_with_format_1_is_told_by_its_version() -> None:
    """
    The same form with version 1.0 is an HTTP API's, whose path has the stage in it.
    """
    event = parse_event(payload("apigw_http_v1"))

    assert ApiGatewayHttpV1Event is type(event)
    assert "1.0" == event.version
    assert "/orders/42" == event.request.path


def test_secrets_stay_out_of_the_repr() -> None:
    """
    Headers, identity's keys, authorizer, query and body are not printed.
    """
    event = _rest(headers={"authorization": "hunter2"}, requestContext={"authorizer": {"a": "hunter2"}, "identity": {"apiKey": "hunter2"}})

    assert "hunter2" not in repr(event)


@pytest.mark.parametrize("missing", [["path"], ["resource"], ["requestContext"], ["path", "resource"], ["path", "requestContext"]])
def test_events_made_by_hand_may_lack_much(missing: list[str]) -> None:
    """
    A method with a path, a resource or a context is a request still.
    """
    raw = {key: value for key, value in payload("apigw_rest").items() if key not in missing}

    assert ApiGatewayRestEvent is type(parse_event(raw))
