"""
PostgreSQL, MariaDB and Redis over TLS: the same life as without it, and nobody else's server.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lambda_kit import databases, password_login
from lambda_kit._local._processes import wait_until
from lambda_kit.databases import Database
from lambda_kit.databases._driver import State
from lambda_kit.errors import ConnectionLostError, ConnectTimeoutError, DatabaseError
from tests import fresh_process
from tests.certificates import Authority
from tests.databases.leaks import shown
from tests.databases.proxy import proxy
from tests.databases.servers import HOST
from tests.databases.systems import TLS_HOST, TlsMaria, TlsPostgres, TlsRedis

# The first bytes of a TLS handshake.
CLIENT_HELLO = b"\x16\x03\x01"
PASSWORD = "secret-behind-tls"
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Subject:
    """
    A user of a server that speaks TLS.

    Attributes:
        declare: Takes the port, the name the certificate must have, a file with the authority's, and options.
        protocol: Returns the version of TLS that the server sees on a connection.
        stall: Waits for an answer that does not come within 20 s.
        end_sessions: Ends the user's sessions on the server.
        restart: Kills the server, and starts it again.
        code: Declares ``db``, and ``number()``, the session's number on the server, from PORT, ROOT and USER.
    """

    server: TlsPostgres | TlsMaria | TlsRedis
    user: str
    declare: Callable[..., Database[Any]]
    protocol: Callable[[Any], str]
    stall: Callable[[Any], object]
    end_sessions: Callable[[], object]
    restart: Callable[[], object]
    code: str

    def over(self, port: int = 0, name: str = TLS_HOST, root: Path | None = None, **options: object) -> Database[Any]:
        """
        Declare a database that is reached through *port*.
        """
        return self.declare(port or self.server.port, name, root or self.server.tls.root, **options)


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority.make("Root of the tests")


@pytest.fixture(scope="module")
def tls_postgres(authority: Authority) -> Iterator[TlsPostgres]:
    with TlsPostgres(authority) as running:
        yield running


@pytest.fixture(scope="module")
def tls_maria(authority: Authority) -> Iterator[TlsMaria]:
    with TlsMaria(authority) as running:
        yield running


@pytest.fixture(scope="module")
def tls_redis(authority: Authority) -> Iterator[TlsRedis]:
    with TlsRedis(authority) as running:
        yield running


@pytest.fixture
def postgres(tls_postgres: TlsPostgres) -> Subject:
    user = f"app_{next(_numbers)}"
    tls_postgres.execute(f"CREATE ROLE {user} LOGIN PASSWORD '{PASSWORD}'")

    def declare(port: int, name: str, root: Path, **options: Any) -> Database[Any]:
        where = f"host={name} hostaddr={HOST} port={port} dbname=postgres sslmode=verify-full sslrootcert={root}"
        return databases.postgres(where, login=password_login(user, lambda: PASSWORD), **options)

    def protocol(connection: Any) -> str:
        (version,) = connection.execute("SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid()").fetchone()
        return str(version)

    def stall(connection: Any) -> None:
        connection.execute("SELECT pg_sleep(20)")

    end = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = %s"
    code = f"""
        db = databases.postgres(
            f"host={TLS_HOST} hostaddr={HOST} port={{PORT}} dbname=postgres sslmode=verify-full sslrootcert={{ROOT}}",
            login=password_login(USER, lambda: "{PASSWORD}"),
        )
        def number():
            with db.connection() as connection:
                return connection.execute("SELECT pg_backend_pid()").fetchone()[0]
        """
    return Subject(tls_postgres, user, declare, protocol, stall, lambda: tls_postgres.execute(end, user), lambda: again(tls_postgres), code)


@pytest.fixture
def mysql(tls_maria: TlsMaria) -> Subject:
    user = f"app_{next(_numbers)}"
    tls_maria.execute(f"CREATE USER {user}@'%%' IDENTIFIED BY %s", PASSWORD)

    def declare(port: int, name: str, root: Path, **options: Any) -> Database[Any]:
        tls = {"ssl_ca": str(root), "ssl_verify_cert": True, "ssl_verify_identity": True}
        return databases.mysql(name, port=port, login=password_login(user, lambda: PASSWORD), options=tls, **options)

    def protocol(connection: Any) -> str:
        with connection.cursor() as cursor:
            cursor.execute("SHOW STATUS LIKE 'Ssl_version'")
            return str(cursor.fetchone()[1])

    def stall(connection: Any) -> None:
        connection.query("SELECT SLEEP(20)")

    def end_sessions() -> None:
        tls_maria.execute(f"KILL USER {user}@'%'")

    code = f"""
        tls = {{"ssl_ca": ROOT, "ssl_verify_cert": True, "ssl_verify_identity": True}}
        db = databases.mysql("{TLS_HOST}", port=PORT, login=password_login(USER, lambda: "{PASSWORD}"), options=tls)
        def number():
            with db.connection() as connection, connection.cursor() as cursor:
                cursor.execute("SELECT CONNECTION_ID()")
                return cursor.fetchone()[0]
        """
    return Subject(tls_maria, user, declare, protocol, stall, end_sessions, lambda: again(tls_maria), code)


@pytest.fixture
def redis(tls_redis: TlsRedis) -> Subject:
    user = f"app_{next(_numbers)}"

    def allow() -> None:
        tls_redis.execute("ACL", "SETUSER", user, "on", f">{PASSWORD}", "~*", "&*", "+@all")

    def restart() -> None:
        again(tls_redis)
        # It keeps its users in memory.
        allow()

    def declare(port: int, name: str, root: Path, **options: Any) -> Database[Any]:
        tls = {"ssl_ca_certs": str(root)}
        return databases.redis(f"rediss://{name}:{port}", login=password_login(user, lambda: PASSWORD), options=tls, **options)

    def protocol(client: Any) -> str:
        client.ping()
        # Redis has no other port open, and tells nobody more.
        return "TLSv1.3"

    def stall(client: Any) -> None:
        client.blpop("nothing", 20)

    allow()
    code = f"""
        tls = {{"ssl_ca_certs": ROOT}}
        db = databases.redis(f"rediss://{TLS_HOST}:{{PORT}}", login=password_login(USER, lambda: "{PASSWORD}"), options=tls)
        def number():
            with db.connection() as client:
                return client.client_id()
        """
    return Subject(tls_redis, user, declare, protocol, stall, lambda: tls_redis.execute("CLIENT", "KILL", "USER", user), restart, code)


@pytest.fixture(params=["postgres", "mysql", "redis"])
def subject(request: pytest.FixtureRequest) -> Subject:
    """
    Each server in turn.
    """
    found: Subject = request.getfixturevalue(request.param)
    return found


def again(server: TlsPostgres | TlsMaria | TlsRedis) -> None:
    server.kill()
    server.start()


def use(subject: Subject, database: Database[Any]) -> None:
    with database.connection() as connection:
        assert "TLSv1.3" == subject.protocol(connection)


# Whose server it is


def test_connections_are_encrypted(subject: Subject) -> None:
    """
    D34: to the server whose certificate is for its name, and which the authority signed.
    """
    use(subject, subject.over())


@pytest.mark.parametrize("wrong", ["name", "authority"])
def test_somebody_elses_server_is_refused_at_once(subject: Subject, wrong: str, tmp_path: Path) -> None:
    """
    Its certificate does not get better by waiting; no password goes there, and none is in the error.
    """
    root = tmp_path / "root.pem"
    root.write_text(Authority.make("Another root").pem)
    database = subject.over(name=HOST) if wrong == "name" else subject.over(root=root)

    with pytest.raises(DatabaseError, match=r"certificate") as caught:
        use(subject, database)
    assert not isinstance(caught.value, ConnectTimeoutError)
    assert PASSWORD not in shown(caught.value)


# Its life


@pytest.mark.parametrize("ping_after_s", [None, 0.0], ids=["looked at", "asked"])
def test_an_encrypted_connection_stays(subject: Subject, ping_after_s: float | None) -> None:
    """
    D34: what TLS itself sends, tickets for sessions to come, is no farewell; pings are answered.
    """
    database = subject.over(ping_after_s=ping_after_s)

    for _ in range(20):
        use(subject, database)
    assert 1 == database.stats().connects
    assert (0 if ping_after_s is None else 19) == database.stats().pings


def test_a_session_that_was_ended_is_replaced(subject: Subject) -> None:
    """
    D34: the user sees nothing of it.
    """
    database = subject.over()
    use(subject, database)
    subject.end_sessions()
    assert wait_until(lambda: _is_over(database), timeout_s=10)

    use(subject, database)
    assert {"closed": 1} == database.stats().reconnects


def test_a_killed_and_restarted_server_is_found_again(subject: Subject) -> None:
    """
    D34: a crash between two blocks is not the user's business.
    """
    database = subject.over()
    use(subject, database)
    subject.restart()

    use(subject, database)
    assert {"closed": 1} == database.stats().reconnects


def test_a_connection_cut_in_use_is_said(subject: Subject) -> None:
    """
    TLS's own words for an end without a goodbye are a loss; the next block works.
    """
    with proxy(subject.server.port) as between:
        database = subject.over(between.port)
        use(subject, database)

        cut = threading.Timer(0.1, between.cut)
        cut.start()

        with pytest.raises(ConnectionLostError), database.connection() as connection:
            subject.stall(connection)
        use(subject, database)
        database.close()


def test_a_handshake_that_is_cut_is_tried_again(subject: Subject) -> None:
    """
    The server went down, or failed over, while one connected.
    """
    with proxy(subject.server.port) as between:
        between.cut_after = CLIENT_HELLO
        database = subject.over(between.port)

        def heal() -> None:
            assert wait_until(lambda: between.count > 1, timeout_s=10)
            between.cut_after = b""

        healing = threading.Thread(target=heal)
        healing.start()

        use(subject, database)
        healing.join()
        assert 1 == database.stats().connects
        assert between.count > 1
        database.close()


def test_a_forked_child_leaves_the_encrypted_session_alone(subject: Subject) -> None:
    """
    The child says nothing on it, not even TLS's goodbye, and the parent goes on.
    """
    code = """
        import json, os
        from lambda_kit import databases, password_login
        PORT, ROOT, USER = int(os.environ["PORT"]), os.environ["ROOT"], os.environ["DB_USER"]
        {declare}
        before = number()
        readable, writable = os.pipe()
        child = os.fork()
        if child == 0:
            os.write(writable, str(number()).encode())
            db.close()
            os._exit(0)
        os.waitpid(child, 0)
        in_child = int(os.read(readable, 100))
        after = number()
        db.close()
        print(json.dumps([before, in_child, after]))
        """
    environ = {"PORT": str(subject.server.port), "ROOT": str(subject.server.tls.root), "DB_USER": subject.user}

    before, in_child, after = fresh_process.result(code.replace("{declare}", subject.code.strip()), environ=environ)

    assert before == after
    assert before != in_child


def _is_over(database: Database[Any]) -> bool:
    (session,) = database._idle
    return State.LOST is database._driver.inspect(session.connection)
