"""
Handlers on disk, for the functions that the tests run.
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def handler_module(tmp_path: Path) -> Callable[[str], Path]:
    """
    Write a module ``app`` with the given source; return the task root.
    """

    def write(source: str) -> Path:
        (tmp_path / "app.py").write_text(textwrap.dedent(source))
        return tmp_path

    return write
