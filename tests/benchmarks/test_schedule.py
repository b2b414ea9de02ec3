"""
What a seed decides in a chaos run.
"""

from __future__ import annotations

from itertools import pairwise

from benchmarks._chaos.faults import Struck, windows
from benchmarks._chaos.oracle import MEANT, PLACES
from benchmarks._chaos.schedule import BETWEEN_ROTATIONS_S, KINDS, NUMBERS_EACH, OPERATIONS, PERIOD_S, ROTATIONS, STORM_S, Plan, draw_faults


def test_a_seed_decides_the_faults() -> None:
    """
    The same seed gives the same faults, another seed others.
    """
    assert draw_faults(7, 100.0) == draw_faults(7, 100.0)
    assert draw_faults(7, 100.0) != draw_faults(8, 100.0)


def test_ten_minutes_have_every_kind_of_fault() -> None:
    """
    No kind is left out by chance.
    """
    drawn = {fault.kind for lane in draw_faults(1, 600.0).values() for fault in lane}

    assert set(KINDS) == drawn


def test_faults_of_a_lane_follow_one_another() -> None:
    """
    One ends before the next begins, and none begins in a calm.
    """
    for lane in draw_faults(3, 600.0).values():
        assert all(one.at_s + one.seconds < other.at_s for one, other in pairwise(lane))
        assert all(fault.at_s % PERIOD_S <= STORM_S for fault in lane)
        assert 600.0 > lane[-1].at_s


def test_rotations_leave_time_for_one_another() -> None:
    """
    As Secrets Manager's own do.
    """
    at_s = [fault.at_s for fault in draw_faults(1, 600.0)["server"] if fault.kind in ROTATIONS]

    assert all(later - earlier >= BETWEEN_ROTATIONS_S for earlier, later in pairwise(at_s))


def test_a_seed_decides_the_work() -> None:
    """
    Each environment has work and numbers of its own, the same ones each time.
    """
    some, same, other = Plan(1, 1), Plan(1, 1), Plan(1, 2)
    events = [some.event() for _ in range(200)]

    assert events == [same.event() for _ in range(200)]
    numbers = [operation["number"] for event in events for operation in event["operations"]]
    others = [operation["number"] for _ in range(200) for operation in other.event()["operations"]]
    assert len(numbers) == len(set(numbers))
    assert {1} == {number // NUMBERS_EACH for number in numbers}
    assert {2} == {number // NUMBERS_EACH for number in others}


def test_the_oracle_knows_each_operation() -> None:
    """
    What a function may be asked to do has its rows, or is meant to leave none.
    """
    assert set(OPERATIONS) == ({*PLACES, *MEANT, "leave"} - {"own commit, then"})


def test_environments_are_frozen_and_replaced_between_invocations() -> None:
    """
    Most pauses are short waits; some are long ones, or the end of the environment.
    """
    plan = Plan(1, 1)
    pauses = [plan.pause() for _ in range(3000)]

    assert {"idle", "frozen", "replaced", "killed"} == {what for what, _ in pauses}
    assert 2700 < [what for what, _ in pauses].count("idle")


def test_overlapping_faults_make_one_window() -> None:
    """
    A calm begins when all of them are over, and their consequences may be.
    """
    struck = [Struck("cut", 30.0, 31.0), Struck("held", 10.0, 14.0), Struck("cut", 12.0, 13.0), Struck("slow", 18.0, 19.0)]

    assert [(10.0, 24.0), (30.0, 36.0)] == list(windows(struck, 5.0))
    assert [] == list(windows([], 5.0))
