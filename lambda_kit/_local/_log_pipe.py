"""
The pipe a function's standard output and error go to, read line by line, with a way to know that all of it was read.
"""

from __future__ import annotations

import os
import secrets
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

# The runtime client separates the lines of one log record by carriage returns.
_RECORD_LINES = ("\r", "\n")


class LogPipe:
    """
    Pass on what a child writes, line by line, from a thread.

    Attributes:
        writer: The descriptor to give to the child.
    """

    def __init__(self, on_line: Callable[[str], None]) -> None:
        self._on_line = on_line
        self._reader, self.writer = os.pipe()
        # A mark written into the pipe comes out after everything written before it. Nobody else knows the tokens.
        self._mark = f"\0{secrets.token_hex(8)}\0".encode()
        self._end = f"\0{secrets.token_hex(8)}\0".encode()
        self._passed = threading.Semaphore(0)
        self._heard = True
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._read, name="function-log", daemon=True)
        self._thread.start()

    def flush(self) -> None:
        """
        Wait until everything written so far has been passed on, an unfinished line included.

        Raises:
            BaseException: What *on_line* has raised, told once; it gets no further line.
        """
        os.write(self.writer, self._mark)
        self._passed.acquire()
        self._raise()

    def close(self) -> None:
        """
        Pass on the rest and close both ends. A process that still holds the writing end gets a broken pipe.

        Raises:
            BaseException: As :meth:`flush` does, when everything is closed.
        """
        os.write(self.writer, self._end)
        self._thread.join()
        os.close(self.writer)
        os.close(self._reader)
        self._raise()

    def _raise(self) -> None:
        error, self._error = self._error, None
        if error is not None:
            raise error

    def _read(self) -> None:
        unfinished = b""
        while self._end not in unfinished:
            unfinished = self._pass_on_whole_lines(unfinished + os.read(self._reader, 65536))
        self._pass_on(unfinished.partition(self._end)[0])

    def _pass_on_whole_lines(self, written: bytes) -> bytes:
        """
        Pass on what is complete, by a newline or a mark, and return the rest.
        """
        while self._mark in written:
            before, _, written = written.partition(self._mark)
            self._pass_on(before)
            self._passed.release()
        whole, newline, unfinished = written.rpartition(b"\n")
        self._pass_on(whole + newline)
        return unfinished

    def _pass_on(self, written: bytes) -> None:
        # One newline ends a line, it does not begin an empty one.
        lines = written.decode(errors="replace").replace(*_RECORD_LINES).removesuffix("\n") if written else None
        if lines is None or not self._heard:
            return
        try:
            for line in lines.split("\n"):
                self._on_line(line)
        except BaseException as exc:  # noqa: BLE001  # it is raised where somebody waits; a thread that died would keep them waiting
            self._heard, self._error = False, exc
