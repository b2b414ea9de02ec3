"""
What a seed decides: which fault strikes when and for how long, and what each environment's invocations do.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

# Faults come in storms, with a calm after each: what is over must have no consequences.
PERIOD_S = 25.0
STORM_S = 15.0
# Between the end of a fault and the next one of its lane.
LONGEST_GAP_S = {"server": 2.0, "network": 2.0, "process": 2.0}

# Nobody rotates more often; Secrets Manager is asked five times in ten seconds at most.
BETWEEN_ROTATIONS_S = 15.0
ROTATIONS = ("rotate password", "rotate in outage")

# An environment's numbers do not meet another's.
NUMBERS_EACH = 10_000_000


@dataclass(frozen=True, slots=True)
class Kind:
    """
    A kind of fault: its lane (one lane's faults follow one another, those of different lanes overlap), how long it lasts, how
    often it is drawn.
    """

    lane: str
    shortest_s: float
    longest_s: float
    weight: int
    title: str


KINDS = {
    "terminate one": Kind("server", 0.0, 0.0, 4, "`pg_terminate_backend` of one session"),
    "terminate all": Kind("server", 0.0, 0.0, 3, "`pg_terminate_backend` of all sessions"),
    "crash server": Kind("server", 0.0, 1.5, 2, "server killed with -9, started again"),
    "crash backend": Kind("server", 0.0, 0.0, 2, "one backend killed with -9: the server ends all sessions and recovers"),
    "restart fast": Kind("server", 0.0, 0.5, 2, "fast shutdown and start"),
    "restart immediately": Kind("server", 0.0, 0.5, 2, "immediate shutdown and start"),
    "rotate password": Kind("server", 0.3, 2.5, 3, "password changed, the secret follows late"),
    "rotate in outage": Kind("server", 0.3, 1.5, 1, "the same while Secrets Manager fails"),
    "no connections left": Kind("server", 0.3, 2.0, 2, "`max_connections` used up by others"),
    "read-only": Kind("server", 0.3, 1.5, 2, "`default_transaction_read_only` on"),
    "idle sessions ended": Kind("server", 0.5, 2.0, 2, "`idle_session_timeout` of 50 ms"),
    "idle transactions ended": Kind("server", 0.5, 2.0, 2, "`idle_in_transaction_session_timeout` of 50 ms"),
    "long transactions ended": Kind("server", 0.5, 2.0, 1, "`transaction_timeout` of 100 ms"),
    "statements stopped": Kind("server", 0.3, 1.5, 1, "`statement_timeout` of 20 ms while the tables are locked"),
    "tables locked": Kind("server", 0.5, 6.0, 2, "tables locked by another session"),
    "frozen backend": Kind("server", 0.3, 3.0, 3, "one backend stopped, then continued"),
    "frozen server": Kind("server", 0.2, 2.0, 2, "all of the server stopped, then continued"),
    "cut": Kind("network", 1.0, 3.0, 4, "connections cut at random bytes, either direction"),
    "cut by reset": Kind("network", 1.0, 3.0, 2, "the same with RST"),
    "cut at COMMIT": Kind("network", 1.0, 3.0, 4, "each connection cut at its next COMMIT, before or after it"),
    "mute at COMMIT": Kind("network", 1.0, 3.0, 3, "no answer any more from the next COMMIT on, whether it got through or not"),
    "swallowed": Kind("network", 0.5, 3.0, 4, "nothing gets through, either or both directions; the kernel acknowledges"),
    "held": Kind("network", 0.2, 4.0, 4, "bytes held back, then delivered, to peers that may have given up"),
    "black hole": Kind("network", 0.3, 2.5, 3, "old and new connections get no answer"),
    "refused": Kind("network", 0.2, 2.5, 3, "connections refused"),
    "slow": Kind("network", 0.5, 2.0, 2, "20 ms for each packet"),
    "stalled function": Kind("process", 0.05, 0.25, 3, "function process stopped within an invocation"),
    "killed function": Kind("process", 0.0, 0.0, 2, "function process killed within an invocation"),
}

# What an invocation does, and how often: each writes under numbers of its own.
OPERATIONS = {
    "insert": 10,
    "replace": 6,
    "transfer": 5,
    "guarded transfer": 5,
    "block": 4,
    "slow block": 2,
    "many": 2,
    "copy": 2,
    "nested": 2,
    "own commit": 3,
    "single": 4,
    "single keyed": 3,
    "parallel": 2,
    "fork": 1,
    "abandon": 2,
    "leave": 2,
    "failed": 1,
    "engine": 3,
}


@dataclass(frozen=True, slots=True)
class Fault:
    """
    One fault to come. *draw*, between 0 and 1, chooses its victim.
    """

    at_s: float
    kind: str
    seconds: float
    draw: float


def draw_faults(seed: int, seconds: float) -> dict[str, list[Fault]]:
    """
    Return the faults of a run, by lane. Each kind of a lane has come before one comes again more often than its weight says.
    """
    return {lane: list(_draw_lane(random.Random(f"{seed} {lane}"), lane, seconds)) for lane in LONGEST_GAP_S}  # noqa: S311  # no secret


def _draw_lane(rng: random.Random, lane: str, seconds: float) -> Iterator[Fault]:
    bag: list[str] = []
    rotated_s = -BETWEEN_ROTATIONS_S
    at_s = rng.uniform(0.3, 1.0)
    while True:
        if at_s % PERIOD_S > STORM_S:
            at_s = (at_s // PERIOD_S + 1) * PERIOD_S + rng.uniform(0.0, 0.5)
        if at_s >= seconds:
            return
        if not bag:
            bag = [name for name, kind in KINDS.items() if kind.lane == lane for _ in range(kind.weight)]
            rng.shuffle(bag)
        name = bag.pop()
        if name in ROTATIONS:
            if at_s - rotated_s < BETWEEN_ROTATIONS_S:
                continue
            rotated_s = at_s
        # None lasts much longer than the run.
        lasts_s = min(rng.uniform(KINDS[name].shortest_s, KINDS[name].longest_s), seconds - at_s + KINDS[name].shortest_s)
        fault = Fault(at_s, name, lasts_s, rng.random())
        yield fault
        at_s += fault.seconds + rng.uniform(0.1, LONGEST_GAP_S[lane])


class Plan:
    """
    What one environment is asked to do, and what becomes of it between its invocations.
    """

    def __init__(self, seed: int, environment: int) -> None:
        self._rng = random.Random(f"{seed} environment {environment}")  # noqa: S311  # no secret
        self._number = environment * NUMBERS_EACH

    def event(self) -> dict[str, Any]:
        """
        Return the next event: operations, each with the first of the numbers that are its own.
        """
        names = self._rng.choices(list(OPERATIONS), list(OPERATIONS.values()), k=self._rng.choice((1, 1, 2, 3)))
        operations = []
        for name in names:
            self._number += 10
            operations.append({"name": name, "number": self._number, "draw": self._rng.random()})
        return {"operations": operations}

    def pause(self) -> tuple[str, float]:
        """
        Return what happens before the next event, and for how long: mostly a short wait.
        """
        chance = self._rng.random()
        if chance < 0.02:
            return "frozen", self._rng.uniform(0.2, 3.0)
        if chance < 0.023:
            return "replaced", 0.0
        if chance < 0.025:
            return "killed", 0.0
        return "idle", self._rng.uniform(0.0, 0.03)
