"""
``lambda-kit events``.
"""

from __future__ import annotations

import json
import sys

import pytest
from typer.testing import CliRunner

from lambda_kit import events
from lambda_kit._tools._cli import app
from lambda_kit.testing._samples import sample_event, sample_kinds


def test_every_kind_is_listed_with_its_model() -> None:
    """
    One line for each: name, model, and what it is.
    """
    done = CliRunner().invoke(app, ["events"])

    lines = [line.split(maxsplit=2) for line in done.stdout.splitlines()]
    assert 0 == done.exit_code
    assert sample_kinds() == [kind for kind, _, _ in lines]
    assert ["sqs", "SqsEvent", "A batch of messages"] in lines
    assert set() == {model for _, model, _ in lines} - set(events.__all__)


def test_a_sample_is_printed_as_json() -> None:
    """
    What is printed is an event, to be kept in a file.
    """
    done = CliRunner().invoke(app, ["events", "sqs"])

    assert (0, sample_event("sqs")) == (done.exit_code, json.loads(done.stdout))


def test_an_unknown_kind_says_which_there_are() -> None:
    """
    A misspelt kind is wrong use.
    """
    done = CliRunner().invoke(app, ["events", "sqss"])

    assert (2, "") == (done.exit_code, done.stdout)
    assert "error: no sample event of kind 'sqss'; there are: alb, " in done.stderr


def test_listing_needs_pydantic(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Without the models there is no list, and the extra to install is named.
    """
    monkeypatch.setitem(sys.modules, "pydantic", None)

    done = CliRunner().invoke(app, ["events"])

    assert 2 == done.exit_code
    assert "aws-lambda-kit[events]" in done.stderr
