"""
Mail that SES receives. The message itself is not in the event: have it put into S3.

Source: https://docs.aws.amazon.com/ses/latest/dg/receiving-email-action-lambda-event.html
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from pydantic import Field

from lambda_kit.events._carriers import Records
from lambda_kit.events._model import Event, Part
from lambda_kit.events._times import iso_time


class SesVerdict(Part):
    """
    ``PASS``, ``FAIL``, ``GRAY``, ``PROCESSING_FAILED`` or ``DISABLED``.
    """

    status: str | None = None


class SesAction(Part):
    """
    What the receipt rule does: one of the types, with fields of its own.
    """

    type: str
    function_arn: str | None = None
    invocation_type: str | None = None
    topic_arn: str | None = None
    bucket_name: str | None = None
    object_key: str | None = None
    object_key_prefix: str | None = None


class SesReceipt(Part):
    """
    How the mail was received.
    """

    action: SesAction
    recipients: list[str] | None = None
    timestamp: str | None = None
    processing_time_millis: int | None = None
    spam_verdict: SesVerdict | None = None
    virus_verdict: SesVerdict | None = None
    spf_verdict: SesVerdict | None = None
    dkim_verdict: SesVerdict | None = None
    dmarc_verdict: SesVerdict | None = None
    dmarc_policy: str | None = None


class SesHeader(Part):
    """
    One header.
    """

    name: str
    value: str | None = Field(default=None, repr=False)


class SesCommonHeaders(Part):
    """
    The headers that most mails have. Each may be missing.
    """

    from_: list[str] | None = Field(default=None, alias="from")
    to: list[str] | None = None
    cc: list[str] | None = None
    bcc: list[str] | None = None
    sender: list[str] | str | None = None
    reply_to: list[str] | None = None
    return_path: str | None = None
    message_id: str | None = None
    date: str | None = None
    subject: str | None = Field(default=None, repr=False)


class SesMail(Part):
    """
    The mail, without its body.
    """

    message_id: str
    source: str | None = None
    timestamp: str | None = None
    destination: list[str] | None = None
    headers: list[SesHeader] | None = Field(default=None, repr=False)
    headers_truncated: bool | None = None
    common_headers: SesCommonHeaders | None = None

    @property
    def received_at(self) -> datetime | None:
        """When SES got the mail."""
        return iso_time(self.timestamp)

    def header(self, name: str) -> str | None:
        """
        Return the value of the first header of that *name*, whatever its case.
        """
        return next((header.value for header in self.headers or () if header.name.lower() == name.lower()), None)


class SesFacts(Part):
    """
    The mail and its receipt.
    """

    mail: SesMail
    receipt: SesReceipt


class SesRecord(Event):
    """
    One mail.
    """

    source_name: ClassVar[str] = "ses"

    ses: SesFacts
    event_source: str | None = None
    event_version: str | None = None


class SesEvent(Records):
    """
    One mail: AWS delivers a list, and it has one element.

    Invoked synchronously (``RequestResponse``) the answer is ``{"disposition": "CONTINUE"}``, ``STOP_RULE`` or ``STOP_RULE_SET``.
    """

    source_name: ClassVar[str] = "ses"

    records: list[SesRecord] = Field(alias="Records")

    def response(self, disposition: str = "CONTINUE") -> dict[str, Any]:
        """
        Return the answer of a function invoked synchronously.
        """
        return {"disposition": disposition}
