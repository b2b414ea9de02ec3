"""
Handlers of the kit inside and outside of Powertools' decorators: one invocation, and both do their work.
"""

from __future__ import annotations

import io
import json
import os
from typing import Any

import pytest
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.utilities.data_classes import SQSEvent, event_source
from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer, IdempotencyConfig, idempotent
from pydantic import BaseModel

from lambda_kit import environment, handler, invocation, per_invocation
from lambda_kit.testing import FakeContext, LambdaEvents
from tests.aws_server import AwsServer


class Order(BaseModel):
    sku: str


number = per_invocation(lambda: environment().invocations)


def place(order: Order) -> dict[str, Any]:
    return {"sku": order.sku, "request": invocation().request_id, "number": number()}


direct = handler.invoke(Order)(place)


@pytest.fixture(autouse=True)
def _settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Powertools' own set-up, with a tracer that sends nothing; its cold start is the module's.
    """
    settings = {"POWERTOOLS_SERVICE_NAME": "shop", "POWERTOOLS_METRICS_NAMESPACE": "shop", "POWERTOOLS_TRACE_DISABLED": "true"}
    for name, value in settings.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def lines() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def logger(lines: io.StringIO) -> Logger:
    # Loggers of one name share their stream.
    return Logger(service=f"shop-{id(lines)}", stream=lines)


def _outside(logger: Logger, wired: Any) -> Any:
    """
    Put Powertools' decorators around *wired*.
    """
    tracer, metrics = Tracer(disabled=True), Metrics(namespace="shop")

    @logger.inject_lambda_context(clear_state=True)
    @tracer.capture_lambda_handler
    @metrics.log_metrics(capture_cold_start_metric=True, raise_on_empty_metrics=False)
    def entry(event: dict[str, Any], context: Any) -> Any:
        metrics.add_metric("Orders", "Count", 1)
        return wired(event, context)

    return entry


def _inside(logger: Logger) -> Any:
    """
    Put a kit handler around Powertools' decorators.
    """
    tracer, metrics = Tracer(disabled=True), Metrics(namespace="shop")

    @handler
    @logger.inject_lambda_context
    @tracer.capture_lambda_handler
    @metrics.log_metrics(raise_on_empty_metrics=False)
    def entry(event: dict[str, Any], context: Any) -> Any:
        logger.info("working")
        metrics.add_metric("Orders", "Count", 1)
        # A kit handler inside of them again: still the one invocation.
        return [direct(event, context), number(), environment().invocations]

    return entry


def test_powertools_outside(logger: Logger, context: FakeContext) -> None:
    """
    The kit's handler is a function of event and context for logger, tracer and metrics.
    """
    entry = _outside(logger, direct)

    assert {"sku": "a", "request": context.aws_request_id, "number": 1} == entry({"sku": "a"}, context)
    assert 2 == entry({"sku": "a"}, FakeContext())["number"]


def test_powertools_inside(logger: Logger, lines: io.StringIO, context: FakeContext, capsys: pytest.CaptureFixture[str]) -> None:
    """
    Decorated functions are wired as they are; entering again inside of them neither counts nor clears.
    """
    entry = _inside(logger)

    assert [{"sku": "a", "request": context.aws_request_id, "number": 1}, 1, 1] == entry({"sku": "a"}, context)
    assert [context.aws_request_id] == [json.loads(line)["function_request_id"] for line in lines.getvalue().splitlines()]
    assert [[1.0]] == [json.loads(line)["Orders"] for line in capsys.readouterr().out.splitlines()]


def test_an_error_passes_both(logger: Logger, context: FakeContext) -> None:
    """
    What logic raises reaches Lambda through all of them.
    """

    def fail(order: Order) -> None:
        raise KeyError(order.sku)

    with pytest.raises(KeyError, match="a"):
        _outside(logger, handler.invoke(Order)(fail))({"sku": "a"}, context)
    with pytest.raises(LookupError):
        invocation()


def test_event_source_inside_and_batch_outside(logger: Logger, events: LambdaEvents, context: FakeContext) -> None:
    """
    Powertools' data class reaches a function inside a kit handler; a queue's handler works inside its decorators.
    """

    @event_source(data_class=SQSEvent)
    def reading(event: SQSEvent, context: Any) -> list[str]:
        return [f"{record.body} {invocation().request_id}" for record in event.records]

    entry: Any = handler(reading)
    batch = events.sqs({"sku": "a"}, "bad")

    assert [f'{{"sku": "a"}} {context.aws_request_id}', f"bad {context.aws_request_id}"] == entry(batch, context)
    assert [{"itemIdentifier": batch["Records"][1]["messageId"]}] == _outside(logger, handler.sqs(Order)(place))(batch, FakeContext())[
        "batchItemFailures"
    ]


@pytest.mark.parametrize("is_outside", [True, False], ids=["outside", "inside"])
def test_idempotent(aws_environ: AwsServer, context: FakeContext, is_outside: bool) -> None:
    """
    The second invocation gets the first one's result, and the logic runs once, whichever way they nest.
    """
    import boto3

    boto3.client("dynamodb").create_table(
        TableName="idempotency",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    assert os.environ["AWS_ENDPOINT_URL"] == aws_environ.url
    store = DynamoDBPersistenceLayer(table_name="idempotency")
    config = IdempotencyConfig(event_key_jmespath="sku")
    config.register_lambda_context(context)  # type: ignore[arg-type]  # Powertools wants a class of its own
    calls = []

    def logic(order: Order) -> str:
        calls.append(invocation().request_id)
        return order.sku

    wired: Any = handler.invoke(Order)(logic)
    once = idempotent(persistence_store=store, config=config)
    entry: Any = once(wired) if is_outside else handler(once(wired))

    assert ["a", "a"] == [entry({"sku": "a"}, each) for each in (context, FakeContext())]
    assert [context.aws_request_id] == calls
