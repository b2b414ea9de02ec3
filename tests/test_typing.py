"""
What tests/typing holds: files that must type-check, and lines that must not.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[1]
_FILES = sorted((_ROOT / "tests" / "typing").glob("*.py"))


def _mypy(*paths: Path) -> dict[str, list[str]]:
    """
    Return mypy's complaints by file name.
    """
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file", str(_ROOT / "pyproject.toml"), *map(str, paths)]
    ended = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode in {0, 1}, ended.stdout + ended.stderr
    found: dict[str, list[str]] = {}
    for path, complaint in re.findall(r"^(.+?\.py):(\d+: error: .+)$", ended.stdout, re.MULTILINE):
        found.setdefault(Path(path).name, []).append(complaint)
    return found


def _pyright(*paths: Path) -> dict[str, list[str]]:
    """
    Return pyright's complaints by file name.
    """
    command = [sys.executable, "-m", "pyright", "--pythonpath", sys.executable, "--project", str(_ROOT), "--outputjson", *map(str, paths)]
    ended = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode in {0, 1}, ended.stdout + ended.stderr
    found: dict[str, list[str]] = {}
    for each in json.loads(ended.stdout)["generalDiagnostics"]:
        if each["severity"] == "error":
            complaint = f"{each['range']['start']['line'] + 1}: error: {each['message']}"
            found.setdefault(Path(each["file"]).name, []).append(complaint)
    return found


Checker = Callable[..., dict[str, list[str]]]


@pytest.fixture(scope="module", params=[_mypy, _pyright], ids=["mypy", "pyright"])
def checker(request: pytest.FixtureRequest) -> Checker:
    found: Checker = request.param
    return found


@pytest.fixture(scope="module")
def complaints(checker: Checker) -> dict[str, list[str]]:
    """
    All complaints of one checker: it runs once for all files.
    """
    return checker(*_FILES)


@pytest.mark.parametrize("path", _FILES, ids=lambda path: path.stem)
def test_right_lines_pass_and_wrong_ones_are_marked(complaints: dict[str, list[str]], path: Path) -> None:
    """
    Each checker has nothing against a file whose wrong lines are marked, and no mark is superfluous.
    """
    assert [] == complaints.get(path.name, [])


@pytest.mark.parametrize("path", [path for path in _FILES if path.stem.endswith("_bad")], ids=lambda path: path.stem)
def test_files_of_wrong_lines_have_some(path: Path) -> None:
    """
    A file of lines that must not type-check marks at least one, each with the code of the complaint.
    """
    marks = re.findall(r"# type: ignore(\[[\w, -]+\])?", path.read_text(encoding="utf-8"))

    assert marks
    assert all(marks)


def test_both_kinds_of_failure_are_noticed(checker: Checker, tmp_path: Path) -> None:
    """
    A wrong line without a mark fails, and so does a mark on a line that is right.
    """
    path = tmp_path / "planted.py"
    path.write_text("wrong: int = ''\nright: int = 1  # type: ignore[assignment]\n", encoding="utf-8")

    assert ["1", "2"] == [complaint.partition(":")[0] for complaint in checker(path)["planted.py"]]
