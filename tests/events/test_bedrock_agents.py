"""
What agents of Amazon Bedrock ask.
"""

from __future__ import annotations

import pytest
from pydantic import BaseModel

from lambda_kit.errors import EventError
from lambda_kit.events import BedrockAgentFunctionEvent, BedrockAgentOpenApiEvent
from tests.events.payloads import payload


class Order(BaseModel):
    sku: str
    quantity: int


def test_parameters_become_what_the_model_wants() -> None:
    """
    All values are text; the model makes numbers of them, and what is wrong is named.
    """
    raw = payload("bedrock_agent_function")

    assert Order(sku="teapot", quantity=2) == BedrockAgentFunctionEvent.model_validate(raw).parse(Order)
    with pytest.raises(EventError, match=r"bedrock_agent_function: parameters\.sku: Field required"):
        BedrockAgentFunctionEvent.model_validate({**raw, "parameters": None}).parse(Order)


def test_parameters_and_body_parse_together() -> None:
    """
    An operation's input is in its parameters and in its body.
    """
    event = BedrockAgentOpenApiEvent.model_validate(payload("bedrock_agent_openapi"))

    assert ({"id": "42"}, {"sku": "teapot", "quantity": "2"}) == (event.values, event.body_values)
    assert Order(sku="teapot", quantity=2) == event.parse(Order)
    assert {} == BedrockAgentOpenApiEvent.model_validate(payload("bedrock_agent_openapi__get")).body_values


def test_function_answers_echo_what_was_asked() -> None:
    """
    Group and function are repeated; session attributes stay unless others are given.
    """
    event = BedrockAgentFunctionEvent.model_validate(payload("bedrock_agent_function"))

    assert {
        "messageVersion": "1.0",
        "response": {
            "actionGroup": "Orders",
            "function": "placeOrder",
            "functionResponse": {"responseBody": {"TEXT": {"body": '{"id": 42}'}}},
        },
        "sessionAttributes": {"customer": "ada"},
        "promptSessionAttributes": {},
    } == event.respond({"id": 42})
    changed = event.respond("sorry", state="FAILURE", session_attributes={}, prompt_session_attributes={"a": "b"})
    assert {"responseState": "FAILURE", "responseBody": {"TEXT": {"body": "sorry"}}} == changed["response"]["functionResponse"]
    assert ({}, {"a": "b"}) == (changed["sessionAttributes"], changed["promptSessionAttributes"])


def test_operation_answers_echo_what_was_asked() -> None:
    """
    Path and method are repeated.
    """
    event = BedrockAgentOpenApiEvent.model_validate(payload("bedrock_agent_openapi"))

    assert {
        "actionGroup": "Orders",
        "apiPath": "/orders/{id}",
        "httpMethod": "POST",
        "httpStatusCode": 201,
        "responseBody": {"application/json": {"body": "[]"}},
    } == event.respond([], status=201)["response"]
