"""
How long waiting for a database may take: what is left of the invocation, minus a reserve for ending it in order.
"""

from __future__ import annotations

import logging

from lambda_kit import _invocation, _runtime
from lambda_kit.errors import DeadlineError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambda_kit._invocation import Invocation

# Seconds kept back, so that an error can still be logged and answered.
RESERVE_S = 0.5
# Seconds to connect, or to wait for a free connection, where there is no invocation.
DEFAULT_S = 10.0
PING_S = 0.5
# A ping takes this part of what is left at most: a reconnect must fit after it.
PING_SHARE = 0.1
ROLLBACK_S = 5.0
# A rollback or a commit at the deadline has this much of the reserve.
LAST_ROLLBACK_S = 0.2
# So has the request to stop a statement that is given up.
CANCEL_S = 0.2

_logger = logging.getLogger("lambda_kit")
# Databases whose unbounded use was told of; one is enough.
_told: set[str] = set()


def left_s() -> float:
    """
    Return the seconds there are for the network; 0 or less means none.
    """
    return _invocation.remaining_s(DEFAULT_S + RESERVE_S) - RESERVE_S


def left_for(what: str) -> float:
    """
    Return the seconds there are for *what*, which needs the network.

    Raises:
        DeadlineError: There are none.
    """
    found_s = left_s()
    if found_s <= 0:
        raise DeadlineError(
            f"{what}: {found_s + RESERVE_S:.3f} s left of the invocation, {RESERVE_S} s of them kept for its end",
            remaining_s=found_s + RESERVE_S,
        )
    return found_s


class Until(float):
    """
    A time of the monotonic clock that holds for one invocation.
    """

    __slots__ = ("invocation",)

    invocation: Invocation


def until_s(invocation: Invocation) -> Until:
    """
    Return when a statement in *invocation* must be done, on the monotonic clock.
    """
    return _for(invocation, _runtime.monotonic_s() + invocation.remaining_s() - RESERVE_S)


def is_over(limit_s: float, now_s: float) -> bool:
    """
    Tell whether *limit_s* has come, or was that of an invocation that has ended: a connection may be kept from one to the next.
    """
    return limit_s <= now_s or (type(limit_s) is Until and not _invocation.is_under_way(limit_s.invocation))


def ping_s(name: str) -> float:
    """
    Return the seconds a ping may take on a connection to *name*.
    """
    return min(PING_S, PING_SHARE * left_for(f"a ping on the connection to {name}"))


def rollback_s() -> float:
    """
    Return the seconds a rollback may take, also at the deadline.
    """
    return min(ROLLBACK_S, max(LAST_ROLLBACK_S, left_s()))


def commit_until_s() -> float | None:
    """
    Return when a COMMIT must be answered, on the monotonic clock, also at the deadline; ``None`` outside of an invocation.
    """
    found = _invocation.current()
    if found is None:
        return None
    return _for(found, _runtime.monotonic_s() + max(LAST_ROLLBACK_S, found.remaining_s() - RESERVE_S))


def current_until_s() -> float | None:
    """
    Return when a statement that begins now must be done; ``None`` outside of an invocation.
    """
    found = _invocation.current()
    return None if found is None else until_s(found)


def _for(invocation: Invocation, at_s: float) -> Until:
    limit_s = Until(at_s)
    limit_s.invocation = invocation
    return limit_s


def tell_unbounded(name: str) -> bool:
    """
    Warn, once in a process, that a connection to *name* is used in an invocation that the kit does not know of; tell whether it
    may still come to that.

    In INIT there is none to know of: it has no trace header, which each invocation has.
    """
    if _told or _runtime.environment().invocations:
        return False
    if not _runtime.setting("_X_AMZN_TRACE_ID"):
        return True
    _told.add(name)
    _logger.warning(
        "a connection to %s was checked out in an invocation that lambda_kit does not know of: its deadline is not known, so a statement "
        "may wait until Lambda ends the function; make the kit's handler decorator the outermost one (how-to wire-a-handler)",
        name,
    )
    return False


_runtime.register(reset=_told.clear)
