"""
Events that nobody here wrote: those in the folder that LAMBDA_KIT_EVENTS names, one folder of JSON files for each kind.
"""

from __future__ import annotations

import copy
import json
import os
from pathlib import Path

import pytest

from lambda_kit import events
from lambda_kit.errors import EventError
from tests.events.kinds import MODELS
from tests.events.payloads import OWN, SAMPLES

_FOLDER = os.environ.get("LAMBDA_KIT_EVENTS")

# By name, with the reason.
_EXCLUDED = {
    "powertools-py-examples__middleware_factory-src-combining_powertools_utilities_event": "has Python's None as the text 'None'",
}
# One folder for the events of two generations of the same thing.
_ALSO = {"iot_button": {events.IotOneClickEvent}}


def _samples() -> list[tuple[str, Path]]:
    """
    Return kind and file of every sample: those of the folder, where there is one, beside the project's own.
    """
    own = [(path.stem.partition("__")[0], path) for folder in (SAMPLES, OWN) for path in sorted(folder.glob("*.json"))]
    found = sorted(Path(_FOLDER).glob("*/*.json")) if _FOLDER else []
    return own + [(path.parent.name, path) for path in found if path.stem not in _EXCLUDED]


@pytest.mark.parametrize(("kind", "path"), _samples(), ids=lambda value: getattr(value, "stem", value))
def test_every_sample_is_recognised(kind: str, path: Path) -> None:
    """
    A real event parses to the model of its source, is kept as it came and not changed.
    """
    raw = json.loads(path.read_text(encoding="utf-8"))
    before = copy.deepcopy(raw)

    event = events.parse_event(raw)

    assert type(event) in {MODELS[kind], *_ALSO.get(kind, ())}
    assert before == raw
    assert event.raw is raw


def test_few_samples_are_excluded() -> None:
    """
    At most five samples are left out; where the folder is, each exists, and none of them parses after all.
    """
    excluded = [path for path in Path(_FOLDER).glob("*/*.json") if path.stem in _EXCLUDED] if _FOLDER else []

    assert len(_EXCLUDED) <= 5
    assert len(excluded) == (len(_EXCLUDED) if _FOLDER else 0)
    for path in excluded:
        with pytest.raises(EventError):
            events.parse_event(json.loads(path.read_text(encoding="utf-8")))
