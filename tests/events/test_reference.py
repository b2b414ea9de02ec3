"""
The reference of events in the documentation.
"""

from __future__ import annotations

import re
from pathlib import Path

from lambda_kit import events
from tests.events.kinds import MODELS

_PAGE = Path(__file__).parents[2] / "docs" / "reference" / "events.md"


def test_every_kind_is_in_the_reference() -> None:
    """
    The table has each kind of event with its model, and none that is not there.
    """
    rows = re.findall(r"^\| `(\w+)` \| `(\w+)` \|", _PAGE.read_text(encoding="utf-8"), re.MULTILINE)

    assert {kind: model.__name__ for kind, model in MODELS.items()} == dict(rows)


def test_every_event_is_in_the_reference() -> None:
    """
    No model of an event that Lambda delivers is left out.
    """
    delivered = {name for name in events.__all__ if name.endswith("Event")}
    shared = {"CloudWatchLogEvent", "CognitoEvent", "Event", "HttpEvent", "KafkaEvent", "ListEvent"}

    assert set() == {name for name in delivered - shared if f"`{name}`" not in _PAGE.read_text(encoding="utf-8")}
