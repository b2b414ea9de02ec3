"""
What AWS Transfer Family asks: whether someone may log in, and a step of a workflow.

Source: https://docs.aws.amazon.com/transfer/latest/userguide/custom-lambda-idp.html and
https://docs.aws.amazon.com/transfer/latest/userguide/custom-step-details.html
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from pydantic import Field

from lambda_kit.events._model import Event, Part


class TransferAuthorizerEvent(Event):
    """
    Someone logs in to a server of Transfer Family. There is no password when they come with a key.

    Answer with :meth:`allow` or :meth:`deny`.
    """

    source_name: ClassVar[str] = "transfer"

    username: str
    server_id: str
    password: str | None = Field(default=None, repr=False)
    protocol: str | None = None
    source_ip: str | None = None

    def allow(
        self,
        role: str,
        *,
        home_directory: str | None = None,
        home_directory_map: Mapping[str, str] | None = None,
        policy: Mapping[str, Any] | None = None,
        public_keys: Iterable[str] = (),
    ) -> dict[str, Any]:
        """
        Return the answer that lets the user in.

        Args:
            role: ARN of the role that gives access to the files.
            home_directory_map: Logical directories: ``{"/": "/bucket/home/user"}``.
            policy: An IAM policy that narrows the role down.
            public_keys: The user's, where they come with a key: Transfer compares.
        """
        answer: dict[str, Any] = {"Role": role}
        if home_directory is not None:
            answer["HomeDirectory"] = home_directory
        if home_directory_map is not None:
            entries = [{"Entry": entry, "Target": target} for entry, target in home_directory_map.items()]
            # Text, as the policy: Transfer Family reads neither as an object.
            answer |= {"HomeDirectoryType": "LOGICAL", "HomeDirectoryDetails": json.dumps(entries)}
        if policy is not None:
            answer["Policy"] = json.dumps(policy)
        if keys := list(public_keys):
            answer["PublicKeys"] = keys
        return answer

    def deny(self) -> dict[str, Any]:
        """
        Return the answer that refuses: ``{}``.
        """
        return {}


class TransferWorkflowDetails(Part):
    """
    The execution, and the transfer that started it.
    """

    execution_details: dict[str, Any] | None = None
    transfer_details: dict[str, Any] | None = None


class TransferWorkflowEvent(Event):
    """
    A custom step of a workflow.

    Nobody reads the answer: call ``transfer.send_workflow_step_state`` with the token.
    """

    source_name: ClassVar[str] = "transfer_workflow"

    token: str = Field(repr=False)
    service_metadata: TransferWorkflowDetails
    file_location: dict[str, Any] | None = None
