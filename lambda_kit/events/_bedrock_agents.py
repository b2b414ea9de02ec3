"""
What agents of Amazon Bedrock ask their action groups.

Source: https://docs.aws.amazon.com/bedrock/latest/userguide/agents-lambda.html
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, Field

from lambda_kit.events._model import Event, Part
from lambda_kit.events._validation import from_python

M = TypeVar("M", bound=BaseModel)


class AgentParameter(Part):
    """
    A parameter that the agent found in the conversation; the value is text whatever the type says.
    """

    name: str
    type: str | None = None
    value: Any = Field(default=None, repr=False)


class Agent(Part):
    """
    The agent that asks.
    """

    name: str | None = None
    id: str | None = None
    alias: str | None = None
    version: str | None = None


class AgentEvent(Event):
    """
    Be what an agent asks.
    """

    message_version: str | None = None
    agent: Agent | None = None
    input_text: str | None = Field(default=None, repr=False)
    session_id: str | None = None
    action_group: str
    parameters: list[AgentParameter] | None = Field(default=None, repr=False)
    session_attributes: dict[str, Any] | None = Field(default=None, repr=False)
    prompt_session_attributes: dict[str, Any] | None = Field(default=None, repr=False)

    @property
    def values(self) -> dict[str, Any]:
        """The parameters' values by name."""
        return _by_name(self.parameters)

    def _answer(self, response: dict[str, Any], session: Mapping[str, str] | None, prompt: Mapping[str, str] | None) -> dict[str, Any]:
        # Attributes that are not sent back are lost.
        return {
            "messageVersion": self.message_version or "1.0",
            "response": {"actionGroup": self.action_group, **response},
            "sessionAttributes": dict(self.session_attributes or {}) if session is None else dict(session),
            "promptSessionAttributes": dict(self.prompt_session_attributes or {}) if prompt is None else dict(prompt),
        }


class BedrockAgentFunctionEvent(AgentEvent):
    """
    An agent calls a function of an action group that is defined by function details.

    Answer with :meth:`respond`.
    """

    source_name: ClassVar[str] = "bedrock_agent_function"

    function: str

    def parse(self, model: type[M]) -> M:
        """
        Return the parameters as *model*, which turns their text into what it wants.

        Raises:
            EventError: They do not fit; it names the parameter and shows no value.
        """
        return from_python(model, self.values, source=self.source_name, at="parameters")

    def respond(
        self,
        body: object,
        *,
        state: str | None = None,
        session_attributes: Mapping[str, str] | None = None,
        prompt_session_attributes: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """
        Return the answer: *body* as text, or as JSON where it is none.

        Args:
            state: ``FAILURE`` ends the session with an error, ``REPROMPT`` lets the model try again.
            session_attributes: The session's from now on; by default they stay.
        """
        function_response: dict[str, Any] = {"responseBody": {"TEXT": {"body": _text(body)}}}
        if state is not None:
            function_response["responseState"] = state
        response = {"function": self.function, "functionResponse": function_response}
        return self._answer(response, session_attributes, prompt_session_attributes)


class AgentContent(Part):
    """
    The body that the agent made for one content type.
    """

    properties: list[AgentParameter] | None = Field(default=None, repr=False)


class AgentBody(Part):
    """
    The bodies that the agent made, by content type.
    """

    content: dict[str, AgentContent] | None = None


class BedrockAgentOpenApiEvent(AgentEvent):
    """
    An agent calls an operation of an action group that is defined by an OpenAPI schema.

    Answer with :meth:`respond`.
    """

    source_name: ClassVar[str] = "bedrock_agent_openapi"

    api_path: str
    http_method: str | None = None
    request_body: AgentBody | None = None

    @property
    def body_values(self) -> dict[str, Any]:
        """The values of the body's properties by name, of its first content type."""
        contents = (self.request_body or AgentBody()).content or {}
        return next((_by_name(content.properties) for content in contents.values()), {})

    def parse(self, model: type[M]) -> M:
        """
        Return parameters and body together as *model*, which turns their text into what it wants.

        Raises:
            EventError: They do not fit; it names the parameter and shows no value.
        """
        return from_python(model, {**self.values, **self.body_values}, source=self.source_name, at="parameters")

    def respond(
        self,
        body: object,
        *,
        status: int = 200,
        content_type: str = "application/json",
        session_attributes: Mapping[str, str] | None = None,
        prompt_session_attributes: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """
        Return the answer: *body* as text, or as JSON where it is none.
        """
        response = {
            "apiPath": self.api_path,
            "httpMethod": self.http_method,
            "httpStatusCode": status,
            "responseBody": {content_type: {"body": _text(body)}},
        }
        return self._answer(response, session_attributes, prompt_session_attributes)


def _by_name(parameters: Iterable[AgentParameter] | None) -> dict[str, Any]:
    return {parameter.name: parameter.value for parameter in parameters or ()}


def _text(body: object) -> str:
    return body if isinstance(body, str) else json.dumps(body)
