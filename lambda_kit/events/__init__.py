"""
The events that Lambda delivers, as pydantic models; importing one loads its source family's file only.
"""

from __future__ import annotations

from lambda_kit._lazy import attach
from lambda_kit._require import require

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambda_kit.events._api_gateway_http import ApiGatewayHttpEvent as ApiGatewayHttpEvent
    from lambda_kit.events._autoscaling import TerminationPolicyEvent as TerminationPolicyEvent
    from lambda_kit.events._cloudformation import CustomResourceEvent as CustomResourceEvent
    from lambda_kit.events._cloudformation import HookEvent as HookEvent
    from lambda_kit.events._cloudformation import MacroEvent as MacroEvent
    from lambda_kit.events._cloudwatch_alarm import CloudWatchAlarmEvent as CloudWatchAlarmEvent
    from lambda_kit.events._cloudwatch_alarm import CloudWatchAlarmMessage as CloudWatchAlarmMessage
    from lambda_kit.events._cloudwatch_logs import CloudWatchLogEvent as CloudWatchLogEvent
    from lambda_kit.events._cloudwatch_logs import CloudWatchLogsData as CloudWatchLogsData
    from lambda_kit.events._cloudwatch_logs import CloudWatchLogsEvent as CloudWatchLogsEvent
    from lambda_kit.events._code_services import CodeCommitEvent as CodeCommitEvent
    from lambda_kit.events._code_services import CodeCommitRecord as CodeCommitRecord
    from lambda_kit.events._code_services import CodeDeployHookEvent as CodeDeployHookEvent
    from lambda_kit.events._code_services import CodePipelineEvent as CodePipelineEvent
    from lambda_kit.events._config_rule import ConfigItem as ConfigItem
    from lambda_kit.events._config_rule import ConfigNotification as ConfigNotification
    from lambda_kit.events._config_rule import ConfigRuleEvent as ConfigRuleEvent
    from lambda_kit.events._detection import parse_event as parse_event
    from lambda_kit.events._documentdb import DocumentDbEvent as DocumentDbEvent
    from lambda_kit.events._documentdb import DocumentDbRecord as DocumentDbRecord
    from lambda_kit.events._durable import DurableExecutionEvent as DurableExecutionEvent
    from lambda_kit.events._dynamodb import DynamoDbEvent as DynamoDbEvent
    from lambda_kit.events._dynamodb import DynamoDbRecord as DynamoDbRecord
    from lambda_kit.events._dynamodb import DynamoDbWindowEvent as DynamoDbWindowEvent
    from lambda_kit.events._eventbridge import EventBridgeEvent as EventBridgeEvent
    from lambda_kit.events._eventbridge import ScheduledEvent as ScheduledEvent
    from lambda_kit.events._eventbridge_details import AlarmStateDetail as AlarmStateDetail
    from lambda_kit.events._eventbridge_details import ApiCallDetail as ApiCallDetail
    from lambda_kit.events._eventbridge_details import AutoScalingDetail as AutoScalingDetail
    from lambda_kit.events._eventbridge_details import BatchJobDetail as BatchJobDetail
    from lambda_kit.events._eventbridge_details import CodeBuildDetail as CodeBuildDetail
    from lambda_kit.events._eventbridge_details import CodeDeployDetail as CodeDeployDetail
    from lambda_kit.events._eventbridge_details import CodePipelineDetail as CodePipelineDetail
    from lambda_kit.events._eventbridge_details import Ec2SpotInterruptionDetail as Ec2SpotInterruptionDetail
    from lambda_kit.events._eventbridge_details import Ec2StateDetail as Ec2StateDetail
    from lambda_kit.events._eventbridge_details import EcrImageDetail as EcrImageDetail
    from lambda_kit.events._eventbridge_details import EcsInstanceDetail as EcsInstanceDetail
    from lambda_kit.events._eventbridge_details import EcsTaskDetail as EcsTaskDetail
    from lambda_kit.events._eventbridge_details import GuardDutyFindingDetail as GuardDutyFindingDetail
    from lambda_kit.events._eventbridge_details import HealthDetail as HealthDetail
    from lambda_kit.events._eventbridge_details import ParameterChangeDetail as ParameterChangeDetail
    from lambda_kit.events._eventbridge_details import S3ObjectDetail as S3ObjectDetail
    from lambda_kit.events._eventbridge_details import StepFunctionsDetail as StepFunctionsDetail
    from lambda_kit.events._failures import DeadLetterEvent as DeadLetterEvent
    from lambda_kit.events._failures import DeadLetterRecord as DeadLetterRecord
    from lambda_kit.events._failures import DestinationEvent as DestinationEvent
    from lambda_kit.events._failures import FailedBatchEvent as FailedBatchEvent
    from lambda_kit.events._failures import StepFunctionsErrorEvent as StepFunctionsErrorEvent
    from lambda_kit.events._firehose import FirehoseEvent as FirehoseEvent
    from lambda_kit.events._firehose import FirehoseRecord as FirehoseRecord
    from lambda_kit.events._firehose import KinesisAnalyticsEvent as KinesisAnalyticsEvent
    from lambda_kit.events._firehose import KinesisAnalyticsRecord as KinesisAnalyticsRecord
    from lambda_kit.events._function_url import FunctionUrlEvent as FunctionUrlEvent
    from lambda_kit.events._kafka import KafkaEvent as KafkaEvent
    from lambda_kit.events._kafka import KafkaRecord as KafkaRecord
    from lambda_kit.events._kafka import MskEvent as MskEvent
    from lambda_kit.events._kafka import SelfManagedKafkaEvent as SelfManagedKafkaEvent
    from lambda_kit.events._kinesis import KinesisEvent as KinesisEvent
    from lambda_kit.events._kinesis import KinesisRecord as KinesisRecord
    from lambda_kit.events._kinesis import KinesisWindowEvent as KinesisWindowEvent
    from lambda_kit.events._model import Event as Event
    from lambda_kit.events._mq import ActiveMqEvent as ActiveMqEvent
    from lambda_kit.events._mq import ActiveMqMessage as ActiveMqMessage
    from lambda_kit.events._mq import RabbitMqEvent as RabbitMqEvent
    from lambda_kit.events._mq import RabbitMqMessage as RabbitMqMessage
    from lambda_kit.events._pipes import PipesEvent as PipesEvent
    from lambda_kit.events._pipes import PipesRecord as PipesRecord
    from lambda_kit.events._s3 import S3Event as S3Event
    from lambda_kit.events._s3 import S3Record as S3Record
    from lambda_kit.events._s3 import S3TestEvent as S3TestEvent
    from lambda_kit.events._s3_batch import S3BatchEvent as S3BatchEvent
    from lambda_kit.events._s3_batch import S3BatchTask as S3BatchTask
    from lambda_kit.events._s3_object_lambda import S3ObjectLambdaEvent as S3ObjectLambdaEvent
    from lambda_kit.events._secrets_rotation import SecretsRotationEvent as SecretsRotationEvent
    from lambda_kit.events._ses import SesEvent as SesEvent
    from lambda_kit.events._ses import SesRecord as SesRecord
    from lambda_kit.events._sns import SnsEvent as SnsEvent
    from lambda_kit.events._sns import SnsMessage as SnsMessage
    from lambda_kit.events._sns import SnsRecord as SnsRecord
    from lambda_kit.events._sqs import SqsEvent as SqsEvent
    from lambda_kit.events._sqs import SqsRecord as SqsRecord

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

_load, __dir__ = attach(
    __name__,
    {
        "ActiveMqEvent": "lambda_kit.events._mq",
        "ActiveMqMessage": "lambda_kit.events._mq",
        "AlarmStateDetail": "lambda_kit.events._eventbridge_details",
        "ApiCallDetail": "lambda_kit.events._eventbridge_details",
        "ApiGatewayHttpEvent": "lambda_kit.events._api_gateway_http",
        "AutoScalingDetail": "lambda_kit.events._eventbridge_details",
        "BatchJobDetail": "lambda_kit.events._eventbridge_details",
        "CloudWatchAlarmEvent": "lambda_kit.events._cloudwatch_alarm",
        "CloudWatchAlarmMessage": "lambda_kit.events._cloudwatch_alarm",
        "CloudWatchLogEvent": "lambda_kit.events._cloudwatch_logs",
        "CloudWatchLogsData": "lambda_kit.events._cloudwatch_logs",
        "CloudWatchLogsEvent": "lambda_kit.events._cloudwatch_logs",
        "CodeBuildDetail": "lambda_kit.events._eventbridge_details",
        "CodeCommitEvent": "lambda_kit.events._code_services",
        "CodeCommitRecord": "lambda_kit.events._code_services",
        "CodeDeployDetail": "lambda_kit.events._eventbridge_details",
        "CodeDeployHookEvent": "lambda_kit.events._code_services",
        "CodePipelineDetail": "lambda_kit.events._eventbridge_details",
        "CodePipelineEvent": "lambda_kit.events._code_services",
        "ConfigItem": "lambda_kit.events._config_rule",
        "ConfigNotification": "lambda_kit.events._config_rule",
        "ConfigRuleEvent": "lambda_kit.events._config_rule",
        "CustomResourceEvent": "lambda_kit.events._cloudformation",
        "DeadLetterEvent": "lambda_kit.events._failures",
        "DeadLetterRecord": "lambda_kit.events._failures",
        "DestinationEvent": "lambda_kit.events._failures",
        "DocumentDbEvent": "lambda_kit.events._documentdb",
        "DocumentDbRecord": "lambda_kit.events._documentdb",
        "DurableExecutionEvent": "lambda_kit.events._durable",
        "DynamoDbEvent": "lambda_kit.events._dynamodb",
        "DynamoDbRecord": "lambda_kit.events._dynamodb",
        "DynamoDbWindowEvent": "lambda_kit.events._dynamodb",
        "Ec2SpotInterruptionDetail": "lambda_kit.events._eventbridge_details",
        "Ec2StateDetail": "lambda_kit.events._eventbridge_details",
        "EcrImageDetail": "lambda_kit.events._eventbridge_details",
        "EcsInstanceDetail": "lambda_kit.events._eventbridge_details",
        "EcsTaskDetail": "lambda_kit.events._eventbridge_details",
        "Event": "lambda_kit.events._model",
        "EventBridgeEvent": "lambda_kit.events._eventbridge",
        "FailedBatchEvent": "lambda_kit.events._failures",
        "FirehoseEvent": "lambda_kit.events._firehose",
        "FirehoseRecord": "lambda_kit.events._firehose",
        "FunctionUrlEvent": "lambda_kit.events._function_url",
        "GuardDutyFindingDetail": "lambda_kit.events._eventbridge_details",
        "HealthDetail": "lambda_kit.events._eventbridge_details",
        "HookEvent": "lambda_kit.events._cloudformation",
        "KafkaEvent": "lambda_kit.events._kafka",
        "KafkaRecord": "lambda_kit.events._kafka",
        "KinesisAnalyticsEvent": "lambda_kit.events._firehose",
        "KinesisAnalyticsRecord": "lambda_kit.events._firehose",
        "KinesisEvent": "lambda_kit.events._kinesis",
        "KinesisRecord": "lambda_kit.events._kinesis",
        "KinesisWindowEvent": "lambda_kit.events._kinesis",
        "MacroEvent": "lambda_kit.events._cloudformation",
        "MskEvent": "lambda_kit.events._kafka",
        "ParameterChangeDetail": "lambda_kit.events._eventbridge_details",
        "PipesEvent": "lambda_kit.events._pipes",
        "PipesRecord": "lambda_kit.events._pipes",
        "RabbitMqEvent": "lambda_kit.events._mq",
        "RabbitMqMessage": "lambda_kit.events._mq",
        "S3BatchEvent": "lambda_kit.events._s3_batch",
        "S3BatchTask": "lambda_kit.events._s3_batch",
        "S3Event": "lambda_kit.events._s3",
        "S3ObjectDetail": "lambda_kit.events._eventbridge_details",
        "S3ObjectLambdaEvent": "lambda_kit.events._s3_object_lambda",
        "S3Record": "lambda_kit.events._s3",
        "S3TestEvent": "lambda_kit.events._s3",
        "ScheduledEvent": "lambda_kit.events._eventbridge",
        "SecretsRotationEvent": "lambda_kit.events._secrets_rotation",
        "SelfManagedKafkaEvent": "lambda_kit.events._kafka",
        "SesEvent": "lambda_kit.events._ses",
        "SesRecord": "lambda_kit.events._ses",
        "SnsEvent": "lambda_kit.events._sns",
        "SnsMessage": "lambda_kit.events._sns",
        "SnsRecord": "lambda_kit.events._sns",
        "SqsEvent": "lambda_kit.events._sqs",
        "SqsRecord": "lambda_kit.events._sqs",
        "StepFunctionsDetail": "lambda_kit.events._eventbridge_details",
        "StepFunctionsErrorEvent": "lambda_kit.events._failures",
        "TerminationPolicyEvent": "lambda_kit.events._autoscaling",
        "parse_event": "lambda_kit.events._detection",
    },
)

if not TYPE_CHECKING:
    # Checkers that see a module's __getattr__ take every misspelt name for granted.
    def __getattr__(name: str) -> object:
        if name in __all__:
            require("pydantic", extra="events")
        return _load(name)
