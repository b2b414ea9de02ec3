"""
Logins: where a database gets user and password from, and what it gets instead when the server refuses them.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress

from lambda_kit import _runtime
from lambda_kit._configuration import secret
from lambda_kit._require import require
from lambda_kit.databases import Credentials
from lambda_kit.errors import ConfigurationError, LoginError, ParameterError, ParameterValueError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from lambda_kit.databases import Login

# Calls to Secrets Manager that refused passwords may cause, of one environment: when nothing valid is there, a thousand
# environments ask at once. The first three may come together: a new current version, refused too, and the pending one. The
# others wait, so that the five span a second.
MOST_CALLS = 5
CALLS_WINDOW_S = 10.0
CALLS_TOGETHER = 3
CALLS_SPACING_S = 0.1
# A pending version that was refused may be one that the database is about to learn.
PENDING_AGAIN_S = 30.0

# How long an RDS token is good for: to connect, not to stay connected.
TOKEN_EXPIRES_S = 900
_REGION_IN_HOST = re.compile(r"\.([a-z0-9-]+)\.rds\.amazonaws\.", re.IGNORECASE)
_EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


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
    knows already while the secret does not; one that is refused is tried again after 30 s. At most five calls in 10 s are
    made for that.

    Args:
        pending: Try ``AWSPENDING``. Turn it off where the role may not read that stage.

    Raises:
        ParameterError: At a connect: the secret cannot be read, or is not of that shape.
        LoginError: At a connect: the server refused every version.

    Source: https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotation-strategy.html
    """
    return _SecretLogin(name, pending=pending)


def rds_iam_login(user: str, host: str, *, port: int = 5432, region: str = "", dbname: str = "") -> Login:
    """
    Log in to RDS or Aurora as *user* with a token in place of a password, signed with the function's own AWS credentials.

    Each physical connect gets a token of its own, which costs a fraction of a millisecond and no call; no client is built. The
    connection is encrypted, whatever the conninfo says. The database user needs ``rds_iam`` (PostgreSQL) or
    ``AWSAuthenticationPlugin`` (MySQL), the function's role ``rds-db:connect``.

    Args:
        host: The instance's or cluster's own name, which is part of what is signed. Behind another name tokens are refused.
        port: 3306 for MySQL.
        region: Where the database is; read from *host*, else from the environment.

    Raises:
        ConfigurationError: At a connect: there are no AWS credentials, or there is no region.
        LoginError: At a connect: the server refused a token of these AWS credentials.

    Source: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.html
    """
    return _RdsIamLogin(user, host, port, region, dbname)


class _PasswordLogin:
    """
    A user and a password that may be fetched again.
    """

    __slots__ = ("_password", "_refusals", "_user")

    def __init__(self, user: str | Callable[[], str], password: Callable[[], str]) -> None:
        self._user = user
        self._password = password
        self._refusals = _Refusals()

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

    def _read(self) -> Credentials:
        user = self._user() if callable(self._user) else self._user
        password = self._password()
        return Credentials(user, password, version=getattr(self._password, "version", None) or "")

    def __repr__(self) -> str:
        return f"<password_login of {repr(self._user) if isinstance(self._user, str) else 'a user read at each connect'}>"


class _Refusals:
    """
    What the server has refused lately: pending versions, and how often the secret was fetched because of it; and what it has not.
    """

    __slots__ = ("calls_s", "generation", "offered", "pending_s")

    def __init__(self) -> None:
        self.generation = _runtime.generation()
        # The pending credentials that were offered and not refused since.
        self.offered: Credentials | None = None
        self.pending_s: dict[str, float] = {}
        self.calls_s: list[float] = []

    def of_this_life(self) -> _Refusals:
        """
        Return these, or new ones after a fork, restore or reset.
        """
        return self if self.generation == _runtime.generation() else _Refusals()

    def may_call(self) -> bool:
        """
        Tell whether one more call is allowed now, and count it.
        """
        now_s = _runtime.monotonic_s()
        self.calls_s = [at_s for at_s in self.calls_s if 0 <= now_s - at_s < CALLS_WINDOW_S]
        made = len(self.calls_s)
        if made >= MOST_CALLS or (made >= CALLS_TOGETHER and now_s - self.calls_s[-1] < CALLS_SPACING_S * (made + 1)):
            return False
        self.calls_s.append(now_s)
        return True

    def was_refused(self, version: str) -> bool:
        """
        Tell whether this pending version was refused a moment ago.
        """
        at_s = self.pending_s.get(version)
        return at_s is not None and 0 <= _runtime.monotonic_s() - at_s < PENDING_AGAIN_S


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
        self._refusals = self._refusals.of_this_life()
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


class _TokenCredentials(Credentials):
    """
    Credentials whose password is new each time, and as good as the AWS credentials that signed it.
    """

    __slots__ = ()

    def logs_in_like(self, other: Credentials | None) -> bool:
        return other is not None and (self.user, self.version) == (other.user, other.version)


class _AwsKeys:
    """
    What is signed with; its repr shows nothing.
    """

    __slots__ = ("access_key", "secret_key", "session_token")

    def __init__(self, access_key: str | None, secret_key: str | None, session_token: str | None) -> None:
        self.access_key = access_key or ""
        self.secret_key = secret_key or ""
        self.session_token = session_token or ""


class _RdsIamLogin:
    """
    Tokens for one user of one database server.
    """

    __slots__ = ("_address", "_generation", "_provider", "_region", "_user")

    def __init__(self, user: str, host: str, port: int, region: str, dbname: str) -> None:
        self._user = user
        self._address = (host, port, dbname)
        self._region = region
        self._provider: Any = None
        self._generation = -1

    def __call__(self, refused: Credentials | None, /) -> Credentials:
        host, port, dbname = self._address
        region, keys = self._region_of(host), self._aws_keys()
        if refused is not None and refused.version == keys.access_key:
            raise LoginError("the server refused a token that these AWS credentials signed: see rds-db:connect and the user's grants")
        token = _rds_token(keys, self._user, host, port, region)
        return _TokenCredentials(self._user, token, host=host, port=port, dbname=dbname, version=keys.access_key, needs_tls=True)

    def _region_of(self, host: str) -> str:
        found = _REGION_IN_HOST.search(host)
        region = self._region or (found[1] if found else "") or _runtime.region()
        if not region:
            raise ConfigurationError("rds_iam_login() needs a region: its host names none, and AWS_REGION is not set")
        return region

    def _aws_keys(self) -> _AwsKeys:
        """
        Return those that Lambda puts into the environment, which change with it; else what boto3 finds.
        """
        if _runtime.setting("AWS_ACCESS_KEY_ID") and _runtime.setting("AWS_SECRET_ACCESS_KEY"):
            return _AwsKeys(*(_runtime.setting(name) for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")))
        if self._generation != _runtime.generation():
            self._provider = require("botocore.session", extra="aws").get_session().get_credentials()
            self._generation = _runtime.generation()
        if self._provider is None:
            raise ConfigurationError("rds_iam_login() found no AWS credentials to sign with")
        # Those that end are replaced in time by botocore.
        return _AwsKeys(*self._provider.get_frozen_credentials()[:3])

    def __repr__(self) -> str:
        return f"<rds_iam_login of {self._user!r} at {self._address[0]}>"


def _rds_token(keys: _AwsKeys, user: str, host: str, port: int, region: str) -> str:
    """
    Return what ``generate_db_auth_token`` of boto3's RDS client returns: a presigned URL without its scheme.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
    """
    import hashlib
    import hmac
    from time import gmtime, strftime
    from urllib.parse import quote

    def signed(key: bytes, message: str) -> bytes:
        return hmac.new(key, message.encode(), hashlib.sha256).digest()

    at = strftime("%Y%m%dT%H%M%SZ", gmtime(_runtime.wall_s()))
    scope = (at[:8], region, "rds-db", "aws4_request")
    parameters = {
        "Action": "connect",
        "DBUser": user,
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": "/".join((keys.access_key, *scope)),
        "X-Amz-Date": at,
        "X-Amz-Expires": str(TOKEN_EXPIRES_S),
        "X-Amz-SignedHeaders": "host",
    }
    if keys.session_token:
        parameters["X-Amz-Security-Token"] = keys.session_token
    pairs = [f"{name}={quote(value, safe='-._~')}" for name, value in parameters.items()]
    request = "\n".join(("GET", "/", "&".join(sorted(pairs)), f"host:{host.lower()}:{port}", "", "host", _EMPTY_SHA256))
    key = f"AWS4{keys.secret_key}".encode()
    for part in scope:
        key = signed(key, part)
    message = "\n".join(("AWS4-HMAC-SHA256", at, "/".join(scope), hashlib.sha256(request.encode()).hexdigest()))
    return f"{host}:{port}/?{'&'.join(pairs)}&X-Amz-Signature={signed(key, message).hex()}"
