"""
What a database has done so far, in numbers.
"""

from __future__ import annotations

import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


class Stats:
    """
    The numbers of one database in this process at one moment: a frozen value.

    Attributes:
        connects: Physical connections made.
        reconnects: How many of them replaced one that had been given up, by cause: ``closed`` (by the server),
            ``unanswered`` (a ping), ``lost`` (in use), ``read-only`` (a failover), ``stale`` (a prepared statement is
            gone), ``busy`` (a statement or transaction left behind that could not be ended), ``life`` (a fork, restore or
            test reset).
        pings: Round trips made to see whether a connection still lives.
        rollbacks: Transactions found at checkout, left open after an earlier one had ended.
        waits: Checkouts that waited for another thread's connection.
        waited_s: Seconds they waited, together.
    """

    __slots__ = ("connects", "pings", "reconnects", "rollbacks", "waited_s", "waits")

    connects: int
    pings: int
    reconnects: Mapping[str, int]
    rollbacks: int
    waits: int
    waited_s: float

    def __init__(self, **numbers: object) -> None:
        for name in self.__slots__:
            object.__setattr__(self, name, numbers[name])

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"Stats are frozen: {name!r} cannot be set")

    def __repr__(self) -> str:
        return f"<Stats {' '.join(f'{name}={getattr(self, name)!r}' for name in self.__slots__)}>"


class Counts:
    """
    The running numbers behind :class:`Stats`, safe in threads.
    """

    __slots__ = ("_given_up", "_lock", "_numbers", "_reconnects")

    def __init__(self) -> None:
        # One that its own thread may take again: the collector ends forgotten checkouts in the middle of anything.
        self._lock = threading.RLock()
        self._numbers = {"connects": 0, "pings": 0, "rollbacks": 0, "waits": 0, "waited_s": 0.0}
        self._reconnects: dict[str, int] = {}
        self._given_up: list[str] = []

    def add(self, name: str, amount: float = 1) -> None:
        """
        Count *amount* more of *name*.
        """
        with self._lock:
            self._numbers[name] += amount

    def given_up(self, cause: str) -> None:
        """
        Remember that a connection went; the next one made replaces it.
        """
        with self._lock:
            self._given_up.append(cause)

    def connected(self) -> None:
        """
        Count a connection, and what it replaces.
        """
        with self._lock:
            self._numbers["connects"] += 1
            if self._given_up:
                cause = self._given_up.pop(0)
                self._reconnects[cause] = self._reconnects.get(cause, 0) + 1

    def snapshot(self) -> Stats:
        """
        Return the numbers of this moment.
        """
        with self._lock:
            return Stats(reconnects=dict(self._reconnects), **self._numbers)
