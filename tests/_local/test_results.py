"""
Results and the lines of the log.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from lambda_kit._local import _results
from lambda_kit._local._results import InvokeResult


def result(**facts: Any) -> InvokeResult:
    """
    Return the result of a warm invocation that went well, but for the facts given.
    """
    plain = {"request_id": "r", "status": "success", "body": b"1", "cold": False, "duration_ms": 1.5, "billed_ms": 2, "memory_mb": 128}
    return InvokeResult(**{**plain, "max_memory_mb": 20, **facts})


def test_report_of_a_warm_invocation() -> None:
    """
    The line has Lambda's words and tabs; cold or warm stands at its end.
    """
    expected = (
        "REPORT RequestId: r\tDuration: 1.50 ms\tBilled Duration: 2 ms\tMemory Size: 128 MB\tMax Memory Used: 20 MB\tEnvironment: warm"
    )

    assert expected == result().report()


def test_report_of_a_cold_one_tells_init_and_restore() -> None:
    """
    What the caller waited for is named; a restore is billed by itself.
    """
    report = result(cold=True, init_ms=10.0, restore_ms=3.2).report()

    assert "\tInit Duration: 10.00 ms\tRestore Duration: 3.20 ms\tBilled Restore Duration: 4 ms\tEnvironment: cold" in report


def test_report_of_a_failure_tells_its_kind() -> None:
    """
    An error has its type, a time-out is enough by itself.
    """
    assert "\tStatus: error\tError Type: E\t" in result(status="error", body=b'{"errorType": "E"}').report()
    assert "Error Type: Unknown" in result(status="error", body=b'{"x": 1}').report()
    assert "\tStatus: timeout\tEnvironment" in result(status="timeout", body=b'{"errorType": "E"}').report()
    assert "\tStatus: error\tEnvironment" in result(status="error", body=b"1").report()


def test_a_sampled_trace_is_named() -> None:
    """
    A second line leads to the trace.
    """
    assert result(trace_header="Root=1-a;Parent=b;Sampled=1").report().endswith("\nXRAY TraceId: 1-a\tSegmentId: b\tSampled: true")
    assert "XRAY" not in result(trace_header="Root=1-a;Parent=b;Sampled=0").report()


def test_payload_is_json_or_bytes() -> None:
    """
    A function may return nothing, JSON, or bytes.
    """
    assert 1 == result().payload
    assert result(body=b"").payload is None
    assert b"\xff" == result(body=b"\xff").payload
    assert "\xff" == result(body=b"\xff").as_json()["payload"]


def test_a_result_is_plain_json() -> None:
    """
    Everything the result knows goes into one document.
    """
    document = json.loads(json.dumps(result(log=("a",)).as_json()))

    assert ["a"] == document["log"]
    assert ("r", "success", 1, False) == (document["requestId"], document["status"], document["payload"], document["coldStart"])


def test_init_is_billed() -> None:
    """
    Since August 2025 INIT costs as much as the rest.
    """
    assert 12 == _results.billed_ms(1.5, 10.0)
    assert 2 == _results.billed_ms(1.5, None)


@pytest.mark.parametrize(
    ("status", "told"),
    [(0, "without providing a reason"), (3, "exit status 3"), (-9, "signal: killed"), (-64, "signal: ")],
    ids=["well", "badly", "killed", "an odd signal"],
)
def test_an_exit_is_told_as_the_platform_does(status: int, told: str) -> None:
    """
    The caller learns how the runtime ended.
    """
    error = json.loads(_results.exit_error("r", status))

    assert "Runtime.ExitError" == error["errorType"]
    assert error["errorMessage"].startswith("RequestId: r Error: Runtime exited")
    assert told in error["errorMessage"]


def test_init_report_names_what_happened() -> None:
    """
    A failed INIT has a line of its own, with a type where there is one.
    """
    assert "INIT_REPORT Init Duration: 1.00 ms\tPhase: init\tStatus: timeout" == _results.init_report(1.0, status="timeout")
    assert _results.init_report(1.0, status="error", error_type="E").endswith("\tError Type: E")
