"""
Tasks of S3 Batch Operations.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-invoke-lambda.html
"""

from __future__ import annotations

from typing import Any, ClassVar
from urllib.parse import unquote_plus

from lambda_kit.events._carriers import keep_each
from lambda_kit.events._model import Event, Part


class S3BatchJob(Part):
    """
    The job. Arguments come with schema 2.0 only.
    """

    id: str
    user_arguments: dict[str, str] | None = None


class S3BatchTask(Event):
    """
    One object to work on. Schema 1.0 names the bucket by its ARN, 2.0 by its name; :attr:`bucket` is the name.
    """

    source_name: ClassVar[str] = "s3_batch"

    task_id: str
    s3_key: str
    s3_version_id: str | None = None
    s3_bucket_arn: str | None = None
    s3_bucket: str | None = None

    @property
    def bucket(self) -> str:
        """The bucket's name."""
        return self.s3_bucket or (self.s3_bucket_arn or "").rpartition(":")[2]

    @property
    def key(self) -> str:
        """The key as S3's API takes it; :attr:`s3_key` is encoded as in a form."""
        return unquote_plus(self.s3_key)

    def result(self, code: str = "Succeeded", text: str = "") -> dict[str, str]:
        """
        Return this task's part of the answer.

        Args:
            code: ``Succeeded``, ``TemporaryFailure`` (tried again) or ``PermanentFailure``.
            text: What the job's report says of it.
        """
        return {"taskId": self.task_id, "resultCode": code, "resultString": text}


class S3BatchEvent(Event):
    """
    Tasks of a job. Every one needs its result: answer with :meth:`response`.
    """

    source_name: ClassVar[str] = "s3_batch"

    invocation_schema_version: str
    invocation_id: str
    job: S3BatchJob
    tasks: list[S3BatchTask]

    def response(self, *results: dict[str, str], missing: str = "PermanentFailure") -> dict[str, Any]:
        """
        Return the answer: *results* of tasks; those without one are reported as *missing*.
        """
        done = {result["taskId"] for result in results}
        rest = [task.result(missing) for task in self.tasks if task.task_id not in done]
        return {
            "invocationSchemaVersion": self.invocation_schema_version,
            "treatMissingKeysAs": missing,
            "invocationId": self.invocation_id,
            "results": [*results, *rest],
        }

    def keep_raw(self, raw: dict[str, Any]) -> None:
        super().keep_raw(raw)
        keep_each(self.tasks, raw.get("tasks"))
