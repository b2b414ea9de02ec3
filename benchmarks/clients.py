"""
What AWS clients cost up to their first call, beside boto3's own: instructions, CPU time, memory and connections.

    python benchmarks/clients.py [--runs N] [--no-instructions] [--write]

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
import tempfile
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

import certifi

ROOT = Path(__file__).resolve().parents[1]
# Run as a file, a benchmark sees its own folder only.
sys.path.insert(0, str(ROOT))

from tests.certificates import Authority  # noqa: E402 - needs the line above
from tests.tls_server import TlsServer  # noqa: E402 - needs the line above

PAGE = ROOT / "docs" / "benchmarks" / "clients.md"
PACKAGES = ("boto3", "botocore", "urllib3", "certifi")
REGION = "eu-west-1"
# One call for each, that an empty document answers.
CALLS = (
    ("ssm", 'get_parameter(Name="/p")'),
    ("secretsmanager", 'get_secret_value(SecretId="s")'),
    ("dynamodb", "list_tables()"),
    ("sqs", "list_queues()"),
    ("kms", "list_keys()"),
    ("events", "list_rules()"),
    ("logs", "describe_log_groups()"),
    ("stepfunctions", "list_state_machines()"),
    ("kinesis", "list_streams()"),
    ("athena", "list_work_groups()"),
)
COUNTS = (1, 2, 10)
BOTO3 = "boto3"
KIT = "lambda_kit"
KIT_FULL = "lambda_kit, all authorities"
IMPORTS = {BOTO3: "from boto3 import client", KIT: "from lambda_kit import client", KIT_FULL: "from lambda_kit import client"}
BUDGET = 0.65

# Every host is the stub's, and the bundle is the installed one with the stub's root in it.
PRELUDE = """
import socket
socket.getaddrinfo = lambda *_, **__: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", {port}))]
import certifi
certifi.where = lambda: {bundle!r}
"""


@dataclass(slots=True)
class Cost:
    """
    What was measured of one subject.
    """

    cpu_ms: list[float] = field(default_factory=list)
    memory_mb: list[float] = field(default_factory=list)
    connections: int = 0
    instructions: float | None = None


def main() -> None:
    """
    Measure, print the table, and write it into the documentation when asked to.
    """
    parser = argparse.ArgumentParser(description="Print what AWS clients cost up to their first call, beside boto3's own.")
    parser.add_argument("--runs", type=int, default=11, help="timed processes per subject (default %(default)s)")
    parser.add_argument("--no-instructions", action="store_true", help="do not count instructions, which takes two minutes")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.relative_to(ROOT)}")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        costs = measure(Path(folder), given.runs, count=not given.no_instructions and shutil.which("valgrind") is not None)
    page = report(costs, given.runs)
    print(page)
    if given.write:
        PAGE.parent.mkdir(parents=True, exist_ok=True)
        PAGE.write_text(page, encoding="utf-8")


def measure(folder: Path, runs: int, *, count: bool) -> dict[tuple[str, int], Cost]:
    """
    Return the cost of every subject. Timed runs are interleaved, so that the machine's moods strike all alike.
    """
    root = Authority.make("Stub Root")
    bundle = folder / "cacert.pem"
    # Labelled, and in the midst of the others, as Amazon's roots are.
    bundle.write_text(root.labelled("Amazon Root CA 0") + installed_bundle(), encoding="utf-8")
    server = TlsServer({"": root.server_context(folder, f"*.{REGION}.amazonaws.com")})
    prelude = PRELUDE.format(port=server.port, bundle=str(bundle))
    costs = {(title, number): Cost() for number in COUNTS for title in IMPORTS}
    for title, number in costs:
        run(prelude + code(title, number), title)  # leaves the bytecode behind
    for _ in range(runs):
        for (title, number), cost in costs.items():
            before = len(server.connections)
            cpu_ms, memory_mb = run(prelude + code(title, number), title)
            cost.connections = len(server.connections) - before
            cost.cpu_ms.append(cpu_ms)
            cost.memory_mb.append(memory_mb)
    if count:
        for (title, number), cost in costs.items():
            cost.instructions = instructions(prelude + code(title, number), title)
    server.stop()
    return costs


def installed_bundle() -> str:
    """
    Return the bundle of authorities that botocore uses.
    """
    return Path(certifi.where()).read_text(encoding="utf-8")


def code(title: str, number: int) -> str:
    """
    Return the code that makes *number* clients and calls once with each.
    """
    calls = "".join(f"client({service!r}).{call}\n" for service, call in CALLS[:number])
    return f"{IMPORTS[title]}\n{calls}"


def environment(title: str) -> dict[str, str]:
    """
    Return the environment of every process: what Lambda sets that matters here; the same hashes each time.
    """
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "PYTHONPATH": str(ROOT),
        "PYTHONHASHSEED": "0",
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "key",
        "AWS_SESSION_TOKEN": "token",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "LAMBDA_KIT_FULL_CA": "1" if title == KIT_FULL else "0",
    }


def run(source: str, title: str) -> tuple[float, float]:
    """
    Return CPU time in ms, user and system, and the most memory in MB of a process that runs *source*.
    """
    child = os.posix_spawn(sys.executable, [sys.executable, "-c", source], environment(title))
    _, status, usage = os.wait4(child, 0)
    if status:
        raise SystemExit(f"error: exit status {status}:\n{source}")
    return (usage.ru_utime + usage.ru_stime) * 1000, usage.ru_maxrss / 1024


def instructions(source: str, title: str) -> float:
    """
    Return the user instructions of a process that runs *source*, as valgrind counts them: nearly the same each time.
    """
    command = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null", sys.executable, "-c", source]
    done = subprocess.run(command, env=environment(title), capture_output=True, text=True, check=False)
    counted = re.search(r"I\s+refs:\s+([\d,]+)", done.stderr)
    if done.returncode or counted is None:
        raise SystemExit(f"error: valgrind exit code {done.returncode}:\n{source}\n{done.stderr}")
    return float(counted[1].replace(",", ""))


def report(costs: dict[tuple[str, int], Cost], runs: int) -> str:
    """
    Return the page: table, budget, versions, method.
    """
    machine = f"{platform.python_implementation()} {platform.python_version()} on {platform.system()} {platform.machine()}"
    lines = [
        "# What AWS clients cost up to their first call",
        "",
        f"Produced by `benchmarks/clients.py` with {machine}, {os.cpu_count()} processors.",
        "Each process imports, makes the clients and calls once with each, over TLS, with a server on loopback.",
        "",
        "| clients | made by | M instructions | of boto3's | CPU ms, least | CPU ms, median | most memory MB | connections |",
        "|---:|---|---:|---:|---:|---:|---:|---:|",
        *(row(title, number, cost, costs[BOTO3, number]) for (title, number), cost in costs.items()),
        "",
        *verdicts(costs),
        "## How it was measured",
        "",
        "Versions: " + ", ".join(f"{name} {metadata.version(name)}" for name in PACKAGES) + ".",
        "Services, in this order: " + ", ".join(f"`{service}`" for service, _ in CALLS) + ".",
        "The server's certificate is under a root that stands in the bundle under an Amazon label; names lead to loopback.",
        "Each subject runs in fresh processes with its bytecode compiled beforehand and `PYTHONHASHSEED=0`.",
        f"CPU time is user and system time of the child (`wait4`), memory its largest resident size, {runs} runs each, interleaved.",
    ]
    if costs[BOTO3, 1].instructions is None:
        lines.append("Instructions were not counted: valgrind was not there, or not wanted.")
    else:
        lines.append("Instructions are valgrind's (`cachegrind --cache-sim=no`), one run each: other load does not disturb them.")
    return "\n".join(lines) + "\n"


def row(title: str, number: int, cost: Cost, peer: Cost) -> str:
    """
    Return one line of the table.
    """
    cells = [
        str(number),
        title,
        "" if cost.instructions is None else f"{cost.instructions / 1e6:.0f}",
        "" if cost.instructions is None or peer.instructions is None else f"{cost.instructions / peer.instructions:.2f}",
        f"{min(cost.cpu_ms):.0f}",
        f"{statistics.median(cost.cpu_ms):.0f}",
        f"{statistics.median(cost.memory_mb):.0f}",
        str(cost.connections),
    ]
    return f"| {' | '.join(cells)} |"


def verdicts(costs: dict[tuple[str, int], Cost]) -> list[str]:
    """
    Return one sentence on the budget for each number of clients; nothing where nothing was counted.
    """
    lines = []
    for number in COUNTS:
        kit, peer = costs[KIT, number].instructions, costs[BOTO3, number].instructions
        if kit is not None and peer is not None:
            verdict = "kept" if kit <= BUDGET * peer else "**exceeded**"
            lines.append(f"- {number} client(s): {kit / peer:.2f} of boto3's instructions; budget {BUDGET}: {verdict}.")
    return [*lines, ""] if lines else []


if __name__ == "__main__":
    main()
