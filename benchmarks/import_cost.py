"""
What importing costs, beside the peers: modules, CPU time and instructions, each in processes of its own.

    python benchmarks/import_cost.py [--runs N] [--no-instructions] [--write]

Needs the packages of ``constraints/bench.txt``; ``make bench`` sees to them.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "benchmarks" / "import_cost.md"
PACKAGES = ("awslambdaric", "aws-lambda-powertools", "aws-xray-sdk", "boto3", "pydantic", "pydantic-core")
# What has been imported on Lambda before the handler's module is.
RUNTIME_CLIENT = "import awslambdaric.bootstrap\n"

BARE = "bare Python"
KIT = "import lambda_kit"
SQS_EVENT = "from lambda_kit.events import SqsEvent"
PYDANTIC = "import pydantic, one model"
POWERTOOLS = "import aws_lambda_powertools"
POWERTOOLS_SQS = "from aws_lambda_powertools.utilities.parser.models import SqsModel"
TRACING = "from lambda_kit import tracing"
XRAY = "from aws_xray_sdk.core import xray_recorder"

SQS_PARSED = "SqsEvent, one event parsed"
POWERTOOLS_SQS_PARSED = "Powertools' SqsModel, one event parsed"

SPAN_SENT = "lambda_kit.tracing, one span sent"
XRAY_SENT = "aws_xray_sdk, one subsegment sent"

_SAMPLED = """
import os
os.environ["_X_AMZN_TRACE_ID"] = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
"""
_EVENT = """{"Records": [{
    "messageId": "059f36b4-87a3-44ab-83d2-661975830a7d", "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a", "body": "{}",
    "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1545082649183", "SenderId": "AIDAIENQZJOLO23YVJ4VO",
                   "ApproximateFirstReceiveTimestamp": "1545082649185"},
    "messageAttributes": {}, "md5OfBody": "99914b932bd37a50b983c5e7c90ae93b", "eventSource": "aws:sqs",
    "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:orders", "awsRegion": "eu-west-1"}]}"""

# What is measured by its title; where the title is no code, the code.
SUBJECTS = {
    BARE: "pass",
    KIT: KIT,
    "from lambda_kit import client, parameter, secret": "",
    SQS_EVENT: "",
    SQS_PARSED: f"{SQS_EVENT}\nSqsEvent.model_validate({_EVENT})",
    "from lambda_kit import handler": "",
    TRACING: "",
    SPAN_SENT: f"{_SAMPLED}{TRACING}\ntracing.instrument('xray')\nwith tracing.span('charge') as s: s.annotate(order=1)\n",
    PYDANTIC: "import pydantic\nclass Order(pydantic.BaseModel):\n    order_id: int\n    note: str | None = None\n",
    "import boto3": "",
    POWERTOOLS: "",
    "from aws_lambda_powertools.utilities import parameters": "",
    POWERTOOLS_SQS: "",
    POWERTOOLS_SQS_PARSED: f"{POWERTOOLS_SQS}\nSqsModel.model_validate({_EVENT})",
    XRAY: "",
    XRAY_SENT: f"{_SAMPLED}{XRAY}\nwith xray_recorder.in_subsegment('charge') as s: s.put_annotation('order', 1)\n",
}
# A budget on the instructions over bare Python: the subject, what it is compared with, the most it may be of it.
BUDGETS = ((SQS_EVENT, PYDANTIC, 1.15),)
COMPARED = ((KIT, POWERTOOLS), (SQS_PARSED, PYDANTIC), (SQS_PARSED, POWERTOOLS_SQS_PARSED), (SPAN_SENT, XRAY_SENT))
COLUMNS = (
    "modules",
    "third-party packages",
    "CPU ms, least",
    "CPU ms, median",
    "M instructions",
    "on Lambda: modules",
    "on Lambda: M instructions",
)
MOST_KIT_INSTRUCTIONS = 20e6


@dataclass(slots=True)
class Cost:
    """
    What was measured of one subject.
    """

    modules: int
    third_party: int
    lambda_modules: int
    cpu_ms: list[float] = field(default_factory=list)
    instructions: float | None = None
    lambda_instructions: float | None = None


def main() -> None:
    """
    Measure, print the table, and write it into the documentation when asked to.
    """
    parser = argparse.ArgumentParser(description="Print what importing costs, beside the peers.")
    parser.add_argument("--runs", type=int, default=11, help="timed processes per subject (default %(default)s)")
    parser.add_argument("--no-instructions", action="store_true", help="do not count instructions, which takes minutes")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.relative_to(ROOT)}")
    given = parser.parse_args()
    costs = measure(given.runs, count=not given.no_instructions and shutil.which("valgrind") is not None)
    page = report(costs, given.runs)
    print(page)
    if given.write:
        PAGE.parent.mkdir(parents=True, exist_ok=True)
        PAGE.write_text(page, encoding="utf-8")


def measure(runs: int, *, count: bool) -> dict[str, Cost]:
    """
    Return the cost of every subject. Timed runs are interleaved, so that the machine's moods strike all alike.
    """
    # Also the runs that leave the bytecode behind.
    costs = {title: Cost(*modules(code(title)), modules(RUNTIME_CLIENT + code(title))[0]) for title in SUBJECTS}
    for _ in range(runs):
        for title, cost in costs.items():
            cost.cpu_ms.append(cpu_ms(code(title)))
    if count:
        for title, cost in costs.items():
            cost.instructions = instructions(code(title))
            cost.lambda_instructions = instructions(RUNTIME_CLIENT + code(title))
    return costs


def code(title: str) -> str:
    """
    Return the code that a title stands for.
    """
    return SUBJECTS[title] or title


def environment() -> dict[str, str]:
    """
    Return the environment of every process: as on Lambda, where the X-Ray SDK does less than elsewhere; the same hashes each time.
    """
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "PYTHONPATH": str(ROOT),
        "PYTHONHASHSEED": "0",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_REGION": "eu-west-1",
        "AWS_LAMBDA_FUNCTION_NAME": "orders",
        "LAMBDA_TASK_ROOT": str(ROOT),
    }


def modules(source: str) -> tuple[int, int]:
    """
    Return how many modules are loaded after *source*, and how many top-level packages of them are neither Python's nor the kit's.
    """
    ending = (
        "\nimport sys\n"
        "loaded = set(sys.modules)\n"
        "tops = {name.partition('.')[0] for name in loaded} - sys.stdlib_module_names - {'__main__', 'lambda_kit'}\n"
        "print(len(loaded), sum(not top.startswith(('_', 'sitecustomize')) for top in tops))\n"
    )
    done = subprocess.run([sys.executable, "-c", source + ending], env=environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"error: this does not run here:\n{source}\n{done.stderr}")
    loaded, third_party = done.stdout.split()
    return int(loaded), int(third_party)


def cpu_ms(source: str) -> float:
    """
    Return the CPU time, user and system, of a process that runs *source*.
    """
    child = os.posix_spawn(sys.executable, [sys.executable, "-c", source], environment())
    _, status, usage = os.wait4(child, 0)
    if status:
        raise SystemExit(f"error: exit status {status}:\n{source}")
    return (usage.ru_utime + usage.ru_stime) * 1000


def instructions(source: str) -> float:
    """
    Return the user instructions of a process that runs *source*, as valgrind counts them: nearly the same each time.
    """
    command = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null", sys.executable, "-c", source]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
    counted = re.search(r"I\s+refs:\s+([\d,]+)", done.stderr)
    if done.returncode or counted is None:
        raise SystemExit(f"error: valgrind exit code {done.returncode}:\n{source}\n{done.stderr}")
    return float(counted[1].replace(",", ""))


def report(costs: dict[str, Cost], runs: int) -> str:
    """
    Return the page: table, comparisons, versions, method.
    """
    lines = [
        "# What importing costs",
        "",
        *introduction(),
        "",
        f"| | {' | '.join(COLUMNS)} |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
        *(row(title, cost, costs[BARE]) for title, cost in costs.items()),
        "",
        *comparisons(costs),
        "## How it was measured",
        "",
        "Versions: " + ", ".join(f"{name} {metadata.version(name)}" for name in PACKAGES) + ".",
        "Each subject runs in fresh processes with its bytecode compiled beforehand and `PYTHONHASHSEED=0`.",
        f"CPU time is user and system time of the child (`wait4`), {runs} runs each, interleaved.",
    ]
    if costs[BARE].instructions is None:
        lines.append("Instructions were not counted: valgrind was not there, or not wanted.")
    else:
        lines.append("Instructions are valgrind's (`cachegrind --cache-sim=no`), one run each: other load does not disturb them.")
    return "\n".join(lines) + "\n"


def introduction() -> list[str]:
    """
    Return what a reader of the table must know.
    """
    machine = f"{platform.python_implementation()} {platform.python_version()} on {platform.system()} {platform.machine()}"
    return [
        f"Produced by `benchmarks/import_cost.py` with {machine}, {os.cpu_count()} processors.",
        "Modules and instructions are those beyond the first row's; CPU time is that of the whole process.",
        "*On Lambda* counts what comes on top of the runtime client, which has loaded a good part of the standard library before",
        "a function's module is imported.",
    ]


def row(title: str, cost: Cost, bare: Cost) -> str:
    """
    Return one line of the table.
    """
    over = Cost(0, 0, 0, instructions=0.0, lambda_instructions=0.0) if title == BARE else bare
    cells = [
        shown(title),
        str(cost.modules - over.modules),
        str(cost.third_party),
        f"{min(cost.cpu_ms):.0f}",
        f"{statistics.median(cost.cpu_ms):.0f}",
        millions(cost.instructions, over.instructions),
        str(cost.lambda_modules - over.lambda_modules),
        millions(cost.lambda_instructions, over.lambda_instructions),
    ]
    return f"| {' | '.join(cells)} |"


def shown(title: str) -> str:
    """
    Return a title in Markdown: those that are the code itself as code.
    """
    return f"`{title}`" if code(title) == title else title


def millions(counted: float | None, over: float | None) -> str:
    """
    Return a difference in millions; nothing where nothing was counted.
    """
    return "" if counted is None else f"{(counted - (over or 0)) / 1e6:.1f}"


def comparisons(costs: dict[str, Cost]) -> list[str]:
    """
    Return one sentence for each budget, and for each pair that is worth comparing; nothing where nothing was counted.
    """
    if costs[BARE].instructions is None:
        return []
    over = {title: (cost.instructions or 0) - (costs[BARE].instructions or 0) for title, cost in costs.items()}
    kit = over[KIT]
    lines = ["## Instructions beyond bare Python, compared", ""]
    lines.append(
        f"- {shown(KIT)}: {kit / 1e6:.1f} million; budget {MOST_KIT_INSTRUCTIONS / 1e6:.0f}: {verdict(kit <= MOST_KIT_INSTRUCTIONS)}."
    )
    for title, peer, most in BUDGETS:
        ratio = over[title] / over[peer]
        lines.append(f"- {shown(title)} is {ratio:.2f} of {shown(peer)}; budget {most}: {verdict(ratio <= most)}.")
    lines += [f"- {shown(title)} is {over[title] / over[peer]:.2f} of {shown(peer)}." for title, peer in COMPARED]
    return [*lines, ""]


def verdict(kept: bool) -> str:
    """
    Say whether a budget is kept.
    """
    return "kept" if kept else "**exceeded**"


if __name__ == "__main__":
    main()
