"""
Times as AWS writes them, as aware datetimes.
"""

from __future__ import annotations

from datetime import UTC, datetime


def epoch_time(value: str | float | None, *, per_s: int) -> datetime | None:
    """
    Return the time *value* as UTC; ``None`` for none, or for what is no time.

    Args:
        per_s: How many units of *value* make a second: 1 for Kinesis and DynamoDB, 1000 for SQS, Firehose and Kafka.
    """
    if value is None:
        return None
    try:
        # As a whole number where it is one: a float holds no more than 53 bits of it.
        seconds, rest = divmod(int(value) if isinstance(value, str) else value, per_s)
        return datetime.fromtimestamp(seconds + rest / per_s, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def iso_time(text: str | None) -> datetime | None:
    """
    Return the time that *text* says in ISO 8601, UTC where it names no zone; ``None`` for none, or for what is no time.
    """
    try:
        found = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
