"""
What a server has refused lately, and how often AWS may be asked because of it.
"""

from __future__ import annotations

import threading

from lambda_kit import _runtime

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambda_kit.databases import Credentials

# Calls to Secrets Manager that refused passwords may cause, of one environment: when nothing valid is there, a thousand
# environments ask at once. The first three may come together: a new current version, refused too, and the pending one. The
# others wait, so that the five span a second.
MOST_CALLS = 5
CALLS_WINDOW_S = 10.0
CALLS_TOGETHER = 3
CALLS_SPACING_S = 0.1
# A pending version that was refused may be one that the database is about to learn.
PENDING_AGAIN_S = 30.0


class Refusals:
    """
    What the server has refused lately: pending versions, and how often the secret was fetched because of it; and what it has not.
    """

    __slots__ = ("_lock", "calls_s", "generation", "offered", "pending_s")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.generation = _runtime.generation()
        # The pending credentials that were offered and not refused since.
        self.offered: Credentials | None = None
        self.pending_s: dict[str, float] = {}
        self.calls_s: list[float] = []

    def of_this_life(self) -> Refusals:
        """
        Return these, or new ones after a fork, restore or reset.
        """
        return self if self.generation == _runtime.generation() else Refusals()

    def may_call(self) -> bool:
        """
        Tell whether one more call is allowed now, and count it.
        """
        now_s = _runtime.monotonic_s()
        with self._lock:
            self.calls_s = [at_s for at_s in self.calls_s if 0 <= now_s - at_s < CALLS_WINDOW_S]
            made = len(self.calls_s)
            if made >= MOST_CALLS or (made >= CALLS_TOGETHER and now_s - self.calls_s[-1] < CALLS_SPACING_S * (made + 1)):
                return False
            self.calls_s.append(now_s)
            return True

    def was_refused(self, version: str) -> bool:
        """
        Tell whether this pending version was refused a moment ago.
        """
        at_s = self.pending_s.get(version)
        return at_s is not None and 0 <= _runtime.monotonic_s() - at_s < PENDING_AGAIN_S
