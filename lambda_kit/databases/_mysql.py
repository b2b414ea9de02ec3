"""
MySQL and MariaDB through PyMySQL: what its errors mean, and how connections are made.
"""

from __future__ import annotations

from contextlib import suppress

from lambda_kit import _runtime
from lambda_kit._require import require
from lambda_kit.databases import _mysql_connection as _connection
from lambda_kit.databases._checks import address_complaint, check, check_where, unknown_option
from lambda_kit.databases._database import Database
from lambda_kit.databases._driver import Doubt, State, Verdict
from lambda_kit.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from pymysql.connections import Connection

    from lambda_kit.databases._credentials import Credentials, Login

# Sources: https://dev.mysql.com/doc/mysql-errors/en/server-error-reference.html and
# https://mariadb.com/kb/en/mariadb-error-codes/
_BY_CODE = {
    2006: Verdict.LOST,  # CR_SERVER_GONE_ERROR
    2013: Verdict.LOST,  # CR_SERVER_LOST
    2055: Verdict.LOST,  # CR_SERVER_LOST_EXTENDED
    1927: Verdict.LOST,  # ER_CONNECTION_KILLED, of MariaDB
    4031: Verdict.LOST,  # ER_CLIENT_INTERACTION_TIMEOUT, wait_timeout in MySQL
    0: Verdict.LOST,  # what PyMySQL says of a connection that it has closed
    1045: Verdict.AUTH,  # ER_ACCESS_DENIED_ERROR
    1698: Verdict.AUTH,  # ER_ACCESS_DENIED_NO_PASSWORD_ERROR
    1792: Verdict.READ_ONLY,  # ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION
    1836: Verdict.READ_ONLY,  # ER_READ_ONLY_MODE
    1040: Verdict.WAIT,  # ER_CON_COUNT_ERROR
    1203: Verdict.WAIT,  # ER_TOO_MANY_USER_CONNECTIONS
    1226: Verdict.WAIT,  # ER_USER_LIMIT_REACHED
    1053: Verdict.WAIT,  # ER_SERVER_SHUTDOWN
    2002: Verdict.WAIT,  # CR_CONNECTION_ERROR
    2003: Verdict.WAIT,  # CR_CONN_HOST_ERROR: refused, and names that do not resolve
    1213: Verdict.RETRY,  # ER_LOCK_DEADLOCK
    1205: Verdict.RETRY,  # ER_LOCK_WAIT_TIMEOUT: of the statement only, until the block rolls back
    1243: Verdict.STALE,  # ER_UNKNOWN_STMT_HANDLER: a prepared statement that is gone
    1317: Verdict.TIMEOUT,  # ER_QUERY_INTERRUPTED, KILL QUERY
    1969: Verdict.TIMEOUT,  # ER_STATEMENT_TIMEOUT, of MariaDB
    3024: Verdict.TIMEOUT,  # ER_QUERY_TIMEOUT, of MySQL
}
# ER_OPTION_PREVENTS_STATEMENT is about many options.
_OPTION_PREVENTS, _READ_ONLY_OPTION = 1290, "read-only"
# CR_CONN_HOST_ERROR also is what PyMySQL makes of a certificate that waiting does not improve.
_CANNOT_CONNECT, _CERTIFICATE = 2003, "certificate verify failed"
# Without one of these PyMySQL would log in as the user of the operating system.
_NAMES_USER = frozenset({"user", "read_default_file", "read_default_group"})
_CLOSED = "already closed"
_TLS_OPTIONS = ("ssl", "ssl_ca", "ssl_verify_cert", "ssl_verify_identity")


def mysql(
    host: str | Callable[[], str] = "",
    *,
    login: Login | None = None,
    port: int | None = None,
    dbname: str = "",
    max_connections: int = 1,
    ping_after_s: float | None = 5.0,
    connect_timeout_s: float = 5.0,
    autocommit: bool = False,
    on_connect: Callable[[Connection], object] | None = None,
    options: Mapping[str, object] | None = None,
) -> Database[Connection]:
    """
    Declare a MySQL or MariaDB database, reached through PyMySQL. Nothing is imported, read or connected now.

    PyMySQL cannot stop a statement that is given up at the deadline: the server goes on with it until it wants to answer. Let it
    have a limit of its own, such as ``max_statement_time`` (MariaDB) or ``max_execution_time`` (MySQL).

    Args:
        host: Name of the server, or a handle of it, read at each physical connect. What is given here of host, *port* and
            *dbname* goes before what *login* says.
        login: Gives user and password, such as :func:`lambda_kit.secret_login`.
        max_connections: Connections of this process, at most. One is enough unless logic uses threads.
        ping_after_s: Idle seconds, of either clock, after which a checkout asks the server for a sign of life. The
            socket is looked at every time. ``None`` never asks.
        connect_timeout_s: Seconds one attempt may take. Attempts go on within the invocation's deadline, or 10 s.
        autocommit: Run each statement in a transaction of its own; an end of a block then has nothing to commit.
        on_connect: Called with each new connection, to run statements, which are committed.
        options: More of what ``pymysql.connect`` takes, but for passwords, such as ``{"ssl_ca": ..., "ssl_verify_identity": True}``.

    Raises:
        ConfigurationError: There is neither *host* nor *login*, or nobody to log in as, or *options* holds what is an
            argument here, or an argument is of another type.
        MissingDependencyError: At the first checkout: PyMySQL is not installed.

    Source: https://pymysql.readthedocs.io/en/latest/modules/connections.html
    """
    check_where("mysql", "host", host)
    check("mysql", login=login, port=port, dbname=dbname, autocommit=autocommit, on_connect=on_connect, options=options)
    if not host and login is None:
        raise ConfigurationError("mysql() needs to know where to go: give a host, or a login whose secret has host and port")
    if isinstance(host, str) and (wrong := address_complaint(host)):
        del host
        raise ConfigurationError(f"mysql(): {wrong}")
    options = dict(options or {})
    if secret := sorted({"password", "passwd"} & set(options)):
        raise ConfigurationError(f"mysql() takes no {secret[0]} in options: give user and password as login=, such as secret_login(...)")
    if taken := sorted({"host", "port", "database", "db", "autocommit", "defer_connect"} & set(options)):
        raise ConfigurationError(f"mysql() takes {', '.join(taken)} as arguments of its own, or not at all: leave them out of options")
    if login is None and not _NAMES_USER & set(options):
        raise ConfigurationError("mysql() needs to know who logs in: give a login, or the user of an account without password in options")
    address = {"host": host, "port": port, "dbname": dbname}
    driver = _Mysql(address, autocommit=autocommit, on_connect=on_connect, options=options)
    return Database(driver, login=login, max_connections=max_connections, ping_after_s=ping_after_s, connect_timeout_s=connect_timeout_s)


class _Mysql:
    """
    PyMySQL as the engine wants it.
    """

    __slots__ = ("_address", "_autocommit", "_on_connect", "_options")

    name = "mysql"
    transactional = True
    knows_loss = True

    def __init__(
        self,
        address: Mapping[str, Any],
        *,
        autocommit: bool,
        on_connect: Callable[[Connection], object] | None,
        options: dict[str, object],
    ) -> None:
        self._address = address
        self._autocommit = autocommit
        self._on_connect = on_connect
        self._options = options

    def load(self) -> None:
        _connection.connection_class()

    def connect(self, credentials: Credentials | None, timeout_s: float) -> Connection:
        until_s = _runtime.monotonic_s() + timeout_s
        connection = self._open(credentials, timeout_s, until_s)
        if self._on_connect is not None:
            self._prepare(connection, self._on_connect)
        return connection

    def inspect(self, connection: Connection) -> State:
        state = self.state(connection)
        # Rows nobody has read are no farewell.
        return state if state is State.BUSY or _connection.is_open(connection) else State.LOST

    def state(self, connection: Any) -> State:
        if not connection.open:
            return State.LOST
        if _connection.is_reading(connection):
            return State.BUSY
        autocommit = connection.get_autocommit()
        # What the user has set is set back where a transaction is ended.
        ended = autocommit is self._autocommit and (autocommit or not connection.kit_used)
        return State.IDLE if ended and not _connection.in_transaction(connection) else State.OPEN

    def doubt(self, connection: Any) -> Doubt:
        if connection.kit_committing:
            return Doubt.COMMIT
        if connection.kit_in_doubt:
            return Doubt.STATEMENT
        return Doubt.CLOSED if connection.kit_closed_idle else Doubt.NOTHING

    def ping(self, connection: Any, timeout_s: float) -> bool:
        connection.kit_until_s = _runtime.monotonic_s() + timeout_s
        try:
            connection.ping(reconnect=False)
        except Exception:  # noqa: BLE001  # whatever it was, there was no answer in time
            return False
        return True

    def bound(self, connection: Any, until_s: float | None) -> None:
        connection.kit_until_s = until_s

    def commit(self, connection: Connection) -> None:
        connection.commit()
        self._restore(connection)

    def roll_back(self, connection: Connection, timeout_s: float) -> None:
        self.bound(connection, _runtime.monotonic_s() + timeout_s)
        connection.rollback()
        self._restore(connection)

    def cancel(self, connection: Connection, timeout_s: float) -> None:
        """
        Do nothing: KILL goes by a number, and behind a proxy or a name of several servers that is another's session.
        """

    def close(self, connection: Connection) -> None:
        if connection.open:
            connection.close()

    def drop(self, connection: Connection) -> None:
        _connection.drop(connection)

    def classify(self, error: BaseException) -> Verdict | None:
        if not isinstance(error, require("pymysql.err", extra="mysql").MySQLError):
            return None
        code = error.args[0] if error.args else None
        if code == _OPTION_PREVENTS:
            return Verdict.READ_ONLY if _READ_ONLY_OPTION in str(error).lower() else Verdict.FATAL
        if code == _CANNOT_CONNECT and _CERTIFICATE in str(error):
            return Verdict.FATAL
        if isinstance(code, int):
            return _BY_CODE.get(code, Verdict.FATAL)
        return Verdict.LOST if _CLOSED in str(error).lower() else Verdict.UNKNOWN

    def _restore(self, connection: Any) -> None:
        """
        Set autocommit as it was declared, after a transaction has ended. A connection on which that fails is given up.
        """
        if connection.get_autocommit() is self._autocommit:
            return
        restored = False
        try:
            # The transaction's end is what counts, and that is through.
            with suppress(Exception):
                connection.autocommit(self._autocommit)
                restored = True
        finally:
            if not restored:
                _connection.drop(connection)

    def _open(self, credentials: Credentials | None, timeout_s: float, until_s: float) -> Connection:
        """
        Connect, and let no password out: it is in the frames of whatever fails below.
        """
        connection_class = _connection.connection_class()
        parameters = self._parameters(credentials, timeout_s)
        if isinstance(parameters, str):
            raise ConfigurationError(parameters)
        try:
            made = connection_class(**parameters, defer_connect=True)
            made.kit_until_s = until_s
            made.kit_needs_tls = credentials is not None and credentials.needs_tls
            made.connect()
        except UnicodeError:
            # Its text has what it cannot encode.
            failure: Exception = ConfigurationError("host, user or password of a mysql database cannot be encoded")
        except TypeError as exc:
            word = unknown_option(exc)
            failure = ConfigurationError(f"PyMySQL knows no {word!r}: correct the options of the mysql database") if word else _bare(exc)
        except OSError as exc:
            # Those of the network are PyMySQL's own errors by now.
            failure = ConfigurationError(f"a file that ssl_ca, ssl_cert or ssl_key of a mysql database names cannot be loaded: {exc}")
        except Exception as exc:  # noqa: BLE001  # a missing package is a RuntimeError of PyMySQL's
            failure = _bare(exc)
        else:
            made.kit_connected = True
            made.kit_used = False
            connection: Connection = made
            return connection
        finally:
            del parameters
        raise failure

    def _parameters(self, credentials: Credentials | None, timeout_s: float) -> dict[str, Any] | str:
        """
        Put together what to connect with. What is wrong with it is returned, not raised: a raised error would show this frame.
        """
        host = self._address["host"]
        host = host() if callable(host) else host
        parameters: dict[str, Any] = {"charset": "utf8mb4", "connect_timeout": timeout_s, **self._options, "autocommit": self._autocommit}
        if function := _runtime.setting("AWS_LAMBDA_FUNCTION_NAME"):
            parameters.setdefault("program_name", f"lambda:{function}")
        address = {
            "host": host or (credentials.host if credentials is not None else ""),
            "port": self._address["port"] or (credentials.port if credentials is not None else None),
            "database": self._address["dbname"] or (credentials.dbname if credentials is not None else ""),
        }
        parameters |= {name: value for name, value in address.items() if value}
        if credentials is not None:
            parameters |= {"user": credentials.user, "password": credentials.password}
            if credentials.needs_tls and not any(parameters.get(name) for name in _TLS_OPTIONS):
                parameters["ssl"] = {"check_hostname": False}
        if not _NAMES_USER & {name for name, value in parameters.items() if value}:
            return "a mysql database has no user to log in as: its login offers an empty one"
        wrong = address_complaint(str(parameters.get("host", "")))
        return f"of a mysql database, the {wrong}" if wrong else parameters

    def _prepare(self, connection: Connection, on_connect: Callable[[Connection], object]) -> None:
        """
        Run the user's hook, within what is left of the attempt.
        """
        try:
            on_connect(connection)
            connection.commit()
        except BaseException:
            _connection.drop(connection)
            raise


def _bare(error: Exception) -> Exception:
    """
    Return *error* without the frames that led to it, in the error that PyMySQL keeps for investigations too.
    """
    for each in (error, getattr(error, "original_exception", None)):
        if each is not None:
            each.__cause__ = each.__context__ = None
            each.__traceback__ = None
    return error
