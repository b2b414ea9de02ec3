"""
The boto3 sessions that clients are made from: one for the function's own role, one for each role it assumes.
"""

from __future__ import annotations

from lambda_kit import _runtime
from lambda_kit._clients import _loader
from lambda_kit._require import require

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def own() -> Any:
    """
    Return a new boto3 session for the function's own role.
    """
    session = require("botocore.session", extra="aws").get_session()
    _loader.install(session)
    return _boto3(session)


def assuming(arguments: dict[str, object], sts: Any, original: Any) -> Any:
    """
    Return a new boto3 session whose credentials come from AssumeRole, asked for with *arguments* of the client *sts*.

    They are fetched at the first signature and renewed before they expire. botocore's data is shared with *original*.
    """
    credentials = require("botocore.credentials", extra="aws")
    session = require("botocore.session", extra="aws").get_session()
    session.register_component("data_loader", original._session.get_component("data_loader"))  # noqa: SLF001
    provider = _AssumedRole(lambda: _assume(sts, arguments), credentials.DeferredRefreshableCredentials)
    session.register_component("credential_provider", credentials.CredentialResolver([provider]))
    return _boto3(session)


class _AssumedRole:
    """
    What botocore asks for credentials.
    """

    METHOD = "assume-role"
    CANONICAL_NAME = None

    def __init__(self, fetch: Callable[[], dict[str, object]], make: Any) -> None:
        self._fetch = fetch
        self._make = make

    def load(self) -> Any:
        """
        Return credentials that fetch themselves.
        """
        return self._make(refresh_using=self._fetch, method=self.METHOD)


def _assume(sts: Any, arguments: dict[str, object]) -> dict[str, object]:
    """
    Return new credentials as botocore's refreshable ones take them.
    """
    answer = sts.assume_role(**arguments)
    found = answer["Credentials"]
    return {
        "access_key": found["AccessKeyId"],
        "secret_key": found["SecretAccessKey"],
        "token": found["SessionToken"],
        "expiry_time": found["Expiration"].isoformat(),
        "account_id": answer["AssumedRoleUser"]["Arn"].split(":")[4],
    }


def _boto3(session: Any) -> Any:
    make = require("boto3.session", extra="aws").Session
    # botocore reads AWS_DEFAULT_REGION only; Lambda sets both, a test or a shell often just this one.
    region = None if session.get_config_variable("region") else _runtime.region() or None
    return make(botocore_session=session, region_name=region)
