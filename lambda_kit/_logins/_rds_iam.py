"""
Logins by RDS tokens, which are signed here: boto3's way to one is a client that costs more than the whole of a connect.
"""

from __future__ import annotations

import re

from lambda_kit import _runtime
from lambda_kit._require import require
from lambda_kit.databases import Credentials
from lambda_kit.databases._checks import check
from lambda_kit.errors import ConfigurationError, LoginError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# How long an RDS token is good for: to connect, not to stay connected.
TOKEN_EXPIRES_S = 900
_REGION_IN_HOST = re.compile(r"\.([a-z0-9-]+)\.rds\.amazonaws\.", re.IGNORECASE)
_EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


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


class RdsIamLogin:
    """
    Tokens for one user of one database server.
    """

    __slots__ = ("_address", "_generation", "_provider", "_region", "_user")

    def __init__(self, user: str, host: str, port: int, region: str, dbname: str) -> None:
        check("rds_iam_login", user=user, host=host, port=port, region=region, dbname=dbname)
        if not user or not host:
            raise ConfigurationError("rds_iam_login() needs a user, and the host that tokens are signed for")
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
