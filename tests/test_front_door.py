"""
The front door's three lists agree, and checkers see through its laziness.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import lambda_kit

_ROOT = Path(__file__).parents[1]
_TREE = ast.parse((_ROOT / "lambda_kit" / "__init__.py").read_text(encoding="utf-8"))


def test_the_three_lists_agree() -> None:
    """
    What checkers see, what is imported on first use and what a star would import are the same names from the same modules.
    """
    block, table = _checkers_block(), _lazy_table()

    assert block == table
    assert sorted(table) == lambda_kit.__all__


@pytest.mark.parametrize("name", lambda_kit.__all__)
def test_every_public_name_resolves(name: str) -> None:
    """
    Each name is there, and is the one that its module defines.
    """
    found = getattr(lambda_kit, name)

    assert found.__name__ == _lazy_table()[name] if name in _modules() else found is not None


def test_dir_is_complete() -> None:
    """
    ``dir`` shows every public name, imported already or not.
    """
    assert set() == set(lambda_kit.__all__) - set(dir(lambda_kit))


def test_an_unknown_name_is_an_attribute_error() -> None:
    """
    A misspelt name fails as it does with any module.
    """
    with pytest.raises(AttributeError, match="module 'lambda_kit' has no attribute 'paramter'"):
        lambda_kit.paramter  # type: ignore[attr-defined]  # noqa: B018 - looking it up is the test


def test_no_public_name_is_shadowed_by_a_module() -> None:
    """
    Where a public name is also a module's name, it is that module: importing the module replaces nothing.
    """
    table = _lazy_table()

    assert {} == {name: table[name] for name in set(table) & _modules() if table[name] != f"lambda_kit.{name}"}


def test_mypy_sees_every_name_and_no_misspelt_one(tmp_path: Path) -> None:
    """
    Behind the front door mypy finds real types, and reports a name that is not there.
    """
    options = ["--strict", "--no-error-summary", "--hide-error-context", "--show-absolute-path", f"--cache-dir={tmp_path / 'cache'}"]
    output = _run("mypy", *options, str(_written(tmp_path)))

    revealed = re.findall(r'note: Revealed type is "(.*)"', output)
    assert len(lambda_kit.__all__) == len(revealed), output
    assert [] == [each for each in revealed if each == "Any"]
    assert ['error: Module "lambda_kit" has no attribute "paramter"'] == [
        error.partition(";")[0].partition("  [")[0] for error in re.findall(r"error: .*", output)
    ]


def test_pyright_sees_every_name_and_no_misspelt_one(tmp_path: Path) -> None:
    """
    Behind the front door pyright finds real types, and reports a name that is not there.
    """
    (tmp_path / "pyrightconfig.json").write_text(json.dumps({"extraPaths": [str(_ROOT)]}), encoding="utf-8")
    _written(tmp_path)
    found = json.loads(_run("pyright", "--outputjson", "--pythonpath", sys.executable, "--project", str(tmp_path)))["generalDiagnostics"]

    revealed = [each["message"] for each in found if each["severity"] == "information"]
    assert len(lambda_kit.__all__) == len(revealed), found
    assert [] == [each for each in revealed if re.search(r'is "(Any|Unknown)"', each)]
    assert ['"paramter" is unknown import symbol'] == [each["message"].partition("\n")[0] for each in found if each["severity"] == "error"]


def _checkers_block() -> dict[str, str]:
    """
    Return name and module of each import that only checkers see.
    """
    blocks = [node for node in _TREE.body if isinstance(node, ast.If)]
    found = {}
    for node in blocks[0].body:
        assert isinstance(node, ast.ImportFrom)
        for alias in node.names:
            assert alias.name == alias.asname, "without 'as' a strict checker takes the name for private"
            found[alias.name] = f"lambda_kit.{alias.name}" if node.module == "lambda_kit" else str(node.module)
    return found


def _lazy_table() -> dict[str, str]:
    """
    Return the table that ``attach`` gets.
    """
    tables = [node.args[1] for node in ast.walk(_TREE) if isinstance(node, ast.Call) and ast.unparse(node.func) == "attach"]
    table: dict[str, str] = ast.literal_eval(tables[0])
    return table


def _modules() -> set[str]:
    """
    Return the names of the modules and packages below the front door.
    """
    return {path.stem for path in (_ROOT / "lambda_kit").iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}


def _written(folder: Path) -> Path:
    """
    Write a module that asks a checker for every public name's type, and for a misspelt name.
    """
    lines = ["import lambda_kit", *(f"reveal_type(lambda_kit.{name})" for name in lambda_kit.__all__), "from lambda_kit import paramter"]
    path = folder / "asks.py"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _run(checker: str, *arguments: str) -> str:
    done = subprocess.run([sys.executable, "-m", checker, *arguments], cwd=_ROOT, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr
