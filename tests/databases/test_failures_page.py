"""
The table of failures in the documents names what the drivers' tables know, and nothing else.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lambda_kit.databases import _mysql, _postgres, _redis

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "databases.md"


def table_of_failures() -> str:
    return PAGE.read_text(encoding="utf-8").partition("## The table of failures")[2].partition("\n## ")[0]


def said_of(server: str) -> str:
    """
    Return what the cells say of one server: from its name to the end of the clause.
    """
    return " ".join(re.findall(rf"{server} ([^;|]*)", table_of_failures()))


def test_every_sqlstate_is_named() -> None:
    """
    Those of PostgreSQL, the class of connection exceptions among them.
    """
    known = {*_postgres._BY_SQLSTATE, _postgres._CONNECTION_EXCEPTION, _postgres._UNSUPPORTED}

    assert known == set(re.findall(r"`(\w{5}|08)`", said_of("PostgreSQL")))


def test_every_number_is_named() -> None:
    """
    Those of MySQL and MariaDB; 0 is PyMySQL's own, and two are of databases that are not there.
    """
    known = {*_mysql._BY_CODE, _mysql._OPTION_PREVENTS} - {0}
    not_there = {1044, 1049}

    assert known | not_there == {int(number) for number in re.findall(r"\b\d{4}\b", said_of("MySQL") + " " + said_of("MariaDB"))}


def test_every_class_is_named() -> None:
    """
    Those of redis-py that have a meaning of their own.
    """
    assert {name for _, name in _redis._BY_CLASS} == set(re.findall(r"`(\w+Error)`", said_of("Redis")))


@pytest.mark.parametrize("cause", ["closed", "unanswered", "lost", "read-only", "stale", "busy", "life"])
def test_every_cause_is_explained(cause: str) -> None:
    """
    The words of Stats.reconnects.
    """
    assert f"`{cause}`" in table_of_failures()
