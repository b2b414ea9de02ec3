"""
Names and values of a request, and how to take them out of an event.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterable, Iterator, Mapping

from lambda_kit.errors import EventError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Values(Mapping[str, str]):
    """
    Map names to values of which a name may have several: ``values[name]`` is the last one, ``values.all(name)`` has them all.
    """

    __slots__ = ("_values",)

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in pairs:
            self._values.setdefault(self._key(name), []).append(value)

    def all(self, name: str) -> tuple[str, ...]:
        """
        Return every value of *name* in the order of arrival; an empty tuple when there is none.
        """
        return tuple(self._values.get(self._key(name), ()))

    def __getitem__(self, name: str) -> str:
        return self._values[self._key(name)][-1]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._key(name) in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        # Names only: values may be tokens.
        return f"<{type(self).__name__} {', '.join(self._values)}>"

    def _key(self, name: str) -> str:
        return name


class Headers(Values):
    """
    Map header names, in any case, to values; ``headers[name]`` joins repeated ones with commas, as HTTP defines.
    """

    __slots__ = ()

    def __getitem__(self, name: str) -> str:
        return ", ".join(self._values[self._key(name)])

    def _key(self, name: str) -> str:
        return name.lower()


def mapping(event: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """
    Return the mapping at *key*; AWS writes an absent one as ``null`` or leaves it out.
    """
    found = event.get(key)
    if found is None:
        return {}
    if not isinstance(found, Mapping):
        raise EventError(f"{key} of the event is no object", source="http", field=key)
    return found


def pairs(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """
    Yield name and value, once for each value of a list; ``null`` stands for an empty value.
    """
    for name, value in values.items():
        for each in value if isinstance(value, list) else [value]:
            yield name, "" if each is None else str(each)


def decoded(text: str) -> bytes | None:
    """
    Return what Base64 *text* encodes; ``None`` when it is none.
    """
    try:
        return b64decode(text, validate=True)
    except ValueError:
        return None


def well_formed(text: str) -> str:
    """
    Return *text* as UTF-8 can have it. JSON from a client can hold half of a surrogate pair, which no answer can be sent with: it
    becomes U+FFFD, as browsers have it.
    """
    # Text knows whether it is ASCII: asking costs nothing.
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def printable(text: str) -> str:
    """
    Return *text*, which somebody outside has chosen, as errors and logs may show it: half of a surrogate pair is written out.
    """
    return text.encode("utf-8", "backslashreplace").decode()


def is_true(flag: object) -> bool:
    """
    Tell whether the event says so; some sources and tools write the flag as text.
    """
    return str(flag).lower() == "true"
