"""
ApiGatewayHttpEvent and FunctionUrlEvent.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import BaseModel

from lambda_kit.errors import EventError
from lambda_kit.events import ApiGatewayHttpEvent, FunctionUrlEvent
from tests.events.payloads import payload


class Order(BaseModel):
    sku: str
    quantity: int


@pytest.mark.parametrize("name", ["apigw_http_v2", "apigw_http_v2__base64"])
def test_body_parses_as_a_model(name: str) -> None:
    """
    The JSON body is validated, Base64 or not.
    """
    event = ApiGatewayHttpEvent.model_validate(payload(name))

    assert Order(sku="teapot", quantity=2) == event.parse(Order)


def test_request_is_the_common_view() -> None:
    """
    The model gives the same view of the request as every other HTTP source, made once.
    """
    event = ApiGatewayHttpEvent.model_validate(payload("apigw_http_v2"))

    assert "application/json; charset=utf-8" == event.request.headers["Content-Type"]
    assert event.request is event.request


def test_context_is_typed() -> None:
    """
    Authorizer, client and time are where the documentation has them.
    """
    jwt = ApiGatewayHttpEvent.model_validate(payload("apigw_http_v2"))
    iam = ApiGatewayHttpEvent.model_validate(payload("apigw_http_v2__base64"))
    bare = ApiGatewayHttpEvent.model_validate(payload("apigw_http_v2__bare"))

    assert jwt.request_context.authorizer is not None
    assert jwt.request_context.authorizer.jwt is not None
    assert {"sub": "user-1", "scope": "orders:write"} == jwt.request_context.authorizer.jwt["claims"]
    assert datetime(2024, 1, 1, tzinfo=UTC) == jwt.received_at
    assert iam.request_context.authorizer is not None
    assert iam.request_context.authorizer.iam is not None
    assert iam.request_context.authentication is not None
    assert bare.request_context.authorizer is not None
    assert bare.request_context.authorizer.lambda_ is None
    assert (None, None) == (bare.cookies, bare.body)


def test_time_may_be_missing() -> None:
    """
    A makeshift event without a time is accepted.
    """
    event = ApiGatewayHttpEvent.model_validate({"requestContext": {"http": {"method": "GET"}}})

    assert event.received_at is None


def test_secrets_stay_out_of_the_repr() -> None:
    """
    Headers, cookies, claims, query and body are not printed.
    """
    shown = repr(ApiGatewayHttpEvent.model_validate(payload("apigw_http_v2")))

    assert [] == [secret for secret in ("secret-token", "abc123", "user-1", "teapot") if secret in shown]


def test_function_url_names_its_source_in_errors() -> None:
    """
    The same form from another source has errors of its own name.
    """
    event = FunctionUrlEvent.model_validate(payload("function_url"))

    assert "anonymous" == event.request_context.account_id
    with pytest.raises(EventError, match="function_url: body: ") as caught:
        FunctionUrlEvent.model_validate({**payload("function_url"), "body": "{"}).parse(Order)
    assert "function_url" == caught.value.source


def test_the_user_agent_may_be_missing() -> None:
    """
    Some clients send none, and the context has none then.
    """
    raw = payload("function_url")
    del raw["requestContext"]["http"]["userAgent"]

    assert FunctionUrlEvent.model_validate(raw).request_context.http.user_agent is None


def test_a_client_certificate_is_kept() -> None:
    """
    What mutual TLS found out is there.
    """
    raw = payload("apigw_http_v2")
    raw["requestContext"]["authentication"] = {"clientCert": {"subjectDN": "CN=ada"}}

    assert {"clientCert": {"subjectDN": "CN=ada"}} == ApiGatewayHttpEvent.model_validate(raw).request_context.authentication


def test_answer_has_this_source_s_form() -> None:
    """
    Format 2.0 has a place of its own for cookies.
    """
    answer = FunctionUrlEvent.model_validate(payload("function_url")).respond(204, cookies=["a=1"])

    assert {"statusCode": 204, "headers": {}, "body": "", "isBase64Encoded": False, "cookies": ["a=1"]} == answer
