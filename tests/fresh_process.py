"""
Python code run in a process of its own: forks, signals and import costs do not mix with a test run.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from typing import Any

# A deadlock is a failure, not a wait.
TIMEOUT_S = 60.0


def run(code: str, *, environ: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """
    Run *code* in a fresh interpreter and return how it ended; warnings are errors there too.

    One is not: Python's own about forking with threads, which is what some tests are about.
    """
    flags = ["-W", "error", "-W", "ignore:This process:DeprecationWarning"]
    return subprocess.run(
        [sys.executable, *flags, "-c", textwrap.dedent(code)],
        env={**os.environ, **(environ or {})},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )


def result(code: str, *, environ: dict[str, str] | None = None) -> Any:
    """
    Run *code*, which must end well, and return what it printed as JSON on its last line.
    """
    ended = run(code, environ=environ)
    assert 0 == ended.returncode, ended.stderr
    return json.loads(ended.stdout.splitlines()[-1])
