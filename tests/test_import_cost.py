"""
What importing the kit costs: modules counted, and instructions where valgrind is there.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture import FREE_IMPORTS

_ROOT = Path(__file__).parents[1]
_MOST_INSTRUCTIONS = 20_000_000


@pytest.mark.parametrize(
    "statement",
    [
        "import lambda_kit",
        "from lambda_kit import errors",
        "from lambda_kit import lazy, preload, use",
        "from lambda_kit import parameter, secret, env, lazy",
        "from lambda_kit import get_parameter, get_secret",
        "from lambda_kit import client, resource",
        "from lambda_kit import invocation, per_invocation, scratch_dir, on_invocation_end",
        "from lambda_kit import environment, before_snapshot, after_restore, on_shutdown",
    ],
)
def test_light_names_load_nothing_that_lambda_has_not_loaded(statement: str) -> None:
    """
    Beside the kit's own modules only those of the standard library come in that the runtime client has imported before.
    """
    free = _loaded_by(f"import {', '.join(sorted(FREE_IMPORTS))}")

    assert set() == {name for name in _loaded_by(statement) - free if name.partition(".")[0] != "lambda_kit"}


def test_the_front_door_loads_none_of_the_rooms() -> None:
    """
    ``import lambda_kit`` loads the front door and what makes it lazy.
    """
    assert {"lambda_kit", "lambda_kit._lazy"} == {name for name in _loaded_by("import lambda_kit") if name.startswith("lambda_kit")}


def test_the_front_door_is_cheap_in_instructions(tmp_path: Path) -> None:
    """
    ``import lambda_kit`` stays within its budget over bare Python, counted by valgrind, bytecode written before.
    """
    if shutil.which("valgrind") is None and os.environ.get("LAMBDA_KIT_REQUIRE_SYSTEM") != "1":
        pytest.skip("valgrind, which counts instructions, is not installed")
    _loaded_by("import lambda_kit", tmp_path)

    bare, kit = _instructions("pass", tmp_path), _instructions("import lambda_kit", tmp_path)

    assert 0 < kit - bare <= _MOST_INSTRUCTIONS


def _loaded_by(statement: str, bytecode: Path | None = None) -> set[str]:
    """
    Return the modules that a fresh process holds after *statement*, with the standard library and the kit on its path.
    """
    done = _python(f"import sys; {statement}; print(*sys.modules)", bytecode)
    assert (0, "") == (done.returncode, done.stderr)
    return set(done.stdout.split())


def _instructions(statement: str, bytecode: Path) -> int:
    valgrind = ["valgrind", "--tool=cachegrind", "--cache-sim=no", f"--cachegrind-out-file={os.devnull}"]
    done = _python(statement, bytecode, valgrind)
    counted = re.search(r"I\s+refs:\s+([\d,]+)", done.stderr)
    assert counted is not None, done.stderr
    return int(counted[1].replace(",", ""))


def _python(source: str, bytecode: Path | None, under: list[str] | None = None) -> subprocess.CompletedProcess[str]:
    environ = {"PYTHONPATH": str(_ROOT), "PYTHONHASHSEED": "0"}
    environ |= {"PYTHONPYCACHEPREFIX": str(bytecode)} if bytecode else {"PYTHONDONTWRITEBYTECODE": "1"}
    command = [*(under or []), sys.executable, "-S", "-c", source]
    return subprocess.run(command, env=environ | {"PATH": os.environ["PATH"]}, capture_output=True, text=True, check=False)
