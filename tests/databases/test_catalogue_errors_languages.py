"""
A PostgreSQL that speaks German, and one that asks PAM: what is said of a refused login is understood, or found out.
"""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from lambda_kit import _invocation, databases
from lambda_kit._local._processes import wait_until
from lambda_kit.databases import Credentials
from lambda_kit.databases._driver import Verdict
from lambda_kit.databases._postgres import _Postgres
from lambda_kit.errors import DatabaseError, LoginError
from tests.databases.fakes import FakeContext
from tests.databases.systems import SUPERUSER, SUPERUSER_PASSWORD, SystemPostgres


class GermanPostgres(SystemPostgres):
    """
    The system's PostgreSQL, in German.
    """

    def _command(self) -> list[str]:
        # The locale that every system has would be left untranslated, did LANGUAGE not say otherwise.
        return ["env", "LANGUAGE=de", *super()._command()]

    def speak(self, locale: str) -> None:
        """
        Go on in another language, and wait until new sessions do.
        """
        self.execute(f"ALTER SYSTEM SET lc_messages = '{locale}'")
        self.execute("SELECT pg_reload_conf()")
        assert wait_until(lambda: self.execute("SHOW lc_messages") == [(locale,)], timeout_s=10)


@pytest.fixture(scope="module")
def german() -> Iterator[GermanPostgres]:
    """
    One for the module; the role ``of_pam`` is asked for by PAM, which does not know the service.
    """
    with GermanPostgres(hba=["host all of_pam all pam pamservice=lambda-kit-none"]) as running:
        with psycopg.connect(running.conninfo(SUPERUSER, SUPERUSER_PASSWORD), autocommit=True) as connection:
            connection.execute("CREATE ROLE app LOGIN PASSWORD 'second'")
            connection.execute("CREATE ROLE of_pam LOGIN PASSWORD 'second'")
        yield running


def test_a_password_refused_in_german_is_asked_for_again(german: GermanPostgres) -> None:
    """
    D37: nobody knows the words, but the login has another version: that one is tried.
    """
    german.speak("C.UTF-8")

    def login(refused: Credentials | None, /) -> Credentials:
        return Credentials("app", "first" if refused is None else "second")

    with databases.postgres(german.conninfo(), login=login).connection() as connection:
        assert ("app",) == connection.execute("SELECT current_user").fetchone()


def test_an_unknown_failure_with_nothing_else_to_try_is_said_at_once(german: GermanPostgres) -> None:
    """
    D37: where the login has nothing else it cannot be told from other failures: the server's words are passed on.
    """
    german.speak("C.UTF-8")

    with pytest.raises(DatabaseError, match="Passwort-Authentifizierung") as caught:
        databases.postgres(german.conninfo(), login=lambda _: Credentials("app", "first")).connection().__enter__()

    assert Verdict.UNKNOWN is _Postgres("").classify(caught.value.__cause__ or caught.value)


@pytest.mark.realtime
def test_what_pam_refuses_is_a_refused_login(german: GermanPostgres) -> None:
    """
    D37: RDS checks its tokens so. PAM takes its time to say no, about two seconds.
    """
    german.speak("C")
    with _invocation.scope(FakeContext(10.0)), pytest.raises(LoginError, match="PAM authentication failed"):
        databases.postgres(german.conninfo(), login=lambda _: Credentials("of_pam", "second")).connection().__enter__()
