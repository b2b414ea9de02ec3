"""
Times as AWS writes them.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambda_kit.events._times import epoch_time, iso_time

# The same examples in every run.
_ANY = settings(derandomize=True, database=None, deadline=None)

_TIMES = st.integers(0, 250_000_000_000_000).map(lambda epoch_ms: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=epoch_ms))


@pytest.mark.parametrize(
    ("value", "per_s"), [(1704067200, 1), (1704067200.0, 1), (1704067200000, 1000), ("1704067200000", 1000), (1704067200000000, 1000000)]
)
def test_an_epoch_is_a_time_in_utc(value: str | float, per_s: int) -> None:
    """
    The unit is the source's; numbers may be text.
    """
    assert datetime(2024, 1, 1, tzinfo=UTC) == epoch_time(value, per_s=per_s)


@given(_TIMES)
@_ANY
def test_milliseconds_are_exact(time: datetime) -> None:
    """
    No millisecond is lost on the way from text.
    """
    epoch_ms = (time - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)

    assert time == epoch_time(str(epoch_ms), per_s=1000) == epoch_time(epoch_ms, per_s=1000)


@pytest.mark.parametrize("value", [None, "", "soon", "-", 1e300, -(10**30), float("nan"), float("inf"), "9" * 5000])
def test_what_is_no_time_is_none(value: str | float | None) -> None:
    """
    A damaged time breaks nothing else.
    """
    assert epoch_time(value, per_s=1) is None


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2024-01-01T00:00:00Z", datetime(2024, 1, 1, tzinfo=UTC)),
        ("2024-01-01T00:00:00.123Z", datetime(2024, 1, 1, 0, 0, 0, 123000, tzinfo=UTC)),
        ("2024-01-01T00:00:00.123+0000", datetime(2024, 1, 1, 0, 0, 0, 123000, tzinfo=UTC)),
        ("2024-01-01T02:00:00+02:00", datetime(2024, 1, 1, 2, tzinfo=timezone(timedelta(hours=2)))),
        ("2024-01-01T00:00:00", datetime(2024, 1, 1, tzinfo=UTC)),
        ("yesterday", None),
        ("", None),
        (None, None),
    ],
)
def test_text_is_a_time_with_a_zone(text: str | None, time: datetime | None) -> None:
    """
    ISO 8601 in AWS's ways of writing it; UTC where no zone is named.
    """
    found = iso_time(text)

    assert time == found
    assert found is None or found.tzinfo is not None
