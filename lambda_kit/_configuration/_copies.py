"""
Values that callers could change, and copies of them: what one caller does to its value is not seen by another.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Copier = Callable[[Any], Any]

_CONTAINERS = (dict, list, set, bytearray)


def copier(value: Any) -> Copier | None:
    """
    Return what copies *value* for each caller, or ``None`` when one object can serve all.

    Containers, models and dataclasses are copied unless they are frozen through and through. An object of any other class
    is what it is - a key, a client, a template - and is shared, and so is what holds one that cannot be copied.
    """
    kind = type(value)
    if kind is dict or kind is list:
        return copied
    if isinstance(value, _CONTAINERS):
        return _deeply_copied
    if isinstance(value, tuple | frozenset):
        return _deeply_copied if any(map(copier, value)) else None
    if hasattr(kind, "model_copy") and hasattr(kind, "model_config"):
        return None if kind.model_config.get("frozen") and not any(map(copier, vars(value).values())) else _copied_model
    parameters = getattr(kind, "__dataclass_params__", None)
    if parameters is not None:
        members = [getattr(value, name, None) for name in kind.__dataclass_fields__]
        return None if parameters.frozen and not any(map(copier, members)) else _deeply_copied
    return None


def copied(value: Any) -> Any:
    """
    Return a copy of what JSON is made of, several times faster than ``copy.deepcopy``.
    """
    kind = type(value)
    if kind is dict:
        return {name: copied(member) for name, member in value.items()}
    if kind is list:
        return [copied(member) for member in value]
    how = copier(value)
    return value if how is None else how(value)


def _copied_model(value: Any) -> Any:
    try:
        return value.model_copy(deep=True)
    except TypeError:
        return value


def _deeply_copied(value: Any) -> Any:
    from copy import deepcopy

    try:
        return deepcopy(value)
    except TypeError:  # "cannot pickle '_thread.lock' object"
        return value
