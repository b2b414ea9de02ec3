"""
What reading parameters and secrets costs, beside the peers: cold, cached, from 64 threads, through an outage.

    python benchmarks/config.py [--runs N] [--no-instructions] [--write]

Needs the packages of ``constraints/bench.txt``; ``make bench`` sees to them.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import metadata
from pathlib import Path
from typing import Any

import certifi

ROOT = Path(__file__).resolve().parents[1]
# Run as a file, a benchmark sees its own folder only.
sys.path.insert(0, str(ROOT))

from tests.certificates import Authority  # noqa: E402 - needs the line above
from tests.tls_server import TlsServer  # noqa: E402 - needs the line above

PAGE = ROOT / "docs" / "benchmarks" / "config.md"
PACKAGES = ("boto3", "aws-lambda-powertools", "aws-secretsmanager-caching", "ssm-cache")
REGION = "eu-west-1"
# One document that answers GetParameter, GetParameters, GetSecretValue and DescribeSecret alike.
_PARAMETER = {"Name": "/p", "Type": "String", "Value": "1", "Version": 1}
ANSWER = json.dumps(
    {
        "Parameter": _PARAMETER,
        "Parameters": [_PARAMETER],
        "InvalidParameters": [],
        "ARN": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:s-AbCdEf",
        "Name": "s",
        "VersionId": "f3a1c8f0-0000-4000-8000-000000000001",
        "SecretString": "secret",
        "VersionStages": ["AWSCURRENT"],
        "VersionIdsToStages": {"f3a1c8f0-0000-4000-8000-000000000001": ["AWSCURRENT"]},
    }
).encode()
LATENCY_S = 0.02

BARE = "bare Python"
KIT = "lambda_kit"
KIT_FULL = "lambda_kit, all authorities"
KIT_BOTO3 = "lambda_kit over boto3"
BOTO3 = "boto3"
POWERTOOLS = "Powertools"
CACHES = "ssm-cache, aws-secretsmanager-caching"

# Imports, and the first value of one parameter and one secret.
COLD = {
    BARE: "pass",
    KIT: "from lambda_kit import parameter, secret\nparameter('/p')(), secret('s')()",
    KIT_FULL: "from lambda_kit import parameter, secret\nparameter('/p')(), secret('s')()",
    KIT_BOTO3: "from lambda_kit import parameter, secret\nparameter('/p')(), secret('s')()",
    BOTO3: "import boto3\nboto3.client('ssm').get_parameter(Name='/p'), boto3.client('secretsmanager').get_secret_value(SecretId='s')",
    POWERTOOLS: "from aws_lambda_powertools.utilities import parameters as p\np.get_parameter('/p'), p.get_secret('s')",
    CACHES: "from ssm_cache import SSMParameter\nfrom aws_secretsmanager_caching import SecretCache\n"
    "SSMParameter('/p').value, SecretCache().get_secret_string('s')",
}
SETTINGS = {
    KIT: {"LAMBDA_KIT_TRANSPORT": "lean"},
    KIT_FULL: {"LAMBDA_KIT_TRANSPORT": "lean", "LAMBDA_KIT_FULL_CA": "1"},
    KIT_BOTO3: {"LAMBDA_KIT_TRANSPORT": "boto3"},
}
# For the warm measurements: how to get a function that reads the value again, at most one second old.
WARM = {
    "lambda_kit handle, parameter": "from lambda_kit import parameter\nread = parameter('/p', max_age_s=AGE)",
    "lambda_kit get_parameter": "from lambda_kit import get_parameter\nread = lambda: get_parameter('/p', max_age_s=AGE)",
    "lambda_kit handle, secret": "from lambda_kit import secret\nread = secret('s', max_age_s=AGE)",
    "Powertools get_parameter": "from aws_lambda_powertools.utilities.parameters import get_parameter\n"
    "read = lambda: get_parameter('/p', max_age=AGE)",
    "ssm-cache": "from ssm_cache import SSMParameter\np = SSMParameter('/p', max_age=AGE)\nread = lambda: p.value",
    "aws-secretsmanager-caching": "from aws_secretsmanager_caching import SecretCache, SecretCacheConfig\n"
    "c = SecretCache(SecretCacheConfig(secret_refresh_interval=AGE))\nread = lambda: c.get_secret_string('s')",
    "boto3, no cache": "import boto3\nc = boto3.client('ssm')\nread = lambda: c.get_parameter(Name='/p')['Parameter']['Value']",
}
_HIT = "\nimport statistics, timeit\nread()\nprint(min(timeit.repeat(read, number=NUMBER, repeat=100)) / NUMBER * 1e6)"
_THREADS = """
import threading
barrier, values = threading.Barrier(64), []
def run():
    barrier.wait()
    values.append(read())
threads = [threading.Thread(target=run) for _ in range(64)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(len(values))
"""
_OUTAGE = """
import http.client, json, os, time
read()
control = http.client.HTTPConnection("127.0.0.1", int(os.environ["AWS_ENDPOINT_URL"].rpartition(":")[2]))
control.request("POST", "/fail"); control.getresponse().read(); control.close()
time.sleep(1.5)
took_s, failed = [], 0
for _ in range(100):
    began_s = time.perf_counter()
    try:
        read()
    except Exception:
        failed += 1
    took_s.append(time.perf_counter() - began_s)
print(json.dumps([failed, sum(took_s), max(took_s)]))
"""
_PRELUDE = """
import socket
socket.getaddrinfo = lambda *_, **__: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", {port}))]
"""


@dataclass(slots=True)
class Cold:
    """
    What a first read cost.
    """

    cpu_ms: list[float]
    instructions: float | None = None


class Stub:
    """
    An endpoint that answers everything alike after 20 ms, counts, and fails from the moment it is told to.
    """

    def __init__(self) -> None:
        self.calls = 0
        self.failing = False
        stub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if self.path == "/fail":
                    stub.failing, stub.calls = True, 0
                else:
                    stub.calls += 1
                    time.sleep(LATENCY_S)
                failed = stub.failing and self.path != "/fail"
                body = b'{"__type": "InternalServerError"}' if failed else ANSWER
                self.send_response(500 if failed else 200)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Content-Type", "application/x-amz-json-1.1")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """
                Say nothing.
                """

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def stop(self) -> None:
        """
        Stop listening.
        """
        self._server.shutdown()
        self._server.server_close()


def main() -> None:
    """
    Measure, print the page, and write it into the documentation when asked to.
    """
    parser = argparse.ArgumentParser(description="Print what reading configuration costs, beside the peers.")
    parser.add_argument("--runs", type=int, default=7, help="timed processes per subject (default %(default)s)")
    parser.add_argument("--no-instructions", action="store_true", help="do not count instructions, which takes minutes")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.relative_to(ROOT)}")
    arguments = parser.parse_args()
    count = not arguments.no_instructions and shutil.which("valgrind") is not None
    page = report(cold(arguments.runs, count), hits(), threads(), outages(), arguments.runs)
    print(page)
    if arguments.write:
        PAGE.write_text(page, encoding="utf-8")


def environment(title: str, **more: str) -> dict[str, str]:
    """
    Return the environment of every process; the same hashes each time.
    """
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "PYTHONPATH": str(ROOT),
        "PYTHONHASHSEED": "0",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        **SETTINGS.get(title, {}),
        **more,
    }


def cold(runs: int, count: bool) -> dict[str, Cold]:
    """
    Measure whole processes that read one parameter and one secret over TLS, with the hosts' real names and a root of Amazon's label.
    """
    with tempfile.TemporaryDirectory() as folder:
        root = Authority.make("Stub Root")
        package = Path(folder) / "certifi"
        package.mkdir()
        bundle = Path(certifi.where()).read_text(encoding="utf-8") + root.labelled("Amazon Root CA 0")
        (package / "cacert.pem").write_text(bundle, encoding="utf-8")
        (package / "__init__.py").write_text(f"def where(): return {str(package / 'cacert.pem')!r}\n", encoding="utf-8")
        server = TlsServer({"": root.server_context(Path(folder), f"*.{REGION}.amazonaws.com")})
        server.answers["/"] = ANSWER
        prelude, paths = _PRELUDE.format(port=server.port), f"{folder}:{ROOT}"
        costs = {title: Cold([]) for title in COLD}
        for round_number in range(runs + 1):
            for title, cost in costs.items():
                took_ms = cpu_ms(prelude + COLD[title], environment(title, PYTHONPATH=paths))
                # The first round compiles the bytecode.
                cost.cpu_ms += [took_ms] if round_number else []
        if count:
            for title, cost in costs.items():
                cost.instructions = instructions(prelude + COLD[title], environment(title, PYTHONPATH=paths))
        server.stop()
    return costs


def hits() -> dict[str, float]:
    """
    Return the microseconds of a read that is answered from memory.
    """
    found = {}
    for title, code in WARM.items():
        stub = Stub()
        number = "1" if "boto3" in title else "2000"
        found[title] = float(run(f"AGE, NUMBER = 3600, {number}\n{code}{_HIT}", title, stub))
        stub.stop()
    return found


def threads() -> dict[str, int]:
    """
    Return the requests that 64 threads at a cold key cause.
    """
    found = {}
    for title, code in WARM.items():
        stub = Stub()
        run(f"AGE = 3600\n{code}\n{_THREADS}", title, stub)
        found[title] = stub.calls
        stub.stop()
    return found


def outages() -> dict[str, tuple[int, float, float, int]]:
    """
    Return what a hundred reads in a total outage come to: failures, seconds together, the longest, requests.
    """
    found = {}
    for title, code in WARM.items():
        stub = Stub()
        failed, took_s, longest_s = json.loads(run(f"AGE = 1\n{code}\n{_OUTAGE}", title, stub))
        found[title] = int(failed), float(took_s), float(longest_s), stub.calls
        stub.stop()
    return found


def run(source: str, title: str, stub: Stub) -> str:
    """
    Run *source* against *stub* and return what it printed.
    """
    done = subprocess.run(
        [sys.executable, "-c", source], env=environment(title, AWS_ENDPOINT_URL=stub.url), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"error: this does not run here:\n{source}\n{done.stderr}")
    return done.stdout


def cpu_ms(source: str, environ: dict[str, str]) -> float:
    """
    Return the CPU time, user and system, of a process that runs *source*.
    """
    child = os.posix_spawn(sys.executable, [sys.executable, "-c", source], environ)
    _, status, usage = os.wait4(child, 0)
    if status:
        raise SystemExit(f"error: exit status {status}:\n{source}")
    return (usage.ru_utime + usage.ru_stime) * 1000


def instructions(source: str, environ: dict[str, str]) -> float:
    """
    Return the user instructions of a process that runs *source*, as valgrind counts them: nearly the same each time.
    """
    command = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null", sys.executable, "-c", source]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    counted = re.search(r"I\s+refs:\s+([\d,]+)", done.stderr)
    if done.returncode or counted is None:
        raise SystemExit(f"error: valgrind exit code {done.returncode}:\n{source}\n{done.stderr}")
    return float(counted[1].replace(",", ""))


def report(
    costs: dict[str, Cold], hit: dict[str, float], calls: dict[str, int], outage: dict[str, tuple[int, float, float, int]], runs: int
) -> str:
    """
    Return the page: tables, budgets, versions, method.
    """
    machine = f"{platform.python_implementation()} {platform.python_version()} on {platform.system()} {platform.machine()}"
    lines = [
        "# What reading configuration costs",
        "",
        f"Produced by `benchmarks/config.py` with {machine}, {os.cpu_count()} processors.",
        "",
    ]
    lines += [
        "## A first read: one parameter and one secret over TLS, whole process",
        "",
        "| | CPU ms, least | CPU ms, median |",
        "|---|---:|---:|",
    ]
    if costs[BARE].instructions is not None:
        lines[-2:] = ["| | CPU ms, least | CPU ms, median | M instructions | of boto3's |", "|---|---:|---:|---:|---:|"]
    lines += [cold_row(title, cost, costs[BOTO3]) for title, cost in costs.items()]
    lines += ["", *budgets(costs, hit), "", "## A read from memory, 64 threads at a cold key, a total outage", ""]
    lines += [
        "| | hit, µs | requests of 64 threads | 100 reads past their age in an outage: failures | ms together | longest, ms | requests |"
    ]
    lines += ["|---|---:|---:|---:|---:|---:|---:|"]
    for title, microseconds in hit.items():
        failed, took_s, longest_s, requests = outage[title]
        lines.append(
            f"| {title} | {microseconds:.2f} | {calls[title]} | {failed} | {took_s * 1000:.0f} | {longest_s * 1000:.0f} | {requests} |"
        )
    return "\n".join([*lines, "", *method(runs), ""])


def cold_row(title: str, cost: Cold, peer: Cold) -> str:
    """
    Return one line of the first table.
    """
    cells = [title, f"{min(cost.cpu_ms):.0f}", f"{statistics.median(cost.cpu_ms):.0f}"]
    if cost.instructions is not None and peer.instructions is not None:
        cells += [f"{cost.instructions / 1e6:.0f}", f"{cost.instructions / peer.instructions:.2f}"]
    return f"| {' | '.join(cells)} |"


def budgets(costs: dict[str, Cold], hit: dict[str, float]) -> list[str]:
    """
    Return one sentence for each budget.
    """
    said = []
    peer = costs[BOTO3].instructions
    for title, most in ((KIT_FULL, 0.3), (KIT, 0.2)):
        mine: Any = costs[title].instructions
        if mine is not None and peer is not None:
            said.append(f"- {title}: {mine / peer:.2f} of boto3's instructions; budget {most}: {verdict(mine / peer <= most)}.")
    for title, most in (("lambda_kit handle, parameter", 0.4), ("lambda_kit get_parameter", 1.0)):
        said.append(f"- {title}, hit: {hit[title]:.2f} µs; budget {most}: {verdict(hit[title] <= most)}.")
    return said


def verdict(kept: bool) -> str:
    """
    Say whether a budget is kept.
    """
    return "kept" if kept else "**exceeded**"


def method(runs: int) -> list[str]:
    """
    Return how it was measured.
    """
    return [
        "## How it was measured",
        "",
        "Versions: " + ", ".join(f"{name} {metadata.version(name)}" for name in PACKAGES) + ".",
        f"Every number is of fresh processes. First reads: {runs} runs each, interleaved, bytecode compiled before, `PYTHONHASHSEED=0`;",
        "the hosts have their real names and lead to a TLS server on loopback, whose root stands in the bundle under Amazon's label.",
        "CPU time is user and system time (`wait4`), instructions are valgrind's (`cachegrind --cache-sim=no`).",
        "The second table's endpoint answers after 20 ms over HTTP; in the outage it answers every request with a 500.",
        "Values were one second old at most there; hits are the least of a hundred repetitions.",
    ]


if __name__ == "__main__":
    main()
