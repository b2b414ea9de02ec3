"""
RDS's tokens on the wire: as long as they are, one for each connect, and never in clear.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lambda_kit import databases, rds_iam_login
from lambda_kit.databases import Credentials
from lambda_kit.errors import DatabaseError
from tests.certificates import Authority
from tests.databases.conftest import Orders
from tests.databases.leaks import shown
from tests.databases.proxy import proxy
from tests.databases.servers import HOST, MariaServer
from tests.databases.systems import TLS_HOST, TlsMaria, TlsPostgres

SIGNATURE = b"X-Amz-Signature"
USER = "iam_user"
# RDS asks for the token itself, not for a proof that one knows it.
_HBA = [f"hostssl all {USER} all password", f"hostnossl all {USER} all reject"]


@pytest.fixture(autouse=True)
def aws_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-secret-key")
    # As long as those of a function's role.
    monkeypatch.setenv("AWS_SESSION_TOKEN", "IQoJb3JpZ2lu" * 70)


class Aws:
    """
    A login with tokens, and the other half of it: a server that knows each of them.
    """

    def __init__(self, server: TlsPostgres | TlsMaria, statement: str, port: int) -> None:
        self._server, self._statement = server, statement
        self._login = rds_iam_login(USER, TLS_HOST, port=port, region="eu-west-1")
        self.tokens: list[str] = []

    def __call__(self, refused: Credentials | None, /) -> Credentials:
        offered = self._login(refused)
        self.tokens.append(offered.password)
        self._server.execute(self._statement.format(offered.password))
        return offered


@pytest.fixture(scope="module")
def tls_postgres() -> Iterator[TlsPostgres]:
    with TlsPostgres(Authority.make("Root of RDS"), hba=_HBA) as running:
        running.execute(f"CREATE ROLE {USER} LOGIN")
        yield running


def test_postgres_gets_a_token_over_tls(tls_postgres: TlsPostgres) -> None:
    """
    D35: whatever the conninfo says of TLS: each connect has its token, and none is on the wire in clear.
    """
    with proxy(tls_postgres.port) as between:
        aws = Aws(tls_postgres, f"ALTER ROLE {USER} PASSWORD '{{}}'", between.port)
        database = databases.postgres("dbname=postgres sslmode=disable", login=aws)

        for _ in range(2):
            with database.connection() as connection:
                assert (True,) == connection.execute("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").fetchone()
            database.close()
        assert 2 == len(aws.tokens)
        assert len(aws.tokens[0]) > 1000
        assert SIGNATURE not in between.sent


def test_mysql_gets_a_token_over_tls() -> None:
    """
    D35: without a word about TLS in the options.
    """
    with TlsMaria(Authority.make("Root of RDS")) as server, proxy(server.port) as between:
        server.execute(f"CREATE USER {USER}@'%'")
        aws = Aws(server, f"ALTER USER {USER}@'%' IDENTIFIED BY '{{}}'", between.port)
        database = databases.mysql(login=aws)

        with database.connection() as connection, connection.cursor() as cursor:
            cursor.execute("SHOW STATUS LIKE 'Ssl_version'")
            assert ("Ssl_version", "TLSv1.3") == cursor.fetchone()
        assert SIGNATURE not in between.sent
        database.close()


def test_a_postgres_without_tls_gets_no_token(orders: Orders) -> None:
    """
    It is asked for TLS, and left when it has none, at once.
    """
    with proxy(orders.server.port) as between:
        login = rds_iam_login(USER, HOST, port=between.port, region="eu-west-1")
        database = databases.postgres("dbname=postgres sslmode=prefer", login=login)

        with pytest.raises(DatabaseError, match="does not support SSL") as caught, database.connection():
            pass
        # Eight bytes: the question.
        assert 8 == len(between.sent)
        assert "X-Amz-Signature" not in shown(caught.value)


def test_a_mysql_without_tls_gets_no_token(maria: MariaServer) -> None:
    """
    It is left when its greeting knows no TLS: not a byte goes there.
    """
    with proxy(maria.port) as between:
        database = databases.mysql(login=rds_iam_login(USER, HOST, port=between.port, region="eu-west-1"))

        with pytest.raises(DatabaseError, match="SSL") as caught, database.connection():
            pass
        assert b"" == between.sent
        assert "X-Amz-Signature" not in shown(caught.value)
