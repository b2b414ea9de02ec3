"""
The invocation under way: read from real and makeshift contexts, current everywhere, cleared at its end.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import pytest
from awslambdaric.lambda_context import LambdaContext as RuntimeContext

from lambda_kit import Invocation, LambdaContext, _runtime, invocation, on_invocation_end, per_invocation, scratch_dir
from lambda_kit import _invocation as module
from lambda_kit.errors import ConfigurationError, DeadlineError
from tests import fresh_process, threads

ARN = "arn:aws:lambda:eu-west-1:123456789012:function:orders"


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """
    A process outside of any invocation, its temporary files in a folder of the test's.
    """
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512")
    monkeypatch.delenv("AWS_LAMBDA_INITIALIZATION_TYPE", raising=False)
    monkeypatch.delenv("_X_AMZN_TRACE_ID", raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    _runtime.reset()
    yield
    _runtime.reset()


def make_context(request_id: str = "r-1", *, timeout_s: float = 30.0, arn: str = ARN, tenant_id: str | None = None) -> LambdaContext:
    """
    Return a context as the runtime client makes it.
    """
    deadline_ms = int((time.time() + timeout_s) * 1000)
    context: LambdaContext = RuntimeContext(request_id, None, None, deadline_ms, arn, tenant_id)
    return context


class DurableContext:
    """
    A durable function's context: no request id of its own.
    """

    def __init__(self, inner: LambdaContext) -> None:
        self.lambda_context = inner


def outside(call: Callable[[], object]) -> None:
    """
    Check that *call* works only in an invocation, and says so.
    """
    with pytest.raises(LookupError, match=r"no invocation is under way: .* works inside a handler of the kit"):
        call()


# Invocation


def test_invocation_reads_the_runtime_clients_context(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Every fact comes from the context as awslambdaric makes it, numbers as numbers.
    """
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-0;Parent=2;Sampled=1")
    context = make_context(arn=f"{ARN}:live", tenant_id="blue")

    found = Invocation.from_context(context)

    assert ("r-1", f"{ARN}:live", context) == (found.request_id, found.function_arn, found.context)
    assert ("eu-west-1", "123456789012", "live") == (found.region, found.account_id, found.qualifier)
    assert (512, "blue", "Root=1-0;Parent=2;Sampled=1") == (found.memory_mb, found.tenant_id, found.trace_header)


@pytest.mark.parametrize(("qualifier", "alias"), [(":live", "live"), (":7", ""), (":$LATEST", ""), ("", "")])
def test_alias_and_version(monkeypatch: pytest.MonkeyPatch, qualifier: str, alias: str) -> None:
    """
    The ARN says how the function was invoked, the context which version runs.
    """
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_VERSION", "7")

    found = Invocation.from_context(make_context(arn=f"{ARN}{qualifier}"))

    assert (alias, "7") == (found.alias, found.version)
    assert "" == Invocation.from_context(SimpleNamespace(aws_request_id="r-1")).version


def test_w3c_trace_headers_are_the_caller_s() -> None:
    """
    What the caller sent as trace context is there; older runtime clients know of none, and mocks make none up.
    """
    sent = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
    context: LambdaContext = RuntimeContext("r-1", {"w3c": sent}, None, int((time.time() + 9) * 1000), ARN, None)

    assert sent == Invocation.from_context(context).w3c
    assert {} == Invocation.from_context(make_context()).w3c
    assert {} == Invocation.from_context(MagicMock()).w3c
    assert {} == Invocation.from_context(SimpleNamespace(aws_request_id="r-1")).w3c


def test_what_was_not_given_is_empty() -> None:
    """
    Without alias, tenant and trace there is an empty text, None and an empty text.
    """
    found = Invocation.from_context(make_context())

    assert ("", None, "") == (found.qualifier, found.tenant_id, found.trace_header)


def test_invocation_is_frozen() -> None:
    """
    No attribute can be set or deleted, the private ones included.
    """
    found = Invocation.from_context(make_context())

    for name in ("request_id", "_context", "other"):
        with pytest.raises(AttributeError, match=f"an Invocation is frozen: '{name}' cannot be set"):
            setattr(found, name, "x")
        with pytest.raises(AttributeError, match=f"an Invocation is frozen: '{name}' cannot be deleted"):
            delattr(found, name)


def test_invocation_is_described_by_request_and_time() -> None:
    """
    The representation shows the request id and what is left of the time.
    """
    context = MagicMock(aws_request_id="r-9", get_remaining_time_in_millis=lambda: 1500)

    assert "<Invocation r-9 remaining_s=1.500>" == repr(Invocation.from_context(context))


def test_deadline_is_epoch_seconds() -> None:
    """
    The deadline is the moment the context counts down to.
    """
    before_s = time.time()

    found = Invocation.from_context(make_context(timeout_s=10.0))

    # The runtime's clock has milliseconds.
    assert before_s + 10.0 - 0.01 <= found.deadline <= time.time() + 10.0
    assert 0.0 < found.remaining_s() <= 10.0


def test_remaining_time_is_asked_of_the_context_each_time() -> None:
    """
    A context that counts down, or a test's that says what it wants, is believed at every call.
    """
    context = MagicMock()
    context.get_remaining_time_in_millis.side_effect = [3000, 2000, 1, -5]
    found = Invocation.from_context(context)

    assert [3.0, 2.0, 0.001, 0.0] == [found.remaining_s() for _ in range(4)]


def test_overdue_invocation_has_nothing_left() -> None:
    """
    On Managed Instances code runs on after the deadline: the rest is zero, never less.
    """
    assert 0.0 == Invocation.from_context(make_context(timeout_s=-5.0)).remaining_s()


def test_durable_context_is_unwrapped() -> None:
    """
    A durable function's context gives way to the runtime's, which it holds.
    """
    inner = make_context()

    found = Invocation.from_context(DurableContext(inner))  # type: ignore[arg-type]  # what decorators of durable functions pass

    assert (inner, "r-1") == (found.context, found.request_id)


def test_mock_is_taken_as_it_is() -> None:
    """
    A mock has any attribute, lambda_context too, but what a test set on it counts, and its time is long.
    """
    context = MagicMock(aws_request_id="r-7", memory_limit_in_mb="256", invoked_function_arn=f"{ARN}:3")

    found = Invocation.from_context(context)

    assert ("r-7", 256, "3", context) == (found.request_id, found.memory_mb, found.qualifier, found.context)
    assert 900.0 == found.remaining_s()


@pytest.mark.parametrize("context", [None, SimpleNamespace(), MagicMock, object()], ids=["none", "namespace", "class", "object"])
def test_makeshift_context_lacks_what_it_lacks(context: Any) -> None:
    """
    Whatever a test passes for a context, reading it raises nothing.
    """
    found = Invocation.from_context(context)

    assert ("", "", 0, None) == (found.request_id, found.function_arn, found.memory_mb, found.tenant_id)
    assert ("", "", "") == (found.region, found.account_id, found.qualifier)
    assert "<Invocation  remaining_s=900.000>" == repr(found)


# scope


def test_outside_of_an_invocation_everything_says_so() -> None:
    """
    What lives as long as an invocation is a LookupError outside of one, and asking for one is None.
    """
    value = per_invocation(lambda: 1)

    for call in (invocation, value, scratch_dir, lambda: on_invocation_end(print)):
        outside(call)
    assert module.current() is None


def test_scope_makes_its_invocation_current() -> None:
    """
    From entering to leaving, and only then, the invocation is found.
    """
    with module.scope(make_context()) as entered:
        assert entered is invocation()
        assert entered is module.current()

    outside(invocation)


def test_scope_counts_cold_and_warm() -> None:
    """
    The first invocation waited for INIT, the next did not, and each keeps what it was.
    """
    seen = []
    for _ in range(2):
        with module.scope(make_context()) as entered:
            seen.append(entered)

    assert [True, False] == [entered.cold_start for entered in seen]
    assert 2 == _runtime.environment().invocations


@pytest.mark.parametrize("wrap", [lambda context: context, DurableContext], ids=["same", "durable"])
def test_entering_again_with_the_same_context_does_nothing(wrap: Callable[[LambdaContext], Any]) -> None:
    """
    An inner handler of the same invocation neither counts nor clears.
    """
    context = make_context()
    value = per_invocation(object)

    with module.scope(context) as outer:
        with module.scope(wrap(context)) as inner:
            first = value()
        assert (outer, first) == (inner, value())

    assert 1 == _runtime.environment().invocations


def test_entering_with_another_context_is_another_invocation() -> None:
    """
    A handler that calls another one as a function, with a context of its own, gets its own state back afterwards.
    """
    value = per_invocation(object)

    with module.scope(make_context("outer")) as outer:
        first = value()
        with module.scope(make_context("inner")) as inner:
            assert (inner, "inner") == (invocation(), invocation().request_id)
            assert first is not value()
        assert outer is invocation()
        assert first is value()

    assert 2 == _runtime.environment().invocations


def test_scope_is_left_by_an_error() -> None:
    """
    An error passes, and the invocation is over.
    """
    with pytest.raises(ValueError, match="bad"), module.scope(make_context()):
        raise ValueError("bad")

    outside(invocation)


def test_same_context_again_is_a_new_invocation() -> None:
    """
    A test's fixture that is passed to two invocations, one after the other, makes two of them.
    """
    context = make_context()
    value = per_invocation(object)
    values = []
    for _ in range(2):
        with module.scope(context):
            values.append(value())

    assert values[0] is not values[1]
    assert 2 == _runtime.environment().invocations


def test_threads_find_the_invocation() -> None:
    """
    A thread started without the handler's context variables finds its invocation, and its state.
    """
    value = per_invocation(object)

    with module.scope(make_context()) as entered, ThreadPoolExecutor(1) as pool:
        assert entered is pool.submit(invocation).result()
        assert value() is pool.submit(value).result()


def test_thread_that_outlives_its_invocation_finds_the_next() -> None:
    """
    A background thread with the first invocation's context variables is in none between two, and then in the second.
    """
    value = per_invocation(object)

    with module.scope(make_context("first")):
        kept = contextvars.copy_context()
        value()
    kept.run(outside, invocation)
    kept.run(outside, scratch_dir)

    with module.scope(make_context("second")) as second:
        assert second is kept.run(invocation)
        assert value() is kept.run(value)


def test_invocations_in_two_threads_keep_apart() -> None:
    """
    However two overlapping invocations end, each thread has its own, and afterwards there is none.
    """
    both, first_ended = threading.Barrier(2), threading.Event()
    value = per_invocation(object)

    def run(request_id: str) -> object:
        with module.scope(make_context(request_id)):
            both.wait()
            if request_id == "second":
                first_ended.wait()
            assert request_id == invocation().request_id
            found = value()
        if request_id == "first":
            first_ended.set()
        return found

    with ThreadPoolExecutor(2) as pool:
        values = set(pool.map(run, ["first", "second"]))

    assert 2 == len(values)
    outside(invocation)


def test_one_context_in_many_threads_is_many_invocations() -> None:
    """
    A test that calls a handler from threads with one context gets an invocation for each.
    """
    context = make_context()
    value = per_invocation(object)

    def run() -> object:
        with module.scope(context):
            return value()

    assert 16 == len(set(threads.at_once(16, run)))


def test_one_runner_for_all_invocations_finds_each() -> None:
    """
    asyncio.Runner keeps the context variables of its first use; coroutines find the invocation under way nevertheless.
    """
    context = make_context()

    async def logic() -> tuple[Invocation, Invocation]:
        with module.scope(context) as nested:
            return nested, await asyncio.to_thread(invocation)

    with asyncio.Runner() as runner:
        for _ in range(2):
            with module.scope(context) as entered:
                assert (entered, entered) == runner.run(logic())

    assert 2 == _runtime.environment().invocations


def test_reset_ends_what_a_test_left_open() -> None:
    """
    After a reset there is no invocation, in copied context variables neither, and leaving the old scope is harmless.
    """
    with module.scope(make_context()):
        kept = contextvars.copy_context()
        _runtime.reset()
        outside(invocation)
        kept.run(outside, invocation)

    outside(invocation)


# Deadline


def test_remaining_time_has_a_default_outside() -> None:
    """
    Code that bounds its waits works without an invocation too.
    """
    assert 7.0 == module.remaining_s(7.0)
    with module.scope(make_context(timeout_s=3.0)):
        assert 2.0 < module.remaining_s(7.0) <= 3.0


def test_too_little_time_is_a_deadline_error() -> None:
    """
    What needs more time than there is says so before it begins, with both figures.
    """
    context = MagicMock(get_remaining_time_in_millis=lambda: 1500)

    with module.scope(context):
        module.check_deadline(1.5, "connect")
        with pytest.raises(DeadlineError, match=r"connect: 1\.500 s left of the invocation, 1\.501 s needed") as caught:
            module.check_deadline(1.501, "connect")

    assert 1.5 == caught.value.remaining_s


def test_outside_there_is_time_for_everything() -> None:
    """
    Without an invocation nothing is too long.
    """
    module.check_deadline(1e9, "train")


# per_invocation


def test_value_is_made_once_per_invocation() -> None:
    """
    Calls within one invocation give one value, the next invocation makes another.
    """
    value = per_invocation(object)
    made = []
    for _ in range(2):
        with module.scope(make_context()):
            made.append(value())
            assert made[-1] is value()

    assert made[0] is not made[1]


def test_two_declarations_are_two_values() -> None:
    """
    The same factory declared twice makes a value for each.
    """
    first, second = per_invocation(object), per_invocation(object)

    with module.scope(make_context()):
        assert first() is not second()


def test_threads_of_one_invocation_share_one_value() -> None:
    """
    64 threads that come at once make one value.
    """
    made: list[object] = []

    def factory() -> object:
        os.sched_yield()
        made.append(object())
        return made[-1]

    with module.scope(make_context()):
        found = threads.at_once(64, per_invocation(factory))

    assert made == list(set(found))


def test_thread_that_waited_gets_the_value_made_meanwhile() -> None:
    """
    A thread that came while the value was being made takes it.
    """
    inside, go_on = threading.Event(), threading.Event()
    found: list[object] = []

    def factory() -> object:
        inside.set()
        go_on.wait()
        return object()

    value = per_invocation(factory)
    with module.scope(make_context()):
        maker, waiter = (threading.Thread(target=lambda: found.append(value())) for _ in range(2))
        maker.start()
        inside.wait()
        waiter.start()
        threads.wait_until_at(waiter, "with self.locks.setdefault")
        go_on.set()
        maker.join()
        waiter.join()

    assert (2, 1) == (len(found), len(set(found)))


def test_value_may_need_another() -> None:
    """
    A factory may use other values of the invocation, from threads of its own too.
    """
    inner = per_invocation(object)

    def factory() -> object:
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(inner).result()

    outer = per_invocation(factory)

    with module.scope(make_context()):
        assert inner() is outer()


def test_failing_factory_runs_again() -> None:
    """
    An error is not kept as the value.
    """
    outcomes = iter([1, 0])
    value = per_invocation(lambda: 1 / (1 - next(outcomes)))

    with module.scope(make_context()):
        with pytest.raises(ZeroDivisionError):
            value()
        assert 1.0 == value()


def test_none_is_a_value() -> None:
    """
    A factory that returns None runs once.
    """
    made: list[None] = []
    value = per_invocation(lambda: made.append(None))

    with module.scope(make_context()):
        assert (None, None, 1) == (value(), value(), len(made))


def test_per_invocation_takes_something_to_call() -> None:
    """
    A value instead of a factory is refused at the declaration.
    """
    with pytest.raises(ConfigurationError, match=r"per_invocation\(\) takes a factory, something to call: got str$"):
        per_invocation("p4ssw0rd")  # type: ignore[arg-type]  # what the test is about


def test_representation_names_the_factory_only() -> None:
    """
    The value is not shown.
    """
    value = per_invocation(make_context)

    with module.scope(make_context()):
        value()
        assert "<PerInvocation of make_context>" == repr(value)


# on_invocation_end


def test_end_hooks_run_backwards_while_the_state_is_there() -> None:
    """
    The last hook runs first, and all of them still find the invocation, its values and its directory.
    """
    calls: list[object] = []
    value = per_invocation(object)

    with module.scope(make_context()) as entered:
        made, directory = value(), scratch_dir()
        on_invocation_end(lambda: calls.append((invocation(), value(), directory.is_dir())))
        on_invocation_end(lambda: calls.append("second"))
        assert [] == calls

    assert ["second", (entered, made, True)] == calls


def test_end_hook_is_registered_by_decorating() -> None:
    """
    Registering returns the hook itself, and lasts for one invocation.
    """
    calls: list[str] = []

    def hook() -> None:
        calls.append("end")

    for register in (True, False):
        with module.scope(make_context()):
            if register:
                assert hook is on_invocation_end(hook)

    assert ["end"] == calls


def test_end_hook_may_register_another() -> None:
    """
    What is registered while the invocation ends runs too.
    """
    calls: list[str] = []

    with module.scope(make_context()):
        on_invocation_end(lambda: on_invocation_end(lambda: calls.append("late")))

    assert ["late"] == calls


@pytest.mark.parametrize("context", [make_context("r-5"), None], ids=["runtime's", "none"])
def test_failing_end_hook_is_logged_only(caplog: pytest.LogCaptureFixture, context: Any) -> None:
    """
    The result stands and the other hooks run, whatever is known of the request.
    """
    calls: list[str] = []

    def hook() -> None:
        raise ValueError("bad")

    with module.scope(context):
        on_invocation_end(lambda: calls.append("other"))
        on_invocation_end(hook)

    assert (["other"], [logging.ERROR]) == (calls, [record.levelno for record in caplog.records])
    assert f"an on_invocation_end hook failed (request {'r-5' if context else ''})" == caplog.messages[0]


def test_failing_end_hook_does_not_hide_the_error(caplog: pytest.LogCaptureFixture) -> None:
    """
    The handler's own error is the one that is raised.
    """

    def hook() -> None:
        raise ValueError("from the hook")

    def handle() -> None:
        with module.scope(make_context()):
            on_invocation_end(hook)
            raise KeyError("from the handler")

    with pytest.raises(KeyError, match="from the handler"):
        handle()

    assert 1 == len(caplog.records)


def test_exit_in_an_end_hook_clears_nevertheless() -> None:
    """
    A hook that ends the process leaves no state and no files.
    """

    directories: list[Path] = []

    def hook() -> None:
        raise SystemExit(3)

    def handle() -> None:
        with module.scope(make_context()):
            directories.append(scratch_dir())
            on_invocation_end(hook)

    with pytest.raises(SystemExit):
        handle()

    assert [False] == [directory.exists() for directory in directories]
    outside(invocation)


# scratch_dir


def test_scratch_directory_is_private_and_deleted(tmp_path: Path) -> None:
    """
    One empty directory per invocation, below the temporary directory, nobody else's to read, gone at the end with its files.
    """
    with module.scope(make_context()):
        directory = scratch_dir()
        assert (tmp_path, []) == (directory.parent, list(directory.iterdir()))
        assert 0o700 == directory.stat().st_mode & 0o777
        assert directory is scratch_dir()
        (directory / "sub").mkdir()
        (directory / "sub" / "file").write_text("x")

    assert [] == list(tmp_path.iterdir())


def test_no_directory_is_made_unasked(tmp_path: Path) -> None:
    """
    An invocation that needs no files makes none.
    """
    with module.scope(make_context()):
        assert [] == list(tmp_path.iterdir())


def test_threads_of_one_invocation_share_one_directory(tmp_path: Path) -> None:
    """
    Threads that come at once get one directory, so that none is left behind.
    """
    with module.scope(make_context()):
        found = threads.at_once(16, scratch_dir)
        assert list(set(found)) == list(tmp_path.iterdir())

    assert [] == list(tmp_path.iterdir())


def test_directory_deleted_by_the_logic_is_no_error() -> None:
    """
    Logic that tidies up itself does the invocation no harm.
    """
    with module.scope(make_context()):
        scratch_dir().rmdir()


# Forks


def test_fork_hook_gives_the_child_an_invocation_of_its_own() -> None:
    """
    A child keeps knowing its invocation and deadline, but has none of the parent's values, hooks and files.
    """
    calls: list[str] = []
    value = per_invocation(object)

    with module.scope(make_context()) as entered:
        parents = value(), scratch_dir()
        on_invocation_end(lambda: calls.append("parent's hook"))
        _runtime.forked()
        assert entered is invocation()
        assert all(mine is not its for mine, its in zip((value(), scratch_dir()), parents, strict=True))

    assert [] == calls
    assert parents[1].is_dir()


def test_fork_outside_of_an_invocation_is_nothing() -> None:
    """
    There is nothing to give a child then.
    """
    _runtime.forked()

    outside(invocation)


def test_child_that_leaves_the_handler_leaves_the_parents_files_alone(tmp_path: Path) -> None:
    """
    A forked child that runs through the end of its invocation, as one that fails does, deletes and calls nothing of its parent's.
    """
    printed = fresh_process.result(
        """
        import json, os, sys
        from types import SimpleNamespace
        from lambda_kit import _invocation, on_invocation_end, scratch_dir
        parent = os.getpid()
        ends, out = os.pipe()
        try:
            with _invocation.scope(SimpleNamespace(aws_request_id="r-1")):
                directory = scratch_dir()
                on_invocation_end(lambda: os.write(out, b"!"))
                pid = os.fork()
                if not pid:
                    raise ValueError("in the child")
                os.waitpid(pid, 0)
                os.set_blocking(ends, False)
                try:
                    os.read(ends, 1)
                    hook_ran = True
                except BlockingIOError:
                    hook_ran = False
                kept = directory.is_dir()
        except ValueError:
            os._exit(0)
        print(json.dumps([hook_ran, kept, directory.exists(), os.read(ends, 9).decode()]))
        """,
        environ={"TMPDIR": str(tmp_path)},
    )

    assert [False, True, False, "!"] == printed
