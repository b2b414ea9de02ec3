"""
PyMySQL's connection with time limits, and with a memory for what the server does not repeat.
"""

from __future__ import annotations

import select
from functools import cache

from lambda_kit import _runtime
from lambda_kit._require import require
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
# SERVER_STATUS_IN_TRANS of the protocol.
_IN_TRANSACTION = 1
# The server says with its last words that it ends the session: shutdown, KILL, wait_timeout.
_FAREWELLS = frozenset({1053, 1927, 4031})
_SERVER_LOST = 2013
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
    # A COMMIT was sent and not answered; a statement was that had no transaction.
    kit_committing = kit_in_doubt = False

    def commit(self) -> None:
        self.kit_committing = True
        self._kit_tell(super().commit)
        self.kit_used = False

    def rollback(self) -> None:
        self._kit_tell(super().rollback)
        self.kit_used = False

    def query(self, sql: Any, unbuffered: bool = False) -> Any:
        self.kit_used = True
        self.kit_committing = _is_commit(sql)
        return self._kit_tell(super().query, sql, unbuffered)

    def _kit_tell(self, send: Callable[..., Any], *args: Any) -> Any:
        """
        Send something, and note what may have happened when no answer comes.
        """
        alone = self.open and self.get_autocommit() and not in_transaction(self)
        try:
            result = send(*args)
        except self.kit_errors.MySQLError as exc:
            if exc.args and exc.args[0] in _FAREWELLS:
                self._force_close()
            if self.open:
                self.kit_committing = False
            else:
                self.kit_in_doubt = self.kit_in_doubt or alone
            raise
        self.kit_committing = False
        return result

    def _force_close(self) -> None:
        if self._result is not None:
            # PyMySQL would read the rest of it when it is collected, from a socket that is none any more.
            self._result.unbuffered_active = False
        super()._force_close()

    def _request_authentication(self) -> None:
        # Older versions of PyMySQL go on in clear where the server has no TLS.
        if self.kit_needs_tls and not (self.ssl and self.server_capabilities & _TLS):
            raise self.kit_errors.OperationalError(_TLS_ERROR, "SSL connection error: the login wants TLS, and there is none")
        super()._request_authentication()

    def _execute_command(self, *args: Any) -> None:
        self._kit_bound()
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


def _is_commit(sql: str | bytes) -> bool:
    start = sql.lstrip()[:6]
    return (start.decode("ascii", "replace") if isinstance(start, bytes) else start).upper() == "COMMIT"
