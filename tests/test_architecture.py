"""
The house keeps its own rules, and the rules catch whoever breaks them.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests import architecture

_ROOT = Path(__file__).parents[1]

_SOUND = {
    "__init__.py": "from lambda_kit._lazy import attach\nif TYPE_CHECKING:\n    from lambda_kit.events import Event\n",
    "_lazy.py": "import importlib\n",
    "_require.py": "import importlib\n",
    "_cache.py": "import threading\nfrom lambda_kit._require import require\ndef f(): from tenacity import Retrying\n",
    "events/__init__.py": "from pydantic import BaseModel\nfrom lambda_kit.events import _models, sqs\n",
    "events/_models.py": "import datetime\n",
    "events/sqs.py": "from lambda_kit.events._models import x\nfrom . import _models\n",
    "databases.py": "def f():\n    from lambda_kit._require import require\n    require('psycopg', extra='postgres')\n",
    "_handlers.py": "import inspect\n",
    "_tools/__init__.py": "import typer, time\nclass A: started = time.time()\n",
    "__main__.py": "from lambda_kit._tools import main\n",
}
_FLOORS = {
    "_lazy": 0,
    "errors": 0,
    "_require": 1,
    "_cache": 4,
    "events": 4,
    "databases": 5,
    "_handlers": 6,
    "_tools": 9,
    "__main__": 9,
    "__init__": 10,
}
_PLANNED = {"errors"}


def test_the_house_keeps_its_rules() -> None:
    """
    No module of the kit breaks a rule.
    """
    assert [] == architecture.complaints(architecture.read(_ROOT / "lambda_kit"))


def test_the_published_table_is_the_checked_one() -> None:
    """
    The floors that the documentation shows are the floors this test holds the code to.
    """
    page = (_ROOT / "docs" / "explanation" / "house.md").read_text(encoding="utf-8")

    published = {name: int(floor) for name, floor in re.findall(r"^\| `([\w.]+?)(?:\.py|/)?` \|.*\| (\d+) \|$", page, re.MULTILINE)}

    assert architecture.FLOORS == published


def test_a_sound_tree_has_no_complaints(tmp_path: Path) -> None:
    """
    What the rules allow is not complained about: open doors, lower floors, type-only and in-function imports.
    """
    assert [] == _complaints(tmp_path, {})


@pytest.mark.parametrize(
    ("path", "source", "complaint"),
    [
        ("_lazy.py", "from lambda_kit._cache import x", "_lazy: line 1 imports _cache: floor 4 is not below floor 0"),
        ("_lazy.py", "import lambda_kit", "_lazy: line 1 imports __init__: floor 10 is not below floor 0"),
        ("_lazy.py", "from lambda_kit import anything", "_lazy: line 1 imports __init__: floor 10 is not below floor 0"),
        ("_lazy.py", "from . import _cache", "_lazy: line 1 imports _cache: floor 4 is not below floor 0"),
        ("_lazy.py", "def f():\n    from lambda_kit import _cache", "_lazy: line 2 imports _cache: floor 4 is not below floor 0"),
        (
            "_lazy.py",
            "TYPE_CHECKING = False\nif TYPE_CHECKING:\n    from ._cache import x",
            "_lazy: line 3 imports _cache: floor 4 is not below floor 0",
        ),
        (
            "_lazy.py",
            "import importlib\nimportlib.import_module('lambda_kit._cache')",
            "_lazy: line 2 imports _cache: floor 4 is not below floor 0",
        ),
        ("_cache.py", "import lambda_kit.events.sqs", "_cache: line 1 imports events.sqs: floor 4 is not below floor 4"),
        ("events/_models.py", "from ..databases import x", "events._models: line 1 imports databases: floor 5 is not below floor 4"),
        (
            "events/_models.py",
            "from lambda_kit.events import sqs",
            "events._models: line 1 imports events.sqs: files of a package import its underscore modules only",
        ),
        (
            "events/_models.py",
            "from lambda_kit.events import Event",
            "events._models: line 1 imports events: files of a package import its underscore modules only",
        ),
        ("_handlers.py", "import requests.adapters", "_handlers: line 1 imports requests at import time: use _require inside a function"),
        ("_handlers.py", "import pydantic", "_handlers: line 1 imports pydantic at import time: use _require inside a function"),
        ("_handlers.py", "def f():\n    import boto3", "_handlers: line 2 imports boto3 past _require"),
        ("_lazy.py", "import typing", "_lazy: line 1 imports typing: not among what the runtime client has loaded"),
        (
            "_lazy.py",
            "from dataclasses import dataclass",
            "_lazy: line 1 imports dataclasses: not among what the runtime client has loaded",
        ),
        ("_lazy.py", "if True:\n    import http.client", "_lazy: line 2 imports http.client: not among what the runtime client has loaded"),
        ("_cache.py", "def f(): return require('boto3', extra='aws')", "_cache: line 1 knows boto3"),
        ("databases.py", "def f(): return optional('botocore.session')", "databases: line 1 knows botocore"),
        ("_handlers.py", "from lambda_kit import databases", "_handlers: line 1 knows databases"),
        ("_handlers.py", "import os\nos.environ['A']", "_handlers: line 2 uses os.environ: ask _runtime"),
        ("_handlers.py", "from os import getenv", "_handlers: line 1 uses os.getenv: ask _runtime"),
        ("_handlers.py", "import time\nclock = time.monotonic", "_handlers: line 2 uses time.monotonic: ask _runtime"),
        ("_handlers.py", "import datetime\ndatetime.datetime.now()", "_handlers: line 2 uses datetime.now: ask _runtime"),
        ("_handlers.py", "import atexit\natexit.register(print)", "_handlers: line 2 uses atexit.register: ask _runtime"),
        ("_handlers.py", "class Full(Exception): ...", "_handlers: line 1 defines the exception Full: exceptions live in errors.py"),
        (
            "_handlers.py",
            "class Stop(KeyboardInterrupt): ...",
            "_handlers: line 1 defines the exception Stop: exceptions live in errors.py",
        ),
        ("_handlers.py", "class Odd(errors.LayerError): ...", "_handlers: line 1 defines the exception Odd: exceptions live in errors.py"),
        ("_handlers.py", "x = 1\n" * 401, "_handlers: has 401 lines, more than 400: split it"),
        ("_handlers.py", "def f():\n" + "    x = 1\n" * 41, "_handlers: line 1: f has 41 lines of code, more than 40"),
        ("databases/_base.py", "", "databases._base: is named base, which says nothing"),
        ("_invented.py", "", "_invented: has no floor: add it to the table"),
        ("errors.py", "", "errors: exists: it is not planned any more"),
        ("events/_other.py", "from lambda_kit.events import _other", "events._other: imports itself: events._other -> events._other"),
    ],
)
def test_a_broken_rule_is_caught(tmp_path: Path, path: str, source: str, complaint: str) -> None:
    """
    One planted violation gives the complaint that names it.
    """
    assert complaint in _complaints(tmp_path, {path: source})


def test_a_circle_between_private_files_is_caught(tmp_path: Path) -> None:
    """
    Two files of a package that import each other are complained about, with the way back.
    """
    circle = {"events/_one.py": "def f(): from . import _two", "events/_two.py": "from lambda_kit.events._one import f"}

    assert "events._one: imports itself: events._one -> events._two -> events._one" in _complaints(tmp_path, circle)


def test_a_floor_without_a_module_is_caught(tmp_path: Path) -> None:
    """
    The table names what exists or is planned, nothing else.
    """
    tree = _write(tmp_path, _SOUND)

    assert ["gone: has a floor, but does not exist"] == architecture.complaints(architecture.read(tree), {**_FLOORS, "gone": 3}, _PLANNED)


def test_a_docstring_does_not_make_a_function_long(tmp_path: Path) -> None:
    """
    Forty lines of code are allowed below any docstring.
    """
    lines = ["def f():", '    """', *["    text"] * 30, '    """', *["    x = 1"] * 40, "def g():", '    """Only this."""']

    assert [] == _complaints(tmp_path, {"_handlers.py": "\n".join(lines)})


def _complaints(folder: Path, changes: dict[str, str]) -> list[str]:
    return architecture.complaints(architecture.read(_write(folder, {**_SOUND, **changes})), _FLOORS, _PLANNED)


def _write(folder: Path, files: dict[str, str]) -> Path:
    for name, source in files.items():
        path = folder / "lambda_kit" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, encoding="utf-8")
    return folder / "lambda_kit"
