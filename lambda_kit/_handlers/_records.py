"""
Records of batches, source by source: which there are, what identifies and orders them, and how logic's input is read from one.

Everything is read from the event as it comes. A callable that wants a record's model gets it; a model of the payload does not
pay for it.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping

from lambda_kit import _sources
from lambda_kit._handlers._readers import reader
from lambda_kit._sources import lookup
from lambda_kit.errors import EventError
from lambda_kit.events._validation import from_json, is_model

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from lambda_kit._sources import Source

    Record = Mapping[str, Any]
    Read = Callable[[Record], object]

# How often SQS has delivered a message, this time included.
_RECEIVED = ("attributes", "ApproximateReceiveCount")


class Item:
    """
    One record of a batch.

    Attributes:
        identifier: What the log and ``BatchError`` call it.
        answer: What the source calls it in the answer.
        unit: What stops at this record's failure, all that comes later in it; ``None``: nothing does.
        record: As it came.
    """

    __slots__ = ("answer", "identifier", "record", "unit")

    def __init__(self, identifier: str, record: Record, unit: object = None, answer: object = None) -> None:
        self.identifier = identifier
        self.record = record
        self.unit = unit
        self.answer = identifier if answer is None else answer


class Batch(ABC):
    """
    How one source batches.

    Attributes:
        source: Its facts.
        model: The name in :mod:`lambda_kit.events` of a record's model.
    """

    __slots__ = ("model", "source")

    def __init__(self, source: Source, model: str) -> None:
        self.source = source
        self.model = model

    @property
    def is_checkpointed(self) -> bool:
        """Whether the source goes back to the first record named and delivers from there."""
        return self.source.answer == _sources.ANSWER_CHECKPOINT

    @abstractmethod
    def items(self, event: object) -> list[Item]:
        """
        Return the records; an event in which one has no id cannot be answered.

        Raises:
            EventError: It is of another source.
        """

    def lane(self, item: Item) -> object:
        """
        Return what keeps *item* in order with others: those of one lane are worked on one after the other.
        """
        return item.unit

    def is_new(self, items: Sequence[Item]) -> bool:  # noqa: ARG002  # for the sources that tell
        """
        Tell whether the source says of all *items* that they are delivered for the first time.
        """
        return False

    def reader(self, first: Any) -> Read:
        """
        Return what makes logic's input of a record.
        """
        return self.payload_reader(first) if is_model(first) else _view_reader(self.model, first, self.source.name)

    def payload_reader(self, model: Any) -> Read:
        """
        Return what makes *model* of a record's payload, which is JSON.
        """
        name, payload = self.source.name, self.payload
        at = ".".join(self.source.payload)
        return lambda record: from_json(model, payload(record), name, at)

    def payload(self, record: Record) -> str | bytes:
        """
        Return the payload of *record*, decoded.
        """
        from lambda_kit.events._carriers import base64_bytes, inflated

        at = ".".join(self.source.payload)
        text = lookup(record, self.source.payload)
        if not isinstance(text, str):
            raise EventError(f"{self.source.name}: {at}: the record has none", source=self.source.name, field=at)
        return inflated(base64_bytes(text, source=self.source.name, at=at))

    def listed(self, event: object) -> list[Any]:
        records = event.get(self.source.records) if isinstance(event, dict) else None
        if isinstance(records, list):
            return records
        raise self.refusal(f"it has no list of {self.source.records}")

    def refusal(self, reason: str) -> EventError:
        return EventError(f"this is no event of {self.source.name}: {reason}", source=self.source.name, field=self.source.records)


class SqsBatch(Batch):
    """
    Messages of a queue. Only FIFO queues order; fair queues have groups too.
    """

    __slots__ = ("_skips_group",)

    def __init__(self, *, skips_group: bool) -> None:
        super().__init__(_sources.SQS, "SqsRecord")
        self._skips_group = skips_group

    def items(self, event: object) -> list[Item]:
        records = self.listed(event)
        try:
            return [Item(record["messageId"], record, self._unit(record)) for record in records]
        except (KeyError, TypeError):
            pass
        raise self.refusal("a record has no messageId")

    def lane(self, item: Item) -> object:
        return None if item.unit is None else _group(item.record)

    def is_new(self, items: Sequence[Item]) -> bool:
        return all(lookup(item.record, _RECEIVED) == "1" for item in items)

    def payload_reader(self, model: Any) -> Read:
        # The shortest way, because it is taken once per message.
        return lambda record: from_json(model, record.get("body", ""), "sqs", "body")

    def _unit(self, record: Record) -> object:
        arn = record.get("eventSourceARN")
        if not (arn and str(arn).endswith(".fifo")):
            return None
        return _group(record) if self._skips_group else "queue"


class StreamBatch(Batch):
    """
    Records of one shard: of a Kinesis data stream or a DynamoDB stream. A failure stops all that comes later.
    """

    __slots__ = ()

    def items(self, event: object) -> list[Item]:
        path = self.source.identifier
        found = [Item(str(lookup(record, path) or ""), record, "shard") for record in self.listed(event)]
        if all(item.identifier for item in found):
            return found
        raise self.refusal(f"a record has no {path[-1]}")

    def lane(self, item: Item) -> object:
        return _hashable(lookup(item.record, self.source.group))


class KinesisBatch(StreamBatch):
    """
    Records of a Kinesis data stream, ordered by partition key.
    """

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(_sources.KINESIS, "KinesisRecord")


class DynamoDbBatch(StreamBatch):
    """
    Changes of a DynamoDB table, ordered by item. A model is given the item after the change, as Python values.
    """

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(_sources.DYNAMODB, "DynamoDbRecord")

    def payload_reader(self, model: Any) -> Read:
        from lambda_kit.events import DynamoDbRecord

        return lambda record: DynamoDbRecord.model_validate(record).parse(model)


class KafkaBatch(Batch):
    """
    Records of topics, ordered by partition.
    """

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(_sources.KAFKA, "KafkaRecord")

    def items(self, event: object) -> list[Item]:
        partitions = event.get("records") if isinstance(event, dict) else None
        if not isinstance(partitions, dict):
            raise self.refusal("it has no records by partition")
        try:
            return [_of_partition(name, record) for name, records in partitions.items() for record in records]
        except (KeyError, TypeError):
            pass
        raise self.refusal("a record has no offset")


class FirehoseBatch(Batch):
    """
    Records to transform, in no order.
    """

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(_sources.FIREHOSE, "FirehoseRecord")

    def items(self, event: object) -> list[Item]:
        found = [Item(str(lookup(record, ("recordId",)) or ""), record) for record in self.listed(event)]
        if all(item.identifier for item in found):
            return found
        raise self.refusal("a record has no recordId")

    def payload(self, record: Record) -> str | bytes:
        # From a topic it has another name.
        return super().payload({"data": record.get("data", record.get("kafkaRecordValue"))})


def _of_partition(name: str, record: Record) -> Item:
    offset = record["offset"]
    return Item(f"{name}@{offset}", record, name, {"partition": name, "offset": offset})


def _group(record: Record) -> object:
    return _hashable(lookup(record, _sources.SQS.group))


def _hashable(key: object) -> object:
    return json.dumps(key, sort_keys=True) if isinstance(key, Mapping) else str(key)


def _view_reader(name: str, first: Callable[[Any], object], source: str) -> Read:
    from lambda_kit import events

    model = getattr(events, name)
    return reader(lambda record: first(model.model_validate(record)), source)
