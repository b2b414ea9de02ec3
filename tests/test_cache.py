"""
Values that grow old: fresh, soft, expired, dead; one fetch for many callers; bounded; forgotten at every turn of life.
"""

from __future__ import annotations

import gc
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from weakref import ref

import pytest

from benchmarks.refresh_herd import ratio, refreshes
from lambda_kit import _runtime
from lambda_kit._cache import Cache, Entry
from lambda_kit.errors import (
    ConfigurationError,
    DeadlineError,
    MissingDependencyError,
    ParameterAccessError,
    ParameterNotFoundError,
    ParameterUnavailableError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Clock:
    """
    Both clocks of an environment; a freeze stops one of them.
    """

    def __init__(self) -> None:
        self.wall = 1_700_000_000.0
        self.monotonic = 50.0

    def advance(self, seconds: float) -> None:
        self.wall += seconds
        self.monotonic += seconds


class Source:
    """
    A source that counts, fails and waits as told.
    """

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.calls = 0
        self.began = threading.Event()
        self.gate = threading.Event()
        self.gate.set()

    def __call__(self) -> tuple[Any, str | None]:
        self.calls += 1
        self.began.set()
        assert self.gate.wait(10.0)
        answer = self.answers[min(self.calls, len(self.answers)) - 1]
        if isinstance(answer, BaseException):
            raise answer
        return answer, f"v{self.calls}"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def cache(clock: Clock) -> Cache[Any]:
    return Cache(wall_s=lambda: clock.wall, monotonic_s=lambda: clock.monotonic, fraction=lambda: 0.5)


# Ages: SOFT from 75 s on, EXPIRED from 100 s on, DEAD from 150 s on.
TIMES: dict[str, Any] = {"max_age_s": 100.0, "stale_for_s": 50.0}
OUTAGE = ParameterUnavailableError("down", name="k")


def waiting(cache: Cache[Any], key: str) -> int:
    flight = cache._flights.get(key)
    return 0 if flight is None else flight.waiting


def until(true: Callable[[], bool]) -> None:
    """
    Let other threads run until they got where the test wants them.
    """
    for _ in range(10_000):
        if true():
            return
        threading.Event().wait(0.001)
    raise AssertionError("the other threads did not get there")


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(64) as threads:
        yield threads


def test_young_value_is_not_fetched_again(cache: Cache[Any], clock: Clock) -> None:
    """
    Below the soft age a value comes from the cache.
    """
    source = Source("a", "b")
    cache.get("k", source, **TIMES)
    clock.advance(74.9)

    assert "a" == cache.get("k", source, **TIMES).value
    assert 1 == source.calls


def test_soft_value_is_renewed_by_its_caller(cache: Cache[Any], clock: Clock) -> None:
    """
    From the soft age on the next caller fetches, though the value is not too old.
    """
    source = Source("a", "b")
    cache.get("k", source, **TIMES)
    clock.advance(75.1)

    entry = cache.get("k", source, **TIMES)

    assert ("b", "v2") == (entry.value, entry.version)


def test_soft_value_is_handed_to_the_others_at_once(cache: Cache[Any], clock: Clock, pool: ThreadPoolExecutor) -> None:
    """
    While one caller renews a soft value, another gets the old one without waiting.
    """
    source = Source("a", "b")
    cache.get("k", source, **TIMES)
    clock.advance(90)
    source.gate.clear()
    source.began.clear()
    renewing = pool.submit(cache.get, "k", source, **TIMES)
    assert source.began.wait(10)

    assert "a" == cache.get("k", source, **TIMES).value
    source.gate.set()
    assert "b" == renewing.result(10).value


def test_expired_value_is_awaited_by_the_others(cache: Cache[Any], clock: Clock, pool: ThreadPoolExecutor) -> None:
    """
    A value that is too old is not handed out while its renewal is about to succeed.
    """
    source = Source("a", "b")
    cache.get("k", source, max_age_s=100.0)
    clock.advance(120)
    source.gate.clear()
    source.began.clear()
    both = [pool.submit(cache.get, "k", source, max_age_s=100.0) for _ in range(2)]
    until(lambda: 1 == waiting(cache, "k"))
    source.gate.set()

    assert ["b", "b"] == [future.result(10).value for future in both]
    assert 2 == source.calls


def test_stale_value_is_served_when_renewing_takes_long(cache: Cache[Any], clock: Clock, pool: ThreadPoolExecutor) -> None:
    """
    Behind a source that hangs, the others do not wait if a stale value may be served.
    """
    source = Source("a", "b")
    cache.get("k", source, **TIMES)
    clock.advance(120)
    source.gate.clear()
    source.began.clear()
    renewing = pool.submit(cache.get, "k", source, **TIMES)
    assert source.began.wait(10)

    assert "a" == cache.get("k", source, **TIMES).value
    source.gate.set()
    assert "b" == renewing.result(10).value


@pytest.mark.parametrize(
    "turn",
    [
        lambda clock: clock.advance(101),
        lambda clock: setattr(clock, "wall", clock.wall + 86_400),
        lambda clock: setattr(clock, "wall", clock.wall - 86_400),
        lambda clock: setattr(clock, "monotonic", clock.monotonic + 101),
        lambda clock: setattr(clock, "monotonic", 1.0),
    ],
    ids=["both clocks", "a freeze", "wall clock set back", "wall clock stands", "another monotonic clock"],
)
def test_expired_value_is_fetched_again(cache: Cache[Any], clock: Clock, turn: Callable[[Clock], object]) -> None:
    """
    A value too old by either clock, or by a clock that went backwards, is not handed out.
    """
    source = Source("a", "b")
    cache.get("k", source, max_age_s=100.0)
    turn(clock)

    assert "b" == cache.get("k", source, max_age_s=100.0).value


def test_max_age_zero_always_fetches(cache: Cache[Any]) -> None:
    """
    Nothing is young enough for a caller that wants it 0 s old.
    """
    source = Source("a", "b")
    cache.get("k", source, max_age_s=0.0)

    assert "b" == cache.get("k", source, max_age_s=0.0).value


def test_many_callers_of_a_cold_key_fetch_once(cache: Cache[Any], pool: ThreadPoolExecutor) -> None:
    """
    64 threads that come at once cause one fetch and get its value.
    """
    source = Source("a")
    source.gate.clear()
    futures = [pool.submit(cache.get, "k", source, **TIMES) for _ in range(64)]
    until(lambda: 63 == waiting(cache, "k"))
    source.gate.set()

    assert {"a"} == {future.result(10).value for future in futures}
    assert 1 == source.calls


def test_many_callers_of_a_failing_key_fetch_once(cache: Cache[Any], pool: ThreadPoolExecutor) -> None:
    """
    A failing fetch is one fetch too; every caller gets an error of its own, with facts and cause.
    """
    failure = ParameterUnavailableError("down", name="k")
    failure.__cause__ = cause = OSError("no route")
    source = Source(failure)
    source.gate.clear()
    futures = [pool.submit(cache.get, "k", source, **TIMES) for _ in range(64)]
    until(lambda: 63 == waiting(cache, "k"))
    source.gate.set()

    raised = [future.exception(10) for future in futures]
    assert 1 == source.calls
    assert 64 == len({id(exc) for exc in raised})
    assert [("down", "k", cause)] * 64 == [(str(exc), vars(exc)["name"], exc.__cause__) for exc in raised if exc]


def test_errors_do_not_grow(cache: Cache[Any]) -> None:
    """
    A failure leaves no flight behind, and no cycle that keeps what its frames hold.
    """
    source = Source(*[ParameterUnavailableError(f"{number}") for number in range(3)])
    gc.collect()
    for number in range(3):
        with pytest.raises(ParameterUnavailableError, match=str(number)):
            cache.get("k", source, **TIMES)

    assert {} == cache._flights


def test_value_that_came_meanwhile_is_taken(clock: Clock) -> None:
    """
    A caller that found the value too old, and then sees that another one has renewed it, does not fetch.
    """
    looks = []

    def wall_s() -> float:
        looks.append(1)
        if 4 == len(looks):
            contested.put("k", "renewed", "v2")
        return clock.wall

    contested: Cache[Any] = Cache(wall_s=wall_s, monotonic_s=lambda: clock.monotonic)
    contested.put("k", "old", "v1")
    clock.advance(101)
    contested.fresh("k", 100.0)

    assert "renewed" == contested.get("k", Source(ZeroDivisionError()), max_age_s=100.0).value


def test_interrupted_fetch_is_taken_over(cache: Cache[Any], pool: ThreadPoolExecutor) -> None:
    """
    When the fetching caller is interrupted, another one fetches instead of waiting for ever.
    """
    source = Source(KeyboardInterrupt(), "b")
    source.gate.clear()
    futures = [pool.submit(cache.get, "k", source, **TIMES) for _ in range(2)]
    until(lambda: 1 == waiting(cache, "k"))
    source.gate.set()

    outcomes = [future.exception(10) or future.result().value for future in futures]
    assert ["KeyboardInterrupt()", "'b'"] == sorted(map(repr, outcomes), reverse=True, key=lambda text: text.startswith("K"))


def test_waiting_ends_with_the_time_there_is(cache: Cache[Any], pool: ThreadPoolExecutor) -> None:
    """
    A caller with little time left does not wait for another one's fetch to the end.
    """
    source = Source("a")
    source.gate.clear()
    fetching = pool.submit(cache.get, "k", source, max_age_s=100.0)
    assert source.began.wait(10)

    with pytest.raises(DeadlineError, match=r"longer than the 0\.010 s"):
        cache.get("k", source, max_age_s=100.0, wait_s=0.01)
    source.gate.set()
    assert "a" == fetching.result(10).value


def test_reading_oneself_is_an_error_not_a_deadlock(cache: Cache[Any]) -> None:
    """
    A fetch that reads its own key is told so.
    """

    def fetch() -> tuple[Any, str | None]:
        return cache.get("k", fetch, **TIMES).value, None

    with pytest.raises(ConfigurationError, match="by the same thread"):
        cache.get("k", fetch, **TIMES)


def test_fetch_may_read_another_key(cache: Cache[Any]) -> None:
    """
    No lock is held over a fetch: it may read other keys.
    """

    def fetch() -> tuple[Any, str | None]:
        return cache.get("other", Source("b"), **TIMES).value + "!", None

    assert "b!" == cache.get("k", fetch, **TIMES).value


def test_stale_value_is_served_while_the_source_fails(cache: Cache[Any], clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    """
    A passing failure serves the old value, says so once, and lets the source rest before the next attempt.
    """
    source = Source("a", OUTAGE, "c")
    cache.get("k", source, **TIMES)
    clock.advance(110)

    served = [cache.get("k", source, what="parameter '/p'", **TIMES).value for _ in range(100)]

    assert ["a"] * 100 == served
    assert 2 == source.calls
    assert ["parameter '/p': version v1 is served 110 s old, as it cannot be renewed: down"] == caplog.messages
    clock.advance(1.1)
    assert "c" == cache.get("k", source, **TIMES).value


def test_pauses_grow_while_the_source_fails(cache: Cache[Any], clock: Clock) -> None:
    """
    Each failure doubles the rest of the source, up to a minute.
    """
    source = Source("a", *[OUTAGE] * 99)
    times: dict[str, Any] = {"max_age_s": 1.0, "stale_for_s": 1e6}
    cache.get("k", source, **times)
    clock.advance(2)
    attempts = []
    for second in range(400):
        before = source.calls
        cache.get("k", source, **times)
        if source.calls > before:
            attempts.append(second)
        clock.advance(1)

    assert [0, 1, 3, 6, 12, 24, 48, 93, 138, 183, 228, 273, 318, 363] == attempts


def test_soft_failure_is_not_worth_a_warning(cache: Cache[Any], clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    """
    A value that is still young enough is served without a word when its early renewal fails.
    """
    source = Source("a", OUTAGE)
    cache.get("k", source, **TIMES)
    clock.advance(90)

    assert "a" == cache.get("k", source, **TIMES).value
    assert [] == caplog.messages


def test_follower_of_a_failing_renewal_is_served_stale_too(cache: Cache[Any], clock: Clock, pool: ThreadPoolExecutor) -> None:
    """
    Those who wait for a renewal that fails get the stale value as its caller does.
    """
    source = Source("a", OUTAGE)
    cache.get("k", source, **TIMES)
    clock.advance(120)
    source.gate.clear()
    both = [pool.submit(cache.get, "k", source, **TIMES) for _ in range(2)]
    until(lambda: 1 == waiting(cache, "k"))
    source.gate.set()

    assert ["a", "a"] == [future.result(10).value for future in both]


def test_dead_value_is_not_served(cache: Cache[Any], clock: Clock) -> None:
    """
    Past max_age_s + stale_for_s the failure is raised.
    """
    source = Source("a", OUTAGE)
    cache.get("k", source, **TIMES)
    clock.advance(151)

    with pytest.raises(ParameterUnavailableError, match="down"):
        cache.get("k", source, **TIMES)


@pytest.mark.parametrize("age_s", [90.0, 110.0], ids=["soft", "expired"])
def test_definitive_failure_is_raised_and_ends_the_value(cache: Cache[Any], clock: Clock, age_s: float) -> None:
    """
    After access was denied the old value is never served, not even during a later outage.
    """
    source = Source("a", ParameterAccessError("denied"), OUTAGE)
    cache.get("k", source, **TIMES)
    clock.advance(age_s)

    for _ in range(2):
        with pytest.raises(ParameterAccessError):
            cache.get("k", source, **TIMES)
    clock.advance(5)
    with pytest.raises(ParameterUnavailableError):
        cache.get("k", source, **TIMES)


def test_foreign_failure_is_definitive(cache: Cache[Any], clock: Clock) -> None:
    """
    An error that does not say that it passes is raised.
    """
    source = Source("a", ZeroDivisionError())
    cache.get("k", source, **TIMES)
    clock.advance(110)

    with pytest.raises(ZeroDivisionError):
        cache.get("k", source, **TIMES)


def test_invalidated_value_is_fetched_again(cache: Cache[Any]) -> None:
    """
    Without a version whatever is there is dropped; dropping nothing says so.
    """
    source = Source("a", "b")
    cache.get("k", source, **TIMES)

    assert (True, False) == (cache.invalidate("k"), cache.invalidate("k"))
    assert "b" == cache.get("k", source, **TIMES).value


def test_invalidating_an_older_version_keeps_the_newer(cache: Cache[Any]) -> None:
    """
    Callers that failed with version 1 do not drop version 2, which another one has fetched meanwhile.
    """
    source = Source("a", "b")
    cache.get("k", source, **TIMES)

    assert cache.invalidate("k", "v1")
    cache.get("k", source, **TIMES)
    assert not cache.invalidate("k", "v1")
    assert "b" == cache.get("k", source, **TIMES).value
    assert 2 == source.calls


def test_invalidated_value_is_no_stale_value(cache: Cache[Any]) -> None:
    """
    What proved wrong is not served when its renewal fails.
    """
    source = Source("a", OUTAGE)
    cache.get("k", source, **TIMES)
    cache.invalidate("k")

    with pytest.raises(ParameterUnavailableError):
        cache.get("k", source, **TIMES)


def test_refusal_holds_nothing_of_who_met_it(cache: Cache[Any]) -> None:
    """
    What a caller had in its variables goes when it goes; the cause is told to the next one all the same.
    """

    def fetch() -> tuple[Any, None]:
        try:
            raise KeyError("not there")
        except KeyError as exc:
            raise ParameterNotFoundError("no k", name="k") from exc

    def caller() -> ref[Source]:
        event = Source()
        with pytest.raises(ParameterNotFoundError):
            cache.get("k", fetch, **TIMES)
        return ref(event)

    event = caller()
    gc.collect()

    assert event() is None
    with pytest.raises(ParameterNotFoundError) as raised:
        cache.get("k", fetch, **TIMES)
    assert ("not there",) == (raised.value.__cause__ or raised.value).args


@pytest.mark.parametrize("version", [None, "v1"])
def test_what_was_under_way_when_a_value_proved_wrong_is_not_kept(
    cache: Cache[Any], clock: Clock, pool: ThreadPoolExecutor, version: str | None
) -> None:
    """
    It may be that value once more: whoever comes later asks anew, and is not given it.
    """
    cache.get("k", Source("wrong"), **TIMES)
    clock.advance(80.0)
    slow = Source("wrong")
    slow.gate.clear()
    leader = pool.submit(cache.get, "k", slow, **TIMES)
    slow.began.wait(10.0)
    cache.invalidate("k", version)

    assert "right" == cache.get("k", Source("right"), **TIMES).value
    slow.gate.set()
    leader.result()
    assert "right" == cache.get("k", Source("unused"), **TIMES).value


def test_what_was_under_way_is_not_kept_without_another_value_either(cache: Cache[Any], pool: ThreadPoolExecutor) -> None:
    """
    When the next caller comes after it has ended, as when it comes before.
    """
    slow = Source("wrong")
    slow.gate.clear()
    leader = pool.submit(cache.get, "k", slow, **TIMES)
    slow.began.wait(10.0)
    cache.invalidate("k")
    slow.gate.set()

    assert "wrong" == leader.result().value
    assert "right" == cache.get("k", Source("right"), **TIMES).value


def test_what_was_fetched_by_other_means_meanwhile_is_not_kept_either(cache: Cache[Any]) -> None:
    """
    A renewal, or a fetch of many values at once, that began before a value proved wrong may bring it once more.
    """

    def overtaken() -> tuple[str, str]:
        cache.invalidate("k")
        return "wrong", "v1"

    since = cache.begin()

    assert "wrong" == cache.renew("k", overtaken).value
    assert "wrong" == cache.put("k", "wrong", "v1", since=since).value
    assert cache.known("k") is None
    assert "right" == cache.get("k", Source("right"), **TIMES).value


def test_of_values_that_proved_wrong_as_many_are_remembered_as_are_kept() -> None:
    """
    Names that come and go do not fill the memory.
    """
    cache: Cache[str] = Cache(max_entries=2)
    since = cache.begin()
    for key in ("a", "b", "c", "b"):
        cache.invalidate(key)

    kept = {key for key in ("a", "b", "c") if cache.put(key, "value", None, since=since) is cache.known(key)}

    assert {"a"} == kept


def test_what_began_earlier_replaces_nothing_that_began_later(cache: Cache[Any], pool: ThreadPoolExecutor) -> None:
    """
    However late it comes: an answer is as old as its question.
    """
    slow = Source("old")
    slow.gate.clear()
    leader = pool.submit(cache.get, "k", slow, **TIMES)
    slow.began.wait(10.0)
    since = cache.begin()
    cache.renew("k", lambda: ("new", None))
    slow.gate.set()

    assert "new" == leader.result().value
    assert "new" == cache.put("k", "old", None, since=since).value
    assert "new" == cache.get("k", Source("unused"), **TIMES).value


def test_what_was_replaced_is_not_handed_out_by_its_holders(cache: Cache[Any], clock: Clock) -> None:
    """
    Who compares the clocks only finds it from a time to come.
    """
    first = cache.get("k", Source("a"), **TIMES)
    cache.renew("k", Source("b"))

    assert float("-inf") == clock.wall - first.wall_s


def test_renew_fetches_whatever_is_there(cache: Cache[Any]) -> None:
    """
    Renewing asks the source and keeps the answer; a failure is raised, and a passing one leaves what is there.
    """
    source = Source("a", "b", OUTAGE)
    cache.get("k", source, **TIMES)

    assert "b" == cache.renew("k", source).value
    with pytest.raises(ParameterUnavailableError):
        cache.renew("k", source)
    assert "b" == cache.get("k", source, **TIMES).value


def test_put_value_is_found(cache: Cache[Any]) -> None:
    """
    What was fetched by other means is served as what was fetched by get().
    """
    cache.put("k", "a", "v")

    assert "a" == cache.get("k", Source(), **TIMES).value


def test_least_recently_used_value_goes_first(clock: Clock) -> None:
    """
    The cache is bounded, and what is read stays.
    """
    cache: Cache[Any] = Cache(max_entries=100, wall_s=lambda: clock.wall, monotonic_s=lambda: clock.monotonic)
    for number in range(10_000):
        cache.put(number, number, None)
        cache.fresh(0, 100.0)

    assert 100 == len(cache._shelf)
    assert len(cache._recent) <= 100
    assert (True, False, True) == tuple(cache.fresh(key, 100.0) is not None for key in (0, 1, 9_999))


def test_derived_forms_stay_with_the_version(cache: Cache[Any]) -> None:
    """
    What was made of a value is kept when the same version is fetched again, and not beyond it.
    """
    cache.put("k", "1", "v1").derive(int, 1)

    assert {int: 1} == cache.put("k", "1", "v1").derived
    assert {} == cache.put("k", "2", "v2").derived
    assert {} == cache.put("k", "2", None).derived
    assert {} == cache.put("k", "2", None).derived


def test_derived_forms_do_not_outlive_the_value(cache: Cache[Any], clock: Clock) -> None:
    """
    A parameter that was deleted and created again begins at version 1 once more, with another value.
    """
    cache.get("k", lambda: ("old", "1"), **TIMES).derive("upper", "OLD")
    clock.advance(101.0)

    assert {} == cache.get("k", lambda: ("new", "1"), **TIMES).derived


def test_derived_forms_are_bounded(cache: Cache[Any]) -> None:
    """
    A caller with a new function for each call does not fill the memory.
    """
    entry = cache.put("k", "1", "v1")
    for number in range(100):
        entry.derive(number, number)

    assert 8 == len(entry.derived)


@pytest.mark.parametrize(
    "turn", [_runtime.reset, _runtime.restored, _runtime.take_snapshot, _runtime.forked], ids=["reset", "restore", "snapshot", "fork"]
)
def test_turns_of_life_empty_the_cache(cache: Cache[Any], turn: Callable[[], object]) -> None:
    """
    Nothing outlives a test reset, a restore, a snapshot or a fork, nor does a lock that was held then.
    """
    cache.get("k", Source("a"), **TIMES)
    cache._lock.acquire()

    turn()

    assert "b" == cache.get("k", Source("b"), **TIMES).value


def test_value_fetched_across_a_turn_of_life_is_not_kept(cache: Cache[Any]) -> None:
    """
    A fetch that began before a restore serves its caller, and nobody after.
    """

    def fetch() -> tuple[Any, str | None]:
        _runtime.restored()
        return "old", None

    assert "old" == cache.get("k", fetch, **TIMES).value
    assert "new" == cache.get("k", Source("new"), **TIMES).value


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this platform")
def test_forked_child_fetches_its_own(cache: Cache[Any], pool: ThreadPoolExecutor) -> None:
    """
    A child forked during a fetch neither waits for the parent's thread nor sees its values.
    """
    import warnings

    source = Source("a")
    source.gate.clear()
    fetching = pool.submit(cache.get, "k", source, **TIMES)
    assert source.began.wait(10)
    with warnings.catch_warnings():
        # Python warns that a process with threads is forked, which is what this test is about.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        os._exit(42 if "child" == cache.get("k", Source("child"), **TIMES).value else 1)
    source.gate.set()

    assert 42 == os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert "a" == fetching.result(10).value


def test_repr_shows_no_value(cache: Cache[Any]) -> None:
    """
    An entry that is printed tells its version only.
    """
    assert "<Entry version v1>" == repr(cache.get("k", Source("hidden"), **TIMES))


def test_softness_is_spread() -> None:
    """
    Environments that started together do not renew together: entries turn soft between 50 and 100 % of their age.
    """
    cache: Cache[Any] = Cache()
    drawn = [cache.put(number, None, None).softness for number in range(200)]

    assert 0.5 <= min(drawn) < 0.6
    assert 0.9 < max(drawn) < 1.0


def test_age_of_a_killed_entry_is_infinite(cache: Cache[Any], clock: Clock) -> None:
    """
    An entry tells its age by the older clock, and once killed that it is of no use.
    """
    entry: Entry[Any] = cache.put("k", "a", None)
    clock.wall += 5
    ages = [cache.age_s(entry)]
    entry.kill()

    assert [5.0, float("inf")] == [*ages, cache.age_s(entry)]


def test_environments_started_together_renew_apart() -> None:
    """
    C6: of ten thousand environments never more renew in one second than 2.5 times their mean; without jitter all would.
    """
    assert 2.5 >= ratio(refreshes(10_000, horizon_s=1200))
    assert 100 < ratio(refreshes(100, horizon_s=1200, jitter=False))


def test_refusal_is_remembered_for_a_moment(cache: Cache[Any], clock: Clock) -> None:
    """
    What the source refuses for good is raised again without asking for 5 s by either clock; each caller has its own error.
    """
    source = Source(ParameterAccessError("denied"), ParameterAccessError("denied"), "a")
    errors = []
    for _ in range(100):
        with pytest.raises(ParameterAccessError, match="denied") as raised:
            cache.get("k", source, **TIMES)
        errors.append(raised.value)
    assert (1, 100) == (source.calls, len({id(error) for error in errors}))
    clock.wall += 5

    with pytest.raises(ParameterAccessError):
        cache.get("k", source, **TIMES)
    clock.advance(5)
    assert "a" == cache.get("k", source, **TIMES).value
    assert {} == cache._refused


@pytest.mark.parametrize("failure", [ConfigurationError("no region"), ZeroDivisionError(), OUTAGE], ids=["set-up", "foreign", "passing"])
def test_other_failures_are_not_remembered(cache: Cache[Any], failure: Exception) -> None:
    """
    A set-up that is corrected, an error that may be anything, and one that passes are no last word.
    """
    source = Source(failure, "a")

    with pytest.raises(type(failure)):
        cache.get("k", source, **TIMES)
    assert "a" == cache.get("k", source, **TIMES).value


def test_refusals_are_bounded(clock: Clock) -> None:
    """
    A caller that makes up names does not fill the memory; the oldest refusal goes first.
    """
    cache = Cache[Any](max_entries=2, wall_s=lambda: clock.wall, monotonic_s=lambda: clock.monotonic)
    for key in "abc":
        cache.refuse(key, ParameterAccessError("denied"))

    assert ["b", "c"] == list(cache._refused)


def test_source_that_wants_a_rest_is_left_alone(cache: Cache[Any], clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    """
    Who has a value does not ask while the source rests, and says so once if the value is stale; who has none asks.
    """
    source, until_s = Source("a", "b", "c"), clock.monotonic + 130
    times: dict[str, Any] = {**TIMES, "rests_until_s": lambda: until_s}
    cache.get("k", source, **TIMES)
    clock.advance(90)
    assert "a" == cache.get("k", source, **times).value
    assert [] == caplog.messages
    clock.advance(20)
    cache.put("other", "x", "1")

    assert ["a", "a"] == [cache.get("k", source, **times).value for _ in range(2)]
    assert "b" == cache.get("cold", source, **times).value
    assert 2 == source.calls
    clock.advance(21)
    assert "c" == cache.get("k", source, **times).value


def test_stale_value_of_a_resting_source_is_warned_of_once(cache: Cache[Any], clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    """
    One warning for each rest.
    """
    source = Source("a")
    cache.get("k", source, **TIMES)
    clock.advance(110)
    for _ in range(3):
        cache.get("k", source, **TIMES, rests_until_s=lambda: clock.monotonic + 10)

    assert ["a value: version v1 is served 110 s old, as it cannot be renewed: its service wants a rest"] == caplog.messages


def test_less_effort_is_made_where_there_is_a_value(cache: Cache[Any], clock: Clock) -> None:
    """
    A refresh may be another function than a first fetch.
    """
    first, later = Source("first"), Source("later")

    assert "first" == cache.get("k", first, refresh=later, **TIMES).value
    clock.advance(90)
    assert "later" == cache.get("k", first, refresh=later, **TIMES).value
    assert (1, 1) == (first.calls, later.calls)


def test_what_is_due_soon_is_known(cache: Cache[Any], clock: Clock) -> None:
    """
    Due is what turns soft within a fifth of its age, what is soft, and what is expired; not what is dead by a clock, or ageless.
    """
    cache.put("ageless", "x", "1")
    cache.put("old", "x", "1", max_age_s=100.0)
    clock.advance(54)
    assert [] == cache.due()
    clock.advance(2)
    cache.put("young", "x", "1", max_age_s=100.0)
    assert ["old"] == cache.due()
    clock.advance(60)
    assert ["old", "young"] == cache.due()
    clock.wall -= 1000
    assert [] == cache.due()


def test_looking_for_what_is_due_is_no_use(clock: Clock) -> None:
    """
    After it the least recently used value goes first as before.
    """
    cache: Cache[Any] = Cache(max_entries=2, wall_s=lambda: clock.wall, monotonic_s=lambda: clock.monotonic)
    assert [] == cache.due()
    cache.put("a", 1, None, max_age_s=100.0)
    cache.put("b", 2, None, max_age_s=100.0)
    assert cache.known("a") is not None
    cache.due()
    cache.put("c", 3, None)

    assert (True, False) == (cache.known("a") is not None, cache.known("b") is not None)


def test_looking_at_a_key_stands_its_removal(pool: ThreadPoolExecutor) -> None:
    """
    Other threads may push a value out between two steps of a look.
    """
    cache: Cache[Any] = Cache(max_entries=2)
    cache.put(0, 0, None)
    interval_s = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        looks = [pool.submit(lambda: [cache.known(number % 4) for number in range(50_000)]) for _ in range(3)]
        number = 0
        while not all(look.done() for look in looks):
            number += 1
            cache.put(number % 4, number, None)
    finally:
        sys.setswitchinterval(interval_s)

    assert [None] * 3 == [look.exception() for look in looks]


def test_reads_and_fetches_are_counted(cache: Cache[Any], clock: Clock, pool: ThreadPoolExecutor) -> None:
    """
    Every read is a hit, a miss or stale, also those that wait for another one's fetch; a reset begins anew.
    """
    source = Source("a", OUTAGE)
    source.gate.clear()
    both = [pool.submit(cache.get, "k", source, **TIMES) for _ in range(2)]
    until(lambda: 1 == waiting(cache, "k"))
    source.gate.set()
    assert ["a", "a"] == [future.result(10).value for future in both]
    cache.get("k", source, **TIMES)
    clock.advance(110)
    cache.get("k", source, **TIMES)
    tallies = cache.tallies

    assert (1, 2, 1) == (tallies.hits.value, tallies.misses.value, tallies.stale_served.value)
    assert (1, 1) == (tallies.refresh_ok.value, tallies.refresh_err.value)
    cache.reset()
    assert 0 == cache.tallies.hits.value


@pytest.mark.parametrize(
    "failure",
    [
        ParameterAccessError("denied", name="k"),
        MissingDependencyError("not installed", package="boto3", extra="aws"),
        OUTAGE,
        OSError(2, "gone"),
        ZeroDivisionError("by zero"),
    ],
    ids=lambda failure: type(failure).__name__,
)
def test_error_for_another_caller_says_the_same(cache: Cache[Any], pool: ThreadPoolExecutor, failure: Exception) -> None:
    """
    Message, attributes and cause of an error reach those who waited, whatever kind it is.
    """
    failure.__cause__ = KeyError("cause")
    source = Source(failure)
    source.gate.clear()
    both = [pool.submit(cache.get, "k", source, **TIMES) for _ in range(2)]
    until(lambda: 1 == waiting(cache, "k"))
    source.gate.set()
    raised = [future.exception(10) for future in both]

    assert raised[0] is not raised[1]
    for exc in raised:
        assert exc is not None
        assert (type(failure), str(failure), failure.args, vars(failure)) == (type(exc), str(exc), exc.args, vars(exc))
        assert exc.__cause__ is failure.__cause__
        assert getattr(failure, "name", None) == getattr(exc, "name", None)
