"""
What must not type-check. Each wrong line names mypy's complaint; pyright must have one of its own there. An unused mark is an error.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Protocol

from pydantic import BaseModel

from lambda_kit import Deps, HttpRequest, Reject, Response, handler, lazy, parallel_map, use
from lambda_kit.events import SqsRecord


class Order(BaseModel):
    sku: str


class Other(BaseModel):
    sku: str


class Placed(BaseModel):
    order_id: str


class NeedsPrice(Protocol):
    @property
    def price(self) -> Decimal: ...


class Prices(Deps):
    price: Decimal = use(lazy(lambda: Decimal(1)))


class Names(Deps):
    name: str = use(lazy(lambda: "a"))


def place(order: Order, deps: NeedsPrice) -> Placed:
    raise NotImplementedError


def place_other(order: Other, deps: NeedsPrice) -> Placed:
    raise NotImplementedError


def ping(order: Order) -> None:
    raise NotImplementedError


def from_request(request: HttpRequest) -> Order:
    raise NotImplementedError


def from_record(record: SqsRecord) -> Order:
    raise NotImplementedError


def respond_to_other(other: Other) -> Response:
    raise NotImplementedError


class Wrong(Deps):
    price: int = use(lazy(lambda: Decimal(1)))  # type: ignore[assignment]


Prices(prize=Decimal(2))  # type: ignore[call-arg]
Prices(price="2")  # type: ignore[arg-type]
Prices(Decimal(2))  # type: ignore[call-arg]
handler.http(Order, deps=Prices())(place_other)  # type: ignore[arg-type]
handler.http(Order)(place)  # type: ignore[arg-type]
handler.http(Order, deps=Prices())(ping)  # type: ignore[arg-type]
handler.http(Order, deps=Names())(place)  # type: ignore[arg-type]
handler.http(Order, errors={ValueError: Reject})(ping)  # type: ignore[dict-item]
handler.http(Order, errors={"ValueError": Reject()})(ping)  # type: ignore[arg-type]
handler.http(Order, respnse=None)(ping)  # type: ignore[call-overload]
handler.http(Order, deps=Prices(), respond=respond_to_other)(place)  # type: ignore[arg-type]
handler.sqs(from_request)(ping)  # type: ignore[arg-type]
handler.http(from_record)(ping)  # type: ignore[arg-type]
handler.sqs(Order, on_reject="ignore")(ping)  # type: ignore[call-overload]
handler.invoke(Order, deps=Prices())(place_other)  # type: ignore[arg-type]
handler.event(Order)(place)  # type: ignore[arg-type]
handler.http(Order)(ping)({})  # type: ignore[call-arg]
handler.http(Order, status="201")(ping)  # type: ignore[call-overload]
handler.kinesis(from_record)(ping)  # type: ignore[arg-type]
handler.kinesis(Order, deps=Prices())(place_other)  # type: ignore[arg-type]
handler.kinesis(Order, skip_group=True)(ping)  # type: ignore[call-overload]
handler.sqs(Order, concurrency="4")(ping)  # type: ignore[call-overload]
handler.sns(Order, on_reject="ignore")(ping)  # type: ignore[call-overload]
handler.sns(from_record)(ping)  # type: ignore[arg-type]
handler.eventbridge(Order, deps=Names())(place)  # type: ignore[arg-type]
handler.firehose(Order)(place)  # type: ignore[arg-type]
handler.task(Order, heartbeat_s="10")(ping)  # type: ignore[call-overload]
parallel_map(len, [1])  # type: ignore[arg-type]
