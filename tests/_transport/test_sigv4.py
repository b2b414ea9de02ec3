"""
Signatures equal those of botocore's own signer.
"""

from __future__ import annotations

from datetime import UTC, datetime

import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials

from lambda_kit._transport import _credentials, _sigv4

_KEY, _SECRET, _TOKEN = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "IQoJb3JpZ2luX2VjE//8=" * 20
_AT = datetime(2026, 2, 28, 23, 59, 59, tzinfo=UTC)
_HOST = "ssm.eu-west-1.amazonaws.com"


@pytest.mark.parametrize("at", [_AT, datetime(2027, 1, 1, tzinfo=UTC)], ids=["last second of a day", "first of a year"])
@pytest.mark.parametrize("token", [_TOKEN, ""], ids=["session token", "no token"])
@pytest.mark.parametrize(
    ("service", "region", "host"),
    [
        ("ssm", "eu-west-1", _HOST),
        ("secretsmanager", "cn-north-1", "secretsmanager.cn-north-1.amazonaws.com.cn"),
        ("kms", "us-gov-west-1", "kms-fips.us-gov-west-1.amazonaws.com"),
        ("ssm", "eu-west-1", "127.0.0.1:4566"),
    ],
    ids=["ssm", "secretsmanager in China", "kms in GovCloud", "port"],
)
@pytest.mark.parametrize(
    ("method", "target", "headers", "body"),
    [
        ("POST", "/", {}, b'{"Name": "/orders/price", "WithDecryption": true}'),
        ("POST", "/", {}, b""),
        ("POST", "/", {}, '{"Name": "/prüfung/価格"}'.encode()),
        ("POST", "/", {}, bytes(range(256)) * 300),
        ("POST", "/", {"X-Amz-Target": "AmazonSSM.GetParameter", "Content-Type": "application/x-amz-json-1.1"}, b"{}"),
        ("POST", "/", {"X-Spaced": "  a   b\t c  ", "x-LOWER": "1", "X-Empty": ""}, b"{}"),
        ("POST", "/", {"X-Comma": "a,b , c", "X-Colon": "a:b", "X-Equals": "a=b;c"}, b"{}"),
        ("POST", "/", {"User-Agent": "kit", "X-Amzn-Trace-Id": "Root=1", "Connection": "close", "Expect": "x"}, b"{}"),
        ("POST", "/", dict.fromkeys(sorted(botocore.auth.SIGNED_HEADERS_BLACKLIST), "x"), b"{}"),
        ("POST", "/", {"X-B": "2", "X-A": "1", "X-a-b": "3", "X-A2": "4"}, b"{}"),
        ("POST", "/", {"X-Amz-Meta": "naïve"}, b"{}"),
        ("GET", "/base/path", {}, b""),
        ("GET", "/base//path///x/", {}, b""),
        ("GET", "/a/./b/../c/..", {}, b""),
        ("GET", "/..", {}, b""),
        ("GET", "/a/../", {}, b""),
        ("GET", "//", {}, b""),
        ("GET", "/with%20space/%C3%BC/~tilde/a+b/(x)/*", {}, b""),
        ("GET", "/?b=2&a=1&a=0&c", {}, b""),
        ("GET", "/?a=1&a-=2&a%20b=3&A=4&=5", {}, b""),
        ("GET", "/path?x=%2F&x=/&y==&&z", {}, b""),
    ],
    ids=[
        "json",
        "no body",
        "text beyond ASCII",
        "all bytes",
        "target",
        "spaces",
        "punctuation",
        "unsigned headers",
        "all unsigned headers",
        "order of headers",
        "header beyond ASCII",
        "path",
        "slashes",
        "dots",
        "above the root",
        "back to the root",
        "slashes only",
        "quoted path",
        "query",
        "order of the query",
        "odd query",
    ],
)
def test_signatures_equal_botocores(
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    target: str,
    headers: dict[str, str],
    body: bytes,
    service: str,
    region: str,
    host: str,
    token: str,
    at: datetime,
) -> None:
    """
    Authorization, date and token are byte for byte what botocore's SigV4Auth makes of the same request.
    """
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: at)
    request = AWSRequest(method, f"https://{host}{target}", headers={"Host": host, **headers}, data=body)
    botocore.auth.SigV4Auth(BotocoreCredentials(_KEY, _SECRET, token or None), service, region).add_auth(request)

    signed = _sigv4.signed(
        {"Host": host, **headers},
        body,
        _credentials.Credentials(_KEY, _SECRET, token),
        method=method,
        target=target,
        service=service,
        region=region,
        at_s=at.timestamp(),
    )
    for name in ("X-Amz-Date", "X-Amz-Security-Token", "Authorization"):
        assert request.headers.get(name) == signed.get(name)


def test_headers_are_kept_as_they_were() -> None:
    """
    What is sent is what was given; only the signature is made of the trimmed values.
    """
    given = {"Host": _HOST, "X-Spaced": " a  b "}

    signed = _sigv4.signed(
        given, b"", _credentials.Credentials(_KEY, _SECRET, ""), method="GET", target="/", service="ssm", region="eu-west-1", at_s=0.0
    )

    assert {"Host", "X-Spaced", "X-Amz-Date", "Authorization"} == set(signed)
    assert " a  b " == signed["X-Spaced"]
    assert "19700101T000000Z" == signed["X-Amz-Date"]
    assert {"Host": _HOST, "X-Spaced": " a  b "} == given
