"""
What SES, the Code services, Config, Secrets Manager and Auto Scaling ask of a function.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import BaseModel

from lambda_kit.errors import EventError
from lambda_kit.events import (
    CodeCommitEvent,
    CodePipelineEvent,
    ConfigRuleEvent,
    SecretsRotationEvent,
    SesEvent,
    TerminationPolicyEvent,
)
from tests.events.payloads import payload


class Order(BaseModel):
    sku: str
    quantity: int


class Parameters(BaseModel):
    maximum: int = 0


_MOMENT = datetime(2024, 1, 1, 0, 0, 0, 123000, UTC)


def test_mail_has_headers_and_verdicts() -> None:
    """
    Headers are found whatever their case; the DKIM verdict is there.
    """
    ses = SesEvent.model_validate(payload("ses_receiving")).records[0].ses

    assert ("7", None) == (ses.mail.header("x-order"), ses.mail.header("x-other"))
    assert _MOMENT == ses.mail.received_at
    assert ses.receipt.dkim_verdict is not None
    assert ("PASS", "reject") == (ses.receipt.dkim_verdict.status, ses.receipt.dmarc_policy)
    assert ses.mail.common_headers is not None
    assert ["Jane <jane@example.com>"] == ses.mail.common_headers.from_


def test_scans_may_be_off_and_headers_missing() -> None:
    """
    DISABLED is a verdict, RequestResponse an invocation, and a mail needs neither subject nor recipient in its headers.
    """
    event = SesEvent.model_validate(payload("ses_receiving__disabled"))
    ses = event.records[0].ses

    assert ses.receipt.spam_verdict is not None
    assert ses.mail.common_headers is not None
    assert ("DISABLED", None) == (ses.receipt.spam_verdict.status, ses.receipt.dmarc_verdict)
    assert ("RequestResponse", None) == (ses.receipt.action.invocation_type, ses.mail.common_headers.subject)
    assert [{"disposition": "CONTINUE"}, {"disposition": "STOP_RULE"}] == [event.response(), event.response("STOP_RULE")]


def test_mail_may_be_in_s3() -> None:
    """
    Receipt rules have actions other than functions.
    """
    action = SesEvent.model_validate(payload("ses_receiving__s3")).records[0].ses.receipt.action

    assert ("S3", "mail", "in/1") == (action.type, action.bucket_name, action.object_key)


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


def test_a_rule_knows_why_it_runs() -> None:
    """
    The invoking event is JSON text: an item, a summary of one that is too large, or nothing but the time.
    """
    changed, large, timed = (
        ConfigRuleEvent.model_validate(payload(f"config_rule{variant}")).notification for variant in ("", "__oversized", "__scheduled")
    )

    assert [(False, False), (True, False), (False, True)] == [(each.is_oversized, each.is_scheduled) for each in (changed, large, timed)]
    assert changed.item is not None
    assert large.item is not None
    assert ({"name": "orders-uploads"}, None, None) == (changed.item.configuration, large.item.configuration, timed.item)
    assert _MOMENT == changed.item.captured_at


def test_rule_parameters_parse() -> None:
    """
    They are JSON text, or missing.
    """
    found = [ConfigRuleEvent.model_validate(payload(f"config_rule{variant}")).parse(Parameters) for variant in ("", "__scheduled")]

    assert [Parameters(maximum=3), Parameters()] == found


def test_a_damaged_invoking_event_is_an_event_error() -> None:
    """
    It shows nothing of it.
    """
    event = ConfigRuleEvent.model_validate(payload("config_rule") | {"invokingEvent": "hunter2"})

    with pytest.raises(EventError, match="config: invokingEvent: it is no JSON") as caught:
        event.notification  # noqa: B018  # reading it is the test

    assert caught.value.__context__ is None


def test_a_rotation_may_have_a_token() -> None:
    """
    It comes where the function rotates through a role of another account.
    """
    events = [SecretsRotationEvent.model_validate(payload(f"secretsmanager_rotation{variant}")) for variant in ("", "__token")]

    assert [("createSecret", None), ("finishSecret", "rotation-token")] == [(event.step, event.rotation_token) for event in events]


def test_a_termination_policy_names_instances() -> None:
    """
    The answer is a list of ids.
    """
    event = TerminationPolicyEvent.model_validate(payload("autoscaling_termination"))

    assert {"InstanceIDs": ["i-0056faf8da3e1f75d"]} == event.response(instance.instance_id for instance in event.instances)
    assert 1 == event.capacity_to_terminate[0].capacity
