"""
What the first invocation of the orders function takes with the processor share of 128 MB, its clients built at INIT or lazily.

    python benchmarks/first_invocation.py [--runs N] [--write]

Needs the packages of ``constraints/bench.txt``; ``make bench`` sees to them. The share is set by a cgroup where this user may
make one; elsewhere only processor time is told.
"""

from __future__ import annotations

import argparse
import json
import platform
import shutil
import statistics
import sys
import tempfile
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from lambda_kit._local import EmbeddedAws, LocalFunction, PostgresServer  # noqa: E402  # found by the line above

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLE = ROOT / "examples" / "orders"
PAGE = ROOT / "docs" / "benchmarks" / "first_invocation.md"

# 1,769 MB have one vCPU: https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
SHARE = 128 / 1769
PERIOD_US = 20_000
CPU_GROUPS = Path("/sys/fs/cgroup/cpu")

HANDLER = """
import os, time
from orders.deps import OrderDeps
from orders.logic import PlaceOrder, place_order
from lambda_kit import handler

api = handler.http(PlaceOrder, deps=OrderDeps(), status=201, preload=os.environ["PRELOAD"] == "1")(place_order)

def measured(event, context):
    # INIT is over, and with it the burst.
    if "CPU_GROUP" in os.environ:
        with open(os.environ["CPU_GROUP"] + "/cgroup.procs", "w") as members:
            members.write(str(os.getpid()))
    began, worked = time.perf_counter(), time.process_time()
    answer = api(event, context)
    took, work = time.perf_counter() - began, time.process_time() - worked
    return {"status": answer["statusCode"], "ms": took * 1000, "cpu_ms": work * 1000}
"""


@contextmanager
def small_share() -> Iterator[dict[str, str]]:
    """
    Make a group with the processor share of 128 MB, and give the variable that leads a function to it; none where it cannot be.
    """
    group = CPU_GROUPS / "lambda-kit-first-invocation"
    try:
        group.mkdir()
        (group / "cpu.cfs_period_us").write_text(str(PERIOD_US))
        (group / "cpu.cfs_quota_us").write_text(str(round(PERIOD_US * SHARE)))
    except OSError:
        yield {}
        return
    try:
        yield {"CPU_GROUP": str(group)}
    finally:
        # A process that is just ending may still be counted.
        with suppress(OSError):
            group.rmdir()


def measure(runs: int) -> tuple[dict[str, dict[str, float]], bool]:
    """
    Return milliseconds and processor milliseconds of first and second invocations, medians; and whether the share was set.
    """
    with ExitStack() as resources:
        postgres = resources.enter_context(PostgresServer.start())
        aws = resources.enter_context(EmbeddedAws.start(EXAMPLE / "aws.toml"))
        share = resources.enter_context(small_share())
        root = Path(resources.enter_context(tempfile.TemporaryDirectory()))
        shutil.copytree(EXAMPLE, root / "orders", ignore=shutil.ignore_patterns("__pycache__"))
        (root / "app.py").write_text(HANDLER)
        postgres.create_role("orders", "a password")
        postgres.execute("CREATE DATABASE orders OWNER orders")
        postgres.execute(f"SET ROLE orders; {(EXAMPLE / 'schema.sql').read_text()}", dbname="orders")
        # S106: the password of a server that lives for a minute.
        login = postgres.secret(dbname="orders", user="orders", password="a password")  # noqa: S106
        aws.client("secretsmanager").create_secret(Name="orders/db", SecretString=json.dumps(login))
        environ = {**aws.environ, **share, "ORDERS_QUEUE_URL": aws.client("sqs").get_queue_url(QueueName="orders")["QueueUrl"]}
        event = json.loads((EXAMPLE / "event.json").read_text())
        seen: dict[str, list[Any]] = {}
        for _ in range(runs + 1):
            for kind, preload in (("built at the end of INIT", "1"), ("`preload=False`", "0")):
                with LocalFunction("app.measured", task_root=root, timeout_s=120.0, environ={**environ, "PRELOAD": preload}) as function:
                    results = [function.invoke(event) for _ in range(2)]
                if not all(result.ok and result.payload["status"] == 201 for result in results):
                    sys.exit("\n".join(line for result in results for line in result.log))
                seen.setdefault(kind, []).append((results[0].init_ms or 0.0, results[0].payload, results[1].payload))
        return {kind: medians(rows[1:]) for kind, rows in seen.items()}, bool(share)


def medians(rows: list[Any]) -> dict[str, float]:
    """
    Return the median of each figure. The first run of all has compiled the bytecode and is not among them.
    """
    return {
        "init": statistics.median(row[0] for row in rows),
        "ms": statistics.median(row[1]["ms"] for row in rows),
        "cpu": statistics.median(row[1]["cpu_ms"] for row in rows),
        "next": statistics.median(row[2]["ms"] for row in rows),
    }


def page(figures: dict[str, dict[str, float]], *, limited: bool, runs: int) -> str:
    """
    Return the figures as a page.
    """
    lines = [
        "# The first invocation",
        "",
        (
            "Produced by `benchmarks/first_invocation.py` with "
            f"CPython {platform.python_version()} on {platform.system()} {platform.machine()}."
        ),
        "The orders function of `examples/orders`, under Lambda's runtime client, with an embedded AWS and PostgreSQL on the same machine.",
        "",
        "| clients and drivers are | INIT, ms | first invocation, CPU ms | first invocation, ms | second, ms |",
        "|---|---:|---:|---:|---:|",
    ]
    for kind, row in figures.items():
        lines.append(f"| {kind} | {row['init']:.0f} | {row['cpu']:.0f} | {row['ms']:.0f} | {row['next']:.0f} |")
    first, lazily = figures.values()
    how = (
        f"the share of a processor that 128 MB have ({SHARE:.3f}, by a cgroup)" if limited else "a whole processor: no cgroup could be made"
    )
    lines += [
        "",
        (
            f"Built at INIT, the first invocation takes {first['ms'] / lazily['ms']:.2f} of the time "
            f"and {first['cpu'] / lazily['cpu']:.2f} of the processor time."
        ),
        "",
        f"Invocations have {how}; INIT has a whole one, as Lambda's has a burst.",
        f"Medians of {runs} new environments each, which take turns; the first of all is left out.",
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    """
    Measure and print.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="environments of each kind")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.relative_to(ROOT)}")
    options = parser.parse_args()
    figures, limited = measure(options.runs)
    text = page(figures, limited=limited, runs=options.runs)
    print(text)
    if options.write:
        PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
