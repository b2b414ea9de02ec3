"""
A trace is drawn as its tree.
"""

from __future__ import annotations

from lambda_kit._local._waterfall import waterfall

SEGMENT = {
    "id": "s",
    "trace_id": "1-a",
    "name": "orders",
    "start_time": 100.0,
    "end_time": 100.1,
    "subsegments": [{"id": "i", "name": "Initialization", "start_time": 100.0, "end_time": 100.05}],
}
CHARGE = {
    "id": "c",
    "parent_id": "s",
    "trace_id": "1-a",
    "name": "charge",
    "start_time": 100.05,
    "end_time": 100.1,
    "fault": True,
    "annotations": {"sku": "teapot"},
}
CALL = {
    "id": "a",
    "parent_id": "c",
    "trace_id": "1-a",
    "name": "ssm",
    "aws": {"operation": "GetParameter"},
    "start_time": 100.05,
    "end_time": 100.075,
    "http": {"response": {"status": 200}},
}


def test_the_tree_is_drawn_with_bars() -> None:
    """
    Children hang below their parents, bars stand where the time was spent, figures and notes follow.
    """
    expected = [
        "trace 1-a, 100.0 ms",
        "orders                 |████████████████████|     0.0    +100.0 ms",
        "├─ Initialization      |██████████          |     0.0     +50.0 ms",
        "└─ charge              |          ██████████|    50.0     +50.0 ms  fault  sku=teapot",
        "   └─ ssm GetParameter |          █████     |    50.0     +25.0 ms  HTTP 200",
    ]

    # Whatever the order in which they came: children are sent first.
    drawn = waterfall([CALL, CHARGE, SEGMENT], width=45).splitlines()

    assert expected == drawn


def test_a_subsegment_without_its_parent_stands_at_the_top() -> None:
    """
    Nothing that was sent is left out.
    """
    assert "\nssm GetParameter" in waterfall([CALL])
    assert "\nmyself" in waterfall([{"id": "x", "parent_id": "x", "name": "myself"}])


def test_the_complete_document_replaces_the_one_in_progress() -> None:
    """
    A segment that is sent again counts once; one that never ended has no length, and says so.
    """
    began = {"id": "s", "trace_id": "1-a", "name": "orders", "start_time": 100.0, "in_progress": True}

    assert "in progress" in waterfall([began])
    assert "in progress" not in waterfall([began, SEGMENT])


def test_siblings_keep_their_branches() -> None:
    """
    A child that has a later sibling draws the line on.
    """
    late = {"id": "z", "parent_id": "s", "trace_id": "1-a", "name": "late", "start_time": 100.09, "end_time": 100.1}

    assert "│  └─ ssm" in waterfall([SEGMENT, CHARGE, CALL, late])


def test_traces_follow_each_other() -> None:
    """
    Each has its own line of heading, also one without anything but a name.
    """
    assert ["trace , 0.0 ms", "trace 1-a, 100.0 ms"] == [line for line in waterfall([{}, SEGMENT]).splitlines() if line.startswith("trace")]


def test_nothing_draws_nothing() -> None:
    """
    No documents, no text.
    """
    assert "" == waterfall([])
