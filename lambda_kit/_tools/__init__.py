"""
The command line.
"""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING

from lambda_kit._require import require
from lambda_kit.errors import MissingDependencyError

if TYPE_CHECKING:
    from types import FrameType

USAGE_ERROR = 2

# Windows has no SIGHUP; elsewhere a terminal sends it when it is closed.
_ENDINGS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))


def main() -> None:
    """
    Run ``lambda-kit``; the process exits with the command's code, and with 2 when the ``tools`` extra is not installed.
    """
    try:
        require("typer", extra="tools")
        require("rich", extra="tools")
    except MissingDependencyError as exc:
        sys.stderr.write(f"error: {exc}\n")
        sys.exit(USAGE_ERROR)
    from lambda_kit._tools._cli import app

    for number in _ENDINGS:
        if signal.getsignal(number) != signal.SIG_IGN:  # nohup has it ignored
            signal.signal(number, _terminated)
    app(prog_name="lambda-kit")


def _terminated(number: int, _: FrameType | None) -> None:
    """
    Leave by an exception, so that everything that was started is ended on the way out; once is enough.
    """
    for ending in _ENDINGS:
        signal.signal(ending, signal.SIG_IGN)
    sys.exit(128 + number)
