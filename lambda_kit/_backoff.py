"""
Trying again, with full jitter, inside a time budget.
"""

from __future__ import annotations

import sys

from lambda_kit import _runtime
from lambda_kit._require import require

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    T = TypeVar("T")


def retrying(
    attempt: Callable[[], T],
    *,
    may_retry: Callable[[Exception], bool],
    budget_s: float,
    first_s: float = 0.1,
    most_s: float = 1.0,
    sleep: Callable[[float], object] | None = None,
) -> T:
    """
    Call *attempt* until it returns, fails for good, or the next pause would outlive the budget; then raise its last error.

    A success costs one call; tenacity is imported only after a failure.

    Args:
        may_retry: Says of an error whether another attempt makes sense. Asked once per failure.
        budget_s: Seconds from now within which a pause may still end.
        first_s: Upper bound of the first pause; it doubles with each further one. The pause is drawn between 0 and the bound.
        most_s: Largest upper bound.
        sleep: Waits, for tests; the default is ``time.sleep``.
    """
    until_s = _runtime.monotonic_s() + budget_s
    try:
        return attempt()
    except Exception as exc:  # whatever the attempt raises is put to may_retry
        if not may_retry(exc):
            raise
        failures = [exc]
    tenacity = require("tenacity", extra="all")

    def again() -> T:
        if failures:
            raise failures.pop()
        return attempt()

    def retry(state: Any) -> bool:
        error = state.outcome.exception()
        # The first failure has been asked about; what is no Exception, such as an exit, never passes here.
        return state.attempt_number == 1 or (isinstance(error, Exception) and may_retry(error))

    retryer = tenacity.Retrying(
        retry=retry,
        wait=tenacity.wait_random_exponential(multiplier=first_s, max=most_s),
        stop=lambda state: _runtime.monotonic_s() + state.upcoming_sleep > until_s,
        sleep=sleep or tenacity.nap.sleep,
        reraise=True,
    )
    result: T = retryer(again)
    return result


def _reseed() -> None:
    """
    Give every environment restored from one snapshot pauses of its own.
    """
    if (random := sys.modules.get("random")) is not None:
        random.seed()


_runtime.register(restore=_reseed)
