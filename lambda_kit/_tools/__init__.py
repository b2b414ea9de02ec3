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

    signal.signal(signal.SIGTERM, _terminated)
    app(prog_name="lambda-kit")


def _terminated(number: int, _: FrameType | None) -> None:
    """
    Leave by an exception, so that everything that was started is ended on the way out; once is enough.
    """
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit(128 + number)
