"""
Trace headers are read as they are written.
"""

from __future__ import annotations

from lambda_kit._local._trace_header import TraceHeader


def test_trace_headers_are_read_and_written() -> None:
    """
    What is written can be read; what is missing is empty.
    """
    header = TraceHeader.new(sampled=True)

    assert header == TraceHeader.parse(str(header))
    assert TraceHeader("1-a", "", False) == TraceHeader.parse("Root=1-a; Lineage")
