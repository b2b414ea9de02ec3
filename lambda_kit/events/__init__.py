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
    from lambda_kit.events._dynamodb import DynamoDbEvent as DynamoDbEvent
    from lambda_kit.events._dynamodb import DynamoDbRecord as DynamoDbRecord
    from lambda_kit.events._eventbridge import EventBridgeEvent as EventBridgeEvent
    from lambda_kit.events._eventbridge import ScheduledEvent as ScheduledEvent
    from lambda_kit.events._firehose import FirehoseEvent as FirehoseEvent
    from lambda_kit.events._firehose import FirehoseRecord as FirehoseRecord
    from lambda_kit.events._function_url import FunctionUrlEvent as FunctionUrlEvent
    from lambda_kit.events._kafka import KafkaEvent as KafkaEvent
    from lambda_kit.events._kafka import KafkaRecord as KafkaRecord
    from lambda_kit.events._kinesis import KinesisEvent as KinesisEvent
    from lambda_kit.events._kinesis import KinesisRecord as KinesisRecord
    from lambda_kit.events._model import Event as Event
    from lambda_kit.events._sns import SnsEvent as SnsEvent
    from lambda_kit.events._sns import SnsMessage as SnsMessage
    from lambda_kit.events._sns import SnsRecord as SnsRecord
    from lambda_kit.events._sqs import SqsEvent as SqsEvent
    from lambda_kit.events._sqs import SqsRecord as SqsRecord

__all__ = [
    "ApiGatewayHttpEvent",
    "DynamoDbEvent",
    "DynamoDbRecord",
    "Event",
    "EventBridgeEvent",
    "FirehoseEvent",
    "FirehoseRecord",
    "FunctionUrlEvent",
    "KafkaEvent",
    "KafkaRecord",
    "KinesisEvent",
    "KinesisRecord",
    "ScheduledEvent",
    "SnsEvent",
    "SnsMessage",
    "SnsRecord",
    "SqsEvent",
    "SqsRecord",
    "parse_event",
]

if not TYPE_CHECKING:  # a checker would take a module with __getattr__ to have any name
    _load, __dir__ = attach(
        __name__,
        {
            "ApiGatewayHttpEvent": "lambda_kit.events._api_gateway_http",
            "DynamoDbEvent": "lambda_kit.events._dynamodb",
            "DynamoDbRecord": "lambda_kit.events._dynamodb",
            "Event": "lambda_kit.events._model",
            "EventBridgeEvent": "lambda_kit.events._eventbridge",
            "FirehoseEvent": "lambda_kit.events._firehose",
            "FirehoseRecord": "lambda_kit.events._firehose",
            "FunctionUrlEvent": "lambda_kit.events._function_url",
            "KafkaEvent": "lambda_kit.events._kafka",
            "KafkaRecord": "lambda_kit.events._kafka",
            "KinesisEvent": "lambda_kit.events._kinesis",
            "KinesisRecord": "lambda_kit.events._kinesis",
            "ScheduledEvent": "lambda_kit.events._eventbridge",
            "SnsEvent": "lambda_kit.events._sns",
            "SnsMessage": "lambda_kit.events._sns",
            "SnsRecord": "lambda_kit.events._sns",
            "SqsEvent": "lambda_kit.events._sqs",
            "SqsRecord": "lambda_kit.events._sqs",
            "parse_event": "lambda_kit.events._detection",
        },
    )

    def __getattr__(name: str) -> object:
        if name in __all__:
            require("pydantic", extra="events")
        return _load(name)
