"""
What the Makefile's targets do: find interpreters, prepare environments, run the demo, the tests, the benchmarks.

Started by any Python from 3.7 on.
"""

from __future__ import annotations

import argparse
import glob
import os
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from tools import pythons
from tools.environments import FOLDER, ROOT, Environment, TargetError, run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import IO

    from tools.pythons import Interpreter

WHEELS = os.path.join(FOLDER, "wheels")
# The runtime has the SDK with all it needs: a layer with parts of it would shadow parts of the runtime's.
SDK = ("boto3", "botocore", "s3transfer", "jmespath", "python-dateutil", "six", "urllib3")
# Each set after those it takes versions from, with what uv is told beside the options all sets share.
LOCKED: tuple[tuple[str, list[str]], ...] = (
    ("constraints/run", ["--python-version=3.11"]),
    ("constraints/test", ["--python-version=3.11"]),
    ("constraints/oldest", ["--python-version=3.11"]),
    ("constraints/bench", ["--python-version=3.11"]),
    ("constraints/wheels", ["--python-version=3.11", "--no-deps"]),
    # Lambda's 3.11 is a late one: no back-ports for the first releases.
    ("layer/constraints", ["--python-version=3.11.9", *("--no-emit-package=" + name for name in SDK)]),
)

# Whole, it takes ten minutes; the page in the documents is of the whole.
SHORTER = {"chaos.py": ["--seconds", "60"]}

# What the clients' tests need no checker and no valgrind for: these run with the oldest boto3 there may be, too.
NOT_WITH_OLDEST = {"test_clients_cost.py", "test_clients_typing.py"}


def demo() -> None:
    """
    Run the example with the newest Python there is, pinned packages, embedded AWS and PostgreSQL.
    """
    environment = Environment("run", interpreters()[-1])
    environment.prepare()
    run([environment.python, "-m", "examples.orders.demo"], environment.variables(os.environ))


def test(required: str, selection: list[str]) -> None:
    """
    Run every check on every Python found, go on after a failure, and sum up.
    """
    there = interpreters()
    print("Pythons found: " + ", ".join(map(repr, there)), flush=True)
    missing = set(required.split()) - {each.name for each in there}
    if missing:
        raise TargetError("required here, but not found: Python " + ", ".join(sorted(missing)))
    environments = [Environment("test", each) for each in there]
    oldest = Environment("oldest", there[0])
    prepare(environments)
    started = time.monotonic()
    failures = []
    if selection:
        for each in environments:
            failures += pytest(each, ["pytest"], selection)
    else:
        failures += attempt("ruff", environments[-1], [["ruff", "check", "."], ["ruff", "format", "--check", "."], ["coverage", "erase"]])
        # One Python's run waits for servers and clocks much of the time: two at once take little longer than one.
        oldest.prepare()
        # What waits for the clock of a server or kernel does so alike on all of them.
        jobs = [partial(check, each, [] if each is environments[-1] else ["-m", "not realtime"]) for each in environments]
        jobs.append(partial(check_oldest, oldest))
        with ThreadPoolExecutor(2) as pool:
            for failed in pool.map(lambda job: job(), jobs):
                failures += failed
        failures += coverage(environments)
    sum_up([report(each) for each in [*environments, oldest]], failures, time.monotonic() - started)


def prepare(environments: list[Environment]) -> None:
    """
    Build the environments, and fetch the wheels that tests build a layer from: they themselves use no network.
    """
    # Installing is waiting for the network and the disk by turns: two at a time take little more than one.
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(Environment.prepare, environments))
    for each in environments:
        each.download(WHEELS, "layer/constraints.txt")
        # Carries Lambda's runtime interface emulator; unzipped by its test, never installed.
        each.download(WHEELS, "constraints/wheels.txt")


def check(environment: Environment, selection: list[str]) -> list[str]:
    """
    Run the type checkers and the tests in *environment*, show what they printed when they are done, and return what failed.
    """
    with tempfile.TemporaryFile() as output:
        failures = check_types(environment, output) + pytest(environment, ["coverage", "run", "-m", "pytest"], selection, output)
        output.seek(0)
        print(output.read().decode(errors="replace"), flush=True)
    return failures


def check_oldest(environment: Environment) -> list[str]:
    """
    Run the tests of clients with the oldest boto3 that the project allows, show what they printed, and return what failed.
    """
    paths = [*glob.glob(os.path.join(ROOT, "tests", "test_clients*.py")), os.path.join(ROOT, "tests", "test_roots.py")]
    selection = sorted(path for path in paths if os.path.basename(path) not in NOT_WITH_OLDEST)
    with tempfile.TemporaryFile() as output:
        failures = pytest(environment, ["pytest"], selection, output)
        output.seek(0)
        print(output.read().decode(errors="replace"), flush=True)
    return failures


def check_types(environment: Environment, output: IO[bytes]) -> list[str]:
    """
    Run both type checkers for the Python of *environment*, and return what failed.
    """
    name = environment.interpreter.name
    mypy = ["mypy", "--python-version", name, "--cache-dir", os.path.join(FOLDER, "mypy")]
    pyright = ["pyright", "--pythonversion", name, "--pythonpath", environment.python]
    return [
        *attempt(f"mypy for Python {name}", environment, [mypy], output),
        *attempt(f"pyright for Python {name}", environment, [pyright], output),
    ]


def pytest(environment: Environment, command: list[str], selection: list[str], output: IO[bytes] | None = None) -> list[str]:
    """
    Run the tests in *environment*, and return what failed.
    """
    if os.path.exists(report(environment)):
        os.remove(report(environment))
    steps = [[*command, "--junitxml", report(environment), *selection]]
    return attempt(f"pytest on Python {environment.interpreter.name}, {environment.name}", environment, steps, output)


def coverage(environments: list[Environment]) -> list[str]:
    """
    Put the measurements of all Pythons together, and return what failed: combining them, or less than pyproject.toml wants.

    Where a test was skipped, its lines are missing for no fault of the code: then the figures are shown and nothing more.
    """
    skipped = counts([report(each) for each in environments])["skipped"]
    if skipped and os.environ.get("LAMBDA_KIT_REQUIRE_SYSTEM") != "1":
        title, options = f"coverage of all Pythons, shown only, for {skipped} tests were skipped", ["--fail-under=0"]
    else:
        title, options = "coverage of all Pythons is at least fail_under of pyproject.toml", []
    return attempt(title, environments[-1], [["coverage", "combine", "--quiet"], ["coverage", "report", *options]])


def attempt(title: str, environment: Environment, steps: list[list[str]], output: IO[bytes] | None = None) -> list[str]:
    """
    Run each step as a module of *environment*, printing to *output*; return *title* and the step's exit code if one fails.
    """
    print(f"\n----- {title}", flush=True)
    if output is not None:
        output.write(f"\n----- {title}\n".encode())
        output.flush()
    variables = environment.variables(os.environ, LAMBDA_KIT_WHEELS=WHEELS, COVERAGE_FILE=os.path.join(FOLDER, "coverage"))
    try:
        for step in steps:
            run([environment.python, "-m", *step], variables, output=output)
    except TargetError as exc:
        return [f"{title}: {exc}"]
    return []


def report(environment: Environment) -> str:
    """
    Return where pytest leaves its counts.
    """
    return os.path.join(environment.folder, "pytest.xml")


def sum_up(reports: list[str], failures: list[str], seconds: float) -> None:
    """
    Print what failed, then the counts of all Pythons in pytest's own words, last.
    """
    total = counts(reports)
    print("\n" + "".join(f"FAILED {failure}\n" for failure in failures), flush=True)
    passed = total["tests"] - total["failures"] - total["errors"] - total["skipped"]
    # A checker that fails counts as a failed test: nobody shall read "0 failed" below a failed run.
    failed = total["failures"] or len(failures)
    words = [(failed, "failed"), (passed, "passed"), (total["skipped"], "skipped"), (total["errors"], "errors")]
    print("=" * 10, ", ".join(f"{number} {word}" for number, word in words if number), f"in {seconds:.2f}s", "=" * 10, flush=True)
    if failures:
        raise SystemExit(1)


def counts(reports: list[str]) -> dict[str, int]:
    """
    Add up what pytest has counted in those of *reports* that are there.
    """
    total = dict.fromkeys(["tests", "failures", "errors", "skipped"], 0)
    for path in filter(os.path.exists, reports):
        # S314: the file is what pytest has just written.
        for suite in ElementTree.parse(path).getroot().iter("testsuite"):  # noqa: S314
            for key in total:
                total[key] += int(suite.get(key, "0"))
    return total


def bench() -> None:
    """
    Run every benchmark beside its peers, on the newest Python there is.
    """
    environment = Environment("bench", interpreters()[-1])
    environment.prepare()
    for path in sorted(glob.glob(os.path.join(ROOT, "benchmarks", "[!_]*.py"))):
        run([environment.python, path, *SHORTER.get(os.path.basename(path), [])], environment.variables(os.environ))


def lock(upgrade: bool) -> None:
    """
    Write the pinned sets anew; versions change only where the inputs demand it, or everywhere with *upgrade*.
    """
    environment = Environment("test", interpreters()[-1])
    environment.prepare()
    shared = ["--quiet", "--system-certs", "--universal", "--no-annotate", "--no-header", "--generate-hashes"]
    for name, options in LOCKED:
        print("locking " + name, flush=True)
        output = name + ".txt"
        run([environment.python, "-m", "uv", "pip", "compile", *shared, *options, *["--upgrade"] * upgrade, name + ".in", "-o", output])
        with open(os.path.join(ROOT, output), encoding="utf-8") as file:
            if "://" in file.read():
                raise TargetError(f"{output} names an address: pins must work with whatever index pip is configured for")


def interpreters() -> list[Interpreter]:
    """
    Return the supported interpreters of this machine, or fail saying what is needed.
    """
    there = pythons.found(os.environ)
    if not there:
        raise TargetError("found no CPython from 3.11 to 3.14 with venv, ssl and ensurepip (on Debian: apt-get install python3-venv)")
    return there


def main() -> None:
    """
    Run the target that the command line names.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    targets = parser.add_subparsers(dest="target", required=True)
    targets.add_parser("demo", help=demo.__doc__)
    testing = targets.add_parser("test", help=test.__doc__)
    testing.add_argument("--required", default="", help="versions that must be there, as in '3.11 3.12'")
    testing.add_argument("selection", nargs="*", help="what pytest shall run; then the checkers do not run")
    targets.add_parser("bench", help=bench.__doc__)
    targets.add_parser("lock", help=lock.__doc__).add_argument("--upgrade", action="store_true")
    given = vars(parser.parse_args())
    functions: dict[str, Callable[..., None]] = {"demo": demo, "test": test, "bench": bench, "lock": lock}
    try:
        functions[given.pop("target")](**given)
    except TargetError as exc:
        raise SystemExit(f"error: {exc}") from None


if __name__ == "__main__":
    main()
