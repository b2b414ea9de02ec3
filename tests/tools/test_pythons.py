"""
``tools/pythons.py`` finds working interpreters behind shims that do not work.
"""

from __future__ import annotations

import ast
import json
import os
import sys
from pathlib import Path

import pytest

from tools import pythons

_TOOLS = Path(__file__).parents[2] / "tools"


def _program(path: Path, answer: object = None) -> str:
    """
    Write a program that prints *answer* as an interpreter would, or fails as a shim of an unselected version does.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\nexit 127\n" if answer is None else f"#!/bin/sh\necho '{json.dumps(answer)}'\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def _python(path: Path, full: str, implementation: str = "cpython") -> str:
    major, minor, _ = full.split(".")
    return _program(path, [int(major), int(minor), full, str(path), implementation])


@pytest.mark.parametrize(
    ("variable", "installed"),
    [
        ("PYENV_ROOT", "versions/3.14.2/bin"),
        ("ASDF_DATA_DIR", "installs/python/3.14.2/bin"),
        ("MISE_DATA_DIR", "installs/python/3.14.2/bin"),
        ("UV_PYTHON_INSTALL_DIR", "cpython-3.14.2-linux/bin"),
    ],
)
def test_the_interpreter_behind_a_failing_shim_is_found(tmp_path: Path, variable: str, installed: str) -> None:
    """
    A shim that fails is passed over for what the version manager has installed.
    """
    _program(tmp_path / "shims" / "python3.14")
    real = _python(tmp_path / installed / "python3.14", "3.14.2")

    found = pythons.first((3, 14), {"PATH": str(tmp_path / "shims"), variable: str(tmp_path)})

    assert found is not None
    assert ("3.14", "3.14.2", real) == (found.name, found.full, found.path)


@pytest.mark.parametrize("home", ["", "/nonexistent"], ids=["empty", "missing"])
def test_a_shim_on_the_path_leads_to_the_versions_without_a_home(tmp_path: Path, home: str) -> None:
    """
    With no variable and no home the folder beside the shims is searched, and the newest release taken.
    """
    _program(tmp_path / "shims" / "python3.14")
    _python(tmp_path / "versions/3.14.9/bin/python3.14", "3.14.9")
    newest = _python(tmp_path / "versions/3.14.10/bin/python3.14", "3.14.10")

    found = pythons.first((3, 14), {"PATH": f"{tmp_path / 'shims'}:", "HOME": home})

    assert found is not None
    assert newest == found.path


def test_python3_counts_when_it_is_the_version(tmp_path: Path) -> None:
    """
    A machine may have its Python under the short name only.
    """
    path = _python(tmp_path / "python3", "3.14.1")

    assert [f"Python 3.14.1 at {path}"] == [repr(each) for each in pythons.found({"PATH": str(tmp_path)}) if each.path == path]


def test_what_is_not_the_version_is_passed_over(tmp_path: Path) -> None:
    """
    Neither a folder, nor PyPy, nor another version under the name is taken.
    """
    (tmp_path / "one" / "python3.14").mkdir(parents=True)
    _python(tmp_path / "two" / "python3.14", "3.14.0", "pypy")
    _python(tmp_path / "three" / "python3.14", "3.13.0")
    right = _python(tmp_path / "four" / "python3.14", "3.14.0")

    found = pythons.first((3, 14), {"PATH": ":".join(str(tmp_path / name) for name in ("one", "two", "three", "four"))})

    assert found is not None
    assert right == found.path


def test_this_interpreter_is_found() -> None:
    """
    What runs the tests is among what is found, by a path that works.
    """
    found = pythons.first(sys.version_info[:2], os.environ)

    assert found is not None
    assert pythons.probe(found.path) is not None


@pytest.mark.parametrize("name", sorted(path.name for path in _TOOLS.glob("*.py")))
def test_an_old_python_can_start_the_tools(name: str) -> None:
    """
    The tools parse as Python 3.7, because they are what looks for a newer one.
    """
    assert ast.parse((_TOOLS / name).read_text(encoding="utf-8"), feature_version=(3, 7)).body
