"""
Where a cache keeps its entries: a bounded number, of which the least recently used goes first.
"""

from __future__ import annotations

from lambda_kit._require import require

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Hashable, MutableMapping
    from typing import Generic, TypeVar

    from lambda_kit._cache._entries import Entry
else:
    from lambda_kit._typing import Generic, TypeVar

T = TypeVar("T")


class Shelf(Generic[T]):
    """
    Up to *most* entries by key. Whoever calls a method holds the cache's lock.

    Attributes:
        recent: Entries used since the last eviction, which moves them up: a hit takes them from here, with no lock.
    """

    __slots__ = ("_barred", "_entries", "_most", "recent")

    def __init__(self, most: int) -> None:
        self._most = most
        # Until the first one comes; then cachetools is worth its import.
        self._entries: MutableMapping[Hashable, Entry[T]] = {}
        self.recent: dict[Hashable, Entry[T]] = {}
        self._barred: dict[Hashable, int] = {}

    def get(self, key: Hashable) -> Entry[T] | None:
        """
        Return the entry of *key*.
        """
        return self._entries.get(key)

    def use(self, key: Hashable) -> Entry[T] | None:
        """
        Return the entry of *key*, for hits to find it.
        """
        entry = self._entries.get(key)
        if entry is not None:
            self.recent[key] = entry
        return entry

    def put(self, key: Hashable, entry: Entry[T]) -> None:
        """
        Keep *entry*, in place of another one of *key* or of the one that was not used for longest, unless it is barred.
        """
        if entry.began < self._barred.get(key, 0):
            return
        if isinstance(self._entries, dict):
            self._entries = require("cachetools", extra="all").LRUCache(self._most)
        self.recent.pop(key, None)
        if len(self._entries) >= self._most:
            for used in self.recent:
                self._entries.get(used)
            self.recent.clear()
        self._entries[key] = entry

    def pop(self, key: Hashable) -> Entry[T] | None:
        """
        Take the entry of *key* away, and return it.
        """
        self.recent.pop(key, None)
        return self._entries.pop(key, None)

    def bar(self, key: Hashable, began: int) -> None:
        """
        Keep nothing for *key* any more whose fetch began before number *began*.
        """
        self._barred.pop(key, None)
        if len(self._barred) >= self._most:
            del self._barred[next(iter(self._barred))]
        self._barred[key] = began

    def content(self) -> list[tuple[Hashable, Entry[T]]]:
        """
        Return all, as a list of its own.
        """
        if isinstance(self._entries, dict):
            return []
        # Not items() of the store, which takes every look for a use: what goes first at an eviction would be forgotten.
        look = require("cachetools", extra="all").Cache.__getitem__
        return [(key, look(self._entries, key)) for key in self._entries]

    def __len__(self) -> int:
        return len(self._entries)
