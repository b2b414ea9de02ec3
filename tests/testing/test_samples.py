"""
The sample events of the test kit.
"""

from __future__ import annotations

import pytest

from lambda_kit.testing import LambdaEvents
from lambda_kit.testing._samples import sample_event, sample_kinds


def test_each_sample_is_fresh() -> None:
    """
    A test may change its event; the next one gets another.
    """
    sample_event("sqs")["Records"].clear()

    assert 2 == len(sample_event("sqs")["Records"])
    assert sample_event("sqs") == LambdaEvents().sample("sqs")
    assert {"alb", "sqs", "sns", "apigw_http_v2"} <= set(sample_kinds())


@pytest.mark.parametrize("kind", ["sqss", "../samples/sqs", ""])
def test_an_unknown_kind_says_which_there_are(kind: str) -> None:
    """
    A misspelt kind is an error that helps; kinds are no paths.
    """
    with pytest.raises(LookupError, match=r"there are: alb, .*, workmail"):
        sample_event(kind)
