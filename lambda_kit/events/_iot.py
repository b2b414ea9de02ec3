"""
What AWS IoT asks and tells. The event of an IoT rule has no shape of its own: it is what the rule's SELECT gives.

Source: https://docs.aws.amazon.com/iot/latest/developerguide/custom-authorizer-lambda.html,
https://docs.aws.amazon.com/iot/latest/developerguide/pre-provisioning-hook.html and
https://docs.aws.amazon.com/iot/latest/developerguide/registry-events.html
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, ClassVar

from pydantic import Field

from lambda_kit.errors import EventError
from lambda_kit.events._model import Event, Part
from lambda_kit.events._times import epoch_time, iso_time


class IotMqtt(Part):
    """
    What an MQTT client sent with its connection. ``password`` is Base64 of what it sent.
    """

    username: str | None = Field(default=None, repr=False)
    password: str | None = Field(default=None, repr=False)
    client_id: str | None = None


class IotHttp(Part):
    """
    What an HTTP client sent.
    """

    headers: dict[str, Any] | None = Field(default=None, repr=False)
    query_string: str | None = Field(default=None, repr=False)


class IotProtocols(Part):
    """
    What the client sent, by protocol.
    """

    tls: dict[str, Any] | None = None
    http: IotHttp | None = None
    mqtt: IotMqtt | None = None


class IotAuthorizerEvent(Event):
    """
    AWS IoT Core asks about a device that connects.

    Answer with :meth:`respond`.
    """

    source_name: ClassVar[str] = "iot_authorizer"

    token: str | None = Field(default=None, repr=False)
    signature_verified: bool | None = None
    protocols: list[str] | None = None
    protocol_data: IotProtocols
    connection_metadata: dict[str, Any] | None = None

    @property
    def password(self) -> bytes | None:
        """What the MQTT client gave as its password. Raises ``EventError`` when it is no Base64."""
        text = self.protocol_data.mqtt.password if self.protocol_data.mqtt else None
        if text is None:
            return None
        try:
            return b64decode(text, validate=True)
        except ValueError:
            # The decoder's error may show the text.
            pass
        field = "protocolData.mqtt.password"
        raise EventError(f"{self.source_name}: {field}: it is no Base64", source=self.source_name, field=field)

    def respond(
        self,
        is_authenticated: bool,
        principal_id: str,
        *,
        policies: Iterable[Mapping[str, Any]] = (),
        disconnect_after_s: int = 86400,
        refresh_after_s: int = 300,
    ) -> dict[str, Any]:
        """
        Return ``{"isAuthenticated", "principalId", "policyDocuments", "disconnectAfterInSeconds", "refreshAfterInSeconds"}``.

        Args:
            principal_id: Letters and digits, at most 128.
            policies: IAM policy documents, at most ten.
            disconnect_after_s: 300 to 86400.
            refresh_after_s: How long the policies are kept, 300 to 86400.
        """
        return {
            "isAuthenticated": is_authenticated,
            "principalId": principal_id,
            "policyDocuments": [dict(policy) for policy in policies],
            "disconnectAfterInSeconds": disconnect_after_s,
            "refreshAfterInSeconds": refresh_after_s,
        }


class IotPreprovisioningEvent(Event):
    """
    A device is about to be provisioned.

    Answer with :meth:`respond`, within five seconds.
    """

    source_name: ClassVar[str] = "iot_preprovisioning"

    template_arn: str
    claim_certificate_id: str | None = None
    certificate_id: str | None = None
    certificate_pem: str | None = Field(default=None, repr=False)
    client_id: str | None = None
    parameters: dict[str, Any] | None = Field(default=None, repr=False)

    def respond(self, allow_provisioning: bool, *, parameter_overrides: Mapping[str, str] | None = None) -> dict[str, Any]:
        """
        Return ``{"allowProvisioning", "parameterOverrides"}``.
        """
        return {"allowProvisioning": allow_provisioning, "parameterOverrides": dict(parameter_overrides or {})}


class IotRegistryEvent(Event):
    """
    A thing, a type or a group was created, changed or deleted. Lambda gets these through an IoT rule.

    Nobody reads the answer. ``operation`` is ``CREATED``, ``UPDATED``, ``DELETED``, ``ADDED`` or ``REMOVED``.
    """

    source_name: ClassVar[str] = "iot_registry"

    event_type: str
    event_id: str | None = None
    operation: str | None = None
    timestamp: int | None = None
    account_id: str | None = None

    @property
    def happened_at(self) -> datetime | None:
        """When it happened."""
        return epoch_time(self.timestamp, per_s=1000)


class IotButtonEvent(Event):
    """
    Someone pressed a button of AWS IoT; ``click_type`` is ``SINGLE``, ``DOUBLE`` or ``LONG``.

    Nobody reads the answer.
    """

    source_name: ClassVar[str] = "iot_button"

    serial_number: str
    click_type: str
    battery_voltage: str | None = None


class IotClick(Part):
    """
    How the button was pressed.
    """

    click_type: str | None = None
    reported_time: str | None = None
    additional_info: dict[str, Any] | None = None


class IotDeviceEvent(Part):
    """
    What the device reports.
    """

    button_clicked: IotClick | None = None


class IotOneClickEvent(Event):
    """
    Someone pressed a button of AWS IoT 1-Click, which AWS ended in December 2024.

    Nobody reads the answer.
    """

    source_name: ClassVar[str] = "iot_one_click"

    device_event: IotDeviceEvent
    device_info: dict[str, Any] | None = None
    placement_info: dict[str, Any] | None = None

    @property
    def clicked_at(self) -> datetime | None:
        """When the button was pressed."""
        click = self.device_event.button_clicked
        return None if click is None else iso_time(click.reported_time)
