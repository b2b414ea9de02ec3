"""
Handles of environment variables: read at each call, converted when changed.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from lambda_kit import env, preload
from lambda_kit.errors import ConfigurationError, ParameterNotFoundError, ParameterValueError
from tests._configuration.exposure import given_away_by

if TYPE_CHECKING:
    from collections.abc import Callable

NAME = "LAMBDA_KIT_TEST_VARIABLE"


def test_variable_is_read_when_called(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Declaring reads nothing, and a change is seen.
    """
    monkeypatch.delenv(NAME, raising=False)
    table = env(NAME)
    seen = []
    for text in ("a", "b", ""):
        monkeypatch.setenv(NAME, text)
        seen.append(table())

    assert ["a", "b", ""] == seen
    assert f"<environment variable '{NAME}'>" == repr(table)


def test_variable_is_converted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The same text is converted once, another one again.
    """
    calls = []

    def counted(text: str) -> int:
        calls.append(text)
        return int(text)

    number = env(NAME, convert=counted)
    seen = []
    for text in ("1", "1", "2"):
        monkeypatch.setenv(NAME, text)
        seen.append(number())

    assert ([1, 1, 2], ["1", "2"]) == (seen, calls)


def test_callers_do_not_share_what_they_can_change(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A caller that changes its value changes nobody else's.
    """
    monkeypatch.setenv(NAME, '{"hosts": ["a"]}')
    settings = env(NAME, convert=json.loads)
    for _ in range(2):
        settings()["hosts"].append("b")

    assert {"hosts": ["a"]} == settings()


@pytest.mark.parametrize("use", [lambda handle: handle(), preload], ids=["call", "preload"])
def test_unset_variable_is_named(monkeypatch: pytest.MonkeyPatch, use: Callable[[object], object]) -> None:
    """
    Without a default an unset variable is an error that says what to do.
    """
    monkeypatch.delenv(NAME, raising=False)

    with pytest.raises(
        ParameterNotFoundError, match=f"environment variable '{NAME}' is not set: set it on the function, or give default="
    ) as raised:
        use(env(NAME))
    assert NAME == raised.value.name


def test_default_stands_for_an_unset_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The default is given as it is, until the variable is set, and again when it no longer is.
    """
    monkeypatch.delenv(NAME, raising=False)
    number = env(NAME, default=None, convert=int)
    seen = [number()]
    monkeypatch.setenv(NAME, "3")
    seen.append(number())
    monkeypatch.delenv(NAME)
    seen.append(number())

    assert [None, 3, None] == seen


def test_refused_variable_is_named_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Variables hold secrets too: the text is in no message, cause or frame.
    """
    planted = uuid4().hex
    monkeypatch.setenv(NAME, planted)

    with pytest.raises(ParameterValueError, match=f"environment variable '{NAME}' was refused by float with ValueError") as raised:
        env(NAME, convert=float)()
    assert planted not in given_away_by(raised.value)


def test_declaration_is_checked() -> None:
    """
    A name is needed.
    """
    with pytest.raises(ConfigurationError, match=r"env\(\) needs a name"):
        env("")
