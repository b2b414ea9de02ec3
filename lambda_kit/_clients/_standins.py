"""
Stand-ins: declared at no cost, the real thing from the first touch on, untouched again when the environment's life demands it.

A stand-in *becomes* the real client on its first touch: it takes on the real one's class and shares its ``__dict__``. From
then on it costs what the real one costs, and what is set on it is set on the real one.
"""

from __future__ import annotations

import logging
import sys
import threading
from weakref import ref

from lambda_kit import _observe, _runtime
from lambda_kit._clients import _sessions, _timeouts, _trust
from lambda_kit._require import require
from lambda_kit.errors import ConfigurationError, LambdaKitError, MissingDependencyError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, TypeVar

    K = TypeVar("K")
    T = TypeVar("T")
    # The arguments of AssumeRole, sorted: equal ones are the same role. None is the function's own.
    Role = tuple[tuple[str, object], ...]

# How many real objects, and sessions, equal declarations find again. A function that declares a client for each invocation, with
# a Config or a session name of its own, must not fill its memory with them.
MOST_SHARED = 32

_logger = logging.getLogger("lambda_kit")

# The parameters that boto3's client() and resource() take after the service's name, in their order.
_PARAMETERS = (
    "region_name",
    "api_version",
    "use_ssl",
    "verify",
    "endpoint_url",
    "aws_access_key_id",
    "aws_secret_access_key",
    "aws_session_token",
    "config",
    "aws_account_id",
)


class Declaration:
    """
    What a stand-in stands for: ``client`` or ``resource``, the service, the options. Equal ones share one real object.
    """

    __slots__ = ("kind", "options", "role", "service", "timeouts")

    def __init__(
        self,
        kind: str,
        service: str,
        options: Mapping[str, object],
        role: Role | None = None,
        timeouts: _timeouts.Timeouts | None = None,
    ) -> None:
        self.kind = kind
        self.service = service
        self.options = options
        self.role = role
        self.timeouts = timeouts

    @property
    def key(self) -> tuple[object, ...]:
        """
        What equal declarations have in common.
        """
        return (self.kind, self.service, self.role, self.timeouts, tuple(sorted(self.options.items(), key=lambda option: option[0])))

    def __str__(self) -> str:
        assumed = f" as {dict(self.role)['RoleArn']}" if self.role else ""
        return f"{self.kind}({self.service!r}){assumed}"


class _Declared:
    """
    What a stand-in has before and after its first touch: its declaration, identity, copying and pickling by declaration.
    """

    # One slot more than the real classes have, and in both guises, so that one object can change between them.
    __slots__ = ("__dict__", "__weakref__", "_lambda_kit_declaration")
    _lambda_kit_declaration: Declaration

    # A resource compares by content once it is built; a stand-in must not change its hash when touched.
    __eq__ = object.__eq__
    __hash__ = object.__hash__

    def __reduce_ex__(self, _: object) -> tuple[object, ...]:
        declaration = self._lambda_kit_declaration
        return _stand_in_again, (declaration.kind, declaration.service, dict(declaration.options), declaration.role)

    def __copy__(self) -> _Declared:
        return stand_in(self._lambda_kit_declaration)

    def __deepcopy__(self, _: object) -> _Declared:
        return stand_in(self._lambda_kit_declaration)

    @staticmethod
    def __preload__(things: list[_Declared], timeout_s: float) -> None:
        until_s = _runtime.monotonic_s() + timeout_s
        for thing in things:
            if _runtime.monotonic_s() < until_s:
                _build(thing)

    @staticmethod
    def __bare__(thing: _Declared) -> tuple[str, str, str]:
        declaration = thing._lambda_kit_declaration
        return declaration.kind, f'{declaration.kind}("{declaration.service}")', declaration.service.replace("-", "_")


class _Untouched(_Declared):
    """
    A stand-in that nothing has been asked of yet.
    """

    __slots__ = ()

    def _class_to_show(self) -> type:
        """
        Return what isinstance() is told, of whatever it asks: the class there will be, without building anything.
        """
        if self._lambda_kit_declaration.kind == "client":
            return getattr(sys.modules.get("botocore.client"), "BaseClient", _Untouched)
        return getattr(sys.modules.get("boto3.resources.base"), "ServiceResource", _Untouched)

    __class__ = property(_class_to_show)  # pyright: ignore[reportIncompatibleMethodOverride] - read-only: setting goes to the real object

    def __getattr__(self, name: str) -> Any:
        # Test runners and debuggers probe all module attributes for marks of theirs; no client has such attributes.
        if (name.startswith("__") and name.endswith("__")) or name.startswith("_pytest"):
            raise AttributeError(f"{self._lambda_kit_declaration} has no attribute {name!r}", name=name)
        _build(self)
        return getattr(self, name)

    def __setattr__(self, name: str, value: object) -> None:
        _build(self)
        setattr(self, name, value)

    def __delattr__(self, name: str) -> None:
        _build(self)
        delattr(self, name)

    def __dir__(self) -> list[str]:
        _build(self)
        return dir(self)

    def __repr__(self) -> str:
        return f"<{self._lambda_kit_declaration}, not built>"


class _Real:
    """
    One real client or resource, and the class that its stand-ins take on.
    """

    __slots__ = ("guise", "real")

    def __init__(self, real: Any) -> None:
        cls = type(real)
        self.real = real
        self.guise = type(cls.__name__, (_Declared, cls), {"__slots__": (), "__module__": cls.__module__, "__doc__": cls.__doc__})

    @property
    def client(self) -> Any:
        """
        The client itself, or the one that a resource calls with.
        """
        return _client_of(self.real)

    def close_pools(self) -> None:
        """
        Close its connections; the next call opens new ones.
        """
        self.client.close()


def _client_of(real: Any) -> Any:
    return getattr(real.meta, "client", real)


class _Shared:
    """
    What all stand-ins of this process share: the sessions, the real objects, the latest used last, and the lock for building.
    """

    __slots__ = ("lock", "real", "sessions")

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.sessions: dict[Role | None, _sessions.Session] = {}
        self.real: dict[tuple[object, ...], _Real] = {}


_shared = _Shared()
# A plain set of references: unlike a WeakSet it can be copied while other threads declare.
_stand_ins: set[ref[_Declared]] = set()
# The setter of the __class__ that every object has; stand-ins have a property of that name.
_take_on: Any = vars(object)["__class__"].__set__


def declare(kind: str, service: str, args: tuple[object, ...], options: dict[str, object], role: Role | None = None) -> Any:
    """
    Return a stand-in for what boto3's ``client`` or ``resource`` would make of the arguments.
    """
    unknown = sorted(options.keys() - set(_PARAMETERS))
    if unknown or len(args) > len(_PARAMETERS):
        raise ConfigurationError(
            f"{kind}({service!r}) takes no {', '.join(unknown) or 'further argument'}: known are {', '.join(_PARAMETERS)}"
        )
    # Under SnapStart the snapshot has to be noticed although nothing is built yet.
    _runtime.watch_life()
    return stand_in(Declaration(kind, service, {**dict(zip(_PARAMETERS, args, strict=False)), **options}, role))


def _stand_in_again(kind: str, service: str, options: dict[str, object], role: Role | None) -> _Declared:
    """
    Unpickle a stand-in.
    """
    return stand_in(Declaration(kind, service, options, role))


def stand_in(declaration: Declaration) -> _Declared:
    """
    Return a new stand-in; it is reset, snapshotted and forked with all others for as long as somebody holds it.
    """
    made = _Untouched()
    object.__setattr__(made, "_lambda_kit_declaration", declaration)
    _stand_ins.add(ref(made, _stand_ins.discard))
    return made


def _held() -> list[_Declared]:
    """
    Return the stand-ins that somebody holds.
    """
    return [declared for known in list(_stand_ins) if (declared := known()) is not None]


def declarations() -> list[Declaration]:
    """
    Return what is declared and still held by somebody.
    """
    return [declared._lambda_kit_declaration for declared in _held()]  # noqa: SLF001 - a method would show on the real client


def _build(declared: _Declared) -> None:
    """
    Make *declared* the real thing, building that if no other stand-in has.
    """
    declaration = declared._lambda_kit_declaration  # noqa: SLF001 - a method would show on the real client
    with _shared.lock:
        if type(declared) is not _Untouched:
            return
        key = declaration.key
        built = _found(_shared.real, key)
        if built is None:
            _runtime.watch_life()
            built = _keep(_shared.real, key, _Real(_made(declaration)))
            _trust.narrow(built.client)
            _observe.client_built(built.real)
        # First the attributes, then the class: another thread that looks in between waits for the lock.
        object.__setattr__(declared, "__dict__", vars(built.real))
        _take_on(declared, built.guise)


def _found(shared: dict[K, T], key: K) -> T | None:
    if key not in shared:
        return None
    found = shared[key] = shared.pop(key)
    return found


def _keep(shared: dict[K, T], key: K, value: T) -> T:
    """
    Share *value*. Who has what goes for it keeps it.
    """
    shared[key] = value
    if len(shared) > MOST_SHARED:
        del shared[next(iter(shared))]
    return value


def _made(declaration: Declaration) -> Any:
    exceptions = require("botocore.exceptions", extra="aws")
    try:
        make = getattr(_session(declaration.role), declaration.kind)
        config = _timeouts.config(declaration.service, declaration.options.get("config"), declaration.timeouts)
        return make(declaration.service, **{**declaration.options, "config": config})
    except exceptions.NoRegionError as exc:
        raise ConfigurationError(f"{declaration}: no AWS region: set AWS_REGION, or give region_name=") from exc
    except exceptions.UnknownServiceError as exc:
        # Without its cause, which lists the names of some 400 services.
        raise ConfigurationError(f"{declaration} cannot be built: {_unknown(declaration.service, exc)}") from None
    except MissingDependencyError:
        raise
    except (exceptions.BotoCoreError, ValueError) as exc:
        raise ConfigurationError(f"{declaration} cannot be built: {exc}") from exc


def _unknown(service: str, error: Any) -> str:
    """
    Return the reason for botocore's *error* about a service's name, in short.
    """
    from difflib import get_close_matches

    close = get_close_matches(service, error.kwargs["known_service_names"].split(", "), 1)
    return f"Unknown service: did you mean {close[0]!r}?" if close else "Unknown service"


def _session(role: Role | None) -> _sessions.Session:
    found = _found(_shared.sessions, role)
    if found is not None:
        return found
    if role is None:
        return _keep(_shared.sessions, None, _sessions.own())
    sts = stand_in(Declaration("client", "sts", {}))
    return _keep(_shared.sessions, role, _sessions.assuming(dict(role), sts, _session(None)))


def _forget() -> None:
    """
    Make all stand-ins untouched again, and drop what they stood for.
    """
    global _shared  # the lock may be held by a thread that a fork left behind
    _shared = _Shared()
    for declared in _held():
        if type(declared) is not _Untouched:
            object.__setattr__(declared, "__dict__", {})
            _take_on(declared, _Untouched)


def _reset() -> None:
    reals = list(_shared.real.values())
    _forget()
    for real in reals:
        real.close_pools()


def _prepare_snapshot() -> None:
    """
    Build every client, as that costs the same on each restore otherwise, and let no connection into the snapshot.

    One that cannot be built stays as it was: it may be one that this version never touches.
    """
    for declared in _held():
        try:
            _build(declared)
        except LambdaKitError as exc:
            _logger.warning("before the snapshot: %s", exc)
        else:
            _client_of(declared).close()
    for real in list(_shared.real.values()):
        real.close_pools()


_runtime.register(fork=_forget, snapshot=_prepare_snapshot, reset=_reset)
