"""
handler.http: results as JSON, errors as problem documents, never a traceback.
"""

from __future__ import annotations

import asyncio
import json
import logging
from decimal import Decimal
from typing import Any

import pytest
from pydantic import BaseModel

from lambda_kit import Deps, HttpRequest, Reject, Response, Retry, errors, handler, invocation, use
from lambda_kit.testing import FakeContext, LambdaEvents
from tests.events.payloads import payload


class Order(BaseModel):
    sku: str
    quantity: int


class Placed(BaseModel):
    sku: str
    total: Decimal


class Prices(Deps):
    price: Decimal = use(lambda: Decimal("2.50"))


class ShopError(Exception):
    pass


class OutOfStockError(ShopError):
    pass


class BusyError(ShopError):
    seconds = 7


class SlowError(ShopError):
    pass


def place(order: Order, deps: Prices) -> Placed:
    return Placed(sku=order.sku, total=order.quantity * deps.price)


def raising(exc: Exception) -> Any:
    def logic(order: Order) -> None:
        raise exc

    return logic


def _problem(answer: dict[str, Any]) -> dict[str, Any]:
    assert "application/problem+json" == answer["headers"]["content-type"]
    document: dict[str, Any] = json.loads(answer["body"])
    assert document["status"] == answer["statusCode"]
    return document


@pytest.fixture
def order_event(events: LambdaEvents) -> dict[str, Any]:
    return events.api_v2("POST", "/orders", json={"sku": "a", "quantity": 2})


def test_a_model_validates_the_body_and_the_result_becomes_json(order_event: dict[str, Any], context: FakeContext) -> None:
    """
    The JSON body is the logic's input, its dependencies are current, and the result is the answer's body.
    """
    api = handler.http(Order, deps=Prices(), status=201)(place)

    assert {
        "statusCode": 201,
        "headers": {"content-type": "application/json"},
        "body": '{"sku":"a","total":"5.00"}',
        "isBase64Encoded": False,
    } == api(order_event, context)


@pytest.mark.parametrize("name", ["apigw_http_v2", "apigw_http_v2__base64", "function_url", "apigw_rest", "apigw_http_v1"])
def test_every_http_source_is_served(name: str, context: FakeContext) -> None:
    """
    One handler serves every HTTP source, Base64 or not.
    """
    api = handler.http(Order)(lambda order: order.quantity)

    assert (200, "2") == (api(payload(name), context)["statusCode"], api(payload(name), context)["body"])


def test_any_callable_of_the_request_makes_the_input(order_event: dict[str, Any], context: FakeContext) -> None:
    """
    Instead of a model, a function of the request says what the logic gets.
    """
    api = handler.http(lambda request: request.path)(lambda path: {"path": path})

    assert '{"path":"/orders"}' == api(order_event, context)["body"]


def test_nothing_is_204(order_event: dict[str, Any], context: FakeContext) -> None:
    """
    Logic that returns nothing is answered without a body, whatever the status of results.
    """
    answer = handler.http(Order, status=201)(lambda order: None)(order_event, context)

    assert (204, "", {}) == (answer["statusCode"], answer["body"], answer["headers"])


def test_respond_makes_the_response(order_event: dict[str, Any], context: FakeContext) -> None:
    """
    Status, headers and cookies may depend on the result.
    """

    def created(placed: Placed) -> Response:
        return Response(201, placed, {"location": f"/orders/{placed.sku}"}, cookies=["last=a"])

    answer = handler.http(Order, deps=Prices(), respond=created)(place)(order_event, context)

    assert (201, "/orders/a", ["last=a"]) == (answer["statusCode"], answer["headers"]["location"], answer["cookies"])
    assert "application/json" == answer["headers"]["content-type"]


def test_asynchronous_logic_is_awaited(order_event: dict[str, Any], context: FakeContext) -> None:
    """
    An async function is wired like any other.
    """

    async def logic(order: Order) -> int:
        return order.quantity

    assert "2" == handler.http(Order)(logic)(order_event, context)["body"]


def test_a_body_that_does_not_fit_is_400_with_the_fields(events: LambdaEvents, context: FakeContext) -> None:
    """
    The client learns which fields are wrong and why; what it sent is not repeated.
    """
    event = events.api_v2("POST", "/orders", json={"sku": ["secret"], "colour": "secret"})

    answer = handler.http(Order)(raising(AssertionError()))(event, context)

    assert 400 == answer["statusCode"]
    assert "secret" not in answer["body"]
    assert {
        "type": "about:blank",
        "title": "Bad Request",
        "status": 400,
        "detail": "The request does not have the form expected.",
        "instance": context.aws_request_id,
        "errors": [{"field": "sku", "message": "Input should be a valid string"}, {"field": "quantity", "message": "Field required"}],
    } == _problem(answer)


@pytest.mark.parametrize("body", [None, "", "{", "null", b"\xff"])
def test_a_body_that_is_no_json_is_400(events: LambdaEvents, context: FakeContext, body: str | bytes | None) -> None:
    """
    A body that is missing, damaged or of another kind is the client's fault.
    """
    answer = handler.http(Order)(raising(AssertionError()))(events.api_v2("POST", "/orders", body=body), context)

    assert 400 == _problem(answer)["status"]


def test_base64_that_is_none_says_so(events: LambdaEvents, context: FakeContext) -> None:
    """
    An error without fields is told in the detail.
    """
    event = {**events.api_v2("POST", "/", body="!"), "isBase64Encoded": True}

    answer = handler.http(Order)(raising(AssertionError()))(event, context)

    assert "the body is not the Base64 that the event says it is" == _problem(answer)["detail"]


@pytest.mark.parametrize(
    ("exc", "status", "detail"),
    [
        (OutOfStockError("only 1 left"), 409, "only 1 left"),
        (ShopError("closed"), 404, "closed"),
        (KeyError("x"), 422, "'x'"),
    ],
)
def test_a_mapped_error_is_rejected_with_its_message(
    order_event: dict[str, Any], context: FakeContext, exc: Exception, status: int, detail: str
) -> None:
    """
    The most specific class of the table decides the status, and what the error says is the detail.
    """
    table = {ShopError: Reject(status=404), OutOfStockError: Reject(status=409), LookupError: lambda exc: Reject(status=422)}

    answer = handler.http(Order, errors=table)(raising(exc))(order_event, context)  # type: ignore[arg-type]  # a mixed table

    assert (status, detail) == (answer["statusCode"], _problem(answer)["detail"])


@pytest.mark.parametrize(
    ("exc", "retry_after"),
    [(BusyError(), "7"), (errors.DeadlineError("late"), "1"), (errors.ConnectTimeoutError("no route"), "1"), (SlowError(), "2")],
)
def test_retry_is_503_without_details(
    order_event: dict[str, Any], context: FakeContext, caplog: pytest.LogCaptureFixture, exc: Exception, retry_after: str
) -> None:
    """
    What may succeed later is 503 with Retry-After, for the kit's own retryable errors too; the log has the reason.
    """
    api = handler.http(Order, errors={BusyError: lambda exc: Retry(after_s=exc.seconds), SlowError: Retry(after_s=2)})(raising(exc))

    answer = api(order_event, context)

    assert (503, retry_after) == (answer["statusCode"], answer["headers"]["retry-after"])
    assert "Try again later." == _problem(answer)["detail"]
    assert type(exc).__name__ in caplog.text


@pytest.mark.parametrize("exc", [ValueError("secret"), errors.CommitUnknownError("secret"), errors.ConfigurationError("secret")])
def test_a_bug_is_500_with_nothing_but_the_request_id(
    order_event: dict[str, Any], context: FakeContext, caplog: pytest.LogCaptureFixture, exc: Exception
) -> None:
    """
    A client sees no message and no traceback; the log has both, under the same request id.
    """
    answer = handler.http(Order)(raising(exc))(order_event, context)

    assert {"type": "about:blank", "title": "Internal Server Error", "status": 500, "instance": context.aws_request_id} == _problem(answer)
    assert f"(request {context.aws_request_id})" in caplog.text
    assert "Traceback" in caplog.text


def test_a_result_that_cannot_be_json_is_a_bug(order_event: dict[str, Any], context: FakeContext, caplog: pytest.LogCaptureFixture) -> None:
    """
    The log says where in the result it is and of what type.
    """
    answer = handler.http(Order)(lambda order: {"order": [object()]})(order_event, context)

    assert 500 == answer["statusCode"]
    assert "result.order.0 is of type builtins.object" in caplog.text


@pytest.mark.parametrize(
    ("entry", "message"),
    [(lambda exc: exc.missing, "the errors entry for ShopError failed"), (lambda _: 404, "gave int, no Reject or Retry")],
    ids=["raises", "returns"],
)
def test_a_broken_table_entry_leaves_a_bug(
    order_event: dict[str, Any], context: FakeContext, caplog: pytest.LogCaptureFixture, entry: Any, message: str
) -> None:
    """
    When the function of the exception fails, the request is answered by 500 and both failures are logged.
    """
    answer = handler.http(Order, errors={ShopError: entry})(raising(ShopError()))(order_event, context)

    assert 500 == answer["statusCode"]
    assert message in caplog.text
    assert "logic failed: ShopError" in caplog.text


def test_a_rejection_is_no_warning(order_event: dict[str, Any], context: FakeContext, caplog: pytest.LogCaptureFixture) -> None:
    """
    What clients do wrong is noted, and wakes nobody.
    """
    with caplog.at_level(logging.INFO):
        handler.http(Order, errors={ShopError: Reject()})(raising(ShopError()))(order_event, context)

    assert [("INFO", f"logic rejected the request: ShopError (request {context.aws_request_id})")] == [
        (record.levelname, record.getMessage()) for record in caplog.records
    ]


def test_an_event_of_another_source_raises(events: LambdaEvents, context: FakeContext) -> None:
    """
    An HTTP answer to a queue would look like success, and the messages would be gone.
    """
    with pytest.raises(errors.EventError, match="no HTTP request"):
        handler.http(Order)(raising(AssertionError()))(events.sqs("a"), context)


def test_the_process_may_still_end(order_event: dict[str, Any], context: FakeContext) -> None:
    """
    What is no Exception passes through.
    """

    def logic(order: Order) -> None:
        raise SystemExit(3)

    with pytest.raises(SystemExit):
        handler.http(Order)(logic)(order_event, context)


def test_logic_runs_inside_the_invocation(order_event: dict[str, Any], context: FakeContext) -> None:
    """
    While reading, deciding and responding, the invocation is the current one; afterwards there is none.
    """
    seen = []

    def read(request: HttpRequest) -> str:
        seen.append(invocation().request_id)
        return request.path

    handler.http(read)(lambda _: seen.append(invocation().request_id))(order_event, context)

    assert [context.aws_request_id] * 2 == seen
    with pytest.raises(LookupError):
        invocation()


@pytest.mark.parametrize(
    "exc",
    [
        errors.ParameterNotFoundError("secret 'prod/orders/db' not found", name="prod/orders/db"),
        errors.ParameterValueError("secret 'prod/orders/db' is no number", name="prod/orders/db"),
        errors.LoginError("secret 'prod/orders/db' was refused"),
    ],
    ids=lambda exc: type(exc).__name__,
)
def test_the_kits_failures_are_not_meant_by_builtin_classes(order_event: dict[str, Any], context: FakeContext, exc: Exception) -> None:
    """
    A LookupError in the table is the logic's: a secret that was not found is no 404, and its name is not shown.
    """
    table: dict[type[Exception], Reject] = {LookupError: Reject(status=404), ValueError: Reject(status=422), OSError: Reject()}

    answer = handler.http(Order, errors={**table, Exception: Reject()})(raising(exc))(order_event, context)

    assert 500 == answer["statusCode"]
    assert "prod/orders/db" not in answer["body"]


def test_the_kits_failures_are_meant_by_classes_of_the_kit(order_event: dict[str, Any], context: FakeContext) -> None:
    """
    Who names one of them, or their root, means it; an event that does not fit is a ValueError all the same.
    """
    kits = handler.http(Order, errors={errors.LambdaKitError: Reject(status=404)})(raising(errors.ParameterNotFoundError("gone")))
    events_own = handler.http(Order, errors={ValueError: Reject(status=422)})(raising(errors.EventError("misfit")))

    assert [404, 422] == [api(order_event, context)["statusCode"] for api in (kits, events_own)]


def test_an_answer_that_fails_is_a_bug_whatever_the_table_says(order_event: dict[str, Any], context: FakeContext) -> None:
    """
    The logic is done by then; a client told that its request was wrong would send it again.
    """

    def respond(result: object) -> Response:
        raise KeyError(result)

    table = {LookupError: Reject(status=404), errors.LambdaKitError: Reject(status=422)}
    responding = handler.http(Order, errors=table, respond=respond)(lambda order: 1)
    unserialisable = handler.http(Order, errors=table)(lambda order: object())

    assert [500, 500] == [api(order_event, context)["statusCode"] for api in (responding, unserialisable)]


def test_an_error_alone_in_a_group_means_what_it_does_without_one(order_event: dict[str, Any], context: FakeContext) -> None:
    """
    A TaskGroup wraps what its only failing task raised; the client gets to know that.
    """

    async def fail() -> None:
        raise OutOfStockError("gone")

    async def logic(order: Order) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(fail())

    answer = handler.http(Order, errors={OutOfStockError: Reject(status=409)})(logic)(order_event, context)

    assert (409, "gone") == (answer["statusCode"], _problem(answer)["detail"])


@pytest.mark.parametrize(
    ("exc", "status"),
    [
        (ExceptionGroup("", [OutOfStockError(), OutOfStockError()]), 418),
        (ExceptionGroup("", [KeyError()]), 418),
        (ExceptionGroup("", [ExceptionGroup("", [OutOfStockError()])]), 409),
        (ExceptionGroup("", [errors.EventError()]), 400),
        (ExceptionGroup("", [errors.DeadlineError()]), 503),
    ],
    ids=["two", "unmapped", "nested", "kit's rejection", "kit's retry"],
)
def test_groups_themselves_can_be_mapped(order_event: dict[str, Any], context: FakeContext, exc: Exception, status: int) -> None:
    """
    The table is asked for the one error first, then for the group.
    """
    table = {OutOfStockError: Reject(status=409), ExceptionGroup: Reject(status=418)}
    if status in {400, 503}:
        del table[ExceptionGroup]

    assert status == handler.http(Order, errors=table)(raising(exc))(order_event, context)["statusCode"]


def test_an_error_that_cannot_say_what_it_is_is_answered(order_event: dict[str, Any], context: FakeContext) -> None:
    """
    A broken __str__ leaves the detail out.
    """

    class WeirdError(Exception):
        def __str__(self) -> str:
            raise RuntimeError("broken")

    answer = handler.http(Order, errors={WeirdError: Reject(status=409)})(raising(WeirdError()))(order_event, context)

    assert 409 == answer["statusCode"]
    assert "detail" not in _problem(answer)


def test_a_model_made_by_a_function_refuses_the_request_too(
    events: LambdaEvents, context: FakeContext, caplog: pytest.LogCaptureFixture
) -> None:
    """
    What pydantic refuses while the input is read is 400 with the fields; no value is sent back or logged.
    """
    event = events.api_v2("GET", "/", query={"sku": "a", "quantity": "4111-secret"})

    with caplog.at_level(logging.INFO):
        answer = handler.http(lambda request: Order.model_validate(request.query))(raising(AssertionError()))(event, context)

    assert (400, ["quantity"]) == (answer["statusCode"], [each["field"] for each in _problem(answer)["errors"]])
    assert "4111" not in answer["body"] + caplog.text


def test_what_pydantic_refuses_in_the_logic_is_a_bug(order_event: dict[str, Any], context: FakeContext) -> None:
    """
    The request was read by then. So is any other error of the function that reads it, if it is not mapped.
    """
    in_logic = handler.http(Order)(lambda order: Order.model_validate({}))
    in_reader = handler.http(lambda request: int("x"))(raising(AssertionError()))

    assert [500, 500] == [api(order_event, context)["statusCode"] for api in (in_logic, in_reader)]


def test_a_cancelled_error_is_a_bug(order_event: dict[str, Any], context: FakeContext) -> None:
    """
    Logic that waits for a cancelled task is answered by 500, and the environment goes on.
    """

    async def logic(order: Order) -> None:
        task = asyncio.ensure_future(asyncio.sleep(60))
        task.cancel()
        await task

    assert 500 == handler.http(Order, errors={RuntimeError: Reject()})(logic)(order_event, context)["statusCode"]
