"""
A run in figures, as a page.
"""

from __future__ import annotations

import os
import platform
from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks._chaos.environments import reconnects, sum_of
from benchmarks._chaos.oracle import ACKNOWLEDGED, BEGUN, MEANT, WRAPPING, last_told
from benchmarks._chaos.schedule import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from benchmarks._chaos.environments import Environment
    from benchmarks._chaos.faults import Struck
    from benchmarks._chaos.oracle import Evidence, Run

MOST_VIOLATIONS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """
    What came of a run.

    Attributes:
        unexpected: What kept faults from happening.
        late_s: How late this very process woke up at worst, waiting for nothing but its turn.
    """

    seconds: float
    seed: int
    workers: int
    evidence: Evidence
    struck: list[Struck]
    unexpected: list[str]
    environments: list[Environment]
    violations: list[str]
    late_s: float
    secret_calls: int
    cuts: int


def page(outcome: Outcome) -> str:
    """
    Return the page.
    """
    lines = [
        "# A run of faults",
        "",
        f"Produced by `benchmarks/chaos.py` with CPython {platform.python_version()} on {platform.system()} {platform.machine()},",
        f"{os.cpu_count()} processors: {outcome.seconds:.0f} s of faults, seed {outcome.seed}, {outcome.workers} environments.",
        "To repeat it, with the packages of `constraints/bench.txt`:",
        f"`python benchmarks/chaos.py --seconds {outcome.seconds:.0f} --seed {outcome.seed} --write`.",
        "",
        *_what_was_done(),
        *_verdict(outcome),
        *_invocations(outcome),
        *_outcomes(outcome),
        *_causes(outcome),
        *_faults(outcome),
    ]
    return "\n".join(lines) + "\n"


def _what_was_done() -> list[str]:
    return [
        "Each environment runs under Lambda's runtime client with a deadline of 2 to 6 s, is frozen between invocations, killed and",
        "replaced; the fourth starts from a snapshot. They reach a PostgreSQL of this machine through a proxy, and log in with a secret",
        "that rotates.",
        "Each invocation writes numbered rows in some of many ways: `db.run` with and without `idempotent`, `with` blocks, commits of",
        "its own, `executemany`, `COPY`, savepoints, `autocommit`, threads, forks, SQLAlchemy where it is installed; and on purpose it",
        "leaves transactions open that nobody may commit.",
        "No constraint keeps a row from being there twice, except where the function itself asks for that.",
        "What each caller was told is written to a file, and compared with the tables at the end.",
        "The same seed draws the same faults and the same work; how they meet is up to the machine, so no two runs are alike.",
        "One run is shown, because each takes ten minutes; with any other seed there must be no violation either.",
        "Faults come in storms; a calm begins when the last one has been over for 5 s.",
        "",
    ]


def _verdict(outcome: Outcome) -> list[str]:
    last = list(_last(outcome.evidence))
    acknowledged = sum(entry["outcome"] == ACKNOWLEDGED for entry in last)
    numbers = {number for _, number, _ in outcome.evidence.places}
    unknown = [entry["number"] in numbers for entry in last if entry["outcome"] == "CommitUnknownError"]
    lines = [
        "## Violations",
        "",
        "**None.**" if not outcome.violations else f"**{len(outcome.violations)}.** It should be so:",
        f"{acknowledged} acknowledged writes are there exactly once, all rows of each.",
        f"Of {len(unknown)} that ended with `CommitUnknownError`, {sum(unknown)} are there, once, and {unknown.count(False)} are not.",
        "What ended with any other error is not there, except where that says it may be; no transaction is there in part;",
        "no account is off by anything; no abandoned transaction was committed; no invocation outlived its deadline;",
        "no error came untyped; no password is in a log or an error; what began and ended in a calm succeeded.",
        "*Typed* is an error of the kit, the driver's own for what the server answered on a sound connection (read-only, conflict,",
        "deadlock, a statement that was stopped), and around an engine what SQLAlchemy makes of the driver's.",
    ]
    return [*lines, ""]


def _invocations(outcome: Outcome) -> list[str]:
    runs = outcome.evidence.runs
    in_calm: list[float] = []
    in_faults: list[float] = []
    for run in runs:
        if run.interrupted or run.cold:
            continue
        (in_calm if _is_within(run, outcome.evidence.calm) else in_faults).append(run.ended_s - run.began_s)
    left = min((run.left_s for run in runs if run.left_s is not None), default=0.0)
    happened = Counter[str]()
    for environment in outcome.environments:
        happened.update(environment.happened)
    return [
        "## Invocations",
        "",
        "| | number | median, ms | 99 % within, ms | longest, ms |",
        "|---|---:|---:|---:|---:|",
        _row("in calm", in_calm),
        _row("during faults, and shortly after", in_faults),
        "",
        f"{len(runs)} invocations, {sum(run.cold for run in runs)} of them in a new environment;",
        f"{happened['frozen']} times an environment was frozen in between, {happened['killed']} times killed in between,",
        f"{sum(run.interrupted for run in runs)} times killed in the middle, {sum(run.stalled_s > 0 for run in runs)} times stopped there.",
        f"The one that came closest to its deadline had {left:.2f} s left when it returned; 0.5 s are what the kit keeps back,",
        "and 0.2 s of them may be spent on a last `COMMIT` or `ROLLBACK`.",
        f"This machine, with all that runs on it, was up to {outcome.late_s:.2f} s late;",
        f"{sum(run.is_excused for run in runs)} invocations were not given the time to keep their deadline.",
        f"{outcome.evidence.sessions} sessions were open at the end,",
        f"and no process ever had more than {max((run.descriptors for run in runs), default=0)} open files and sockets.",
        "Times are those of the caller, with the runtime client and a local Runtime API in between; new environments are left out.",
        "",
    ]


def _outcomes(outcome: Outcome) -> list[str]:
    told = Counter(_word(entry) for entry in _last(outcome.evidence))
    return [
        "## What callers were told",
        "",
        "| | number |",
        "|---|---:|",
        *(f"| {word} | {count} |" for word, count in told.most_common()),
        "",
        "`DatabaseError` is meant where the function catches a statement's error inside its block, which then must not be committed.",
        "One without that word would be another: threads that held all connections until the deadline, or a connect that failed for a",
        "reason that waiting does not cure.",
        "",
    ]


def _word(entry: dict[str, Any]) -> str:
    outcome: str = entry["outcome"]
    if outcome == MEANT.get(entry["name"]):
        return f"`{outcome}`, which the function meant to get"
    if outcome == BEGUN:
        return "killed before it could be told"
    if entry["name"] in WRAPPING and not entry.get("kit", True):
        return f"`{outcome}` of SQLAlchemy"
    return outcome if outcome == ACKNOWLEDGED else f"`{outcome}`"


def _causes(outcome: Outcome) -> list[str]:
    causes = reconnects(outcome.environments)
    lines = ["## Reconnects", "", "| cause | number |", "|---|---:|", *(f"| {cause} | {count} |" for cause, count in causes.most_common())]
    return [
        *lines,
        "",
        f"{sum_of(outcome.environments, 'connects')} connections, {sum_of(outcome.environments, 'pings')} pings,",
        f"{sum_of(outcome.environments, 'rollbacks')} abandoned transactions rolled back, {outcome.secret_calls} calls to Secrets Manager.",
        "",
    ]


def _faults(outcome: Outcome) -> list[str]:
    struck = Counter(each.kind for each in outcome.struck if not each.missed)
    return [
        "## Faults",
        "",
        "| | number |",
        "|---|---:|",
        *(f"| {kind.title} | {struck[name]} |" for name, kind in KINDS.items()),
        "",
        f"{sum(struck.values())} faults; {sum(each.missed for each in outcome.struck)} more had nothing to hit.",
        f"{outcome.cuts} connections were cut.",
    ]


def _last(evidence: Evidence) -> Iterable[dict[str, Any]]:
    return last_told(evidence.journal).values()


def _is_within(run: Run, spans: list[tuple[float, float]]) -> bool:
    place = bisect_right(spans, (run.began_s, float("inf"))) - 1
    return place >= 0 and spans[place][0] <= run.began_s and run.ended_s <= spans[place][1]


def _row(title: str, seconds: list[float]) -> str:
    values = sorted(each * 1000 for each in seconds) or [0.0]
    return f"| {title} | {len(seconds)} | {values[len(values) // 2]:.0f} | {values[int(len(values) * 0.99)]:.0f} | {values[-1]:.0f} |"
