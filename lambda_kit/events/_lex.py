"""
What Amazon Lex asks while it talks to someone.

Source: https://docs.aws.amazon.com/lexv2/latest/dg/lambda-input-format.html and
https://docs.aws.amazon.com/lexv2/latest/dg/lambda-response-format.html
"""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from lambda_kit.events._model import Event, Part

# {"size": {"value": {"originalValue", "interpretedValue", "resolvedValues"}, "shape", "values"}}, null while not filled.
Slots = dict[str, dict[str, Any] | None]


class LexBot(Part):
    """
    The bot that asks.
    """

    id: str | None = None
    name: str | None = None
    version: str | None = None
    alias_id: str | None = None
    alias_name: str | None = None
    locale_id: str | None = None


class LexIntent(Part):
    """
    What the user wants, as far as Lex knows. ``state`` is ``InProgress``, ``ReadyForFulfillment``, ``Fulfilled`` and others.
    """

    name: str
    slots: Slots | None = Field(default=None, repr=False)
    state: str | None = None
    confirmation_state: str | None = None


class LexInterpretation(Part):
    """
    One of the things the user may have meant.
    """

    intent: LexIntent | None = None
    interpretation_source: str | None = None
    nlu_confidence: float | dict[str, Any] | None = None
    sentiment_response: dict[str, Any] | None = None


class LexSessionState(Part):
    """
    Where the conversation stands.
    """

    intent: LexIntent
    session_attributes: dict[str, Any] | None = Field(default=None, repr=False)
    active_contexts: list[dict[str, Any]] | None = None
    originating_request_id: str | None = None
    dialog_action: dict[str, Any] | None = None
    runtime_hints: dict[str, Any] | None = None


class LexV2Event(Event):
    """
    A turn of a conversation with a bot of Lex V2.

    Answer with :meth:`close`, :meth:`delegate` or :meth:`elicit`:
    ``{"sessionState": {"dialogAction", "intent", "sessionAttributes"}, "messages": [...]}``.
    """

    source_name: ClassVar[str] = "lex"

    session_state: LexSessionState
    bot: LexBot | None = None
    invocation_source: str | None = None
    invocation_label: str | None = None
    input_mode: str | None = None
    response_content_type: str | None = None
    session_id: str | None = None
    input_transcript: str | None = Field(default=None, repr=False)
    message_version: str | None = None
    interpretations: list[LexInterpretation] | None = Field(default=None, repr=False)
    proposed_next_state: dict[str, Any] | None = Field(default=None, repr=False)
    request_attributes: dict[str, Any] | None = Field(default=None, repr=False)
    transcriptions: list[dict[str, Any]] | None = Field(default=None, repr=False)

    @property
    def slots(self) -> dict[str, str | None]:
        """The interpreted values of the intent's slots by name; ``None`` for those that are not filled."""
        found = self.session_state.intent.slots or {}
        return {name: ((slot or {}).get("value") or {}).get("interpretedValue") for name, slot in found.items()}

    def close(self, message: str | None = None, *, fulfilled: bool = True) -> dict[str, Any]:
        """
        Return the answer that ends the intent.
        """
        return self._answer({"type": "Close"}, "Fulfilled" if fulfilled else "Failed", message)

    def delegate(self) -> dict[str, Any]:
        """
        Return the answer that lets Lex go on.
        """
        return self._answer({"type": "Delegate"}, None, None)

    def elicit(self, slot: str, message: str | None = None) -> dict[str, Any]:
        """
        Return the answer that asks for *slot*.
        """
        return self._answer({"type": "ElicitSlot", "slotToElicit": slot}, "InProgress", message)

    def _answer(self, action: dict[str, Any], state: str | None, message: str | None) -> dict[str, Any]:
        intent = self.session_state.intent.model_dump(by_alias=True, exclude_unset=True)
        if state is not None:
            intent["state"] = state
        attributes = dict(self.session_state.session_attributes or {})
        answer: dict[str, Any] = {"sessionState": {"dialogAction": action, "intent": intent, "sessionAttributes": attributes}}
        if message is not None:
            answer["messages"] = [{"contentType": "PlainText", "content": message}]
        return answer


class LexV1Intent(Part):
    """
    What the user wants, as far as Lex knows.
    """

    name: str
    slots: dict[str, str | None] | None = Field(default=None, repr=False)
    slot_details: dict[str, Any] | None = Field(default=None, repr=False)
    confirmation_status: str | None = None
    nlu_intent_confidence_score: float | None = None


class LexV1Bot(Part):
    """
    The bot that asks.
    """

    name: str | None = None
    alias: str | None = None
    version: str | None = None


class LexV1Event(Event):
    """
    A turn of a conversation with a bot of Lex V1, which AWS ended in September 2025.

    Answer with ``{"sessionAttributes", "dialogAction": {"type": "Close", "fulfillmentState", "message"}}``.
    """

    source_name: ClassVar[str] = "lex_v1"

    current_intent: LexV1Intent
    bot: LexV1Bot | None = None
    user_id: str | None = None
    input_transcript: str | None = Field(default=None, repr=False)
    invocation_source: str | None = None
    output_dialog_mode: str | None = None
    message_version: str | None = None
    session_attributes: dict[str, Any] | None = Field(default=None, repr=False)
    request_attributes: dict[str, Any] | None = Field(default=None, repr=False)
    alternative_intents: list[dict[str, Any]] | None = Field(default=None, repr=False)
    recent_intent_summary_view: list[dict[str, Any] | None] | None = Field(default=None, repr=False)
    active_contexts: list[dict[str, Any]] | None = None
    sentiment_response: dict[str, Any] | None = None
