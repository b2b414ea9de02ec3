"""
Messages of SNS topics.

Source: https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_pascal

from lambda_kit.events._carriers import Batch, Carrier
from lambda_kit.events._model import Event, Part
from lambda_kit.events._times import iso_time

M = TypeVar("M", bound=BaseModel)


class SnsMessageAttribute(Part):
    """
    One attribute that the publisher attached. The value of type ``Binary`` is Base64.
    """

    model_config = ConfigDict(alias_generator=to_pascal)

    type: str | None = None
    value: str | None = Field(default=None, repr=False)


class SnsMessage(Carrier):
    """
    What was published, as Lambda gets it and as it is in a queue without raw delivery: ``record.unwrap(SnsMessage)``.

    FIFO topics send no signature, and Lambda and queues write the URLs differently (``SigningCertUrl``, ``SigningCertURL``):
    :attr:`signing_cert_url` and :attr:`unsubscribe_url` have either.
    """

    model_config = ConfigDict(alias_generator=to_pascal)
    source_name: ClassVar[str] = "sns"
    payload_at: ClassVar[str] = "Message"
    is_envelope: ClassVar[bool] = True

    message: str = Field(repr=False)
    type: str | None = None
    message_id: str | None = None
    topic_arn: str | None = None
    subject: str | None = Field(default=None, repr=False)
    timestamp: str | None = None
    message_attributes: dict[str, SnsMessageAttribute] | None = None
    sequence_number: str | None = None
    message_group_id: str | None = None
    message_deduplication_id: str | None = None
    signature_version: str | None = None
    signature: str | None = Field(default=None, repr=False)

    @property
    def payload(self) -> str:
        """The message, as it was published."""
        return self.message

    @property
    def published_at(self) -> datetime | None:
        """When the message was published."""
        return iso_time(self.timestamp)

    @property
    def signing_cert_url(self) -> str | None:
        """Where the certificate is that the message was signed with."""
        return self._either("SigningCertUrl", "SigningCertURL")

    @property
    def unsubscribe_url(self) -> str | None:
        """Who visits it ends the subscription."""
        return self._either("UnsubscribeUrl", "UnsubscribeURL")

    def _either(self, *names: str) -> str | None:
        # Extra fields rather than two aliases of one: what comes out again is spelt as it came in.
        extra = self.model_extra or {}
        return next((str(extra[name]) for name in names if extra.get(name) is not None), None)


class SnsRecord(Event):
    """
    One message with the subscription it came through.
    """

    model_config = ConfigDict(alias_generator=to_pascal)
    source_name: ClassVar[str] = "sns"

    sns: SnsMessage
    event_source: str | None = None
    event_version: str | None = None
    event_subscription_arn: str | None = None

    def keep_raw(self, raw: dict[str, Any]) -> None:
        super().keep_raw(raw)
        if isinstance(message := raw.get("Sns"), dict):
            self.sns.keep_raw(message)

    def parse(self, model: type[M]) -> M:
        """
        Return the message, which is JSON, as *model*; raises ``EventError``.
        """
        return self.sns.parse(model)

    def unwrap(self, model: type[M]) -> M:
        """
        Return the event that was published, such as ``S3Event``, as *model*; raises ``EventError``.
        """
        return self.sns.unwrap(model)


class SnsEvent(Batch):
    """
    One message: AWS delivers a list, and it has one element.

    Nobody reads the answer; raising makes Lambda try again.
    """

    source_name: ClassVar[str] = "sns"

    records: list[SnsRecord] = Field(alias="Records")
