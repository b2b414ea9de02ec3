"""
Facts about event sources: where payload and id of a record are, whether it orders, and what an answer looks like.

Data only. Models, handlers and event factories all read it, so that they cannot disagree.
"""

from __future__ import annotations

from collections.abc import Mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# What the source does with the handler's answer.
ANSWER_HTTP = "http"  # {"statusCode", "headers", "body", ...}
ANSWER_BATCH = "batch"  # {"batchItemFailures": [{"itemIdentifier": id}]}
ANSWER_RESULT = "result"  # the caller gets the result, or the error
ANSWER_NONE = "none"  # nobody reads it; raising makes the source retry
ANSWER_CHECKPOINT = "checkpoint"  # as a batch's; the source goes back to the first of the ids and delivers from there
ANSWER_TRANSFORM = "transform"  # {"records": [{"recordId", "result", "data"}]}, each of them
ANSWER_TASKS = "tasks"  # {"invocationSchemaVersion", "results": [{"taskId", "resultCode"}]}, each of them
ANSWER_ELSEWHERE = "elsewhere"  # nobody reads it; the outcome is to be told by a call, whatever happens


class Source:
    """
    One event source, as Lambda delivers it.

    Attributes:
        name: The kit's name for it, as in ``handler.<name>``.
        answer: One of the ``ANSWER_`` constants.
        records: Key of the list of records in the event, or of lists by partition or queue; empty when the event is one item.
        payload: Path of the payload within a record (within the event, when there are no records).
        encoding: What the payload is encoded as: ``"base64"``, ``"attributes"`` (DynamoDB's typed values), ``"json"`` text,
            ``"object"``; empty for text.
        identifier: Path of what identifies a record in the answer.
        group: Path of the key within which order holds; empty when the source does not order.
        marker: ``(key, value)`` that tells a record of this source: its event source field.
    """

    __slots__ = ("answer", "encoding", "group", "identifier", "marker", "name", "payload", "records")

    def __init__(
        self,
        name: str,
        *,
        answer: str,
        records: str = "",
        payload: tuple[str, ...] = (),
        identifier: tuple[str, ...] = (),
        group: tuple[str, ...] = (),
        marker: tuple[str, str] = ("", ""),
        encoding: str = "",
    ) -> None:
        self.name = name
        self.answer = answer
        self.records = records
        self.payload = payload
        self.identifier = identifier
        self.group = group
        self.marker = marker
        self.encoding = encoding

    def __repr__(self) -> str:
        return f"<Source {self.name}>"


# https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html and services-sqs-errorhandling.html: the answer names message
# ids. Order holds within a message group of a FIFO queue, whose ARN ends in .fifo; records of standard queues may carry a
# group too (fair queues), which orders nothing.
SQS = Source(
    "sqs",
    answer=ANSWER_BATCH,
    records="Records",
    payload=("body",),
    identifier=("messageId",),
    group=("attributes", "MessageGroupId"),
    marker=("eventSource", "aws:sqs"),
)

# https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html: a list of one; its marker starts with a capital.
SNS = Source("sns", answer=ANSWER_NONE, records="Records", payload=("Sns", "Message"), marker=("EventSource", "aws:sns"))

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
S3 = Source("s3", answer=ANSWER_NONE, records="Records", payload=("s3",), marker=("eventSource", "aws:s3"), encoding="object")

# https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
DYNAMODB = Source(
    "dynamodb",
    answer=ANSWER_CHECKPOINT,
    records="Records",
    payload=("dynamodb", "NewImage"),
    identifier=("dynamodb", "SequenceNumber"),
    group=("dynamodb", "Keys"),
    marker=("eventSource", "aws:dynamodb"),
    encoding="attributes",
)

# https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html
KINESIS = Source(
    "kinesis",
    answer=ANSWER_CHECKPOINT,
    records="Records",
    payload=("kinesis", "data"),
    identifier=("kinesis", "sequenceNumber"),
    group=("kinesis", "partitionKey"),
    marker=("eventSource", "aws:kinesis"),
    encoding="base64",
)

# https://docs.aws.amazon.com/lambda/latest/dg/with-msk.html: lists by partition, which is what orders them. The answer's
# identifier is {"partition": "topic-0", "offset": 15}.
KAFKA = Source(
    "kafka",
    answer=ANSWER_CHECKPOINT,
    records="records",
    payload=("value",),
    identifier=("offset",),
    group=("partition",),
    encoding="base64",
)

# https://docs.aws.amazon.com/lambda/latest/dg/with-mq.html: a batch succeeds or fails as a whole.
ACTIVEMQ = Source("activemq", answer=ANSWER_NONE, records="messages", payload=("data",), encoding="base64")
RABBITMQ = Source("rabbitmq", answer=ANSWER_NONE, records="rmqMessagesByQueue", payload=("data",), encoding="base64")

# https://docs.aws.amazon.com/lambda/latest/dg/with-documentdb.html
DOCUMENTDB = Source("documentdb", answer=ANSWER_NONE, records="events", payload=("event", "fullDocument"), encoding="object")

# https://docs.aws.amazon.com/firehose/latest/dev/data-transformation-status-model.html
FIREHOSE = Source(
    "firehose",
    answer=ANSWER_TRANSFORM,
    records="records",
    payload=("data",),
    identifier=("recordId",),
    encoding="base64",
)

# https://docs.aws.amazon.com/kinesisanalytics/latest/dev/lambda-preprocessing-data-model.html
KINESIS_ANALYTICS = Source(
    "kinesis_analytics",
    answer=ANSWER_TRANSFORM,
    records="records",
    payload=("data",),
    identifier=("recordId",),
    encoding="base64",
)

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-invoke-lambda.html
S3_BATCH = Source("s3_batch", answer=ANSWER_TASKS, records="tasks", identifier=("taskId",))

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/olap-writing-lambda.html: GetObject is answered by a call.
S3_OBJECT_LAMBDA = Source("s3_object_lambda", answer=ANSWER_ELSEWHERE)

# https://docs.aws.amazon.com/ses/latest/dg/receiving-email-action-lambda-example-functions.html
SES = Source("ses", answer=ANSWER_RESULT, records="Records", payload=("ses",), marker=("eventSource", "aws:ses"), encoding="object")

# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html
EVENTBRIDGE = Source("eventbridge", answer=ANSWER_NONE, payload=("detail",), encoding="object")
SCHEDULE = Source("schedule", answer=ANSWER_NONE, payload=("detail",), encoding="object")

# https://docs.aws.amazon.com/eventbridge/latest/userguide/pipes-enrichment.html: the event is itself the list.
PIPES = Source("pipes", answer=ANSWER_RESULT)

# https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html: compressed below the Base64.
CLOUDWATCH_LOGS = Source("cloudwatch_logs", answer=ANSWER_NONE, payload=("awslogs", "data"), encoding="base64")

# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-actions-Lambda.html
CLOUDWATCH_ALARM = Source("cloudwatch_alarm", answer=ANSWER_NONE, payload=("alarmData",), encoding="object")

# https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/crpg-ref-responses.html
CLOUDFORMATION = Source("cloudformation", answer=ANSWER_ELSEWHERE, payload=("ResourceProperties",), encoding="object")
CLOUDFORMATION_MACRO = Source("cloudformation_macro", answer=ANSWER_RESULT, payload=("fragment",), encoding="object")
CLOUDFORMATION_HOOK = Source("cloudformation_hook", answer=ANSWER_RESULT, payload=("requestData",), encoding="object")

# https://docs.aws.amazon.com/codepipeline/latest/userguide/actions-invoke-lambda-function.html and its neighbours
CODECOMMIT = Source(
    "codecommit",
    answer=ANSWER_NONE,
    records="Records",
    payload=("codecommit",),
    marker=("eventSource", "aws:codecommit"),
    encoding="object",
)
CODEDEPLOY = Source("codedeploy", answer=ANSWER_ELSEWHERE)
CODEPIPELINE = Source(
    "codepipeline",
    answer=ANSWER_ELSEWHERE,
    payload=("CodePipeline.job", "data", "actionConfiguration", "configuration", "UserParameters"),
)

# https://docs.aws.amazon.com/config/latest/developerguide/evaluate-config_develop-rules_example-events.html
CONFIG = Source("config", answer=ANSWER_ELSEWHERE, payload=("invokingEvent",), encoding="json")

# https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotating-secrets-lambda-function-overview.html
SECRETS_ROTATION = Source("secrets_rotation", answer=ANSWER_NONE)

# https://docs.aws.amazon.com/autoscaling/ec2/userguide/lambda-custom-termination-policy.html
AUTOSCALING = Source("autoscaling", answer=ANSWER_RESULT)

# https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html and kinesis-on-failure-destination.html
DESTINATION = Source("destination", answer=ANSWER_NONE, payload=("requestPayload",), encoding="object")
FAILED_BATCH = Source("failed_batch", answer=ANSWER_NONE, payload=("payload",), encoding="json")

# https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
STEP_FUNCTIONS = Source("step_functions", answer=ANSWER_RESULT, payload=("Cause",))

# https://docs.aws.amazon.com/lambda/latest/dg/durable-functions.html: the SDK answers.
DURABLE = Source("durable", answer=ANSWER_RESULT)

# https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html (payload 2.0).
API_GATEWAY_HTTP = Source("http", answer=ANSWER_HTTP, payload=("body",))
API_GATEWAY_HTTP_V1 = Source("http_v1", answer=ANSWER_HTTP, payload=("body",))
FUNCTION_URL = Source("function_url", answer=ANSWER_HTTP, payload=("body",))

# https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
API_GATEWAY_REST = Source("rest", answer=ANSWER_HTTP, payload=("body",))

# https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-overview.html: the status decides on
# a connection; messages are answered by a call, unless the route has a response of its own.
API_GATEWAY_WEBSOCKET = Source("websocket", answer=ANSWER_RESULT, payload=("body",))

# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html
ALB = Source("alb", answer=ANSWER_HTTP, payload=("body",))
ALB_MULTI_VALUE = Source("alb_multi_value", answer=ANSWER_HTTP, payload=("body",))

# https://docs.aws.amazon.com/vpc-lattice/latest/ug/lambda-functions.html
VPC_LATTICE = Source("vpc_lattice", answer=ANSWER_HTTP, payload=("body",))
VPC_LATTICE_V1 = Source("vpc_lattice_v1", answer=ANSWER_HTTP, payload=("body",))

# https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/lambda-event-structure.html: the answer is the request,
# the response, or a response made up.
CLOUDFRONT = Source("cloudfront", answer=ANSWER_RESULT, records="Records", payload=("cf", "request", "body", "data"))

# https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-identity-pools-working-with-aws-lambda-triggers.html:
# the answer is the event, its response filled in.
COGNITO = Source("cognito", answer=ANSWER_RESULT, payload=("request",), encoding="object")

# https://docs.aws.amazon.com/appsync/latest/devguide/resolver-context-reference.html
APPSYNC = Source("appsync", answer=ANSWER_RESULT, payload=("arguments",), encoding="object")
APPSYNC_EVENTS = Source("appsync_events", answer=ANSWER_RESULT, records="events", payload=("payload",), encoding="object")

# https://docs.aws.amazon.com/bedrock/latest/userguide/agents-lambda.html
BEDROCK_AGENT_FUNCTION = Source("bedrock_agent_function", answer=ANSWER_RESULT, payload=("parameters",), encoding="object")
BEDROCK_AGENT_OPENAPI = Source("bedrock_agent_openapi", answer=ANSWER_RESULT, payload=("requestBody",), encoding="object")

# https://docs.aws.amazon.com/lexv2/latest/dg/lambda-input-format.html
LEX = Source("lex", answer=ANSWER_RESULT, payload=("sessionState", "intent"), encoding="object")

# https://docs.aws.amazon.com/connect/latest/adminguide/connect-lambda-functions.html
CONNECT = Source("connect", answer=ANSWER_RESULT, payload=("Details", "Parameters"), encoding="object")

# https://developer.amazon.com/en-US/docs/alexa/custom-skills/request-and-response-json-reference.html
ALEXA = Source("alexa", answer=ANSWER_RESULT, payload=("request",), encoding="object")

# https://docs.aws.amazon.com/lambda/latest/dg/invocation-sync.html
INVOKE = Source("invoke", answer=ANSWER_RESULT)


def lookup(record: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    """
    Follow *path* through nested mappings; ``None`` where it ends early.
    """
    found: Any = record
    for key in path:
        if not isinstance(found, Mapping):
            return None
        found = found.get(key)
    return found
