"""
Values in Parameter Store and Secrets Manager, and clocks that a test turns.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.aws_server import AwsServer


@pytest.fixture
def put_parameter(aws_environ: AwsServer) -> Callable[..., None]:
    """
    Write a parameter: ``put_parameter("/p", "1", Type="SecureString")``.
    """
    ssm = aws_environ.boto3("ssm")

    def put(name: str, value: str, **options: str) -> None:
        ssm.put_parameter(**{"Name": name, "Value": value, "Type": "String", "Overwrite": True, **options})

    return put


@pytest.fixture
def put_secret(aws_environ: AwsServer) -> Callable[[str, str | bytes], str]:
    """
    Write a secret, or its next version, and return the version's id.
    """
    secretsmanager = aws_environ.boto3("secretsmanager")
    known = set()

    def put(name: str, value: str | bytes) -> str:
        kind = "SecretString" if isinstance(value, str) else "SecretBinary"
        if name in known:
            answer = secretsmanager.put_secret_value(**{"SecretId": name, kind: value})
        else:
            known.add(name)
            answer = secretsmanager.create_secret(**{"Name": name, kind: value})
        version: str = answer["VersionId"]
        return version

    return put


@pytest.fixture
def pass_time(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """
    Let seconds pass, on both clocks, for whoever asks Python for the time.
    """
    passed = 0.0
    wall, monotonic = time.time, time.monotonic

    def pass_by(seconds: float) -> None:
        nonlocal passed
        passed += seconds
        monkeypatch.setattr(time, "time", lambda: wall() + passed)
        monkeypatch.setattr(time, "monotonic", lambda: monotonic() + passed)

    return pass_by
