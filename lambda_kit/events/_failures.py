"""
Records of what failed: destinations of asynchronous invocations and of event source mappings, dead letters, Step Functions' errors.

Source: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_pascal

from lambda_kit.errors import EventError
from lambda_kit.events._carriers import json_value, unwrapped
from lambda_kit.events._model import Event, Part
from lambda_kit.events._sqs import SqsEvent, SqsRecord
from lambda_kit.events._times import iso_time

M = TypeVar("M", bound=BaseModel)


class InvocationFacts(Part):
    """
    Which invocation, and why it ended here: ``Success``, ``RetriesExhausted``, ``EventAgeExceeded``, ``RetryAttemptsExhausted`` ...
    """

    condition: str
    request_id: str | None = None
    function_arn: str | None = None
    approximate_invoke_count: int | None = None


class InvocationOutcome(Part):
    """
    How the last attempt ended; missing where the function was not invoked.
    """

    status_code: int | None = None
    executed_version: str | None = None
    function_error: str | None = None


class DestinationEvent(Event):
    """
    An asynchronous invocation has ended, well or not. Another function may be its destination, or a queue, a topic or a bus lies between.
    """

    source_name: ClassVar[str] = "destination"

    request_context: InvocationFacts
    request_payload: Any = Field(repr=False)
    response_context: InvocationOutcome | None = None
    response_payload: Any = Field(default=None, repr=False)
    version: str | None = None
    timestamp: str | None = None

    @property
    def ended_at(self) -> datetime | None:
        """When Lambda gave up, or the function succeeded."""
        return iso_time(self.timestamp)

    @property
    def has_succeeded(self) -> bool:
        """Whether the invocation went well."""
        return self.request_context.condition == "Success"

    def unwrap(self, model: type[M]) -> M:
        """
        Return the event that the function was invoked with as *model*; raises ``EventError``.
        """
        return unwrapped(json.dumps(self.request_payload), model, source=self.source_name, at="requestPayload")


class StreamBatch(Part):
    """
    Where the batch is, to be read again: Lambda keeps records of streams by reference only.
    """

    shard_id: str | None = None
    start_sequence_number: str | None = None
    end_sequence_number: str | None = None
    approximate_arrival_of_first_record: str | None = None
    approximate_arrival_of_last_record: str | None = None
    batch_size: int | None = None
    stream_arn: str | None = None

    @property
    def first_arrived_at(self) -> datetime | None:
        """When the stream got the batch's first record."""
        return iso_time(self.approximate_arrival_of_first_record)

    @property
    def last_arrived_at(self) -> datetime | None:
        """When the stream got the batch's last record."""
        return iso_time(self.approximate_arrival_of_last_record)


class KafkaBatch(Part):
    """
    Where the batch is, to be read again: offsets by topic and partition; in a Kafka topic's record, those of one record.
    """

    batch_size: int | None = None
    event_source_arn: str | None = None
    bootstrap_servers: str | None = None
    payload_size: int | None = None
    records_info: dict[str, Any] | None = None
    record_info: dict[str, Any] | None = None


class FailedBatchEvent(Event):
    """
    An event source mapping gave up a batch. In S3 and Kafka the record has the batch, too: :meth:`unwrap`; elsewhere not.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html and kafka-on-failure.html
    """

    source_name: ClassVar[str] = "failed_batch"

    request_context: InvocationFacts
    response_context: InvocationOutcome | None = None
    version: str | None = None
    timestamp: str | None = None
    kinesis_batch: StreamBatch | None = Field(default=None, alias="KinesisBatchInfo")
    dynamodb_batch: StreamBatch | None = Field(default=None, alias="DDBStreamBatchInfo")
    kafka_batch: KafkaBatch | None = Field(default=None, alias="KafkaBatchInfo")
    payload: Any = Field(default=None, repr=False)

    @property
    def ended_at(self) -> datetime | None:
        """When Lambda gave up."""
        return iso_time(self.timestamp)

    def unwrap(self, model: type[M]) -> M:
        """
        Return the batch, as the function got it, as *model*.

        Raises:
            EventError: The record has none, or it does not fit.
        """
        if self.payload is None:
            raise EventError("failed_batch: payload: the record has none", source=self.source_name, field="payload")
        text = self.payload if isinstance(self.payload, str) else json.dumps(self.payload)
        return unwrapped(text, model, source=self.source_name, at="payload")


class DeadLetterRecord(SqsRecord):
    """
    An event that a function failed on, in its dead-letter queue: the body is the event, the attributes say what went wrong.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html#invocation-dlq
    """

    source_name: ClassVar[str] = "dead_letter"

    @property
    def request_id(self) -> str | None:
        """The failed invocation's id."""
        return self._attribute("RequestID")

    @property
    def error_code(self) -> int | None:
        """The HTTP status of the last attempt."""
        code = self._attribute("ErrorCode") or ""
        return int(code) if code.isdecimal() and len(code) < 10 else None

    @property
    def error_message(self) -> str | None:
        """The first kilobyte of the error's message."""
        return self._attribute("ErrorMessage")

    def _attribute(self, name: str) -> str | None:
        value = self.message_attribute(name)
        return value if isinstance(value, str) else None


class DeadLetterEvent(SqsEvent):
    """
    A batch of a dead-letter queue. As it is SQS's, :func:`parse_event` takes it for that; this model is for those who know.
    """

    source_name: ClassVar[str] = "dead_letter"

    records: list[DeadLetterRecord] = Field(alias="Records")  # type: ignore[assignment]  # frozen, so a list of a narrower type will do


class StepFunctionsErrorEvent(Event):
    """
    An error that a state machine caught and hands to a function.

    Source: https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
    """

    model_config = ConfigDict(alias_generator=to_pascal)
    source_name: ClassVar[str] = "step_functions"

    error: str
    cause: str | None = Field(default=None, repr=False)

    def cause_json(self) -> Any:
        """
        Return the cause as Python values: of a function's error ``{"errorMessage", "errorType", "requestId", "stackTrace"}``.

        Raises:
            EventError: It is no JSON: causes of other services are plain text.
        """
        return json_value(self.cause or "", source=self.source_name, at="Cause")
