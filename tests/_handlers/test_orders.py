"""
A whole user's file, the one of tests/typing: imported without AWS, and answering on AWS as it says.
"""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest

from lambda_kit.testing import FakeContext, LambdaEvents
from tests import fresh_process
from tests.aws_server import AwsServer


def test_importing_it_builds_and_fetches_nothing() -> None:
    """
    Without region, credentials or settings the file can be imported, and no AWS or database package is.
    """
    code = """
        import json, os, sys
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            del os.environ[name]
        import tests.typing.orders_ok
        print(json.dumps(sorted({"boto3", "botocore", "psycopg"} & set(sys.modules))))
    """

    assert [] == fresh_process.result(code)


@pytest.fixture
def orders(aws_environ: AwsServer, monkeypatch: pytest.MonkeyPatch) -> Any:
    """
    The file, with a table and a price in AWS.
    """
    monkeypatch.setenv("ORDERS_TABLE", "orders")
    boto3.client("ssm").put_parameter(Name="/orders/price", Value="2.50", Type="String")
    boto3.client("dynamodb").create_table(
        TableName="orders",
        KeySchema=[{"AttributeName": "sku", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "sku", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    from tests.typing import orders_ok

    return orders_ok


def test_one_function_serves_every_source(orders: Any, events: LambdaEvents, context: FakeContext) -> None:
    """
    The same logic, dependencies and error table behind HTTP, a queue and a direct invocation.
    """
    good, bad = {"sku": "a", "quantity": 2}, {"sku": "b", "quantity": 11}

    created = orders.api(events.api_v2("POST", "/orders", json=good), context)
    refused = orders.api(events.api_v2("POST", "/orders", json=bad), FakeContext(timeout_s=60.0))
    batch = events.sqs(good, bad)

    assert (201, {"total": "5.00"}) == (created["statusCode"], json.loads(created["body"]))
    assert (409, "only 10 left") == (refused["statusCode"], json.loads(refused["body"])["detail"])
    assert [{"itemIdentifier": batch["Records"][1]["messageId"]}] == orders.worker(batch, FakeContext(timeout_s=60.0))["batchItemFailures"]
    assert {"total": "5.00"} == orders.direct(good, FakeContext(timeout_s=60.0))
    with pytest.raises(orders.OutOfStockError):
        orders.direct(bad, FakeContext(timeout_s=60.0))
    assert {"a": 1} == {key: value for key, value in orders.tick({"a": 1}, FakeContext(timeout_s=60.0)).items() if key != "left_ms"}
    assert ["a"] == [item["sku"]["S"] for item in boto3.client("dynamodb").scan(TableName="orders")["Items"]]


def test_the_logic_is_tested_with_fakes(orders: Any) -> None:
    """
    Members are replaced by keyword; the real ones are never built.
    """

    class FakeTable:
        def put_item(self, *, Item: dict[str, Any]) -> None:  # noqa: N803  # boto3's own argument name
            assert {"sku": "a"} == Item

    deps = orders.OrderDeps(table=FakeTable(), price=3)

    assert orders.Placed(total=6) == orders.api.logic(orders.PlaceOrder(sku="a", quantity=2), deps)
