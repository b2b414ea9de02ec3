"""
AWS clients and resources for global scope: declared at no cost, built on first touch, shared, and right after every turn
of the environment's life.

What :func:`client` returns is a stand-in that *becomes* the real client on its first touch: it takes on the real one's class
and shares its ``__dict__``. From then on it costs what the real one costs, and what is set on it is set on the real one.
"""

from __future__ import annotations

import logging
import sys
import threading
from weakref import WeakSet

from lambda_kit import _observe, _runtime
from lambda_kit._require import require
from lambda_kit.errors import ConfigurationError, LambdaKitError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_logger = logging.getLogger("lambda_kit")

# A function is killed at its deadline: an endpoint that cannot be connected to must fail well before.
CONNECT_TIMEOUT_S = 2.0
READ_TIMEOUT_S = 10.0
# Services whose calls may rightly take longer to answer.
READ_TIMEOUTS_S = {
    # A page of query results or of log events may take a while to be computed.
    "athena": 30.0,
    "logs": 30.0,
    # Models stream their first token late, and answer whole after minutes.
    "bedrock-agent-runtime": 300.0,
    "bedrock-runtime": 300.0,
    # A synchronous invocation takes up to 15 min, and a read timeout would start it a second time.
    "lambda": 905.0,
    # The data API ends a statement after 45 s.
    "rds-data": 50.0,
    # Bodies of objects come in parts, a slow client side included.
    "s3": 60.0,
    # Endpoints have 60 s to answer.
    "sagemaker-runtime": 70.0,
    # ReceiveMessage waits up to 20 s.
    "sqs": 25.0,
    # StartSyncExecution runs up to 5 min.
    "stepfunctions": 305.0,
    # PollForDecisionTask and PollForActivityTask wait up to 60 s.
    "swf": 70.0,
}

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


class Timeouts:
    """
    How long one caller is ready to wait, where that is less than what fits the service.
    """

    __slots__ = ("attempts", "connect_s", "read_s")

    def __init__(self, connect_s: float, read_s: float, attempts: int) -> None:
        self.connect_s = connect_s
        self.read_s = read_s
        self.attempts = attempts

    def as_options(self) -> dict[str, object]:
        """
        Return them as botocore's ``Config`` takes them.
        """
        retries = {"mode": "standard", "total_max_attempts": self.attempts}
        return {"connect_timeout": self.connect_s, "read_timeout": self.read_s, "retries": retries, "tcp_keepalive": True}


class _Declaration:
    """
    What a stand-in stands for: ``client`` or ``resource``, the service, the options. Equal ones share one real object.
    """

    __slots__ = ("kind", "options", "service", "timeouts")

    def __init__(self, kind: str, service: str, options: Mapping[str, object], timeouts: Timeouts | None = None) -> None:
        self.kind = kind
        self.service = service
        self.options = options
        self.timeouts = timeouts

    @property
    def key(self) -> tuple[object, ...]:
        return (self.kind, self.service, self.timeouts, tuple(sorted(self.options.items(), key=lambda option: option[0])))

    def __str__(self) -> str:
        return f"{self.kind}({self.service!r})"


class _Declared:
    """
    What a stand-in has before and after its first touch: its declaration, identity, copying and pickling by declaration.
    """

    # One slot more than the real classes have, and in both guises, so that one object can change between them.
    __slots__ = ("__dict__", "__weakref__", "_lambda_kit_declaration")
    _lambda_kit_declaration: _Declaration

    # A resource compares by content once it is built; a stand-in must not change its hash when touched.
    __eq__ = object.__eq__
    __hash__ = object.__hash__

    def __reduce_ex__(self, _: object) -> tuple[object, ...]:
        declaration = self._lambda_kit_declaration
        return _stand_in_again, (declaration.kind, declaration.service, dict(declaration.options))

    def __copy__(self) -> _Declared:
        return _stand_in(self._lambda_kit_declaration)

    def __deepcopy__(self, _: object) -> _Declared:
        return _stand_in(self._lambda_kit_declaration)

    @staticmethod
    def __preload__(things: list[_Declared], timeout_s: float) -> None:
        until_s = _runtime.monotonic_s() + timeout_s
        for thing in things:
            if _runtime.monotonic_s() < until_s:
                _build(thing)


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

    def close_pools(self) -> None:
        """
        Close its connections; the next call opens new ones.
        """
        getattr(self.real.meta, "client", self.real).close()


class _Shared:
    """
    What all stand-ins of this process share: the session, the real objects, and the lock for building.
    """

    __slots__ = ("lock", "real", "session")

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.session: Any = None
        self.real: dict[tuple[object, ...], _Real] = {}


_shared = _Shared()
_stand_ins: WeakSet[_Declared] = WeakSet()
# The setter of the __class__ that every object has; stand-ins have a property of that name.
_take_on: Any = vars(object)["__class__"].__set__


if TYPE_CHECKING:
    # boto3's own functions, so that its stubs work where they are installed.
    from boto3 import client as client
    from boto3 import resource as resource
else:

    def client(service_name: str, *args: object, **options: object) -> Any:
        """
        Return a stand-in for boto3's client of *service_name*; takes what ``boto3.client`` takes.

        Declaring imports nothing. The first touch imports boto3 and builds the client: from one session, under a lock, once for
        all stand-ins with equal arguments. Connecting takes at most 2 s, an answer 10 s (longer for services that long-poll or
        stream), retries are ``standard``, TCP keepalive is on; what ``config=`` says wins. A forked child builds its own.
        Before a SnapStart snapshot clients are built and their connections closed.

        Raises:
            ConfigurationError: At the first touch: no region, no such service, an option boto3 refuses.
            MissingDependencyError: At the first touch: boto3 is not installed.
        """
        return _declare("client", service_name, args, options)

    def resource(service_name: str, *args: object, **options: object) -> Any:
        """
        Return a stand-in for boto3's resource of *service_name*; otherwise as :func:`client`.
        """
        return _declare("resource", service_name, args, options)


def brief_client(service_name: str, timeouts: Timeouts) -> Any:
    """
    Return a stand-in for a client that gives up sooner, for the kit's own reads. Keep *timeouts*: they are part of its identity.
    """
    return _stand_in(_Declaration("client", service_name, {}, timeouts))


def _declare(kind: str, service: str, args: tuple[object, ...], options: dict[str, object]) -> Any:
    unknown = sorted(options.keys() - set(_PARAMETERS))
    if unknown or len(args) > len(_PARAMETERS):
        raise ConfigurationError(
            f"{kind}({service!r}) takes no {', '.join(unknown) or 'further argument'}: known are {', '.join(_PARAMETERS)}"
        )
    # Under SnapStart the snapshot has to be noticed although nothing is built yet.
    _runtime.watch_life()
    return _stand_in(_Declaration(kind, service, {**dict(zip(_PARAMETERS, args, strict=False)), **options}))


def _stand_in_again(kind: str, service: str, options: dict[str, object]) -> _Declared:
    """
    Unpickle a stand-in.
    """
    return _stand_in(_Declaration(kind, service, options))


def _stand_in(declaration: _Declaration) -> _Declared:
    made = _Untouched()
    object.__setattr__(made, "_lambda_kit_declaration", declaration)
    _stand_ins.add(made)
    return made


def _build(stand_in: _Declared) -> None:
    """
    Make *stand_in* the real thing, building that if no other stand-in has.
    """
    declaration = stand_in._lambda_kit_declaration  # noqa: SLF001 - a method would show on the real client
    with _shared.lock:
        if type(stand_in) is not _Untouched:
            return
        built = _shared.real.get(declaration.key)
        if built is None:
            _runtime.watch_life()
            built = _shared.real[declaration.key] = _Real(_made(declaration))
            _observe.client_built(built.real)
        # First the attributes, then the class: another thread that looks in between waits for the lock.
        object.__setattr__(stand_in, "__dict__", vars(built.real))
        _take_on(stand_in, built.guise)


def _made(declaration: _Declaration) -> Any:
    session_module = require("boto3.session", extra="aws")
    exceptions = require("botocore.exceptions", extra="aws")
    try:
        if _shared.session is None:
            _shared.session = _session(session_module.Session)
        make = getattr(_shared.session, declaration.kind)
        return make(declaration.service, **{**declaration.options, "config": _config(declaration)})
    except exceptions.NoRegionError as exc:
        raise ConfigurationError(f"{declaration}: no AWS region: set AWS_REGION, or give region_name=") from exc
    except (exceptions.BotoCoreError, ValueError) as exc:
        raise ConfigurationError(f"{declaration} cannot be built: {exc}") from exc


def _session(make: Any) -> Any:
    session = make()
    # botocore reads AWS_DEFAULT_REGION only; Lambda sets both, a test or a shell often just this one.
    if session.region_name is None and _runtime.region():
        return make(region_name=_runtime.region())
    return session


def _config(declaration: _Declaration) -> Any:
    make = require("botocore.config", extra="aws").Config
    if declaration.timeouts is not None:
        return make(**declaration.timeouts.as_options())
    read_s = READ_TIMEOUTS_S.get(declaration.service, READ_TIMEOUT_S)
    config = make(connect_timeout=CONNECT_TIMEOUT_S, read_timeout=read_s, tcp_keepalive=True)
    if _runtime.setting("AWS_RETRY_MODE") is None:
        config = config.merge(make(retries={"mode": "standard"}))
    given = declaration.options.get("config")
    return config if given is None else config.merge(given)


def _forget() -> None:
    """
    Make all stand-ins untouched again, and drop what they stood for.
    """
    global _shared  # the lock may be held by a thread that a fork left behind
    _shared = _Shared()
    for stand_in in list(_stand_ins):
        if type(stand_in) is not _Untouched:
            object.__setattr__(stand_in, "__dict__", {})
            _take_on(stand_in, _Untouched)


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
    for stand_in in list(_stand_ins):
        try:
            _build(stand_in)
        except LambdaKitError as exc:
            _logger.warning("before the snapshot: %s", exc)
    for real in list(_shared.real.values()):
        real.close_pools()


_runtime.register(fork=_forget, snapshot=_prepare_snapshot, reset=_reset)
