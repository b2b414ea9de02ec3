"""
The catalogue of failures has a test for each of its claims, D1 to D37; the first words of a test's docstring name its claim.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

# What each claim is about, in the order in which a connection meets it.
CLAIMS = {
    "D1": "an idle session terminated by the server",
    "D2": "a server killed and started again",
    "D3": "a server restarted in order",
    "D4": "PostgreSQL's idle_session_timeout",
    "D5": "MySQL's wait_timeout, and KILL",
    "D6": "Redis's CLIENT KILL, and its restart",
    "D7": "an idle flow that was dropped",
    "D8": "a peer that acknowledges and never answers",
    "D9": "a statement under way in a black hole",
    "D10": "a connect that nobody answers",
    "D11": "a freeze longer than the server waits",
    "D12": "a server that is down for a while",
    "D13": "a session killed at the moment of the checkout",
    "D14": "a finished rotation",
    "D15": "the window of a rotation",
    "D16": "a moment without a valid password",
    "D17": "a password that stays wrong",
    "D18": "sixteen processes in a rotation",
    "D19": "alternating users",
    "D20": "an open connection in a rotation",
    "D21": "a transaction left open by another invocation",
    "D22": "a failed transaction left behind",
    "D23": "a statement left running",
    "D24": "a statement lost in flight in a transaction",
    "D25": "an INSERT cut anywhere",
    "D26": "a COMMIT cut anywhere",
    "D27": "a fork",
    "D28": "a snapshot and its restore",
    "D29": "a failover",
    "D30": "a full server",
    "D31": "many threads",
    "D32": "news on an idle connection",
    "D33": "a transaction pooler in between",
    "D34": "TLS",
    "D35": "tokens of IAM",
    "D36": "an invocation at its end",
    "D37": "each class of error of each driver",
}
TESTS = Path(__file__).parents[1]
SOURCES = [*sorted(Path(__file__).parent.glob("test_*.py")), TESTS / "test_logins.py"]


def claimed() -> Iterator[tuple[str, str]]:
    """
    Yield each claim with the test that proves it.
    """
    for source in SOURCES:
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                found = re.match(r"(D\d+): \S", ast.get_docstring(node) or "")
                if found:
                    yield found[1], f"{source.name}::{node.name}"


def test_each_claim_has_a_test() -> None:
    """
    No number is left out, and none is made up.
    """
    assert set(CLAIMS) == {claim for claim, _ in claimed()}


def test_the_claims_are_numbered_without_a_gap() -> None:
    """
    One to thirty-seven, each with its subject.
    """
    assert [f"D{number}" for number in range(1, 38)] == list(CLAIMS)
    assert len(CLAIMS) == len(set(CLAIMS.values()))
