"""
S3BatchEvent.
"""

from __future__ import annotations

from lambda_kit.events import S3BatchEvent
from tests.events.payloads import payload


def test_tasks_have_bucket_and_key_in_both_schemas() -> None:
    """
    Schema 1.0 has the bucket's ARN, 2.0 its name; keys are encoded in both.
    """
    old = S3BatchEvent.model_validate(payload("s3_batch_operations"))
    new = S3BatchEvent.model_validate(payload("s3_batch_operations__v2"))

    assert [("orders-uploads", "in/a b+c.png"), ("orders-uploads", "in/a.png")] == [
        (event.tasks[0].bucket, event.tasks[0].key) for event in (old, new)
    ]
    assert {"to": "archive"} == new.job.user_arguments
    assert (None, "v1") == (old.tasks[0].s3_version_id, new.tasks[0].s3_version_id)


def test_every_task_is_answered() -> None:
    """
    Tasks without a result are reported as failed, those with one as it says.
    """
    raw = payload("s3_batch_operations")
    raw["tasks"].append({**raw["tasks"][0], "taskId": "2"})
    event = S3BatchEvent.model_validate(raw)

    answer = event.response(event.tasks[0].result(text="done"))

    assert ("1.0", "aW52b2NhdGlvbg==", "PermanentFailure") == (
        answer["invocationSchemaVersion"],
        answer["invocationId"],
        answer["treatMissingKeysAs"],
    )
    assert [
        {"taskId": "dGFzaw==", "resultCode": "Succeeded", "resultString": "done"},
        {"taskId": "2", "resultCode": "PermanentFailure", "resultString": ""},
    ] == answer["results"]
    assert event.tasks[1].raw is raw["tasks"][1]
