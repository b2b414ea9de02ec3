"""
Connections to AWS: HTTP/1.1 over TLS, kept alive between requests and not beyond a freeze, a fork or a snapshot.
"""

from __future__ import annotations

import threading
from functools import partial
from io import BufferedReader, RawIOBase

from lambda_kit import _roots, _runtime
from lambda_kit.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from http.client import HTTPConnection, HTTPResponse
    from socket import socket
    from ssl import SSLContext
    from typing import Any

    from lambda_kit._transport._endpoints import Endpoint

    Origin = tuple[str, str, int]

# What is idle for longer may have been dropped on the way without a word, and waiting for that costs more than a new connection.
MOST_IDLE_S = 60.0
MOST_IDLE_PER_HOST = 4


class Request:
    """
    What is sent. It does not show its headers and body in a traceback.
    """

    __slots__ = ("body", "headers", "method")

    def __init__(self, method: str, headers: dict[str, str], body: bytes = b"") -> None:
        self.method = method
        self.headers = headers
        self.body = body


class Answer:
    """
    What came back. It does not show its body in a traceback.

    Attributes:
        date: When the server answered, by its own clock.
    """

    __slots__ = ("body", "date", "status")

    def __init__(self, status: int, body: bytes, date: str = "") -> None:
        self.status = status
        self.body = body
        self.date = date


class Limits:
    """
    How long it may take: to connect, to wait for more of the answer, and until when on the monotonic clock altogether.
    """

    __slots__ = ("connect_s", "read_s", "until_s")

    def __init__(self, connect_s: float, read_s: float, until_s: float) -> None:
        self.connect_s = connect_s
        self.read_s = read_s
        self.until_s = until_s

    def within(self, most_s: float) -> float:
        """
        Return *most_s*, or what is left if that is less.

        Raises:
            TimeoutError: Nothing is left.
        """
        left_s = self.until_s - _runtime.monotonic_s()
        if left_s <= 0:
            raise TimeoutError("no time left")
        return min(most_s, left_s)


class _Pool:
    """
    Idle connections, the latest last, and the TLS contexts they are made with.
    """

    __slots__ = ("contexts", "idle", "lock")

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.idle: dict[Origin, list[tuple[HTTPConnection, float]]] = {}
        self.contexts: dict[object, SSLContext] = {}

    def take(self, origin: Origin) -> HTTPConnection | None:
        """
        Return a connection that looks alive, and close those that do not.
        """
        while True:
            with self.lock:
                kept = self.idle.get(origin)
                if not kept:
                    return None
                connection, since_s = kept.pop()
            if 0 <= _runtime.wall_s() - since_s <= MOST_IDLE_S and _is_quiet(connection):
                return connection
            connection.close()

    def give_back(self, origin: Origin, connection: HTTPConnection) -> None:
        with self.lock:
            kept = self.idle.setdefault(origin, [])
            if len(kept) < MOST_IDLE_PER_HOST:
                kept.append((connection, _runtime.wall_s()))
                return
        connection.close()

    def close(self, origin: Origin | None = None) -> None:
        """
        Close the idle connections to *origin*, or all.
        """
        with self.lock:
            origins = list(self.idle) if origin is None else [origin]
            dropped = [connection for each in origins for connection, _ in self.idle.pop(each, ())]
        for connection in dropped:
            connection.close()

    def context(self, *, full: bool, bundle: str | None) -> SSLContext:
        """
        Return the context that trusts *bundle*, else the full installed bundle, or Amazon's roots only.
        """
        with self.lock:
            if (full, bundle) not in self.contexts:
                self.contexts[full, bundle] = _roots.context(full=full) if bundle is None else _trusting(bundle)
            return self.contexts[full, bundle]


_pool = _Pool()


def exchange(endpoint: Endpoint, request: Request, limits: Limits) -> Answer:
    """
    Send *request* and return the answer. A kept connection that turns out dead is replaced by a new one, once.

    Requests must be such that sending one twice does no harm.

    Raises:
        OSError: No connection, or no answer in time.
        http.client.HTTPException: No HTTP, or half an answer. Its text may hold parts of the answer.
    """
    from http.client import HTTPException

    pool = _pool
    origin = (endpoint.scheme, endpoint.host, endpoint.port)
    kept = pool.take(origin)
    if kept is not None:
        try:
            return _ask(pool, origin, kept, endpoint, request, limits)
        except (OSError, HTTPException):
            # What else is idle has lived through the same freeze.
            pool.close(origin)
    return _ask(pool, origin, _connect(pool, endpoint, limits), endpoint, request, limits)


def _ask(pool: _Pool, origin: Origin, connection: HTTPConnection, endpoint: Endpoint, request: Request, limits: Limits) -> Answer:
    from http.client import HTTPException

    finished = False
    try:
        connection.sock.settimeout(limits.within(limits.read_s))
        connection.response_class = partial(_response, limits)  # type: ignore[assignment]  # makes one, as the class does
        connection.request(request.method, endpoint.target, body=request.body or None, headers=request.headers)
        response = connection.getresponse()
        answer = Answer(response.status, response.read(), response.headers.get("Date", ""))
        finished = not response.will_close
    except (MemoryError, OverflowError, ValueError) as exc:
        # Of a length that is none.
        raise HTTPException(type(exc).__name__) from None
    finally:
        if not finished:
            connection.close()
    if finished:
        pool.give_back(origin, connection)
    return answer


class _InTime(RawIOBase):
    """
    What comes in, for as long as *limits* allow altogether: a timeout of the socket's counts from the latest byte.
    """

    def __init__(self, raw: RawIOBase, sock: socket, limits: Limits) -> None:
        self._raw = raw
        self._sock = sock
        self._limits = limits

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(self._limits.within(self._limits.read_s))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


def _response(limits: Limits, sock: socket, *options: Any, **others: Any) -> HTTPResponse:
    from http.client import HTTPResponse

    response = HTTPResponse(sock, *options, **others)
    file: Any = response.fp
    response.fp = BufferedReader(_InTime(file.detach(), sock, limits))
    return response


def _connect(pool: _Pool, endpoint: Endpoint, limits: Limits) -> HTTPConnection:
    """
    Return a new connection: under Amazon's roots where they are to be tried first, else under the full bundle.
    """
    _runtime.watch_life()
    if endpoint.scheme == "http":
        return _opened(endpoint, limits, None)
    bundle = _runtime.setting("AWS_CA_BUNDLE") or _runtime.setting("REQUESTS_CA_BUNDLE") or None
    if bundle is None and endpoint.partition == "aws" and _roots.go_first(endpoint.host):
        try:
            return _opened(endpoint, limits, pool.context(full=False, bundle=None))
        except OSError as exc:
            if not _roots.is_unknown_issuer(exc):
                raise
        _roots.need_full(endpoint.host)
    return _opened(endpoint, limits, pool.context(full=True, bundle=bundle))


def _opened(endpoint: Endpoint, limits: Limits, context: SSLContext | None) -> HTTPConnection:
    from http.client import HTTPConnection

    sock = _reached(endpoint, limits)
    try:
        if context is not None:
            sock = context.wrap_socket(sock, server_hostname=endpoint.host)
    except BaseException:  # whatever it is, the socket must not be left open
        sock.close()
        raise
    connection = HTTPConnection(endpoint.host, endpoint.port)
    connection.sock = sock
    # By itself it would connect without TLS.
    connection.auto_open = 0
    return connection


def _reached(endpoint: Endpoint, limits: Limits) -> socket:
    """
    Return a socket that is connected to the first address that answers in time. Where none does, a name of eight addresses must
    not take eight times as long as there is.
    """
    from socket import IPPROTO_TCP, SOCK_STREAM, TCP_NODELAY, create_connection, getaddrinfo

    failure = OSError(f"{endpoint.host} has no address")
    for _, _, _, _, address in getaddrinfo(endpoint.host, endpoint.port, type=SOCK_STREAM):
        try:
            sock = create_connection((str(address[0]), int(address[1])), timeout=limits.within(limits.connect_s))
        except OSError as exc:
            failure = exc
            continue
        sock.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
        return sock
    try:
        raise failure
    finally:
        # Its traceback holds this frame.
        del failure


def _is_quiet(connection: HTTPConnection) -> bool:
    """
    Tell whether there is nothing to read: an idle connection that can be read was closed by the other side, or is out of step.
    """
    from select import POLLIN, poll

    poller = poll()
    poller.register(connection.sock, POLLIN)
    return not poller.poll(0)


def _trusting(bundle: str) -> SSLContext:
    """
    Return a context that trusts what the user's own *bundle*, a file or a directory, holds.
    """
    import os
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        if os.path.isdir(bundle):
            context.load_verify_locations(capath=bundle)
        else:
            context.load_verify_locations(cafile=bundle)
    except OSError as exc:
        raise ConfigurationError(f"AWS_CA_BUNDLE or REQUESTS_CA_BUNDLE cannot be read: {bundle!r}: {exc}") from exc
    return context


def _close() -> None:
    _pool.close()


def _forked() -> None:
    """
    Leave the parent's connections to the parent: closing a copy sends nothing.
    """
    global _pool  # its lock may have been held by another thread of the parent
    inherited, _pool = _pool, _Pool()
    _pool.contexts.update(inherited.contexts)
    for kept in inherited.idle.values():
        for connection, _ in kept:
            connection.close()


def _reset() -> None:
    global _pool  # begins anew, contexts included
    inherited, _pool = _pool, _Pool()
    inherited.close()


_runtime.register(fork=_forked, snapshot=_close, restore=_close, reset=_reset)
