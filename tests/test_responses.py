"""
What event sources expect back: outcomes, HTTP answers, problem documents, batch answers, plain JSON.
"""

from __future__ import annotations

import json
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from ipaddress import ip_address
from pathlib import PurePosixPath
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from pydantic import BaseModel, Field

from lambda_kit import Reject, Response, Retry
from lambda_kit._responses import batch_answer, http_answer, plain, problem, result_response, retry_problem
from lambda_kit.errors import ConfigurationError

_UUID = UUID("00000000-0000-4000-8000-000000000001")


class Colour(Enum):
    RED = "red"


class Size(StrEnum):
    BIG = "big"


class Level(IntEnum):
    LOW = 1


class Name(str):
    __slots__ = ()


class Count(int):
    pass


class Money(BaseModel):
    amount: Decimal
    currency: str = Field(serialization_alias="currencyCode")


@dataclass
class Line:
    sku: str
    prices: list[Money] = field(default_factory=list)


class Point(NamedTuple):
    x: int
    y: int


class Moment(datetime):
    pass


class Day(date):
    pass


class Opaque:
    pass


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"a": [1, 2.5, True, None, "x"]}, {"a": [1, 2.5, True, None, "x"]}),
        (Decimal("3.50"), 3.5),
        (Decimal("1E+2"), 100),
        (Decimal("12345678901234567890"), 12345678901234567890),
        (datetime(2024, 1, 1, tzinfo=UTC), "2024-01-01T00:00:00+00:00"),
        (date(2024, 1, 1), "2024-01-01"),
        (Moment(2024, 1, 1, tzinfo=UTC), "2024-01-01T00:00:00+00:00"),
        (Day(2024, 1, 1), "2024-01-01"),
        (_UUID, "00000000-0000-4000-8000-000000000001"),
        (PurePosixPath("/a/b"), "/a/b"),
        (ip_address("192.0.2.1"), "192.0.2.1"),
        ([Colour.RED, Size.BIG, Level.LOW], ["red", "big", 1]),
        ([Name("a"), Count(2)], ["a", 2]),
        (b"\x00\xff", "AP8="),
        (bytearray(b"\x00"), "AA=="),
        ((1, 2), [1, 2]),
        (Point(1, 2), [1, 2]),
        ({3}, [3]),
        (frozenset({"a"}), ["a"]),
        (deque([1]), [1]),
        (range(2), [0, 1]),
        (OrderedDict(a=1), {"a": 1}),
        (Money(amount=Decimal("1.50"), currency="EUR"), {"amount": "1.50", "currencyCode": "EUR"}),
        (Line("a", [Money(amount=Decimal(2), currency="EUR")]), {"sku": "a", "prices": [{"amount": "2", "currencyCode": "EUR"}]}),
        ({Size.BIG: 1, Colour.RED: 2, _UUID: 3, 4: 5, None: 6}, {"big": 1, "red": 2, str(_UUID): 3, 4: 5, None: 6}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_plain_is_what_json_has(value: object, expected: object) -> None:
    """
    Every type that results may hold has one form in JSON.
    """
    assert expected == plain(value)
    json.dumps(plain(value), allow_nan=False)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"items": [{"when": Opaque()}]}, r"result\.items\.0\.when is of type .*test_responses\.Opaque"),
        (Line("a", [Opaque()]), r"result\.prices\.0 is of type"),  # type: ignore[list-item]  # as an untyped caller does
        ({"items": (i for i in range(2))}, r"result\.items is of type builtins\.generator"),
        (timedelta(1), r"result is of type datetime\.timedelta"),
        ({"rate": float("nan")}, r"result\.rate is a number that JSON does not have: nan"),
        ({"rate": Decimal("Infinity")}, r"result\.rate is a number that JSON does not have"),
        ({"rate": Decimal("1E+1000000")}, r"result\.rate is a number that JSON does not have"),
        ({"all": {(1, 2): 3}}, r"a key of result\.all is of type tuple"),
        (Opaque, r"result is of type builtins\.type"),
    ],
)
def test_what_has_no_form_is_named_with_its_place(value: object, message: str) -> None:
    """
    The error says where in the result it is and of what type.
    """
    with pytest.raises(ConfigurationError, match=f"cannot become JSON: {message}"):
        plain(value)


def test_a_result_that_contains_itself_is_an_error() -> None:
    """
    A circle ends in an error, not in the interpreter's depths.
    """
    circle: list[Any] = []
    circle.append(circle)

    with pytest.raises(ConfigurationError, match="it contains itself"):
        plain(circle)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a\ud800", "a\ufffd"),
        ({"\udc00": ["\ud83d\ude00", "é"]}, {"\ufffd": ["\U0001f600", "é"]}),
        (Name("\ud800"), "\ufffd"),
        (PurePosixPath("/\ud800"), "/\ufffd"),
    ],
    ids=["text", "keys", "subclass", "path"],
)
def test_half_a_surrogate_pair_is_replaced(value: object, expected: object) -> None:
    """
    A client's JSON can hold what UTF-8 cannot; the runtime client would die of a result with it.
    """
    assert expected == plain(value)
    json.dumps(plain(value), ensure_ascii=False).encode()


def test_a_refused_result_names_a_clients_key_in_text_that_can_be_sent() -> None:
    """
    The error goes through the runtime client too.
    """
    with pytest.raises(ConfigurationError, match=r"result\.a\\ud800 is of type") as caught:
        plain({"a\ud800": Opaque()})

    str(caught.value).encode()


@pytest.mark.parametrize("payload_format", ["2.0", "1.0", "alb", "alb-multi-value", "vpc-lattice", "cloudfront"])
def test_a_body_of_half_a_surrogate_pair_can_be_sent(payload_format: str) -> None:
    """
    Text that a client sent and gets back does not end the environment.
    """
    answer = http_answer(Response(200, "hello \ud800"), payload_format)

    assert "hello \ufffd" == answer["body"]
    json.dumps(answer, ensure_ascii=False).encode()


@pytest.mark.parametrize(
    ("response", "named"),
    [
        (Response(headers={"x-name": "\ud800"}), "x-name"),
        (Response(headers={"x-\ud800": "a"}), r"x-\\ud800"),
        (Response(headers={"x-name": "é"}, cookies=["a=1", "b=\udc00"]), "set-cookie"),
    ],
    ids=["value", "name", "cookie"],
)
def test_a_header_of_half_a_surrogate_pair_is_refused(response: Response, named: str) -> None:
    """
    A header means something: it is not changed but refused, by name and without its value.
    """
    with pytest.raises(ConfigurationError, match=f"the header {named} cannot be sent") as caught:
        http_answer(response, "2.0")

    str(caught.value).encode()


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (None, (204, "", {}, False)),
        ({"a": Decimal("1.5")}, (201, '{"a":1.5}', {"content-type": "application/json"}, False)),
        ("text", (201, '"text"', {"content-type": "application/json"}, False)),
        (
            Money(amount=Decimal(1), currency="EUR"),
            (201, '{"amount":"1","currencyCode":"EUR"}', {"content-type": "application/json"}, False),
        ),
        (b"\xff", (201, "/w==", {"content-type": "application/octet-stream"}, True)),
        (Response(202, "text"), (202, "text", {"content-type": "text/plain; charset=utf-8"}, False)),
        (Response(202, ["a"]), (202, '["a"]', {"content-type": "application/json"}, False)),
        (Response(200, "<p>", {"Content-Type": "text/html"}), (200, "<p>", {"Content-Type": "text/html"}, False)),
        (Response(304), (304, "", {}, False)),
    ],
)
def test_results_become_http_answers(result: object, expected: tuple[Any, ...]) -> None:
    """
    Nothing is 204, a Response is itself, bytes are sent as they are, all else is JSON.
    """
    answer = http_answer(result_response(result, 201), "2.0")

    assert expected == (answer["statusCode"], answer["body"], answer["headers"], answer["isBase64Encoded"])
    assert answer == json.loads(json.dumps(answer))


@pytest.mark.parametrize(
    ("payload_format", "expected"),
    [
        ("2.0", {"headers": {"x": "1"}, "cookies": ["a=1", "b=2"]}),
        ("1.0", {"headers": {"x": "1"}, "multiValueHeaders": {"set-cookie": ["a=1", "b=2"]}}),
        ("alb-multi-value", {"multiValueHeaders": {"x": ["1"], "set-cookie": ["a=1", "b=2"]}}),
    ],
)
def test_cookies_go_where_each_source_reads_them(payload_format: str, expected: dict[str, Any]) -> None:
    """
    Format 2.0 has a list of its own; the older formats have headers of several values.
    """
    answer = http_answer(Response(headers={"x": "1"}, cookies=["a=1", "b=2"]), payload_format)

    assert {"statusCode": 200, "body": "", "isBase64Encoded": False} | expected == answer


@pytest.mark.parametrize(
    ("payload_format", "expected"),
    [("2.0", {"headers": {}}), ("1.0", {"headers": {}}), ("alb", {"headers": {}}), ("alb-multi-value", {"multiValueHeaders": {}})],
)
def test_no_cookies_leave_no_trace(payload_format: str, expected: dict[str, Any]) -> None:
    """
    Without cookies there is nothing of them in the answer.
    """
    assert {"statusCode": 200, "body": "", "isBase64Encoded": False} | expected == http_answer(Response(), payload_format)


def test_a_load_balancer_without_multi_value_headers_sends_one_cookie() -> None:
    """
    One cookie fits into the headers; two are an error that says what to turn on.
    """
    assert {"set-cookie": "a=1"} == http_answer(Response(cookies=["a=1"]), "alb")["headers"]
    with pytest.raises(ConfigurationError, match="turn on multi-value headers"):
        http_answer(Response(cookies=["a=1", "b=2"]), "alb")


def test_a_problem_document_has_the_members_of_the_rfc() -> None:
    """
    Type, title, status, detail and instance as RFC 9457 has them; what is wrong with the fields is an extension.
    """
    answer = http_answer(problem(409, request_id="r-1", detail="sold out", errors=[{"field": "sku", "message": "gone"}]), "2.0")

    assert (409, {"content-type": "application/problem+json"}) == (answer["statusCode"], answer["headers"])
    assert {
        "type": "about:blank",
        "title": "Conflict",
        "status": 409,
        "detail": "sold out",
        "instance": "r-1",
        "errors": [{"field": "sku", "message": "gone"}],
    } == json.loads(answer["body"])


def test_an_unknown_status_has_a_title_too() -> None:
    """
    A status that no registry knows is still a problem document; detail and errors are left out when there are none.
    """
    document = json.loads(http_answer(problem(499, request_id="r-1"), "2.0")["body"])

    assert {"type": "about:blank", "title": "Error", "status": 499, "instance": "r-1"} == document


@pytest.mark.parametrize(("after_s", "expected"), [(None, "1"), (0, "0"), (1.2, "2"), (30, "30")])
def test_retry_is_503_with_retry_after(after_s: float | None, expected: str) -> None:
    """
    Clients are told when to come again, in whole seconds and never too early.
    """
    answer = http_answer(retry_problem(Retry(after_s=after_s), request_id="r-1"), "2.0")

    assert (503, expected) == (answer["statusCode"], answer["headers"]["retry-after"])
    assert "Service Unavailable" == json.loads(answer["body"])["title"]


def test_batch_answer_names_the_failed_records() -> None:
    """
    An empty list acknowledges all.
    """
    assert {"batchItemFailures": [{"itemIdentifier": "a"}, {"itemIdentifier": "b"}]} == batch_answer(["a", "b"])
    assert {"batchItemFailures": []} == batch_answer([])


def test_outcomes_are_values() -> None:
    """
    Outcomes compare by what they say, and print as they are written.
    """
    assert Reject() == Reject(status=400)
    assert Retry() != Reject()
    assert Reject() != Retry()
    assert 2 == len({Reject(status=404), Reject(status=404), Retry(after_s=1), Retry(after_s=1)})
    assert "Reject(status=404) Retry(after_s=None) <Response 200>" == f"{Reject(status=404)} {Retry()} {Response()}"


@pytest.mark.parametrize("status", [200, 399, 500, "404", None])
def test_a_rejection_is_the_clients_fault(status: Any) -> None:
    """
    Other statuses are refused when the table is written.
    """
    with pytest.raises(ConfigurationError, match="400 to 499"):
        Reject(status=status)


@pytest.mark.parametrize("after_s", [-1, float("inf"), float("nan"), "5", True])
def test_seconds_to_wait_are_a_number(after_s: Any) -> None:
    """
    A time that no header can say is refused when the table is written.
    """
    with pytest.raises(ConfigurationError, match="0 or more"):
        Retry(after_s=after_s)
