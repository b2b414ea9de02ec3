"""
One logic module behind every kind of source, under Lambda's real runtime client: each error category as each source wants it.
"""

from __future__ import annotations

import json
import textwrap
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import pytest

from lambda_kit._local import LocalFunction
from lambda_kit._local._results import InvokeResult
from lambda_kit.testing import LambdaEvents
from tests.events.payloads import payload

_LOGIC = """
    import asyncio
    from pydantic import BaseModel

    class Order(BaseModel):
        sku: str

    class SoldOut(Exception): ...
    class Busy(Exception): ...

    placed = asyncio.Queue()

    async def place(order, deps):
        if order.sku == "reject":
            raise SoldOut("sold out")
        if order.sku == "retry":
            raise Busy("later")
        if order.sku == "bug":
            raise KeyError("secret of the house")
        await placed.put(order.sku)
        return {"sku": order.sku, "placed": placed.qsize(), "client": id(deps.s3.meta.client)}
"""
_APP = """
    from lambda_kit import Deps, Reject, Retry, handler, resource
    from logic import Busy, Order, SoldOut, place

    s3 = resource("s3")

    class OrderDeps(Deps):
        s3: object = s3

    errors = {SoldOut: Reject(status=409), Busy: Retry(after_s=2)}
    wiring = {"deps": OrderDeps(), "errors": errors}
    api = handler.http(Order, **wiring)(place)
    worker = handler.sqs(Order, **wiring)(place)
    stream = handler.kinesis(Order, **wiring)(place)
    direct = handler.invoke(Order, **wiring)(place)

    @handler
    def front(event, context):
        records = event.get("Records")
        if records:
            return (worker if "messageId" in records[0] else stream)(event, context)
        return (api if "requestContext" in event else direct)(event, context)
"""
_SKUS = ("ok", "reject", "retry", "bug")


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalFunction]:
    """
    One environment for all sources.
    """
    root = tmp_path_factory.mktemp("orders")
    (root / "logic.py").write_text(textwrap.dedent(_LOGIC), encoding="utf-8")
    (root / "app.py").write_text(textwrap.dedent(_APP), encoding="utf-8")
    with LocalFunction("app.front", task_root=root, timeout_s=30.0) as function:
        yield function


def _request(name: str, sku: object) -> dict[str, Any]:
    return {**payload(name), "body": json.dumps({"sku": sku}), "isBase64Encoded": False}


def _error_type(result: InvokeResult) -> str | None:
    return None if result.error is None else str(result.error["errorType"])


@pytest.mark.parametrize("name", ["apigw_http_v2", "apigw_rest", "alb", "alb_multi_value", "function_url"])
def test_http(front: LocalFunction, name: str) -> None:
    """
    A result, a client's fault, a bad moment, a bug and a body that is no order: five statuses, and nothing of the bug.
    """
    results = [front.invoke(_request(name, sku)) for sku in (*_SKUS, ["no text"])]

    assert [200, 409, 503, 500, 400] == [result.payload["statusCode"] for result in results]
    assert not any("secret" in json.dumps(result.payload) for result in results)


def test_a_queue(front: LocalFunction, events: LambdaEvents) -> None:
    """
    Every failed message comes again, a bad one too; the others are done.
    """
    batch = events.sqs({"sku": "ok"}, {"sku": "reject"}, {"sku": "retry"}, {"sku": "bug"}, "bad", {"sku": "ok"})
    ids = [record["messageId"] for record in batch["Records"]]

    assert [{"itemIdentifier": each} for each in ids[1:5]] == front.invoke(batch).payload["batchItemFailures"]


@pytest.mark.parametrize("sku", _SKUS[1:])
def test_a_fifo_queue(front: LocalFunction, events: LambdaEvents, sku: str) -> None:
    """
    From the first failure on everything comes again.
    """
    batch = events.sqs({"sku": "ok"}, {"sku": sku}, {"sku": "ok"}, fifo=True)
    ids = [record["messageId"] for record in batch["Records"]]

    assert [{"itemIdentifier": each} for each in ids[1:]] == front.invoke(batch).payload["batchItemFailures"]


@pytest.mark.parametrize("sku", _SKUS[1:])
def test_a_stream(front: LocalFunction, sku: str) -> None:
    """
    The stream goes on from the first failure.
    """
    datas = [b64encode(json.dumps({"sku": each}).encode()).decode() for each in ("ok", sku, "ok")]
    records = [{"kinesis": {"data": data, "sequenceNumber": f"s{n}", "partitionKey": "k"}} for n, data in enumerate(datas)]

    assert {"batchItemFailures": [{"itemIdentifier": "s1"}]} == front.invoke({"Records": records}).payload


def test_a_direct_invoke(front: LocalFunction) -> None:
    """
    The caller sees the result, or the error's class.
    """
    results = [front.invoke({"sku": sku}) for sku in (*_SKUS, ["no text"])]

    assert [None, "SoldOut", "Busy", "KeyError", "EventError"] == [_error_type(result) for result in results]
    assert "ok" == results[0].payload["sku"]


def test_queue_and_client_live_as_long_as_the_environment(front: LocalFunction, events: LambdaEvents) -> None:
    """
    An asyncio queue fills from invocation to invocation, whatever the source, and the client stays the same.
    """
    first, second = (front.invoke({"sku": "ok"}).payload for _ in range(2))
    front.invoke(events.sqs({"sku": "ok"}))
    third = json.loads(front.invoke(_request("apigw_http_v2", "ok")).payload["body"])

    assert [first["placed"] + 1, first["placed"] + 3] == [second["placed"], third["placed"]]
    assert first["client"] == second["client"] == third["client"]
