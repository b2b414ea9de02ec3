"""
What must be true after a run, whatever happened in it: told from the journals, the tables and the clock alone.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

Place = tuple[str, int, int]

# Where the rows of one number are: table and part. What is not named here never has any.
PLACES: dict[str, tuple[tuple[str, int], ...]] = {
    "insert": (("rows", 1),),
    "replace": (("rows", 1), ("rows", 2)),
    "transfer": (("transfers", 1),),
    "guarded transfer": (("keyed", 1), ("transfers", 1)),
    "block": (("rows", 1), ("rows", 2)),
    "slow block": (("rows", 1), ("rows", 2)),
    "many": (("rows", 1), ("rows", 2), ("rows", 3)),
    "copy": (("rows", 1), ("rows", 2), ("rows", 3)),
    "nested": (("rows", 1), ("rows", 2)),
    "own commit": (("rows", 1),),
    "own commit, then": (("rows", 1),),
    "single": (("rows", 1),),
    "single keyed": (("keyed", 1),),
    "parallel": (("rows", 1),),
    "fork": (("rows", 1),),
    "engine": (("rows", 1), ("rows", 2)),
}
# What the function does wrong on purpose, and what it is told then; anything else than success or an error of the kit is not.
MEANT = {"abandon": "AbandonedError", "failed": "DatabaseError"}
# The server's answers to a statement on a sound connection, which reach the function as the driver has them: read-only, a
# conflict, a deadlock, a statement that was stopped.
DEADLOCK = "40P01"
ANSWERS = frozenset({"25006", "40001", DEADLOCK, "57014"})
# SQLAlchemy wraps what the driver raises, a lost connection too; the kit's own errors it lets through.
WRAPPING = ("engine",)

# One connection of each database, two where there may be two, and one of a forked child.
SESSIONS_EACH = 5
# Those connections, the Runtime API's, the log, the modules' and what was just being closed: a dozen in all. What leaks grows.
MOST_DESCRIPTORS = 40

# Half a second is what the kit keeps back: who was stopped for longer than this cannot be blamed for what came after.
EXCUSE_S = 0.4

ACKNOWLEDGED, BEGUN, OUTLIVED = "acknowledged", "begun", "outlived"


@dataclass(frozen=True, slots=True)
class Run:
    """
    One invocation as its caller saw it. Times are seconds since the epoch.

    Attributes:
        stalled_s: How long its process was stopped meanwhile; *late_s*: how late this machine was meanwhile, for whoever waited.
        interrupted: Its process was killed by the run.
        left_s: What it had left when it returned, by its own clock.
        descriptors: Open files and sockets of its process then.
    """

    environment: int
    request_id: str
    began_s: float
    ended_s: float
    timeout_s: float
    status: str
    cold: bool = False
    stalled_s: float = 0.0
    late_s: float = 0.0
    interrupted: bool = False
    error: str = ""
    left_s: float | None = None
    descriptors: int = 0
    log: tuple[str, ...] = ()

    @property
    def is_late(self) -> bool:
        """
        Whether it outlived its deadline.
        """
        return self.status == "timeout" and not self.interrupted

    @property
    def is_excused(self) -> bool:
        """
        Whether it was not given the time to keep its deadline.
        """
        return self.is_late and self.stalled_s + self.late_s >= EXCUSE_S


@dataclass(slots=True)
class Evidence:
    """
    What is known at the end.

    Attributes:
        journal: The functions' notes, in the order in which each process wrote them.
        places: How often each row is there.
        transfers: ``(source, target, amount)`` of all that were committed.
        opened: What accounts had at first, by id; *balances* is what they have now.
        secrets: Passwords; no text of *journal* or of a log may have one.
        leaks: Log lines that had one.
        sessions: How many the server had at the end of the last calm, with the functions alive.
        calm: Spans of time in which nothing was wrong, and nothing had been for a while.
    """

    journal: list[dict[str, Any]]
    places: Mapping[Place, int]
    poison: list[int] = field(default_factory=list)
    transfers: list[tuple[int, int, int]] = field(default_factory=list)
    opened: Mapping[int, int] = field(default_factory=dict)
    balances: Mapping[int, int] = field(default_factory=dict)
    runs: list[Run] = field(default_factory=list)
    secrets: Iterable[str] = ()
    leaks: list[str] = field(default_factory=list)
    sessions: int = 0
    calm: list[tuple[float, float]] = field(default_factory=list)


def copies_allowed(entry: Mapping[str, Any]) -> tuple[int, ...]:
    """
    Return how often the rows of a number may be there, by the last that its function was told.
    """
    outcome = entry["outcome"]
    if entry["name"] not in PLACES:
        return (0,)
    if outcome == ACKNOWLEDGED:
        return (1,)
    if outcome in (BEGUN, OUTLIVED, "CommitUnknownError") or entry.get("in_doubt"):
        return (0, 1)
    if entry["name"] == "single keyed":
        # Of two attempts the function is told of the second one.
        return (0, 1)
    return (0,)


def violations(evidence: Evidence) -> list[str]:
    """
    Return a sentence for each thing that must not be; none when all is well.
    """
    last = last_told(evidence.journal)
    return [
        *_rows(last, evidence),
        *_ledger(evidence),
        *_words(last, evidence),
        *_times(evidence),
        *_leaks(evidence),
        *_leftovers(evidence),
        *_calm(evidence),
    ]


def last_told(journal: list[dict[str, Any]]) -> dict[int, dict[str, Any]]:
    """
    Return the last entry of each number; an acknowledgement is never taken back.
    """
    last: dict[int, dict[str, Any]] = {}
    for entry in journal:
        known = last.get(entry["number"])
        if known is None or known["outcome"] != ACKNOWLEDGED:
            last[entry["number"]] = entry
    return last


def _rows(last: Mapping[int, dict[str, Any]], evidence: Evidence) -> Iterator[str]:
    """
    Compare what is there with what functions were told.
    """
    found: dict[int, Counter[tuple[str, int]]] = defaultdict(Counter)
    for (table, number, part), count in evidence.places.items():
        found[number][table, part] += count
    if not any(entry["outcome"] == ACKNOWLEDGED for entry in last.values()):
        yield "nothing was acknowledged: this run says nothing"
    for number in sorted(found.keys() - last.keys()):
        yield f"{number}: rows are there that nobody has begun: {dict(found[number])}"
    for number, entry in last.items():
        there = found.get(number, Counter())
        expected = PLACES.get(entry["name"], ())
        counts = {place: there[place] for place in {*expected, *there}}
        copies = set(counts.values()) or {0}
        if len(copies) > 1:
            yield f"{number}: torn: {counts} after {_told(entry)}"
        elif not copies <= set(copies_allowed(entry)):
            yield f"{number}: there {copies.pop()} times after {_told(entry)}"
    for number in evidence.poison:
        yield f"{number}: committed although it was rolled back or abandoned: {_told(last.get(number, {}))}"


def _ledger(evidence: Evidence) -> Iterator[str]:
    expected = Counter(evidence.opened)
    for source, target, amount in evidence.transfers:
        expected[source] -= amount
        expected[target] += amount
    for account, balance in sorted(evidence.balances.items()):
        if balance != expected[account]:
            yield f"account {account}: {balance}, but its transfers make {expected[account]}"


def _words(last: Mapping[int, dict[str, Any]], evidence: Evidence) -> Iterator[str]:
    """
    Look at what functions were told: always something, and always an error that says what is known.
    """
    interrupted = {run.request_id for run in evidence.runs if run.interrupted or run.status == "timeout"}
    requests = {entry["number"]: entry.get("request") for entry in evidence.journal if "request" in entry}
    for number, entry in last.items():
        outcome = entry["outcome"]
        if outcome == OUTLIVED:
            yield f"{number}: a forked child did not end in time"
        elif outcome == BEGUN and requests.get(number) not in interrupted:
            yield f"{number}: no word about {entry['name']}"
        elif outcome not in (BEGUN, ACKNOWLEDGED) and not _is_typed(entry):
            yield f"{number}: no error of the kit: {_told(entry)}"
        elif entry["name"] == "failed" and outcome == ACKNOWLEDGED:
            yield f"{number}: a transaction that had failed was reported as committed"


def _is_typed(entry: Mapping[str, Any]) -> bool:
    return (
        bool(entry.get("kit"))
        or entry["outcome"] == MEANT.get(entry["name"])
        or entry.get("sqlstate") in ANSWERS
        or (entry["name"] in WRAPPING and entry["outcome"] in ("OperationalError", "InternalError", "DBAPIError"))
    )


def _times(evidence: Evidence) -> Iterator[str]:
    for run in evidence.runs:
        who = f"request {run.request_id} of environment {run.environment}"
        if run.is_late and not run.is_excused:
            yield f"{who} outlived its deadline of {run.timeout_s:g} s (stopped for {run.stalled_s:.2f} s of it, {run.late_s:.2f} s late)"
        elif run.left_s is not None and run.left_s < 0:
            yield f"{who} ended {-run.left_s:.2f} s after its deadline"
        elif run.status not in ("success", "timeout") and not run.interrupted:
            yield f"{who} ended with {run.status}: {run.error}"


def _leaks(evidence: Evidence) -> Iterator[str]:
    for entry in evidence.journal:
        if any(secret in str(entry) for secret in evidence.secrets):
            yield f"{entry['number']}: a password is in what its function was told"
    if evidence.leaks:
        yield f"a password is in {len(evidence.leaks)} lines of the log"


def _leftovers(evidence: Evidence) -> Iterator[str]:
    """
    What is given up must be gone, here and on the server.
    """
    environments = {run.environment for run in evidence.runs}
    if evidence.sessions > SESSIONS_EACH * len(environments):
        yield f"{evidence.sessions} sessions of {len(environments)} environments are left on the server"
    most = max((run.descriptors for run in evidence.runs), default=0)
    if most > MOST_DESCRIPTORS:
        yield f"a function process had {most} open files and sockets"


def _calm(evidence: Evidence) -> Iterator[str]:
    """
    What began and ended while nothing was wrong must have succeeded.
    """
    began: dict[int, float] = {}
    for entry in evidence.journal:
        number, outcome = entry["number"], entry["outcome"]
        if outcome == BEGUN:
            began[number] = entry["at_s"]
        elif outcome in (ACKNOWLEDGED, MEANT.get(entry["name"])) or entry.get("sqlstate") == DEADLOCK:
            continue
        elif number in began and any(start <= began[number] and entry["at_s"] <= end for start, end in evidence.calm):
            yield f"{number}: failed in a calm: {_told(entry)}"


def _told(entry: Mapping[str, Any]) -> str:
    facts = [
        str(entry.get("outcome")),
        *(f"{name}={entry[name]!r}" for name in ("sqlstate", "in_doubt", "message", "cause") if entry.get(name)),
    ]
    return f"{entry.get('name')}, {' '.join(facts)}"
