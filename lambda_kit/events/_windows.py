"""
Tumbling windows: what Lambda adds to a stream's batch, and what it wants back.

Source: https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-windows.html
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from lambda_kit.events._model import Part
from lambda_kit.events._times import iso_time


class Window(Part):
    """
    From when to when.
    """

    start: str | None = None
    end: str | None = None

    @property
    def starts_at(self) -> datetime | None:
        """When the window starts."""
        return iso_time(self.start)

    @property
    def ends_at(self) -> datetime | None:
        """When the window ends."""
        return iso_time(self.end)


class Windowed(Part):
    """
    Be a batch of a window. The final one may have no records.
    """

    window: Window
    state: dict[str, Any] | None = Field(default=None, repr=False)
    shard_id: str | None = None
    event_source_arn: str | None = Field(default=None, alias="eventSourceARN")
    is_final_invoke_for_window: bool = False
    is_window_terminated_early: bool = False

    def response(self, state: dict[str, Any] | None = None) -> dict[str, Any]:
        """
        Return the answer that hands *state* to the window's next batch, at most 1 MB.
        """
        return {"state": state or {}}
