"""
A test's own user of MariaDB or Valkey, with its data, its sessions and a login.
"""

# Statements name a test's own tables.
# ruff: noqa: S608

from __future__ import annotations

import itertools

from lambda_kit.databases import Credentials
from lambda_kit.errors import LoginError
from tests.databases.servers import MariaServer, ValkeyServer

_numbers = itertools.count(1)


class Shop:
    """
    A user with a database of its own.
    """

    def __init__(self, server: MariaServer) -> None:
        self.server = server
        self.user = f"app_{next(_numbers)}"
        self.password = f"first-secret-of-{self.user}"
        self.asked: list[str] = []
        server.execute(f"CREATE DATABASE {self.user}")
        server.execute(f"CREATE TABLE {self.user}.numbers (id int PRIMARY KEY)")
        server.execute(f"CREATE USER {self.user}@'%%' IDENTIFIED BY %s", self.password)
        server.execute(f"GRANT ALL ON {self.user}.* TO {self.user}@'%'")

    @property
    def sessions(self) -> list[int]:
        return [number for (number,) in self.server.execute("SELECT id FROM information_schema.processlist WHERE user = %s", self.user)]

    @property
    def rows(self) -> list[int]:
        """
        What is committed.
        """
        return sorted(number for (number,) in self.server.execute(f"SELECT id FROM {self.user}.numbers"))

    def login(self, refused: Credentials | None, /) -> Credentials:
        if refused is not None:
            self.asked.append(refused.password)
            if refused.password == self.password:
                raise LoginError("nothing else to offer")
            return Credentials(self.user, self.password)
        return Credentials(self.user, self.password, host="127.0.0.1", port=self.server.port, dbname=self.user)

    def end_sessions(self) -> None:
        for number in self.sessions:
            self.server.execute(f"KILL {number}")


class Store:
    """
    A user with keys of its own.
    """

    def __init__(self, server: ValkeyServer) -> None:
        self.server = server
        self.user = f"app_{next(_numbers)}"
        self.password = f"first-secret-of-{self.user}"
        self.key = f"{self.user}:count"
        self.allow(self.password)

    def allow(self, password: str) -> None:
        self.server.execute("ACL", "SETUSER", self.user, "reset", "on", f">{password}", "~*", "&*", "+@all")

    @property
    def sessions(self) -> list[str]:
        """
        The ids of the user's sessions.
        """
        with self.server.client() as client:
            return [each["id"] for each in client.client_list() if each["user"] == self.user]

    @property
    def count(self) -> int:
        return int(self.server.execute("GET", self.key) or 0)

    def login(self, refused: Credentials | None, /) -> Credentials:
        if refused is not None and refused.password == self.password:
            raise LoginError("nothing else to offer")
        return Credentials(self.user, self.password, host="127.0.0.1", port=self.server.port)

    def end_sessions(self) -> None:
        for number in self.sessions:
            self.server.execute("CLIENT", "KILL", "ID", number)
