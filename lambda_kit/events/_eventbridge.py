"""
Events of EventBridge buses, and of its schedules.

Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Generic

from pydantic import BaseModel, ConfigDict, Field

from lambda_kit.events._carriers import json_value
from lambda_kit.events._model import Event
from lambda_kit.events._times import iso_time
from lambda_kit.events._validation import from_object

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    D = TypeVar("D", default=Any)
    M = TypeVar("M", bound=BaseModel)
else:
    from typing import TypeVar

    D = TypeVar("D")
    M = TypeVar("M", bound=BaseModel)


def _hyphened(name: str) -> str:
    return name.replace("_", "-")


class EventBridgeEvent(Event, Generic[D]):
    """
    An event of a bus. ``EventBridgeEvent[OrderPlaced]`` has its ``detail`` as that model; otherwise it is what came.

    What comes from the bus is not answered; raising makes Lambda try again. AWS's own details have models too: :meth:`known_detail`.
    """

    model_config = ConfigDict(alias_generator=_hyphened)
    source_name: ClassVar[str] = "eventbridge"

    source: str
    detail_type: str
    detail: D = Field(repr=False)
    id: str | None = None
    version: str | None = None
    account: str | None = None
    time: str | None = None
    region: str | None = None
    resources: list[str] | None = None
    replay_name: str | None = None
    ingestion_time: str | None = None

    @property
    def occurred_at(self) -> datetime | None:
        """When it happened, as the sender says."""
        return iso_time(self.time)

    @property
    def ingested_at(self) -> datetime | None:
        """When the bus got it, where the event says so."""
        return iso_time(self.ingestion_time)

    @property
    def is_replay(self) -> bool:
        """Whether it comes from an archive."""
        return self.replay_name is not None

    def parse(self, model: type[M]) -> M:
        """
        Return the detail as *model*.

        Raises:
            EventError: It does not fit; it names the field and shows no value.
        """
        detail: Any = self.detail
        if isinstance(detail, BaseModel):
            detail = detail.model_dump(by_alias=True, exclude_unset=True)
        if isinstance(detail, str):
            # Schedules send text.
            detail = json_value(detail, source=self.source_name, at="detail")
        return from_object(model, detail, source=self.source_name, at="detail")

    def unwrap(self, model: type[M]) -> M:
        """
        Return the event, or the message, that the detail is, as *model*; the same as :meth:`parse`.
        """
        return self.parse(model)

    def known_detail(self) -> BaseModel | None:
        """
        Return the detail as the kit's model of it, such as ``S3ObjectDetail``; ``None`` where it has no model of that source and type.
        """
        from lambda_kit.events._eventbridge_details import model_of

        model = model_of(self.source, self.detail_type)
        return None if model is None else self.parse(model)


class ScheduledEvent(EventBridgeEvent[Any]):
    """
    The time has come: a rule's schedule, or EventBridge Scheduler with its own input.

    Scheduler's ``detail`` is text, ``"{}"`` unless configured. With an input of one's own it sends just that, and no event.
    """

    source_name: ClassVar[str] = "schedule"

    @property
    def is_scheduler(self) -> bool:
        """Whether EventBridge Scheduler sent it, not a rule."""
        return self.source == "aws.scheduler"

    @property
    def name(self) -> str | None:
        """The name of the rule or schedule."""
        return self.resources[0].rpartition("/")[2] if self.resources else None
