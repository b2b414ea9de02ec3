"""
S3ObjectLambdaEvent.
"""

from __future__ import annotations

import pytest

from lambda_kit.events import S3ObjectLambdaEvent
from tests.events.payloads import names, payload


@pytest.mark.parametrize("name", names("s3_object_lambda"))
def test_an_object_lambda_request_has_one_context(name: str) -> None:
    """
    GetObject, HeadObject and both kinds of listing have the address of the original in the same place.
    """
    context = S3ObjectLambdaEvent.model_validate(payload(name)).context

    assert context is not None
    assert context.input_s3_url.startswith("https://orders-123456789012.s3-accesspoint.")
    assert ("token" if name == "s3_object_lambda" else None) == context.output_token
