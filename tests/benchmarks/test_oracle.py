"""
The chaos run's oracle must be able to fail: what is planted in its evidence is reported.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from benchmarks._chaos.oracle import MOST_DESCRIPTORS, PLACES, SESSIONS_EACH, Evidence, Run, copies_allowed, violations

CALM = (1_000.0, 2_000.0)


def entry(number: int, name: str, outcome: str, **facts: Any) -> dict[str, Any]:
    """
    Return a note as the function under chaos writes it.
    """
    kit = outcome.endswith("Error") and outcome not in ("AbandonedError", "OperationalError")
    return {"number": number, "name": name, "outcome": outcome, "kit": kit, "at_s": 10.0, **facts}


def there(number: int, name: str, copies: int = 1) -> Counter[tuple[str, int, int]]:
    """
    Return the rows of a number, so many times.
    """
    return Counter({(table, number, part): copies for table, part in PLACES[name]})


def run(**facts: Any) -> Run:
    """
    Return an invocation as its caller saw it.
    """
    return Run(**{"environment": 1, "request_id": "r1", "began_s": 0.0, "ended_s": 1.0, "timeout_s": 3.0, "status": "success", **facts})


@pytest.fixture
def evidence() -> Evidence:
    """
    Everything went well, in each way there is.
    """
    names = list(PLACES)
    journal = [
        line
        for number, name in enumerate(names)
        for line in (entry(number, name, "begun", request="r1"), entry(number, name, "acknowledged"))
    ]
    places = sum((there(number, name) for number, name in enumerate(names)), Counter[tuple[str, int, int]]())
    opened = {0: 100, 1: 100}
    return Evidence(
        journal, places, transfers=[(0, 1, 30)], opened=opened, balances={0: 70, 1: 130}, runs=[run()], secrets=["s3cret"], calm=[CALM]
    )


def test_a_clean_run_has_no_violations(evidence: Evidence) -> None:
    """
    What was acknowledged is there once.
    """
    assert [] == violations(evidence)


@pytest.mark.parametrize("name", PLACES)
def test_a_dropped_row_is_reported(evidence: Evidence, name: str) -> None:
    """
    All rows of an acknowledged number are gone.
    """
    number = list(PLACES).index(name)
    evidence.places = Counter({place: count for place, count in evidence.places.items() if place[1] != number})

    assert [f"{number}: there 0 times after {name}, acknowledged"] == violations(evidence)


@pytest.mark.parametrize("name", PLACES)
def test_a_doubled_row_is_reported(evidence: Evidence, name: str) -> None:
    """
    All rows of an acknowledged number are there twice.
    """
    number = list(PLACES).index(name)
    evidence.places = Counter(evidence.places) + there(number, name)

    assert [f"{number}: there 2 times after {name}, acknowledged"] == violations(evidence)


@pytest.mark.parametrize("outcome", ["acknowledged", "CommitUnknownError", "ConnectionLostError"])
@pytest.mark.parametrize("copies", [0, 2], ids=["missing", "doubled"])
def test_half_a_transaction_is_reported(evidence: Evidence, outcome: str, copies: int) -> None:
    """
    One of two rows that belong together is missing, or there twice, whatever the function was told.
    """
    evidence.journal.append(entry(99, "block", outcome))
    evidence.places = Counter({**evidence.places, ("rows", 99, 1): 1, ("rows", 99, 2): copies})

    (found,) = violations(evidence)
    assert found.startswith("99: torn: ")


@pytest.mark.parametrize(
    ("name", "outcome", "facts", "allowed"),
    [
        ("insert", "acknowledged", {}, (1,)),
        ("insert", "begun", {}, (0, 1)),
        ("insert", "CommitUnknownError", {}, (0, 1)),
        ("insert", "ConnectionLostError", {}, (0,)),
        ("insert", "ConnectTimeoutError", {}, (0,)),
        ("insert", "DeadlineError", {}, (0,)),
        ("insert", "LoginError", {}, (0,)),
        ("insert", "ReadOnlySqlTransaction", {"sqlstate": "25006"}, (0,)),
        ("single", "ConnectionLostError", {"in_doubt": True}, (0, 1)),
        ("single", "ConnectionLostError", {}, (0,)),
        ("single", "DeadlineError", {"in_doubt": True}, (0, 1)),
        ("single", "DeadlineError", {}, (0,)),
        ("single", "ConnectTimeoutError", {}, (0,)),
        ("single keyed", "ConnectTimeoutError", {}, (0, 1)),
        ("leave", "acknowledged", {}, (0,)),
        ("abandon", "begun", {}, (0,)),
        ("failed", "CommitUnknownError", {}, (0,)),
    ],
)
def test_what_was_told_says_how_often_it_is_there(name: str, outcome: str, facts: dict[str, Any], allowed: tuple[int, ...]) -> None:
    """
    Only an unknown COMMIT, a statement in doubt and a killed process leave a choice, and never one of two.
    """
    assert allowed == copies_allowed(entry(1, name, outcome, **facts))


@pytest.mark.parametrize("outcome", ["ConnectionLostError", "ConnectTimeoutError", "DeadlineError", "LoginError", "DatabaseError"])
def test_a_row_that_was_said_not_to_be_is_reported(evidence: Evidence, outcome: str) -> None:
    """
    An error that says that nothing was committed must be right.
    """
    evidence.journal.append(entry(99, "insert", outcome, message="lost"))
    evidence.places = Counter(evidence.places) + there(99, "insert")

    assert [f"99: there 1 times after insert, {outcome} message='lost'"] == violations(evidence)


@pytest.mark.parametrize("copies", [0, 1, 2])
def test_an_unknown_commit_is_there_once_at_most(evidence: Evidence, copies: int) -> None:
    """
    Not known means none or one.
    """
    evidence.journal.append(entry(99, "transfer", "CommitUnknownError"))
    evidence.places = Counter(evidence.places) + there(99, "transfer", copies)

    assert (["99: there 2 times after transfer, CommitUnknownError"] if copies == 2 else []) == violations(evidence)


def test_an_acknowledgement_is_not_taken_back(evidence: Evidence) -> None:
    """
    What was acknowledged once must be there, whatever the function is told of it later.
    """
    evidence.journal += [entry(99, "insert", "acknowledged"), entry(99, "insert", "CommitUnknownError")]

    assert ["99: there 0 times after insert, acknowledged"] == violations(evidence)


def test_rows_of_nobody_are_reported(evidence: Evidence) -> None:
    """
    A number that no function has begun is there.
    """
    evidence.places = Counter(evidence.places) + there(99, "insert")

    assert ["99: rows are there that nobody has begun: {('rows', 1): 1}"] == violations(evidence)


@pytest.mark.parametrize("name", ["abandon", "failed"])
def test_rows_of_an_abandoned_transaction_are_reported(evidence: Evidence, name: str) -> None:
    """
    What its own function rolled back is there.
    """
    evidence.journal.append(entry(99, name, "AbandonedError" if name == "abandon" else "DatabaseError"))
    evidence.places = Counter({**evidence.places, ("rows", 99, 1): 1})

    (found,) = violations(evidence)
    assert f"99: there 1 times after {name}, " in found


def test_poison_is_reported(evidence: Evidence) -> None:
    """
    Another invocation has committed what was left behind.
    """
    evidence.journal.append(entry(99, "leave", "acknowledged"))
    evidence.poison = [99]

    assert ["99: committed although it was rolled back or abandoned: leave, acknowledged"] == violations(evidence)


def test_an_account_that_is_off_is_reported(evidence: Evidence) -> None:
    """
    Half of a transfer, or somebody's abandoned update.
    """
    evidence.balances = {0: 70, 1: 131}

    assert ["account 1: 131, but its transfers make 130"] == violations(evidence)


def test_a_late_invocation_is_reported(evidence: Evidence) -> None:
    """
    Lambda would have killed it at its deadline.
    """
    evidence.runs = [run(status="timeout", ended_s=3.0)]

    assert ["request r1 of environment 1 outlived its deadline of 3 s (stopped for 0.00 s of it, 0.00 s late)"] == violations(evidence)


@pytest.mark.parametrize(
    ("facts", "excused"),
    [({"stalled_s": 0.5}, True), ({"late_s": 0.5}, True), ({"stalled_s": 0.2, "late_s": 0.1}, False), ({"interrupted": True}, True)],
    ids=["stopped", "slow machine", "not long", "killed"],
)
def test_who_was_not_given_the_time_is_not_late(evidence: Evidence, facts: dict[str, Any], excused: bool) -> None:
    """
    A process that was stopped, or a machine that stood still, keeps no deadline.
    """
    evidence.runs = [run(status="timeout", **facts)]

    assert excused is (violations(evidence) == [])


def test_an_answer_after_the_deadline_is_reported(evidence: Evidence) -> None:
    """
    By the function's own clock.
    """
    evidence.runs = [run(left_s=-0.25)]

    assert ["request r1 ended 0.25 s after its deadline".replace("r1", "r1 of environment 1")] == violations(evidence)


def test_an_invocation_that_failed_is_reported(evidence: Evidence) -> None:
    """
    The function notes every error it is told; what reaches its caller is none of these.
    """
    evidence.runs = [run(status="error", error="TypeError: ...")]

    assert ["request r1 of environment 1 ended with error: TypeError: ..."] == violations(evidence)


def test_a_number_without_a_word_is_reported(evidence: Evidence) -> None:
    """
    Only a killed process owes no answer.
    """
    evidence.journal.append(entry(99, "insert", "begun", request="r2"))
    assert ["99: no word about insert"] == violations(evidence)

    evidence.runs.append(run(request_id="r2", status="error", interrupted=True))
    assert [] == violations(evidence)


@pytest.mark.parametrize(
    ("name", "outcome", "facts", "typed"),
    [
        ("insert", "OperationalError", {"sqlstate": None}, False),
        ("insert", "AdminShutdown", {"sqlstate": "57P01"}, False),
        ("insert", "ReadOnlySqlTransaction", {"sqlstate": "25006"}, True),
        ("insert", "AbandonedError", {}, False),
        ("abandon", "AbandonedError", {}, True),
        ("engine", "OperationalError", {"sqlstate": "57P01"}, True),
        ("engine", "AdminShutdown", {"sqlstate": "57P01"}, False),
    ],
)
def test_a_lost_connection_without_an_error_of_the_kit_is_reported(
    evidence: Evidence, name: str, outcome: str, facts: dict[str, Any], typed: bool
) -> None:
    """
    The driver's own errors are for answers of the server on a sound connection; SQLAlchemy wraps the others.
    """
    evidence.journal.append(entry(99, name, outcome, **{"kit": False, **facts}))

    assert typed is (violations(evidence) == [])


def test_a_failed_transaction_that_is_told_as_committed_is_reported(evidence: Evidence) -> None:
    """
    PostgreSQL answers COMMIT with ROLLBACK there.
    """
    evidence.journal.append(entry(99, "failed", "acknowledged"))

    assert ["99: a transaction that had failed was reported as committed"] == violations(evidence)


def test_a_child_that_outlives_its_invocation_is_reported(evidence: Evidence) -> None:
    """
    The deadline holds in forked processes too.
    """
    evidence.journal.append(entry(99, "fork", "outlived"))

    assert ["99: a forked child did not end in time"] == violations(evidence)


def test_a_password_is_reported(evidence: Evidence) -> None:
    """
    In what a function was told, or in its log.
    """
    evidence.journal.append(entry(99, "insert", "LoginError", message="password s3cret refused"))
    evidence.leaks = ["... s3cret ..."]

    assert ["99: a password is in what its function was told", "a password is in 1 lines of the log"] == violations(evidence)


@pytest.mark.parametrize(("began_s", "ended_s", "reported"), [(1_001.0, 1_002.0, True), (999.0, 1_001.0, False), (1_999.0, 2_001.0, False)])
def test_a_failure_in_a_calm_is_reported(evidence: Evidence, began_s: float, ended_s: float, reported: bool) -> None:
    """
    What is over has no consequences.
    """
    evidence.journal += [
        entry(99, "insert", "begun", request="r1", at_s=began_s),
        entry(99, "insert", "ConnectTimeoutError", at_s=ended_s),
    ]

    assert (["99: failed in a calm: insert, ConnectTimeoutError"] if reported else []) == violations(evidence)


def test_what_is_left_over_is_reported(evidence: Evidence) -> None:
    """
    Sessions on the server, and descriptors in a function's process.
    """
    evidence.sessions = SESSIONS_EACH + 1
    evidence.runs = [run(descriptors=MOST_DESCRIPTORS + 1)]

    assert ["6 sessions of 1 environments are left on the server", "a function process had 41 open files and sockets"] == violations(
        evidence
    )


def test_a_run_without_writes_proves_nothing() -> None:
    """
    Nothing acknowledged, nothing lost: that is no success.
    """
    assert ["nothing was acknowledged: this run says nothing"] == violations(Evidence([], {}))
