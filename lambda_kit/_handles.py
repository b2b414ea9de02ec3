"""
Handles: what is declared at global scope, built on first call, and current whenever it is called.
"""

from __future__ import annotations

import logging
import threading
from abc import ABC, abstractmethod
from weakref import ref

from lambda_kit import _runtime
from lambda_kit.errors import ConfigurationError, LambdaKitError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Generic, TypeVar
else:
    from lambda_kit._typing import Generic, TypeVar

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

# Seconds that preloading may take at the end of INIT, which Lambda bounds at 10 s.
PRELOAD_TIMEOUT_S = 3.0

_logger = logging.getLogger("lambda_kit")
_unset = object()


class Handle(ABC, Generic[T_co]):
    """
    Be what a declaration returns: call it to get the current value.

    Declaring costs nothing: no import, no network, no environment read. Subclasses say what calling does.
    """

    __slots__ = ("__weakref__",)

    @abstractmethod
    def __call__(self) -> T_co:
        """
        Return the current value, building or fetching it if need be.
        """

    def preload(self) -> None:
        """
        Build now what a call would build; :func:`lambda_kit.preload` calls it.
        """
        self()

    # A copy would keep its value over the turns of the environment's life, of which only the declared handle is told.
    def __copy__(self) -> Handle[T_co]:
        return self

    def __deepcopy__(self, _: object) -> Handle[T_co]:
        return self


class _Cell:
    """
    One life of a lazy value. A new life gets a new cell, so that a build begun in the old one cannot reach it.
    """

    __slots__ = ("building", "lock", "value")

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.building = False
        self.value: object = _unset


class _Lazy(Handle[T]):
    """
    The handle of anything a factory makes: built once per environment, under a lock.

    Attributes:
        factory: Read by dependency bundles too, to find the clients it rests on.
    """

    __slots__ = ("_cell", "factory", "reset_on_restore")

    def __init__(self, factory: Callable[[], T], *, reset_on_restore: bool) -> None:
        if not callable(factory):
            raise ConfigurationError(f"lazy() takes a factory, something to call: got {type(factory).__name__}")
        self.factory = factory
        self.reset_on_restore = reset_on_restore
        self._cell = _Cell()
        _lazies.add(ref(self, _lazies.discard))

    def __call__(self) -> T:
        value = self._cell.value
        return self._built() if value is _unset else value  # type: ignore[return-value]  # what the factory returned

    def forget(self) -> None:
        """
        Build again at the next call. The lock goes too: at a fork it may be held by a thread that is no more.
        """
        self._cell = _Cell()

    def _built(self) -> object:
        _runtime.watch_life()
        while True:
            cell = self._cell
            with cell.lock:
                # Who waited while the value was forgotten waited for the wrong one.
                if cell is self._cell:
                    return self._build(cell) if cell.value is _unset else cell.value

    def _build(self, cell: _Cell) -> object:
        if cell.building:
            raise ConfigurationError(f"{self!r} needs itself: its factory calls it again")
        cell.building = True
        try:
            cell.value = value = self.factory()
        finally:
            cell.building = False
        return value

    def __repr__(self) -> str:
        state = "not built" if self._cell.value is _unset else "built"
        return f"<lazy {getattr(self.factory, '__qualname__', type(self.factory).__name__)}, {state}>"


# A plain set of references: unlike a WeakSet it can be copied while other threads declare.
_lazies: set[ref[_Lazy[Any]]] = set()


def lazy(factory: Callable[[], T], *, reset_on_restore: bool = False) -> Handle[T]:
    """
    Return a handle of whatever *factory* makes, built on the first call and kept for the environment's life.

    Threads that come at once wait for one build. A factory that raises runs again at the next call. A forked child
    builds its own.

    Args:
        reset_on_restore: Build again after a SnapStart restore. Set it for everything that must not be shared by the
            copies of one snapshot: sockets, tokens, random generators, ids, clocks.

    Raises:
        ConfigurationError: *factory* cannot be called.
    """
    return _Lazy(factory, reset_on_restore=reset_on_restore)


def use(handle: Callable[[], T], *, rare: bool = False) -> T:
    """
    Make a member of a :class:`lambda_kit.Deps` bundle out of *handle*: reading the attribute calls the handle.

    The declared type is the handle's value, as with ``dataclasses.field``; at run time it is a descriptor.

    Args:
        rare: Leave it lazy where the kit builds the bundle's other members at the end of INIT.

    Raises:
        ConfigurationError: *handle* cannot be called, or is a client or a database: those are given bare.
    """
    return Member(handle, rare=rare)  # type: ignore[return-value]  # the one lie: checkers see the value, not the descriptor


class Member:
    """
    The descriptor that :func:`use` returns: reads through the handle, can be replaced on an instance by keyword only.
    """

    __slots__ = ("handle", "name", "rare")

    def __init__(self, handle: Callable[[], object], *, rare: bool = False) -> None:
        # What is given bare tells what it is, how it is written and a name for it. The type is asked: a client's stand-in
        # would build the client.
        bare = getattr(type(handle), "__bare__", None)
        if bare is not None:
            what, written, name = bare(handle)
            raise ConfigurationError(f"use({written}): a {what} is given bare: write {name} = {written}")
        if not callable(handle):
            raise ConfigurationError(f"use() takes a handle or a factory, something to call: got {type(handle).__name__}")
        self.handle = handle
        self.rare = rare
        self.name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        if self.name and self.name != name:
            raise ConfigurationError(f"{owner.__name__}.{name}: this member is {self.name!r} already, give each its own use()")
        self.name = name

    def __get__(self, instance: object, owner: type | None = None) -> object:
        if instance is None:
            return self
        replaced: dict[str, object] = instance.__dict__
        return replaced[self.name] if self.name in replaced else self.handle()

    def __set__(self, instance: object, value: object) -> None:
        raise AttributeError(f"{self.name!r} cannot be set: give {type(instance).__name__}({self.name}=...) instead")


def preload(*things: object) -> None:
    """
    Build *things* now, in as few calls as possible: handles, clients, databases, dependency bundles.

    Clients are built without network; configuration handles are fetched together. After 3 s nothing more is begun, and
    what was not reached stays lazy. A transient failure, which is an error of the kit that is ``retryable``, is logged and
    leaves the handle lazy.

    Raises:
        ConfigurationError: One of *things* is nothing that can be preloaded.
        LambdaKitError: A definitive failure, such as a parameter that does not exist. A factory's own error passes as it is.
    """
    until_s = _runtime.monotonic_s() + PRELOAD_TIMEOUT_S
    for build, members in _grouped(things):
        left_s = until_s - _runtime.monotonic_s()
        if left_s <= 0:
            _stay_lazy(len(members))
        else:
            _unless_transient(build, members, left_s)


def _grouped(things: tuple[object, ...]) -> list[tuple[Callable[[list[object], float], object], list[object]]]:
    """
    Put together what can be built together: types name their group by a static ``__preload__(things, timeout_s)``.

    It is looked up on the type, because a client's stand-in would build the client if asked.
    """
    groups: dict[Callable[[list[object], float], object], list[object]] = {}
    for thing in things:
        build = getattr(type(thing), "__preload__", None)
        if build is None and isinstance(thing, Handle):
            build = _one_by_one
        if build is None:
            raise ConfigurationError(f"preload() takes handles, clients, databases and Deps: got {_described(thing)}")
        groups.setdefault(build, []).append(thing)
    return list(groups.items())


def _described(thing: object) -> str:
    return f"the class {thing.__name__}, not an instance" if isinstance(thing, type) else type(thing).__name__


def _one_by_one(handles: list[Any], timeout_s: float) -> None:
    until_s = _runtime.monotonic_s() + timeout_s
    for position, handle in enumerate(handles):
        if _runtime.monotonic_s() >= until_s:
            _stay_lazy(len(handles) - position)
            return
        _unless_transient(handle.preload)


def _unless_transient(build: Callable[..., object], *args: object) -> None:
    """
    Call *build*; log a failure that may pass, and let one through that will not.
    """
    try:
        build(*args)
    except LambdaKitError as exc:
        if not exc.retryable:
            raise
        _logger.warning("preload: stays lazy for now: %s: %s", type(exc).__name__, exc)


def _stay_lazy(count: int) -> None:
    _logger.warning("preload: %.0f s are over, %d thing(s) stay lazy", PRELOAD_TIMEOUT_S, count)


def _forget(*, restored: bool = False) -> None:
    for known in list(_lazies):
        handle = known()
        if handle is not None and (handle.reset_on_restore or not restored):
            handle.forget()


_runtime.register(fork=_forget, reset=_forget, restore=lambda: _forget(restored=True))
