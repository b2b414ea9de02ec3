"""
What event models cost beside Powertools' parser and data classes: importing them, and reading 1, 10 and 100 records.

    python benchmarks/events.py [--runs N] [--no-instructions] [--write]

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
PAGE = ROOT / "docs" / "benchmarks" / "events.md"
PACKAGES = ("aws-lambda-powertools", "pydantic", "pydantic-core")
SIZES = (1, 10, 100)
# Parsing ten SQS records, compared with Powertools' parser.
MOST_OF_PARSER = 0.8
MOST_OF_PYDANTIC = 1.15

KIT, PARSER, CLASSES = "lambda_kit.events", "Powertools' parser", "Powertools' data classes"

PYDANTIC = "import pydantic, one model"
KIT_ONE = "from lambda_kit.events import SqsEvent"
IMPORTS = {
    PYDANTIC: "import pydantic\nclass Order(pydantic.BaseModel):\n    order_id: int\n    note: str | None = None\n",
    KIT_ONE: KIT_ONE,
    "every model of lambda_kit.events": "from lambda_kit import events\nfor name in events.__all__: getattr(events, name)\n",
    "from aws_lambda_powertools.utilities.parser.models import SqsModel": "",
    "every model of Powertools' parser": "from aws_lambda_powertools.utilities.parser.models import *\n",
    "from aws_lambda_powertools.utilities.data_classes import SQSEvent": "",
}

_EVENT = """
import json
from lambda_kit.testing._samples import sample_event
def event(kind, size):
    raw = sample_event(kind)
    key = "Records"
    raw[key] = (raw[key] * size)[:size]
    return raw
"""
_ORDER = """
import pydantic
class Order(pydantic.BaseModel):
    sku: str
    quantity: int
def with_orders(raw):
    for record in raw["Records"]:
        record["body"] = '{"sku": "teapot", "quantity": 2}'
    return raw
"""
_PARSER = "from aws_lambda_powertools.utilities.parser"
_CLASSES = "from aws_lambda_powertools.utilities.data_classes"


def _read(setup: str, make: str, kind: str) -> tuple[str, str]:
    return f"{_EVENT}{setup}\nraws = {{size: event({kind!r}, size) for size in (1, 10, 100)}}", make


# What is read: for each way, what to run before, and the call of which the time is taken; "raw" is the event.
READS: dict[str, dict[str, tuple[str, str]]] = {
    "SQS": {
        KIT: _read(
            "from lambda_kit.events import SqsEvent", "[(r.message_id, r.body) for r in SqsEvent.model_validate(raw).records]", "sqs"
        ),
        PARSER: _read(f"{_PARSER}.models import SqsModel", "[(r.messageId, r.body) for r in SqsModel.model_validate(raw).Records]", "sqs"),
        CLASSES: _read(f"{_CLASSES} import SQSEvent", "[(r.message_id, r.body) for r in SQSEvent(raw).records]", "sqs"),
    },
    "SQS, bodies as models": {
        KIT: _read(
            _ORDER + "from lambda_kit.events import SqsEvent\n_event, event = event, lambda kind, size: with_orders(_event(kind, size))",
            "[r.parse(Order) for r in SqsEvent.model_validate(raw).records]",
            "sqs",
        ),
        PARSER: _read(
            f"{_ORDER}{_PARSER} import parse\n{_PARSER}.envelopes import SqsEnvelope\n"
            "_event, event = event, lambda kind, size: with_orders(_event(kind, size))",
            "parse(raw, model=Order, envelope=SqsEnvelope)",
            "sqs",
        ),
    },
    "Kinesis": {
        KIT: _read(
            "from lambda_kit.events import KinesisEvent", "[r.payload for r in KinesisEvent.model_validate(raw).records]", "kinesis_stream"
        ),
        PARSER: _read(
            f"{_PARSER}.models import KinesisDataStreamModel",
            "[r.kinesis.data for r in KinesisDataStreamModel.model_validate(raw).Records]",
            "kinesis_stream",
        ),
        CLASSES: _read(
            f"{_CLASSES} import KinesisStreamEvent",
            "[r.kinesis.data_as_bytes() for r in KinesisStreamEvent(raw).records]",
            "kinesis_stream",
        ),
    },
    "S3": {
        KIT: _read("from lambda_kit.events import S3Event", "[r.key for r in S3Event.model_validate(raw).records]", "s3_notification"),
        PARSER: _read(
            f"{_PARSER}.models import S3Model", "[r.s3.object.key for r in S3Model.model_validate(raw).Records]", "s3_notification"
        ),
        CLASSES: _read(f"{_CLASSES} import S3Event", "[r.s3.get_object.key for r in S3Event(raw).records]", "s3_notification"),
    },
}


def main() -> None:
    """
    Measure, print the page, and write it into the documentation when asked to.
    """
    parser = argparse.ArgumentParser(description="Print what event models cost, beside the peers.")
    parser.add_argument("--runs", type=int, default=5, help="timed processes per subject (default %(default)s)")
    parser.add_argument("--no-instructions", action="store_true", help="do not count instructions, which takes minutes")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.relative_to(ROOT)}")
    given = parser.parse_args()
    count = not given.no_instructions and shutil.which("valgrind") is not None
    page = report(read_times(given.runs), import_costs() if count else {}, given.runs)
    print(page)
    if given.write:
        PAGE.write_text(page, encoding="utf-8")


def environment() -> dict[str, str]:
    """
    Return the environment of every process.
    """
    return {"PATH": os.environ.get("PATH", os.defpath), "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "0"}


def read_times(runs: int) -> dict[str, dict[str, dict[int, float]]]:
    """
    Return the least microseconds of a read, by event, way and number of records. Processes are interleaved.
    """
    found: dict[str, dict[str, dict[int, float]]] = {kind: {way: {} for way in ways} for kind, ways in READS.items()}
    for _ in range(runs):
        for kind, ways in READS.items():
            for way, (setup, call) in ways.items():
                for size, taken in timed(setup, call).items():
                    found[kind][way][size] = min(taken, found[kind][way].get(size, taken))
    return found


def timed(setup: str, call: str) -> dict[int, float]:
    """
    Return the least microseconds that *call* takes in a process of its own, by number of records.
    """
    source = f"""{setup}
import timeit
for size in {SIZES}:
    raw = raws[size]
    timer = timeit.Timer(lambda: {call})
    number = max(1, 200 // size)
    timer.timeit(number)
    print(size, min(timer.repeat(100, number)) / number * 1e6)
"""
    lines = run([sys.executable, "-c", source]).stdout.splitlines()
    return {int(size): float(taken) for size, taken in map(str.split, lines)}


def import_costs() -> dict[str, float]:
    """
    Return the instructions of each import beyond those of bare Python.
    """
    for title in IMPORTS:
        run([sys.executable, "-c", IMPORTS[title] or title])  # leaves the bytecode behind
    bare = instructions("pass")
    return {title: instructions(source or title) - bare for title, source in IMPORTS.items()}


def instructions(source: str) -> float:
    """
    Return the user instructions of a process that runs *source*, as valgrind counts them: nearly the same each time.
    """
    valgrind = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]
    counted = re.search(r"I\s+refs:\s+([\d,]+)", run([*valgrind, sys.executable, "-c", source]).stderr)
    if counted is None:
        raise SystemExit("error: valgrind said nothing about instructions")
    return float(counted[1].replace(",", ""))


def run(command: list[str]) -> subprocess.CompletedProcess[str]:
    """
    Run *command*; a failure ends the benchmark.
    """
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"error: exit code {done.returncode}: {command[-1]}\n{done.stderr}")
    return done


def report(times: dict[str, dict[str, dict[int, float]]], imports: dict[str, float], runs: int) -> str:
    """
    Return the page: budgets, tables, versions, method.
    """
    machine = f"{platform.python_implementation()} {platform.python_version()} on {platform.system()} {platform.machine()}"
    lines = ["# What event models cost", "", f"Produced by `benchmarks/events.py` with {machine}, {os.cpu_count()} processors.", ""]
    lines += [*reading(times), *importing(imports), "## How it was measured", ""]
    lines.append("Versions: " + ", ".join(f"{name} {metadata.version(name)}" for name in PACKAGES) + ".")
    lines.append(f"Times are the least of {runs} interleaved processes with a hundred short repetitions each; every record is touched.")
    lines.append("Powertools' data classes check nothing: they are views on the event's dict.")
    if imports:
        lines.append("Instructions are valgrind's (`cachegrind --cache-sim=no`), one run each, beyond those of bare Python.")
    return "\n".join(lines) + "\n"


def reading(times: dict[str, dict[str, dict[int, float]]]) -> list[str]:
    """
    Return the table of reads, and what became of the budget.
    """
    ratio = times["SQS"][KIT][10] / times["SQS"][PARSER][10]
    verdict = "kept" if ratio <= MOST_OF_PARSER else "**exceeded**"
    lines = ["## Reading", "", "| event | by | 1 record, µs | 10 records, µs | 100 records, µs |", "|---|---|---:|---:|---:|"]
    for kind, ways in times.items():
        lines += [f"| {kind} | {way} | " + " | ".join(f"{taken[size]:.1f}" for size in SIZES) + " |" for way, taken in ways.items()]
    return [*lines, "", f"Ten SQS records take {ratio:.2f} of what Powertools' parser takes; budget {MOST_OF_PARSER}: {verdict}.", ""]


def importing(imports: dict[str, float]) -> list[str]:
    """
    Return the table of imports, and what became of the budget; nothing where nothing was counted.
    """
    if not imports:
        return []
    ratio = imports[KIT_ONE] / imports[PYDANTIC]
    verdict = "kept" if ratio <= MOST_OF_PYDANTIC else "**exceeded**"
    lines = ["## Importing", "", "| | M instructions |", "|---|---:|"]
    lines += [f"| {title if IMPORTS[title] not in ('', title) else f'`{title}`'} | {cost / 1e6:.0f} |" for title, cost in imports.items()]
    return [*lines, "", f"`{KIT_ONE}` is {ratio:.2f} of importing pydantic with one model; budget {MOST_OF_PYDANTIC}: {verdict}.", ""]


if __name__ == "__main__":
    main()
