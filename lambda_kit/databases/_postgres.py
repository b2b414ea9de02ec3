"""
PostgreSQL through psycopg 3: what its errors mean, and how connections are made.
"""

from __future__ import annotations

import re

from lambda_kit import _runtime
from lambda_kit._require import require
from lambda_kit.databases import _addresses
from lambda_kit.databases import _postgres_connection as _connection
from lambda_kit.databases._checks import check, check_where
from lambda_kit.databases._database import Database
from lambda_kit.databases._driver import IDLE, Doubt, State, Verdict
from lambda_kit.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from psycopg import Connection

    from lambda_kit.databases._credentials import Credentials, Login

# libpq's transaction states, by number.
_STATES = (State.IDLE, State.BUSY, State.OPEN, State.FAILED, State.LOST)

# Source: https://www.postgresql.org/docs/current/errcodes-appendix.html
_BY_SQLSTATE = {
    "57P01": Verdict.LOST,  # admin_shutdown, also pg_terminate_backend()
    "57P02": Verdict.LOST,  # crash_shutdown
    "57P05": Verdict.LOST,  # idle_session_timeout
    "25P03": Verdict.LOST,  # idle_in_transaction_session_timeout
    "28000": Verdict.AUTH,
    "28P01": Verdict.AUTH,
    "25006": Verdict.READ_ONLY,
    "53300": Verdict.WAIT,  # too_many_connections
    "57P03": Verdict.WAIT,  # cannot_connect_now
    "40001": Verdict.RETRY,  # serialization_failure
    "40P01": Verdict.RETRY,  # deadlock_detected
    "26000": Verdict.STALE,  # invalid_sql_statement_name: a prepared statement that a pooler, or a restart, has lost
    "57014": Verdict.TIMEOUT,  # query_canceled, also statement_timeout
}
_CONNECTION_EXCEPTION = "08"
# feature_not_supported, which is a prepared statement's end in this one case only.
_UNSUPPORTED, _STALE_PLAN = "0A000", "cached plan must not change"

# libpq gives no SQLSTATE for what fails while connecting, and for what fails on the socket. First match wins: a refused
# login ends the connection too.
_BY_TEXT = (
    (
        Verdict.AUTH,
        (
            "password authentication failed",
            "pam authentication failed",
            "authentication failed for user",
            # PgBouncer, and RDS Proxy.
            "sasl authentication failed",
            "no such user",
            "authentication failed for the role",
            "no credentials for the role",
            "password that was provided for the role",
            "is not permitted to log in",
            "no pg_hba.conf entry",
            "pg_hba.conf rejects",
            "no password supplied",
        ),
    ),
    (
        Verdict.LOST,
        (
            "server closed the connection",
            "consuming input failed",
            "sending query failed",
            "the connection is closed",
            "the connection is lost",
            "connection socket closed",
            "terminating connection",
            "ssl syscall",
            "ssl error: unexpected eof",
            "ssl connection has been closed",
            "no connection to the server",
        ),
    ),
    (
        Verdict.WAIT,
        (
            "too many connections",
            "too many clients",
            "remaining connection slots",
            "the database system is",
            "connection refused",
            "connection timed out",
            "connection timeout expired",
            "connection reset",
            "could not receive data",
            "could not send",
            "failed to resolve host",
            "could not translate host name",
            "network is unreachable",
            "no route to host",
            "session is read-only",
            # PgBouncer's: its server is down, or it is full; RDS Proxy's that all its connections are taken.
            "server login has been failing",
            "cannot connect to server",
            "no more connections allowed",
            "waiting to acquire database connection",
        ),
    ),
    (
        Verdict.FATAL,
        (
            "does not exist",
            "not currently accepting connections",
            "certificate verify failed",
            "does not match host name",
            "does not support ssl",
            # What libpq, or a pooler, does not take of a conninfo.
            "invalid port number",
            "invalid connection option",
            "invalid integer value",
            "bad value for",
            "invalid sslmode value",
            "invalid channel_binding value",
            "invalid gssencmode value",
            "invalid require_auth value",
            "invalid sslnegotiation value",
            "invalid target_session_attrs value",
            "invalid load_balance_hosts value",
            "unsupported startup parameter",
            "no such database",
        ),
    ),
)

_UNKNOWN_KEYWORD = re.compile(r'invalid connection option "(\w+)"')

# A Lambda function's packets die silently: in a freeze behind a NAT gateway (350 s), in a failover. What is sent and not
# acknowledged within 5 s will not be; a long query's silence is probed after a minute.
_NETWORK = {"keepalives_idle": 60, "keepalives_interval": 10, "keepalives_count": 3, "tcp_user_timeout": 5000}
# libpq's modes in which a connection may end up without TLS.
_WITHOUT_TLS = (None, "disable", "allow", "prefer")
# Below this psycopg raises the limit by itself.
_LEAST_CONNECT_TIMEOUT_S = 2


def postgres(
    conninfo: str | Callable[[], str] = "",
    *,
    login: Login | None = None,
    max_connections: int = 1,
    ping_after_s: float | None = 5.0,
    connect_timeout_s: float = 5.0,
    autocommit: bool = False,
    proxy: bool = False,
    on_connect: Callable[[Connection], object] | None = None,
) -> Database[Connection]:
    """
    Declare a PostgreSQL database, reached through psycopg 3. Nothing is imported, read or connected now.

    Args:
        conninfo: A libpq connection string or URI, or a handle of one, read at each physical connect. What it says goes
            before what *login* says of host, port and database.
        login: Gives user and password, such as :func:`lambda_kit.secret_login`.
        max_connections: Connections of this process, at most. One is enough unless logic uses threads.
        ping_after_s: Idle seconds, of either clock, after which a checkout asks the server for a sign of life. The
            socket is looked at every time. ``None`` never asks.
        connect_timeout_s: Seconds one attempt may take. Attempts go on within the invocation's deadline, or 10 s.
        autocommit: Run each statement in a transaction of its own; an end of a block then has nothing to commit.
        proxy: There is a transaction pooler in between, RDS Proxy or PgBouncer. Nothing is done then that would tie the
            session to one server connection: no prepared statements, no name for the server to see, no ``SET``; do not
            run one in *on_connect* either, but ``SET LOCAL`` in a transaction.
        on_connect: Called with each new connection, to set row factories or adapters, or run statements, which are committed.

    Raises:
        ConfigurationError: There is neither *conninfo* nor *login*, or an argument is of another type.
        MissingDependencyError: At the first checkout: psycopg is not installed.

    Source: https://www.psycopg.org/psycopg3/docs/api/connections.html
    """
    check_where("postgres", "conninfo", conninfo)
    check("postgres", login=login, autocommit=autocommit, proxy=proxy, on_connect=on_connect)
    if not conninfo and login is None:
        raise ConfigurationError("postgres() needs to know where to go: give a conninfo, or a login whose secret has host and port")
    driver = _Postgres(conninfo, autocommit=autocommit, proxy=proxy, on_connect=on_connect)
    return Database(driver, login=login, max_connections=max_connections, ping_after_s=ping_after_s, connect_timeout_s=connect_timeout_s)


class _Postgres:
    """
    psycopg 3 as the engine wants it.
    """

    __slots__ = ("_autocommit", "_conninfo", "_on_connect", "_proxy")

    name = "postgres"
    transactional = True
    knows_loss = True

    def __init__(
        self,
        conninfo: str | Callable[[], str],
        *,
        autocommit: bool = False,
        proxy: bool = False,
        on_connect: Callable[[Connection], object] | None = None,
    ) -> None:
        self._conninfo = conninfo
        self._autocommit = autocommit
        self._proxy = proxy
        self._on_connect = on_connect

    def load(self) -> None:
        _connection.connection_class()

    def connect(self, credentials: Credentials | None, timeout_s: float) -> Connection:
        until_s = _runtime.monotonic_s() + timeout_s
        connection = self._open(credentials, timeout_s, until_s)
        _connection.watch(connection)
        if self._on_connect is not None:
            self._prepare(connection, self._on_connect, until_s)
        _connection.remember(connection, autocommit=self._autocommit)
        return connection

    def inspect(self, connection: Any) -> State:
        if connection.kit_has_input() and not _connection.listen(connection):
            return State.LOST
        # As state() does, without the call: every checkout comes through here.
        state = State.LOST if connection.kit_lost else _STATES[connection.pgconn.transaction_status]
        if state is IDLE and (connection.kit_changed or connection.row_factory is not connection.kit_row_factory):
            return IDLE if _connection.restore(connection) else State.BUSY
        return state

    def state(self, connection: Any) -> State:
        return State.LOST if connection.kit_lost else _STATES[connection.pgconn.transaction_status]

    def doubt(self, connection: Any) -> Doubt:
        if connection.kit_committing:
            return Doubt.COMMIT
        if connection.kit_in_doubt:
            return Doubt.STATEMENT
        return Doubt.CLOSED if connection.kit_closed_idle else Doubt.NOTHING

    def ping(self, connection: Connection, timeout_s: float) -> bool:
        return _connection.ping(connection, timeout_s)

    def bound(self, connection: Any, until_s: float | None) -> None:
        connection.kit_until_s = until_s

    def commit(self, connection: Connection) -> None:
        connection.commit()

    def roll_back(self, connection: Connection, timeout_s: float) -> None:
        self.bound(connection, _runtime.monotonic_s() + timeout_s)
        connection.rollback()

    def cancel(self, connection: Connection, timeout_s: float) -> None:
        # An older libpq waits for the server without a limit.
        if require("psycopg", extra="postgres").capabilities.has_cancel_safe():
            connection.cancel_safe(timeout=timeout_s)

    def close(self, connection: Connection) -> None:
        connection.close()

    def drop(self, connection: Connection) -> None:
        _connection.drop(connection)

    def classify(self, error: BaseException) -> Verdict | None:
        if not isinstance(error, require("psycopg", extra="postgres").Error):
            return None
        sqlstate: str | None = getattr(error, "sqlstate", None)
        if sqlstate is not None:
            if sqlstate.startswith(_CONNECTION_EXCEPTION):
                return Verdict.LOST
            stale = sqlstate == _UNSUPPORTED and _STALE_PLAN in str(error)
            return Verdict.STALE if stale else _BY_SQLSTATE.get(sqlstate, Verdict.FATAL)
        text = str(error).lower()
        for verdict, phrases in _BY_TEXT:
            if any(phrase in text for phrase in phrases):
                return verdict
        return Verdict.UNKNOWN

    def _open(self, credentials: Credentials | None, timeout_s: float, until_s: float) -> Connection:
        """
        Connect, and let no password out: psycopg's own error has one in its ``pgconn`` and in its frames.
        """
        psycopg = require("psycopg", extra="postgres")
        parameters = self._parameters(credentials, timeout_s)
        if isinstance(parameters, str):
            raise ConfigurationError(parameters)
        try:
            _connection.connect_shares.set(_addresses.Shares(until_s, _addresses.count(_hosts(parameters), until_s)))
            connection: Connection = _connection.connection_class().connect(autocommit=self._autocommit, **parameters)
            return connection
        except psycopg.Error as exc:
            failure = type(exc)(str(exc))
            failure.sqlstate = exc.sqlstate
        except TimeoutError as exc:
            failure = psycopg.errors.ConnectionTimeout(f"connection timeout expired: {exc}")
        except UnicodeError:
            # Its text has what it cannot encode.
            failure = ConfigurationError("user, password or conninfo of a postgres database cannot be encoded")
        finally:
            del parameters
        raise failure

    def _parameters(self, credentials: Credentials | None, timeout_s: float) -> dict[str, Any] | str:
        """
        Put together what to connect with: the kit's defaults, then the login's address, then the conninfo, then user and password.
        What is wrong with it is returned, not raised: a raised error would show this frame, which has the password.
        """
        parameters: dict[str, Any] = {**_NETWORK, "connect_timeout": max(_LEAST_CONNECT_TIMEOUT_S, int(timeout_s) + 1)}
        if self._proxy:
            # PgBouncer would SET the name on each server connection, and RDS Proxy tie the session to one.
            parameters["prepare_threshold"] = None
        elif function := _runtime.setting("AWS_LAMBDA_FUNCTION_NAME"):
            parameters["application_name"] = f"lambda:{function}"
        if credentials is not None:
            address = {"host": credentials.host, "port": credentials.port, "dbname": credentials.dbname}
            parameters |= {name: value for name, value in address.items() if value}
        parts = _parsed(self._conninfo() if callable(self._conninfo) else self._conninfo)
        if isinstance(parts, str):
            return parts
        parameters |= parts
        if credentials is not None:
            parameters |= {"user": credentials.user, "password": credentials.password}
            if credentials.needs_tls and parameters.get("sslmode", _runtime.setting("PGSSLMODE")) in _WITHOUT_TLS:
                parameters["sslmode"] = "require"
        return _complaint(parameters) or parameters

    def _prepare(self, connection: Connection, on_connect: Callable[[Connection], object], until_s: float) -> None:
        """
        Run the user's hook, within what is left of the attempt.
        """
        self.bound(connection, until_s)
        try:
            on_connect(connection)
            connection.commit()
        except BaseException:
            _connection.drop(connection)
            raise


def _parsed(conninfo: str) -> dict[str, Any] | str:
    """
    Return the conninfo's parts, or what is wrong with it; not in libpq's words, which quote what may be the password.
    """
    psycopg = require("psycopg", extra="postgres")
    parse = require("psycopg.conninfo", extra="postgres").conninfo_to_dict
    try:
        parts: dict[str, Any] = parse(conninfo)
        return parts
    except psycopg.ProgrammingError as exc:
        unknown = _UNKNOWN_KEYWORD.search(str(exc))
    keyword = unknown[1] if unknown else ""
    # A keyword that comes after a password may be a piece of it; in a URI anything may.
    before = re.split(rf"(?<!\S){re.escape(keyword)}\s*=", conninfo)[0].lower()
    if keyword and before != conninfo.lower() and "pass" not in before + keyword and "://" not in before:
        return f"the conninfo of a postgres database has a keyword that libpq does not know: {keyword}"
    return "the conninfo of a postgres database cannot be parsed; it is not shown, since it may hold a password"


def _hosts(parameters: dict[str, Any]) -> list[str]:
    """
    Return the servers that psycopg tries, by address where that is given.
    """
    found = parameters.get("hostaddr") or parameters.get("host") or _runtime.setting("PGHOST") or ""
    return str(found).split(",")


def _complaint(parameters: dict[str, Any]) -> str:
    """
    Say what libpq would turn into a puzzling error, or into one that quotes a piece of a password; empty when all is well.
    """
    if "@" in str(parameters.get("host", "")) or "://" in str(parameters.get("host", "")):
        return "a postgres database has an '@' or '://' in its host: percent-encode the password in its conninfo"
    if not re.fullmatch(r"[\d,]*", str(parameters.get("port", ""))):
        return "a postgres database has a port that is no number: correct it, or percent-encode the password where its conninfo is a URI"
    if not {"host", "hostaddr", "service"} & set(parameters) and _runtime.setting("PGHOST") is None:
        return "a postgres database has no host: neither its conninfo nor its login says one"
    return ""
