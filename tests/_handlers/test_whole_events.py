"""
handler.invoke and handler.event: the whole event is the input, errors are raised.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from pydantic import BaseModel

from lambda_kit import Reject, errors, handler
from lambda_kit.events import SqsEvent
from lambda_kit.testing import FakeContext, LambdaEvents


class Order(BaseModel):
    sku: str
    quantity: int


class RefusedError(Exception):
    pass


ERRORS = {RefusedError: Reject()}


def refuse(order: object) -> None:
    raise RefusedError("no")


def test_an_invoke_answers_with_the_result(context: FakeContext) -> None:
    """
    The event is validated, and the result becomes plain JSON.
    """
    direct = handler.invoke(Order)(lambda order: {"total": order.quantity * Decimal("1.5"), "order": order})

    assert {"total": 3.0, "order": {"sku": "a", "quantity": 2}} == direct({"sku": "a", "quantity": 2}, context)


def test_an_invoke_raises_errors_by_their_class(context: FakeContext) -> None:
    """
    The caller sees the logic's own error, mapped or not, and an EventError for an event that does not fit.
    """
    direct = handler.invoke(Order, errors=ERRORS)(refuse)

    with pytest.raises(RefusedError):
        direct({"sku": "a", "quantity": 2}, context)
    with pytest.raises(errors.EventError, match="invoke: quantity: Field required"):
        direct({"sku": "a"}, context)


def test_an_unserialisable_result_is_an_error_that_says_where(context: FakeContext) -> None:
    """
    The error names the type and the place in the result.
    """
    with pytest.raises(errors.ConfigurationError, match=r"result\.stream is of type builtins\.object"):
        handler.invoke(Order)(lambda _: {"stream": object()})({"sku": "a", "quantity": 2}, context)


def test_any_callable_of_the_event_makes_the_input(context: FakeContext) -> None:
    """
    Instead of a model, a function of the event says what the logic gets.
    """
    assert {"n": 3} == handler.invoke(lambda event: int(event["n"]))(lambda n: {"n": n + 1})({"n": 2}, context)


def test_an_event_model_is_given_whole(events: LambdaEvents, context: FakeContext) -> None:
    """
    A model of the kit's own keeps the raw event; what the logic returns is not read.
    """
    seen: list[Any] = []
    raw = events.sqs("a")

    @handler.event(SqsEvent)
    def on_event(event: SqsEvent) -> object:
        seen.append(event.raw)
        return object()

    assert on_event(raw, context) is None
    assert [raw] == seen


def test_an_asynchronous_event_raises_so_that_it_is_tried_again(context: FakeContext) -> None:
    """
    Rejections are raised too, unless they are to be dropped.
    """
    with pytest.raises(RefusedError):
        handler.event(Order, errors=ERRORS)(refuse)({"sku": "a", "quantity": 1}, context)


def test_dropped_rejections_are_logged(context: FakeContext, caplog: pytest.LogCaptureFixture) -> None:
    """
    With on_reject="drop" a rejected event counts as done; a bug is raised as ever.
    """

    def buggy(order: Order) -> None:
        raise KeyError(order.sku)

    dropping = handler.event(Order, errors=ERRORS, on_reject="drop")

    assert dropping(refuse)({"sku": "a", "quantity": 1}, context) is None
    assert dropping(refuse)({"sku": "a"}, context) is None
    assert [f"refuse dropped an event: {name} (request {context.aws_request_id})" for name in ("RefusedError", "EventError")] == [
        record.getMessage() for record in caplog.records
    ]
    with pytest.raises(KeyError):
        dropping(buggy)({"sku": "a", "quantity": 1}, context)


def _sns(*messages: str) -> dict[str, Any]:
    return {"Records": [{"EventSource": "aws:sns", "Sns": {"Message": message, "TopicArn": "arn:t"}} for message in messages]}


def test_an_sns_message_is_the_input(context: FakeContext) -> None:
    """
    A model validates the message, a callable gets the record.
    """
    seen: list[Any] = []

    assert handler.sns(Order)(seen.append)(_sns('{"sku": "a", "quantity": 2}'), context) is None
    handler.sns(lambda record: record.sns.topic_arn)(seen.append)(_sns("text"), context)

    assert [Order(sku="a", quantity=2), "arn:t"] == seen


def test_an_eventbridge_detail_is_the_input(context: FakeContext) -> None:
    """
    A model validates the detail, text of a schedule too; a callable gets the event.
    """
    seen: list[Any] = []
    detail = {"sku": "a", "quantity": 2}
    event = {"source": "shop", "detail-type": "OrderPlaced", "detail": detail}

    assert handler.eventbridge(Order)(seen.append)(event, context) is None
    handler.eventbridge(Order)(seen.append)({**event, "detail": '{"sku": "b", "quantity": 1}'}, context)
    handler.eventbridge(lambda event: event.detail_type)(seen.append)(event, context)

    assert [Order(sku="a", quantity=2), Order(sku="b", quantity=1), "OrderPlaced"] == seen


@pytest.mark.parametrize(
    ("wire", "event", "message"),
    [
        (handler.sns, {}, "no event of sns: it has no list of Records"),
        (handler.sns, [], "no event of sns"),
        (handler.sns, {"Records": [{"Sns": {}}]}, "sns: Message: the record has none"),
        (handler.sns, _sns("no json"), "sns: Message: Invalid JSON"),
        (handler.eventbridge, {"source": "shop"}, "no event of eventbridge: it has no detail"),
        (handler.eventbridge, [], "no event of eventbridge"),
        (handler.eventbridge, {"detail": {"sku": "a"}}, "eventbridge: detail.quantity: Field required"),
    ],
)
def test_an_event_that_does_not_fit_raises_or_is_dropped(context: FakeContext, wire: Any, event: Any, message: str) -> None:
    """
    The error names the place; with on_reject="drop" it is logged instead.
    """
    with pytest.raises(errors.EventError, match=message):
        wire(Order)(refuse)(event, context)
    assert wire(Order, on_reject="drop")(refuse)(event, context) is None


@pytest.mark.parametrize(
    ("wire", "event", "field"),
    [
        (handler.invoke, {"sku": "secret"}, "quantity"),
        (handler.event, {"sku": "secret"}, "quantity"),
    ],
    ids=["invoke", "event"],
)
def test_a_model_made_by_a_function_refuses_the_event(context: FakeContext, wire: Any, event: Any, field: str) -> None:
    """
    The error is the one that the model itself would give, and holds no value of the input.
    """
    with pytest.raises(errors.EventError) as caught:
        wire(lambda event: Order(**event))(refuse)(event, context)

    assert field == caught.value.field
    assert (None, None) == (caught.value.__cause__, caught.value.__context__)
