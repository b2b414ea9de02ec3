"""
What Alexa asks of skills.

Source: https://developer.amazon.com/en-US/docs/alexa/custom-skills/request-and-response-json-reference.html and
https://developer.amazon.com/en-US/docs/alexa/smarthome/smart-home-skill-api-message-reference.html
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_pascal

from lambda_kit.events._model import Event, Part
from lambda_kit.events._times import iso_time


class AlexaIntent(Part):
    """
    What the user wants. ``slots`` holds ``{"Color": {"name": "Color", "value": "blue"}}``.
    """

    name: str
    slots: dict[str, dict[str, Any] | None] | None = Field(default=None, repr=False)
    confirmation_status: str | None = None


class AlexaRequest(Part):
    """
    What happened. ``type`` is an open set: ``LaunchRequest``, ``IntentRequest``, ``SessionEndedRequest``,
    ``CanFulfillIntentRequest``, those of interfaces such as ``AudioPlayer.PlaybackStarted``.
    """

    type: str
    request_id: str | None = None
    timestamp: str | None = None
    locale: str | None = None
    intent: AlexaIntent | None = None
    dialog_state: str | None = None
    reason: str | None = None
    error: dict[str, Any] | None = None


class AlexaSession(Part):
    """
    The conversation, and what the skill has put by in it. Requests of interfaces have none.
    """

    new: bool | None = None
    session_id: str | None = None
    application: dict[str, Any] | None = None
    attributes: dict[str, Any] | None = Field(default=None, repr=False)
    user: dict[str, Any] | None = Field(default=None, repr=False)


class AlexaSystem(Part):
    """
    The skill, the user and the device; ``api_access_token`` is a secret.
    """

    application: dict[str, Any] | None = None
    user: dict[str, Any] | None = Field(default=None, repr=False)
    device: dict[str, Any] | None = Field(default=None, repr=False)
    person: dict[str, Any] | None = Field(default=None, repr=False)
    unit: dict[str, Any] | None = Field(default=None, repr=False)
    api_endpoint: str | None = None
    api_access_token: str | None = Field(default=None, repr=False)


class AlexaContext(Part):
    """
    The state of the device, one part for each interface.
    """

    model_config = ConfigDict(alias_generator=to_pascal)

    system: AlexaSystem | None = None


class AlexaSkillEvent(Event):
    """
    A request to a custom skill.

    Answer with :meth:`speak`, or with the whole of ``{"version", "sessionAttributes", "response"}``.
    """

    source_name: ClassVar[str] = "alexa"

    request: AlexaRequest
    version: str | None = None
    session: AlexaSession | None = None
    context: AlexaContext | None = None

    @property
    def slots(self) -> dict[str, str | None]:
        """The values of the intent's slots by name; ``None`` for those the user did not fill."""
        intent = self.request.intent
        found = (intent.slots if intent else None) or {}
        return {name: (slot or {}).get("value") for name, slot in found.items()}

    @property
    def requested_at(self) -> datetime | None:
        """When the user spoke; to be checked where requests do not come through Lambda."""
        return iso_time(self.request.timestamp)

    def speak(
        self, text: str, *, reprompt: str | None = None, end_session: bool = True, attributes: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """
        Return the answer that says *text*.

        Args:
            reprompt: What to say when the user says nothing; the session stays open.
            attributes: The session's from now on; by default they stay.
        """
        response: dict[str, Any] = {"outputSpeech": {"type": "PlainText", "text": text}, "shouldEndSession": end_session}
        if reprompt is not None:
            response |= {"reprompt": {"outputSpeech": {"type": "PlainText", "text": reprompt}}, "shouldEndSession": False}
        kept = (self.session.attributes if self.session else None) or {}
        return {"version": "1.0", "sessionAttributes": kept if attributes is None else attributes, "response": response}


class AlexaHeader(Part):
    """
    What a directive is about: ``Alexa.PowerController`` and ``TurnOn``.
    """

    namespace: str
    name: str
    message_id: str | None = None
    correlation_token: str | None = Field(default=None, repr=False)
    payload_version: str | None = None


class AlexaDirective(Part):
    """
    What a device is to do; the bearer token is in ``endpoint`` or in ``payload``.
    """

    header: AlexaHeader
    endpoint: dict[str, Any] | None = Field(default=None, repr=False)
    payload: dict[str, Any] | None = Field(default=None, repr=False)


class AlexaSmartHomeEvent(Event):
    """
    A directive to a smart home skill, version 3.

    Answer with ``{"event": {"header", "endpoint", "payload"}, "context": {...}}``.
    """

    source_name: ClassVar[str] = "alexa_smart_home"

    directive: AlexaDirective
