"""
How ``lambda-kit invoke`` shows what happens: to a person, or to a program.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any, Protocol

from rich.console import Console

from lambda_kit._local._waterfall import waterfall

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lambda_kit._local._results import InvokeResult

# The first words of lines that the platform writes, and how they look.
_STYLES = {
    "INIT_START": "dim",
    "INIT_REPORT": "red",
    "START": "dim",
    "END": "dim",
    "REPORT": "cyan",
    "XRAY": "dim",
    "[ERROR]": "red",
}


class Output(Protocol):
    """
    Where an invocation's lines, outcome and error go.
    """

    def line(self, line: str) -> None:
        """
        Take one log line, as it comes.
        """

    def outcome(self, result: InvokeResult, calls: Mapping[str, int] | None, trace: Sequence[Mapping[str, Any]] | None) -> None:
        """
        Take the end of one invocation, with the AWS calls it made and its trace where they are known.
        """

    def hint(self, message: str) -> None:
        """
        Take what may explain an outcome, or what is to come.
        """

    def error(self, message: str) -> None:
        """
        Take the reason why nothing (more) is invoked.
        """


class TerminalOutput:
    """
    Write responses to standard output, everything else to standard error, in colour where that is a terminal.
    """

    def __init__(self) -> None:
        self._console = Console(stderr=True)

    def line(self, line: str) -> None:
        self._show(line, _STYLES.get(line.partition(" ")[0]))

    def outcome(self, result: InvokeResult, calls: Mapping[str, int] | None, trace: Sequence[Mapping[str, Any]] | None) -> None:
        if calls is not None:
            told = ", ".join(f"{operation} {count}" for operation, count in sorted(calls.items())) or "none"
            self._show(f"AWS calls: {told}", "cyan")
        if trace is not None:
            self._show(waterfall(trace))
        sys.stdout.buffer.write(result.body + b"\n")
        sys.stdout.flush()

    def hint(self, message: str) -> None:
        self._show(message, "yellow")

    def error(self, message: str) -> None:
        self._show(f"error: {message}", "bold red")

    def _show(self, text: str, style: str | None = None) -> None:
        """
        Write to standard error; a file or a pipe gets the text as it is, its tabs included.
        """
        if self._console.is_terminal:
            self._console.out(text, style=style, highlight=False)
        else:
            print(text, file=sys.stderr, flush=True)


class JsonOutput:
    """
    Write one JSON document a line to standard output for each invocation; errors of use go to standard error.
    """

    def line(self, line: str) -> None:
        """
        Drop the line: the document has the whole log.
        """

    def outcome(self, result: InvokeResult, calls: Mapping[str, int] | None, trace: Sequence[Mapping[str, Any]] | None) -> None:
        print(json.dumps({**result.as_json(), "awsCalls": calls, "trace": trace}), flush=True)

    def hint(self, message: str) -> None:
        """
        Drop it: who reads documents reads no advice.
        """

    def error(self, message: str) -> None:
        print(f"error: {message}", file=sys.stderr)
