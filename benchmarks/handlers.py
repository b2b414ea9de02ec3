"""
What a handler costs per invocation, beside a bare function, Powertools and a chain of decorators; and what the first one costs.

    python benchmarks/handlers.py [--runs N] [--no-instructions] [--write]

Needs the packages of ``constraints/bench.txt``; ``make bench`` sees to them.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "benchmarks" / "handlers.md"
PACKAGES = ("awslambdaric", "aws-lambda-powertools", "boto3", "pydantic", "pydantic-core")

# What pydantic does not do itself, and the design allows for: microseconds for one record.
MOST_OVERHEAD_US = 3.0

_SETUP = """
import json, time
from awslambdaric.lambda_context import LambdaContext
from pydantic import BaseModel

class Order(BaseModel):
    sku: str
    quantity: int

def place(order):
    return {"total": order.quantity * 2}

context = LambdaContext("8f5a", None, None, int((time.time() + 900) * 1000), "arn:aws:lambda:eu-west-1:123456789012:function:orders", None)
body = '{"sku": "teapot", "quantity": 2}'
def record(number):
    return {"messageId": f"m{number}", "receiptHandle": "r", "body": body, "attributes": {
        "ApproximateReceiveCount": "1", "SentTimestamp": "1545082649183", "SenderId": "AIDA",
        "ApproximateFirstReceiveTimestamp": "1545082649185"}, "messageAttributes": {}, "md5OfBody": "99914b932bd37a50b983c5e7c90ae93b",
        "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:orders", "awsRegion": "eu-west-1"}
batch = {"Records": [record(number) for number in range(COUNT)]}
request = {"version": "2.0", "routeKey": "POST /orders", "rawPath": "/orders", "rawQueryString": "", "body": body, "isBase64Encoded": False,
    "headers": {"content-type": "application/json", "host": "example.com"}, "requestContext": {
        "accountId": "123456789012", "apiId": "a", "domainName": "example.com", "domainPrefix": "a", "requestId": "q",
        "http": {"method": "POST", "path": "/orders", "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "x"},
        "routeKey": "POST /orders", "stage": "$default", "time": "12/Mar/2026:19:03:58 +0000", "timeEpoch": 1773342238000}}
"""
_MEASURE = """
def best(call):
    call()
    least = 1e9
    for _ in range(25):
        began = time.process_time()
        for _ in range(400):
            call()
        least = min(least, (time.process_time() - began) / 400)
    return least * 1e6
print(best(call))
"""

_PYDANTIC = "call = lambda: [Order.model_validate_json(each['body']) for each in batch['Records']]"
_BARE_QUEUE = """
def handler(event, context):
    failed = []
    for each in event["Records"]:
        try:
            place(Order.model_validate_json(each["body"]))
        except Exception:
            failed.append({"itemIdentifier": each["messageId"]})
    return {"batchItemFailures": failed}
call = lambda: handler(batch, context)
"""
_KIT_QUEUE = """
from lambda_kit import handler
worker = handler.sqs(Order)(place)
call = lambda: worker(batch, context)
"""
_POWERTOOLS_QUEUE = """
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
processor = BatchProcessor(event_type=EventType.SQS)
def one(record):
    return place(Order.model_validate_json(record.body))
call = lambda: process_partial_response(event=batch, record_handler=one, processor=processor, context=context)
"""
_POWERTOOLS_QUEUE_MODEL = """
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.parser.models import SqsRecordModel
from pydantic import Json
class Message(SqsRecordModel):
    body: Json[Order]
processor = BatchProcessor(event_type=EventType.SQS, model=Message)
def one(record):
    return place(record.body)
call = lambda: process_partial_response(event=batch, record_handler=one, processor=processor, context=context)
"""
_BARE_HTTP = """
def handler(event, context):
    result = place(Order.model_validate_json(event["body"]))
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": json.dumps(result)}
call = lambda: handler(request, context)
"""
_KIT_HTTP = """
from lambda_kit import handler
api = handler.http(Order)(place)
call = lambda: api(request, context)
"""
_POWERTOOLS_RESOLVER = """
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
app = APIGatewayHttpResolver()
@app.post("/orders")
def orders():
    return place(Order.model_validate_json(app.current_event.body))
call = lambda: app.resolve(request, context)
"""
_POWERTOOLS_PARSER = """
from aws_lambda_powertools.utilities.parser import event_parser, envelopes
@event_parser(model=Order, envelope=envelopes.ApiGatewayV2Envelope)
def handler(event, context):
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": json.dumps(place(event))}
call = lambda: handler(request, context)
"""
_DECORATORS = """
from functools import wraps
def dump_json_body(handler):
    @wraps(handler)
    def wrapper(event, context):
        response = handler(event, context)
        response["body"] = json.dumps(response["body"])
        return response
    return wrapper
def load_json_body(handler):
    @wraps(handler)
    def wrapper(event, context):
        try:
            event["loaded"] = json.loads(event["body"])
        except ValueError:
            return {"statusCode": 400, "body": "BAD REQUEST"}
        return handler(event, context)
    return wrapper
def no_retry_on_failure(handler):
    @wraps(handler)
    def wrapper(event, context):
        try:
            return handler(event, context)
        except Exception:
            return {"statusCode": 500, "body": "ERROR"}
    return wrapper
@no_retry_on_failure
@dump_json_body
@load_json_body
def handler(event, context):
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": place(Order.model_validate(event["loaded"]))}
call = lambda: handler(request, context)
"""

# Title of the table, records in the batch, subjects. The first subject of each is what the others stand on.
TABLES = {
    "One message of a queue": (1, {"pydantic alone": _PYDANTIC, "bare function": _BARE_QUEUE, "`handler.sqs(Order)`": _KIT_QUEUE,
                                   "Powertools `BatchProcessor`": _POWERTOOLS_QUEUE,
                                   "Powertools `BatchProcessor(model=...)`": _POWERTOOLS_QUEUE_MODEL}),
    "Ten messages of a queue": (10, {"pydantic alone": _PYDANTIC, "bare function": _BARE_QUEUE, "`handler.sqs(Order)`": _KIT_QUEUE,
                                     "Powertools `BatchProcessor`": _POWERTOOLS_QUEUE,
                                     "Powertools `BatchProcessor(model=...)`": _POWERTOOLS_QUEUE_MODEL}),
    "An HTTP request": (1, {"pydantic alone": _PYDANTIC, "bare function": _BARE_HTTP, "`handler.http(Order)`": _KIT_HTTP,
                            "chain of decorators": _DECORATORS, "Powertools resolver": _POWERTOOLS_RESOLVER,
                            "Powertools `event_parser`": _POWERTOOLS_PARSER}),
}  # fmt: skip

# The orders function: wired where the Handler setting says, so that its client is built at the end of INIT, or not.
_FIRST = """
import os
os.environ |= {"AWS_LAMBDA_RUNTIME_API": "127.0.0.1:1", "_HANDLER": "__main__.api"}
from lambda_kit import Deps, handler, client
s3 = client("s3")
class Bundle(Deps):
    s3: object = s3
def place_with_link(order, deps):
    return {"link": deps.s3.generate_presigned_url("get_object", Params={"Bucket": "b", "Key": order.sku})}
api = handler.http(Order, deps=Bundle(), preload=PRELOAD)(place_with_link)
"""
_FIRST_CALL = "assert api(request, context)['statusCode'] == 200\n"


def main() -> None:
    """
    Measure, print the tables, and write them into the documentation when asked to.
    """
    parser = argparse.ArgumentParser(description="Print what handlers cost, beside the peers.")
    parser.add_argument("--runs", type=int, default=7, help="processes per subject (default %(default)s)")
    parser.add_argument("--no-instructions", action="store_true", help="do not count the first invocation's instructions")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.relative_to(ROOT)}")
    given = parser.parse_args()
    tables = {title: measure(count, subjects, given.runs) for title, (count, subjects) in TABLES.items()}
    counted = shutil.which("valgrind") is not None and not given.no_instructions
    page = report(tables, first_invocations() if counted else {}, given.runs)
    print(page)
    if given.write:
        PAGE.parent.mkdir(parents=True, exist_ok=True)
        PAGE.write_text(page, encoding="utf-8")


def measure(count: int, subjects: dict[str, str], runs: int) -> dict[str, float]:
    """
    Return the microseconds of each subject: the least of all processes, which take turns.
    """
    least = dict.fromkeys(subjects, float("inf"))
    for _ in range(runs):
        for title, code in subjects.items():
            source = _SETUP.replace("COUNT", str(count)) + code + _MEASURE
            done = run([sys.executable, "-c", source])
            least[title] = min(least[title], float(done.stdout))
    return least


def first_invocations() -> dict[str, float]:
    """
    Return the instructions that the first invocation takes: of a process with it, less one without.
    """
    counts = {}
    for title, preload in (("built at the end of INIT", "True"), ("`preload=False`", "False")):
        source = _SETUP.replace("COUNT", "1") + _FIRST.replace("PRELOAD", preload)
        # The first run leaves the bytecode behind.
        run([sys.executable, "-c", source + _FIRST_CALL])
        counts[title] = instructions(source + _FIRST_CALL) - instructions(source)
    return counts


def run(command: list[str]) -> subprocess.CompletedProcess[str]:
    """
    Run a process in the environment that all have, or end with what it said.
    """
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "PYTHONPATH": str(ROOT),
        "PYTHONHASHSEED": "0",
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "POWERTOOLS_SERVICE_NAME": "orders",
    }
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"error: exit status {done.returncode}:\n{command[-1]}\n{done.stderr}")
    return done


def instructions(source: str) -> float:
    """
    Return the user instructions of a process that runs *source*, as valgrind counts them.
    """
    done = run(
        ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null", sys.executable, "-c", source],
    )
    counted = re.search(r"I\s+refs:\s+([\d,]+)", done.stderr)
    if counted is None:
        raise SystemExit(f"error: valgrind counted nothing:\n{done.stderr}")
    return float(counted[1].replace(",", ""))


def report(tables: dict[str, dict[str, float]], first: dict[str, float], runs: int) -> str:
    """
    Return the page: tables, budget, versions, method.
    """
    machine = f"{platform.python_implementation()} {platform.python_version()} on {platform.system()} {platform.machine()}"
    lines = ["# What a handler costs", "", f"Produced by `benchmarks/handlers.py` with {machine}, {os.cpu_count()} processors.", ""]
    for title, costs in tables.items():
        alone = next(iter(costs.values()))
        lines += [f"## {title}", "", "| | µs | over pydantic |", "|---|---:|---:|"]
        lines += [f"| {name} | {cost:.1f} | {cost - alone:.1f} |" for name, cost in costs.items()]
        lines.append("")
    costs = tables["One message of a queue"]
    over = costs["`handler.sqs(Order)`"] - costs["pydantic alone"]
    verdict = "kept" if over <= MOST_OVERHEAD_US else "**exceeded**"
    lines += [
        f"`handler.sqs(Order)` on one record takes pydantic's time + {over:.1f} µs; budget + {MOST_OVERHEAD_US:.0f} µs: {verdict}.",
        "",
    ]
    if first:
        built, lazy = first.values()
        lines += [
            "## The first invocation",
            "",
            "A function that signs a link, with one boto3 client, before it has served anything.",
            "INIT has a processor burst; an invocation with 128 MB has a fourteenth of one.",
            "",
            "| the client is | M instructions of the first invocation |",
            "|---|---:|",
            *(f"| {name} | {count / 1e6:.1f} |" for name, count in first.items()),
            "",
            f"Built at the end of INIT the first invocation takes {built / lazy:.2f} of the instructions.",
            "",
        ]
    lines += [
        "## How it was measured",
        "",
        "Versions: " + ", ".join(f"{name} {metadata.version(name)}" for name in PACKAGES) + ".",
        f"Each number is the least of {runs} processes that take turns, each with 25 rounds of 400 calls; processor time.",
        "Instructions are valgrind's (`cachegrind --cache-sim=no`): of a process with the first invocation, less of one without.",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
