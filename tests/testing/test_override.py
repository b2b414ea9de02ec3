"""
Values that a test gives instead of AWS.
"""

from __future__ import annotations

import json

import pytest
from pydantic import BaseModel

from lambda_kit import (
    get_parameter,
    get_parameters,
    get_parameters_by_path,
    get_secret,
    get_secrets,
    kms_env,
    parameter,
    preload,
    secret,
    secret_login,
)
from lambda_kit.errors import ParameterNotFoundError, ParameterUnavailableError, ParameterValueError
from lambda_kit.testing import override


class Login(BaseModel):
    """
    What a secret holds.
    """

    username: str
    password: str


def test_every_kind_of_value_is_given() -> None:
    """
    Texts, bytes, JSON, models: each reaches the reader through its own conversion, one by one and together.
    """
    login = Login(username="orders", password="x")
    values = {"/price": "1.5", "/price:1": "1.0", "binary": b"\x00", "login": login, "json": {"a": 1}, "KEY": "clear", "/on": True}
    with override(values):
        assert (1.5, "1.0", "1.0") == (parameter("/price", convert=float)(), get_parameter("/price:1"), get_parameter("/price", version=1))
        assert "1.5" == get_parameter("/price", version="live")
        assert (b"\x00", login, {"a": 1}) == (
            get_secret("binary", convert=bytes),
            secret("login", convert=Login)(),
            get_secret("json", convert=json.loads),
        )
        assert ("clear", True) == (kms_env("KEY")(), parameter("/on", convert=bool)())
        assert {"/price": "1.5", "/on": "true"} == get_parameters(["/price", "/on"])
        assert {"login", "json"} == set(get_secrets(["login", "json"]))
        assert "orders" == secret_login("login")(None).user


def test_paths_are_given() -> None:
    """
    A path has the names that begin with it.
    """
    with override({"/app/a": "1", "/app/sub/b": "2", "/apple": "3"}):
        assert {"/app/a": "1", "/app/sub/b": "2"} == get_parameters_by_path("/app")
        assert {"/app/a": "1"} == get_parameters_by_path("/app/", recursive=False)


def test_what_is_not_given_does_not_exist() -> None:
    """
    A forgotten name is an error that says so, as is another stage of a secret.
    """
    with override({"s": "1"}):
        with pytest.raises(ParameterNotFoundError, match=r"no parameter '/p' in override\(\): give it a value there"):
            get_parameter("/p")
        with pytest.raises(ParameterNotFoundError, match="AWSPENDING"):
            get_secret("s", version_stage="AWSPENDING")
        with pytest.raises(ParameterNotFoundError):
            preload(parameter("/p"), parameter("/q"))


def test_errors_are_given_too() -> None:
    """
    An exception stands for what AWS may do; a value that does not fit is refused as usual.
    """
    with override({"/down": ParameterUnavailableError("down", name="/down"), "/n": "no number"}):
        with pytest.raises(ParameterUnavailableError, match="down"):
            get_parameter("/down")
        with pytest.raises(ParameterValueError, match="was refused by int"):
            get_parameter("/n", convert=int)


def test_overrides_nest_and_end() -> None:
    """
    An inner one adds to the outer one; handles see each change at once, and no value outlives its block.
    """
    price, name = parameter("/price"), parameter("/name")
    with override({"/price": "1", "/name": "a"}):
        assert ("1", "a") == (price(), name())
        with override({"/price": "2"}):
            assert ("2", "a") == (price(), name())
        assert ("1", "a") == (price(), name())
    with override({}), pytest.raises(ParameterNotFoundError):
        price()
