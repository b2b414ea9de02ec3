"""
SecretsRotationEvent.
"""

from __future__ import annotations

from lambda_kit.events import SecretsRotationEvent
from tests.events.payloads import payload


def test_a_rotation_may_have_a_token() -> None:
    """
    It comes where the function rotates through a role of another account.
    """
    events = [SecretsRotationEvent.model_validate(payload(f"secretsmanager_rotation{variant}")) for variant in ("", "__token")]

    assert [("createSecret", None), ("finishSecret", "rotation-token")] == [(event.step, event.rotation_token) for event in events]
