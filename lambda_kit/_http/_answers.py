"""
How an answer must look for each source of HTTP requests.
"""

from __future__ import annotations

from base64 import b64encode
from contextlib import suppress

from lambda_kit._http._values import printable, well_formed
from lambda_kit.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

# How an answer must look depends on how the event came. Lambda's documentation calls the first two payload formats.
FORMAT_2 = "2.0"  # API Gateway HTTP API, function URL
FORMAT_1 = "1.0"  # API Gateway REST API, HTTP API with payload format 1.0
FORMAT_ALB = "alb"
FORMAT_ALB_MULTI = "alb-multi-value"  # the target group's multi-value headers are on
FORMAT_LATTICE = "vpc-lattice"
FORMAT_CLOUDFRONT = "cloudfront"

_ONE_COOKIE = {
    FORMAT_ALB: "a load balancer sends one cookie only: turn on multi-value headers on its target group",
    FORMAT_LATTICE: "VPC Lattice sends one cookie only",
}


def answer_form(
    payload_format: str,
    status: int,
    body: str,
    *,
    is_base64: bool,
    headers: Mapping[str, str],
    cookies: Sequence[str] = (),
) -> dict[str, Any]:
    """
    Return an answer as the source of *payload_format* expects it.

    Raises:
        ConfigurationError: The source cannot send as many cookies, or a header or a cookie is no text that UTF-8 has.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html,
    .../set-up-lambda-proxy-integrations.html,
    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html,
    https://docs.aws.amazon.com/vpc-lattice/latest/ug/lambda-functions.html and
    https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/lambda-generating-http-responses-in-requests.html
    """
    # Lambda's runtime client does not survive an answer that it cannot encode.
    _check_encodable(headers, cookies)
    body = well_formed(body)
    if payload_format == FORMAT_CLOUDFRONT:
        return _edge_answer(status, body, is_base64, headers, cookies)
    answer: dict[str, Any] = {"statusCode": status, "headers": dict(headers), "body": body, "isBase64Encoded": is_base64}
    if payload_format == FORMAT_2:
        if cookies:
            answer["cookies"] = list(cookies)
    elif payload_format == FORMAT_ALB_MULTI:
        # A load balancer reads only the form that its target group is set to.
        del answer["headers"]
        answer["multiValueHeaders"] = {name: [value] for name, value in headers.items()}
        if cookies:
            answer["multiValueHeaders"]["set-cookie"] = list(cookies)
    elif cookies and payload_format in _ONE_COOKIE:
        if len(cookies) > 1:
            raise ConfigurationError(_ONE_COOKIE[payload_format])
        answer["headers"]["set-cookie"] = cookies[0]
    elif cookies:
        answer["multiValueHeaders"] = {"set-cookie": list(cookies)}
    return answer


def body_text(body: object) -> tuple[str, str, bool]:
    """
    Return *body* as text, the content type that fits it, and whether the text is Base64. What is no text and no bytes
    becomes JSON.
    """
    if body is None:
        return "", "", False
    if isinstance(body, str):
        return body, "text/plain; charset=utf-8", False
    if isinstance(body, bytes | bytearray):
        return b64encode(body).decode(), "application/octet-stream", True
    import json

    return json.dumps(body, separators=(",", ":")), "application/json", False


def _check_encodable(headers: Mapping[str, str], cookies: Sequence[str]) -> None:
    for name, value in [*headers.items(), *(("set-cookie", cookie) for cookie in cookies)]:
        # As one text, because untyped callers give numbers too.
        text = f"{name}: {value}"
        if well_formed(text) != text:
            raise ConfigurationError(f"the header {printable(name)} cannot be sent: it holds half of a surrogate pair")


def _edge_answer(status: int, body: str, is_base64: bool, headers: Mapping[str, str], cookies: Sequence[str]) -> dict[str, Any]:
    from http import HTTPStatus

    sent = {name.lower(): [{"key": name, "value": value}] for name, value in headers.items()}
    if cookies:
        sent["set-cookie"] = [{"key": "Set-Cookie", "value": cookie} for cookie in cookies]
    # Lambda@Edge has the status as text.
    answer: dict[str, Any] = {"status": str(status), "headers": sent}
    with suppress(ValueError):
        answer["statusDescription"] = HTTPStatus(status).phrase
    if body:
        answer |= {"body": body, "bodyEncoding": "base64" if is_base64 else "text"}
    return answer
