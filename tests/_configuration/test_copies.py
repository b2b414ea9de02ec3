"""
What one caller does to its value is not seen by another.
"""

from __future__ import annotations

import json
import re
import threading
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import BaseModel, ConfigDict

from lambda_kit import get_secret, secret
from lambda_kit._configuration._copies import copied, copier

if TYPE_CHECKING:
    from collections.abc import Callable


class Model(BaseModel):
    """
    Can be changed.
    """

    hosts: list[str] = []


class Frozen(BaseModel):
    """
    Cannot be changed, unless a member can.
    """

    model_config = ConfigDict(frozen=True)
    host: str = ""
    more: object = None


@dataclass
class Data:
    """
    Can be changed.
    """

    hosts: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class FrozenData:
    """
    Cannot be changed, unless a member can.
    """

    host: object = ""


class Key:
    """
    An object that is what it is.
    """


@pytest.mark.parametrize(
    "value",
    ["text", b"b", 3, None, Decimal(1), (1, "a"), frozenset({1}), Frozen(), FrozenData(), Key(), re.compile("x")],
    ids=lambda value: type(value).__name__,
)
def test_what_cannot_be_changed_is_shared(value: object) -> None:
    """
    One object serves all callers, and so does an object of a class of one's own.
    """
    assert copier(value) is None
    assert copied(value) is value


@pytest.mark.parametrize(
    "value",
    [
        {"a": [1]},
        [{"a": 1}],
        {1},
        bytearray(b"x"),
        ([],),
        Model(hosts=["a"]),
        Data(["a"]),
        Frozen(more=["a"]),
        FrozenData(["a"]),
        {"a": Data(["b"]), "b": ({},)},
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_can_be_changed_is_copied(value: object) -> None:
    """
    Each caller has an equal object of its own.
    """
    copy = copier(value)

    assert copy is not None
    assert value == copy(value)
    assert value is not copy(value)


@pytest.mark.parametrize("value", [Data([threading.Lock()]), Model.model_construct(hosts=[threading.Lock()])])  # type: ignore[list-item]  # so it is
def test_what_cannot_be_copied_is_shared(value: Any) -> None:
    """
    A lock or a client somewhere in it is no reason to refuse the value.
    """
    copy = copier(value)

    assert copy is not None
    assert copy(value) is value


def test_copies_go_all_the_way_down() -> None:
    """
    Members are copied too.
    """
    value: Any = {"a": [{"b": []}], "model": Model(hosts=["x"])}
    own = copied(value)
    own["a"][0]["b"].append(1)
    own["model"].hosts.append("y")

    assert {"a": [{"b": []}], "model": Model(hosts=["x"])} == value


@pytest.mark.parametrize("convert", [json.loads, Model.model_validate_json, Model], ids=["dict", "function", "model"])
def test_callers_do_not_share_what_they_can_change(put_secret: Callable[..., str], convert: Any) -> None:
    """
    A caller that empties its value empties nobody else's, through handle and getter alike.
    """
    put_secret("s", '{"hosts": ["a"]}')
    handle = secret("s", convert=convert)
    expected = convert('{"hosts": ["a"]}') if convert is not Model else Model(hosts=["a"])
    for value in (handle(), handle(), get_secret("s", convert=convert), get_secret("s", convert=convert)):
        assert expected == value
        (value["hosts"] if isinstance(value, dict) else value.hosts).clear()

    assert expected == handle() == get_secret("s", convert=convert)
