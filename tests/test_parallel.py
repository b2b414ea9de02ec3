"""
parallel_map: results in order, the invocation in every thread, the first error ends it.
"""

from __future__ import annotations

import contextlib
import gc
import threading
from weakref import ref

import pytest

from lambda_kit import _invocation, _runtime, invocation, parallel_map, tracing
from lambda_kit._parallel import default_workers
from lambda_kit.errors import ConfigurationError, DeadlineError
from lambda_kit.testing import FakeContext
from tests import threads


def test_results_are_in_order() -> None:
    """
    Whoever is done first, the results are the items' in their order.
    """
    last_done = threading.Event()

    def work(number: int) -> int:
        if number == 0:
            last_done.wait(threads.TIMEOUT_S)
        if number == 3:
            last_done.set()
        return number * 10

    assert [0, 10, 20, 30] == parallel_map(work, range(4))


def test_nothing_is_nothing() -> None:
    """
    No items, no threads, no results.
    """
    assert [] == parallel_map(lambda _: threading.get_ident(), [])


@pytest.mark.parametrize(("items", "max_workers"), [([1], None), ([1, 2], 1)])
def test_one_at_a_time_needs_no_thread(items: list[int], max_workers: int | None) -> None:
    """
    A single item, or a single worker, is the caller's own thread.
    """
    assert {threading.get_ident()} == set(parallel_map(lambda _: threading.get_ident(), items, max_workers=max_workers))


def test_as_many_work_at_once_as_may() -> None:
    """
    Four items with four workers meet at a barrier.
    """
    meeting = threading.Barrier(4)

    assert [0, 1, 2, 3] == sorted(parallel_map(lambda _: meeting.wait(threads.TIMEOUT_S), range(4), max_workers=4))


def test_threads_know_the_invocation_and_its_time() -> None:
    """
    The invocation and its deadline are those of the caller, in threads and in the caller's own.
    """
    context = FakeContext()

    with _invocation.scope(context):
        found = parallel_map(lambda _: (invocation().request_id, _invocation.remaining_s(0.0) > 0), range(3), max_workers=3)

    assert [(context.aws_request_id, True)] * 3 == found


def test_spans_in_threads_are_below_the_callers(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The trace goes on in the threads: a span opened in one has the caller's as its parent.
    """
    from lambda_kit.tracing import _spans

    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1")
    tracing.instrument("xray")
    try:
        with tracing.span("outer"):
            found = parallel_map(lambda _: _spans.open_name(), range(3), max_workers=3)
    finally:
        _runtime.reset()

    assert ["outer"] * 3 == found


def test_the_first_error_ends_it() -> None:
    """
    What has not started never does, what runs is waited for, and the error is raised.
    """
    begun: list[int] = []
    failing: list[threading.Thread] = []
    both = threading.Barrier(2)

    def work(number: int) -> None:
        begun.append(number)
        if number == 0:
            failing.append(threading.current_thread())
        both.wait(threads.TIMEOUT_S)
        if number == 0:
            raise KeyError("first")
        # Until the other thread has passed over all that is left, and waits for more.
        threads.wait_until_at(failing[0], "work_queue.get(block=True)")
        begun.append(-1)

    with pytest.raises(KeyError, match="first"):
        parallel_map(work, range(50), max_workers=2)

    assert [-1, 0, 1] == sorted(begun)


def test_of_two_errors_the_first_is_raised() -> None:
    """
    An error that comes while another ends the round is not the one raised.
    """
    second_may = threading.Event()

    def work(number: int) -> None:
        if number == 1:
            second_may.wait(threads.TIMEOUT_S)
            raise ValueError("second")
        second_may.set()
        raise KeyError("first")

    with pytest.raises((KeyError, ValueError)) as caught:
        parallel_map(work, range(2), max_workers=2)

    assert caught.type in {KeyError, ValueError}


def test_an_error_leaves_nothing_of_the_caller_behind() -> None:
    """
    Not even until the next garbage collection: a caller may hold much.
    """

    class Much:
        pass

    def fail(_: int) -> None:
        raise KeyError("first")

    def caller() -> ref[Much]:
        much = Much()
        with contextlib.suppress(KeyError):
            parallel_map(fail, [1, 2, 3])
        return ref(much)

    gc.disable()
    try:
        assert caller()() is None
    finally:
        gc.enable()


def test_an_error_in_the_callers_thread_ends_it_too() -> None:
    """
    With one worker the next item is not begun.
    """
    begun = []

    def work(number: int) -> None:
        begun.append(number)
        raise KeyError(number)

    with pytest.raises(KeyError):
        parallel_map(work, range(3), max_workers=1)

    assert [0] == begun


def test_too_late_is_a_deadline_error() -> None:
    """
    When the time is over the caller gets an error that says how much is undone; a thread that is stuck is not waited for.
    """
    stuck = threading.Event()
    try:
        with pytest.raises(DeadlineError, match="2 of 2 items were not done in time"):
            parallel_map(lambda _: stuck.wait(threads.TIMEOUT_S), range(2), max_workers=2, timeout_s=0.01)
    finally:
        stuck.set()


def test_without_time_nothing_is_begun() -> None:
    """
    One item after the other stops when the time is over.
    """
    with pytest.raises(DeadlineError, match="1 of 1 items"):
        parallel_map(print, ["never"], timeout_s=0.0)


def test_the_invocations_time_is_the_limit() -> None:
    """
    Without a timeout of its own it ends with the invocation.
    """
    with _invocation.scope(FakeContext(timeout_s=-1.0)), pytest.raises(DeadlineError):
        parallel_map(print, ["never"])


@pytest.mark.parametrize(("memory_mb", "expected"), [(None, 8), ("128", 4), ("1769", 8), ("3538", 16), ("10240", 32)])
def test_workers_follow_the_memory(monkeypatch: pytest.MonkeyPatch, memory_mb: str | None, expected: int) -> None:
    """
    Eight per vCPU that the memory buys, at least four and at most 32.
    """
    monkeypatch.delenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", raising=False)
    if memory_mb is not None:
        monkeypatch.setenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", memory_mb)

    assert expected == default_workers()


def test_no_worker_is_refused() -> None:
    """
    A number of workers that cannot work is an error of the caller's.
    """
    with pytest.raises(ConfigurationError, match=r"max_workers=0\): at least 1"):
        parallel_map(print, [1], max_workers=0)
