"""
Which arguments AssumeRole gets.
"""

from __future__ import annotations

import re

from lambda_kit import _runtime
from lambda_kit.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambda_kit._clients._standins import Role

_ARN = re.compile(r"arn:[\w-]+:iam::\d{12}:role/.+")
# Source: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html, "RoleSessionName"
_NOT_IN_SESSION_NAMES = re.compile(r"[^\w+=,.@-]", re.ASCII)


def role(role_arn: str, *, external_id: str | None, session_name: str | None, duration_s: int) -> Role:
    """
    Return the arguments, in an order that makes equal roles equal.
    """
    if not _ARN.fullmatch(role_arn):
        raise ConfigurationError(f"assuming_role() takes a role's ARN, arn:aws:iam::<account>:role/<name>: got {role_arn!r}")
    arguments: dict[str, object] = {
        "DurationSeconds": duration_s,
        "RoleArn": role_arn,
        "RoleSessionName": session_name or _session_name(),
    }
    if external_id is not None:
        arguments["ExternalId"] = external_id
    return tuple(sorted(arguments.items(), key=lambda argument: argument[0]))


def _session_name() -> str:
    """
    Return a name by which CloudTrail tells who it was.
    """
    return _NOT_IN_SESSION_NAMES.sub("-", _runtime.setting("AWS_LAMBDA_FUNCTION_NAME") or "lambda-kit")[:64]
