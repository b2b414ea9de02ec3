"""
One event of each kind that Lambda delivers, as JSON files: for tests, and for the command line.

They are written from the fields that AWS documents; names and secrets in them are made up.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parent / "samples"


def sample_kinds() -> list[str]:
    """
    Return the kinds of events there are samples of, such as ``"sqs"`` and ``"apigw_http_v2"``.
    """
    return sorted(path.stem for path in _FOLDER.glob("*.json"))


def sample_event(kind: str) -> Any:
    """
    Return a fresh event of *kind*: an object; for the few sources that deliver one, a list.

    Raises:
        LookupError: There is no such kind; the message has them all.
    """
    kinds = sample_kinds()
    if kind not in kinds:
        raise LookupError(f"no sample event of kind {kind!r}; there are: {', '.join(kinds)}")
    return json.loads((_FOLDER / f"{kind}.json").read_text(encoding="utf-8"))
