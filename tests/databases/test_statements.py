"""
What the text of a statement says of transactions.
"""

from __future__ import annotations

import time

import pytest

from lambda_kit.databases._statements import commits

# Trying every way to divide the comments took minutes.
LONGEST_S = 1.0


@pytest.mark.parametrize(
    "statement",
    [
        "COMMIT",
        b"commit and chain",
        "-- the end\n  end;",
        "# the end\nCOMMIT",
        "/* a */ /* b */ -- c\n /* d */ COMMIT",
        "/* outer /* inner */ outer */ COMMIT",
        "UPDATE orders SET paid = true; /* done */ COMMIT",
        "PREPARE  TRANSACTION 'orders'",
    ],
)
def test_a_commit_is_seen_wherever_a_statement_begins(statement: str | bytes) -> None:
    """
    Behind blanks, comments, nested comments, and other statements.
    """
    assert commits(statement)


@pytest.mark.parametrize("statement", ["SELECT 1", "/* COMMIT */ SELECT 1", "ROLLBACK", "SELECT commit FROM git", "-- COMMIT", "COMMITTED"])
def test_what_commits_nothing_is_not_taken_for_a_commit(statement: str) -> None:
    """
    The word alone is not enough.
    """
    assert not commits(statement)


@pytest.mark.parametrize("mysql", [False, True])
def test_many_comments_are_looked_through_in_no_time(mysql: bool) -> None:
    """
    As at the top of a generated script.
    """
    began_s = time.monotonic()

    assert not commits("/**/ " * 1000 + "SELECT 1", mysql=mysql)
    assert time.monotonic() - began_s < LONGEST_S
