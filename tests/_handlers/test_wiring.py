"""
The wiring line: mistakes are named where they are made, and the handler is what Lambda and decorators expect.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial, wraps
from types import FunctionType
from typing import Any, NamedTuple, TypedDict

import pytest
from pydantic import BaseModel

from lambda_kit import Deps, Reject, environment, handler, invocation, lazy, use
from lambda_kit._handlers._logic import name_of
from lambda_kit.errors import ConfigurationError
from lambda_kit.testing import FakeContext, LambdaEvents
from tests import fresh_process


class Order(BaseModel):
    sku: str


class Bundle(Deps):
    price: int = use(lambda: 1)


class Shop:
    def place(self, order: Order) -> str:
        return order.sku

    def __call__(self, order: Order, deps: Bundle) -> int:
        return deps.price


def one(order: Order) -> str:
    """
    Take an order.
    """
    return order.sku


def two(order: Order, deps: Bundle) -> int:
    return deps.price


def three(order: Order, deps: Bundle, more: int) -> None: ...
def defaulted(order: Order, deps: Bundle | None = None) -> None: ...
def variadic(*args: object) -> None: ...
def named(order: Order, *, deps: Bundle) -> None: ...
def named_default(order: Order, *, deps: Bundle | None = None) -> None: ...
def none() -> None: ...


def test_a_handler_is_named_for_its_logic() -> None:
    """
    Name, documentation and logic are those of the function; the signature is a handler's.
    """
    wired = handler.http(Order)(one)

    assert isinstance(wired, FunctionType)
    assert one is wired.logic
    assert ("one", "one", one.__doc__) == (wired.__name__, wired.__qualname__, wired.__doc__)


def test_a_handler_is_named_for_the_type_of_an_object() -> None:
    """
    What has no name of its own is called by its type's.
    """
    assert "Shop" == handler.http(Order, deps=Bundle())(Shop()).__name__


def test_a_handler_can_be_wrapped_by_decorators(events: LambdaEvents, context: FakeContext) -> None:
    """
    Decorators of other libraries go around a handler as around a function.
    """

    def decorator(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def inner(event: Any, context: Any) -> Any:
            return {**function(event, context), "wrapped": function.__name__}

        return inner

    wired = decorator(handler.http(Order)(one))

    assert "one" == wired(events.api_v2("POST", "/", json={"sku": "a"}), context)["wrapped"]


@pytest.mark.parametrize(
    "logic",
    [
        one,
        Shop().place,
        partial(two, deps=Bundle()),
        defaulted,
        variadic,
        named_default,
        lambda order: None,
        print,
        dict,
        Order.model_validate,
    ],
    ids=name_of,
)
def test_logic_of_one_input_is_accepted_in_every_form(logic: Any) -> None:
    """
    Functions, methods, partials, lambdas and builtins that can be called with one argument.
    """
    assert logic == handler.sqs(Order)(logic).logic


@pytest.mark.parametrize("logic", [two, Shop(), partial(three, more=1), defaulted, variadic, dict.fromkeys], ids=name_of)
def test_logic_with_dependencies_is_accepted_in_every_form(logic: Any) -> None:
    """
    The same with two arguments.
    """
    assert logic == handler.sqs(Order, deps=Bundle())(logic).logic


@pytest.mark.parametrize(
    ("logic", "message"),
    [
        (two, "two with the input: it takes (order, deps): give what deps shall be as deps="),
        (Shop(), "Shop with the input: it takes (order, deps): give what deps shall be as deps="),
        (three, "three with the input: it takes (order, deps, more): give the others defaults, or bind them with functools.partial"),
        (none, "none with the input: it takes (): add a parameter for the input"),
        (named, "named with the input: it wants deps by name, in (order, *, deps), and they come by place: write no * before them"),
        (partial(one, order=Order(sku="a")), "partial with the input: it takes (*, order=...): add a parameter for the input"),
        (handler.http(Order)(one), "one with the input: it is a handler already: wire its .logic"),
    ],
    ids=["two", "an object of two", "three", "none", "by name", "bound by name", "wired twice"],
)
def test_logic_of_another_number_of_parameters_is_refused(logic: Any, message: str) -> None:
    """
    The error names the wiring line, the function, what it is called with, what it takes instead, and what to do.
    """
    with pytest.raises(ConfigurationError, match=re.escape(f"handler.http(Order) calls {message}")):
        handler.http(Order)(logic)


@pytest.mark.parametrize(
    ("logic", "message"),
    [
        (one, "one with the input and deps: it takes (order): add a parameter for deps, or wire it without deps="),
        (Shop().place, "place with the input and deps: it takes (order): add a parameter for deps, or wire it without deps="),
        (named_default, "named_default with the input and deps: it takes (order, *, deps=...): add a parameter for deps"),
        (three, "three with the input and deps: it takes (order, deps, more): give the others defaults"),
        (none, "none with the input and deps: it takes (): add a parameter for the input and deps"),
        (named, "named with the input and deps: it wants deps by name"),
    ],
    ids=["one", "a method of one", "a default by name", "three", "none", "by name"],
)
def test_logic_that_takes_no_dependencies_is_refused(logic: Any, message: str) -> None:
    """
    The same where there are dependencies.
    """
    with pytest.raises(ConfigurationError, match=re.escape(f"handler.invoke(Order) calls {message}")):
        handler.invoke(Order, deps=Bundle())(logic)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (one, "one with event and context: it takes (order): add a parameter for context"),
        (three, "three with event and context: it takes (order, deps, more): give the others defaults"),
    ],
    ids=["one", "three"],
)
def test_a_bare_handler_of_another_number_of_parameters_is_refused(function: Any, message: str) -> None:
    """
    It gets event and context, and says so.
    """
    with pytest.raises(ConfigurationError, match=re.escape(f"@handler calls {message}")):
        handler(function)


@pytest.mark.parametrize(
    ("wire", "message"),
    [
        (lambda: handler.http(Order(sku="a")), r"handler\.http takes a model class or a function first: got Order"),  # type: ignore[call-overload]
        (lambda: handler.http(Order, deps=Bundle)(two), r"handler\.http\(Order\): deps is the class Bundle: write deps=Bundle\(\)"),  # type: ignore[arg-type]
        (lambda: handler.sqs(Order, errors=[]), r"handler\.sqs\(Order\): errors is a list: write a table, such as errors="),  # type: ignore[call-overload]
        (lambda: handler.sqs(Order, errors=OSError("x")), "errors is an OSError: write a table"),  # type: ignore[call-overload]
        (lambda: handler.http(Order, status="created"), "handler.http: status='created': the status of an answer is a whole"),  # type: ignore[call-overload]
        (lambda: handler.http(Order, status=True), "status=True"),
        (lambda: handler.http(Order, status=100), "status=100"),
        (lambda: handler.http(Order, respond="x"), "respond is a str: give a function that makes a Response of the result"),  # type: ignore[call-overload]
        (lambda: handler.http(Order, preload="no"), r"handler\.http\(Order\): preload='no': write preload=True or preload=False"),  # type: ignore[call-overload]
        (lambda: handler.sqs(Order, skip_group="no"), "handler.sqs: skip_group='no': write skip_group=True or skip_group=False"),  # type: ignore[call-overload]
        (lambda: handler.sqs(Order, on_reject=["drop"]), 'on_reject is "fail" or "drop", not'),  # type: ignore[call-overload]
        (lambda: handler.sqs(Order, concurrency="4"), "handler.sqs: concurrency='4': a whole number of records"),  # type: ignore[call-overload]
        (lambda: handler.kafka(Order, reserve_s="1"), "handler.kafka: reserve_s='1': seconds kept for the answer are a number"),  # type: ignore[call-overload]
        (lambda: handler.task(Order, token=1), "handler.task: token=1, payload=None: they are keys of the event"),  # type: ignore[call-overload]
        (lambda: handler.task(Order, payload=b"x"), "payload=b'x'"),  # type: ignore[call-overload]
        (lambda: handler.task(Order, heartbeat_s="10"), "heartbeat_s='10': seconds between heartbeats are a number"),  # type: ignore[call-overload]
        (lambda: handler.sqs(Order, errors={KeyError: Reject})(one), r"errors\[KeyError\] is the class Reject: write Reject\(\)"),  # type: ignore[dict-item]
        (lambda: handler.sqs(Order, errors={KeyError: 404})(one), r"errors\[KeyError\] is neither Reject\(\), Retry\(\) nor a function"),  # type: ignore[dict-item]
        (lambda: handler.event(Order, errors={"KeyError": Reject()})(one), "errors maps exception classes, not 'KeyError'"),  # type: ignore[arg-type]
        (lambda: handler.event(Order, errors={SystemExit: Reject()})(one), "errors maps exception classes, not <class 'SystemExit'>"),  # type: ignore[type-var]
        (lambda: handler.sqs(Order, on_reject="ignore"), r'handler\.sqs: on_reject is "fail" or "drop", not \'ignore\''),  # type: ignore[call-overload]
        (lambda: handler.http(Order)(3), r"handler\.http\(Order\) wires a function: got int"),  # type: ignore[arg-type]
        (lambda: handler(none), "@handler calls none with"),
        (lambda: handler(3), "the Handler setting must name yours"),  # type: ignore[call-overload]
    ],
)
def test_wiring_mistakes_are_named_at_import(wire: Callable[[], object], message: str) -> None:
    """
    What is wrong with a wiring line is said when it is read, not when a request comes.
    """
    with pytest.raises(ConfigurationError, match=message):
        wire()


def test_lambda_calling_the_kits_own_handler_is_explained(context: FakeContext) -> None:
    """
    A Handler setting that points at the imported name is the likely mistake.
    """
    with pytest.raises(ConfigurationError, match="the Handler setting must name yours"):
        handler({}, context)  # type: ignore[call-overload]


def test_lambda_calling_a_line_without_logic_is_explained(context: FakeContext) -> None:
    """
    A decorator that was used without brackets takes the logic for the model.
    """

    @handler.http  # type: ignore[arg-type]  # the mistake
    def place(order: Order) -> None: ...

    with pytest.raises(
        ConfigurationError, match=r"handler\.http\(place\) was wired without its logic: write handler\.http\(place\)\(function\)"
    ):
        place({}, context)  # type: ignore[arg-type, call-arg]


def test_a_bare_handler_gets_event_and_context(context: FakeContext) -> None:
    """
    Event and context come as they are, by place or by name, inside an invocation; the result becomes plain JSON.
    """

    @handler
    def tick(event: dict[str, Any], context: FakeContext) -> object:
        """
        Tick.
        """
        return {"seen": event, "id": invocation().request_id, "sku": Order(sku="a")}

    expected = {"seen": {"a": 1}, "id": context.aws_request_id, "sku": {"sku": "a"}}

    assert expected == tick({"a": 1}, context)
    assert expected == tick(event={"a": 1}, context=context)
    assert ("tick", "Tick.") == (tick.__name__, (tick.__doc__ or "").strip())
    assert callable(tick.logic)  # type: ignore[attr-defined]


def test_a_bare_handler_may_be_asynchronous(context: FakeContext) -> None:
    """
    Lambda gets the result, not a coroutine.
    """

    @handler
    async def tick(event: dict[str, Any], context: FakeContext) -> int:
        return event["n"] + 1  # type: ignore[no-any-return]

    assert 3 == tick({"n": 2}, context)


def test_a_handler_inside_a_handler_is_the_same_invocation(events: LambdaEvents, context: FakeContext) -> None:
    """
    Entering again with the same context counts and clears nothing.
    """
    inner = handler.http(Order)(lambda order: invocation().request_id)

    @handler
    def outer(event: dict[str, Any], context: FakeContext) -> object:
        answer = inner(event, context)
        return [answer["body"], invocation().request_id, environment().invocations]

    assert [f'"{context.aws_request_id}"', context.aws_request_id, 1] == outer(events.api_v2("POST", "/", json={"sku": "a"}), context)


class Client:
    """
    Preloads like a client's stand-in.
    """

    def __init__(self) -> None:
        self.built = 0

    @staticmethod
    def __preload__(things: list[Client], _: float) -> None:
        for thing in things:
            thing.built += 1


@pytest.mark.parametrize(
    ("environ", "options", "expected"),
    [
        ({"AWS_LAMBDA_RUNTIME_API": "x", "_HANDLER": f"{__name__}.api"}, {}, 1),
        ({"AWS_LAMBDA_RUNTIME_API": "x", "_HANDLER": f"{__name__.replace('.', '/')}.api"}, {}, 1),
        ({"AWS_LAMBDA_RUNTIME_API": "x", "_HANDLER": f"{__name__}.api"}, {"preload": False}, 0),
        ({"AWS_LAMBDA_RUNTIME_API": "x", "_HANDLER": "another.module.api"}, {}, 0),
        ({"AWS_LAMBDA_RUNTIME_API": "x"}, {}, 0),
        ({"_HANDLER": f"{__name__}.api"}, {}, 0),
    ],
)
def test_clients_are_built_at_the_end_of_init(
    monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], options: dict[str, Any], expected: int
) -> None:
    """
    On Lambda, wiring in the module that the Handler setting names builds the clients; elsewhere nothing is built.
    """
    one, fetched = Client(), []

    class Clients(Deps):
        client: object = one
        parameter: int = use(lazy(lambda: fetched.append(1)))  # type: ignore[assignment]  # never called

    monkeypatch.delenv("_HANDLER", raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)

    handler.http(Order, deps=Clients(), **options)(two)

    assert (expected, []) == (one.built, fetched)


class DurableContext:
    """
    The context of a durable function: it holds the runtime's.
    """

    def __init__(self, inner: FakeContext) -> None:
        self.lambda_context = inner

    def step(self, value: int) -> int:
        return value + 1


class SuspendExecution(BaseException):
    """
    How a durable function stops to be continued later.
    """


def test_a_durable_function_passes_through(context: FakeContext) -> None:
    """
    Inside a durable decorator the function gets the durable context itself, and the invocation is the runtime's.
    """

    @handler
    def durable(event: dict[str, Any], context: DurableContext) -> dict[str, Any]:
        return {"step": context.step(event["n"]), "request": invocation().request_id}

    assert {"step": 2, "request": context.aws_request_id} == durable({"n": 1}, DurableContext(context))


def test_a_suspension_passes_through(context: FakeContext) -> None:
    """
    What stops a durable function is no error of the logic's: no wiring line answers it.
    """

    def suspend(order: Order) -> None:
        raise SuspendExecution

    for wire in (handler.invoke, handler.event):
        with pytest.raises(SuspendExecution):
            wire(Order)(suspend)({"sku": "a"}, DurableContext(context))  # type: ignore[arg-type]  # it has what is asked for


@dataclass
class DataOrder:
    sku: str


class TypedOrder(TypedDict):
    sku: str


class NamedOrder(NamedTuple):
    sku: str


@pytest.mark.parametrize(
    ("first", "message"),
    [
        (DataOrder, "DataOrder is a dataclass, which validates nothing: give a pydantic model, or a function that makes a DataOrder"),
        (TypedOrder, "TypedOrder is a TypedDict"),
        (NamedOrder, "NamedOrder is a NamedTuple"),
        (dict, "dict is a built-in class"),
    ],
    ids=["dataclass", "TypedDict", "NamedTuple", "built-in"],
)
def test_a_class_that_validates_nothing_is_refused(first: Any, message: str) -> None:
    """
    It would take the whole request for its first field.
    """
    with pytest.raises(ConfigurationError, match=message):
        handler.http(first)


def test_a_class_that_reads_the_record_itself_is_a_function_of_it(events: LambdaEvents, context: FakeContext) -> None:
    """
    Other classes say in __init__ what they make of it.
    """

    class Body:
        def __init__(self, record: Any) -> None:
            self.text = record.body

    seen: list[str] = []

    handler.sqs(Body)(lambda body: seen.append(body.text))(events.sqs("hello"), context)

    assert ["hello"] == seen


@pytest.mark.parametrize("wiring", ["handler.invoke(lambda event: event)(lambda event: 1)", "handler(lambda event, context: 1)"])
def test_wiring_under_snapstart_watches_restores(wiring: str) -> None:
    """
    Also when there is nothing to preload: copies of the snapshot would share what the kit resets on a restore.
    """
    code = f"""
        import json
        from lambda_kit import handler

        wired = {wiring}
        import snapshot_restore_py
        hooks = [snapshot_restore_py.get_before_snapshot(), snapshot_restore_py.get_after_restore()]
        print(json.dumps([[hook.__name__ for hook, _, _ in each] for each in hooks]))
    """
    environ = {"AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start", "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9", "_HANDLER": "__main__.wired"}

    assert [["take_snapshot"], ["restored"]] == fresh_process.result(code, environ=environ)
