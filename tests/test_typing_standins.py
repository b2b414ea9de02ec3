"""
The stand-ins for typing's names: enough to run, at no cost.
"""

from __future__ import annotations

import importlib
import sys
import typing
from typing import Any

import pytest

from lambda_kit import _typing
from lambda_kit._handles import Handle
from lambda_kit._invocation import LambdaContext
from tests import fresh_process


@pytest.mark.parametrize("name", ["Generic", "Protocol", "TypeVar", "ParamSpec", "overload", "dataclass_transform"])
def test_stand_ins_have_originals(name: str) -> None:
    """
    What checkers take from typing exists here for the running program.
    """
    assert hasattr(typing, name)
    assert hasattr(_typing, name)


def test_subscribing_a_generic_gives_the_class_itself() -> None:
    """
    ``Base[int]`` is usable wherever a class is, bases included.
    """
    generic: Any = _typing.Generic
    box: Any = type("Box", (generic[_typing.TypeVar("item")],), {})
    int_box = type("IntBox", (box[int],), {})

    assert box is box[int]
    assert issubclass(int_box, box)


def test_subclasses_may_have_slots() -> None:
    """
    The stand-ins add no instance dictionary to a class with slots.
    """

    class Small(_typing.Protocol):
        __slots__ = ("a",)

    assert not hasattr(Small(), "__dict__")


def test_real_generics_mix_with_the_kits() -> None:
    """
    A user's generic subclass of a kit's class works, typing's own Generic beside it.
    """
    item = typing.TypeVar("item")

    class Fixed(Handle[item], typing.Generic[item]):
        def __call__(self) -> item:
            return typing.cast("item", 1)

    class Context(LambdaContext):
        aws_request_id = "r-1"

    assert 1 == Fixed[int]()()
    assert "r-1" == Context().aws_request_id  # type: ignore[abstract]  # only a part of the protocol


def test_type_variables_take_what_typing_takes() -> None:
    """
    Bounds, constraints and variance are accepted, and a ParamSpec has its args and kwargs.
    """
    plain = _typing.TypeVar("plain", int, str)
    spec = _typing.ParamSpec("spec")

    assert "plain" == plain.__name__
    assert "bound" == _typing.TypeVar("bound", bound=int, covariant=True).__name__
    assert (None, None) == (spec.args, spec.kwargs)


def test_decorators_return_what_they_decorate() -> None:
    """
    ``overload`` and ``dataclass_transform`` change nothing.
    """

    class Thing:
        pass

    def signature() -> None:
        raise AssertionError("never called")

    assert signature is _typing.overload(signature)
    assert Thing is _typing.dataclass_transform(kw_only_default=True)(Thing)


def test_the_light_floors_do_without_typing() -> None:
    """
    Importing every import-light core module loads no typing.
    """
    heavy = fresh_process.result(
        """
        import sys
        known = set(sys.modules)
        import json
        import lambda_kit.errors, lambda_kit._lazy, lambda_kit._typing, lambda_kit._require, lambda_kit._runtime
        import lambda_kit._invocation, lambda_kit._observe, lambda_kit._handles, lambda_kit._backoff, lambda_kit._sources
        heavy = {"typing", "dataclasses", "inspect", "datetime", "asyncio", "random", "ssl", "http", "signal"}
        print(json.dumps(sorted(heavy & (set(sys.modules) - known))))
        """,
    )

    assert [] == heavy


def test_checkers_branch_is_not_taken_at_run_time() -> None:
    """
    The core modules' generics are the stand-ins.
    """
    modules: list[Any] = [importlib.import_module(f"lambda_kit.{name}") for name in ("_handles", "_invocation")]

    assert [_typing.Generic] * 2 == [module.Generic for module in modules]
    assert all(module.__name__ in sys.modules for module in modules)
