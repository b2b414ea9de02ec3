"""
The execution role's credentials: from the environment, or from the endpoint that Lambda names under SnapStart.
"""

from __future__ import annotations

import json
import logging
import threading

from lambda_kit import _runtime
from lambda_kit._transport import _connections, _endpoints
from lambda_kit.errors import ConfigurationError, ServiceError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_RELATIVE_URI = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
_FULL_URI = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
_TOKEN = "AWS_CONTAINER_AUTHORIZATION_TOKEN"  # noqa: S105 - the name of a variable
_TOKEN_FILE = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"  # noqa: S105 - the name of a variable
# Where credentials may be asked for without TLS; the first is that of the relative URIs.
# Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
_OPEN_HOSTS = ("169.254.170.2", "169.254.170.23", "fd00:ec2::23", "localhost")
_TIMEOUT_S = 2.0
# Credentials are renewed this long before they expire; where that fails, again after a pause, until they have expired.
RENEW_BEFORE_S = 600.0
RENEW_PAUSE_S = 60.0

_logger = logging.getLogger("lambda_kit")


class Credentials:
    """
    What requests are signed with. Its repr shows none of it.

    Attributes:
        renewable: Whether asking again may bring others.
    """

    __slots__ = ("expires_at_s", "key_id", "renew_at_s", "renewable", "secret", "token")

    def __init__(self, key_id: str, secret: str, token: str, *, renewable: bool = False, expires_at_s: float = float("inf")) -> None:
        self.key_id = key_id
        self.secret = secret
        self.token = token
        self.renewable = renewable
        self.expires_at_s = expires_at_s
        self.renew_at_s = expires_at_s - RENEW_BEFORE_S


class _Known:
    """
    The endpoint's latest credentials; its lock is held while they are asked for.
    """

    __slots__ = ("credentials", "lock")

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.credentials: Credentials | None = None


_known = _Known()


def at_hand() -> bool:
    """
    Tell whether the environment has credentials, or says where there are some.
    """
    keys = _runtime.setting("AWS_ACCESS_KEY_ID") and _runtime.setting("AWS_SECRET_ACCESS_KEY")
    return bool(keys or _runtime.setting(_RELATIVE_URI) or _runtime.setting(_FULL_URI))


def credentials(until_s: float) -> Credentials:
    """
    Return credentials that are good for now, asking for new ones until *until_s* on the monotonic clock if need be.

    Raises:
        ConfigurationError: There are none, or they are malformed.
        ServiceError: The endpoint did not give any.
    """
    key_id = _runtime.setting("AWS_ACCESS_KEY_ID")
    if key_id:
        return _from_environment(key_id)
    if not at_hand():
        raise ConfigurationError("no credentials in the environment: on Lambda the execution role brings them")
    known = _known
    if not known.lock.acquire(timeout=max(0.0, until_s - _runtime.monotonic_s())):
        raise ServiceError("no credentials in time", reason="no credentials in time", region=_runtime.region())
    try:
        return _renewed(known, until_s)
    finally:
        known.lock.release()


def forget() -> None:
    """
    Ask the endpoint anew next time: AWS does not take the credentials any more.
    """
    _known.credentials = None


def _from_environment(key_id: str) -> Credentials:
    secret = _runtime.setting("AWS_SECRET_ACCESS_KEY") or ""
    token = _runtime.setting("AWS_SESSION_TOKEN") or _runtime.setting("AWS_SECURITY_TOKEN") or ""
    found = Credentials(key_id, secret, token)
    del secret, token
    if not found.secret:
        raise ConfigurationError("AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY is not")
    _check(found, "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY or AWS_SESSION_TOKEN")
    return found


def _check(found: Credentials, where: str) -> None:
    """
    Refuse what is no header value: an error further down would show it.
    """
    if not all(_is_word(text) for text in (found.key_id, found.secret, found.token)):
        raise ConfigurationError(f"{where}: there is a space, a line end or another character in it that cannot be part of it")


def _is_word(text: str) -> bool:
    return text.isascii() and text.isprintable() and " " not in text


def _renewed(known: _Known, until_s: float) -> Credentials:
    """
    Return the known credentials, or new ones where those end soon.
    """
    now_s = _runtime.wall_s()
    held = known.credentials
    if held is not None and now_s < held.renew_at_s:
        return held
    try:
        known.credentials = held = _fetch(until_s)
    except ServiceError as exc:
        if held is None or now_s >= held.expires_at_s:
            raise
        _logger.warning(
            "credentials could not be renewed, the ones at hand are good for another %.0f s: %s", held.expires_at_s - now_s, exc
        )
        held.renew_at_s = now_s + RENEW_PAUSE_S
    return held


def _fetch(until_s: float) -> Credentials:
    from http.client import HTTPException

    endpoint = _endpoint()
    request = _connections.Request("GET", {"Host": endpoint.authority, "Accept": "application/json", **_authorization()})
    answer, failure = None, ""
    try:
        answer = _connections.exchange(endpoint, request, _connections.Limits(_TIMEOUT_S, _TIMEOUT_S, until_s))
    except OSError as exc:
        failure = f"{type(exc).__name__}: {exc}"
    except HTTPException as exc:
        failure = type(exc).__name__  # its text may be a part of the answer
    if answer is not None and answer.status != 200:
        failure = f"HTTP {answer.status}"
    found = _parsed(answer.body) if answer is not None and not failure else None
    # Raised here, not above: neither the answer nor the request may be part of the error.
    if found is None:
        reason = f"the credentials endpoint at {endpoint.authority} gave none: {failure or 'its answer is not as it should be'}"
        raise ServiceError(reason, reason=reason, region=_runtime.region())
    _check(found, f"the answer of {endpoint.authority}")
    return found


def _endpoint() -> _endpoints.Endpoint:
    """
    Return where credentials are asked for.
    """
    relative = _runtime.setting(_RELATIVE_URI)
    if relative:
        return _endpoints.parsed_url(_RELATIVE_URI, f"http://{_OPEN_HOSTS[0]}{relative}")
    endpoint = _endpoints.parsed_url(_FULL_URI, _runtime.setting(_FULL_URI) or "")
    if endpoint.scheme == "http" and not (endpoint.host in _OPEN_HOSTS or _is_loopback(endpoint.host)):
        raise ConfigurationError(f"{_FULL_URI} leads to {endpoint.host!r} without TLS: only loopback and {', '.join(_OPEN_HOSTS)} may")
    return endpoint


def _is_loopback(host: str) -> bool:
    from ipaddress import ip_address

    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _authorization() -> dict[str, str]:
    """
    Return the header that the endpoint wants, from the file, which is written anew now and then, or the variable.
    """
    path = _runtime.setting(_TOKEN_FILE)
    if path is None:
        token, where = _runtime.setting(_TOKEN), _TOKEN
    else:
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                token, where = file.read(), _TOKEN_FILE
        except OSError as exc:
            raise ConfigurationError(f"{_TOKEN_FILE} cannot be read: {exc}") from exc
    if not token:
        return {}
    if token.isascii() and token.isprintable():
        return {"Authorization": token}
    del token
    raise ConfigurationError(f"{where}: there is a line end or another character in it that cannot be part of a header")


def _parsed(body: bytes) -> Credentials | None:
    """
    Return the credentials of an answer; ``None`` where it has none.
    """
    from datetime import datetime

    try:
        found: Any = json.loads(body)
        # An answer that names no end is asked for again with the next request.
        expires_at_s = datetime.fromisoformat(found["Expiration"]).timestamp()
        texts = [found["AccessKeyId"], found["SecretAccessKey"], found["Token"]]
    except (KeyError, RecursionError, TypeError, ValueError):
        return None
    if not all(isinstance(text, str) and text for text in texts):
        return None
    return Credentials(*texts, renewable=True, expires_at_s=expires_at_s)


def _forked() -> None:
    global _known  # its lock may have been held by another thread of the parent
    held, _known = _known, _Known()
    _known.credentials = held.credentials


_runtime.register(fork=_forked, snapshot=forget, restore=forget, reset=forget)
