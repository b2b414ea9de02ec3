"""
The sessions that clients are made from: one for the function's own role, one for each role it assumes.

boto3 adds to botocore its resources and the transfer methods of S3. A client that needs neither is made by botocore alone, as
boto3 makes it, so that a function which uses no other does not import boto3 and s3transfer.
"""

from __future__ import annotations

import os
import re
import sys

from lambda_kit import _runtime
from lambda_kit._clients import _loader
from lambda_kit._require import require

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_quick: dict[type, type] = {}


class Session:
    """
    Make clients as boto3's session does, and resources by boto3's session.
    """

    __slots__ = ("_boto3", "_core", "_customised")

    def __init__(self, core: Any) -> None:
        self._core = core
        self._boto3: Any = None
        self._customised: frozenset[str] | None = None
        # botocore reads AWS_DEFAULT_REGION only; Lambda sets both, a test or a shell often just this one.
        if not core.get_config_variable("region") and _runtime.region():
            core.set_config_variable("region", _runtime.region())
        told = None if "boto3" in sys.modules else _told_by_boto3()
        if told is None:
            self._whole()
        else:
            version, self._customised = told
            core.user_agent_name, core.user_agent_version, core.user_agent_extra = "Boto3", version, f"Botocore/{core.user_agent_version}"

    @property
    def data_loader(self) -> Any:
        """
        The loader of botocore's data, which other sessions may share.
        """
        return self._core.get_component("data_loader")

    def client(self, service: str, **options: object) -> Any:
        """
        Return a new client; *options* are those of boto3's ``Session.client``.
        """
        if self._customised is None or service in self._customised:
            return self._whole().client(service, **options)
        if options.get("aws_account_id") is None:
            options.pop("aws_account_id", None)
        return self._core.create_client(service, **options)

    def resource(self, service: str, **options: object) -> Any:
        """
        Return a new resource; *options* are those of boto3's ``Session.resource``.
        """
        return self._whole().resource(service, **options)

    def _whole(self) -> Any:
        if self._boto3 is None:
            self._boto3 = require("boto3.session", extra="aws").Session(botocore_session=self._core)
        return self._boto3


def own() -> Session:
    """
    Return a new session for the function's own role.
    """
    core = _core()
    _loader.install(core)
    return Session(core)


def assuming(arguments: dict[str, object], sts: Any, original: Session) -> Session:
    """
    Return a new session whose credentials come from AssumeRole, asked for with *arguments* of the client *sts*.

    They are fetched at the first signature and renewed before they expire. botocore's data is shared with *original*.
    """
    credentials = require("botocore.credentials", extra="aws")
    core = _core()
    core.register_component("data_loader", original.data_loader)
    provider = _AssumedRole(lambda: _assume(sts, arguments), credentials.DeferredRefreshableCredentials)
    core.register_component("credential_provider", credentials.CredentialResolver([provider]))
    return Session(core)


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


def _core() -> Any:
    """
    Return a new botocore session that hears handlers which a test library adds to botocore's own later on.
    """
    library = require("botocore.session", extra="aws").Session
    if library not in _quick:
        _quick[library] = type("QuickSession", (_Quick, library), {})
    core: Any = _quick[library]()
    handlers = require("botocore.handlers", extra="aws").BUILTIN_HANDLERS
    known = len(handlers)

    def late(**call: Any) -> Any:
        # moto puts its one there when it is imported, which does not reach sessions made before.
        for spec in handlers[known:]:
            answer = spec[1](**call) if spec[0] == "before-send" else None
            if answer is not None:
                return answer
        return None

    core.register("before-send", late)
    return core


class _Quick:
    """
    What is done otherwise than by botocore's own session: most names of its 127 own events are known to have no alias.
    """

    def _register_builtin_handlers(self, events: Any) -> None:
        """
        Register as botocore does, but spare it comparing each event's name with each of 65 aliases.
        """
        known, aliases = getattr(events, "_alias_name_cache", None), getattr(events, "_event_aliases", None)
        if isinstance(known, dict) and isinstance(aliases, dict):
            names = {spec[0] for spec in require("botocore.handlers", extra="aws").BUILTIN_HANDLERS}
            known.update((name, name) for name in names if not _has_alias(name, aliases))
        plain: Any = super()
        plain._register_builtin_handlers(events)  # noqa: SLF001 - the method that this one overrides


def _has_alias(event: str, aliases: dict[str, str]) -> bool:
    return not aliases.keys().isdisjoint(event.split(".")) or any("." in alias and alias in event for alias in aliases)


def _told_by_boto3() -> tuple[str, frozenset[str]] | None:
    """
    Return boto3's version and the services whose clients it adds to, from its source, or ``None`` where that does not say.
    """
    from importlib.util import find_spec

    spec = find_spec("boto3")
    if spec is None or spec.origin is None:
        return None
    folder = os.path.dirname(spec.origin)
    try:
        with open(os.path.join(folder, "__init__.py"), encoding="utf-8") as file:
            version = re.search(r"^__version__ = '([\d.]+)'$", file.read(), re.MULTILINE)
        with open(os.path.join(folder, "session.py"), encoding="utf-8") as file:
            customised = re.findall(r"'creating-client-class([^']*)'", file.read())
    except OSError:
        return None
    # As long as boto3 hooks into the making of single services' clients, and into nothing else, the others are botocore's.
    if version is None or not customised or any(not each.startswith(".") for each in customised):
        return None
    return version[1], frozenset(each[1:] for each in customised)
