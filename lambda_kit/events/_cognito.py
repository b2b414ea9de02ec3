"""
What Cognito user pools ask on sign-up and sign-in, and what identity pools tell of synchronised data.

A trigger answers with its event, the response filled in: that is what each event's ``respond`` returns.

Source: https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-identity-pools-working-with-aws-lambda-triggers.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field

from lambda_kit.events._model import Event, Part

# Attributes are text, but for a few triggers that have booleans.
Attributes = dict[str, Any]


class CognitoCaller(Part):
    """
    The application that asked. AWS names the SDK's version in one of two ways.
    """

    aws_sdk_version: str | None = None
    aws_sdk: str | None = None
    client_id: str | None = None


class CognitoRequest(Part):
    """
    What Cognito knows of the user; ``client_metadata`` is what the application sent.
    """

    user_attributes: Attributes | None = Field(default=None, repr=False)
    client_metadata: dict[str, Any] | None = Field(default=None, repr=False)
    validation_data: dict[str, Any] | None = Field(default=None, repr=False)
    user_not_found: bool | None = None


class CognitoEvent(Event):
    """
    A trigger of a user pool; those with a model of their own are its subclasses.

    Answer with the event; :meth:`answer` fills its response in. The function has five seconds.
    """

    source_name: ClassVar[str] = "cognito"

    trigger_source: str
    version: str | None = None
    region: str | None = None
    user_pool_id: str | None = None
    user_name: str | None = Field(default=None, repr=False)
    caller_context: CognitoCaller | None = None
    response: dict[str, Any] | None = Field(default=None, repr=False)

    def answer(self, response: Mapping[str, object] | None = None) -> dict[str, Any]:
        """
        Return the event with *response* over what its response has; :attr:`raw` stays as it is.
        """
        return {**self.raw, "response": {**(self.response or {}), **(response or {})}}


class CognitoOtherEvent(CognitoEvent):
    """
    A trigger that the kit has no model for.
    """

    request: dict[str, Any] | None = Field(default=None, repr=False)


class CognitoPreSignUpEvent(CognitoEvent):
    """
    Someone signs up: ``PreSignUp_SignUp``, ``PreSignUp_AdminCreateUser`` or ``PreSignUp_ExternalProvider``.
    """

    source_name: ClassVar[str] = "cognito_pre_signup"

    request: CognitoRequest

    def respond(
        self, *, auto_confirm_user: bool = False, auto_verify_email: bool = False, auto_verify_phone: bool = False
    ) -> dict[str, Any]:
        """
        Return the event with the answer; raising refuses the sign-up, and the user sees the message.
        """
        return self.answer(
            {"autoConfirmUser": auto_confirm_user, "autoVerifyEmail": auto_verify_email, "autoVerifyPhone": auto_verify_phone}
        )


class CognitoPostConfirmationEvent(CognitoEvent):
    """
    Someone is confirmed: ``PostConfirmation_ConfirmSignUp`` or ``PostConfirmation_ConfirmForgotPassword``.
    """

    source_name: ClassVar[str] = "cognito_post_confirmation"

    request: CognitoRequest


class CognitoPreAuthenticationEvent(CognitoEvent):
    """
    Someone is about to sign in; raising refuses it.
    """

    source_name: ClassVar[str] = "cognito_pre_authentication"

    request: CognitoRequest


class PostAuthenticationRequest(CognitoRequest):
    """
    What Cognito knows of the user and the device.
    """

    new_device_used: bool | None = None


class CognitoPostAuthenticationEvent(CognitoEvent):
    """
    Someone has signed in.
    """

    source_name: ClassVar[str] = "cognito_post_authentication"

    request: PostAuthenticationRequest


class UserMigrationRequest(CognitoRequest):
    """
    What the user typed: the password is in clear, and must never be logged.
    """

    password: str | None = Field(default=None, repr=False)


class CognitoUserMigrationEvent(CognitoEvent):
    """
    Someone unknown signs in (``UserMigration_Authentication``) or forgot a password (``UserMigration_ForgotPassword``).
    """

    source_name: ClassVar[str] = "cognito_user_migration"

    request: UserMigrationRequest

    def respond(
        self,
        user_attributes: Mapping[str, str],
        *,
        final_user_status: str | None = "CONFIRMED",
        message_action: str | None = "SUPPRESS",
        force_alias_creation: bool = False,
    ) -> dict[str, Any]:
        """
        Return the event with the user to create; raising says that there is none.
        """
        response: dict[str, object] = {"userAttributes": dict(user_attributes), "forceAliasCreation": force_alias_creation}
        if final_user_status is not None:
            response["finalUserStatus"] = final_user_status
        if message_action is not None:
            response["messageAction"] = message_action
        return self.answer(response)


class FederationRequest(Part):
    """
    What an identity provider said; ``attributes`` holds ``tokenResponse``, ``idToken`` and ``userInfo``, or ``samlResponse``.
    """

    provider_name: str | None = None
    provider_type: str | None = None
    attributes: dict[str, Any] | None = Field(default=None, repr=False)


class CognitoInboundFederationEvent(CognitoEvent):
    """
    Someone signed in with an external identity provider: ``InboundFederation_ExternalProvider``.
    """

    source_name: ClassVar[str] = "cognito_inbound_federation"

    request: FederationRequest

    def respond(self, user_attributes_to_map: Mapping[str, str]) -> dict[str, Any]:
        """
        Return the event with the attributes that the user is to have; those left out are dropped.
        """
        return self.answer({"userAttributesToMap": dict(user_attributes_to_map)})


class CognitoSyncRecord(Part):
    """
    One changed record of a data set. ``op`` is ``replace`` or ``remove``.
    """

    old_value: str | None = Field(default=None, repr=False)
    new_value: str | None = Field(default=None, repr=False)
    op: str | None = None


class CognitoSyncEvent(Event):
    """
    An identity pool synchronises a data set.

    Answer with the event, its records changed or not.
    """

    source_name: ClassVar[str] = "cognito_sync"

    event_type: str | None = None
    version: int | str | None = None
    region: str | None = None
    identity_pool_id: str | None = None
    identity_id: str | None = None
    dataset_name: str
    dataset_records: dict[str, CognitoSyncRecord] | None = None
