"""
Nothing written before a flush is missing after it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from lambda_kit._local._log_pipe import LogPipe

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def lines() -> list[str]:
    return []


@pytest.fixture
def pipe(lines: list[str]) -> Iterator[LogPipe]:
    pipe = LogPipe(lines.append)
    yield pipe
    pipe.close()


def test_flush_passes_on_everything_written(pipe: LogPipe, lines: list[str]) -> None:
    """
    Whole lines, empty ones, and the unfinished last one are there after a flush.
    """
    os.write(pipe.writer, b"one\n\ntwo\nthr")

    pipe.flush()

    assert ["one", "", "two", "thr"] == lines


def test_a_record_of_several_lines_is_taken_apart(pipe: LogPipe, lines: list[str]) -> None:
    """
    The runtime client writes carriage returns inside a record.
    """
    os.write(pipe.writer, "[ERROR] é\rTraceback\n".encode())

    pipe.flush()

    assert ["[ERROR] é", "Traceback"] == lines


def test_more_than_the_pipe_holds_comes_through(pipe: LogPipe, lines: list[str]) -> None:
    """
    A reader is always at work: a writer is not blocked for good.
    """
    long = "x" * 300_000

    os.write(pipe.writer, long.encode() + b"\n")
    pipe.flush()

    assert [long] == lines


def refuse(_: str) -> None:
    """
    Take no line, as a terminal that was closed.
    """
    raise BrokenPipeError("nobody reads")


def test_a_listener_that_fails_does_not_stop_the_pipe(lines: list[str]) -> None:
    """
    The child's output is read on, the listener is left alone, and its error comes out where somebody waits, once.
    """

    def listen(line: str) -> None:
        lines.append(line)
        refuse(line)

    pipe = LogPipe(listen)
    os.write(pipe.writer, b"one\ntwo\n")

    with pytest.raises(BrokenPipeError, match="nobody reads"):
        pipe.flush()

    os.write(pipe.writer, b"x" * 300_000)
    pipe.flush()
    pipe.close()
    assert ["one"] == lines


def test_closing_tells_what_no_flush_has_told() -> None:
    """
    A listener that fails at the end is heard too, after everything is closed.
    """
    pipe = LogPipe(refuse)
    os.write(pipe.writer, b"last words")

    with pytest.raises(BrokenPipeError, match="nobody reads"):
        pipe.close()

    assert not pipe._thread.is_alive()


def test_closing_passes_on_the_rest(lines: list[str]) -> None:
    """
    What comes between the last flush and the end is not lost.
    """
    pipe = LogPipe(lines.append)
    os.write(pipe.writer, b"last words")

    pipe.close()

    assert ["last words"] == lines
