"""
redis-py's connection and pool with time limits, and without the second attempts that would send a command twice.
"""

from __future__ import annotations

import select
from functools import cache

from lambda_kit import _runtime
from lambda_kit._require import require
from lambda_kit.databases import _addresses, _limits
from lambda_kit.errors import DeadlineError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    # The library's class, which stands behind it when it runs.
    Parent = Any
else:
    Parent = object

_SLACK_S = 0.05
# Commands after which the session is not for another user.
_STAINS = frozenset({"ASKING", "AUTH", "HELLO", "MONITOR", "MULTI", "QUIT", "READONLY", "READWRITE", "RESET", "SELECT"})
_CLIENT_STAINS = frozenset({"CACHING", "NO-EVICT", "NO-TOUCH", "REPLY", "SETNAME", "TRACKING"})
# A subscription closes its connection by itself, if it is redis-py's.
_SUBSCRIBES = frozenset({"SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE"})


class Life:
    """
    What the connections of one client share: until when they may wait, and whether one of them broke.
    """

    __slots__ = ("lost", "stained", "timeout_s", "until_s")

    def __init__(self, timeout_s: float, until_s: float) -> None:
        self.timeout_s = timeout_s
        self.until_s: float | None = until_s
        self.lost = False
        # A session is not as it was made: in a MULTI, in another database.
        self.stained = False

    def begin_s(self) -> float:
        """
        Return the seconds a command that begins now may take. Its user may have kept the client from one invocation to the next.

        Raises:
            DeadlineError: None.
        """
        if self.until_s is not None and _limits.is_over(self.until_s, _runtime.monotonic_s()):
            self.until_s = _limits.current_until_s()
        return self.left_s()

    def left_s(self) -> float:
        """
        Return the seconds the next wait may take.

        Raises:
            DeadlineError: None.
        """
        if self.until_s is None:
            return self.timeout_s
        left_s = self.until_s - _runtime.monotonic_s()
        if left_s <= 0:
            raise _out_of_time()
        return min(self.timeout_s, left_s)

    def has_expired(self) -> bool:
        """
        Tell whether a wait that has just failed went on to the end.
        """
        return self.until_s is not None and _runtime.monotonic_s() >= self.until_s - _SLACK_S


@cache
def connection_class(*, tls: bool) -> type[Any]:
    """
    Return redis-py's ``Connection``, or ``SSLConnection``, with time limits on everything it waits for.
    """
    redis = require("redis.connection", extra="redis")
    parent = redis.SSLConnection if tls else redis.Connection
    return type("BoundedConnection", (_Bounded, parent), {"kit_errors": require("redis.exceptions", extra="redis")})


class _Bounded(Parent):
    """
    The kit's half of a connection.
    """

    kit_errors: Any

    # Answers that are still to come, and how many the next thing sent will have.
    kit_owed, kit_packed = 0, 1
    kit_greets = kit_subscribed = False

    def __init__(self, *, kit_life: Life, **options: Any) -> None:
        self.kit_life = kit_life
        super().__init__(**options)

    def connect(self) -> None:
        self.kit_greets = True
        try:
            super().connect()
            return
        except Exception as exc:  # noqa: BLE001  # a password is in the frames of whatever failed
            failure = bare(exc)
        finally:
            self.kit_greets = False
        raise failure

    def _connect(self) -> Any:
        self.socket_timeout = self.kit_life.left_s()
        addresses = _addresses.count([self.host], _runtime.monotonic_s() + self.socket_timeout)
        # redis-py gives it to each of them.
        self.socket_timeout = self.kit_life.left_s()
        self.socket_connect_timeout = self.socket_timeout / addresses
        self.kit_owed, self.kit_subscribed = 0, False
        return super()._connect()

    def _wrap_socket_with_ssl(self, sock: Any) -> Any:
        sock.settimeout(self.kit_life.left_s())
        return super()._wrap_socket_with_ssl(sock)

    def pack_commands(self, commands: Any) -> Any:
        commands = list(commands)
        self.kit_packed = len(commands)
        return super().pack_commands(commands)

    def send_command(self, *args: Any, **kwargs: Any) -> None:
        if not self.kit_greets:
            self._kit_look(args)
        super().send_command(*args, **kwargs)

    def _kit_look(self, command: tuple[Any, ...]) -> None:
        """
        Note what changes the session for whoever comes next. Pipelines and transactions do not come through here.
        """
        words = " ".join(each.decode("latin-1") if isinstance(each, bytes) else str(each) for each in command[:2]).upper().split()
        if words[:1] and words[0] in _SUBSCRIBES:
            self.kit_subscribed = True
        elif words[:1] and (words[0] in _STAINS or (words[0] == "CLIENT" and _CLIENT_STAINS.intersection(words[1:]))):
            self.kit_life.stained = True

    def send_packed_command(self, *args: Any, **kwargs: Any) -> None:
        left_s = self.kit_life.begin_s()
        if self._sock is None:
            self.connect()
        else:
            self._sock.settimeout(left_s)
        self.kit_owed += self.kit_packed
        self.kit_packed = 1
        try:
            super().send_packed_command(*args, **kwargs)
        except self.kit_errors.RedisError as exc:
            raise self._kit_meant(exc) from None

    def read_response(self, *args: Any, **kwargs: Any) -> Any:
        if self._sock is not None and "timeout" not in kwargs:
            self._sock.settimeout(self._kit_left_s())
        try:
            answer = super().read_response(*args, **kwargs)
        except self.kit_errors.RedisError as exc:
            if isinstance(exc, self.kit_errors.ResponseError):
                self.kit_owed -= 1
            raise self._kit_meant(exc) from None
        self.kit_owed -= 1
        return answer

    def _kit_left_s(self) -> float:
        """
        Return the seconds there are for an answer. Without any the connection goes: the answer would be taken for the next one's.
        """
        try:
            return self.kit_life.left_s()
        except DeadlineError:
            self.kit_life.lost = True
            self.disconnect()
            raise

    def _kit_meant(self, error: Exception) -> Exception:
        """
        Return what *error* comes from, the end of time or itself, and note when the connection broke.
        """
        if self._sock is not None:
            return error
        self.kit_life.lost = True
        late = isinstance(error, self.kit_errors.TimeoutError) and self.kit_life.has_expired()
        return _out_of_time() if late else error


@cache
def pool_class() -> type[Any]:
    """
    Return redis-py's ``ConnectionPool`` with a look at what it holds.
    """
    return type("WatchedPool", (_Watched, require("redis", extra="redis").ConnectionPool), {})


class _Watched(Parent):
    """
    The kit's half of a pool.
    """

    def release(self, connection: Any) -> None:
        if connection._sock is not None:  # noqa: SLF001  # redis-py has a public name for it since 7.0 only
            life = connection.kit_life
            # Somebody was interrupted between a command and its answer, which would be taken for that of the next.
            life.lost = life.lost or connection.kit_owed > 0
            life.stained = life.stained or connection.kit_subscribed
            if connection.kit_owed > 0:
                connection.disconnect()
        super().release(connection)

    def kit_open(self) -> None:
        """
        Make the first connection.
        """
        made = self.make_connection()
        made.connect()
        self._available_connections.append(made)

    def kit_free(self) -> list[Any]:
        """
        Return the connections that are not in use.
        """
        return list(self._available_connections)

    def kit_keep_one(self) -> None:
        """
        Close what a subscription or a second pipeline needed for a moment.
        """
        while len(self._available_connections) > 1:
            self._available_connections.pop().disconnect()
            self._created_connections -= 1

    def kit_in_use(self) -> bool:
        """
        Tell whether a pipeline or a subscription has not been closed.
        """
        return bool(self._in_use_connections)

    def kit_drop(self) -> None:
        """
        Let go of all connections without a word to the server.
        """
        for connection in [*self._available_connections, *self._in_use_connections]:
            sock, connection._sock = connection._sock, None  # noqa: SLF001  # redis-py would shut the parent's connection down
            if sock is not None:
                sock.close()
            connection.disconnect()


def make_client(life: Life, credentials: tuple[str, str] | None, options: Mapping[str, Any], *, tls: bool) -> Any:
    """
    Return a connected client.
    """
    redis = require("redis", extra="redis")
    never = require("redis.retry", extra="redis").Retry(require("redis.backoff", extra="redis").NoBackoff(), 0)
    provider = {} if credentials is None else {"credential_provider": _Provider(*credentials)}
    pool = pool_class()(connection_class=connection_class(tls=tls), kit_life=life, retry=never, **options, **provider)
    pool.kit_open()
    return redis.Redis(connection_pool=pool)


class _Provider:
    """
    Say user and password to redis-py, which shows its other arguments in its repr.
    """

    __slots__ = ("_password", "_user")

    def __init__(self, user: str, password: str) -> None:
        self._user = user
        self._password = password

    def get_credentials(self) -> tuple[str, ...]:
        return (self._user, self._password) if self._user else (self._password,)


def is_open(client: Any) -> bool:
    """
    Tell from the socket whether the server has ended the session. With the kit's options it says nothing unasked.
    """
    readable = select.poll()
    for connection in client.connection_pool.kit_free():
        if connection._sock is None:  # noqa: SLF001  # redis-py has a public name for it since 7.0 only
            return False
        readable.register(connection._sock, select.POLLIN)  # noqa: SLF001  # see above
    return not readable.poll(0)


def bare(error: Exception) -> Exception:
    """
    Return *error* without the frames and the errors that led to it.
    """
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)


def _out_of_time() -> DeadlineError:
    return DeadlineError("the command is not done, and the invocation has no time left to wait for it")
