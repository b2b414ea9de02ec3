"""
What generic classes and overloads need at run time, without importing typing.

Importing typing costs a function tens of millions of instructions that only a checker has a use for. Modules of the
import-light floors take these names when they run, and typing's own when they are checked.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Generic:
    """
    Stand in for ``typing.Generic``: subscribing returns the class itself.
    """

    __slots__ = ()

    def __class_getitem__(cls, _: object) -> type:
        return cls


class Protocol(Generic):
    """
    Stand in for ``typing.Protocol``.
    """

    __slots__ = ()


class TypeVar:
    """
    Stand in for ``typing.TypeVar`` and ``typing.ParamSpec``.
    """

    __slots__ = ("__name__", "args", "kwargs")

    def __init__(self, name: str, *_: object, **__: object) -> None:
        self.__name__ = name
        self.args = self.kwargs = None


ParamSpec = TypeVar


def overload(signature: object) -> object:
    """
    Stand in for ``typing.overload``.
    """
    return signature


def dataclass_transform(**_: object) -> Callable[[object], object]:
    """
    Stand in for ``typing.dataclass_transform``.
    """
    return lambda decorated: decorated
