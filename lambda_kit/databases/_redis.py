"""
Redis and Valkey through redis-py: what its errors mean, and how connections are made.
"""

from __future__ import annotations

import re

from lambda_kit import _runtime
from lambda_kit._require import require
from lambda_kit.databases import _limits
from lambda_kit.databases import _redis_connection as _connection
from lambda_kit.databases._checks import address_complaint, check, check_where, unknown_option
from lambda_kit.databases._database import Database
from lambda_kit.databases._driver import Doubt, State, Verdict
from lambda_kit.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from redis import Redis

    from lambda_kit.databases._credentials import Credentials, Login

# First match wins: to redis-py a refused login is a kind of connection error, and so is a server that is loading its data.
_BY_CLASS = (
    (Verdict.AUTH, "AuthenticationError"),
    (Verdict.READ_ONLY, "ReadOnlyError"),
    (Verdict.WAIT, "BusyLoadingError"),
    (Verdict.WAIT, "ClusterDownError"),
    (Verdict.WAIT, "TryAgainError"),
    (Verdict.WAIT, "MasterDownError"),
    (Verdict.LOST, "ConnectionError"),
    (Verdict.LOST, "TimeoutError"),
)
_FULL = "max number of clients reached"
# A connection error too, but one that waiting does not improve.
_CERTIFICATE = "certificate verify failed"
# A path that is no number goes unnoticed in redis-py.
_DATABASE = re.compile(r"(?:[^/]+//[^/?]*(?:/\d*)?(?:\?.*)?)?")
_SCHEMES = ("redis://", "rediss://")
_NO_SCHEME = "a redis database is reached over TCP: its url begins with redis:// or rediss://"
_RESERVED = frozenset(
    {"host", "port", "db", "username", "password", "credential_provider", "retry", "connection_class", "socket_connect_timeout"}
)


def redis(
    url: str | Callable[[], str] = "",
    *,
    login: Login | None = None,
    max_connections: int = 1,
    ping_after_s: float | None = 5.0,
    connect_timeout_s: float = 5.0,
    options: Mapping[str, object] | None = None,
) -> Database[Redis]:
    """
    Declare a Redis or Valkey server, reached through redis-py. Nothing is imported, read or connected now.

    A block gets a client of its own, whose commands, pipelines and transactions go over one connection; its end commits nothing
    and takes nothing back. No command is ever sent twice: a connection that dies in use is a
    :class:`~lambda_kit.errors.ConnectionLostError` that is ``in_doubt``.

    Args:
        url: ``redis://host:6379/0``, or ``rediss://`` for TLS, or a handle of it, read at each physical connect. Its host
            and port go before what *login* says.
        login: Gives user and password, such as :func:`lambda_kit.secret_login`; an empty user is the default one.
        max_connections: Clients of this process, at most. One is enough unless logic uses threads.
        ping_after_s: Idle seconds, of either clock, after which a checkout asks the server for a sign of life. The
            socket is looked at every time. ``None`` never asks.
        connect_timeout_s: Seconds one attempt may take. Attempts go on within the invocation's deadline, or 10 s.
        options: More of what redis-py's connections take, such as ``{"decode_responses": True, "socket_timeout": 30}``. An
            answer is waited for at most 10 s, unless ``socket_timeout`` says otherwise. ``protocol`` is 2 unless you say 3.

    Raises:
        ConfigurationError: There is neither *url* nor *login*, or *options* holds what the kit decides, or an argument is of another
            type, or *url* is none.
        MissingDependencyError: At the first checkout: redis-py is not installed.

    Source: https://redis.readthedocs.io/en/stable/connections.html
    """
    check_where("redis", "url", url)
    check("redis", login=login, options=options)
    if not url and login is None:
        raise ConfigurationError("redis() needs to know where to go: give a url, or a login whose secret has host and port")
    if isinstance(url, str) and url and not url.startswith(_SCHEMES):
        raise ConfigurationError(_NO_SCHEME)
    if taken := sorted(_RESERVED & set(options or ())):
        raise ConfigurationError(f"redis() takes {', '.join(taken)} from elsewhere, or not at all: leave them out of options")
    driver = _Redis(url, dict(options or {}))
    return Database(driver, login=login, max_connections=max_connections, ping_after_s=ping_after_s, connect_timeout_s=connect_timeout_s)


class _Redis:
    """
    redis-py as the engine wants it.
    """

    __slots__ = ("_options", "_url")

    name = "redis"
    transactional = False
    knows_loss = True

    def __init__(self, url: str | Callable[[], str], options: dict[str, Any]) -> None:
        self._url = url
        self._options = options

    def load(self) -> None:
        _connection.connection_class(tls=False)

    def connect(self, credentials: Credentials | None, timeout_s: float) -> Redis:
        """
        Connect, and let no password out: it is in the frames of whatever fails below.
        """
        until_s = _runtime.monotonic_s() + timeout_s
        address = self._address(credentials)
        if isinstance(address, str):
            raise ConfigurationError(address)
        tls, who = address.pop("tls"), address.pop("who")
        options = {"protocol": 2, **self._options, **address}
        life = _connection.Life(options.pop("socket_timeout", None) or _limits.DEFAULT_S, until_s)
        try:
            client: Redis = _connection.make_client(life, who, options, tls=tls)
            return client
        except TimeoutError as exc:
            # The end of the attempt, not of the invocation.
            failure: Exception = require("redis", extra="redis").TimeoutError(f"connection timeout expired: {exc}")
        except UnicodeError:
            # It holds what it cannot encode, which may be the password.
            failure = ConfigurationError("host, user or password of a redis database cannot be encoded")
        except TypeError as exc:
            word = unknown_option(exc)
            failure = (
                ConfigurationError(f"redis-py knows no {word!r}: correct the options of the redis database")
                if word
                else _connection.bare(exc)
            )
        except Exception as exc:  # noqa: BLE001  # whatever it was, it has seen the password
            failure = _connection.bare(exc)
        finally:
            del who, address
        raise failure

    def inspect(self, connection: Any) -> State:
        state = self.state(connection)
        if state is State.IDLE:
            connection.connection_pool.kit_keep_one()
            return state if _connection.is_open(connection) else State.LOST
        return state

    def state(self, connection: Any) -> State:
        pool = connection.connection_pool
        life = self._life(connection)
        if life.lost:
            return State.LOST
        return State.BUSY if life.stained or pool.kit_in_use() else State.IDLE

    def doubt(self, connection: Redis) -> Doubt:  # noqa: ARG002  # the interface's
        return Doubt.STATEMENT

    def ping(self, connection: Any, timeout_s: float) -> bool:
        self.bound(connection, _runtime.monotonic_s() + timeout_s)
        try:
            (only,) = connection.connection_pool.kit_free()
            only.send_command("PING", check_health=False)
            only.read_response()
        except Exception:  # noqa: BLE001  # whatever it was, there was no answer in time
            return False
        return True

    def bound(self, connection: Redis, until_s: float | None) -> None:
        self._life(connection).until_s = until_s

    def commit(self, connection: Redis) -> None:
        """
        Do nothing: Redis has no transaction that stays open.
        """

    def roll_back(self, connection: Redis, timeout_s: float) -> None:
        """
        Do nothing: see above.
        """

    def cancel(self, connection: Redis, timeout_s: float) -> None:
        """
        Do nothing: a blocked command ends with its connection.
        """

    def close(self, connection: Redis) -> None:
        connection.connection_pool.disconnect()

    def drop(self, connection: Any) -> None:
        connection.connection_pool.kit_drop()

    def classify(self, error: BaseException) -> Verdict | None:
        errors = require("redis.exceptions", extra="redis")
        if not isinstance(error, errors.RedisError):
            return None
        if _FULL in str(error):
            return Verdict.WAIT
        if _CERTIFICATE in str(error):
            return Verdict.FATAL
        return next((verdict for verdict, name in _BY_CLASS if isinstance(error, getattr(errors, name))), Verdict.FATAL)

    def _life(self, connection: Redis) -> _connection.Life:
        life: _connection.Life = connection.connection_pool.connection_kwargs["kit_life"]
        return life

    def _address(self, credentials: Credentials | None) -> dict[str, Any] | str:
        """
        Put together where to go and as whom. What is wrong is returned, not raised: a raised error would show this frame.
        """
        url = self._url() if callable(self._url) else self._url
        if url and not url.startswith(_SCHEMES):
            return _NO_SCHEME
        try:
            parts: dict[str, Any] = require("redis.connection", extra="redis").parse_url(url) if url else {}
        except ValueError:
            return "the url of a redis database cannot be parsed; it is not shown, since it may hold a password"
        if not _DATABASE.fullmatch(url):
            return "the url of a redis database ends in a path that is no database: write its number, such as redis://host:6379/0"
        parts["tls"] = parts.pop("connection_class", None) is not None or (credentials is not None and credentials.needs_tls)
        user, password = parts.pop("username", ""), parts.pop("password", "")
        if credentials is not None:
            parts = {"host": credentials.host, "port": credentials.port, **parts}
            user, password = credentials.user, credentials.password
        parts["who"] = (user, password) if password else None
        parts = {name: value for name, value in parts.items() if value not in ("", None) or name == "who"}
        if wrong := address_complaint(str(parts.get("host", ""))):
            return f"of a redis database, the {wrong}"
        return parts if "host" in parts else "a redis database has no host: neither its url nor its login says one"
