"""
What CloudWatch dashboards ask custom widgets.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/add_custom_widget_dashboard_about.html
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from pydantic import Field

from lambda_kit.events._model import Event, Part
from lambda_kit.events._times import epoch_time


class WidgetTimeRange(Part):
    """
    What the dashboard shows, in epoch milliseconds; ``zoom`` where the user has zoomed in.
    """

    mode: str | None = None
    start: int | None = None
    end: int | None = None
    relative_start: int | None = None
    zoom: dict[str, int | None] | None = None


class WidgetContext(Part):
    """
    The dashboard, the widget, and how it looks.
    """

    dashboard_name: str | None = None
    widget_id: str | None = None
    domain: str | None = None
    account_id: str | None = None
    locale: str | None = None
    timezone: dict[str, Any] | None = None
    period: int | None = None
    is_auto_period: bool | None = None
    time_range: WidgetTimeRange | None = None
    theme: str | None = None
    link_charts: bool | None = None
    title: str | None = None
    forms: dict[str, Any] | None = Field(default=None, repr=False)
    params: dict[str, Any] | str | None = Field(default=None, repr=False)
    width: int | None = None
    height: int | None = None


class CloudWatchWidgetEvent(Event):
    """
    A widget is to be drawn, or described. The widget's own parameters stand beside ``widgetContext``, in ``raw``.

    Answer with HTML as text, with ``{"markdown": text}``, or with any JSON.
    """

    source_name: ClassVar[str] = "dashboard_widget"

    describe: bool | None = None
    widget_context: WidgetContext | None = None

    @property
    def time_range(self) -> tuple[datetime, datetime] | None:
        """What to show, from and to: the part the user has zoomed in on, if any."""
        shown = self.widget_context.time_range if self.widget_context else None
        if shown is None:
            return None
        part: dict[str, int | None] = {**shown.zoom} if shown.zoom else {"start": shown.start, "end": shown.end}
        start, end = epoch_time(part.get("start"), per_s=1000), epoch_time(part.get("end"), per_s=1000)
        return None if start is None or end is None else (start, end)
