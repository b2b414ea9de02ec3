"""
What AppSync asks: fields of GraphQL APIs, one by one or in batches, channels of event APIs, and authorization.

Source: https://docs.aws.amazon.com/appsync/latest/devguide/resolver-context-reference.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, Field

from lambda_kit._http import Headers
from lambda_kit.errors import EventError
from lambda_kit.events._model import Event, ListEvent, Part
from lambda_kit.events._validation import from_object

M = TypeVar("M", bound=BaseModel)


class AppSyncRequest(Part):
    """
    The request's headers, and the custom domain where there is one.
    """

    headers: dict[str, Any] | None = Field(default=None, repr=False)
    domain_name: str | None = None

    @property
    def http_headers(self) -> Headers:
        """The headers, case-insensitive."""
        return Headers((name, str(value)) for name, value in (self.headers or {}).items() if value is not None)


class AppSyncInfo(Part):
    """
    The field that is asked for.
    """

    field_name: str | None = None
    parent_type_name: str | None = None
    variables: dict[str, Any] | None = Field(default=None, repr=False)
    selection_set_list: list[str] | None = None
    selection_set_graphql: str | None = Field(default=None, alias="selectionSetGraphQL")


class AppSyncResolverEvent(Event):
    """
    A field of a GraphQL API. A direct resolver sends all of this; a mapping template sends what it says, often
    ``typeName`` and ``fieldName`` in place of ``info``.

    ``identity`` depends on the authorization: ``None`` for API keys, claims of Cognito and OIDC, IAM's facts, or a Lambda
    authorizer's context.

    Answer with the field's value; raising makes it null and reports the message.
    """

    source_name: ClassVar[str] = "appsync"

    arguments: dict[str, Any] | None = Field(default=None, repr=False)
    identity: dict[str, Any] | str | None = Field(default=None, repr=False)
    source: dict[str, Any] | str | None = Field(default=None, repr=False)
    request: AppSyncRequest | None = None
    prev: dict[str, Any] | str | None = Field(default=None, repr=False)
    info: AppSyncInfo | None = None
    stash: dict[str, Any] | None = Field(default=None, repr=False)
    type_name: str | None = None
    field_name: str | None = None

    @property
    def field(self) -> str:
        """Type and name of the field: ``Query.getOrder``."""
        info = self.info or AppSyncInfo()
        return f"{info.parent_type_name or self.type_name or ''}.{info.field_name or self.field_name or ''}"

    def parse(self, model: type[M]) -> M:
        """
        Return the arguments as *model*.

        Raises:
            EventError: They do not fit; it names the field and shows no value.
        """
        return from_object(model, self.arguments or {}, source=self.source_name, at="arguments")


class AppSyncBatchEvent(ListEvent):
    """
    A field that is asked for on several objects at once.

    Answer with a list of values, as long and in the same order.
    """

    source_name: ClassVar[str] = "appsync_batch"

    items: list[AppSyncResolverEvent]


class AppSyncChannel(Part):
    """
    A channel: its path, and the path's parts.
    """

    path: str | None = None
    segments: list[str] | None = None


class AppSyncEventsInfo(Part):
    """
    The channel, and what happens on it: ``operation`` is ``PUBLISH`` or ``SUBSCRIBE``.
    """

    channel: AppSyncChannel
    operation: str | None = None
    channel_namespace: dict[str, Any] | None = None


class AppSyncPublished(Part):
    """
    One published event.
    """

    id: str | None = None
    payload: Any = Field(default=None, repr=False)

    def parse(self, model: type[M]) -> M:
        """
        Return the payload as *model*.

        Raises:
            EventError: It does not fit; it names the field and shows no value.
        """
        return from_object(model, self.payload, source="appsync_events", at="payload")


class AppSyncEventsEvent(Event):
    """
    A publication on, or a subscription to, a channel of an event API.

    Answer a publication with :meth:`respond`; a subscription with nothing, or with ``{"error": message}`` to refuse it.
    """

    source_name: ClassVar[str] = "appsync_events"

    info: AppSyncEventsInfo
    identity: dict[str, Any] | str | None = Field(default=None, repr=False)
    result: Any = Field(default=None, repr=False)
    request: AppSyncRequest | None = None
    error: Any = Field(default=None, repr=False)
    prev: Any = Field(default=None, repr=False)
    stash: dict[str, Any] | None = Field(default=None, repr=False)
    out_errors: list[Any] | None = Field(default=None, repr=False)
    events: list[AppSyncPublished] | None = None

    def respond(self, payloads: Mapping[str, object], errors: Mapping[str, str] | None = None) -> dict[str, Any]:
        """
        Return ``{"events": [{"id", "payload"} or {"id", "error"}, ...]}``; events in neither are not broadcast.

        Args:
            payloads: What to broadcast, by event id.
            errors: Why an event is refused, by event id.

        Raises:
            EventError: An id is not one of this event's.
        """
        refused = errors or {}
        known = [event.id for event in self.events or () if event.id is not None]
        if strangers := [name for name in (*payloads, *refused) if name not in known]:
            raise EventError(
                f"{self.source_name}: events: {len(strangers)} ids are not of this event", source=self.source_name, field="events"
            )
        answers: list[dict[str, object]] = []
        for name in known:
            if name in refused:
                answers.append({"id": name, "error": refused[name]})
            elif name in payloads:
                answers.append({"id": name, "payload": payloads[name]})
        return {"events": answers}


class AppSyncAuthorizerContext(Part):
    """
    The query that is to be allowed.
    """

    api_id: str | None = None
    account_id: str | None = None
    request_id: str | None = None
    query_string: str | None = Field(default=None, repr=False)
    operation_name: str | None = None
    variables: dict[str, Any] | None = Field(default=None, repr=False)


class AppSyncAuthorizerEvent(Event):
    """
    AppSync asks about a token.

    Answer with :meth:`respond`.
    """

    source_name: ClassVar[str] = "appsync_authorizer"

    authorization_token: str = Field(repr=False)
    request_context: AppSyncAuthorizerContext
    request_headers: dict[str, Any] | None = Field(default=None, repr=False)

    def respond(
        self,
        is_authorized: bool,
        *,
        resolver_context: Mapping[str, str] | None = None,
        denied_fields: list[str] | None = None,
        ttl_override_s: int | None = None,
    ) -> dict[str, Any]:
        """
        Return ``{"isAuthorized", "resolverContext", "deniedFields", "ttlOverride"}``.

        Args:
            resolver_context: What resolvers get as identity; text only, at most 5 MB.
            denied_fields: Fields that become null: ``Mutation.createEvent``, or ARNs.
            ttl_override_s: How long the answer is cached; 0 is not at all.
        """
        answer: dict[str, Any] = {"isAuthorized": is_authorized}
        if resolver_context is not None:
            answer["resolverContext"] = dict(resolver_context)
        if denied_fields is not None:
            answer["deniedFields"] = list(denied_fields)
        if ttl_override_s is not None:
            answer["ttlOverride"] = ttl_override_s
        return answer
