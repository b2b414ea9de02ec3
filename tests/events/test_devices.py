"""
IoT, file transfer, VPN, mail, labeling and dashboards.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from lambda_kit.errors import EventError
from lambda_kit.events import (
    ClientVpnConnectionEvent,
    CloudWatchWidgetEvent,
    GroundTruthPostEvent,
    GroundTruthPreEvent,
    IotAuthorizerEvent,
    IotOneClickEvent,
    IotPreprovisioningEvent,
    IotRegistryEvent,
    TransferAuthorizerEvent,
    TransferWorkflowEvent,
    WorkMailEvent,
)
from tests.events.payloads import payload


def test_iot_password_is_decoded() -> None:
    """
    The password arrives as Base64; clients of other protocols have none.
    """
    raw = payload("iot_custom_authorizer")

    assert b"secret-password" == IotAuthorizerEvent.model_validate(raw).password
    assert IotAuthorizerEvent.model_validate(payload("iot_custom_authorizer__http")).password is None
    raw["protocolData"]["mqtt"]["password"] = "hunter2!"
    with pytest.raises(EventError, match=r"iot_authorizer: protocolData\.mqtt\.password: it is no Base64$") as caught:
        _ = IotAuthorizerEvent.model_validate(raw).password
    assert caught.value.__context__ is None


def test_iot_answers() -> None:
    """
    Authorizer and hook have forms of their own.
    """
    device = IotAuthorizerEvent.model_validate(payload("iot_custom_authorizer"))
    hook = IotPreprovisioningEvent.model_validate(payload("iot_preprovisioning_hook"))

    assert {
        "isAuthenticated": True,
        "principalId": "kettle1",
        "policyDocuments": [{"Version": "2012-10-17"}],
        "disconnectAfterInSeconds": 86400,
        "refreshAfterInSeconds": 300,
    } == device.respond(True, "kettle1", policies=[{"Version": "2012-10-17"}])
    assert {"allowProvisioning": True, "parameterOverrides": {"DeviceLocation": "kitchen"}} == hook.respond(
        True, parameter_overrides={"DeviceLocation": "kitchen"}
    )
    assert {"allowProvisioning": False, "parameterOverrides": {}} == hook.respond(False)
    assert [] == [shown for shown in (repr(device), repr(hook)) if "secret-" in shown or "SECRET" in shown]


def test_iot_times() -> None:
    """
    The registry counts milliseconds, buttons write ISO 8601; a device may report something else.
    """
    click = IotOneClickEvent.model_validate(payload("iot_one_click"))

    assert datetime(2024, 1, 1, tzinfo=UTC) == click.clicked_at
    assert datetime(2024, 1, 1, tzinfo=UTC) == IotRegistryEvent.model_validate(payload("iot_registry")).happened_at
    assert IotOneClickEvent.model_validate({"deviceEvent": {"deviceHealth": {}}}).clicked_at is None


def test_transfer_lets_users_in() -> None:
    """
    Directories and policy are text in the answer; what was not given is not there.
    """
    event = TransferAuthorizerEvent.model_validate(payload("transfer_family_authorizer"))

    assert {"Role": "arn:role"} == event.allow("arn:role")
    answer = event.allow(
        "arn:role", home_directory="/bucket", home_directory_map={"/": "/bucket/ada"}, policy={"a": 1}, public_keys=["ssh-ed25519 A"]
    )
    assert [{"Entry": "/", "Target": "/bucket/ada"}] == json.loads(answer["HomeDirectoryDetails"])
    assert ("LOGICAL", "/bucket", '{"a": 1}', ["ssh-ed25519 A"]) == (
        answer["HomeDirectoryType"],
        answer["HomeDirectory"],
        answer["Policy"],
        answer["PublicKeys"],
    )
    assert {} == event.deny()


def test_transfer_password_may_be_absent_and_is_not_printed() -> None:
    """
    Users with keys send none.
    """
    assert TransferAuthorizerEvent.model_validate(payload("transfer_family_authorizer__key")).password is None
    assert "secret-password" not in repr(TransferAuthorizerEvent.model_validate(payload("transfer_family_authorizer")))


def test_transfer_workflow() -> None:
    """
    A step has a token to report with.
    """
    event = TransferWorkflowEvent.model_validate(payload("transfer_workflow"))

    assert "secret-token" == event.token
    assert (event.file_location or {})["key"] == "in/order.csv"


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("clientvpn_connection_handler", "error-msg-on-denied-connection"),
        ("clientvpn_connection_handler__v1", "error-msg-on-failed-posture-compliance"),
    ],
)
def test_client_vpn_answers_by_schema(name: str, key: str) -> None:
    """
    The first schema had another name for the message.
    """
    event = ClientVpnConnectionEvent.model_validate(payload(name))

    answer = event.respond(False, message="Not today.")

    assert {"allow": False, key: "Not today.", "posture-compliance-statuses": [], "schema-version": event.schema_version} == answer
    assert "203.0.113.9" == event.public_ip


def test_workmail_answers() -> None:
    """
    An action is for some, or for everyone.
    """
    event = WorkMailEvent.model_validate(payload("workmail"))

    assert {"actions": [{"action": {"type": "DEFAULT"}, "allRecipients": True}]} == event.respond()
    assert {"actions": [{"action": {"type": "DROP"}, "recipients": ["sales@example.com"]}]} == event.respond(
        "DROP", recipients=["sales@example.com"]
    )
    assert "ada@example.com" not in repr(event)


def test_ground_truth() -> None:
    """
    Before labeling there is one object to show, afterwards a file of answers.
    """
    before = GroundTruthPreEvent.model_validate(payload("sagemaker_groundtruth_pre"))
    after = GroundTruthPostEvent.model_validate(payload("sagemaker_groundtruth_post"))

    assert {"taskInput": before.data_object, "isHumanAnnotationRequired": "true"} == before.respond(before.data_object)
    assert "s3://answers/annotations/consolidated.json" == after.payload.s3_uri


def test_widgets_show_what_the_user_has_zoomed_in_on() -> None:
    """
    Without zoom it is the dashboard's range; a request for documentation has none.
    """
    raw = payload("cloudwatch_dashboard_widget")
    zoomed = CloudWatchWidgetEvent.model_validate(raw).time_range
    del raw["widgetContext"]["timeRange"]["zoom"]
    whole = CloudWatchWidgetEvent.model_validate(raw).time_range
    del raw["widgetContext"]["timeRange"]["start"]

    assert (datetime(2024, 1, 1, 1, tzinfo=UTC), datetime(2024, 1, 1, 2, tzinfo=UTC)) == zoomed
    assert (datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 2, tzinfo=UTC)) == whole
    assert CloudWatchWidgetEvent.model_validate(raw).time_range is None
    assert CloudWatchWidgetEvent.model_validate(payload("cloudwatch_dashboard_widget__describe")).time_range is None
