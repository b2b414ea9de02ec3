"""
PyMySQL's connection with time limits, and with a memory for what the server does not repeat.
"""

from __future__ import annotations

import select
import socket
from functools import cache

from lambda_kit import _runtime
from lambda_kit._require import require
from lambda_kit.databases import _addresses, _limits
from lambda_kit.databases._statements import commits
from lambda_kit.errors import DeadlineError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    # The library's class, which stands behind it when it runs.
    Parent = Any
else:
    Parent = object

# A socket's limit is set anew, which is a system call, when it is off by more than this.
_SLACK_S = 0.05
_PIECE_BYTES = 65536
# An address that is tried at the very end has at least this long.
_LEAST_CONNECT_S, _LONGEST_CONNECT_S = 0.05, 900.0
# SERVER_STATUS_IN_TRANS of the protocol.
_IN_TRANSACTION = 1
# The server says with its last words that it ends the session: shutdown, KILL, wait_timeout.
_FAREWELLS = frozenset({1053, 1927, 4031})
# CR_CONN_HOST_ERROR, CR_SERVER_GONE_ERROR, CR_SERVER_LOST
_NO_HOST, _SERVER_GONE, _SERVER_LOST = 2003, 2006, 2013
# CLIENT_SSL among the server's capabilities, and CR_SSL_CONNECTION_ERROR.
_TLS, _TLS_ERROR = 2048, 2026


@cache
def connection_class() -> type[Any]:
    """
    Return PyMySQL's ``Connection`` with time limits on everything it waits for.
    """
    parent = require("pymysql.connections", extra="mysql").Connection
    return type("BoundedConnection", (_Bounded, parent), {"kit_errors": require("pymysql.err", extra="mysql")})


class _Bounded(Parent):
    """
    The kit's half of a connection.
    """

    kit_errors: Any
    kit_until_s: float | None = None
    kit_connected = False
    kit_needs_tls = False
    # Something was sent since the last end of a transaction. The server's flags do not come with rows or errors, and a
    # SELECT has opened a transaction, with its snapshot.
    kit_used = False
    # The last command went out.
    kit_sent = False
    # A COMMIT was sent and not answered; a statement was that had no transaction; the user closed it with none open.
    kit_committing = kit_in_doubt = kit_closed_idle = False

    def connect(self, sock: Any = None) -> None:
        if self.kit_connected:
            # ping(reconnect=True) would go on in silence, without what the lost session had not committed.
            raise self.kit_errors.OperationalError(_SERVER_GONE, "the connection is lost; the next checkout makes another")
        super().connect(self._kit_socket() if sock is None and not self.unix_socket else sock)

    def close(self) -> None:
        ended = self.get_autocommit() or not self.kit_used
        self.kit_closed_idle = ended and not in_transaction(self) and not is_reading(self)
        super().close()

    def commit(self) -> None:
        self._kit_tell(super().commit, "COMMIT")
        self.kit_used = False

    def rollback(self) -> None:
        self._kit_tell(super().rollback, "ROLLBACK")
        self.kit_used = False

    def query(self, sql: Any, unbuffered: bool = False) -> Any:
        self.kit_used = True
        return self._kit_tell(super().query, sql, sql, unbuffered)

    def next_result(self, unbuffered: bool = False) -> Any:
        return self._kit_tell(super().next_result, "", unbuffered)

    def _kit_tell(self, send: Callable[..., Any], sql: str | bytes, *args: Any) -> Any:
        """
        Send something and read all of the answer, or note what may have happened when it does not come.
        """
        alone = self.open and self.get_autocommit() and not in_transaction(self)
        self.kit_sent = False
        try:
            return send(*args)
        except self.kit_errors.MySQLError as exc:
            if exc.args and exc.args[0] in _FAREWELLS:
                self._force_close()
            self._kit_note(sql, alone=alone)
            raise
        except BaseException:
            # A signal's exception, a column that cannot be decoded: the rest of the answer would be taken for the next one's.
            if self.kit_sent or not sql:
                self._force_close()
            self._kit_note(sql, alone=alone)
            raise

    def _kit_note(self, sql: str | bytes, *, alone: bool) -> None:
        if self.kit_sent and not self.open:
            self.kit_in_doubt = self.kit_in_doubt or alone
            self.kit_committing = self.kit_committing or (not alone and commits(sql, mysql=True))

    def _kit_socket(self) -> Any:
        """
        Return a socket to the first address that answers. PyMySQL would give each address of a name the whole time.
        """
        until_s: float = min(self.kit_until_s or 0.0, _runtime.monotonic_s() + (self.connect_timeout or _LONGEST_CONNECT_S))
        source = (self.bind_address, 0) if self.bind_address is not None else None
        failure: OSError = OSError("the name has no address")
        try:
            addresses = _addresses.look_up(self.host, self.port, until_s)
            for tried, (*_, address) in enumerate(addresses):
                left_s = max(_LEAST_CONNECT_S, (until_s - _runtime.monotonic_s()) / (len(addresses) - tried))
                try:
                    found = socket.create_connection((str(address[0]), int(address[1])), left_s, source)
                except OSError as exc:
                    failure = exc
                    continue
                found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                found.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
                self.host_info = f"socket {self.host}:{self.port}"
                return found
        except OSError as exc:
            failure = exc
        raise self.kit_errors.OperationalError(_NO_HOST, f"Can't connect to MySQL server on {self.host!r} ({failure})") from None

    def _force_close(self) -> None:
        if self._result is not None:
            # PyMySQL would read the rest of it when it is collected, from a socket that is none any more.
            self._result.unbuffered_active = False
        super()._force_close()

    def _request_authentication(self) -> None:
        # Older versions of PyMySQL go on in clear where the server has no TLS.
        if self.kit_needs_tls and not (self.ssl and self.server_capabilities & _TLS):
            raise self.kit_errors.OperationalError(_TLS_ERROR, "SSL connection error: the login wants TLS, and there is none")
        self._kit_bound()
        self._sock.settimeout(self._read_timeout)
        super()._request_authentication()

    def _execute_command(self, *args: Any) -> None:
        if self.kit_connected and self.kit_until_s is not None and _limits.is_over(self.kit_until_s, _runtime.monotonic_s()):
            # Its user may have kept the connection from one invocation to the next.
            self.kit_until_s = _limits.current_until_s()
        self._kit_bound()
        self.kit_sent = self.open
        try:
            super()._execute_command(*args)
        except self.kit_errors.OperationalError as exc:
            raise self._kit_meant(exc) from None

    def _read_packet(self, *args: Any) -> Any:
        self._kit_bound()
        try:
            return super()._read_packet(*args)
        except self.kit_errors.OperationalError as exc:
            raise self._kit_meant(exc) from None
        except self.kit_errors.MySQLError:
            raise
        except BaseException:
            # Half a packet may have been read.
            self._force_close()
            raise

    def _read_bytes(self, num_bytes: int) -> bytes:
        if num_bytes <= _PIECE_BYTES:
            read: bytes = super()._read_bytes(num_bytes)
            return read
        pieces = bytearray()
        while missing := num_bytes - len(pieces):
            self._kit_bound()
            self._sock.settimeout(self._read_timeout)
            pieces += super()._read_bytes(min(missing, _PIECE_BYTES))
        return bytes(pieces)

    def _kit_bound(self) -> None:
        """
        Let the next wait end in time; none may begin after it.
        """
        if self.kit_until_s is None:
            self._read_timeout = self._write_timeout = None
            return
        left_s = self.kit_until_s - _runtime.monotonic_s()
        if left_s <= 0:
            # Whatever was sent, its answer would be taken for that of the next statement.
            self._force_close()
            raise self._kit_expired()
        if self._read_timeout is None or not -_SLACK_S < self._read_timeout - left_s < _SLACK_S:
            self._read_timeout = self._write_timeout = left_s

    def _kit_meant(self, error: Exception) -> Exception:
        """
        Return what *error* comes from: the end of time, or itself.
        """
        late = self.kit_until_s is not None and _runtime.monotonic_s() >= self.kit_until_s - _SLACK_S
        return self._kit_expired() if late and not self.open else error

    def _kit_expired(self) -> Exception:
        if self.kit_connected:
            return DeadlineError("the statement is not done, and the invocation has no time left to wait for it")
        expired: Exception = self.kit_errors.OperationalError(_SERVER_LOST, "connection timeout expired")
        return expired


def in_transaction(connection: Any) -> bool:
    """
    Tell whether the server has said that a transaction is open.
    """
    return bool(connection.server_status & _IN_TRANSACTION)


def is_open(connection: Any) -> bool:
    """
    Tell from the socket whether the server has ended the session. It says nothing unasked but farewells.
    """
    if not connection.open:
        return False
    readable = select.poll()
    readable.register(connection._sock, select.POLLIN)  # noqa: SLF001  # PyMySQL has no public name for it
    return not readable.poll(0)


def drop(connection: Any) -> None:
    """
    Close without a byte to the peer.
    """
    connection._force_close()  # noqa: SLF001  # PyMySQL's close() says goodbye


def is_reading(connection: Any) -> bool:
    """
    Tell whether rows of an unbuffered result, or further results, have not been read.
    """
    result = connection._result  # noqa: SLF001  # PyMySQL has no public name for it
    return result is not None and bool(result.unbuffered_active or result.has_next)
