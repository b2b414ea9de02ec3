"""
Servers that only a system has: PostgreSQL with TLS and with a standby, MariaDB and Redis over TLS, PgBouncer.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import redis

from tests.databases.servers import HOST, MariaServer, _Server, need

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.certificates import Authority

# A server's certificate is for this name, which leads to loopback on every machine.
TLS_HOST = "localhost"
SUPERUSER, SUPERUSER_PASSWORD = "postgres", "of-the-superuser"
_NOBODY = 65534
_DEBIAN = Path("/usr/lib/postgresql")


def need_postgres() -> Path:
    """
    Return the folder of the system's PostgreSQL programs, of the newest version there is; see ``need``.
    """
    found = sorted(_DEBIAN.glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    need(str(found[-1] if found else _DEBIAN / "postgres"))
    return found[-1].parent


class TlsFiles:
    """
    What a server and its clients need for TLS, in a folder that its user may read.
    """

    def __init__(self, folder: Path, authority: Authority) -> None:
        self.root = folder / "root.pem"
        self.root.write_text(authority.pem)
        self.server = authority.server_file(folder, TLS_HOST)
        self.server.chmod(0o600)


class SystemPostgres(_Server):
    """
    The system's PostgreSQL; a writer, or a standby that follows one.
    """

    def __init__(self, *, hba: Sequence[str] = (), standby_of: SystemPostgres | None = None) -> None:
        self._bin = need_postgres()
        super().__init__("system-postgres")
        self._data = self.root / "data"
        _hand_over(self.root)
        if standby_of is None:
            self._initialise(hba)
        else:
            self._copy(standby_of)

    def execute(self, statement: str, *params: object) -> list[tuple[Any, ...]]:
        """
        Run one statement as superuser, committed at once.
        """
        with psycopg.connect(self.conninfo(SUPERUSER, SUPERUSER_PASSWORD), autocommit=True) as connection:
            cursor = connection.execute(statement, params or None)
            return list(cursor.fetchall()) if cursor.description else []

    def conninfo(self, user: str = "", password: str = "") -> str:
        """
        Return where it is, and as whom to log in.
        """
        who = f" user={user} password={password}" if user else ""
        return f"host={HOST} port={self.port} dbname=postgres{who}"

    def promote(self) -> None:
        """
        Make a standby the writer, and wait until it is.
        """
        assert self.execute("SELECT pg_promote(true, 60)") == [(True,)]

    def _command(self) -> list[str]:
        words = [word for name, value in self._settings().items() for word in ("-c", f"{name}={value}")]
        return _as_nobody([str(self._bin / "postgres"), "-D", str(self._data), *words])

    def _settings(self) -> dict[str, object]:
        return {
            "port": self.port,
            "listen_addresses": HOST,
            "unix_socket_directories": "",
            "fsync": "off",
            "shared_buffers": "16MB",
            "log_line_prefix": "%m [%p] ",
            "max_connections": "20",
        }

    def _answers(self) -> bool:
        try:
            self.execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def _initialise(self, hba: Sequence[str]) -> None:
        password_file = self.root / "password"
        password_file.write_text(SUPERUSER_PASSWORD)
        password_file.chmod(0o644)
        command = [str(self._bin / "initdb"), "-D", str(self._data), "-U", SUPERUSER, "--pwfile", str(password_file)]
        _run([*command, "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions"])
        rules = self._data / "pg_hba.conf"
        rules.write_text("\n".join([*hba, rules.read_text()]))

    def _copy(self, writer: SystemPostgres) -> None:
        command = [str(self._bin / "pg_basebackup"), "-D", str(self._data), "-R", "-X", "stream", "--checkpoint=fast", "--no-sync"]
        _run([*command, "-d", writer.conninfo(SUPERUSER, SUPERUSER_PASSWORD)])


class TlsPostgres(SystemPostgres):
    """
    PostgreSQL that knows TLS.
    """

    def __init__(self, authority: Authority, *, hba: Sequence[str] = ()) -> None:
        super().__init__(hba=hba)
        self.tls = TlsFiles(self.root, authority)
        _hand_over(self.root)

    def _settings(self) -> dict[str, object]:
        return {**super()._settings(), "ssl": "on", "ssl_cert_file": self.tls.server, "ssl_key_file": self.tls.server}


class TlsMaria(MariaServer):
    """
    MariaDB that lets its users in over TLS only.
    """

    def __init__(self, authority: Authority) -> None:
        need("mariadbd")
        super().__init__()
        self.tls = TlsFiles(self.root, authority)
        if os.getuid() == 0:
            shutil.chown(self.tls.server, "mysql")

    def _command(self) -> list[str]:
        return [*super()._command(), f"--ssl-cert={self.tls.server}", f"--ssl-key={self.tls.server}", "--require-secure-transport=ON"]


class TlsRedis(_Server):
    """
    Redis, over TLS only.
    """

    def __init__(self, authority: Authority) -> None:
        need("redis-server")
        super().__init__("redis")
        self.tls = TlsFiles(self.root, authority)

    def client(self) -> redis.Redis:
        """
        Return a plain client of the superuser's, to be used in a ``with``.
        """
        return redis.Redis(host=TLS_HOST, port=self.port, ssl=True, ssl_ca_certs=str(self.tls.root), decode_responses=True)

    def execute(self, *command: str) -> Any:
        """
        Run one command.
        """
        with self.client() as client:
            return client.execute_command(*command)

    def _command(self) -> list[str]:
        tls = ["--tls-port", str(self.port), "--tls-cert-file", str(self.tls.server), "--tls-key-file", str(self.tls.server)]
        tls += ["--tls-ca-cert-file", str(self.tls.root), "--tls-auth-clients", "no"]
        return ["/usr/bin/redis-server", "--bind", HOST, "--port", "0", *tls, "--save", "", "--appendonly", "no", "--dir", str(self.root)]

    def _answers(self) -> bool:
        try:
            return bool(self.execute("PING"))
        except redis.RedisError:
            return False


class PgBouncer(_Server):
    """
    PgBouncer that pools transactions before one server.

    It asks the server for its users' passwords, so that it knows a new one at once.
    """

    def __init__(self, server_port: int, *, user: str, password: str, server_connections: int = 1) -> None:
        need("pgbouncer")
        super().__init__("pgbouncer")
        self._user, self._password = user, password
        users, settings = self.root / "users", self.root / "settings"
        users.write_text(f'"{user}" "{password}"\n')
        settings.write_text(
            f"""
            [databases]
            postgres = host={HOST} port={server_port} auth_user={user}
            [pgbouncer]
            pool_mode = transaction
            listen_addr = {HOST}
            listen_port = {self.port}
            unix_socket_dir =
            auth_type = scram-sha-256
            auth_file = {users}
            admin_users = {user}
            default_pool_size = {server_connections}
            server_login_retry = 0.2
            server_idle_timeout = 5
            """.replace("  ", "")
        )
        _hand_over(self.root)

    def show(self, what: str) -> list[dict[str, Any]]:
        """
        Return what the console shows: ``servers``, ``clients``, ``stats``.
        """
        where = f"host={HOST} port={self.port} dbname=pgbouncer user={self._user} password={self._password}"
        with psycopg.connect(where, autocommit=True, row_factory=psycopg.rows.dict_row) as console:
            # The console knows the simple protocol only.
            return psycopg.ClientCursor(console, row_factory=psycopg.rows.dict_row).execute(f"SHOW {what}").fetchall()

    def _command(self) -> list[str]:
        return _as_nobody([str(shutil.which("pgbouncer") or "/usr/sbin/pgbouncer"), str(self.root / "settings")])

    def _answers(self) -> bool:
        try:
            self.show("version")
        except psycopg.OperationalError:
            return False
        return True


def _as_nobody(command: list[str]) -> list[str]:
    """
    Return *command* as run by another user, where this one is root: these programs refuse to.
    """
    if os.getuid() != 0:
        return command
    return ["setpriv", f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups", *command]


def _hand_over(folder: Path) -> None:
    if os.getuid() == 0:
        for path in (folder, *folder.iterdir()):
            os.chown(path, _NOBODY, _NOBODY)


def _run(command: list[str]) -> None:
    ended = subprocess.run(
        _as_nobody(command),
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        env={"LC_ALL": "C", "TZ": "UTC", "PATH": os.environ["PATH"]},
    )
    assert 0 == ended.returncode, ended.stdout + ended.stderr
