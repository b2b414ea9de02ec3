"""
Module attributes that import themselves on first use (PEP 562).
"""

from __future__ import annotations

import importlib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def attach(package: str, table: Mapping[str, str]) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """
    Return ``__getattr__`` and ``__dir__`` for *package*, whose names live where *table* says.

    Args:
        package: ``__name__`` of the module that gets the attributes.
        table: ``{public name: module that defines it}``; a module that ends in the name itself stands for that module.

    The first access imports the module and stores the object in the package, so that later ones are plain look-ups.
    """

    def attribute(name: str) -> object:
        try:
            home = table[name]
        except KeyError:
            # With its object the error gets Python's own "Did you mean".
            module = importlib.import_module(package)
            raise AttributeError(f"module {package!r} has no attribute {name!r}", name=name, obj=module) from None
        module = importlib.import_module(home)
        found = module if home.rpartition(".")[2] == name else getattr(module, name)
        setattr(importlib.import_module(package), name, found)
        return found

    def names() -> list[str]:
        return sorted({*vars(importlib.import_module(package)), *table})

    return attribute, names
