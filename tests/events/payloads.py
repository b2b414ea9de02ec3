"""
The project's own event payloads, one JSON file each, written from the fields that AWS documents; each model's module names
the page.

The one of each kind is part of the test kit, in ``lambda_kit/testing/samples``. Here are the others: a file is named for its
kind, and what follows two underscores tells variants apart.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import lambda_kit.testing

OWN = Path(__file__).parent
SAMPLES = Path(lambda_kit.testing.__file__).parent / "samples"


def payload(name: str) -> Any:
    """
    Return the payload *name*, such as ``sqs`` or ``sqs__fifo``: an object; for a few kinds, a list.
    """
    folder = OWN if (OWN / f"{name}.json").exists() else SAMPLES
    return json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))


def names(kind: str = "") -> list[str]:
    """
    Return the names of all payloads of *kind*, or of all kinds.
    """
    found = {path.stem for folder in (OWN, SAMPLES) for path in folder.glob("*.json")}
    return sorted(name for name in found if not kind or name.partition("__")[0] == kind)
