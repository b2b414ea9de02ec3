"""
Alexa, Lex and Connect.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import BaseModel

from lambda_kit.errors import EventError
from lambda_kit.events import (
    AlexaSkillEvent,
    AlexaSmartHomeEvent,
    ConnectContactFlowEvent,
    ConnectOutboundCampaignEvent,
    LexV1Event,
    LexV2Event,
)
from tests.events.payloads import payload


class Order(BaseModel):
    sku: str
    quantity: int


def test_alexa_slots_and_time() -> None:
    """
    A slot that the user did not fill has no value; requests without an intent have no slots.
    """
    event = AlexaSkillEvent.model_validate(payload("alexa_skill"))

    assert {"Item": "teapot", "Color": None} == event.slots
    assert datetime(2024, 1, 1, tzinfo=UTC) == event.requested_at
    assert {} == AlexaSkillEvent.model_validate(payload("alexa_skill__launch")).slots
    assert event.context is not None
    assert event.context.system is not None
    assert "secret-token" == event.context.system.api_access_token


def test_alexa_answers() -> None:
    """
    The session's attributes go back unless others are given; a reprompt keeps it open.
    """
    event = AlexaSkillEvent.model_validate(payload("alexa_skill"))

    assert {
        "version": "1.0",
        "sessionAttributes": {"step": "size"},
        "response": {"outputSpeech": {"type": "PlainText", "text": "Done."}, "shouldEndSession": True},
    } == event.speak("Done.")
    asked = event.speak("Which?", reprompt="Which one?", attributes={"step": "color"})
    assert ({"step": "color"}, False) == (asked["sessionAttributes"], asked["response"]["shouldEndSession"])
    assert "Which one?" == asked["response"]["reprompt"]["outputSpeech"]["text"]


def test_alexa_interfaces_have_no_session() -> None:
    """
    A player's report comes outside of any conversation.
    """
    event = AlexaSkillEvent.model_validate(payload("alexa_skill__interface"))

    assert event.session is None
    assert {} == event.speak("")["sessionAttributes"]


@pytest.mark.parametrize("model", [AlexaSkillEvent, AlexaSmartHomeEvent])
def test_alexa_tokens_are_not_printed(model: type[AlexaSkillEvent | AlexaSmartHomeEvent]) -> None:
    """
    Tokens, users and devices stay out of the repr.
    """
    shown = repr(model.model_validate(payload("alexa_skill" if model is AlexaSkillEvent else "alexa_smart_home")))

    assert [] == [secret for secret in ("secret-token", "SECRET") if secret in shown]


def test_lex_slots_may_be_null() -> None:
    """
    What the user has not said yet is None.
    """
    assert {"item": "teapot", "quantity": None} == LexV2Event.model_validate(payload("lex_v2")).slots


def test_lex_answers() -> None:
    """
    Each answer sends intent and session attributes back.
    """
    event = LexV2Event.model_validate(payload("lex_v2"))

    closed, failed, asked, left = (
        event.close("Done."),
        event.close(fulfilled=False),
        event.elicit("quantity", "How many?"),
        event.delegate(),
    )

    assert ({"type": "Close"}, "Fulfilled") == (closed["sessionState"]["dialogAction"], closed["sessionState"]["intent"]["state"])
    assert [{"contentType": "PlainText", "content": "Done."}] == closed["messages"]
    assert ("Failed", False) == (failed["sessionState"]["intent"]["state"], "messages" in failed)
    assert {"type": "ElicitSlot", "slotToElicit": "quantity"} == asked["sessionState"]["dialogAction"]
    assert {
        "dialogAction": {"type": "Delegate"},
        "intent": payload("lex_v2")["sessionState"]["intent"],
        "sessionAttributes": {"customer": "ada"},
    } == left["sessionState"]


def test_lex_v1_still_parses() -> None:
    """
    The form of the first version is another.
    """
    event = LexV1Event.model_validate(payload("lex_v1"))

    assert {"item": "teapot", "quantity": None} == event.current_intent.slots


def test_connect_contact() -> None:
    """
    A contact may have a queue and endpoints, or nulls.
    """
    called = ConnectContactFlowEvent.model_validate(payload("connect_contact_flow")).details
    written = ConnectContactFlowEvent.model_validate(payload("connect_contact_flow__api")).details.contact_data

    assert ({"order": "42"}, "gold") == (called.parameters, (called.contact_data.attributes or {})["tier"])
    assert called.contact_data.queue is not None
    assert str(called.contact_data.queue.arn).endswith("/queue/5cba7cbf-1ecb-4b6d-b8bd-fe91079b3fc8")
    assert (None, None, None) == (written.queue, written.customer_endpoint, written.system_endpoint)
    assert "+441632960123" not in repr(called)


def test_campaign_profiles_parse() -> None:
    """
    A customer's data is JSON text, and may be missing.
    """
    profiles = ConnectOutboundCampaignEvent.model_validate(payload("connect_outbound_campaign")).items.customer_profiles or []

    assert Order(sku="teapot", quantity=2) == profiles[0].parse(Order)
    with pytest.raises(EventError, match="connect_campaign: CustomerData: there is none"):
        profiles[1].parse(Order)
