"""
The events that Lambda delivers, as pydantic models; importing one loads its source family's file only.
"""

from __future__ import annotations

from lambda_kit._lazy import attach
from lambda_kit._require import require

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambda_kit.events._api_gateway_http import ApiGatewayHttpEvent
    from lambda_kit.events._autoscaling import TerminationPolicyEvent
    from lambda_kit.events._cloudformation import CustomResourceEvent, HookEvent, MacroEvent
    from lambda_kit.events._cloudwatch_alarm import CloudWatchAlarmEvent, CloudWatchAlarmMessage
    from lambda_kit.events._cloudwatch_logs import CloudWatchLogEvent, CloudWatchLogsData, CloudWatchLogsEvent
    from lambda_kit.events._code_services import CodeCommitEvent, CodeCommitRecord, CodeDeployHookEvent, CodePipelineEvent
    from lambda_kit.events._config_rule import ConfigItem, ConfigNotification, ConfigRuleEvent
    from lambda_kit.events._detection import parse_event
    from lambda_kit.events._documentdb import DocumentDbEvent, DocumentDbRecord
    from lambda_kit.events._durable import DurableExecutionEvent
    from lambda_kit.events._dynamodb import DynamoDbEvent, DynamoDbRecord, DynamoDbWindowEvent
    from lambda_kit.events._eventbridge import EventBridgeEvent, ScheduledEvent
    from lambda_kit.events._eventbridge_details import (
        AlarmStateDetail,
        ApiCallDetail,
        AutoScalingDetail,
        BatchJobDetail,
        CodeBuildDetail,
        CodeDeployDetail,
        CodePipelineDetail,
        Ec2SpotInterruptionDetail,
        Ec2StateDetail,
        EcrImageDetail,
        EcsInstanceDetail,
        EcsTaskDetail,
        GuardDutyFindingDetail,
        HealthDetail,
        ParameterChangeDetail,
        S3ObjectDetail,
        StepFunctionsDetail,
    )
    from lambda_kit.events._failures import DeadLetterEvent, DeadLetterRecord, DestinationEvent, FailedBatchEvent, StepFunctionsErrorEvent
    from lambda_kit.events._firehose import FirehoseEvent, FirehoseRecord, KinesisAnalyticsEvent, KinesisAnalyticsRecord
    from lambda_kit.events._function_url import FunctionUrlEvent
    from lambda_kit.events._kafka import KafkaEvent, KafkaRecord, MskEvent, SelfManagedKafkaEvent
    from lambda_kit.events._kinesis import KinesisEvent, KinesisRecord, KinesisWindowEvent
    from lambda_kit.events._model import Event
    from lambda_kit.events._mq import ActiveMqEvent, ActiveMqMessage, RabbitMqEvent, RabbitMqMessage
    from lambda_kit.events._pipes import PipesEvent, PipesRecord
    from lambda_kit.events._s3 import S3Event, S3Record, S3TestEvent
    from lambda_kit.events._s3_batch import S3BatchEvent, S3BatchTask
    from lambda_kit.events._s3_object_lambda import S3ObjectLambdaEvent
    from lambda_kit.events._secrets_rotation import SecretsRotationEvent
    from lambda_kit.events._ses import SesEvent, SesRecord
    from lambda_kit.events._sns import SnsEvent, SnsMessage, SnsRecord
    from lambda_kit.events._sqs import SqsEvent, SqsRecord

__all__ = [
    "ActiveMqEvent",
    "ActiveMqMessage",
    "AlarmStateDetail",
    "ApiCallDetail",
    "ApiGatewayHttpEvent",
    "AutoScalingDetail",
    "BatchJobDetail",
    "CloudWatchAlarmEvent",
    "CloudWatchAlarmMessage",
    "CloudWatchLogEvent",
    "CloudWatchLogsData",
    "CloudWatchLogsEvent",
    "CodeBuildDetail",
    "CodeCommitEvent",
    "CodeCommitRecord",
    "CodeDeployDetail",
    "CodeDeployHookEvent",
    "CodePipelineDetail",
    "CodePipelineEvent",
    "ConfigItem",
    "ConfigNotification",
    "ConfigRuleEvent",
    "CustomResourceEvent",
    "DeadLetterEvent",
    "DeadLetterRecord",
    "DestinationEvent",
    "DocumentDbEvent",
    "DocumentDbRecord",
    "DurableExecutionEvent",
    "DynamoDbEvent",
    "DynamoDbRecord",
    "DynamoDbWindowEvent",
    "Ec2SpotInterruptionDetail",
    "Ec2StateDetail",
    "EcrImageDetail",
    "EcsInstanceDetail",
    "EcsTaskDetail",
    "Event",
    "EventBridgeEvent",
    "FailedBatchEvent",
    "FirehoseEvent",
    "FirehoseRecord",
    "FunctionUrlEvent",
    "GuardDutyFindingDetail",
    "HealthDetail",
    "HookEvent",
    "KafkaEvent",
    "KafkaRecord",
    "KinesisAnalyticsEvent",
    "KinesisAnalyticsRecord",
    "KinesisEvent",
    "KinesisRecord",
    "KinesisWindowEvent",
    "MacroEvent",
    "MskEvent",
    "ParameterChangeDetail",
    "PipesEvent",
    "PipesRecord",
    "RabbitMqEvent",
    "RabbitMqMessage",
    "S3BatchEvent",
    "S3BatchTask",
    "S3Event",
    "S3ObjectDetail",
    "S3ObjectLambdaEvent",
    "S3Record",
    "S3TestEvent",
    "ScheduledEvent",
    "SecretsRotationEvent",
    "SelfManagedKafkaEvent",
    "SesEvent",
    "SesRecord",
    "SnsEvent",
    "SnsMessage",
    "SnsRecord",
    "SqsEvent",
    "SqsRecord",
    "StepFunctionsDetail",
    "StepFunctionsErrorEvent",
    "TerminationPolicyEvent",
    "parse_event",
]

# The families and what is in them.
_HOMES = {
    "_api_gateway_http": "ApiGatewayHttpEvent",
    "_autoscaling": "TerminationPolicyEvent",
    "_cloudformation": "CustomResourceEvent HookEvent MacroEvent",
    "_cloudwatch_alarm": "CloudWatchAlarmEvent CloudWatchAlarmMessage",
    "_cloudwatch_logs": "CloudWatchLogEvent CloudWatchLogsData CloudWatchLogsEvent",
    "_code_services": "CodeCommitEvent CodeCommitRecord CodeDeployHookEvent CodePipelineEvent",
    "_config_rule": "ConfigItem ConfigNotification ConfigRuleEvent",
    "_detection": "parse_event",
    "_documentdb": "DocumentDbEvent DocumentDbRecord",
    "_durable": "DurableExecutionEvent",
    "_dynamodb": "DynamoDbEvent DynamoDbRecord DynamoDbWindowEvent",
    "_eventbridge": "EventBridgeEvent ScheduledEvent",
    "_eventbridge_details": "AlarmStateDetail ApiCallDetail AutoScalingDetail BatchJobDetail CodeBuildDetail CodeDeployDetail CodePipelineDetail Ec2SpotInterruptionDetail Ec2StateDetail EcrImageDetail EcsInstanceDetail EcsTaskDetail GuardDutyFindingDetail HealthDetail ParameterChangeDetail S3ObjectDetail StepFunctionsDetail",
    "_failures": "DeadLetterEvent DeadLetterRecord DestinationEvent FailedBatchEvent StepFunctionsErrorEvent",
    "_firehose": "FirehoseEvent FirehoseRecord KinesisAnalyticsEvent KinesisAnalyticsRecord",
    "_function_url": "FunctionUrlEvent",
    "_kafka": "KafkaEvent KafkaRecord MskEvent SelfManagedKafkaEvent",
    "_kinesis": "KinesisEvent KinesisRecord KinesisWindowEvent",
    "_model": "Event",
    "_mq": "ActiveMqEvent ActiveMqMessage RabbitMqEvent RabbitMqMessage",
    "_pipes": "PipesEvent PipesRecord",
    "_s3": "S3Event S3Record S3TestEvent",
    "_s3_batch": "S3BatchEvent S3BatchTask",
    "_s3_object_lambda": "S3ObjectLambdaEvent",
    "_secrets_rotation": "SecretsRotationEvent",
    "_ses": "SesEvent SesRecord",
    "_sns": "SnsEvent SnsMessage SnsRecord",
    "_sqs": "SqsEvent SqsRecord",
}

_load, __dir__ = attach(__name__, {name: f"{__name__}.{home}" for home, names in _HOMES.items() for name in names.split()})

if not TYPE_CHECKING:
    # Checkers that see a module's __getattr__ take every misspelt name for granted.
    def __getattr__(name: str) -> object:
        if name in __all__:
            require("pydantic", extra="events")
        return _load(name)
