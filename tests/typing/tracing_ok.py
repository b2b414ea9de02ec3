"""
Tracing keeps the types of what it decorates.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import assert_type

from lambda_kit import tracing


@tracing.span
def bare(order: int, *, gift: bool = False) -> str:
    return f"{order}{gift}"


@tracing.span("named")
async def named(order: int) -> str:
    return str(order)


class Shop:
    @tracing.span
    def sell(self, order: int) -> bytes:
        return bytes(order)

    @tracing.span("open", namespace="remote")
    @staticmethod
    def opened(at: float) -> float:
        return at


async def uses() -> None:
    assert_type(bare(1, gift=True), str)
    assert_type(await named(1), str)
    assert_type(Shop().sell(1), bytes)
    assert_type(Shop.opened(1.0), float)
    plain: Callable[[int], str] = bare
    plain(1)
    with tracing.span("charge") as span:
        assert_type(span, tracing.Span)
        span.annotate(order=1, gift=True, price=2.5, name="x")
        span.add_metadata(anything=object())
        span.record_exception(ValueError())
        span.annotate(order=object())  # type: ignore[arg-type]
    bare("1")  # type: ignore[arg-type]
    tracing.span(3)  # type: ignore[call-overload]
    tracing.span(bare, namespace="remote")  # type: ignore[call-overload]
    tracing.instrument()
    tracing.instrument(backend="off")
