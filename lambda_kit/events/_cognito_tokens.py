"""
What Cognito user pools ask before they make tokens.

Source: https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-pre-token-generation.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from lambda_kit.events._cognito import CognitoEvent, CognitoRequest
from lambda_kit.events._model import Part


class GroupConfiguration(Part):
    """
    The user's groups and roles.
    """

    groups_to_override: list[str] | None = None
    iam_roles_to_override: list[str] | None = None
    preferred_role: str | None = None


class TokenRequest(CognitoRequest):
    """
    What Cognito knows of the user; ``scopes`` of the access token come with event versions 2 and 3.
    """

    group_configuration: GroupConfiguration | None = None
    scopes: list[str] | None = None


class CognitoPreTokenGenerationEvent(CognitoEvent):
    """
    Tokens are about to be made, event version 1: only the ID token can be changed.
    """

    source_name: ClassVar[str] = "cognito_pre_token_generation"

    request: TokenRequest

    def respond(
        self,
        *,
        add_or_override: Mapping[str, str] | None = None,
        suppress: Iterable[str] = (),
        groups: Mapping[str, object] | None = None,
    ) -> dict[str, Any]:
        """
        Return the event with changed claims.

        Args:
            groups: In place of the user's: ``{"groupsToOverride": [...], "iamRolesToOverride": [...], "preferredRole": arn}``.
        """
        details: dict[str, object] = {"claimsToAddOrOverride": dict(add_or_override or {}), "claimsToSuppress": list(suppress)}
        if groups is not None:
            details["groupOverrideDetails"] = dict(groups)
        return self.answer({"claimsOverrideDetails": details})


class CognitoPreTokenGenerationV2Event(CognitoEvent):
    """
    Tokens are about to be made, event versions 2 and 3 (3: for machines too): claims may be any JSON.
    """

    source_name: ClassVar[str] = "cognito_pre_token_generation_v2"

    request: TokenRequest

    def respond(
        self,
        *,
        id_token: Mapping[str, object] | None = None,
        access_token: Mapping[str, object] | None = None,
        groups: Mapping[str, object] | None = None,
    ) -> dict[str, Any]:
        """
        Return the event with changed tokens.

        Args:
            id_token: ``{"claimsToAddOrOverride": {...}, "claimsToSuppress": [...]}``.
            access_token: The same, with ``"scopesToAdd"`` and ``"scopesToSuppress"``.
        """
        parts = {"idTokenGeneration": id_token, "accessTokenGeneration": access_token, "groupOverrideDetails": groups}
        details = {name: dict(part) for name, part in parts.items() if part is not None}
        return self.answer({"claimsAndScopeOverrideDetails": details})
