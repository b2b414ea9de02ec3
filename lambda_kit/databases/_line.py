"""
Who waits for a connection, in the order of their coming.
"""

from __future__ import annotations

from weakref import ref


class Place:
    """
    A place in the line. It is lost with the call that holds it, whatever a signal's exception keeps that from doing.
    """

    __slots__ = ("__weakref__", "thread")

    def __init__(self, thread: int) -> None:
        self.thread = thread


class Line:
    """
    The line. Whoever calls a method holds the database's lock.

    Attributes:
        places: Those that wait, and perhaps some that are lost.
    """

    __slots__ = ("places",)

    def __init__(self) -> None:
        self.places: list[ref[Place]] = []

    def join(self, place: Place) -> None:
        """
        Put *place* at the end.
        """
        self.places.append(ref(place))

    def leave(self, place: Place) -> None:
        """
        Take *place* out, and with it those that are lost.
        """
        self.places = [each for each in self.places if each() not in (place, None)]

    def is_first(self, thread: int) -> bool:
        """
        Tell whether *thread* is first; a signal's handler need not wait behind the call that it has interrupted.
        """
        first = next((found for each in self.places if (found := each()) is not None), None)
        return first is None or first.thread == thread
