"""
A real PostgreSQL for the tests of this folder, and databases that end with their test.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import pytest
from psycopg import Connection

from lambda_kit import _runtime, databases
from lambda_kit._local._postgres import PostgresServer
from lambda_kit.databases import Credentials, Database
from lambda_kit.errors import LoginError
from tests.databases.accounts import Shop, Store
from tests.databases.servers import MariaServer, ValkeyServer, need

_numbers = itertools.count(1)


@pytest.fixture(autouse=True)
def cold_environment() -> Iterator[None]:
    """
    No test sees the connections, tracers or invocations of another.
    """
    _runtime.reset()
    yield
    _runtime.reset()


@pytest.fixture(scope="session")
def server() -> Iterator[PostgresServer]:
    """
    One server for the session; tests that kill it start it again.
    """
    with PostgresServer.start(settings={"max_connections": "20"}) as running:
        yield running


class Orders:
    """
    A role with a table of its own, and the secret that knows its password: the stages hold passwords.
    """

    def __init__(self, server: PostgresServer) -> None:
        self.server = server
        self.role = f"app_{next(_numbers)}"
        self.password = f"first-secret-of-{self.role}"
        self.stages = {"AWSCURRENT": self.password}
        self.cached = self.password
        self.asked: list[str] = []
        server.create_role(self.role, self.password)
        server.execute(f"CREATE SCHEMA {self.role} AUTHORIZATION {self.role}")
        server.execute(f"CREATE TABLE {self.role}.rows (id int PRIMARY KEY)")
        server.execute(f"ALTER TABLE {self.role}.rows OWNER TO {self.role}")

    @property
    def conninfo(self) -> str:
        return f"host={self.server.host} port={self.server.port} dbname=postgres"

    @property
    def backends(self) -> list[int]:
        """
        The process ids of the role's sessions.
        """
        return [pid for (pid,) in self.server.execute("SELECT pid FROM pg_stat_activity WHERE usename = %s", [self.role])]

    @property
    def rows(self) -> list[int]:
        """
        What is committed.
        """
        return sorted(number for (number,) in self.server.execute(f"SELECT id FROM {self.role}.rows"))  # noqa: S608  # the test's own table

    def login(self, refused: Credentials | None, /) -> Credentials:
        """
        Answer as a login on a secret does: what is cached, then the current version, then the pending one.
        """
        if refused is not None:
            self.asked.append(refused.password)
            for stage in ("AWSCURRENT", "AWSPENDING"):
                password = self.stages.get(stage)
                if password is not None and password not in self.asked:
                    if stage == "AWSCURRENT":
                        self.cached = password
                    return Credentials(self.role, password)
            raise LoginError("nothing else to offer")
        return Credentials(self.role, self.cached)

    def end_sessions(self) -> None:
        """
        End the role's sessions on the server, and wait until they are gone.
        """
        self.server.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = %s", [self.role])


@pytest.fixture
def orders(server: PostgresServer) -> Orders:
    """
    A role of the test's own.
    """
    return Orders(server)


@pytest.fixture
def database(orders: Orders) -> Database[Connection]:
    """
    A database on that role.
    """
    return databases.postgres(orders.conninfo, login=orders.login)


Declare = Callable[..., Database[Connection]]


@pytest.fixture
def declare(orders: Orders) -> Declare:
    """
    Declare a database on that role with options.
    """

    def declared(conninfo: str | None = None, **options: object) -> Database[Connection]:
        return databases.postgres(orders.conninfo if conninfo is None else conninfo, **{"login": orders.login, **options})  # type: ignore[arg-type]

    return declared


@pytest.fixture(scope="session")
def maria() -> Iterator[MariaServer]:
    """
    One MariaDB for the session, where the system has it.
    """
    need("mariadbd")
    with MariaServer() as running:
        yield running


@pytest.fixture(scope="session")
def valkey() -> Iterator[ValkeyServer]:
    """
    One Valkey for the session.
    """
    with ValkeyServer() as running:
        yield running


@pytest.fixture
def shop(maria: MariaServer) -> Shop:
    """
    A user of MariaDB of the test's own.
    """
    return Shop(maria)


@pytest.fixture
def store(valkey: ValkeyServer) -> Store:
    """
    A user of Valkey of the test's own.
    """
    return Store(valkey)
