"""
The trace header, by which the parts of one trace find each other.

Source: https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class TraceHeader:
    """
    The three facts of a trace header: ``Root=1-...;Parent=...;Sampled=1``.
    """

    root: str = ""
    parent: str = ""
    sampled: bool = False

    @classmethod
    def new(cls, *, sampled: bool) -> Self:
        """
        Begin a trace: the root has the time in it, the parent is the function's own segment.
        """
        return cls(f"1-{int(time.time()):08x}-{secrets.token_hex(12)}", secrets.token_hex(8), sampled)

    @classmethod
    def parse(cls, header: str) -> Self:
        """
        Read a header; what is missing stays empty.
        """
        facts = dict(part.strip().split("=", 1) for part in header.split(";") if "=" in part)
        return cls(facts.get("Root", ""), facts.get("Parent", ""), facts.get("Sampled") == "1")

    def __str__(self) -> str:
        return f"Root={self.root};Parent={self.parent};Sampled={int(self.sampled)}"
