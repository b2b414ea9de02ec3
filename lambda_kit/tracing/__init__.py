"""
Spans around what a function does, in AWS X-Ray's trace of the invocation; nothing at all where nobody traces.

    from lambda_kit import tracing

    tracing.instrument()  # once, where modules are imported

    @tracing.span
    def charge(order): ...

    def place(order):
        with tracing.span("place order") as span:
            span.annotate(customer=order.customer)

Off Lambda, before :func:`instrument`, and in invocations that are not sampled, spans do nothing, import nothing and send
nothing. The kit's own connections and the boto3 clients it builds become spans too.
"""

from __future__ import annotations

from lambda_kit.tracing._instrument import instrument
from lambda_kit.tracing._spans import Marker, Span, span

__all__ = ["Marker", "Span", "instrument", "span"]
