"""
What Cognito user pools ask before they send a message, or leave it to the function to send.

Source: https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-custom-message.html and
https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-custom-sender-triggers.html
"""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from lambda_kit.events._cognito import CognitoEvent, CognitoRequest


class CustomMessageRequest(CognitoRequest):
    """
    The placeholders that the message must have: Cognito puts code and user name in.
    """

    code_parameter: str | None = None
    link_parameter: str | None = None
    username_parameter: str | None = None


class CognitoCustomMessageEvent(CognitoEvent):
    """
    A message is about to be sent: ``CustomMessage_SignUp``, ``CustomMessage_ForgotPassword`` and others.
    """

    source_name: ClassVar[str] = "cognito_custom_message"

    request: CustomMessageRequest

    def respond(
        self, *, sms_message: str | None = None, email_message: str | None = None, email_subject: str | None = None
    ) -> dict[str, Any]:
        """
        Return the event with the texts; those left out stay as the pool has them.
        """
        texts = {"smsMessage": sms_message, "emailMessage": email_message, "emailSubject": email_subject}
        return self.answer({name: text for name, text in texts.items() if text is not None})


class CustomSenderRequest(CognitoRequest):
    """
    The code, encrypted by the AWS Encryption SDK with the pool's key, as Base64.
    """

    type: str | None = None
    code: str | None = Field(default=None, repr=False)


class CognitoCustomEmailSenderEvent(CognitoEvent):
    """
    An email is to be sent by the function: ``CustomEmailSender_SignUp``, ``CustomEmailSender_ForgotPassword`` and others.

    Nobody reads the answer.
    """

    source_name: ClassVar[str] = "cognito_custom_email_sender"

    request: CustomSenderRequest


class CognitoCustomSmsSenderEvent(CognitoEvent):
    """
    A text message is to be sent by the function: ``CustomSMSSender_SignUp``, ``CustomSMSSender_Authentication`` and others.

    Nobody reads the answer.
    """

    source_name: ClassVar[str] = "cognito_custom_sms_sender"

    request: CustomSenderRequest
