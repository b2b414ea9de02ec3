"""
The numbers of a database.
"""

from __future__ import annotations

import pytest

from lambda_kit.databases._stats import Counts


def test_a_snapshot_does_not_change() -> None:
    """
    It is a value of its moment.
    """
    counts = Counts()
    before = counts.snapshot()
    counts.given_up("closed")
    counts.connected()
    counts.add("waited_s", 0.5)

    assert 0 == before.connects
    assert {} == before.reconnects
    with pytest.raises(AttributeError, match="'connects' cannot be set"):
        before.connects = 1
    assert "<Stats connects=1 pings=0 reconnects={'closed': 1} rollbacks=0 waited_s=0.5 waits=0>" == repr(counts.snapshot())


def test_a_connection_given_up_counts_when_it_is_replaced() -> None:
    """
    A first connection replaces nothing, and a loss without a successor is no reconnect.
    """
    counts = Counts()
    counts.connected()
    counts.given_up("lost")

    assert {} == counts.snapshot().reconnects
    counts.connected()
    counts.connected()
    assert {"lost": 1} == counts.snapshot().reconnects
    assert 3 == counts.snapshot().connects
