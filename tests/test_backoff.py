"""
Trying again: full jitter, inside a budget, and at no cost when nothing fails.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable

import pytest

from lambda_kit import _runtime
from lambda_kit._backoff import retrying
from tests import fresh_process


class Clock:
    """
    A monotonic clock that sleeping moves, and that remembers the sleeps.
    """

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.pauses_s: list[float] = []

    def __call__(self) -> float:
        return self.now_s

    def sleep(self, pause_s: float) -> None:
        self.pauses_s.append(pause_s)
        self.now_s += pause_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(time, "monotonic", clock)
    return clock


def _failing(*errors: BaseException) -> Callable[[], str]:
    """
    Return an attempt that raises *errors* one after the other, then returns.
    """
    left = list(errors)

    def attempt() -> str:
        if left:
            raise left.pop(0)
        return "done"

    return attempt


def _always(error: Exception) -> Callable[[], str]:
    def attempt() -> str:
        raise error

    return attempt


def test_success_costs_one_call_and_no_import() -> None:
    """
    What works at once is returned, and tenacity is not loaded for it.
    """
    done, loaded = fresh_process.result(
        """
        import json, sys
        from lambda_kit._backoff import retrying
        done = retrying(lambda: "done", may_retry=lambda _: True, budget_s=1.0)
        print(json.dumps([done, "tenacity" in sys.modules]))
        """,
    )

    assert ("done", False) == (done, loaded)


def test_failures_are_tried_again(clock: Clock) -> None:
    """
    Attempts go on until one succeeds, with a pause before each further one.
    """
    attempt = _failing(OSError("1"), OSError("2"), OSError("3"))

    assert "done" == retrying(attempt, may_retry=lambda _: True, budget_s=60.0, sleep=clock.sleep)
    assert 3 == len(clock.pauses_s)


def test_pauses_are_drawn_below_a_doubling_bound(clock: Clock) -> None:
    """
    Pause n lies anywhere between 0 and first_s doubled n - 1 times, but never above most_s.
    """
    for _ in range(200):
        retrying(_failing(*[OSError()] * 5), may_retry=lambda _: True, budget_s=1e6, first_s=0.1, most_s=0.5, sleep=clock.sleep)
    rounds = [clock.pauses_s[start::5] for start in range(5)]

    for bound, pauses in zip([0.1, 0.2, 0.4, 0.5, 0.5], rounds, strict=True):
        assert 0.0 <= min(pauses) < bound / 4
        assert bound * 3 / 4 < max(pauses) <= bound


def test_pause_that_would_outlive_the_budget_is_not_begun(clock: Clock) -> None:
    """
    The last error is raised inside the budget, not after it.
    """
    started_s = clock.now_s
    errors = [OSError(str(number)) for number in range(1000)]

    with pytest.raises(OSError, match=r"\d+") as caught:
        retrying(_failing(*errors), may_retry=lambda _: True, budget_s=2.0, sleep=clock.sleep)

    assert clock.now_s <= started_s + 2.0
    assert errors[len(clock.pauses_s)] is caught.value


def test_no_budget_is_one_attempt(clock: Clock) -> None:
    """
    Without time to pause the first error is raised.
    """
    error = OSError("first")

    with pytest.raises(OSError, match="first") as caught:
        retrying(_always(error), may_retry=lambda _: True, budget_s=-1.0, sleep=clock.sleep)

    assert ([], error) == (clock.pauses_s, caught.value)


@pytest.mark.parametrize("errors", [[ValueError("no")], [OSError(), ValueError("no")]], ids=["first", "second"])
def test_definitive_failure_is_raised_at_once(clock: Clock, errors: list[Exception]) -> None:
    """
    An error that may not be retried ends it, whenever it comes.
    """
    with pytest.raises(ValueError, match="no"):
        retrying(_failing(*errors), may_retry=lambda exc: isinstance(exc, OSError), budget_s=60.0, sleep=clock.sleep)

    assert len(errors) - 1 == len(clock.pauses_s)


def test_each_failure_is_asked_about_once(clock: Clock) -> None:
    """
    A may_retry that counts, or acts, sees every failure one time.
    """
    errors = [OSError("1"), OSError("2"), OSError("3")]
    asked: list[Exception] = []

    def may_retry(error: Exception) -> bool:
        asked.append(error)
        return True

    retrying(_failing(*errors), may_retry=may_retry, budget_s=60.0, sleep=clock.sleep)

    assert errors == asked


@pytest.mark.parametrize("errors", [[KeyboardInterrupt()], [OSError(), KeyboardInterrupt()]], ids=["first", "second"])
def test_interruption_is_no_failure(clock: Clock, errors: list[BaseException]) -> None:
    """
    Interrupts and exits pass, however willing may_retry is.
    """
    with pytest.raises(KeyboardInterrupt):
        retrying(_failing(*errors), may_retry=lambda _: True, budget_s=60.0, sleep=clock.sleep)


def test_pause_is_really_slept() -> None:
    """
    By default pauses pass in real time.
    """
    started_s = time.monotonic()

    retrying(_failing(OSError(), OSError()), may_retry=lambda _: True, budget_s=5.0, first_s=0.01, most_s=0.01)

    assert time.monotonic() - started_s < 5.0


def test_restored_copies_draw_pauses_of_their_own() -> None:
    """
    A restore seeds the random numbers anew, which all copies of a snapshot would share.
    """
    random.seed(1)
    shared = random.random()  # noqa: S311  # what is shared is the test
    random.seed(1)

    _runtime.restored()

    assert shared != random.random()  # noqa: S311  # as above


def test_restore_without_random_loads_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Where nothing drew random numbers there is nothing to seed, and nothing is imported for it.
    """
    monkeypatch.delitem(sys.modules, "random")

    _runtime.restored()

    assert "random" not in sys.modules
