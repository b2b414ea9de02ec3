"""
Logins whose password is kept elsewhere: in a handle, or in a secret of Secrets Manager with its versions.
"""

from __future__ import annotations

import json
from contextlib import suppress
from weakref import WeakSet

from lambda_kit import _runtime
from lambda_kit._configuration import secret
from lambda_kit._logins._refusals import Refusals
from lambda_kit.databases import Credentials
from lambda_kit.databases._checks import MOST_PORTS, check, check_where, is_function, kind_of
from lambda_kit.errors import ConfigurationError, LoginError, ParameterError, ParameterValueError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class PasswordLogin:
    """
    A user and a password that may be fetched again.
    """

    __slots__ = ("_password", "_refusals", "_user")

    def __init__(self, user: str | Callable[[], str], password: Callable[[], str]) -> None:
        check_where("password_login", "user", user)
        if not is_function(password):
            raise ConfigurationError(
                f"password_login(): password is {kind_of(password)}: "
                'give a handle such as secret("orders/password"), or a function such as lambda: ...'
            )
        self._user = user
        self._password = password
        self._refusals = Refusals()

    def __call__(self, refused: Credentials | None, /) -> Credentials:
        # Not every callable is a handle, and not every handle has versions.
        invalidate = getattr(self._password, "invalidate", None)
        offered = self._read()
        if invalidate is not None and offered.logs_in_like(refused):
            self._refusals = self._refusals.of_this_life()
            if self._refusals.may_call():
                invalidate(failed_version=offered.version or None)
                offered = self._read()
        if offered.logs_in_like(refused):
            raise LoginError("the password is still the same")
        return offered

    def __load__(self) -> None:
        load = getattr(self._password, "__load__", None)
        if load is not None:
            load()

    def _read(self) -> Credentials:
        user = self._user() if callable(self._user) else self._user
        return Credentials(user, self._password(), version=getattr(self._password, "version", None) or "")

    def __repr__(self) -> str:
        return f"<password_login of {repr(self._user) if isinstance(self._user, str) else 'a user read at each connect'}>"


class SecretLogin:
    """
    The versions of one secret, in the order in which they are worth trying.
    """

    __slots__ = ("__weakref__", "_current", "_name", "_pending", "_refusals")

    def __init__(self, name: str, *, pending: bool) -> None:
        check("secret_login", name=name, pending=pending)
        _secret_logins.add(self)
        self._name = name
        self._current = secret(name, convert=self._parsed)
        self._pending = secret(name, convert=self._parsed, version_stage="AWSPENDING", stale_for_s=0.0) if pending else None
        self._refusals = Refusals()

    def __call__(self, refused: Credentials | None, /) -> Credentials:
        if refused is None:
            return self._read_current()
        self._refusals = self._refusals.of_this_life()
        offered = self._current_after(refused) or self._pending_after(refused)
        if offered is None:
            raise LoginError(f"secret {self._name!r} has no other version to try")
        return offered

    def __load__(self) -> None:
        self._current.__load__()

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
            self._refusals.pending_s = {refused.version: _runtime.monotonic_s()}
            self._refusals.offered = None
            return None
        if self._pending is None:
            return None
        if not self._refusals.may_call():
            # Within a rotation connections may be lost more often than calls are allowed.
            known = self._refusals.offered
            return None if known is None or known.logs_in_like(refused) else known
        self._pending.invalidate()
        try:
            found = self._pending()
        except ParameterError:
            # Most of the time no rotation is under way, and nothing is pending.
            return None
        offered = _versioned(_PendingCredentials, found, self._pending.version)
        if self._refusals.was_refused(offered.version) or offered.logs_in_like(refused):
            return None
        self._refusals.offered = offered
        return offered

    def _read_current(self) -> Credentials:
        return _versioned(Credentials, self._current(), self._current.version)

    def _parsed(self, text: str) -> Credentials:
        """
        Return what the secret says, without the version it is in. The text goes into no message.
        """
        needs = "it needs JSON with username and password"
        with suppress(KeyError, TypeError, ValueError):
            found = _credentials(json.loads(text))
            if found is not None:
                return found
            needs = f"its port is no whole number from 1 to {MOST_PORTS}"
        raise ParameterValueError(f"secret {self._name!r} is no login: {needs}", name=self._name)

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


_secret_logins: WeakSet[SecretLogin] = WeakSet()


def _forget() -> None:
    """
    Hold no password any more.
    """
    for login in list(_secret_logins):
        login._refusals.offered = None  # noqa: SLF001  # this module's own


_runtime.register(snapshot=_forget)


def _credentials(document: dict[str, object]) -> Credentials | None:
    """
    Return what a secret's JSON says; ``None`` when its port is none.
    """
    user, password = document["username"], document["password"]
    if isinstance(user, bool) or isinstance(password, bool) or not isinstance(user, str | int) or not isinstance(password, str | int):
        raise TypeError
    port = str(document.get("port") or "")
    if port and not (port.isascii() and port.isdigit() and 1 <= int(port) <= MOST_PORTS):
        return None
    return Credentials(
        str(user),
        str(password),
        host=str(document.get("host") or ""),
        port=int(port) if port else None,
        dbname=str(document.get("dbname") or ""),
    )
