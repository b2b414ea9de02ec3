"""
The events that Lambda delivers, as pydantic models; importing one loads its source family's file only.
"""

from __future__ import annotations

from lambda_kit._lazy import attach
from lambda_kit._require import require

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambda_kit.events._api_gateway_http import ApiGatewayHttpEvent as ApiGatewayHttpEvent
    from lambda_kit.events._detection import parse_event as parse_event
    from lambda_kit.events._function_url import FunctionUrlEvent as FunctionUrlEvent
    from lambda_kit.events._model import Event as Event
    from lambda_kit.events._sqs import SqsEvent as SqsEvent
    from lambda_kit.events._sqs import SqsRecord as SqsRecord

__all__ = [
    "ApiGatewayHttpEvent",
    "Event",
    "FunctionUrlEvent",
    "SqsEvent",
    "SqsRecord",
    "parse_event",
]

if not TYPE_CHECKING:  # a checker would take a module with __getattr__ to have any name
    _load, __dir__ = attach(
        __name__,
        {
            "ApiGatewayHttpEvent": "lambda_kit.events._api_gateway_http",
            "Event": "lambda_kit.events._model",
            "FunctionUrlEvent": "lambda_kit.events._function_url",
            "SqsEvent": "lambda_kit.events._sqs",
            "SqsRecord": "lambda_kit.events._sqs",
            "parse_event": "lambda_kit.events._detection",
        },
    )

    def __getattr__(name: str) -> object:
        if name in __all__:
            require("pydantic", extra="events")
        return _load(name)
