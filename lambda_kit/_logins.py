"""
Logins: where a database gets user and password from, and what it gets instead when the server refuses them.
"""

from __future__ import annotations

import json
from contextlib import suppress

from lambda_kit import _runtime
from lambda_kit._configuration import secret
from lambda_kit.databases import Credentials
from lambda_kit.errors import LoginError, ParameterError, ParameterValueError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from lambda_kit.databases import Login

# Calls to Secrets Manager that refused passwords may cause, of one environment: when nothing valid is there, a thousand
# environments ask at once.
MOST_CALLS = 5
CALLS_WINDOW_S = 10.0


def password_login(user: str | Callable[[], str], password: Callable[[], str]) -> Login:
    """
    Log in as *user* with what *password* returns: a handle, such as ``secret("orders/password")``, or any function.

    Both are asked at each physical connect. When the server refuses the password, a handle is made to fetch it again;
    the same password is not tried twice in a row.
    """
    return _PasswordLogin(user, password)


def secret_login(name: str, *, pending: bool = True) -> Login:
    """
    Log in with secret *name* of Secrets Manager, in the JSON that RDS and its rotation functions write.

    The shape is ``{"username": ..., "password": ..., "host": ..., "port": ..., "dbname": ...}``; user and password must
    be there, the rest may be. The secret is cached. When the server refuses it, the current version is fetched again,
    and tried if it is another; then the version a rotation is about to make current (``AWSPENDING``), which the server
    knows already while the secret does not. At most five calls in 10 s are made for that.

    Args:
        pending: Try ``AWSPENDING``. Turn it off where the role may not read that stage.

    Raises:
        ParameterError: At a connect: the secret cannot be read, or is not of that shape.
        LoginError: At a connect: the server refused every version.

    Source: https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotation-strategy.html
    """
    return _SecretLogin(name, pending=pending)


class _PasswordLogin:
    """
    A user and a password that may be fetched again.
    """

    __slots__ = ("_password", "_user")

    def __init__(self, user: str | Callable[[], str], password: Callable[[], str]) -> None:
        self._user = user
        self._password = password

    def __call__(self, refused: Credentials | None, /) -> Credentials:
        if refused is not None:
            # Not every callable is a handle, and not every handle has versions.
            invalidate = getattr(self._password, "invalidate", None)
            if invalidate is not None:
                invalidate(failed_version=refused.version or None)
        offered = self._read()
        if offered.logs_in_like(refused):
            raise LoginError("the password is still the same")
        return offered

    def _read(self) -> Credentials:
        user = self._user() if callable(self._user) else self._user
        password = self._password()
        return Credentials(user, password, version=getattr(self._password, "version", None) or "")

    def __repr__(self) -> str:
        return f"<password_login of {repr(self._user) if isinstance(self._user, str) else 'a user read at each connect'}>"


class _Refusals:
    """
    What the server has refused lately: pending versions, and how often the secret was fetched because of it.
    """

    __slots__ = ("calls_s", "generation", "pending")

    def __init__(self) -> None:
        self.generation = _runtime.generation()
        self.pending: set[str] = set()
        self.calls_s: list[float] = []

    def may_call(self) -> bool:
        """
        Tell whether one more call is allowed now, and count it.
        """
        now_s = _runtime.monotonic_s()
        self.calls_s = [at_s for at_s in self.calls_s if 0 <= now_s - at_s < CALLS_WINDOW_S]
        if len(self.calls_s) >= MOST_CALLS:
            return False
        self.calls_s.append(now_s)
        return True


class _SecretLogin:
    """
    The versions of one secret, in the order in which they are worth trying.
    """

    __slots__ = ("_current", "_name", "_pending", "_refusals")

    def __init__(self, name: str, *, pending: bool) -> None:
        self._name = name
        self._current = secret(name, convert=self._parsed)
        self._pending = secret(name, convert=self._parsed, version_stage="AWSPENDING", stale_for_s=0.0) if pending else None
        self._refusals = _Refusals()

    def __call__(self, refused: Credentials | None, /) -> Credentials:
        if refused is None:
            return self._read_current()
        if self._refusals.generation != _runtime.generation():
            self._refusals = _Refusals()
        offered = self._current_after(refused) or self._pending_after(refused)
        if offered is None:
            raise LoginError(f"secret {self._name!r} has no other version to try")
        return offered

    def _current_after(self, refused: Credentials) -> Credentials | None:
        """
        Return the current version if it is not the refused one, fetched again unless another thread has done so.
        """
        if isinstance(refused, _PendingCredentials):
            # The current version was refused before the pending one was tried.
            return None
        known = self._read_current()
        if known.logs_in_like(refused):
            if not self._refusals.may_call():
                return None
            self._current.invalidate(failed_version=known.version)
            known = self._read_current()
        return None if known.logs_in_like(refused) else known

    def _pending_after(self, refused: Credentials) -> Credentials | None:
        """
        Return the pending version, if there is one that was not refused yet.
        """
        if isinstance(refused, _PendingCredentials):
            self._refusals.pending.add(refused.version)
            return None
        if self._pending is None or not self._refusals.may_call():
            return None
        self._pending.invalidate()
        try:
            found = self._pending()
        except ParameterError:
            # Most of the time no rotation is under way, and nothing is pending.
            return None
        offered = _versioned(_PendingCredentials, found, self._pending.version)
        return None if offered.version in self._refusals.pending or offered.logs_in_like(refused) else offered

    def _read_current(self) -> Credentials:
        return _versioned(Credentials, self._current(), self._current.version)

    def _parsed(self, text: str) -> Credentials:
        """
        Return what the secret says, without the version it is in. The text goes into no message.
        """
        with suppress(KeyError, TypeError, ValueError):
            return _credentials(json.loads(text))
        raise ParameterValueError(f"secret {self._name!r} is no login: it needs JSON with username and password", name=self._name)

    def __repr__(self) -> str:
        return f"<secret_login of {self._name!r}>"


class _PendingCredentials(Credentials):
    """
    Credentials of a version that is not current yet; never cached as if it were.
    """

    __slots__ = ()


def _versioned(kind: type[Credentials], found: Credentials, version: str | None) -> Credentials:
    """
    Return what a secret says together with the version it is in.
    """
    return kind(found.user, found.password, host=found.host, port=found.port, dbname=found.dbname, version=version or "")


def _credentials(document: dict[str, object]) -> Credentials:
    user, password = str(document["username"]), str(document["password"])
    port = document.get("port")
    return Credentials(
        user,
        password,
        host=str(document.get("host") or ""),
        port=int(str(port)) if port else None,
        dbname=str(document.get("dbname") or ""),
    )
