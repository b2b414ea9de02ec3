"""
Details of events that AWS services put on the bus: ``event.known_detail()``, ``event.parse(S3ObjectDetail)``.

Source: https://docs.aws.amazon.com/eventbridge/latest/ref/welcome.html
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_pascal

from lambda_kit.events._model import Part


def _hyphened(name: str) -> str:
    return name.replace("_", "-")


class _Hyphened(Part):
    model_config = ConfigDict(alias_generator=_hyphened)


class _Pascal(Part):
    model_config = ConfigDict(alias_generator=to_pascal)


class S3DetailBucket(_Hyphened):
    """
    The bucket.
    """

    name: str


class S3DetailObject(_Hyphened):
    """
    The object. The key is as S3's API takes it, unlike that of a notification.
    """

    key: str
    size: int | None = None
    etag: str | None = None
    version_id: str | None = None
    sequencer: str | None = None


class S3ObjectDetail(_Hyphened):
    """
    What happened to an object. Each kind of event has some of the optional fields.
    """

    bucket: S3DetailBucket
    object: S3DetailObject
    version: str | None = None
    request_id: str | None = None
    requester: str | None = None
    source_ip_address: str | None = None
    reason: str | None = None
    deletion_type: str | None = None
    restore_expiry_time: str | None = None
    source_storage_class: str | None = None
    destination_storage_class: str | None = None
    destination_access_tier: str | None = None


class Ec2StateDetail(_Hyphened):
    """
    An instance's new state.
    """

    instance_id: str
    state: str


class Ec2SpotInterruptionDetail(_Hyphened):
    """
    A spot instance will be taken away in two minutes.
    """

    instance_id: str
    instance_action: str


class AutoScalingDetail(_Pascal):
    """
    An instance was launched or terminated, or waits for a lifecycle hook: then there is a token.
    """

    auto_scaling_group_name: str
    ec2_instance_id: str | None = Field(default=None, alias="EC2InstanceId")
    status_code: str | None = None
    status_message: str | None = None
    description: str | None = None
    cause: str | None = None
    activity_id: str | None = None
    lifecycle_action_token: str | None = Field(default=None, repr=False)
    lifecycle_hook_name: str | None = None
    lifecycle_transition: str | None = None
    notification_metadata: str | None = None


class CodeBuildDetail(_Hyphened):
    """
    A build has another state, or has completed a phase.
    """

    project_name: str
    build_id: str
    build_status: str | None = None
    current_phase: str | None = None
    completed_phase: str | None = None
    completed_phase_status: str | None = None
    additional_information: dict[str, Any] | None = Field(default=None, repr=False)


class CodePipelineDetail(_Hyphened):
    """
    A pipeline, a stage or an action has another state.
    """

    pipeline: str
    state: str
    execution_id: str
    version: int | float | str | None = None
    stage: str | None = None
    action: str | None = None
    region: str | None = None
    type: dict[str, Any] | None = None


class CodeDeployDetail(Part):
    """
    A deployment, or what it does on one instance, has another state.
    """

    deployment_id: str
    state: str
    application: str | None = None
    deployment_group: str | None = None
    instance_group_id: str | None = None
    instance_id: str | None = None
    region: str | None = None


class EcrImageDetail(_Hyphened):
    """
    An image was pushed, deleted or scanned.
    """

    repository_name: str
    image_digest: str | None = None
    image_tag: str | None = None
    image_tags: list[str] | None = None
    action_type: str | None = None
    result: str | None = None
    scan_status: str | None = None
    finding_severity_counts: dict[str, int] | None = None


class EcsTaskDetail(Part):
    """
    A task has another state.
    """

    cluster_arn: str
    task_arn: str
    last_status: str | None = None
    desired_status: str | None = None
    group: str | None = None
    launch_type: str | None = None
    stopped_reason: str | None = None
    stop_code: str | None = None
    task_definition_arn: str | None = None
    containers: list[dict[str, Any]] | None = None


class EcsInstanceDetail(Part):
    """
    A container instance has another state, or other resources left.
    """

    cluster_arn: str
    container_instance_arn: str
    ec2_instance_id: str | None = None
    agent_connected: bool | None = None
    status: str | None = None


class AlarmStateDetail(Part):
    """
    An alarm has another state.
    """

    alarm_name: str
    state: dict[str, Any]
    previous_state: dict[str, Any] | None = None
    configuration: dict[str, Any] | None = None


class StepFunctionsDetail(Part):
    """
    An execution has another state. Input and output are JSON text, and missing where they are too long.
    """

    execution_arn: str
    state_machine_arn: str
    status: str
    name: str | None = None
    start_date: int | None = None
    stop_date: int | None = None
    input: str | None = Field(default=None, repr=False)
    output: str | None = Field(default=None, repr=False)
    error: str | None = None
    cause: str | None = Field(default=None, repr=False)


class BatchJobDetail(Part):
    """
    A job of AWS Batch has another state.
    """

    job_name: str
    job_id: str
    job_queue: str | None = None
    status: str | None = None
    status_reason: str | None = None


class ApiCallDetail(Part):
    """
    Somebody called AWS's API, as CloudTrail has recorded it.
    """

    event_source: str
    event_name: str
    event_time: str | None = None
    event_id: str | None = Field(default=None, alias="eventID")
    aws_region: str | None = None
    source_ip_address: str | None = Field(default=None, alias="sourceIPAddress")
    user_agent: str | None = None
    user_identity: dict[str, Any] | None = Field(default=None, repr=False)
    request_parameters: dict[str, Any] | None = Field(default=None, repr=False)
    response_elements: dict[str, Any] | None = Field(default=None, repr=False)
    error_code: str | None = None
    error_message: str | None = None


class ParameterChangeDetail(Part):
    """
    A parameter of Parameter Store was created, updated, deleted or labelled.
    """

    name: str
    operation: str
    type: str | None = None
    description: str | None = None


class GuardDutyFindingDetail(Part):
    """
    GuardDuty has found something.
    """

    id: str
    type: str
    severity: float | int
    title: str | None = None
    description: str | None = None
    account_id: str | None = None
    region: str | None = None
    resource: dict[str, Any] | None = Field(default=None, repr=False)
    service: dict[str, Any] | None = Field(default=None, repr=False)


class HealthDetail(Part):
    """
    Something is wrong with AWS itself, or will be.
    """

    event_arn: str
    service: str
    event_type_code: str | None = None
    event_type_category: str | None = None
    start_time: str | None = None
    end_time: str | None = None


def model_of(source: str, detail_type: str) -> type[BaseModel] | None:
    """
    Return the model of the details that *source* sends with *detail_type*.
    """
    if detail_type.endswith(" via CloudTrail"):
        return ApiCallDetail
    return next((model for start, model in _MODELS.get(source, ()) if detail_type.startswith(start)), None)


# By source, the start of the detail type.
_MODELS: dict[str, tuple[tuple[str, type[BaseModel]], ...]] = {
    "aws.s3": (("Object ", S3ObjectDetail),),
    "aws.ec2": (
        ("EC2 Instance State-change Notification", Ec2StateDetail),
        ("EC2 Spot Instance Interruption Warning", Ec2SpotInterruptionDetail),
    ),
    "aws.autoscaling": (("EC2 Instance", AutoScalingDetail),),
    "aws.codebuild": (("CodeBuild Build", CodeBuildDetail),),
    "aws.codepipeline": (("CodePipeline ", CodePipelineDetail),),
    "aws.codedeploy": (("CodeDeploy ", CodeDeployDetail),),
    "aws.ecr": (("ECR Image ", EcrImageDetail),),
    "aws.ecs": (("ECS Task State Change", EcsTaskDetail), ("ECS Container Instance State Change", EcsInstanceDetail)),
    "aws.cloudwatch": (("CloudWatch Alarm State Change", AlarmStateDetail),),
    "aws.states": (("Step Functions Execution Status Change", StepFunctionsDetail),),
    "aws.batch": (("Batch Job State Change", BatchJobDetail),),
    "aws.ssm": (("Parameter Store Change", ParameterChangeDetail),),
    "aws.guardduty": (("GuardDuty Finding", GuardDutyFindingDetail),),
    "aws.health": (("AWS Health Event", HealthDetail),),
}
