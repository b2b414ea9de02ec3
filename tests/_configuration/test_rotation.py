"""
A whole rotation, step by step, against a Secrets Manager that moves the stages of versions as AWS's does.

moto may leave AWSCURRENT on two versions, and answers with the older one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lambda_kit import get_secret, get_secrets, secret, secret_login
from lambda_kit.errors import ParameterNotFoundError

if TYPE_CHECKING:
    from tests._configuration.fault_server import FaultServer


class Rotation:
    """
    The versions of one secret, the stages they are in, and what a rotation function does to them.

    Source: https://docs.aws.amazon.com/secretsmanager/latest/userguide/whats-in-a-secret.html
    """

    name = "orders"

    def __init__(self, text: str) -> None:
        self.texts = {"v1": text}
        self.stages = {"AWSCURRENT": "v1"}

    @property
    def current(self) -> str:
        """
        The id of the current version.
        """
        return self.stages["AWSCURRENT"]

    def create(self, text: str) -> None:
        """
        Put a version that is not current yet.
        """
        version = f"v{len(self.texts) + 1}"
        self.texts[version] = text
        self.stages["AWSPENDING"] = version

    def finish(self) -> None:
        """
        Make it the current one, and what was current the previous one. AWSPENDING stays where it is.
        """
        self.stages |= {"AWSCURRENT": self.stages["AWSPENDING"], "AWSPREVIOUS": self.current}

    def answer(self, operation: str, payload: dict[str, Any]) -> dict[str, Any] | tuple[int, str]:
        """
        Answer as Secrets Manager does.
        """
        if operation == "BatchGetSecretValue":
            return {"SecretValues": [self._version(name, self.current) for name in payload["SecretIdList"]], "Errors": []}
        version = self.stages.get(payload["VersionStage"])
        return (400, "ResourceNotFoundException") if version is None else self._version(payload["SecretId"], version)

    def _version(self, name: str, version: str) -> dict[str, Any]:
        text = self.texts[version] if name == self.name else "{}"
        return {"Name": name, "ARN": f"arn:{name}-AbCdEf", "VersionId": version, "SecretString": text}


@pytest.fixture
def rotation(faults: FaultServer) -> Rotation:
    """
    A secret that the kit reads from a server with real stages.
    """
    made = Rotation('{"username": "orders", "password": "old"}')
    faults.answer = made.answer
    return made


def test_stages_are_followed_through_a_rotation(rotation: Rotation) -> None:
    """
    What is current, pending and previous is read as such at each step, one by one and together.
    """
    password = secret(rotation.name, key="password")
    assert ("old", rotation.current) == (password(), password.version)
    with pytest.raises(ParameterNotFoundError, match="AWSPENDING"):
        get_secret(rotation.name, version_stage="AWSPENDING")

    rotation.create('{"username": "orders", "password": "new"}')
    pending = secret(rotation.name, key="password", version_stage="AWSPENDING")
    pending.invalidate()
    assert ("old", "new") == (get_secret(rotation.name, key="password", fresh=True), pending())

    failed = password.version
    rotation.finish()
    assert "old" == password()
    password.invalidate(failed_version=failed)
    assert ("new", rotation.current) == (password(), password.version)
    assert "old" == get_secret(rotation.name, key="password", version_stage="AWSPREVIOUS")
    assert '"new"' in get_secrets([rotation.name, "a", "b"], fresh=True)[rotation.name]


def test_login_goes_through_a_rotation(rotation: Rotation) -> None:
    """
    When the server knows the pending password already, the login offers it; when it is current, it is read as that.
    """
    login = secret_login(rotation.name)
    old = login(None)
    assert "old" == old.password

    rotation.create('{"username": "orders", "password": "new"}')
    assert "new" == login(old).password
    rotation.finish()
    assert ("new", rotation.current) == (login(old).password, login(None).version)
