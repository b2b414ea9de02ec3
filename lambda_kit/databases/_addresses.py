"""
Names with several addresses: the libraries try one after the other, and a dead one must leave time for the next.
"""

from __future__ import annotations

from lambda_kit import _runtime

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def count(hosts: Iterable[str]) -> int:
    """
    Return how many addresses *hosts* have together. One that has none, which connecting will tell, counts as one.
    """
    return sum(map(_count, hosts))


def _count(host: str) -> int:
    import socket

    try:
        return len(socket.getaddrinfo(host, None, type=socket.SOCK_STREAM))
    except OSError:
        return 1


class Shares:
    """
    The time until *until_s*, of the monotonic clock, shared out to as many attempts as there are addresses.
    """

    __slots__ = ("_attempts", "until_s")

    def __init__(self, until_s: float, attempts: int) -> None:
        self.until_s = until_s
        self._attempts = attempts

    def next_until_s(self) -> float:
        """
        Return when the next attempt must be done: what those before it have left is for all that follow.
        """
        now_s = _runtime.monotonic_s()
        share_s = (self.until_s - now_s) / max(1, self._attempts)
        self._attempts -= 1
        return now_s + share_s
