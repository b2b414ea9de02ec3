"""
Which model fits an event of a queue, a stream, a bus or another service, by its structure alone. Imports no model.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

_PACKAGE = "lambda_kit.events."

# By the mark of a record in "Records", or else by the key that only records of the source have.
_RECORD_MODELS = {
    "aws:sqs": "_sqs:SqsEvent",
    "aws:sns": "_sns:SnsEvent",
    "aws:s3": "_s3:S3Event",
    "aws:dynamodb": "_dynamodb:DynamoDbEvent",
    "aws:kinesis": "_kinesis:KinesisEvent",
    "aws:ses": "_ses:SesEvent",
    "aws:codecommit": "_code_services:CodeCommitEvent",
}
_RECORD_KEYS = {
    "Sns": "aws:sns",
    "s3": "aws:s3",
    "dynamodb": "aws:dynamodb",
    "kinesis": "aws:kinesis",
    "ses": "aws:ses",
    "codecommit": "aws:codecommit",
    # What people invoke a function with by hand often lacks the source, and more.
    "receiptHandle": "aws:sqs",
    "body": "aws:sqs",
}
_WINDOWS = {"aws:dynamodb": "_dynamodb:DynamoDbWindowEvent", "aws:kinesis": "_kinesis:KinesisWindowEvent"}

# Keys that are together in events of one source only.
_KEYS: tuple[tuple[frozenset[str], str], ...] = tuple(
    (frozenset(keys.split()), model)
    for keys, model in (
        ("awslogs", "_cloudwatch_logs:CloudWatchLogsEvent"),
        ("rmqMessagesByQueue", "_mq:RabbitMqEvent"),
        ("invocationSchemaVersion job tasks", "_s3_batch:S3BatchEvent"),
        ("RequestType LogicalResourceId", "_cloudformation:CustomResourceEvent"),
        ("RequestType ResourceProperties", "_cloudformation:CustomResourceEvent"),
        ("fragment transformId requestId", "_cloudformation:CloudFormationMacroEvent"),
        ("actionInvocationPoint clientRequestToken", "_cloudformation:CloudFormationHookEvent"),
        ("alarmData alarmArn", "_cloudwatch_alarm:CloudWatchAlarmEvent"),
        ("CodePipeline.job", "_code_services:CodePipelineEvent"),
        ("DeploymentId LifecycleEventHookExecutionId", "_code_services:CodeDeployHookEvent"),
        ("invokingEvent resultToken", "_config_rule:ConfigRuleEvent"),
        ("invokingEvent configRuleName", "_config_rule:ConfigRuleEvent"),
        ("Step SecretId ClientRequestToken", "_secrets_rotation:SecretsRotationEvent"),
        ("DurableExecutionArn InitialExecutionState", "_durable:DurableExecutionEvent"),
        ("CapacityToTerminate Instances", "_autoscaling:AutoScalingTerminationPolicyEvent"),
    )
)


def detect(raw: object) -> str | None:
    """
    Return the model of *raw* as ``"module:Class"``; ``None`` where it is of no source of these.
    """
    if isinstance(raw, list):
        found = "_pipes:PipesEvent" if isinstance(_first(raw).get("eventSource"), str) else None
    elif isinstance(raw, Mapping):
        found = next(filter(None, (rule(raw) for rule in _RULES)), None)
    else:
        found = None
    return None if found is None else _PACKAGE + found


def _records(raw: Mapping[str, Any]) -> str | None:
    if not isinstance(raw.get("Records"), list):
        return None
    source = _source(_first(raw["Records"]))
    if isinstance(raw.get("window"), Mapping):
        # A window's final batch may be empty.
        return _WINDOWS.get(source or ("aws:dynamodb" if ":dynamodb:" in str(raw.get("eventSourceARN")) else "aws:kinesis"))
    return _RECORD_MODELS.get(source or "")


def _source(record: Mapping[str, Any]) -> str | None:
    source = record.get("eventSource") or record.get("EventSource")
    if source in _RECORD_MODELS:
        return str(source)
    return next((found for key, found in _RECORD_KEYS.items() if record.get(key)), None) if source is None else None


def _s3_test(raw: Mapping[str, Any]) -> str | None:
    return "_s3:S3TestEvent" if raw.get("Event") == "s3:TestEvent" and "Records" not in raw else None


def _bus(raw: Mapping[str, Any]) -> str | None:
    if "detail-type" not in raw:
        return None
    scheduled = raw["detail-type"] == "Scheduled Event" and raw.get("source") in ("aws.events", "aws.scheduler")
    return "_eventbridge:ScheduledEvent" if scheduled else "_eventbridge:EventBridgeEvent"


def _kafka(raw: Mapping[str, Any]) -> str | None:
    records, source = raw.get("records"), raw.get("eventSource")
    if not isinstance(records, Mapping):
        return None
    if source is None and not all(isinstance(partition, list) and "topic" in _first(partition) for partition in records.values()):
        return None
    # Self-managed clusters have no ARN; how their source is written has changed.
    is_msk = source == "aws:kafka" or (source is None and "eventSourceArn" in raw)
    return "_kafka:MskEvent" if is_msk else "_kafka:SelfManagedKafkaEvent"


def _transformation(raw: Mapping[str, Any]) -> str | None:
    records = raw.get("records")
    if not isinstance(records, list) or "recordId" not in _first(records):
        return None
    return "_firehose:KinesisAnalyticsEvent" if "applicationArn" in raw else "_firehose:FirehoseEvent"


def _marked(raw: Mapping[str, Any]) -> str | None:
    match raw:
        case {"messages": list(), "eventSource": "aws:mq" | "aws:amq"}:
            return "_mq:ActiveMqEvent"
        case {"events": list(), "eventSource": "aws:docdb"} | {"events": [{"event": {"operationType": _}}, *_]}:
            return "_documentdb:DocumentDbEvent"
    return None


def _object_lambda(raw: Mapping[str, Any]) -> str | None:
    contexts = {"getObjectContext", "headObjectContext", "listObjectsContext", "listObjectsV2Context"}
    return "_s3_object_lambda:S3ObjectLambdaEvent" if "userRequest" in raw and contexts & raw.keys() else None


def _ended(raw: Mapping[str, Any]) -> str | None:
    context = raw.get("requestContext")
    if not isinstance(context, Mapping) or "condition" not in context:
        return None
    return "_failures:DestinationEvent" if "requestPayload" in raw else "_failures:FailedBatchEvent"


def _caught(raw: Mapping[str, Any]) -> str | None:
    return "_failures:StepFunctionsErrorEvent" if isinstance(raw.get("Error"), str) and (len(raw) == 1 or "Cause" in raw) else None


def _keys(raw: Mapping[str, Any]) -> str | None:
    return next((model for keys, model in _KEYS if keys <= raw.keys()), None)


def _first(items: Any) -> Mapping[str, Any]:
    first = items[0] if items else None
    return first if isinstance(first, Mapping) else {}


_RULES: tuple[Callable[[Mapping[str, Any]], str | None], ...] = (
    _records,
    _s3_test,
    _bus,
    _kafka,
    _transformation,
    _marked,
    _object_lambda,
    _ended,
    _keys,
    _caught,
)
