"""
What AWS Client VPN asks when someone connects.

Source: https://docs.aws.amazon.com/vpn/latest/clientvpn-admin/connection-authorization.html
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from pydantic import ConfigDict

from lambda_kit.events._model import Event


class ClientVpnConnectionEvent(Event):
    """
    Someone connects to a Client VPN endpoint.

    Answer with :meth:`respond`. What there is none of is empty text.
    """

    model_config = ConfigDict(alias_generator=lambda name: name.replace("_", "-"))
    source_name: ClassVar[str] = "client_vpn"

    connection_id: str
    endpoint_id: str
    common_name: str | None = None
    username: str | None = None
    platform: str | None = None
    platform_version: str | None = None
    public_ip: str | None = None
    client_openvpn_version: str | None = None
    aws_client_version: str | None = None
    groups: str | None = None
    schema_version: str | None = None

    def respond(self, allow: bool, *, message: str = "", posture_compliance_statuses: Iterable[str] = ()) -> dict[str, Any]:
        """
        Return ``{"allow", "error-msg-on-failed-posture-compliance" or "error-msg-on-denied-connection", ...}``.

        Args:
            message: What the user is shown when refused.
        """
        # Version 2 and 3 of the schema renamed the message's key.
        key = "error-msg-on-failed-posture-compliance" if self.schema_version == "v1" else "error-msg-on-denied-connection"
        return {
            "allow": allow,
            key: message,
            "posture-compliance-statuses": list(posture_compliance_statuses),
            "schema-version": self.schema_version or "v3",
        }
