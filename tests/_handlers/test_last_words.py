"""
The line that a handler leaves shortly before Lambda ends it.
"""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from lambda_kit import _runtime, handler, tracing
from lambda_kit._handlers import _last_words
from lambda_kit.testing import FakeContext
from tests import threads


@pytest.fixture(autouse=True)
def _on_lambda(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """
    Wiring happens where Lambda's runtime client runs the process.
    """
    monkeypatch.setenv("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:1")
    monkeypatch.delenv("AWS_LAMBDA_INITIALIZATION_TYPE", raising=False)
    yield
    assert signal.SIG_DFL is signal.getsignal(signal.SIGALRM)
    assert (0.0, 0.0) == signal.getitimer(signal.ITIMER_REAL)


class Noted(logging.Handler):
    """
    Tells when a line was logged.
    """

    def __init__(self) -> None:
        super().__init__()
        self.event = threading.Event()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())
        self.event.set()


@pytest.fixture
def noted() -> Iterator[Noted]:
    found = Noted()
    logging.getLogger("lambda_kit").addHandler(found)
    yield found
    logging.getLogger("lambda_kit").removeHandler(found)


def _slow(noted: Noted) -> Any:
    def charge(event: dict[str, Any]) -> bool:
        return noted.event.wait(threads.TIMEOUT_S)

    return charge


def test_a_handler_about_to_be_killed_says_so(noted: Noted) -> None:
    """
    One line with the request, the time, the span and the place in the code.
    """
    context = FakeContext(timeout_s=0.2)

    assert handler.invoke(lambda event: event)(_slow(noted))({}, context)
    (line,) = noted.lines
    assert line.startswith(f"about to be killed: request {context.aws_request_id}, ")
    assert "in span (none), at " in line
    assert ".py:" in line


def test_a_bare_handler_says_so_too(noted: Noted) -> None:
    """
    Functions of event and context as well.
    """

    @handler
    def tick(event: dict[str, Any], context: FakeContext) -> bool:
        return noted.event.wait(threads.TIMEOUT_S)

    assert tick({}, FakeContext(timeout_s=0.05)) is True
    assert 1 == len(noted.lines)


def test_a_log_that_fails_does_not_fail_the_logic(noted: Noted, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    As a stream does that the signal interrupted in the middle of a write.
    """
    emit = noted.emit

    def fail(record: logging.LogRecord) -> None:
        emit(record)
        raise RuntimeError("reentrant call inside <_io.BufferedWriter name='<stdout>'>")

    monkeypatch.setattr(noted, "emit", fail)

    assert handler.invoke(lambda event: event)(_slow(noted))({}, FakeContext(timeout_s=0.2))
    assert 1 == len(noted.lines)


def test_the_span_is_named(noted: Noted, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Where tracing is on, the line says which span it was in.
    """
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1")
    tracing.instrument("xray")

    def charge(event: dict[str, Any]) -> bool:
        with tracing.span("payment provider"):
            return noted.event.wait(threads.TIMEOUT_S)

    # Time enough to open the span first.
    handler.invoke(lambda event: event)(charge)({}, FakeContext(timeout_s=1.0))

    assert "in span payment provider, at" in noted.lines[0]


def test_a_handler_in_time_says_nothing(noted: Noted) -> None:
    """
    The timer is off when the answer is there, also after an error.
    """

    def fail(event: dict[str, Any]) -> None:
        assert signal.getitimer(signal.ITIMER_REAL)[0] > 0
        raise KeyError("bug")

    with pytest.raises(KeyError):
        handler.invoke(lambda event: event)(fail)({}, FakeContext())

    assert [] == noted.lines


def test_a_handler_within_a_handler_leaves_the_timer_alone(noted: Noted) -> None:
    """
    The outer one's timer goes on.
    """
    inner = handler.invoke(lambda event: event)(lambda event: signal.getitimer(signal.ITIMER_REAL)[0] > 0)

    @handler
    def outer(event: dict[str, Any], context: FakeContext) -> bool:
        inner(event, context)
        return signal.getitimer(signal.ITIMER_REAL)[0] > 0

    assert outer({}, FakeContext()) is True


def test_code_that_is_not_known_is_not_named() -> None:
    """
    Python may have no frame to show.
    """
    assert "(unknown)" == _last_words._place(None)


def test_somebody_elses_timer_is_left_alone() -> None:
    """
    Whoever uses SIGALRM, or has a timer running, keeps it.
    """

    def mine(*_: object) -> None: ...

    wired = handler.invoke(lambda event: event)(lambda event: signal.getsignal(signal.SIGALRM) is mine)
    timed = handler.invoke(lambda event: event)(lambda event: signal.getsignal(signal.SIGALRM) is signal.SIG_DFL)
    signal.signal(signal.SIGALRM, mine)
    try:
        assert wired({}, FakeContext()) is True  # type: ignore[comparison-overlap]  # invoke answers with what logic returns
    finally:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, 3600)
    try:
        assert timed({}, FakeContext()) is True  # type: ignore[comparison-overlap]  # see above
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def test_other_threads_have_no_timer() -> None:
    """
    Signals are the main thread's; a handler in another one does without.
    """
    wired = handler.invoke(lambda event: event)(lambda event: signal.getitimer(signal.ITIMER_REAL)[0])

    found: list[Any] = threads.at_once(1, lambda: wired({}, FakeContext()))

    assert [0.0] == found


@pytest.mark.parametrize("init_type", ["lambda-managed-instances", None])
def test_where_nobody_kills_there_is_no_line(monkeypatch: pytest.MonkeyPatch, init_type: str | None) -> None:
    """
    Managed Instances let late code run on, and a development machine has no deadline.
    """
    if init_type is None:
        monkeypatch.delenv("AWS_LAMBDA_RUNTIME_API")
    else:
        monkeypatch.setenv("AWS_LAMBDA_INITIALIZATION_TYPE", init_type)

    assert 0.0 == handler.invoke(lambda event: event)(lambda event: signal.getitimer(signal.ITIMER_REAL)[0])({}, FakeContext())  # type: ignore[comparison-overlap]  # see above


def test_wiring_on_lambda_notices_snapshots(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Under SnapStart the kit's hooks are registered although nothing was built.
    """
    import snapshot_restore_py

    monkeypatch.setenv("AWS_LAMBDA_INITIALIZATION_TYPE", "snap-start")
    monkeypatch.setattr(_runtime._life, "watched", False)
    before = len(snapshot_restore_py.get_before_snapshot())

    handler.invoke(lambda event: event)(lambda event: None)

    assert before + 1 == len(snapshot_restore_py.get_before_snapshot())
    snapshot_restore_py.get_before_snapshot().pop()
    snapshot_restore_py.get_after_restore().pop()
