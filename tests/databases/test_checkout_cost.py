"""
What a warm checkout costs, in what can be counted: calls, looks at a clock, and what it asks of the server.
"""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from lambda_kit import _invocation
from tests.databases.fakes import FakeContext

if TYPE_CHECKING:
    from types import FrameType

    from psycopg import Connection

    from lambda_kit.databases import Database
    from tests.databases.conftest import Orders

# psycopg_pool, which looks at no socket and at no deadline, makes 32 and 16.
MOST_CALLS = 24
MOST_BUILTIN_CALLS = 14
# Idle since when, before and after, by either clock.
CLOCKS = {"time": 2, "monotonic": 2}


def calls_of_a_checkout(database: Database[Connection]) -> tuple[Counter[str], Counter[str]]:
    """
    Return the functions that a checkout calls, those written in Python and the built-in ones.
    """
    written: Counter[str] = Counter()
    builtin: Counter[str] = Counter()

    def note(frame: FrameType, event: str, called: object) -> None:
        if event == "call":
            written[frame.f_code.co_name] += 1
        elif event == "c_call":
            builtin[getattr(called, "__name__", "?")] += 1

    for _ in range(2):
        with database.connection():
            pass
    sys.setprofile(note)
    try:
        with database.connection():
            pass
    finally:
        sys.setprofile(None)
    del builtin["setprofile"]
    return written, builtin


@pytest.mark.parametrize("inside", [False, True], ids=["outside of an invocation", "in an invocation"])
def test_a_warm_checkout_makes_few_calls(database: Database[Connection], *, inside: bool) -> None:
    """
    Two dozen calls, and as many in an invocation, whose deadline is worked out once.
    """
    if inside:
        with _invocation.scope(FakeContext(30.0)):
            written, builtin = calls_of_a_checkout(database)
    else:
        written, builtin = calls_of_a_checkout(database)

    assert MOST_CALLS >= written.total(), written
    assert MOST_BUILTIN_CALLS >= builtin.total(), builtin
    assert CLOCKS == {name: builtin[name] for name in ("time", "monotonic")}


def test_a_warm_checkout_asks_nothing_of_the_server(database: Database[Connection], orders: Orders) -> None:
    """
    The server has seen no statement of the session since the last one that was the user's.
    """
    asked = "SELECT state_change, query FROM pg_stat_activity WHERE usename = %s"
    with database.connection() as connection:
        connection.execute("SELECT 1")
    before = orders.server.execute(asked, [orders.role])

    for _ in range(3):
        with database.connection():
            pass

    assert 1 == len(before)
    assert before == orders.server.execute(asked, [orders.role])
