"""
What CodeCommit, CodeDeploy and CodePipeline ask of a function.

Source: https://docs.aws.amazon.com/codepipeline/latest/userguide/actions-invoke-lambda-function.html
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_pascal

from lambda_kit.errors import EventError
from lambda_kit.events._carriers import Records
from lambda_kit.events._model import Event, Part
from lambda_kit.events._times import epoch_time, iso_time
from lambda_kit.events._validation import from_json

M = TypeVar("M", bound=BaseModel)


class CodeCommitReference(Part):
    """
    A branch or tag and its commit. Deleted ones say so, new ones too.
    """

    ref: str
    commit: str | None = None
    created: bool | None = None
    deleted: bool | None = None


class CodeCommitChanges(Part):
    """
    What was pushed.
    """

    references: list[CodeCommitReference]


class CodeCommitRecord(Event):
    """
    One push, as a trigger tells it.
    """

    source_name: ClassVar[str] = "codecommit"

    codecommit: CodeCommitChanges
    event_source_arn: str | None = Field(default=None, alias="eventSourceARN")
    event_source: str | None = None
    event_name: str | None = None
    event_id: str | None = None
    event_version: str | None = None
    event_time: str | None = None
    event_trigger_name: str | None = None
    event_trigger_config_id: str | None = None
    event_part_number: int | None = None
    event_total_parts: int | None = None
    aws_region: str | None = None
    custom_data: str | None = Field(default=None, repr=False)
    user_identity_arn: str | None = Field(default=None, alias="userIdentityARN")

    @property
    def repository(self) -> str | None:
        """The repository's name."""
        return (self.event_source_arn or "").rpartition(":")[2] or None

    @property
    def pushed_at(self) -> datetime | None:
        """When."""
        return iso_time(self.event_time)


class CodeCommitEvent(Records):
    """
    Pushes to a repository.

    Nobody reads the answer; raising makes Lambda try again.
    """

    source_name: ClassVar[str] = "codecommit"

    records: list[CodeCommitRecord] = Field(alias="Records")


class CodeDeployHookEvent(Event):
    """
    A deployment waits for a check. Say its outcome by ``put_lifecycle_event_hook_execution_status``, with both ids, within an hour.

    Source: https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-hooks.html
    """

    model_config = ConfigDict(alias_generator=to_pascal)
    source_name: ClassVar[str] = "codedeploy"

    deployment_id: str
    lifecycle_event_hook_execution_id: str


class CodePipelineS3Location(Part):
    """
    Where in S3.
    """

    bucket_name: str
    object_key: str


class CodePipelineLocation(Part):
    """
    Where an artifact is.
    """

    type: str | None = None
    s3_location: CodePipelineS3Location | None = Field(default=None, alias="s3Location")


class CodePipelineArtifact(Part):
    """
    An artifact to read, or to write.
    """

    name: str
    revision: str | None = None
    location: CodePipelineLocation | None = None


class CodePipelineActionConfiguration(Part):
    """
    How the action is configured. User parameters are text of one's own.
    """

    model_config = ConfigDict(alias_generator=to_pascal)

    function_name: str | None = None
    user_parameters: str | None = Field(default=None, repr=False)


class CodePipelineAction(Part):
    """
    The action.
    """

    configuration: CodePipelineActionConfiguration


class CodePipelineCredentials(Part):
    """
    Keys that open the artifacts' bucket, for an hour.
    """

    access_key_id: str = Field(repr=False)
    secret_access_key: str = Field(repr=False)
    session_token: str = Field(repr=False)
    expiration_time: int | None = None

    @property
    def expires_at(self) -> datetime | None:
        """Until when they are good."""
        return epoch_time(self.expiration_time, per_s=1000)


class CodePipelineData(Part):
    """
    What the job is about. A continuation token is there when the function asked to be called again.
    """

    action_configuration: CodePipelineAction
    input_artifacts: list[CodePipelineArtifact] = Field(default_factory=list)
    output_artifacts: list[CodePipelineArtifact] = Field(default_factory=list)
    artifact_credentials: CodePipelineCredentials | None = None
    continuation_token: str | None = None
    encryption_key: dict[str, Any] | None = None


class CodePipelineJob(Part):
    """
    The job.
    """

    id: str
    account_id: str | None = None
    data: CodePipelineData


class CodePipelineEvent(Event):
    """
    A pipeline waits for a job. Say its outcome by ``put_job_success_result`` or ``put_job_failure_result``.
    """

    source_name: ClassVar[str] = "codepipeline"

    job: CodePipelineJob = Field(alias="CodePipeline.job")

    @property
    def user_parameters(self) -> str | None:
        """The action's user parameters."""
        return self.job.data.action_configuration.configuration.user_parameters

    def parse(self, model: type[M]) -> M:
        """
        Return the user parameters, which are JSON, as *model*.

        Raises:
            EventError: There are none, they are no JSON, or do not fit.
        """
        at = "CodePipeline.job.data.actionConfiguration.configuration.UserParameters"
        if self.user_parameters is None:
            raise EventError(f"codepipeline: {at}: there are none", source=self.source_name, field=at)
        return from_json(model, self.user_parameters, source=self.source_name, at=at)
