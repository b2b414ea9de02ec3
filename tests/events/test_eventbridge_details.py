"""
The details that AWS sends.
"""

from __future__ import annotations

import pytest
from pydantic import BaseModel

from lambda_kit.events import ApiCallDetail, CodePipelineDetail, EventBridgeEvent, S3ObjectDetail
from lambda_kit.events._eventbridge_details import model_of
from tests.events.payloads import payload


@pytest.mark.parametrize(
    ("name", "size", "reason"),
    [("eventbridge__s3", 1024, "PutObject"), ("eventbridge__s3_deleted", None, "Lifecycle Expiration")],
)
def test_s3_through_the_bus_has_a_model(name: str, size: int | None, reason: str) -> None:
    """
    Names are hyphened, keys are not encoded, deleted objects have no ETag. Powertools for Python, issue 4156.
    """
    detail = EventBridgeEvent.model_validate(payload(name)).known_detail()

    assert isinstance(detail, S3ObjectDetail)
    assert (size, reason) == (detail.object.size, detail.reason)
    assert detail.object.key.startswith("in/a")


def test_keys_on_the_bus_are_as_they_are() -> None:
    """
    A plus in a key stays a plus.
    """
    assert "in/a+b c.png" == EventBridgeEvent[S3ObjectDetail].model_validate(payload("eventbridge__s3")).detail.object.key


@pytest.mark.parametrize(
    ("source", "kind", "model"),
    [
        ("aws.codepipeline", "CodePipeline Stage Execution State Change", CodePipelineDetail),
        ("aws.s3", "AWS API Call via CloudTrail", ApiCallDetail),
        ("aws.iam", "AWS API Call via CloudTrail", ApiCallDetail),
        ("aws.s3", "Something New", None),
        ("shop.orders", "OrderPlaced", None),
    ],
)
def test_details_are_known_by_source_and_type(source: str, kind: str, model: type[BaseModel] | None) -> None:
    """
    What somebody else sends is of no model of the kit's.
    """
    assert model is model_of(source, kind)


def test_an_unknown_detail_has_no_model() -> None:
    """
    One's own events are for one's own models.
    """
    assert EventBridgeEvent.model_validate(payload("eventbridge")).known_detail() is None
