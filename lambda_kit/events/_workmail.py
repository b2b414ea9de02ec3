"""
What Amazon WorkMail tells of messages.

Source: https://docs.aws.amazon.com/workmail/latest/adminguide/lambda-content.html
"""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from lambda_kit.events._model import Event, Part


class WorkMailAddress(Part):
    """
    An address.
    """

    address: str | None = Field(default=None, repr=False)


class WorkMailEnvelope(Part):
    """
    From whom, to whom.
    """

    mail_from: WorkMailAddress | None = None
    recipients: list[WorkMailAddress] | None = None


class WorkMailEvent(Event):
    """
    A message that comes in or goes out. The content is to be had from ``workmailmessageflow.get_raw_message_content``.

    Answer synchronous rules with :meth:`respond`; nobody reads the answer of others.
    """

    source_name: ClassVar[str] = "workmail"

    message_id: str
    envelope: WorkMailEnvelope
    summary_version: str | None = None
    sender: WorkMailAddress | None = None
    subject: str | None = Field(default=None, repr=False)
    invocation_id: str | None = None
    flow_direction: str | None = None
    truncated: bool | None = None

    def respond(self, action: str = "DEFAULT", *, recipients: list[str] | None = None) -> dict[str, Any]:
        """
        Return ``{"actions": [{"action": {"type": action}, "recipients" or "allRecipients"}]}``.

        Args:
            action: ``DEFAULT``, ``BOUNCE``, ``DROP``, ``MOVE_TO_JUNK``, ``BYPASS_SPAM_CHECK`` and others.
            recipients: Whom it is for; everyone by default.
        """
        whom: dict[str, Any] = {"allRecipients": True} if recipients is None else {"recipients": list(recipients)}
        return {"actions": [{"action": {"type": action}, **whom}]}
