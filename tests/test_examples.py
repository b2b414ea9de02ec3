"""
The example works as its README says: every HTTP event gets an answer, the bad day ends well, the layer carries it.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lambda_kit._local import EmbeddedAws, LocalFunction, PostgresServer
from orders import demo
from tests.layers import built_layer as built_layer
from tests.layers import layer_folder as layer_folder
from tests.layers import wheels as wheels

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_kit._local import InvokeResult

EXAMPLE = Path(demo.__file__).parent


def http_events() -> list[Path]:
    """
    Return the sample events to try: those of ``LAMBDA_KIT_EVENTS`` where that is set, and always the project's own.
    """
    samples = Path(os.environ["LAMBDA_KIT_EVENTS"], "apigw_http_v2") if "LAMBDA_KIT_EVENTS" in os.environ else None
    return [EXAMPLE / "event.json", *(sorted(samples.glob("*.json")) if samples else [])]


@pytest.fixture(scope="module")
def surroundings() -> Iterator[dict[str, str]]:
    """
    The embedded AWS and PostgreSQL of the order service, as the variables that lead a function to them.
    """
    with PostgresServer.start() as postgres, EmbeddedAws.start(EXAMPLE / "aws.toml") as aws:
        postgres.create_role("orders", "a password")
        postgres.execute("CREATE DATABASE orders OWNER orders")
        postgres.execute(f"SET ROLE orders; {(EXAMPLE / 'schema.sql').read_text()}", dbname="orders")
        login = postgres.secret(dbname="orders", user="orders", password="a password")
        aws.client("secretsmanager").create_secret(Name="orders/db", SecretString=json.dumps(login))
        queue_url = aws.client("sqs").get_queue_url(QueueName="orders")["QueueUrl"]
        yield {**aws.environ, "ORDERS_QUEUE_URL": queue_url}


@pytest.fixture(scope="module")
def orders(surroundings: dict[str, str]) -> Iterator[LocalFunction]:
    """
    The orders function under the real runtime client.
    """
    with LocalFunction("orders.handler.api", task_root=EXAMPLE.parent, timeout_s=10.0, environ=surroundings) as function:
        yield function


def answer_of(result: InvokeResult) -> dict[str, Any]:
    """
    Return the answer of an HTTP function after checking that API Gateway would take it.
    """
    assert result.ok, result.log
    answer: dict[str, Any] = result.payload
    assert isinstance(answer["statusCode"], int)
    assert all(isinstance(text, str) for pair in answer["headers"].items() for text in pair)
    assert isinstance(answer["body"], str)
    return answer


@pytest.mark.parametrize("path", http_events(), ids=lambda path: path.stem)
def test_every_http_event_gets_a_well_formed_answer(orders: LocalFunction, path: Path) -> None:
    """
    An order is placed; whatever is no order gets a problem document that says why.
    """
    event = json.loads(path.read_text())

    answer = answer_of(orders.invoke(event))

    if path.parent == EXAMPLE:
        assert 201 == answer["statusCode"]
        assert {"order_id", "total"} == set(json.loads(answer["body"]))
    else:
        assert 400 == answer["statusCode"]
        assert "application/problem+json" == answer["headers"]["content-type"]
        assert {"status": 400, "title": "Bad Request"}.items() <= json.loads(answer["body"]).items()


def test_an_order_beyond_the_stock_is_a_conflict(orders: LocalFunction) -> None:
    """
    The logic's own error becomes the status that the wiring line gives it.
    """
    event = json.loads((EXAMPLE / "event.json").read_text())

    answer = answer_of(orders.invoke({**event, "body": '{"sku": "teapot", "quantity": 101}'}))

    assert 409 == answer["statusCode"]
    assert "only 100 of teapot left" == json.loads(answer["body"])["detail"]


def test_the_readme_says_what_every_file_is() -> None:
    """
    Its table has one line for each file of the example but the package's own.
    """
    rows = re.findall(r"^\| \[`([\w.]+)`\]", (EXAMPLE / "README.md").read_text(encoding="utf-8"), re.MULTILINE)

    files = {path.name for path in EXAMPLE.iterdir() if path.is_file()} - {"README.md", "__init__.py"}
    assert sorted(files) == sorted(rows)


def test_the_demo_ends_well(capsys: pytest.CaptureFixture[str]) -> None:
    """
    Through a killed database, a rotated password and a malformed body every order comes out right, and it says so.
    """
    status = demo.main()

    told = capsys.readouterr().out
    assert 0 == status, told
    assert "dead connection noticed" in told
    assert "password refused, secret reread" in told
    assert "5 orders are confirmed" in told
    # What it does, a line each, and the table fit a narrow terminal.
    before_traces = told.partition("first order:\n")[0].splitlines()
    assert "starting PostgreSQL" == before_traces[0]
    assert 9 == len([line for line in before_traces if line.startswith(("invoking: ", "killing ", "rotating "))])
    assert 80 >= max(map(len, before_traces))


PROBE = """
import sys

from orders.handler import api


def handler(event, context):
    answer = api(event, context)
    return {"answer": answer, "homes": {name: sys.modules[name].__file__ for name in ("lambda_kit", "pydantic", "psycopg", "cachetools")}}
"""


def test_the_layer_carries_the_example(layer_folder: Path, surroundings: dict[str, str], tmp_path: Path) -> None:
    """
    An order is placed by what the unzipped, read-only layer holds: the kit and everything the runtime lacks.
    """
    shutil.copytree(EXAMPLE, tmp_path / "orders", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "probe.py").write_text(PROBE)
    event = json.loads((EXAMPLE / "event.json").read_text())
    layer = layer_folder.parent

    with LocalFunction("probe.handler", task_root=tmp_path, timeout_s=10.0, environ=surroundings, layers=[layer]) as function:
        result = function.invoke(event)

    assert result.ok, result.log
    assert 201 == result.payload["answer"]["statusCode"]
    assert all(Path(home).is_relative_to(layer) for home in result.payload["homes"].values()), result.payload["homes"]
