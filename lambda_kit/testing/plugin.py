"""
The pytest plugin: fixtures ``lambda_context``, ``lambda_events`` and ``lambda_environ``, marker ``lambda_function``.

pytest loads it in every run of an environment that has the kit, so it imports nothing but pytest, uses nothing by itself,
and goes away with ``-p no:lambda_kit``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from lambda_kit.testing._contexts import FakeContext
    from lambda_kit.testing._events import LambdaEvents

_MARKER = "lambda_function"
# Names that would have a test talk to a real account.
_REAL = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN")


def pytest_configure(config: pytest.Config) -> None:
    """
    Make the marker known.
    """
    config.addinivalue_line(
        "markers",
        f"{_MARKER}(timeout=3.0, memory=128, name='test-function', tenant_id=None): the function that lambda_context and "
        "lambda_environ stand for; timeout in seconds, memory in MB",
    )


@pytest.fixture
def lambda_context(request: pytest.FixtureRequest) -> FakeContext:
    """
    A context as the runtime client makes it: a new invocation of the function that the lambda_function marker describes.
    """
    from lambda_kit.testing._contexts import FakeContext

    function = _function(request)
    return FakeContext(
        timeout_s=function["timeout"], memory_mb=function["memory"], function_name=function["name"], tenant_id=function["tenant_id"]
    )


@pytest.fixture
def lambda_events() -> LambdaEvents:
    """
    Makes events as Lambda delivers them: ``lambda_events.sqs(...)``, ``lambda_events.api_v2(...)``.
    """
    from lambda_kit.testing._events import LambdaEvents

    return LambdaEvents()


@pytest.fixture
def lambda_environ(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[pytest.MonkeyPatch]:
    """
    The environment variables of a function, with credentials that open nothing, and a TMPDIR of the test's own.

    What the kit has built and fetched is forgotten before and after. The value is the monkeypatch, to set more.
    """
    from lambda_kit import _runtime

    function = _function(request)
    values = {
        "AWS_REGION": "eu-central-1",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_LAMBDA_FUNCTION_NAME": function["name"],
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function["memory"]),
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function['name']}",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "TMPDIR": str(tmp_path),
        "TZ": ":UTC",
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    for name in _REAL:
        monkeypatch.delenv(name, raising=False)
    _runtime.reset()
    yield monkeypatch
    _runtime.reset()


def _function(request: pytest.FixtureRequest) -> dict[str, Any]:
    """
    Return what the marker says of the function.
    """
    known: dict[str, Any] = {"timeout": 3.0, "memory": 128, "name": "test-function", "tenant_id": None}
    marker = request.node.get_closest_marker(_MARKER)
    if marker is None:
        return known
    unknown = sorted(set(marker.kwargs) - set(known))
    if marker.args or unknown:
        wrong = ", ".join(unknown) or "an argument without a name"
        raise pytest.UsageError(f"@pytest.mark.{_MARKER} takes {', '.join(known)}: got {wrong}")
    known.update(marker.kwargs)
    return known
