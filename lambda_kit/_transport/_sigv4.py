"""
Signature Version 4: the header that tells AWS who asks.
"""

from __future__ import annotations

import re
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from lambda_kit._transport._credentials import Credentials

_ALGORITHM = "AWS4-HMAC-SHA256"
# Those on the way may change these, so botocore does not sign them either.
_UNSIGNED = frozenset(
    "baggage connection expect keep-alive proxy-authenticate proxy-authorization te traceparent tracestate trailer transfer-encoding "
    "upgrade user-agent x-amzn-trace-id".split()
)
_SPACES = re.compile(r"\s+")


def signed(
    headers: Mapping[str, str], body: bytes, credentials: Credentials, *, method: str, target: str, service: str, region: str, at_s: float
) -> dict[str, str]:
    """
    Return *headers*, which name the ``Host``, with date, session token and signature.

    Args:
        target: Path and query, as they go over the wire.
        at_s: Epoch seconds to sign for; AWS takes what is at most some minutes off.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
    """
    from hashlib import sha256

    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(at_s))
    complete = {**headers, "X-Amz-Date": stamp}
    if credentials.token:
        complete["X-Amz-Security-Token"] = credentials.token
    by_name = {name.lower(): _SPACES.sub(" ", value.strip()) for name, value in complete.items() if name.lower() not in _UNSIGNED}
    names = ";".join(sorted(by_name))
    path, _, query = target.partition("?")
    lines = [method, _canonical_path(path), _canonical_query(query), *(f"{name}:{by_name[name]}" for name in sorted(by_name))]
    canonical = "\n".join([*lines, "", names, sha256(body).hexdigest()])
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    to_sign = "\n".join([_ALGORITHM, stamp, scope, sha256(canonical.encode()).hexdigest()])
    signature = _signature(credentials, scope, to_sign)
    complete["Authorization"] = f"{_ALGORITHM} Credential={credentials.key_id}/{scope}, SignedHeaders={names}, Signature={signature}"
    return complete


def _signature(credentials: Credentials, scope: str, to_sign: str) -> str:
    """
    Return the signature by the key of day, region and service that the secret key gives.
    """
    from hmac import digest

    key = b"AWS4" + credentials.secret.encode()
    for part in scope.split("/"):
        key = digest(key, part.encode(), "sha256")
    return digest(key, to_sign.encode(), "sha256").hex()


def _canonical_path(path: str) -> str:
    """
    Return *path* without its dots and doubled slashes, quoted once more as every service but S3 wants it.
    """
    from urllib.parse import quote

    kept: list[str] = []
    for part in path.split("/"):
        if part == "..":
            del kept[-1:]
        elif part not in ("", "."):
            kept.append(part)
    normal = "/" + "/".join(kept)
    return quote(normal + "/" if kept and path.endswith("/") else normal, safe="/~")


def _canonical_query(query: str) -> str:
    """
    Return *query* with its pairs in order.
    """
    pairs = sorted((name, value) for name, _, value in (pair.partition("=") for pair in query.split("&"))) if query else []
    return "&".join(f"{name}={value}" for name, value in pairs)
