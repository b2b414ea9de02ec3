"""
Where Lambda comes in: one wiring line per event source.
"""

from __future__ import annotations

from lambda_kit import Reject, handler, tracing
from orders.deps import OrderDeps
from orders.logic import ConfirmOrder, OutOfStockError, PlaceOrder, UnknownOrderError, confirm_order, place_order

tracing.instrument()

DEPS = OrderDeps()
ERRORS = {OutOfStockError: Reject(status=409), UnknownOrderError: Reject(status=404)}

api = handler.http(PlaceOrder, deps=DEPS, errors=ERRORS, status=201)(place_order)
worker = handler.sqs(ConfirmOrder, deps=DEPS, errors=ERRORS)(confirm_order)
