"""
Causes tell what went wrong as a traceback does, innermost frame first, within bounds.
"""

from __future__ import annotations

import pytest

from lambda_kit import tracing
from lambda_kit.tracing import _causes


class MuteError(Exception):
    """
    An exception that cannot say what it is.
    """

    def __str__(self) -> str:
        raise RuntimeError


def fail() -> None:
    """
    Raise from a frame of a known name.
    """
    raise ValueError("declined")


def deep(depth: int) -> None:
    """
    Raise from many frames down.
    """
    if depth:
        deep(depth - 1)
    fail()


def test_stack_begins_where_it_happened() -> None:
    """
    The first frame is the one that raised, and it has path, line and label.
    """
    with pytest.raises(ValueError, match="declined") as caught:
        fail()

    (cause,) = _causes.exceptions(caught.value)
    first = cause["stack"][0]
    assert ("fail", __file__, fail.__code__.co_firstlineno + 4) == (first["label"], first["path"], first["line"])
    assert 0 == cause["truncated"]


def test_frames_of_tracing_are_left_out() -> None:
    """
    A decorator's own frame says nothing to anybody.
    """
    with pytest.raises(ValueError, match="declined") as caught:
        tracing.span(fail)()

    (cause,) = _causes.exceptions(caught.value)
    assert {__file__} == {frame["path"] for frame in cause["stack"]}


def test_deep_stacks_are_cut() -> None:
    """
    The thirty innermost frames are kept, the others counted.
    """
    with pytest.raises(ValueError, match="declined") as caught:
        deep(98)

    (cause,) = _causes.exceptions(caught.value)
    assert (30, 71) == (len(cause["stack"]), cause["truncated"])
    assert ["fail", "deep"] == [frame["label"] for frame in cause["stack"][:2]]


def test_chain_is_linked() -> None:
    """
    Each exception names the one that caused it: the explicit cause, else the one that was being handled.
    """
    explicit, handled, last = ValueError("explicit"), ValueError("handled"), ValueError("last")
    last.__cause__ = explicit
    explicit.__context__ = handled

    causes = _causes.exceptions(last)

    assert ["last", "explicit", "handled"] == [cause["message"] for cause in causes]
    assert [causes[1]["id"], causes[2]["id"], None] == [cause.get("cause") for cause in causes]


def test_suppressed_context_is_left_out() -> None:
    """
    ``raise ... from None`` hides what came before, here too.
    """
    error = ValueError("shown")
    error.__context__ = ValueError("hidden")
    error.__suppress_context__ = True

    assert ["shown"] == [cause["message"] for cause in _causes.exceptions(error)]


def test_circles_end() -> None:
    """
    Exceptions that cause each other are told once.
    """
    one, other = ValueError("one"), ValueError("other")
    one.__cause__, other.__cause__ = other, one

    assert ["one", "other"] == [cause["message"] for cause in _causes.exceptions(one)]


def test_exception_without_words() -> None:
    """
    An exception whose text cannot be had is recorded all the same.
    """
    (cause,) = _causes.exceptions(MuteError())

    assert ("MuteError", "no message: str() raised RuntimeError") == (cause["type"], cause["message"])
