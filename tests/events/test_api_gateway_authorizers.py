"""
What authorizers of API Gateway are asked, and what they answer.
"""

from __future__ import annotations

import pytest

from lambda_kit.errors import EventError
from lambda_kit.events import (
    ApiGatewayHttpAuthorizerEvent,
    ApiGatewayRequestAuthorizerEvent,
    ApiGatewayTokenAuthorizerEvent,
    ApiGatewayWebSocketAuthorizerEvent,
    parse_event,
)
from tests.events.payloads import payload


@pytest.mark.parametrize(
    ("name", "stage"),
    [
        ("apigw_authorizer_token", "arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5/prod/*"),
        ("apigw_authorizer_request", "arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5/prod/*"),
        ("apigw_authorizer_http_v2", "arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5/prod/*"),
        ("apigw_authorizer_websocket", "arn:aws:execute-api:eu-west-1:123456789012:w1s2c3k4t5/prod/*"),
    ],
)
def test_allow_covers_the_stage(name: str, stage: str) -> None:
    """
    A cached answer is used for other methods too, so the policy names all of the stage.
    """
    statement = {"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": [stage]}

    answer = parse_event(payload(name)).allow("user-1")  # type: ignore[attr-defined]  # each of the four has it

    assert {"principalId": "user-1", "policyDocument": {"Version": "2012-10-17", "Statement": [statement]}} == answer


def test_allow_with_everything() -> None:
    """
    Resources, context and API key stand where API Gateway reads them.
    """
    event = ApiGatewayTokenAuthorizerEvent.model_validate(payload("apigw_authorizer_token"))

    answer = event.allow("user-1", resources=["arn:a"], context={"tenant": "acme", "level": 3}, usage_identifier_key="key-1")

    assert ["arn:a"] == answer["policyDocument"]["Statement"][0]["Resource"]
    assert ({"tenant": "acme", "level": 3}, "key-1") == (answer["context"], answer["usageIdentifierKey"])


def test_deny() -> None:
    """
    A denial is a policy, too.
    """
    event = ApiGatewayRequestAuthorizerEvent.model_validate(payload("apigw_authorizer_request"))

    answer = event.deny(context={"reason": "expired"})

    assert ("Deny", "nobody", {"reason": "expired"}) == (
        answer["policyDocument"]["Statement"][0]["Effect"],
        answer["principalId"],
        answer["context"],
    )


def test_simple_answers() -> None:
    """
    HTTP APIs take a yes or no.
    """
    event = ApiGatewayHttpAuthorizerEvent.model_validate(payload("apigw_authorizer_http_v2"))

    assert {"isAuthorized": False} == event.simple(False)
    assert {"isAuthorized": True, "context": {"tenant": "acme"}} == event.simple(True, context={"tenant": "acme"})


def test_the_request_is_shown_as_any_other() -> None:
    """
    Headers and cookies of the request in question are read as those of a request itself.
    """
    rest = ApiGatewayRequestAuthorizerEvent.model_validate(payload("apigw_authorizer_request"))
    http = ApiGatewayHttpAuthorizerEvent.model_validate(payload("apigw_authorizer_http_v2"))

    assert ("/orders/42", "/orders/42") == (rest.request.path, http.request.path)
    assert "abc123" == http.request.cookies["session"]


def test_identity_source_may_be_null() -> None:
    """
    Without an identity source the list is null (#5879).
    """
    assert ApiGatewayHttpAuthorizerEvent.model_validate(payload("apigw_authorizer_http_v2__no_identity")).identity_source is None


def test_only_connections_have_a_connection() -> None:
    """
    A WebSocket's question is told by its connection.
    """
    event = parse_event(payload("apigw_authorizer_websocket"))

    assert ApiGatewayWebSocketAuthorizerEvent is type(event)
    assert "CONNECT" == event.request_context.event_type


@pytest.mark.parametrize("name", ["apigw_authorizer_token", "apigw_authorizer_request", "apigw_authorizer_http_v2"])
def test_tokens_stay_out_of_the_repr(name: str) -> None:
    """
    What identifies the caller is not printed.
    """
    assert "secret-token" not in repr(parse_event(payload(name)))


def test_a_method_without_a_token_is_no_question() -> None:
    """
    A method's ARN alone says nothing.
    """
    with pytest.raises(EventError, match="no event source is known"):
        parse_event({"methodArn": "arn:aws:execute-api:eu-west-1:123456789012:a/b/GET/"})
