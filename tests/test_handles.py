"""
Handles: built once, on first call, current after every turn of the life; members of bundles; preloading.
"""

from __future__ import annotations

import copy
import functools
import gc
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import MagicMock

import pytest

from lambda_kit import Handle, _handles, _runtime, lazy, preload, use
from lambda_kit.errors import ConfigurationError, ParameterNotFoundError, ParameterUnavailableError
from tests import fresh_process, threads


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    """
    A process in which nothing is built.
    """
    _runtime.reset()
    yield
    _runtime.reset()


class Counter:
    """
    A factory that returns how often it was called, or fails so often first.
    """

    def __init__(self, *failures: Exception) -> None:
        self.calls = 0
        self.failures = list(failures)

    def __call__(self) -> int:
        self.calls += 1
        if self.failures:
            raise self.failures.pop(0)
        return self.calls


class Clock:
    """
    A monotonic clock that only goes on when told.
    """

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(time, "monotonic", clock)
    return clock


# lazy


def test_declaring_builds_nothing() -> None:
    """
    The factory runs at the first call, not before.
    """
    factory = Counter()
    handle = lazy(factory)
    assert 0 == factory.calls

    assert (1, 1, 1) == (handle(), handle(), factory.calls)


@pytest.mark.parametrize("value", [None, 0, "", ()])
def test_false_values_are_values(value: object) -> None:
    """
    A factory that returns nothing much still runs once.
    """
    built: list[object] = []

    def factory() -> object:
        built.append(value)
        return value

    handle = lazy(factory)

    assert (value, value, 1) == (handle(), handle(), len(built))


def test_threads_that_come_at_once_wait_for_one_build() -> None:
    """
    64 threads on a handle that is not built make one build and get one object.
    """
    built: list[object] = []

    def factory() -> object:
        os.sched_yield()
        built.append(object())
        return built[-1]

    found = threads.at_once(64, lazy(factory))

    assert (64, built) == (len(found), list(set(found)))


def test_failing_factory_runs_again() -> None:
    """
    A factory's error passes as it is and is not kept.
    """
    handle = lazy(Counter(OSError("not yet")))
    with pytest.raises(OSError, match="not yet"):
        handle()

    assert 2 == handle()


def test_thread_waiting_for_a_failing_build_tries_itself() -> None:
    """
    Who waited for a build that failed is not given its error but builds.
    """
    inside, fail = threading.Event(), threading.Event()
    outcomes: list[object] = []

    def factory() -> int:
        if outcomes or inside.is_set():
            return 2
        inside.set()
        fail.wait()
        raise OSError("first")

    handle = lazy(factory)

    def build() -> None:
        try:
            outcomes.append(handle())
        except OSError as exc:
            outcomes.append(str(exc))

    first, second = threading.Thread(target=build), threading.Thread(target=build)
    first.start()
    inside.wait()
    second.start()
    threads.wait_until_at(second, "with cell.lock")
    fail.set()
    first.join()
    second.join()

    assert {"first", 2} == set(outcomes)


def test_factory_that_calls_its_own_handle_is_told() -> None:
    """
    A circle of handles is a configuration error that names one of them, and the handle works once it is broken.
    """
    broken = False

    def one() -> int:
        return 1 if broken else second()

    def two() -> int:
        return first()

    first, second = lazy(one), lazy(two)
    with pytest.raises(ConfigurationError, match=r"<lazy .*one, not built> needs itself: its factory calls it again"):
        first()
    broken = True

    assert (1, 1) == (first(), second())


def test_handle_may_need_another() -> None:
    """
    A factory calls other handles as it likes.
    """
    settings = lazy(lambda: {"table": "orders"})
    table = lazy(lambda: settings()["table"])

    assert "orders" == table()


def test_lazy_takes_something_to_call() -> None:
    """
    A value instead of a factory is refused at the declaration, its type named and not its value.
    """
    with pytest.raises(ConfigurationError, match=r"lazy\(\) takes a factory, something to call: got str$"):
        lazy("p4ssw0rd")  # type: ignore[arg-type]  # what the test is about


@pytest.mark.parametrize(
    ("factory", "name"),
    [
        (Counter, "Counter"),
        (Counter(), "Counter"),
        (functools.partial(dict, password="p4ssw0rd"), "partial"),
        (MagicMock(return_value="p4ssw0rd"), "MagicMock"),
    ],
    ids=["class", "instance", "partial", "mock"],
)
def test_representation_names_the_factory_only(factory: Callable[[], object], name: str) -> None:
    """
    Neither the value nor a factory's bound arguments are shown, and showing builds nothing.
    """
    handle = lazy(factory)
    assert f"<lazy {name}, not built>" == repr(handle)
    handle()

    assert f"<lazy {name}, built>" == repr(handle)


def test_handle_that_nobody_keeps_is_forgotten() -> None:
    """
    Handles made on the fly do not pile up.
    """
    before = len(_handles._lazies)

    for _ in range(100):
        lazy(Counter())
    gc.collect()

    assert before >= len(_handles._lazies)


@pytest.mark.parametrize("how", [copy.copy, copy.deepcopy])
def test_copy_of_a_handle_is_the_handle(how: Callable[[object], object]) -> None:
    """
    Another one would keep its value when the declared one is told to forget it.
    """
    handle = lazy(lambda: 1)
    handle()

    assert how(handle) is handle


def test_handle_is_what_a_subclass_calls() -> None:
    """
    A handle of a user's own is preloaded by calling it; Handle itself has no call.
    """
    calls: list[str] = []

    class Own(Handle[str]):
        def __call__(self) -> str:
            calls.append("called")
            return "value"

    preload(Own())

    assert ["called"] == calls
    with pytest.raises(TypeError, match="abstract"):
        Handle()  # type: ignore[abstract]  # what the test is about


# lazy and the life


def test_reset_builds_again() -> None:
    """
    After a test's reset the factory runs once more.
    """
    handle = lazy(Counter())
    handle()

    _runtime.reset()

    assert 2 == handle()


def test_restore_builds_again_what_asked_for_it() -> None:
    """
    A restore from a snapshot keeps what may be shared and rebuilds what may not.
    """
    shared, unique = lazy(Counter()), lazy(Counter(), reset_on_restore=True)
    shared(), unique()

    _runtime.restored()

    assert (1, 2) == (shared(), unique())


def test_fork_hook_builds_again() -> None:
    """
    What the kit runs in a forked child forgets every handle.
    """
    handle = lazy(Counter())
    handle()

    _runtime.forked()

    assert 2 == handle()


def test_build_begun_before_a_reset_does_not_survive_it() -> None:
    """
    A build that was under way when everything was reset goes to its caller and is then forgotten.
    """
    inside, go_on = threading.Event(), threading.Event()
    built: list[str] = []

    def factory() -> str:
        if not inside.is_set():
            inside.set()
            go_on.wait()
            return "old"
        return "new"

    handle = lazy(factory)
    thread = threading.Thread(target=lambda: built.append(handle()))
    thread.start()
    inside.wait()

    _runtime.reset()
    assert "new" == handle()
    go_on.set()
    thread.join()

    assert (["old"], "new") == (built, handle())


def test_thread_waiting_over_a_reset_gets_the_new_value() -> None:
    """
    Who waited for a build that a reset made obsolete does not get its result.
    """
    inside, go_on = threading.Event(), threading.Event()
    waited: list[str] = []

    def factory() -> str:
        if not inside.is_set():
            inside.set()
            go_on.wait()
            return "old"
        return "new"

    handle = lazy(factory)
    builder, waiter = threading.Thread(target=handle), threading.Thread(target=lambda: waited.append(handle()))
    builder.start()
    inside.wait()
    waiter.start()
    threads.wait_until_at(waiter, "with cell.lock")

    _runtime.reset()
    go_on.set()
    builder.join()
    waiter.join()

    assert ["new"] == waited


def test_forked_child_builds_its_own() -> None:
    """
    A child forked while another thread was building neither waits for it nor gets the parent's objects.
    """
    values = fresh_process.result(
        """
        import json, os, signal, threading
        from lambda_kit import lazy
        inside, go_on = threading.Event(), threading.Event()
        parent = os.getpid()
        def slow():
            if os.getpid() == parent:
                inside.set()
                go_on.wait()
            return os.getpid()
        built, building = lazy(os.getpid), lazy(slow)
        built()
        thread = threading.Thread(target=building)
        thread.start()
        inside.wait()
        seen, out = os.pipe()
        pid = os.fork()
        if not pid:
            signal.alarm(20)
            os.write(out, json.dumps([built(), building()]).encode())
            os._exit(0)
        os.waitpid(pid, 0)
        os.close(out)
        go_on.set()
        thread.join()
        in_child = json.loads(os.read(seen, 99))
        print(json.dumps([[value == pid for value in in_child], [built() == parent, building() == parent]]))
        """,
    )

    assert [[True, True], [True, True]] == values


# use


class Bundle:
    """
    What a bundle of dependencies is to its members: a class with an instance dictionary.
    """

    price = use(lazy(lambda: 3))
    rare = use(lazy(lambda: 4), rare=True)

    def __init__(self, **replaced: object) -> None:
        self.__dict__.update(replaced)


def test_member_reads_through_its_handle() -> None:
    """
    Each read gives the handle's current value.
    """
    counter = Counter()

    class Counted(Bundle):
        count = use(counter)

    bundle = Counted()

    assert (1, 2, 3) == (bundle.count, bundle.count, bundle.price)


def test_member_is_replaced_in_one_instance() -> None:
    """
    A fake given to one bundle is read there, false values too, and nowhere else.
    """
    replaced: object = Bundle(price=None).price

    assert (None, 3) == (replaced, Bundle().price)


def test_member_cannot_be_set_or_deleted() -> None:
    """
    Assigning to a bundle's member says how to replace it.
    """
    bundle = Bundle()

    with pytest.raises(AttributeError, match=r"'price' cannot be set: give Bundle\(price=\.\.\.\) instead"):
        bundle.price = 5
    with pytest.raises(AttributeError):
        del bundle.price


def test_member_is_itself_on_the_class() -> None:
    """
    The class gives the member, with its name, its handle and whether it is rare, and builds nothing.
    """
    price, rare = vars(Bundle)["price"], vars(Bundle)["rare"]

    assert price is getattr(Bundle, "price")  # noqa: B009  # for checkers it is the value
    assert [("price", False), ("rare", True)] == [(member.name, member.rare) for member in (price, rare)]
    assert 3 == price.handle()


def test_member_is_inherited_and_overridden() -> None:
    """
    A subclass has its parent's members and may give its own.
    """

    class Cheaper(Bundle):
        price = use(lazy(lambda: 1))

    assert (1, 4, 3) == (Cheaper().price, Cheaper().rare, Bundle().price)


def test_member_has_one_name() -> None:
    """
    One use() under two names would replace one for the other, so it is refused.
    """
    member: Any = use(Counter())
    namespace = {"first": member, "second": member}

    # Python 3.11 wraps what __set_name__ raises.
    with pytest.raises((ConfigurationError, RuntimeError)) as caught:
        type("Twice", (), namespace)

    error = caught.value if isinstance(caught.value, ConfigurationError) else caught.value.__cause__
    assert "Twice.second: this member is 'first' already, give each its own use()" == str(error)


def test_member_keeps_its_name_in_another_class() -> None:
    """
    The same member under the same name in two classes is fine.
    """
    shared: Any = use(lazy(lambda: 1))
    first, second = (type(name, (Bundle,), {"one": shared}) for name in ("First", "Second"))

    assert (1, 1) == (first().one, second().one)


def test_use_takes_something_to_call() -> None:
    """
    A value instead of a handle is refused at the declaration, its type named and not its value.
    """
    with pytest.raises(ConfigurationError, match=r"use\(\) takes a handle or a factory, something to call: got str$"):
        use("p4ssw0rd")  # type: ignore[arg-type]  # what the test is about


class Bare:
    """
    A thing that is given bare, and cannot be called.
    """

    @staticmethod
    def __bare__(_: Bare) -> tuple[str, str, str]:
        return "client", 'client("s3")', "s3"

    def __getattr__(self, name: str) -> object:
        raise AssertionError("a stand-in asked for an attribute builds its client")


def test_use_tells_what_is_given_bare() -> None:
    """
    A client or a database in use() is refused with the line to write; only its type is asked.
    """
    with pytest.raises(ConfigurationError) as caught:
        use(Bare())  # type: ignore[arg-type]  # what the test is about

    assert 'use(client("s3")): a client is given bare: write s3 = client("s3")' == str(caught.value)


# preload


class Group:
    """
    A thing that is preloaded together with others of its kind.
    """

    calls: list[tuple[int, float]]
    error: Exception | None = None

    @staticmethod
    def __preload__(things: list[Group], timeout_s: float) -> None:
        type(things[0]).calls.append((len(things), timeout_s))
        if (error := type(things[0]).error) is not None:
            raise error


@pytest.fixture
def group() -> type[Group]:
    class Fresh(Group):
        calls: list[tuple[int, float]] = []  # noqa: RUF012  # one list for all, as the real ones have one service

        def __getattr__(self, name: str) -> object:
            raise AssertionError("a stand-in asked for an attribute builds its client")

        @staticmethod
        def __preload__(things: list[Group], timeout_s: float) -> None:
            Group.__preload__(things, timeout_s)

    return Fresh


def test_preload_builds_handles() -> None:
    """
    After preloading, calling a handle builds nothing more.
    """
    factories = [Counter(), Counter()]
    handles = [lazy(factory) for factory in factories]

    preload(*handles)

    assert [1, 1] == [factory.calls for factory in factories]
    assert [1, 1] == [handle() for handle in handles]


@pytest.mark.usefixtures("clock")
def test_preload_builds_each_kind_in_one_call(group: type[Group]) -> None:
    """
    Things of one kind are handed over together, with the time there is, wherever they stand among others.
    """
    handle = lazy(Counter())

    preload(group(), handle, group())

    assert ([(2, 3.0)], "built") == (group.calls, repr(handle)[-6:-1])


def test_preload_of_nothing_does_nothing() -> None:
    """
    An empty call is fine.
    """
    preload()


@pytest.mark.parametrize("thing", ["/orders/price", Bundle], ids=["value", "class"])
def test_preload_refuses_what_it_cannot_build(thing: object) -> None:
    """
    What is no handle is named by its type, a class as one, and nothing is built.
    """
    factory = Counter()
    said = r"got str$" if isinstance(thing, str) else r"got the class Bundle, not an instance$"

    with pytest.raises(ConfigurationError, match=said):
        preload(lazy(factory), thing)

    assert 0 == factory.calls


def test_transient_failure_leaves_the_handle_lazy(caplog: pytest.LogCaptureFixture) -> None:
    """
    A failure that may pass is logged, the others are built, and the next call tries again.
    """
    failing, other = lazy(Counter(ParameterUnavailableError("SSM throttles", name="/p"))), Counter()

    preload(failing, lazy(other))

    expected = ("lambda_kit", logging.WARNING, "preload: stays lazy for now: ParameterUnavailableError: SSM throttles")
    assert ([expected], 1) == (caplog.record_tuples, other.calls)
    assert 2 == failing()


def test_transient_failure_of_a_group_lets_the_next_one_build(group: type[Group], caplog: pytest.LogCaptureFixture) -> None:
    """
    One group's passing trouble keeps no other from being built.
    """
    group.error = ParameterUnavailableError("SSM throttles")
    factory = Counter()

    preload(group(), lazy(factory))

    assert (1, 1) == (factory.calls, len(caplog.records))


@pytest.mark.parametrize("error", [ParameterNotFoundError("no parameter '/p'", name="/p"), ZeroDivisionError("bug")])
def test_definitive_failure_raises(error: Exception) -> None:
    """
    What will not pass, a factory's own error included, is raised as it is.
    """
    with pytest.raises(type(error)) as caught:
        preload(lazy(Counter(error)))

    assert error is caught.value


def test_preload_begins_nothing_after_three_seconds(clock: Clock, caplog: pytest.LogCaptureFixture, group: type[Group]) -> None:
    """
    When the time is over, what was not reached stays lazy, within a group and after it, and is counted in the log.
    """

    def slow() -> None:
        clock.now_s += 3.5

    late = [Counter(), Counter()]

    preload(lazy(slow), *map(lazy, late), group())

    assert ([0, 0], []) == ([factory.calls for factory in late], group.calls)
    assert ["preload: 3 s are over, 2 thing(s) stay lazy", "preload: 3 s are over, 1 thing(s) stay lazy"] == caplog.messages


def test_preload_passes_on_the_time_that_is_left(clock: Clock, group: type[Group]) -> None:
    """
    A later group gets what the earlier ones left of the three seconds.
    """

    def slow() -> None:
        clock.now_s += 2.0

    preload(lazy(slow), group())

    assert [(1, 1.0)] == group.calls
