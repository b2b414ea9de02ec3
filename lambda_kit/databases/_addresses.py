"""
The addresses of servers' names: a resolver that says nothing must not outlast the deadline, nor a dead address the others' time.
"""

from __future__ import annotations

from lambda_kit import _runtime

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any


def count(hosts: Iterable[str], until_s: float) -> int:
    """
    Return how many addresses *hosts* have together. One that has none, which connecting will tell, counts as one.

    Raises:
        TimeoutError: The resolver has not answered by *until_s* of the monotonic clock.
    """
    return sum(_count(host, until_s) for host in hosts)


def look_up(host: str, port: int | None, until_s: float) -> list[Any]:
    """
    Return what ``getaddrinfo`` does, by *until_s* of the monotonic clock. The resolver itself knows no limit but its own, which
    is many seconds, and cannot be stopped: a thread is left to it.

    Raises:
        TimeoutError: It has not answered.
        OSError: The name has no address; what else it raises passes too.
    """
    import socket
    import threading

    try:
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except OSError:
        found: list[Any] = []
        looking = threading.Thread(target=_look_up, args=(host, port, found), name="lambda_kit name lookup", daemon=True)
        try:
            looking.start()
        except RuntimeError:
            # There are as many threads as there may be, or the interpreter ends: better without a limit than not at all.
            _look_up(host, port, found)
        else:
            looking.join(max(0.0, until_s - _runtime.monotonic_s()))
    if not found:
        raise TimeoutError(f"the resolver has not found {host!r} in time")
    if isinstance(found[0], Exception):
        raise found[0]
    addresses: list[Any] = found[0]
    return addresses


def _look_up(host: str, port: int | None, found: list[Any]) -> None:
    import socket

    try:
        found.append(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    except Exception as exc:  # noqa: BLE001  # for whoever waits
        found.append(exc)


def _count(host: str, until_s: float) -> int:
    try:
        return len(look_up(host, None, until_s))
    except TimeoutError:
        raise
    except (OSError, UnicodeError):
        # Names may be too long for the resolver's encoding.
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
