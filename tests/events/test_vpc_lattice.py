"""
VpcLatticeV1Event and VpcLatticeV2Event.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import BaseModel

from lambda_kit.errors import ConfigurationError, EventError
from lambda_kit.events import VpcLatticeV1Event, VpcLatticeV2Event, parse_event
from tests.events.payloads import payload


class Order(BaseModel):
    sku: str
    quantity: int


def test_header_values_may_be_lists_or_not() -> None:
    """
    Version 2.0 has lists of values; its first samples had single ones.
    """
    lists = VpcLatticeV2Event.model_validate(payload("vpc_lattice_v2"))
    single = VpcLatticeV2Event.model_validate(payload("vpc_lattice_v2__single_values"))

    assert "application/json, text/plain" == lists.request.headers["Accept"]
    assert ("a", "c") == lists.request.query.all("tag")
    assert "*/*" == single.request.headers["accept"]


def test_time_is_text_in_microseconds() -> None:
    """
    timeEpoch counts microseconds; without a context there is no time.
    """
    raw = payload("vpc_lattice_v2")

    assert datetime(2024, 1, 1, tzinfo=UTC) == VpcLatticeV2Event.model_validate(raw).received_at
    assert VpcLatticeV2Event.model_validate({**raw, "requestContext": None}).received_at is None


def test_identity_is_optional() -> None:
    """
    Unsigned requests have none.
    """
    signed = VpcLatticeV2Event.model_validate(payload("vpc_lattice_v2")).request_context
    bare = VpcLatticeV2Event.model_validate(payload("vpc_lattice_v2__single_values")).request_context

    assert signed is not None
    assert signed.identity is not None
    assert ("AWS_IAM", "o-a1b2c3d4e5") == (signed.identity.type, signed.identity.principal_org_id)
    assert bare is not None
    assert bare.identity is None


@pytest.mark.parametrize(("name", "model"), [("vpc_lattice_v1", VpcLatticeV1Event), ("vpc_lattice_v2", VpcLatticeV2Event)])
def test_bodies_parse_and_answers_are_alike(name: str, model: type[VpcLatticeV1Event | VpcLatticeV2Event]) -> None:
    """
    Base64 is honoured in either spelling of the flag, and both versions take the same answer.
    """
    event = model.model_validate(payload(name))

    assert Order(sku="teapot", quantity=2) == event.parse(Order)
    assert {"statusCode": 204, "headers": {"set-cookie": "a=1"}, "body": "", "isBase64Encoded": False} == event.respond(
        204, cookies=["a=1"]
    )


def test_two_cookies_are_too_many() -> None:
    """
    Lattice's answers have single values only.
    """
    with pytest.raises(ConfigurationError, match="one cookie only"):
        VpcLatticeV2Event.model_validate(payload("vpc_lattice_v2")).respond(cookies=["a=1", "b=2"])


def test_the_target_group_tells_a_request_without_headers() -> None:
    """
    Method and path alone could be anyone's.
    """
    raw = payload("vpc_lattice_v2")
    del raw["headers"]

    assert VpcLatticeV2Event is type(parse_event(raw))
    with pytest.raises(EventError, match="no event source is known"):
        parse_event({"method": "GET", "path": "/"})
