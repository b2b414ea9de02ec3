"""
HttpRequest: one view of every HTTP-shaped event.
"""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest

from lambda_kit import HttpRequest
from lambda_kit.errors import EventError
from tests.events.payloads import payload

_ALL = [
    *("apigw_http_v2", "function_url", "apigw_rest", "apigw_http_v1", "alb", "alb_multi_value"),
    *("vpc_lattice_v1", "vpc_lattice_v2", "cloudfront_lambda_edge"),
]


def _request(name: str, **changes: Any) -> HttpRequest:
    return HttpRequest.from_event({**payload(name), **changes})


@pytest.mark.parametrize("name", _ALL)
def test_method_and_path_are_the_same_for_every_source(name: str) -> None:
    """
    Wherever a request comes from, its method and its path without the stage read alike.
    """
    request = _request(name)

    assert ("POST", "/orders/42") == (request.method, request.path)
    assert "<HttpRequest POST /orders/42>" == repr(request)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("apigw_http_v2", ("2.0", "/orders/{id}", "2001:db8::1", "prod", "JKJaXmPLvHcESHA=")),
        ("apigw_http_v2__bare", ("2.0", "$default", "2001:db8::1", "$default", "JKJaXmPLvHcESHA=")),
        ("function_url", ("2.0", "$default", "2001:db8::1", "$default", "8b1e5c1a-4f3b-4d61-9d5a-7d2f3f0c9a11")),
        ("apigw_rest", ("1.0", "/orders/{id}", "192.0.2.7", "prod", "3c1a0f5e-7d2b-4b8c-9f64-0a1b2c3d4e5f")),
        ("alb", ("alb", "", "192.0.2.7", "", "")),
        ("alb_multi_value", ("alb-multi-value", "", "192.0.2.7", "", "")),
        ("vpc_lattice_v1", ("vpc-lattice", "", "10.0.1.17", "", "")),
        ("vpc_lattice_v2", ("vpc-lattice", "", "10.0.1.17", "", "")),
        ("cloudfront_lambda_edge", ("cloudfront", "", "2001:db8::1", "", "4TyzHTaYWb1GX1qTfsHhEqV6HUDd_BzoBZnwfnvQc_1oF26ClkoUSEQ==")),
    ],
)
def test_facts_of_the_request(name: str, expected: tuple[str, ...]) -> None:
    """
    Payload format, route, client address, stage and request id come from where each source has them.
    """
    request = _request(name)

    assert expected == (request.payload_format, request.route, request.source_ip, request.stage, request.request_id)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("apigw_http_v2", {"tag": ("a,b", "c"), "empty": ("",), "q": ("café au lait",)}),
        ("apigw_rest", {"tag": ("a,b", "c")}),
        ("alb", {"tag": ("a,b",), "q": ("café au lait",)}),
        ("alb_multi_value", {"tag": ("a,b", "c")}),
        ("vpc_lattice_v1", {"tag": ("a",)}),
        ("vpc_lattice_v2", {"tag": ("a", "c")}),
        ("cloudfront_lambda_edge", {"tag": ("a,b", "c")}),
        ("apigw_http_v2__bare", {}),
        ("apigw_rest__console_test", {}),
    ],
)
def test_query_has_every_value_decoded(name: str, expected: dict[str, tuple[str, ...]]) -> None:
    """
    A parameter that comes twice has two values, commas within one split nothing, and all are decoded exactly once.
    """
    query = _request(name).query

    assert expected == {parameter: query.all(parameter) for parameter in query}


def test_query_by_name_is_the_last_value() -> None:
    """
    Looked up by name, a repeated parameter gives its last value, as REST APIs have it; names are case-sensitive.
    """
    query = _request("apigw_http_v2").query

    assert "c" == query["tag"]
    assert () == query.all("Tag")
    assert "Tag" not in query
    assert 3 == len(query)


@pytest.mark.parametrize("name", ["apigw_rest", "alb_multi_value"])
def test_headers_are_case_insensitive_and_join_repeated_values(name: str) -> None:
    """
    A header is found in any case, and one that came twice reads as HTTP defines.
    """
    headers = _request(name).headers
    no_name: Any = 3

    assert "one, two" == headers["X-TWICE"]
    assert ("one", "two") == headers.all("x-Twice")
    assert "x-TWICE" in headers
    assert no_name not in headers


def test_header_values_stay_out_of_the_repr() -> None:
    """
    Printing headers shows their names only.
    """
    headers = _request("apigw_http_v2").headers

    assert "Bearer secret-token" == headers["Authorization"]
    assert "secret-token" not in repr(headers)
    assert "authorization" in repr(headers)


@pytest.mark.parametrize("name", ["apigw_http_v2", "function_url", "apigw_rest", "vpc_lattice_v2", "cloudfront_lambda_edge"])
def test_cookies_are_found_where_each_source_has_them(name: str) -> None:
    """
    Cookies read alike from the list of format 2.0 and from the header of format 1.0.
    """
    assert {"session": "abc123", "theme": "dark"} == _request(name).cookies


def test_cookie_header_is_read_where_format_2_has_no_list() -> None:
    """
    An event made by hand with a cookie header only is read too; what has no name is left out.
    """
    request = _request("apigw_http_v2__bare", headers={"Cookie": "a=1; b=2=3; ; =x"})

    assert {"a": "1", "b": "2=3"} == request.cookies


@pytest.mark.parametrize(
    "name", ["apigw_http_v2", "apigw_http_v2__base64", "apigw_rest", "vpc_lattice_v1", "vpc_lattice_v2", "cloudfront_lambda_edge"]
)
def test_body_is_decoded(name: str) -> None:
    """
    The body's bytes, text and JSON are the same, whether it came as text or as Base64.
    """
    request = _request(name)

    assert b'{"sku": "teapot", "quantity": 2}' == request.body
    assert '{"sku": "teapot", "quantity": 2}' == request.text()
    assert {"sku": "teapot", "quantity": 2} == request.json()


def test_no_body_is_empty() -> None:
    """
    A request without a body has an empty one.
    """
    assert b"" == _request("apigw_rest__console_test").body


@pytest.mark.parametrize("flag", [False, None, "false"])
def test_a_flag_that_is_not_true_means_text(flag: object) -> None:
    """
    Some tools write the Base64 flag as text.
    """
    assert b"aGk=" == _request("alb", body="aGk=", isBase64Encoded=flag).body


def test_charset_of_the_content_type_is_honoured() -> None:
    """
    Text is decoded as the content type says.
    """
    headers = {"content-type": 'text/plain; format=flowed; Charset="ISO-8859-1"'}
    request = _request("alb", headers=headers, body=b64encode("é".encode("latin-1")).decode(), isBase64Encoded=True)

    assert "é" == request.text()


@pytest.mark.parametrize(
    ("body", "is_base64", "read", "message"),
    [
        ("secret!", True, "body", "not the Base64"),
        (["secret"], False, "body", "no text"),
        ("", False, "json", "it is empty"),
        ("{secret", False, "json", "Expecting property name enclosed in double quotes at line 1 column 2"),
        ("/w==", True, "json", "no Unicode text"),
        ("/w==", True, "text", "no utf-8 text"),
        ("[" * 200_000, False, "json", "nested too deeply"),
        ("1" * 5000, False, "json", "a number in it has too many digits"),
        (["secret"], False, "text", "the body of the event is no text"),
    ],
)
def test_a_bad_body_is_an_event_error_without_the_body(body: object, is_base64: bool, read: str, message: str) -> None:
    """
    The error names the field, and neither its message nor its context holds what was sent.
    """
    request = _request("alb", body=body, isBase64Encoded=is_base64, headers={})

    with pytest.raises(EventError, match=message) as caught:
        _ = request.body if read == "body" else request.json() if read == "json" else request.text()

    assert ("http", "body") == (caught.value.source, caught.value.field)
    assert "secret" not in str(caught.value)
    assert caught.value.__context__ is None


@pytest.mark.parametrize("charset", ["klingon", "undefined", "base64", "a\0b", "\ud800"])
def test_an_unknown_charset_is_an_event_error(charset: str) -> None:
    """
    A client can name any charset; one that is unknown, or that Python has for other purposes, is its mistake, not a bug.
    """
    request = _request("alb", headers={"content-type": f"text/plain; charset={charset}"})

    with pytest.raises(EventError, match=r"the body is no .* text") as caught:
        request.text()

    assert str(caught.value).encode()
    assert caught.value.__context__ is None


def test_path_keeps_a_first_part_that_only_looks_like_the_stage() -> None:
    """
    Behind a custom domain the path has no stage, and a folder of the stage's name stays.
    """
    event = payload("apigw_http_v2")
    event["requestContext"]["domainName"] = "api.example.com"

    assert "/prod/orders/42" == HttpRequest.from_event(event).path


@pytest.mark.parametrize(("path", "expected"), [("/prod", "/"), ("/production", "/production"), (None, "/orders/42"), ("/x", "/x")])
def test_only_the_stage_is_taken_off(path: str | None, expected: str) -> None:
    """
    The stage goes, alone or as the first part; without a raw path the context's is used.
    """
    assert expected == _request("apigw_http_v2", rawPath=path).path


def test_rest_path_never_loses_its_first_part() -> None:
    """
    A REST API's path comes without the stage already.
    """
    assert "/prod/x" == _request("apigw_rest", path="/prod/x").path


def test_authorizer_domain_and_path_parameters() -> None:
    """
    What the authorizer found out, the domain and the route's values are there.
    """
    request, balanced = _request("apigw_http_v2"), _request("alb")

    assert "user-1" == request.authorizer["jwt"]["claims"]["sub"]
    assert "a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com" == request.domain
    assert {"id": "42"} == request.path_parameters
    assert ({}, {}) == (balanced.authorizer, balanced.path_parameters)
    assert "orders-1234567890.eu-west-1.elb.amazonaws.com" == balanced.domain


@pytest.mark.parametrize(
    "event",
    [{}, {"Records": []}, {"requestContext": {}}, {"requestContext": None, "httpMethod": "GET"}, {"httpMethod": "GET", "path": None}, []],
)
def test_what_is_no_request_is_an_event_error(event: Any) -> None:
    """
    An event of another source is refused, and the error says what was looked for.
    """
    with pytest.raises(EventError, match=r"neither requestContext\.http nor httpMethod and path"):
        HttpRequest.from_event(event)


def test_a_damaged_part_is_named() -> None:
    """
    A part that is no object is an error that names it, once it is asked for.
    """
    request = _request("apigw_http_v2", headers=["a"])

    assert "/orders/42" == request.path
    with pytest.raises(EventError, match="headers of the event is no object") as caught:
        _ = request.headers
    assert "headers" == caught.value.field


def test_null_header_values_are_empty() -> None:
    """
    A header that AWS hands over as null reads as an empty one.
    """
    assert "" == _request("apigw_http_v2", headers={"x-empty": None}).headers["x-empty"]


def test_lambda_at_edge_has_its_facts_elsewhere() -> None:
    """
    Host, configuration and headers of a record's request stand for those of an event; what is no header is left out.
    """
    edge = _request("cloudfront_lambda_edge")
    record = {"cf": {"config": {"distributionDomainName": "d1.cloudfront.net"}, "request": {"headers": {"a": "b", "c": ["d"]}}}}
    bare = HttpRequest.from_event({"Records": [record]})

    assert "orders.s3.amazonaws.com" == edge.domain
    assert "application/json, text/plain" == edge.headers["accept"]
    assert ("d1.cloudfront.net", "", "/", b"", {}) == (bare.domain, bare.method, bare.path, bare.body, dict(bare.headers))


@pytest.mark.parametrize("name", ["apigw_http_v2", "apigw_http_v1", "alb", "alb_multi_value", "vpc_lattice_v2"])
def test_answers_have_the_form_of_the_source(name: str) -> None:
    """
    One call answers every source: status, headers with a content type that fits, body and a cookie.
    """
    answer = _request(name).answer(404, {"why": "gone"}, cookies=["a=1"])

    headers = answer.get("headers") or {key: values[0] for key, values in answer["multiValueHeaders"].items()}
    cookies = answer.get("cookies") or answer.get("multiValueHeaders", {}).get("set-cookie") or [headers["set-cookie"]]
    assert ["a=1"] == cookies
    assert (404, "application/json", '{"why":"gone"}', False) == (
        answer["statusCode"],
        headers["content-type"],
        answer["body"],
        answer["isBase64Encoded"],
    )


def test_a_content_type_that_is_given_stays() -> None:
    """
    In any case of its name.
    """
    assert {"Content-Type": "text/html"} == _request("function_url").answer(body="<p>", headers={"Content-Type": "text/html"})["headers"]


def test_no_body_has_no_content_type() -> None:
    """
    Nothing is sent as nothing.
    """
    assert {"statusCode": 200, "headers": {}, "body": "", "isBase64Encoded": False} == _request("function_url").answer()


@pytest.mark.parametrize("name", _ALL)
def test_without_cookies_there_is_no_place_for_them(name: str) -> None:
    """
    What is not sent leaves no trace in the answer.
    """
    assert "cookie" not in str(_request(name).answer(200, "hi", headers={"x-id": "1"}))
