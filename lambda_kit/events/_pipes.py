"""
Batches that EventBridge Pipes hands to an enrichment or a target.

Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-event-source.html
"""

from __future__ import annotations

from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, Field

from lambda_kit.errors import EventError
from lambda_kit.events._carriers import Carrier, base64_bytes
from lambda_kit.events._model import ListEvent

M = TypeVar("M", bound=BaseModel)


class PipesRecord(Carrier):
    """
    One record, flat: what a batch has around it or below a key of its own (``kinesis``) is here beside the payload.

    The payload is SQS's ``body``, ``data`` of Kinesis and MQ, or Kafka's ``value``; a change in DynamoDB is ``dynamodb``.
    """

    source_name: ClassVar[str] = "pipes"

    event_source: str
    event_source_arn: str | None = Field(default=None, alias="eventSourceARN")
    # Kafka's: topic and partition.
    event_source_key: str | None = None
    aws_region: str | None = None
    body: str | None = Field(default=None, repr=False)
    data: str | None = Field(default=None, repr=False)
    value: str | None = Field(default=None, repr=False)
    key: str | None = Field(default=None, repr=False)
    dynamodb: dict[str, Any] | None = Field(default=None, repr=False)

    @property
    def payload(self) -> str | bytes:
        """What was sent, decoded."""
        if self.body is not None:
            return self.body
        for name, encoded in (("data", self.data), ("value", self.value)):
            if encoded is not None:
                return base64_bytes(encoded, source=self.source_name, at=name)
        raise EventError("pipes: body: the record has no payload", source=self.source_name, field="body")

    def parse(self, model: type[M]) -> M:
        """
        Return the payload, which is JSON, as *model*; of DynamoDB the item after the change.

        Raises:
            EventError: There is none, or it does not fit; it names the field and shows no value.
        """
        if self.dynamodb is not None:
            from lambda_kit.events._dynamodb import DynamoDbRecord

            return DynamoDbRecord.model_validate(self.raw).parse(model)
        return super().parse(model)


class PipesEvent(ListEvent):
    """
    A batch: a list, not an object. An enrichment answers with the list that the target gets.
    """

    source_name: ClassVar[str] = "pipes"

    items: list[PipesRecord]

    def unwrap(self, model: type[M]) -> list[M]:
        """
        Return what was sent, one *model* for each record; see the record's ``unwrap``.
        """
        return [item.unwrap(model) for item in self.items]
