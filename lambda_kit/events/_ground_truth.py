"""
What SageMaker Ground Truth asks before and after people label.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/sms-custom-templates-step3-lambda-requirements.html
"""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from lambda_kit.events._model import Event, Part


class GroundTruthPreEvent(Event):
    """
    An object is about to be shown to workers. It is one line of the manifest: ``{"source": text}`` or ``{"source-ref": uri}``.

    Answer with :meth:`respond`.
    """

    source_name: ClassVar[str] = "ground_truth_pre"

    labeling_job_arn: str
    data_object: dict[str, Any] = Field(repr=False)
    version: str | None = None

    def respond(self, task_input: object, *, is_human_annotation_required: bool = True) -> dict[str, Any]:
        """
        Return ``{"taskInput", "isHumanAnnotationRequired"}``.
        """
        # Ground Truth wants this one as text.
        return {"taskInput": task_input, "isHumanAnnotationRequired": str(is_human_annotation_required).lower()}


class GroundTruthPayload(Part):
    """
    Where the workers' answers are, in S3.
    """

    s3_uri: str | None = Field(default=None, alias="s3Uri")


class GroundTruthPostEvent(Event):
    """
    Workers have answered.

    Answer with ``[{"datasetObjectId", "consolidatedAnnotation": {"content": {label_attribute_name: ...}}}, ...]``.
    """

    source_name: ClassVar[str] = "ground_truth_post"

    labeling_job_arn: str
    payload: GroundTruthPayload
    version: str | None = None
    label_attribute_name: str | None = None
    label_categories: list[Any] | None = None
    role_arn: str | None = None
    output_config: str | None = None
