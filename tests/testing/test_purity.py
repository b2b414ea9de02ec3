"""
assert_pure: logic that imports AWS, the kit or the environment is named, with the line.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from lambda_kit.testing import assert_pure


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """
    A folder on the path, for modules whose names no other test uses.
    """
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    return tmp_path


def _write(root: Path, **files: str) -> None:
    for name, source in files.items():
        path = root / f"{name.replace('__', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, encoding="utf-8")
    for folder in {(root / name.replace("__", "/")).parent for name in files} - {root}:
        (folder / "__init__.py").touch()


def test_logic_of_its_own_is_pure(root: Path) -> None:
    """
    The standard library, pydantic and modules beside it may be imported.
    """
    _write(root, pure_logic="import os.path\nfrom decimal import Decimal\nimport pydantic\nimport pure_prices\n", pure_prices="PRICE = 1\n")

    assert_pure("pure_logic")


@pytest.mark.parametrize(
    ("source", "offence"),
    [
        ("import boto3\n", "impure_logic.py:1 imports boto3"),
        ("\nfrom botocore.exceptions import ClientError\n", "impure_logic.py:2 imports botocore.exceptions"),
        ("def f():\n    from lambda_kit import env\n", "impure_logic.py:2 imports lambda_kit"),
        ("import importlib\nx = importlib.import_module('boto3')\n", "impure_logic.py:2 imports boto3"),
        ("import os\nx = os.environ['A']\n", "impure_logic.py:2 reads the environment"),
        ("import os\nx = os.getenv('A')\n", "impure_logic.py:2 reads the environment"),
        ("from os import environ\n", "impure_logic.py:1 reads the environment"),
        ("TYPE_CHECKING = False\nif TYPE_CHECKING:\n    pass\nelse:\n    import boto3\n", "impure_logic.py:5 imports boto3"),
    ],
)
def test_what_is_impure_is_named(root: Path, source: str, offence: str) -> None:
    """
    Each offence is a line with the file and where in it.
    """
    _write(root, impure_logic=source)

    with pytest.raises(AssertionError) as caught:
        assert_pure("impure_logic")

    assert f"logic is not pure:\n  {offence}" == str(caught.value)


def test_what_only_checkers_see_is_allowed(root: Path) -> None:
    """
    Types of clients may be named.
    """
    _write(root, typed_logic="import typing\nif typing.TYPE_CHECKING:\n    import boto3\n")

    assert_pure("typed_logic")


def test_what_is_imported_from_beside_counts_too(root: Path) -> None:
    """
    An offence behind an import of one's own is one, however it is imported; circles end.
    """
    _write(
        root,
        shop__logic="from . import prices\nfrom shop.stock import left\n",
        shop__prices="from .logic import place\nimport boto3\n",
        shop__stock="from lambda_kit import client\n",
    )

    with pytest.raises(AssertionError) as caught:
        assert_pure("shop.logic")

    assert {"prices.py:2 imports boto3", "stock.py:1 imports lambda_kit"} == {line.strip() for line in str(caught.value).splitlines()[1:]}


def test_a_package_stands_for_its_files(root: Path) -> None:
    """
    A package's name, or the package itself, checks all of it.
    """
    _write(root, store__inner__deep="import boto3\n", store__clean="")

    with pytest.raises(AssertionError, match=r"deep\.py:1 imports boto3"):
        assert_pure(importlib.import_module("store"))

    for name in [name for name in sys.modules if name.partition(".")[0] == "store"]:
        del sys.modules[name]


def test_more_can_be_forbidden(root: Path) -> None:
    """
    Which packages are impure is the user's choice.
    """
    _write(root, web_logic="import requests\nimport boto3\n")

    with pytest.raises(AssertionError, match=r"^logic is not pure:\n  web_logic\.py:1 imports requests$"):
        assert_pure("web_logic", impure=["requests"])


@pytest.mark.parametrize("name", ["no_such_module", "sys"])
def test_a_module_without_source_is_an_error(name: str) -> None:
    """
    A misspelt name does not pass for purity.
    """
    with pytest.raises(ModuleNotFoundError, match=f"no module '{name}' with a source file"):
        assert_pure(name)
