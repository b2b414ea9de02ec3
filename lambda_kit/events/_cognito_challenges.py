"""
What Cognito user pools ask during a sign-in with challenges of the application's own.

Source: https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-challenge.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field

from lambda_kit.events._cognito import CognitoEvent, CognitoRequest
from lambda_kit.events._model import Part


class ChallengeResult(Part):
    """
    A challenge that was put before. Names are an open set: ``SRP_A``, ``PASSWORD_VERIFIER``, ``CUSTOM_CHALLENGE``, ...
    """

    challenge_name: str | None = None
    challenge_result: bool | None = None
    challenge_metadata: str | None = None


class DefineChallengeRequest(CognitoRequest):
    """
    What Cognito knows of the user and of the challenges so far.
    """

    session: list[ChallengeResult] | None = None


class CognitoDefineAuthChallengeEvent(CognitoEvent):
    """
    What is the next challenge?
    """

    source_name: ClassVar[str] = "cognito_define_auth_challenge"

    request: DefineChallengeRequest

    def respond(
        self, *, challenge_name: str | None = None, issue_tokens: bool = False, fail_authentication: bool = False
    ) -> dict[str, Any]:
        """
        Return the event with the next challenge, or with the end: tokens, or failure.
        """
        named = {} if challenge_name is None else {"challengeName": challenge_name}
        return self.answer({**named, "issueTokens": issue_tokens, "failAuthentication": fail_authentication})


class CreateChallengeRequest(DefineChallengeRequest):
    """
    As for the question which challenge is next, with its name.
    """

    challenge_name: str | None = None


class CognitoCreateAuthChallengeEvent(CognitoEvent):
    """
    What does the challenge look like?
    """

    source_name: ClassVar[str] = "cognito_create_auth_challenge"

    request: CreateChallengeRequest

    def respond(self, public: Mapping[str, str], private: Mapping[str, str], *, challenge_metadata: str | None = None) -> dict[str, Any]:
        """
        Return the event with the challenge.

        Args:
            public: What the client is shown.
            private: What :class:`CognitoVerifyAuthChallengeEvent` gets, such as the right answer.
        """
        named = {} if challenge_metadata is None else {"challengeMetadata": challenge_metadata}
        return self.answer({"publicChallengeParameters": dict(public), "privateChallengeParameters": dict(private), **named})


class VerifyChallengeRequest(CognitoRequest):
    """
    The right answer as it was created, and the one that was given.
    """

    private_challenge_parameters: dict[str, Any] | None = Field(default=None, repr=False)
    challenge_answer: Any = Field(default=None, repr=False)


class CognitoVerifyAuthChallengeEvent(CognitoEvent):
    """
    Is the answer right?
    """

    source_name: ClassVar[str] = "cognito_verify_auth_challenge"

    request: VerifyChallengeRequest

    def respond(self, *, answer_correct: bool) -> dict[str, Any]:
        """
        Return the event with the verdict.
        """
        return self.answer({"answerCorrect": answer_correct})
