"""
Handlers under Lambda's real runtime client: what leaves the process is what the sources expect.
"""

from __future__ import annotations

import json
import os
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from lambda_kit._local import LocalFunction
from lambda_kit.testing import LambdaEvents
from tests.events.payloads import OWN

_FUNCTION = """
    import asyncio, json, os
    from decimal import Decimal
    from pydantic import BaseModel
    from lambda_kit import Deps, Reject, Retry, client, environment, handler, use

    s3 = client("s3")

    class Order(BaseModel):
        sku: str
        quantity: int

    class Refused(Exception):
        pass

    class Bundle(Deps):
        s3: object = s3
        price: Decimal = use(lambda: Decimal("2.5"))

    def place(order, deps):
        if order.quantity > 10:
            raise Refused("at most 10")
        return {"total": order.quantity * deps.price, "invocations": environment().invocations}

    async def place_async(order, deps):
        await asyncio.sleep(0)
        return place(order, deps)

    errors = {Refused: Reject(status=409)}
    api = handler.http(Order, deps=Bundle(), errors=errors)(place)
    api_async = handler.http(Order, deps=Bundle(), errors=errors)(place_async)
    worker = handler.sqs(Order, deps=Bundle(), errors=errors)(place)
    direct = handler.invoke(Order, deps=Bundle(), errors=errors)(place)
    forgotten = handler.http(Order, deps=Bundle())

    @handler
    def built(event, context):
        import sys
        return {"built": "botocore.client" in sys.modules}

    @handler
    def slow(event, context):
        import time
        time.sleep(30)

    @handler
    def unserialisable(event, context):
        return {"orders": [{"at": object()}]}
"""

_HTTP = ("apigw_http_v2", "function_url", "apigw_rest", "apigw_http_v1", "alb", "alb_multi_value")


def _requests() -> list[Path]:
    """
    Return the HTTP events: the project's own, and those of the folder that LAMBDA_KIT_EVENTS names.
    """
    found = [path for path in sorted(OWN.glob("*.json")) if path.stem.startswith(_HTTP)]
    if folder := os.environ.get("LAMBDA_KIT_EVENTS"):
        found += [path for kind in _HTTP for path in sorted((Path(folder) / kind).glob("*.json"))]
    return found


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text(textwrap.dedent(_FUNCTION), encoding="utf-8")
    return tmp_path


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalFunction]:
    """
    One environment for all requests of this module.
    """
    root = tmp_path_factory.mktemp("api")
    (root / "app.py").write_text(textwrap.dedent(_FUNCTION), encoding="utf-8")
    with LocalFunction("app.api", task_root=root, timeout_s=30.0) as function:
        yield function


@pytest.mark.parametrize("path", _requests(), ids=lambda path: path.stem)
def test_every_http_event_gets_a_well_formed_answer(api: LocalFunction, path: Path) -> None:
    """
    An order is placed, and what is none gets a problem document; no event of an HTTP source is an error of the function.
    """
    result = api.invoke(path.read_bytes())

    assert result.error is None
    document = json.loads(result.payload["body"])
    assert {200: "total", 400: "title"}[result.payload["statusCode"]] in document
    assert isinstance(result.payload["isBase64Encoded"], bool)


def test_a_worker_names_the_failed_messages(root: Path, events: LambdaEvents) -> None:
    """
    The answer has the failed message's id; a batch of which nothing is done is an error.
    """
    event = events.sqs({"sku": "a", "quantity": 1}, {"sku": "b", "quantity": 11})

    with LocalFunction("app.worker", task_root=root, timeout_s=30.0) as worker:
        partly, wholly = worker.invoke(event), worker.invoke(events.sqs("bad"))

    assert {"batchItemFailures": [{"itemIdentifier": event["Records"][1]["messageId"]}]} == partly.payload
    assert wholly.error is not None
    assert "BatchError" == wholly.error["errorType"]


def test_errors_of_a_direct_invoke_have_their_class(root: Path) -> None:
    """
    Step Functions can catch a domain error by its name.
    """
    with LocalFunction("app.direct", task_root=root, timeout_s=30.0) as direct:
        done, refused = direct.invoke({"sku": "a", "quantity": 2}), direct.invoke({"sku": "a", "quantity": 11})

    assert {"total": 5, "invocations": 1} == done.payload
    assert refused.error is not None
    assert ("Refused", "at most 10") == (refused.error["errorType"], refused.error["errorMessage"])


def test_asynchronous_logic_runs_in_every_invocation(root: Path, events: LambdaEvents) -> None:
    """
    The loop is used again by the next invocation.
    """
    event = events.api_v2("POST", "/", json={"sku": "a", "quantity": 2})

    with LocalFunction("app.api_async", task_root=root, timeout_s=30.0) as function:
        bodies = [json.loads(function.invoke(event).payload["body"]) for _ in range(2)]

    assert [{"total": 5, "invocations": 1}, {"total": 5, "invocations": 2}] == bodies


def test_clients_are_built_before_the_first_invocation(root: Path) -> None:
    """
    Wiring at the end of INIT has built the bundle's client, without network, in the module that is the function's.
    """
    with LocalFunction("app.built", task_root=root, timeout_s=30.0) as function:
        assert {"built": True} == function.invoke({}).payload


@pytest.mark.parametrize(
    ("handler", "message"),
    [
        ("app.handler", "the Handler setting must name yours"),
        ("app.forgotten", "was wired without its logic"),
        ("app.unserialisable", "result.orders.0.at is of type builtins.object"),
    ],
)
def test_mistakes_are_explained(root: Path, handler: str, message: str) -> None:
    """
    A Handler setting that names the wrong thing, and a result that cannot be JSON, are errors that say so.
    """
    with LocalFunction(handler, task_root=root, timeout_s=30.0) as function:
        result = function.invoke({})

    assert result.error is not None
    assert "ConfigurationError" == result.error["errorType"]
    assert message in result.error["errorMessage"]


def test_a_handler_about_to_be_killed_says_so(root: Path) -> None:
    """
    The line is in the log before Lambda's own, with the request and the place in the code.
    """
    with LocalFunction("app.slow", task_root=root, timeout_s=1.0) as function:
        result = function.invoke({})

    (line,) = [line for line in result.log if "about to be killed" in line]
    assert "timeout" == result.status
    assert f"request {result.request_id}, " in line
    assert "at slow (app.py:" in line
