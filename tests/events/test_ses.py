"""
SesEvent.
"""

from __future__ import annotations

from datetime import UTC, datetime

from lambda_kit.events import SesEvent
from tests.events.payloads import payload

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
