"""
Requests that come through VPC Lattice.

Source: https://docs.aws.amazon.com/vpc-lattice/latest/ug/lambda-functions.html
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from pydantic import ConfigDict, Field

from lambda_kit.events._http_events import HttpEvent
from lambda_kit.events._model import Part
from lambda_kit.events._times import epoch_time

# Version 2.0 has lists, which its first samples had not.
Listed = dict[str, list[str | None] | str | None]


class LatticeIdentity(Part):
    """
    Who called. ``type`` is ``AWS_IAM`` for signed requests; ``principal`` is then the caller's ARN.
    """

    source_vpc_arn: str | None = None
    type: str | None = None
    principal: str | None = None
    principal_org_id: str | None = Field(default=None, alias="principalOrgID")
    session_name: str | None = None


class LatticeRequestContext(Part):
    """
    What VPC Lattice knows of the request. ``time_epoch`` is text, in microseconds.
    """

    service_network_arn: str | None = None
    service_arn: str | None = None
    target_group_arn: str | None = None
    identity: LatticeIdentity | None = None
    region: str | None = None
    time_epoch: str | None = None


class VpcLatticeV2Event(HttpEvent):
    """
    A request through VPC Lattice, event structure version 2.0, which new target groups have.

    Answer with :meth:`respond`: ``{"statusCode", "headers", "body", "isBase64Encoded"}``.
    """

    source_name: ClassVar[str] = "vpc_lattice"

    method: str
    path: str
    version: str | None = None
    headers: Listed | None = Field(default=None, repr=False)
    query_string_parameters: Listed | None = Field(default=None, repr=False)
    body: str | None = Field(default=None, repr=False)
    is_base64_encoded: bool | None = None
    request_context: LatticeRequestContext | None = None

    @property
    def received_at(self) -> datetime | None:
        """When VPC Lattice received the request."""
        context = self.request_context
        return None if context is None else epoch_time(context.time_epoch, per_s=1_000_000)


class VpcLatticeV1Event(HttpEvent):
    """
    A request through VPC Lattice, event structure version 1.0: names in snake case, no request context.

    Answer with :meth:`respond`, as for version 2.0.
    """

    # Whoever writes names in snake case needs no aliases.
    model_config = ConfigDict(alias_generator=None)
    source_name: ClassVar[str] = "vpc_lattice_v1"

    method: str
    raw_path: str
    headers: dict[str, Any] | None = Field(default=None, repr=False)
    query_string_parameters: dict[str, Any] | None = Field(default=None, repr=False)
    body: str | None = Field(default=None, repr=False)
    is_base64_encoded: bool | None = None
