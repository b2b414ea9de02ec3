"""
CodeCommitEvent and CodePipelineEvent.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import BaseModel

from lambda_kit.errors import EventError
from lambda_kit.events import CodeCommitEvent, CodePipelineEvent
from tests.events.payloads import payload


class Order(BaseModel):
    sku: str
    quantity: int


_MOMENT = datetime(2024, 1, 1, 0, 0, 0, 123000, UTC)


def test_a_push_names_repository_and_references() -> None:
    """
    Deleted branches say so; custom data may be missing.
    """
    pushed = CodeCommitEvent.model_validate(payload("codecommit_trigger")).records[0]
    deleted = CodeCommitEvent.model_validate(payload("codecommit_trigger__deleted")).records[0]

    assert ("orders", _MOMENT, None) == (pushed.repository, pushed.pushed_at, deleted.custom_data)
    assert [(True, None), (None, True)] == [
        (record.codecommit.references[0].created, record.codecommit.references[0].deleted) for record in (pushed, deleted)
    ]


def test_user_parameters_of_a_pipeline_parse() -> None:
    """
    They are text of one's own, and may be missing; the credentials expire.
    """
    event = CodePipelineEvent.model_validate(payload("codepipeline_job"))
    bare = CodePipelineEvent.model_validate(payload("codepipeline_job__bare"))
    credentials, other = event.job.data.artifact_credentials, bare.job.data.artifact_credentials

    assert Order(sku="teapot", quantity=2) == event.parse(Order)
    assert credentials is not None
    assert other is not None
    assert [datetime(2024, 1, 1, 1, tzinfo=UTC), None] == [credentials.expires_at, other.expires_at]
    with pytest.raises(EventError, match=r"codepipeline: CodePipeline\.job\.data\..*UserParameters: there are none"):
        bare.parse(Order)


def test_artifacts_have_a_place() -> None:
    """
    In S3, with a revision or without; a job may go on.
    """
    data = CodePipelineEvent.model_validate(payload("codepipeline_job__bare")).job.data
    location = data.output_artifacts[0].location

    assert location is not None
    assert location.s3_location is not None
    assert ("orders/report/1", "c-1", None) == (location.s3_location.object_key, data.continuation_token, data.input_artifacts[0].revision)
