"""
The events that Lambda delivers, as pydantic models; importing one loads its source family's file only.
"""

from __future__ import annotations

from lambda_kit._lazy import attach
from lambda_kit._require import require

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambda_kit.events._alb import AlbEvent as AlbEvent
    from lambda_kit.events._alb import AlbMultiValueEvent as AlbMultiValueEvent
    from lambda_kit.events._alexa import AlexaSkillEvent as AlexaSkillEvent
    from lambda_kit.events._alexa import AlexaSmartHomeEvent as AlexaSmartHomeEvent
    from lambda_kit.events._api_gateway_authorizers import ApiGatewayHttpAuthorizerEvent as ApiGatewayHttpAuthorizerEvent
    from lambda_kit.events._api_gateway_authorizers import ApiGatewayRequestAuthorizerEvent as ApiGatewayRequestAuthorizerEvent
    from lambda_kit.events._api_gateway_authorizers import ApiGatewayTokenAuthorizerEvent as ApiGatewayTokenAuthorizerEvent
    from lambda_kit.events._api_gateway_authorizers import ApiGatewayWebSocketAuthorizerEvent as ApiGatewayWebSocketAuthorizerEvent
    from lambda_kit.events._api_gateway_http import ApiGatewayHttpEvent as ApiGatewayHttpEvent
    from lambda_kit.events._api_gateway_rest import ApiGatewayHttpV1Event as ApiGatewayHttpV1Event
    from lambda_kit.events._api_gateway_rest import ApiGatewayRestEvent as ApiGatewayRestEvent
    from lambda_kit.events._api_gateway_websocket import ApiGatewayWebSocketEvent as ApiGatewayWebSocketEvent
    from lambda_kit.events._appsync import AppSyncAuthorizerEvent as AppSyncAuthorizerEvent
    from lambda_kit.events._appsync import AppSyncBatchEvent as AppSyncBatchEvent
    from lambda_kit.events._appsync import AppSyncEventsEvent as AppSyncEventsEvent
    from lambda_kit.events._appsync import AppSyncResolverEvent as AppSyncResolverEvent
    from lambda_kit.events._autoscaling import AutoScalingTerminationPolicyEvent as AutoScalingTerminationPolicyEvent
    from lambda_kit.events._bedrock_agents import BedrockAgentFunctionEvent as BedrockAgentFunctionEvent
    from lambda_kit.events._bedrock_agents import BedrockAgentOpenApiEvent as BedrockAgentOpenApiEvent
    from lambda_kit.events._client_vpn import ClientVpnConnectionEvent as ClientVpnConnectionEvent
    from lambda_kit.events._cloudformation import CloudFormationHookEvent as CloudFormationHookEvent
    from lambda_kit.events._cloudformation import CloudFormationMacroEvent as CloudFormationMacroEvent
    from lambda_kit.events._cloudformation import CustomResourceEvent as CustomResourceEvent
    from lambda_kit.events._cloudfront import CloudFrontEvent as CloudFrontEvent
    from lambda_kit.events._cloudfront import CloudFrontRecord as CloudFrontRecord
    from lambda_kit.events._cloudwatch_alarm import CloudWatchAlarmEvent as CloudWatchAlarmEvent
    from lambda_kit.events._cloudwatch_alarm import CloudWatchAlarmMessage as CloudWatchAlarmMessage
    from lambda_kit.events._cloudwatch_logs import CloudWatchLogEvent as CloudWatchLogEvent
    from lambda_kit.events._cloudwatch_logs import CloudWatchLogsData as CloudWatchLogsData
    from lambda_kit.events._cloudwatch_logs import CloudWatchLogsEvent as CloudWatchLogsEvent
    from lambda_kit.events._code_services import CodeCommitEvent as CodeCommitEvent
    from lambda_kit.events._code_services import CodeCommitRecord as CodeCommitRecord
    from lambda_kit.events._code_services import CodeDeployHookEvent as CodeDeployHookEvent
    from lambda_kit.events._code_services import CodePipelineEvent as CodePipelineEvent
    from lambda_kit.events._cognito import CognitoEvent as CognitoEvent
    from lambda_kit.events._cognito import CognitoInboundFederationEvent as CognitoInboundFederationEvent
    from lambda_kit.events._cognito import CognitoOtherEvent as CognitoOtherEvent
    from lambda_kit.events._cognito import CognitoPostAuthenticationEvent as CognitoPostAuthenticationEvent
    from lambda_kit.events._cognito import CognitoPostConfirmationEvent as CognitoPostConfirmationEvent
    from lambda_kit.events._cognito import CognitoPreAuthenticationEvent as CognitoPreAuthenticationEvent
    from lambda_kit.events._cognito import CognitoPreSignUpEvent as CognitoPreSignUpEvent
    from lambda_kit.events._cognito import CognitoSyncEvent as CognitoSyncEvent
    from lambda_kit.events._cognito import CognitoSyncRecord as CognitoSyncRecord
    from lambda_kit.events._cognito import CognitoUserMigrationEvent as CognitoUserMigrationEvent
    from lambda_kit.events._cognito_challenges import CognitoCreateAuthChallengeEvent as CognitoCreateAuthChallengeEvent
    from lambda_kit.events._cognito_challenges import CognitoDefineAuthChallengeEvent as CognitoDefineAuthChallengeEvent
    from lambda_kit.events._cognito_challenges import CognitoVerifyAuthChallengeEvent as CognitoVerifyAuthChallengeEvent
    from lambda_kit.events._cognito_messages import CognitoCustomEmailSenderEvent as CognitoCustomEmailSenderEvent
    from lambda_kit.events._cognito_messages import CognitoCustomMessageEvent as CognitoCustomMessageEvent
    from lambda_kit.events._cognito_messages import CognitoCustomSmsSenderEvent as CognitoCustomSmsSenderEvent
    from lambda_kit.events._cognito_tokens import CognitoPreTokenGenerationEvent as CognitoPreTokenGenerationEvent
    from lambda_kit.events._cognito_tokens import CognitoPreTokenGenerationV2Event as CognitoPreTokenGenerationV2Event
    from lambda_kit.events._config_rule import ConfigItem as ConfigItem
    from lambda_kit.events._config_rule import ConfigNotification as ConfigNotification
    from lambda_kit.events._config_rule import ConfigRuleEvent as ConfigRuleEvent
    from lambda_kit.events._connect import CampaignProfile as CampaignProfile
    from lambda_kit.events._connect import ConnectContactFlowEvent as ConnectContactFlowEvent
    from lambda_kit.events._connect import ConnectOutboundCampaignEvent as ConnectOutboundCampaignEvent
    from lambda_kit.events._dashboard_widget import CloudWatchWidgetEvent as CloudWatchWidgetEvent
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
    from lambda_kit.events._ground_truth import GroundTruthPostEvent as GroundTruthPostEvent
    from lambda_kit.events._ground_truth import GroundTruthPreEvent as GroundTruthPreEvent
    from lambda_kit.events._http_events import HttpEvent as HttpEvent
    from lambda_kit.events._iot import IotAuthorizerEvent as IotAuthorizerEvent
    from lambda_kit.events._iot import IotButtonEvent as IotButtonEvent
    from lambda_kit.events._iot import IotOneClickEvent as IotOneClickEvent
    from lambda_kit.events._iot import IotPreprovisioningEvent as IotPreprovisioningEvent
    from lambda_kit.events._iot import IotRegistryEvent as IotRegistryEvent
    from lambda_kit.events._kafka import KafkaEvent as KafkaEvent
    from lambda_kit.events._kafka import KafkaRecord as KafkaRecord
    from lambda_kit.events._kafka import MskEvent as MskEvent
    from lambda_kit.events._kafka import SelfManagedKafkaEvent as SelfManagedKafkaEvent
    from lambda_kit.events._kinesis import KinesisEvent as KinesisEvent
    from lambda_kit.events._kinesis import KinesisRecord as KinesisRecord
    from lambda_kit.events._kinesis import KinesisWindowEvent as KinesisWindowEvent
    from lambda_kit.events._lex import LexV1Event as LexV1Event
    from lambda_kit.events._lex import LexV2Event as LexV2Event
    from lambda_kit.events._model import Event as Event
    from lambda_kit.events._model import ListEvent as ListEvent
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
    from lambda_kit.events._transfer import TransferAuthorizerEvent as TransferAuthorizerEvent
    from lambda_kit.events._transfer import TransferWorkflowEvent as TransferWorkflowEvent
    from lambda_kit.events._vpc_lattice import VpcLatticeV1Event as VpcLatticeV1Event
    from lambda_kit.events._vpc_lattice import VpcLatticeV2Event as VpcLatticeV2Event
    from lambda_kit.events._workmail import WorkMailEvent as WorkMailEvent

__all__ = [
    "ActiveMqEvent",
    "ActiveMqMessage",
    "AlarmStateDetail",
    "AlbEvent",
    "AlbMultiValueEvent",
    "AlexaSkillEvent",
    "AlexaSmartHomeEvent",
    "ApiCallDetail",
    "ApiGatewayHttpAuthorizerEvent",
    "ApiGatewayHttpEvent",
    "ApiGatewayHttpV1Event",
    "ApiGatewayRequestAuthorizerEvent",
    "ApiGatewayRestEvent",
    "ApiGatewayTokenAuthorizerEvent",
    "ApiGatewayWebSocketAuthorizerEvent",
    "ApiGatewayWebSocketEvent",
    "AppSyncAuthorizerEvent",
    "AppSyncBatchEvent",
    "AppSyncEventsEvent",
    "AppSyncResolverEvent",
    "AutoScalingDetail",
    "AutoScalingTerminationPolicyEvent",
    "BatchJobDetail",
    "BedrockAgentFunctionEvent",
    "BedrockAgentOpenApiEvent",
    "CampaignProfile",
    "ClientVpnConnectionEvent",
    "CloudFormationHookEvent",
    "CloudFormationMacroEvent",
    "CloudFrontEvent",
    "CloudFrontRecord",
    "CloudWatchAlarmEvent",
    "CloudWatchAlarmMessage",
    "CloudWatchLogEvent",
    "CloudWatchLogsData",
    "CloudWatchLogsEvent",
    "CloudWatchWidgetEvent",
    "CodeBuildDetail",
    "CodeCommitEvent",
    "CodeCommitRecord",
    "CodeDeployDetail",
    "CodeDeployHookEvent",
    "CodePipelineDetail",
    "CodePipelineEvent",
    "CognitoCreateAuthChallengeEvent",
    "CognitoCustomEmailSenderEvent",
    "CognitoCustomMessageEvent",
    "CognitoCustomSmsSenderEvent",
    "CognitoDefineAuthChallengeEvent",
    "CognitoEvent",
    "CognitoInboundFederationEvent",
    "CognitoOtherEvent",
    "CognitoPostAuthenticationEvent",
    "CognitoPostConfirmationEvent",
    "CognitoPreAuthenticationEvent",
    "CognitoPreSignUpEvent",
    "CognitoPreTokenGenerationEvent",
    "CognitoPreTokenGenerationV2Event",
    "CognitoSyncEvent",
    "CognitoSyncRecord",
    "CognitoUserMigrationEvent",
    "CognitoVerifyAuthChallengeEvent",
    "ConfigItem",
    "ConfigNotification",
    "ConfigRuleEvent",
    "ConnectContactFlowEvent",
    "ConnectOutboundCampaignEvent",
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
    "GroundTruthPostEvent",
    "GroundTruthPreEvent",
    "GuardDutyFindingDetail",
    "HealthDetail",
    "HttpEvent",
    "IotAuthorizerEvent",
    "IotButtonEvent",
    "IotOneClickEvent",
    "IotPreprovisioningEvent",
    "IotRegistryEvent",
    "KafkaEvent",
    "KafkaRecord",
    "KinesisAnalyticsEvent",
    "KinesisAnalyticsRecord",
    "KinesisEvent",
    "KinesisRecord",
    "KinesisWindowEvent",
    "LexV1Event",
    "LexV2Event",
    "ListEvent",
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
    "TransferAuthorizerEvent",
    "TransferWorkflowEvent",
    "VpcLatticeV1Event",
    "VpcLatticeV2Event",
    "WorkMailEvent",
    "parse_event",
]

if not TYPE_CHECKING:  # a checker would take a module with __getattr__ to have any name
    # Module below this package: the names it defines.
    _NAMES = {
        "_alb": "AlbEvent AlbMultiValueEvent",
        "_alexa": "AlexaSkillEvent AlexaSmartHomeEvent",
        "_api_gateway_authorizers": (
            "ApiGatewayHttpAuthorizerEvent ApiGatewayRequestAuthorizerEvent ApiGatewayTokenAuthorizerEvent "
            "ApiGatewayWebSocketAuthorizerEvent"
        ),
        "_api_gateway_http": "ApiGatewayHttpEvent",
        "_api_gateway_rest": "ApiGatewayHttpV1Event ApiGatewayRestEvent",
        "_api_gateway_websocket": "ApiGatewayWebSocketEvent",
        "_appsync": "AppSyncAuthorizerEvent AppSyncBatchEvent AppSyncEventsEvent AppSyncResolverEvent",
        "_autoscaling": "AutoScalingTerminationPolicyEvent",
        "_bedrock_agents": "BedrockAgentFunctionEvent BedrockAgentOpenApiEvent",
        "_client_vpn": "ClientVpnConnectionEvent",
        "_cloudformation": "CloudFormationHookEvent CloudFormationMacroEvent CustomResourceEvent",
        "_cloudfront": "CloudFrontEvent CloudFrontRecord",
        "_cloudwatch_alarm": "CloudWatchAlarmEvent CloudWatchAlarmMessage",
        "_cloudwatch_logs": "CloudWatchLogEvent CloudWatchLogsData CloudWatchLogsEvent",
        "_code_services": "CodeCommitEvent CodeCommitRecord CodeDeployHookEvent CodePipelineEvent",
        "_cognito": (
            "CognitoEvent CognitoInboundFederationEvent CognitoOtherEvent CognitoPostAuthenticationEvent "
            "CognitoPostConfirmationEvent CognitoPreAuthenticationEvent CognitoPreSignUpEvent CognitoSyncEvent "
            "CognitoSyncRecord CognitoUserMigrationEvent"
        ),
        "_cognito_challenges": "CognitoCreateAuthChallengeEvent CognitoDefineAuthChallengeEvent CognitoVerifyAuthChallengeEvent",
        "_cognito_messages": "CognitoCustomEmailSenderEvent CognitoCustomMessageEvent CognitoCustomSmsSenderEvent",
        "_cognito_tokens": "CognitoPreTokenGenerationEvent CognitoPreTokenGenerationV2Event",
        "_config_rule": "ConfigItem ConfigNotification ConfigRuleEvent",
        "_connect": "CampaignProfile ConnectContactFlowEvent ConnectOutboundCampaignEvent",
        "_dashboard_widget": "CloudWatchWidgetEvent",
        "_detection": "parse_event",
        "_documentdb": "DocumentDbEvent DocumentDbRecord",
        "_durable": "DurableExecutionEvent",
        "_dynamodb": "DynamoDbEvent DynamoDbRecord DynamoDbWindowEvent",
        "_eventbridge": "EventBridgeEvent ScheduledEvent",
        "_eventbridge_details": (
            "AlarmStateDetail ApiCallDetail AutoScalingDetail BatchJobDetail CodeBuildDetail CodeDeployDetail "
            "CodePipelineDetail Ec2SpotInterruptionDetail Ec2StateDetail EcrImageDetail EcsInstanceDetail EcsTaskDetail "
            "GuardDutyFindingDetail HealthDetail ParameterChangeDetail S3ObjectDetail StepFunctionsDetail"
        ),
        "_failures": "DeadLetterEvent DeadLetterRecord DestinationEvent FailedBatchEvent StepFunctionsErrorEvent",
        "_firehose": "FirehoseEvent FirehoseRecord KinesisAnalyticsEvent KinesisAnalyticsRecord",
        "_function_url": "FunctionUrlEvent",
        "_ground_truth": "GroundTruthPostEvent GroundTruthPreEvent",
        "_http_events": "HttpEvent",
        "_iot": "IotAuthorizerEvent IotButtonEvent IotOneClickEvent IotPreprovisioningEvent IotRegistryEvent",
        "_kafka": "KafkaEvent KafkaRecord MskEvent SelfManagedKafkaEvent",
        "_kinesis": "KinesisEvent KinesisRecord KinesisWindowEvent",
        "_lex": "LexV1Event LexV2Event",
        "_model": "Event ListEvent",
        "_mq": "ActiveMqEvent ActiveMqMessage RabbitMqEvent RabbitMqMessage",
        "_pipes": "PipesEvent PipesRecord",
        "_s3": "S3Event S3Record S3TestEvent",
        "_s3_batch": "S3BatchEvent S3BatchTask",
        "_s3_object_lambda": "S3ObjectLambdaEvent",
        "_secrets_rotation": "SecretsRotationEvent",
        "_ses": "SesEvent SesRecord",
        "_sns": "SnsEvent SnsMessage SnsRecord",
        "_sqs": "SqsEvent SqsRecord",
        "_transfer": "TransferAuthorizerEvent TransferWorkflowEvent",
        "_vpc_lattice": "VpcLatticeV1Event VpcLatticeV2Event",
        "_workmail": "WorkMailEvent",
    }

    _load, __dir__ = attach(__name__, {name: f"{__name__}.{module}" for module, names in _NAMES.items() for name in names.split()})

    def __getattr__(name: str) -> object:
        if name in __all__:
            require("pydantic", extra="events")
        return _load(name)
