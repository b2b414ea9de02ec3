"""
A context object as Lambda's runtime client makes it, for tests.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4


@dataclass(frozen=True, slots=True)
class FakeIdentity:
    """
    The Cognito identity of the caller; both are ``None`` when there is none.
    """

    cognito_identity_id: str | None = None
    cognito_identity_pool_id: str | None = None


@dataclass(slots=True)
class FakeContext:
    """
    Have the attributes and methods of the runtime client's context, with a remaining time that counts down.

    Each one is a new invocation: an id of its own, and *timeout_s* seconds from the moment it was made.

    Args:
        timeout_s: The function's timeout.
        memory_mb: The function's memory.
        qualifier: The alias or version that was invoked, added to the ARN.
        tenant_id: The tenant, for functions with tenant isolation.
    """

    timeout_s: float = 3.0
    memory_mb: int = 128
    function_name: str = "test-function"
    function_version: str = "$LATEST"
    qualifier: str = ""
    region: str = "eu-central-1"
    account_id: str = "123456789012"
    tenant_id: str | None = None
    client_context: Any = None
    identity: FakeIdentity = FakeIdentity()
    aws_request_id: str = field(default_factory=lambda: str(uuid4()))
    log_stream_name: str | None = "2026/01/01/[$LATEST]0123456789abcdef0123456789abcdef"
    deadline_s: float = field(init=False)

    def __post_init__(self) -> None:
        self.deadline_s = time.time() + self.timeout_s

    @property
    def invoked_function_arn(self) -> str:
        """The ARN, with the qualifier if there is one."""
        arn = f"arn:aws:lambda:{self.region}:{self.account_id}:function:{self.function_name}"
        return f"{arn}:{self.qualifier}" if self.qualifier else arn

    @property
    def memory_limit_in_mb(self) -> str:
        """The memory as text, as the runtime client has it."""
        return str(self.memory_mb)

    @property
    def log_group_name(self) -> str | None:
        """The log group."""
        return f"/aws/lambda/{self.function_name}"

    def get_remaining_time_in_millis(self) -> int:
        """
        Return the milliseconds that are left, never below 0.
        """
        return max(0, int((self.deadline_s - time.time()) * 1000))

    def use_up(self, *, all_but_s: float = 0.0) -> None:
        """
        Let time pass at once: *all_but_s* seconds are left from now.
        """
        self.deadline_s = time.time() + all_but_s

    def log(self, message: object) -> None:
        """
        Print *message*, as the runtime client writes it to the log.
        """
        print(message)

    def w3c(self) -> dict[str, str]:
        """
        Return the W3C trace headers that the caller sent: none.
        """
        return {}
