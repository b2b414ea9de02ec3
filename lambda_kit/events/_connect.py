"""
What Amazon Connect asks from flows and outbound campaigns.

Source: https://docs.aws.amazon.com/connect/latest/adminguide/connect-lambda-functions.html
"""

from __future__ import annotations

from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_pascal

from lambda_kit.errors import EventError
from lambda_kit.events._model import Event, Part
from lambda_kit.events._validation import from_json

M = TypeVar("M", bound=BaseModel)


class ConnectPart(Part):
    """
    Be a part of an event of Connect, whose names begin with capitals.
    """

    model_config = ConfigDict(alias_generator=to_pascal)


class ConnectEndpoint(ConnectPart):
    """
    A telephone number, as a rule.
    """

    type: str | None = None
    address: str | None = Field(default=None, repr=False)


class ConnectQueue(ConnectPart):
    """
    The queue that the contact is in.
    """

    name: str | None = None
    arn: str | None = Field(default=None, alias="ARN")


class ConnectContact(ConnectPart):
    """
    The contact: who talks to whom over what. ``attributes`` are text, all of them.
    """

    contact_id: str | None = None
    initial_contact_id: str | None = None
    previous_contact_id: str | None = None
    related_contact_id: str | None = None
    channel: str | None = None
    language_code: str | None = None
    initiation_method: str | None = None
    instance_arn: str | None = Field(default=None, alias="InstanceARN")
    attributes: dict[str, str | None] | None = Field(default=None, repr=False)
    customer_endpoint: ConnectEndpoint | None = None
    customer_id: str | None = Field(default=None, repr=False)
    system_endpoint: ConnectEndpoint | None = None
    queue: ConnectQueue | None = None
    media_streams: dict[str, Any] | None = Field(default=None, repr=False)
    description: str | None = Field(default=None, repr=False)
    name: str | None = Field(default=None, repr=False)
    references: dict[str, Any] | None = Field(default=None, repr=False)
    tags: dict[str, Any] | None = None


class ConnectDetails(ConnectPart):
    """
    The contact, and what the flow's block sends beside it. Parameters are text, or a nested object where the block says so.
    """

    contact_data: ConnectContact
    parameters: dict[str, Any] | None = Field(default=None, repr=False)


class ConnectContactFlowEvent(Event):
    """
    A block of a contact flow calls the function.

    Answer with a flat object of text values, or with JSON where the block says so, at most 32 KB, within 8 seconds.
    """

    model_config = ConfigDict(alias_generator=to_pascal)
    source_name: ClassVar[str] = "connect"

    name: str | None = None
    details: ConnectDetails


class CampaignProfile(ConnectPart):
    """
    One customer; ``customer_data`` is JSON text.
    """

    profile_id: str
    customer_data: str | None = Field(default=None, repr=False)
    idempotency_token: str | None = None

    def parse(self, model: type[M]) -> M:
        """
        Return the customer's data as *model*.

        Raises:
            EventError: There are none, they are no JSON, or do not fit; it names the field and shows no value.
        """
        if self.customer_data is None:
            raise EventError("connect_campaign: CustomerData: there is none", source="connect_campaign", field="CustomerData")
        return from_json(model, self.customer_data, source="connect_campaign", at="CustomerData")


class CampaignItems(ConnectPart):
    """
    The customers whom the campaign is to reach.
    """

    customer_profiles: list[CampaignProfile] | None = None


class ConnectOutboundCampaignEvent(Event):
    """
    An outbound campaign runs an action for customers.

    Answer with ``{"Items": {"CustomerProfiles": [{"Id", "ResultData"}, ...]}}``.
    """

    model_config = ConfigDict(alias_generator=to_pascal)
    source_name: ClassVar[str] = "connect_campaign"

    invocation_metadata: dict[str, Any] | None = None
    items: CampaignItems
