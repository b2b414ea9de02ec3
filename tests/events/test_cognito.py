"""
What Cognito asks, and what triggers answer.
"""

from __future__ import annotations

import copy
from typing import Any

import pytest

from lambda_kit import events
from lambda_kit.events import CognitoEvent, parse_event
from tests.events.payloads import names, payload


@pytest.mark.parametrize(
    ("name", "respond", "response"),
    [
        (
            "cognito_pre_signup",
            lambda event: event.respond(auto_confirm_user=True),
            {"autoConfirmUser": True, "autoVerifyEmail": False, "autoVerifyPhone": False},
        ),
        ("cognito_post_confirmation", lambda event: event.answer(), {}),
        (
            "cognito_define_auth_challenge",
            lambda event: event.respond(challenge_name="CUSTOM_CHALLENGE"),
            {"challengeName": "CUSTOM_CHALLENGE", "issueTokens": False, "failAuthentication": False},
        ),
        (
            "cognito_define_auth_challenge__first",
            lambda event: event.respond(issue_tokens=True),
            {"challengeName": None, "issueTokens": True, "failAuthentication": False},
        ),
        (
            "cognito_create_auth_challenge",
            lambda event: event.respond({"question": "?"}, {"answer": "!"}, challenge_metadata="CAPTCHA"),
            {
                "publicChallengeParameters": {"question": "?"},
                "privateChallengeParameters": {"answer": "!"},
                "challengeMetadata": "CAPTCHA",
            },
        ),
        (
            "cognito_create_auth_challenge",
            lambda event: event.respond({}, {}),
            {"publicChallengeParameters": {}, "privateChallengeParameters": {}, "challengeMetadata": None},
        ),
        ("cognito_verify_auth_challenge", lambda event: event.respond(answer_correct=True), {"answerCorrect": True}),
        (
            "cognito_pre_token_generation",
            lambda event: event.respond(add_or_override={"tenant": "acme"}, suppress=["email"], groups={"groupsToOverride": []}),
            {
                "claimsOverrideDetails": {
                    "claimsToAddOrOverride": {"tenant": "acme"},
                    "claimsToSuppress": ["email"],
                    "groupOverrideDetails": {"groupsToOverride": []},
                }
            },
        ),
        (
            "cognito_pre_token_generation__no_groups",
            lambda event: event.respond(),
            {"claimsOverrideDetails": {"claimsToAddOrOverride": {}, "claimsToSuppress": []}},
        ),
        (
            "cognito_pre_token_generation_v2",
            lambda event: event.respond(access_token={"scopesToAdd": ["orders/read"]}),
            {"claimsAndScopeOverrideDetails": {"accessTokenGeneration": {"scopesToAdd": ["orders/read"]}}},
        ),
        (
            "cognito_user_migration",
            lambda event: event.respond({"email": "ada@example.com"}),
            {
                "userAttributes": {"email": "ada@example.com"},
                "forceAliasCreation": False,
                "finalUserStatus": "CONFIRMED",
                "messageAction": "SUPPRESS",
                "desiredDeliveryMediums": None,
            },
        ),
        (
            "cognito_user_migration__forgot",
            lambda event: event.respond({}, final_user_status=None, message_action=None, force_alias_creation=True),
            {"userAttributes": {}, "forceAliasCreation": True},
        ),
        (
            "cognito_custom_message",
            lambda event: event.respond(email_subject="Your code"),
            {"smsMessage": None, "emailMessage": None, "emailSubject": "Your code"},
        ),
        (
            "cognito_inbound_federation",
            lambda event: event.respond({"email": "ada@example.com"}),
            {"userAttributesToMap": {"email": "ada@example.com"}},
        ),
        ("cognito_custom_email_sender__resend", lambda event: event.answer(), {}),
    ],
)
def test_the_answer_is_the_event_with_its_response(name: str, respond: Any, response: dict[str, Any]) -> None:
    """
    A trigger answers with the whole event; what it was given is not changed.
    """
    raw = payload(name)
    before = copy.deepcopy(raw)

    assert {**before, "response": response} == respond(parse_event(raw))
    assert before == raw


@pytest.mark.parametrize(
    ("trigger", "model"),
    [
        ("PreSignUp_AdminCreateUser", events.CognitoPreSignUpEvent),
        ("PreSignUp_ExternalProvider", events.CognitoPreSignUpEvent),
        ("PostConfirmation_ConfirmForgotPassword", events.CognitoPostConfirmationEvent),
        ("CustomEmailSender_AdminCreateUser", events.CognitoCustomEmailSenderEvent),
        ("CustomEmailSender_VerifyUserAttribute", events.CognitoCustomEmailSenderEvent),
        ("CustomEmailSender_AccountTakeOverNotification", events.CognitoCustomEmailSenderEvent),
        ("CustomSMSSender_ForgotPassword", events.CognitoCustomSmsSenderEvent),
        ("CustomSMSSender_Authentication", events.CognitoCustomSmsSenderEvent),
        ("TokenGeneration_NewPasswordChallenge", events.CognitoPreTokenGenerationEvent),
        ("UserMigration_ForgotPassword", events.CognitoUserMigrationEvent),
        ("NobodyKnows_Yet", events.CognitoOtherEvent),
        ("", events.CognitoOtherEvent),
    ],
)
def test_every_trigger_source_is_accepted(trigger: str, model: type[CognitoEvent]) -> None:
    """
    Cognito's names for occasions are an open set; the trigger is told by their start.
    """
    raw = {"triggerSource": trigger, "request": {"userAttributes": {}}, "response": {}}

    assert model is type(parse_event(raw))


@pytest.mark.parametrize("version", ["2", "3", 2])
def test_later_versions_of_tokens_have_scopes(version: object) -> None:
    """
    The version tells which tokens can be changed; scopes are a list.
    """
    event = parse_event({**payload("cognito_pre_token_generation_v2"), "version": version})

    assert isinstance(event, events.CognitoPreTokenGenerationV2Event)
    assert ["aws.cognito.signin.user.admin", "openid"] == event.request.scopes


def test_groups_may_be_null() -> None:
    """
    Users without groups are no reason to refuse the event.
    """
    event = events.CognitoPreTokenGenerationEvent.model_validate(payload("cognito_pre_token_generation__no_groups"))

    assert event.request.group_configuration is not None
    assert event.request.group_configuration.groups_to_override is None


def test_challenge_names_are_open() -> None:
    """
    New kinds of challenges do not break a function.
    """
    event = events.CognitoCreateAuthChallengeEvent.model_validate(payload("cognito_create_auth_challenge"))

    assert event.request.session is not None
    assert "WEB_AUTHN" == event.request.session[0].challenge_name


def test_the_caller_s_sdk_may_be_missing() -> None:
    """
    Neither spelling of the SDK's version is always there, nor is the user's name.
    """
    sender = events.CognitoCustomSmsSenderEvent.model_validate(payload("cognito_custom_sms_sender__resend"))
    message = events.CognitoCustomMessageEvent.model_validate(payload("cognito_custom_message__invitation"))

    assert sender.caller_context is not None
    assert (None, None) == (sender.caller_context.aws_sdk_version, sender.caller_context.aws_sdk)
    assert message.user_name is None


@pytest.mark.parametrize("name", [name for name in names() if name.startswith("cognito_")])
def test_what_identifies_a_user_is_not_printed(name: str) -> None:
    """
    Passwords, codes, answers, tokens and attributes stay out of the repr.
    """
    shown = repr(parse_event(payload(name)))

    assert [] == [secret for secret in ("secret-", "ada@", "'ada'", "AYADeH0Q8a0") if secret in shown]


def test_synchronised_records() -> None:
    """
    Identity pools tell of each record, what it was and what it is.
    """
    event = events.CognitoSyncEvent.model_validate(payload("cognito_sync"))

    assert event.dataset_records is not None
    assert ("dark", "remove") == (event.dataset_records["theme"].new_value, event.dataset_records["font"].op)
