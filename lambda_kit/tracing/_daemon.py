"""
The way to the X-Ray daemon: one UDP datagram a document, which never waits and never fails the function.

Source: https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sendingdata.html#xray-api-daemon
"""

from __future__ import annotations

import logging
import threading

from lambda_kit import _runtime

TYPE_CHECKING = False
if TYPE_CHECKING:
    from socket import socket

_PREFIX = b'{"format": "json", "version": 1}\n'
_DEFAULT = "127.0.0.1:2000"
_PORTS = 65_536

_logger = logging.getLogger("lambda_kit")


class _Line:
    """
    The socket, and whether making it has failed: one warning an environment is enough. Guarded by the lock.
    """

    __slots__ = ("failed", "lock", "socket")

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.socket: socket | None = None
        self.failed = False


_line = _Line()


def send(document: bytes) -> None:
    """
    Send *document*, or lose it: the daemon may not listen, the buffer may be full.
    """
    open_socket = _line.socket or _connected()
    if open_socket is None:
        return
    datagram = _PREFIX + document
    try:
        try:
            open_socket.send(datagram)
        except ConnectionRefusedError:
            # The kernel reports what became of an earlier datagram; this one was not sent.
            open_socket.send(datagram)
    except OSError as exc:
        _logger.debug("tracing: a span of %d bytes is lost: %s", len(document), exc)


def _connected() -> socket | None:
    """
    Return the socket, made on first use: a function that is never sampled never imports one.
    """
    with _line.lock:
        if _line.socket is None and not _line.failed:
            setting = _runtime.setting("AWS_XRAY_DAEMON_ADDRESS") or _DEFAULT
            try:
                _line.socket = _connect(*_address(setting))
                _runtime.watch_life()
            except (OSError, ValueError) as exc:
                _line.failed = True
                _logger.warning("tracing: spans are lost, no way to the X-Ray daemon: AWS_XRAY_DAEMON_ADDRESS is %r: %s", setting, exc)
        return _line.socket


def _connect(host: str, port: int) -> socket:
    import socket

    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
    made = socket.socket(family, kind, protocol)
    try:
        made.setblocking(False)
        made.connect(address)
    except OSError:
        made.close()
        raise
    return made


def _address(setting: str) -> tuple[str, int]:
    """
    Return host and port out of ``host:port`` or ``tcp:host:port udp:host:port``, in either order; ``ValueError`` if they are none.
    """
    for part in setting.split():
        if part.startswith("udp:"):
            setting = part.removeprefix("udp:")
    host, _, port = setting.strip().rpartition(":")
    number = int(port)
    if not 0 < number < _PORTS:
        raise ValueError(f"{number} is no port")
    return host.strip("[]"), number


def _drop() -> None:
    """
    Forget the socket: a forked child, a restored copy and the next test make their own.
    """
    _line.lock = threading.Lock()
    open_socket, _line.socket, _line.failed = _line.socket, None, False
    if open_socket is not None:
        open_socket.close()


_runtime.register(fork=_drop, snapshot=_drop, reset=_drop)
