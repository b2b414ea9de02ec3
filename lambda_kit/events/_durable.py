"""
What the runtime hands to a durable function before its SDK unwraps it.

Source: https://docs.aws.amazon.com/lambda/latest/dg/durable-functions.html
"""

from __future__ import annotations

from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_pascal

from lambda_kit.errors import EventError
from lambda_kit.events._carriers import unwrapped
from lambda_kit.events._model import Event, Part
from lambda_kit.events._validation import from_json

M = TypeVar("M", bound=BaseModel)


class DurableExecutionDetails(Part):
    """
    What the execution was started with: JSON text.
    """

    model_config = ConfigDict(alias_generator=to_pascal)

    input_payload: str | None = Field(default=None, repr=False)


class DurableOperation(Part):
    """
    One step so far; the first is the execution itself.
    """

    model_config = ConfigDict(alias_generator=to_pascal)

    id: str | None = None
    type: str | None = None
    name: str | None = None
    status: str | None = None
    parent_id: str | None = None
    # Epoch seconds or text, whoever serialises it.
    start_timestamp: int | float | str | None = None
    end_timestamp: int | float | str | None = None
    execution_details: DurableExecutionDetails | None = None


class DurableState(Part):
    """
    The steps so far; more of them are behind the marker.
    """

    model_config = ConfigDict(alias_generator=to_pascal)

    operations: list[DurableOperation] = Field(default_factory=list)
    next_marker: str | None = None


class DurableExecutionEvent(Event):
    """
    A durable execution starts, or goes on. :meth:`parse` is what it was started with.
    """

    model_config = ConfigDict(alias_generator=to_pascal)
    source_name: ClassVar[str] = "durable"

    durable_execution_arn: str
    checkpoint_token: str | None = Field(default=None, repr=False)
    initial_execution_state: DurableState
    updated_operation_ids: list[Any] | None = None

    @property
    def input_payload(self) -> str | None:
        """What the execution was started with, JSON text; ``None`` where the event does not have it."""
        for operation in self.initial_execution_state.operations:
            if operation.execution_details is not None:
                return operation.execution_details.input_payload
        return None

    def parse(self, model: type[M]) -> M:
        """
        Return what the execution was started with as *model*.

        Raises:
            EventError: The event does not have it, or it does not fit.
        """
        return from_json(model, self._input(), source=self.source_name, at=_AT)

    def unwrap(self, model: type[M]) -> M:
        """
        Return the event that the execution was started with as *model*; raises ``EventError``.
        """
        return unwrapped(self._input(), model, source=self.source_name, at=_AT)

    def _input(self) -> str:
        if self.input_payload is None:
            raise EventError(f"durable: {_AT}: the event has none", source=self.source_name, field=_AT)
        return self.input_payload


_AT = "InitialExecutionState.Operations.0.ExecutionDetails.InputPayload"
