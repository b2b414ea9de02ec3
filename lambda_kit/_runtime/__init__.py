"""
The execution environment's facts and life: who asks for a setting, the time, or a turn of that life asks here.

An environment is initialised, perhaps snapshotted and restored, invoked again and again with freezes between, and shut
down; its process may fork. Everything the kit hands out is bound to that life through this module.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time

from lambda_kit._require import require
from lambda_kit.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    Hook = TypeVar("Hook", bound=Callable[[], object])

ON_DEMAND = "on-demand"
PROVISIONED = "provisioned-concurrency"
SNAP_START = "snap-start"
MANAGED_INSTANCES = "lambda-managed-instances"

_logger = logging.getLogger("lambda_kit")


class _Turn:
    """One turn of the life: what the kit's own modules and what the user registered for it."""

    __slots__ = ("kit", "user")

    def __init__(self) -> None:
        self.kit: list[Callable[[], object]] = []
        self.user: list[Callable[[], object]] = []


class _Life:
    """The one mutable state of this module, guarded by its lock."""

    __slots__ = ("fork", "generation", "invocations", "lock", "reset", "restore", "shutdown", "sigterm", "snapshot", "watched")

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.generation = 0
        self.invocations = 0
        self.watched = False
        self.sigterm = False
        self.fork, self.snapshot, self.restore, self.shutdown, self.reset = _Turn(), _Turn(), _Turn(), _Turn(), _Turn()


_life = _Life()


# Facts


class Environment:
    """
    Tell what is known of this execution environment. Reading a fact costs an attribute look-up or an environment read.
    """

    __slots__ = ()

    @property
    def init_type(self) -> str:
        """
        How Lambda initialised it: ``on-demand``, ``provisioned-concurrency``, ``snap-start`` or ``lambda-managed-instances``.

        Off Lambda it is ``on-demand``. Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
        """
        return setting("AWS_LAMBDA_INITIALIZATION_TYPE") or ON_DEMAND

    @property
    def cold_start(self) -> bool:
        """
        Whether a caller waited for this environment's INIT: true until the second invocation begins.

        With provisioned concurrency and on Managed Instances nobody waited, so it is false.
        """
        return _life.invocations <= 1 and self.init_type not in (PROVISIONED, MANAGED_INSTANCES)

    @property
    def invocations(self) -> int:
        """
        How many invocations have begun in this environment, the current one included. 0 means INIT.
        """
        return _life.invocations

    @property
    def on_lambda(self) -> bool:
        """
        Whether a Lambda runtime client runs this process.
        """
        return on_lambda()

    def __repr__(self) -> str:
        return f"<Environment {self.init_type} cold_start={self.cold_start} invocations={self.invocations}>"


_environment = Environment()


def environment() -> Environment:
    """
    Return the facts of this execution environment; they are read when asked for, not now.
    """
    return _environment


def setting(name: str, default: str | None = None) -> str | None:
    """
    Return environment variable *name*, or *default* when it is not set. An empty variable is a set one.
    """
    return os.environ.get(name, default)


def on_lambda() -> bool:
    """
    Tell whether a Lambda runtime client runs this process (the real one, also under a local Runtime API).
    """
    return "AWS_LAMBDA_RUNTIME_API" in os.environ


def region() -> str:
    """
    Return the region AWS calls go to by default, or an empty string when none is configured.
    """
    return setting("AWS_REGION") or setting("AWS_DEFAULT_REGION") or ""


def wall_s() -> float:
    """
    Return the wall clock, in epoch seconds. It goes on while the environment is frozen, and may jump.
    """
    return time.time()


def monotonic_s() -> float:
    """
    Return the monotonic clock, in seconds of no fixed origin. It may stand still in a freeze and change over a restore.
    """
    return time.monotonic()


def generation() -> int:
    """
    Return a number that changes when what was built before must not be used any more: in a forked child, after a
    restore, after a test reset.
    """
    return _life.generation


def begin_invocation() -> int:
    """
    Count one more invocation, and return the count. Called by the invocation scope.
    """
    _life.invocations += 1
    return _life.invocations


# Life


def register(
    *,
    fork: Callable[[], object] | None = None,
    snapshot: Callable[[], object] | None = None,
    restore: Callable[[], object] | None = None,
    shutdown: Callable[[], object] | None = None,
    reset: Callable[[], object] | None = None,
) -> None:
    """
    Let a module of the kit take part in the life. Registering touches nothing outside this process's memory.

    Args:
        fork: Runs in a forked child, before anything else does.
        snapshot: Runs before a snapshot is taken, after the user's hooks.
        restore: Runs after a restore, before the user's hooks.
        shutdown: Runs when the environment is told to shut down, after the user's hooks.
        reset: Runs when a test wants a cold environment.

    What is registered later stands on what was registered earlier, so the last hook runs first on the way down
    (snapshot, shutdown) and the first hook first on the way up.
    """
    turns = (_life.fork, _life.snapshot, _life.restore, _life.shutdown, _life.reset)
    for turn, hook in zip(turns, (fork, snapshot, restore, shutdown, reset), strict=True):
        if hook is not None:
            turn.kit.append(hook)


def watch_life() -> None:
    """
    Begin to notice forks and, under SnapStart, snapshots and restores. Called by whoever builds the first real thing.
    """
    if _life.watched:
        return
    with _life.lock:
        if _life.watched:
            return
        if _environment.init_type == SNAP_START:
            # The runtime client depends on this package, so under SnapStart it is always there.
            snapshot_restore_py = require("snapshot_restore_py", extra="tools")
            snapshot_restore_py.register_before_snapshot(take_snapshot)
            snapshot_restore_py.register_after_restore(restored)
        os.register_at_fork(after_in_child=forked)
        _life.watched = True


def before_snapshot(hook: Hook) -> Hook:
    """
    Run *hook* before SnapStart takes its snapshot; the last one registered runs first. Usable as a decorator.

    An error in it fails the publishing of the version (the runtime exits with 64).
    Source: https://docs.aws.amazon.com/lambda/latest/dg/snapstart-runtime-hooks-python.html
    """
    watch_life()
    _life.snapshot.user.append(hook)
    return hook


def after_restore(hook: Hook) -> Hook:
    """
    Run *hook* after each restore from a snapshot, in the order of registration. Usable as a decorator.

    All hooks together have 10 s, else Lambda ends the environment with ``SnapStartTimeoutException``.
    Source: https://docs.aws.amazon.com/lambda/latest/dg/snapstart-runtime-hooks-python.html
    """
    watch_life()
    _life.restore.user.append(hook)
    return hook


def on_shutdown(hook: Hook) -> Hook:
    """
    Run *hook* when Lambda shuts the environment down; the last one registered runs first. Usable as a decorator.

    Lambda sends SIGTERM to a function only when an extension is registered, so the first use on Lambda registers an
    internal one (one local request and one waiting thread). All hooks together have 500 ms. On Python 3.11 the runtime
    client does not let signals through while it waits, so the hooks run there only if an invocation is under way. On
    Managed Instances no extension is registered, because every worker process would register its own: the hooks run
    there when the worker itself gets SIGTERM. Off Lambda nothing runs them but the test kit.

    Raises:
        ConfigurationError: On Lambda INIT is over (extensions can be registered only while the handler's module is imported), this
            is not the main thread, or Lambda refused the extension.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html
    """
    if on_lambda() and _life.invocations:
        raise ConfigurationError("on_shutdown works only while modules are imported: move the call to module level")
    with _life.lock:
        if on_lambda() and not _life.sigterm:
            # Few functions have such hooks.
            from lambda_kit._runtime import _shutdown

            # Every worker process of a Managed Instance would register its own extension.
            is_shared = _environment.init_type == MANAGED_INSTANCES
            _shutdown.ask_for_sigterm(None if is_shared else os.environ["AWS_LAMBDA_RUNTIME_API"], shut_down)
            _life.sigterm = True
    _life.shutdown.user.append(hook)
    return hook


def take_snapshot() -> None:
    """
    Do what must happen before a snapshot: the user's hooks in reverse, then the kit's modules.
    """
    for hook in [*reversed(_life.snapshot.user), *reversed(_life.snapshot.kit)]:
        hook()


def restored() -> None:
    """
    Do what must happen after a restore: a new generation, the kit's modules, then the user's hooks in order.
    """
    _life.generation += 1
    for hook in [*_life.restore.kit, *_life.restore.user]:
        hook()


def forked() -> None:
    """
    Do what must happen in a forked child: a new generation and new locks. The parent's things are left alone.

    One failing hook is logged and does not keep the others from running: a child must share nothing.
    """
    _life.lock = threading.RLock()
    _life.generation += 1
    _run_all(_life.fork.kit, "a hook in a forked child failed")


def shut_down() -> None:
    """
    Do what must happen before the environment ends. One failing hook is logged and does not keep the others from running.
    """
    _run_all([*reversed(_life.shutdown.user), *reversed(_life.shutdown.kit)], "an on_shutdown hook failed")


def reset() -> None:
    """
    Make this process look like a fresh environment, for tests: counters at zero, everything built is dropped.
    """
    _life.generation += 1
    _life.invocations = 0
    for hook in _life.reset.kit:
        hook()


def _run_all(hooks: list[Callable[[], object]], complaint: str) -> None:
    for hook in hooks:
        try:
            hook()
        except (Exception, SystemExit):  # whatever it is, the next hook may still save something
            with contextlib.suppress(Exception):  # the log may be what the signal has interrupted
                _logger.exception(complaint)
