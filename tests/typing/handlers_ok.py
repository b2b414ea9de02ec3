"""
What must type-check: wiring lines as users write them, for mypy --strict and pyright.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any, ClassVar, Protocol, assert_type

from pydantic import BaseModel

from lambda_kit import (
    Deps,
    Handle,
    Handler,
    HttpRequest,
    Invocation,
    LambdaContext,
    Reject,
    Response,
    Retry,
    handler,
    invocation,
    lazy,
    parallel_map,
    use,
)
from lambda_kit.events import (
    ApiGatewayHttpEvent,
    DynamoDbRecord,
    Event,
    EventBridgeEvent,
    FirehoseRecord,
    KafkaRecord,
    KinesisRecord,
    SnsRecord,
    SqsEvent,
    SqsRecord,
    parse_event,
)
from lambda_kit.testing import FakeContext, LambdaEvents


class Table(Protocol):
    def put_item(self, *, Item: dict[str, Any]) -> Any: ...  # noqa: N803  # boto3's own argument name


class PlaceOrder(BaseModel):
    sku: str


class Placed(BaseModel):
    order_id: str


class Needs(Protocol):
    """What logic asks for, read-only."""

    @property
    def table(self) -> Table: ...
    @property
    def price(self) -> Decimal: ...


class NeedsMutable(Protocol):
    """What a user writes first."""

    table: Table
    price: Decimal


class OutOfStockError(Exception):
    pass


class BusyError(Exception):
    seconds = 1.5


class RealTable:
    def put_item(self, *, Item: dict[str, Any], Extra: int = 0) -> object:  # noqa: N803  # as above
        return Item, Extra


class FakeTable:
    def put_item(self, *, Item: dict[str, Any]) -> None: ...  # noqa: N803  # as above


real_table = RealTable()


class OrderDeps(Deps):
    kind: ClassVar[str] = "orders"
    table: Table = use(lazy(RealTable))
    bare: Table = real_table
    price: Decimal = use(lambda: Decimal(1), rare=True)
    required: int


@dataclass
class Wrapped:
    request: HttpRequest


def place(order: PlaceOrder, deps: Needs) -> Placed:
    return Placed(order_id=f"{order.sku} {deps.price}")


def place_mutable(order: PlaceOrder, deps: NeedsMutable) -> Placed:
    return Placed(order_id=f"{order.sku} {deps.price}")


async def place_async(order: PlaceOrder, deps: Needs) -> Placed:
    return Placed(order_id=f"{order.sku} {deps.price}")


def ping(order: PlaceOrder) -> None: ...


def shout(text: str) -> str:
    return text.upper()


def of_wrapped(wrapped: Wrapped) -> None: ...


def from_request(request: HttpRequest) -> PlaceOrder:
    return PlaceOrder(sku=request.query["sku"])


def from_record(record: SqsRecord) -> PlaceOrder:
    return record.parse(PlaceOrder)


def as_created(placed: Placed) -> Response:
    return Response(201, placed, {"location": placed.order_id}, cookies=["a=b"])


def when_busy(exc: BusyError) -> Retry:
    return Retry(after_s=exc.seconds)


DEPS = OrderDeps(required=1)
ERRORS = {OutOfStockError: Reject(status=409), BusyError: Retry(after_s=2)}

api = handler.http(PlaceOrder, deps=DEPS, errors=ERRORS, status=201)(place)
mutable = handler.http(PlaceOrder, deps=DEPS)(place_mutable)
asynchronous = handler.http(PlaceOrder, deps=DEPS)(place_async)
alone = handler.http(PlaceOrder)(ping)
callable_first = handler.http(from_request)(ping)
callable_deps = handler.http(from_request, deps=DEPS, preload=False)(place)
by_lambda = handler.http(lambda request: request.text())(shout)
by_class = handler.http(Wrapped)(of_wrapped)
responding = handler.http(PlaceOrder, deps=DEPS, respond=as_created)(place)
responding_async = handler.http(PlaceOrder, deps=DEPS, respond=as_created)(place_async)
by_function = handler.http(PlaceOrder, deps=DEPS, errors={OutOfStockError: Reject(), BusyError: when_busy})(place)
worker = handler.sqs(PlaceOrder, deps=DEPS, errors=ERRORS, on_reject="drop")(place)
records = handler.sqs(from_record)(ping)
direct = handler.invoke(PlaceOrder, deps=DEPS, errors=ERRORS)(place)
uploads = handler.event(SqsEvent)(lambda event: print(event.records))
fast = handler.sqs(PlaceOrder, deps=DEPS, errors=ERRORS, concurrency=4, skip_group=True, reserve_s=1.0)(place_async)
stream = handler.kinesis(PlaceOrder, deps=DEPS, errors=ERRORS, on_reject="drop", concurrency=4)(place)
changes = handler.dynamodb(PlaceOrder)(ping)
topic_records = handler.kafka(PlaceOrder, reserve_s=2)(ping)
transformed = handler.firehose(PlaceOrder, deps=DEPS)(place)
published = handler.sns(PlaceOrder, deps=DEPS, on_reject="drop")(place)
placed = handler.eventbridge(PlaceOrder, deps=DEPS)(place_async)
tasks = handler.task(PlaceOrder, deps=DEPS, token="TaskToken", payload="input", heartbeat_s=10)(place)


def from_kinesis(record: KinesisRecord) -> PlaceOrder:
    return record.parse(PlaceOrder)


def from_change(record: DynamoDbRecord) -> PlaceOrder:
    return record.parse(PlaceOrder)


def from_kafka(record: KafkaRecord) -> PlaceOrder:
    return record.parse(PlaceOrder)


def from_firehose(record: FirehoseRecord) -> PlaceOrder:
    return record.parse(PlaceOrder)


def from_sns(record: SnsRecord) -> PlaceOrder:
    return record.parse(PlaceOrder)


def from_bus(event: EventBridgeEvent[Any]) -> PlaceOrder:
    return event.parse(PlaceOrder)


by_record = [
    handler.kinesis(from_kinesis)(ping),
    handler.dynamodb(from_change)(ping),
    handler.kafka(from_kafka)(ping),
    handler.firehose(from_firehose)(ping),
    handler.sns(from_sns)(ping),
    handler.eventbridge(from_bus)(ping),
]


class Shop:
    def place(self, order: PlaceOrder, deps: Needs) -> Placed:
        return place(order, deps)

    def __call__(self, order: PlaceOrder) -> int:
        return len(order.sku)


by_method = handler.kinesis(PlaceOrder, deps=DEPS)(Shop().place)
by_object = handler.kinesis(PlaceOrder)(Shop())
by_partial = handler.kinesis(PlaceOrder)(partial(place, deps=DEPS))


@handler.http(PlaceOrder)
def decorated(order: PlaceOrder) -> Placed:
    return Placed(order_id=order.sku)


@handler
def tick(event: dict[str, Any], context: LambdaContext) -> int:
    return len(event) + context.get_remaining_time_in_millis()


@handler
async def tick_async(event: dict[str, Any], context: LambdaContext) -> int:
    return len(event) + context.get_remaining_time_in_millis()


def check(context: LambdaContext, request: HttpRequest, handle: Handle[int]) -> None:
    assert_type(DEPS.price, Decimal)
    assert_type(decorated.logic(PlaceOrder(sku="a")), Placed)
    assert_type(api.logic(PlaceOrder(sku="a"), DEPS), Placed)
    assert_type(callable_first.logic(PlaceOrder(sku="a")), None)
    assert_type(by_lambda.logic("a"), str)
    assert_type(api({}, context), dict[str, Any])
    assert_type(tick({}, context), int)
    assert_type(tick_async({}, context), int)
    assert_type(handle(), int)
    assert_type(invocation(), Invocation)
    assert_type(parse_event({}), Event)
    assert_type(SqsEvent.model_validate({}).records[0].parse(PlaceOrder), PlaceOrder)
    assert_type(ApiGatewayHttpEvent.model_validate({}).request.headers["a"], str)
    assert_type(request.query.all("a"), tuple[str, ...])
    assert_type(stream.logic(PlaceOrder(sku="a"), DEPS), Placed)
    assert_type(by_method.logic(PlaceOrder(sku="a"), DEPS), Placed)
    assert_type(by_object.logic(PlaceOrder(sku="a")), int)
    assert_type(tasks({}, context), dict[str, Any])
    assert_type(parallel_map(len, ["a", "b"], max_workers=2, timeout_s=1), list[int])


async def check_async() -> None:
    assert_type(await fast.logic(PlaceOrder(sku="a"), DEPS), Placed)
    assert_type(await asynchronous.logic(PlaceOrder(sku="a"), DEPS), Placed)
    assert_type(await responding_async.logic(PlaceOrder(sku="a"), DEPS), Placed)


def fakes() -> None:
    OrderDeps(table=FakeTable(), required=2)
    context: LambdaContext = FakeContext(timeout_s=1)
    alone(LambdaEvents().api_v2("POST", "/", json={"sku": "a"}), context)


def takes_any_handler(wired: Handler[Any]) -> None: ...


takes_any_handler(api)
takes_any_handler(worker)
