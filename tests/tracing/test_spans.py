"""
Spans nest rightly, name themselves well, and are nothing at all while nobody traces.
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import inspect
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from lambda_kit import _observe, _runtime, tracing
from lambda_kit.errors import ConfigurationError
from tests.tracing.conftest import SEGMENT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from contextlib import AbstractContextManager

    from tests.tracing.conftest import Daemon, Invoke


def test_span_of_nobody_takes_everything() -> None:
    """
    While nobody traces, a span can be annotated like any other.
    """
    with tracing.span("charge") as span:
        span.annotate(amount=3)
        span.add_metadata(order={"id": 1})
        span.record_exception(ValueError())

    assert tracing.Span is type(span)


def test_error_leaves_a_span_of_nobody() -> None:
    """
    While nobody traces, exceptions pass through a span as they are.
    """
    with pytest.raises(KeyError), tracing.span("charge"):
        raise KeyError


def test_block_becomes_a_span(traced: Daemon) -> None:
    """
    A block is sent when it ends, below the function's segment.
    """
    with tracing.span("charge"):
        assert [] == traced.documents()

    sent = traced.document()
    assert ("charge", SEGMENT) == (sent["name"], sent["parent_id"])


def test_spans_nest(traced: Daemon) -> None:
    """
    A span in a span is its child, and a later one is not.
    """
    with tracing.span("outer"):
        with tracing.span("inner"):
            pass
        with tracing.span("sibling"):
            pass

    spans = traced.named()
    assert [spans["outer"]["id"]] * 2 == [spans["inner"]["parent_id"], spans["sibling"]["parent_id"]]
    assert SEGMENT == spans["outer"]["parent_id"]


def test_tasks_are_siblings(traced: Daemon) -> None:
    """
    Tasks that run at once are all children of the span that started them.
    """

    @tracing.span
    async def part(barrier: asyncio.Barrier) -> None:
        await barrier.wait()

    @tracing.span("whole")
    async def whole() -> None:
        barrier = asyncio.Barrier(3)
        await asyncio.gather(part(barrier), part(barrier), part(barrier))

    asyncio.run(whole())

    *parts, root = traced.documents()
    assert ["whole", SEGMENT] == [root["name"], root["parent_id"]]
    assert [root["id"]] * 3 == [sent["parent_id"] for sent in parts]


def test_coroutine_function_stays_one(traced: Daemon) -> None:
    """
    A decorated coroutine function is a coroutine function, whose span lasts until it has returned.
    """

    @tracing.span
    async def fetch(value: int) -> int:
        await asyncio.sleep(0)
        return value

    assert inspect.iscoroutinefunction(fetch)
    assert 3 == asyncio.run(fetch(3))
    assert "fetch" == traced.document()["name"]


def test_thread_attaches_to_the_invocation(traced: Daemon) -> None:
    """
    A thread that was given no context hangs its spans below the invocation, and disturbs nobody's.
    """

    def work() -> None:
        with tracing.span("in thread"):
            pass

    with tracing.span("outer"):
        context = contextvars.Context()
        thread = threading.Thread(target=context.run, args=(work,))
        thread.start()
        thread.join()

    assert SEGMENT == traced.named()["in thread"]["parent_id"]


def test_copied_context_keeps_the_parent(traced: Daemon) -> None:
    """
    Work that runs in a copy of the context is a child of the span it was handed over in.
    """

    def work() -> None:
        with tracing.span("in pool"):
            pass

    with tracing.span("outer"), ThreadPoolExecutor(1) as pool:
        pool.submit(contextvars.copy_context().run, work).result()

    spans = traced.named()
    assert spans["outer"]["id"] == spans["in pool"]["parent_id"]


def test_threads_share_a_marker(traced: Daemon) -> None:
    """
    One decorated function in many threads at once gives as many spans, each closed by its own thread.
    """
    barrier = threading.Barrier(4)

    @tracing.span
    def work(number: int) -> None:
        with tracing.span("inner") as span:
            barrier.wait(10.0)
            span.annotate(number=number)
        barrier.wait(10.0)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))

    sent = traced.documents()
    outer = {span["id"] for span in sent if span["name"] == "work"}
    assert 4 == len(outer)
    assert outer == {span["parent_id"] for span in sent if span["name"] == "inner"}
    assert {0, 1, 2, 3} == {span["annotations"]["number"] for span in sent if span["name"] == "inner"}


def test_recursion_is_a_chain(traced: Daemon) -> None:
    """
    A decorated function that calls itself is a child of itself.
    """

    @tracing.span
    def down(depth: int) -> None:
        if depth:
            down(depth - 1)

    down(2)

    first, second, third = traced.documents()
    assert [second["id"], third["id"], SEGMENT] == [first["parent_id"], second["parent_id"], third["parent_id"]]


def test_span_closed_in_another_context_is_sent(traced: Daemon) -> None:
    """
    A block that begins in one context and ends in another, as in a generator that threads pass on, is sent all the same.
    """

    def rows() -> Iterator[int]:
        with tracing.span("rows"):
            yield 1

    iterator = rows()
    contextvars.copy_context().run(next, iterator)
    contextvars.copy_context().run(list, iterator)

    assert "rows" == traced.document()["name"]
    with tracing.span("later"):
        pass
    assert SEGMENT == traced.document()["parent_id"]


@pytest.mark.parametrize("kept", [True, False], ids=["kept marker", "new marker"])
def test_untraced_span_closes_no_other(traced: Daemon, invoke: Invoke, kept: bool) -> None:
    """
    What happens in an invocation that is not sampled is never told in the trace of another one.
    """
    marker = tracing.span("poll")

    def poll() -> AbstractContextManager[object]:
        return marker if kept else tracing.span("poll")

    def work(go_on: threading.Event, is_open: threading.Event) -> None:
        with poll():
            is_open.set()
            go_on.wait(10.0)

    go_on, is_open = threading.Event(), threading.Event()
    with ThreadPoolExecutor(1) as pool:
        working = pool.submit(work, go_on, is_open)
        is_open.wait(10.0)
        invoke(sampled="0")
        with pytest.raises(ValueError, match="customer 4711"), poll(), poll():
            raise ValueError("customer 4711")
        assert [] == traced.documents()
        go_on.set()
        working.result()

    assert "fault" not in traced.document()


def test_untraced_generator_closes_no_other(traced: Daemon, invoke: Invoke) -> None:
    """
    Nor when it ends in another context than it began in.
    """

    def rows() -> Iterator[int]:
        with tracing.span("rows"):
            yield 1

    invoke(sampled="0")
    iterator = rows()
    contextvars.copy_context().run(next, iterator)
    invoke()
    with tracing.span("rows"):
        contextvars.copy_context().run(list, iterator)
        assert [] == traced.documents()

    assert "rows" == traced.document()["name"]


def test_untraced_span_is_no_parent(traced: Daemon, invoke: Invoke) -> None:
    """
    Below one that was left open, spans of the next invocation and calls to others go on as if it were not there.
    """
    invoke(sampled="0")
    untraced = tracing.span("left open").__enter__()
    untraced.record_exception(ValueError())
    invoke()

    with tracing.span("next"):
        pass

    assert SEGMENT == traced.document()["parent_id"]


def test_abandoned_generator_is_no_failure(traced: Daemon) -> None:
    """
    A generator closed before its end closes its span, without an exception in it.
    """

    def rows() -> Iterator[int]:
        with tracing.span("rows"):
            yield 1

    iterator = rows()
    next(iterator)
    del iterator

    assert "fault" not in traced.document()


def test_stale_parent_is_not_used(traced: Daemon, invoke: Invoke) -> None:
    """
    A span that an earlier invocation left open is no parent for those of the next one.
    """
    leaked = tracing.span("leaked")
    leaked.__enter__()
    invoke("1111111111111111")

    with tracing.span("next"):
        pass

    assert "1111111111111111" == traced.document()["parent_id"]


def test_context_of_an_earlier_invocation_is_not_used(traced: Daemon, invoke: Invoke) -> None:
    """
    A context that was copied in an earlier invocation, as an event loop's, does not bring its parent back.
    """
    with tracing.span("first"):
        context = contextvars.copy_context()
    invoke()
    traced.documents()

    @tracing.span
    def second() -> None: ...

    context.run(second)

    assert SEGMENT == traced.document()["parent_id"]


def test_task_that_outlives_its_parent_keeps_it(traced: Daemon) -> None:
    """
    Within one invocation a closed span stays the parent of what it started.
    """
    with tracing.span("first"):
        context = contextvars.copy_context()

    @tracing.span
    def second() -> None: ...

    context.run(second)

    first, later = traced.documents()
    assert first["id"] == later["parent_id"]


def test_span_around_the_counting_handler_stays_the_parent(traced: Daemon) -> None:
    """
    A span opened before the kit counts the invocation is still the parent of the spans inside it.
    """
    with tracing.span("around"):
        _runtime.begin_invocation()
        with tracing.span("inside"):
            pass

    spans = traced.named()
    assert spans["around"]["id"] == spans["inside"]["parent_id"]


def test_marker_made_before_instrument_traces_afterwards(daemon: Daemon, invoke: Invoke) -> None:
    """
    Functions decorated before tracing was turned on are traced once it is.
    """

    @tracing.span("early")
    def work() -> int:
        return 4

    assert 4 == work()
    tracing.instrument("xray")
    invoke()

    assert 4 == work()
    assert "early" == daemon.document()["name"]


class Shop:
    """
    Methods of all kinds.
    """

    @tracing.span
    def method(self) -> str:
        """Sell."""
        return "method"

    @tracing.span("class")
    @classmethod
    def of_class(cls) -> str:
        return cls.__name__

    @tracing.span
    @staticmethod
    def static(value: int) -> int:
        return value

    def __call__(self) -> str:
        return "called"


def test_methods_are_decorated(traced: Daemon) -> None:
    """
    Methods, class methods and static methods are spans under the names of their class.
    """
    assert ("method", "Shop", 5) == (Shop().method(), Shop.of_class(), Shop.static(5))

    assert ["Shop.method", "class", "Shop.static"] == [sent["name"] for sent in traced.documents()]
    assert "Sell." == Shop.method.__doc__


class Unhashable:
    """
    Something to call that no dict takes as a key.
    """

    __hash__ = None  # type: ignore[assignment]  # the language's way to say so

    def __call__(self) -> str:
        return "called"


@pytest.mark.parametrize(
    ("function", "name"),
    [(Shop(), "Shop"), (Unhashable(), "Unhashable"), (functools.partial(Shop()), "Shop"), (functools.partial(len, "ab"), "len")],
    ids=["object", "unhashable", "partial", "builtin"],
)
def test_callables_without_a_name_are_decorated(traced: Daemon, function: Callable[[], object], name: str) -> None:
    """
    Objects that can be called and partial functions are named by what they call.
    """
    tracing.span(function)()

    assert name == traced.document()["name"]


def test_generator_functions_are_left_alone() -> None:
    """
    Decorating a generator function changes nothing: its span would end before its first line.
    """

    def rows() -> Iterator[int]:
        yield 1

    async def pages() -> AsyncIterator[int]:
        yield 1

    assert (rows, pages) == (tracing.span(rows), tracing.span("pages")(pages))


@pytest.mark.parametrize("wrong", [3, Shop], ids=["number", "class"])
def test_only_functions_are_decorated(wrong: Any) -> None:
    """
    Anything that is no function is refused, by name.
    """
    with pytest.raises(ConfigurationError, match="span\\(\\) takes a name or decorates a function"):
        tracing.span(wrong)


def test_markers_are_shared_up_to_a_limit() -> None:
    """
    A name gives the same marker again, and names made of ids do not fill the memory.
    """
    assert tracing.span("charge") is tracing.span("charge")

    for number in range(2000):
        tracing.span(f"order {number}")

    assert tracing.span("charge") is tracing.span("charge")
    assert tracing.span("order 1999") is not tracing.span("order 1999")
    assert "<span 'charge'>" == repr(tracing.span("charge"))


def test_spans_of_the_kit_are_sent(traced: Daemon) -> None:
    """
    What the kit's own modules mark becomes a span with its facts, and the user's span its parent.
    """
    with tracing.span("outer"), _observe.span("connect", "remote", host="db.example", port=5432):
        pass

    spans = traced.named()
    assert spans["outer"]["id"] == spans["connect"]["parent_id"]
    assert ["remote", {"host": "db.example", "port": 5432}] == [spans["connect"]["namespace"], spans["connect"]["annotations"]]


def test_reset_ends_tracing(traced: Daemon) -> None:
    """
    A test reset turns tracing off, also in the middle of a span.
    """
    span = tracing.span("open")
    span.__enter__()

    _runtime.reset()

    with tracing.span("later"):
        pass
    assert [] == traced.documents()
