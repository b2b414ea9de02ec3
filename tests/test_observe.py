"""
The span slot and the listeners for new clients: nothing by default, whole when somebody listens.
"""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import pytest

from lambda_kit import _observe, _runtime
from tests import fresh_process, threads


class Client:
    """
    A client as boto3's resources are: two of one service are equal.
    """

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Client)

    def __hash__(self) -> int:
        return 1


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    """
    A process in which nobody traces.
    """
    _runtime.reset()
    yield
    _runtime.reset()


def test_span_does_nothing_by_default() -> None:
    """
    Without a tracer a span can be entered, nested and left by an error, which it does not swallow.
    """
    with _observe.span("GetParameter", "aws", name="/p"), _observe.span("connect"):
        assert _observe.span("a") is _observe.span("b")

    with pytest.raises(ValueError, match="bad"), _observe.span("GetParameter"):
        raise ValueError("bad")


def test_tracer_gets_name_namespace_and_facts() -> None:
    """
    Facts are handed over by keyword, one called name included.
    """
    seen: list[tuple[Any, ...]] = []

    def tracer(name: str, namespace: str, facts: dict[str, str | int | float | bool]) -> AbstractContextManager[object]:
        seen.append((name, namespace, facts))
        return nullcontext("span")

    _observe.set_tracer(tracer)
    with _observe.span("GetParameter", "aws", name="/p", attempt=2) as opened:
        pass
    with _observe.span("connect", namespace="remote"):
        pass

    assert "span" == opened
    assert [("GetParameter", "aws", {"name": "/p", "attempt": 2}), ("connect", "remote", {})] == seen


@pytest.mark.parametrize("end", [lambda: _observe.set_tracer(None), _runtime.reset], ids=["set to none", "reset"])
def test_tracer_is_taken_away(end: Any) -> None:
    """
    Spans are nothing again after that.
    """

    def tracer(name: str, namespace: str, facts: dict[str, str | int | float | bool]) -> AbstractContextManager[object]:
        raise AssertionError(f"called with {name}, {namespace}, {facts}")

    _observe.set_tracer(tracer)

    end()

    with _observe.span("connect"):
        pass


def test_listener_hears_of_every_client_once() -> None:
    """
    Clients built before the listener came are told to it first, equal ones each, and later ones when they are built.
    """
    clients = [Client(), Client(), Client()]
    heard: list[object] = []
    for client in clients[:2]:
        _observe.client_built(client)

    _observe.on_client_built(heard.append)
    _observe.client_built(clients[2])

    assert list(map(id, clients)) == list(map(id, heard))


def test_listeners_are_independent(caplog: pytest.LogCaptureFixture) -> None:
    """
    A listener that fails is logged; neither the client nor the other listeners suffer.
    """
    heard: list[object] = []
    early, late = Client(), Client()

    def failing(_: object) -> None:
        raise ValueError("bad")

    _observe.client_built(early)
    _observe.on_client_built(failing)
    _observe.on_client_built(heard.append)
    _observe.client_built(late)

    assert [id(early), id(late)] == list(map(id, heard))
    assert [logging.ERROR] * 2 == [record.levelno for record in caplog.records]


def test_clients_are_not_kept_alive() -> None:
    """
    A client that nobody uses any more is gone, and is told to no later listener.
    """
    heard: list[object] = []
    kept = Client()
    for _ in range(100):
        _observe.client_built(Client())
    gc.collect()
    _observe.client_built(kept)

    _observe.on_client_built(heard.append)

    assert [id(kept)] == list(map(id, heard))
    assert 1 == len(_observe._clients)


def test_listener_never_misses_a_client_built_at_the_same_time() -> None:
    """
    Whatever the order in which threads build and a listener comes, it hears of each client exactly once.
    """
    heard: list[int] = []
    clients = [Client() for _ in range(15)]
    jobs = iter(
        [
            *(lambda client=client: _observe.client_built(client) for client in clients[:8]),
            lambda: _observe.on_client_built(lambda built: heard.append(id(built))),
            *(lambda client=client: _observe.client_built(client) for client in clients[8:]),
        ]
    )

    threads.at_once(16, lambda: next(jobs)())

    assert sorted(map(id, clients)) == sorted(heard)


def test_reset_forgets_clients_and_listeners() -> None:
    """
    After a reset nobody hears anything of before.
    """
    heard: list[object] = []
    client = Client()
    _observe.on_client_built(heard.append)

    _runtime.reset()
    _observe.client_built(client)

    assert [] == heard


def test_forked_child_keeps_listeners_but_not_clients() -> None:
    """
    In a child the parent's clients are none of its own, and new ones are told to the same listeners.
    """
    first: list[object] = []
    second: list[object] = []
    parents, childs = Client(), Client()
    _observe.on_client_built(first.append)
    _observe.client_built(parents)

    _runtime.forked()
    _observe.client_built(childs)
    _observe.on_client_built(second.append)

    assert [id(parents), id(childs)] == list(map(id, first))
    assert [id(childs)] == list(map(id, second))


def test_fork_with_the_lock_held_does_not_block_the_child() -> None:
    """
    A child forked while another thread was registering builds clients of its own.
    """
    code = fresh_process.result(
        """
        import os, signal, threading
        from lambda_kit import _observe, _runtime
        class Client: pass
        _runtime.watch_life()
        held, done = threading.Event(), threading.Event()
        def hold():
            with _observe._lock:
                held.set()
                done.wait()
        thread = threading.Thread(target=hold)
        thread.start()
        held.wait()
        pid = os.fork()
        if not pid:
            signal.alarm(20)
            _observe.client_built(Client())
            os._exit(7)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        done.set()
        thread.join()
        print(code)
        """,
    )

    assert 7 == code


def test_lock_is_free_while_listeners_run() -> None:
    """
    A listener may build a client itself, from another thread even.
    """
    built: list[object] = []

    def listener(client: object) -> None:
        built.append(client)
        if len(built) == 1:
            threads.at_once(1, lambda: _observe.client_built(inner))

    inner, outer = Client(), Client()
    _observe.on_client_built(listener)
    _observe.client_built(outer)

    assert [id(outer), id(inner)] == list(map(id, built))


def test_fork_hook_runs_in_a_real_child() -> None:
    """
    The kit's fork hook for this module is the one a real fork runs.
    """
    count = fresh_process.result(
        """
        import os
        from lambda_kit import _observe, _runtime
        class Client: pass
        client = Client()
        _runtime.watch_life()
        _observe.client_built(client)
        pid = os.fork()
        if not pid:
            os._exit(len(_observe._clients))
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        """,
    )

    assert 0 == count
