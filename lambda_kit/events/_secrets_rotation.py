"""
Steps of a secret's rotation.

Source: https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotating-secrets-lambda-function-overview.html
"""

from __future__ import annotations

from typing import ClassVar

from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_pascal

from lambda_kit.events._model import Event


class SecretsRotationEvent(Event):
    """
    One step: ``createSecret``, ``setSecret``, ``testSecret`` or ``finishSecret``. Each may come again.

    Nobody reads the answer; raising ends the rotation.
    """

    model_config = ConfigDict(alias_generator=to_pascal)
    source_name: ClassVar[str] = "secrets_rotation"

    step: str
    secret_id: str
    # The id of the new version.
    client_request_token: str
    # Where the function assumes a role in another account; it goes with the calls that write.
    rotation_token: str | None = Field(default=None, repr=False)
