"""
CustomResourceEvent, CloudFormationMacroEvent and CloudFormationHookEvent.
"""

from __future__ import annotations

import pytest
from pydantic import BaseModel

from lambda_kit.errors import EventError
from lambda_kit.events import CloudFormationHookEvent, CloudFormationMacroEvent, CustomResourceEvent
from tests.events.payloads import payload

_NAME = "cloudformation_custom_resource"


class Cleaner(BaseModel):
    Retries: int
    Deep: bool = False


def test_properties_come_as_text_and_parse_as_what_they_are() -> None:
    """
    CloudFormation makes text of numbers and flags; a model makes them what they were.
    """
    event = CustomResourceEvent.model_validate(payload(_NAME))

    assert event.resource_properties is not None
    assert ("3", "true") == (event.resource_properties["Retries"], event.resource_properties["Deep"])
    assert Cleaner(Retries=3, Deep=True) == event.parse(Cleaner)
    assert Cleaner(Retries=2) == CustomResourceEvent.model_validate(payload(f"{_NAME}__update")).parse_old(Cleaner)
    with pytest.raises(EventError, match=r"cloudformation: OldResourceProperties\.Retries: Field required"):
        event.parse_old(Cleaner)


def test_requests_are_of_three_types() -> None:
    """
    Only updates and deletions have a physical id.
    """
    events = [CustomResourceEvent.model_validate(payload(_NAME + variant)) for variant in ("", "__update", "__delete")]

    assert [(True, False, False), (False, True, False), (False, False, True)] == [
        (event.is_create, event.is_update, event.is_delete) for event in events
    ]
    assert [None, "cleaner-1", "cleaner-1"] == [event.physical_resource_id for event in events]


def test_the_answer_repeats_what_identifies_the_request() -> None:
    """
    Without a physical id it is the request's own, or else the logical one.
    """
    create, delete = (CustomResourceEvent.model_validate(payload(_NAME + variant)) for variant in ("", "__delete"))
    answer = create.response("cleaner-2", data={"Arn": "a"}, no_echo=True)

    assert {
        "Status": "SUCCESS",
        "Reason": "",
        "PhysicalResourceId": "cleaner-2",
        "StackId": create.stack_id,
        "RequestId": create.request_id,
        "LogicalResourceId": "Cleaner",
        "NoEcho": True,
        "Data": {"Arn": "a"},
    } == answer
    assert ("FAILED", "no", "Cleaner") == tuple(create.response(failed="no")[key] for key in ("Status", "Reason", "PhysicalResourceId"))
    assert "cleaner-1" == delete.response()["PhysicalResourceId"]


def test_addresses_are_never_checked() -> None:
    """
    Signed addresses are longer than 2083 characters at times, and placeholders in samples.
    """
    raw = payload(_NAME) | {"ResponseURL": "http://pre-signed-S3-url-for-response?" + "a" * 3000}

    assert raw["ResponseURL"] == CustomResourceEvent.model_validate(raw).response_url


def test_a_macro_answers_with_a_fragment() -> None:
    """
    Or says why there is none.
    """
    event = CloudFormationMacroEvent.model_validate(payload("cloudformation_macro"))

    assert {"requestId": "1", "status": "success", "fragment": {}} == event.response({})
    assert {"requestId": "1", "status": "failure", "fragment": None, "errorMessage": "no"} == event.response(None, failed="no")


def test_a_hook_lets_through_or_not() -> None:
    """
    The answer repeats the token.
    """
    event = CloudFormationHookEvent.model_validate(payload("cloudformation_hook"))

    assert "Uploads" == event.request_data.target_logical_id
    assert {"hookStatus": "SUCCESS", "clientRequestToken": "t-1"} == event.response()
    assert {"hookStatus": "FAILED", "clientRequestToken": "t-1", "message": "no", "errorCode": "NonCompliant"} == event.response(
        failed="no"
    )
