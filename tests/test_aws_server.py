"""
The suite's own AWS endpoint: it counts, fails, holds and forgets as told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from tests.aws_server import DENIED

if TYPE_CHECKING:
    from tests.aws_server import AwsServer


def test_calls_are_counted_and_arranging_is_not(aws_environ: AwsServer) -> None:
    """
    A client of the code under test is counted by operation; the test's own is invisible.
    """
    import boto3

    aws_environ.boto3("ssm").put_parameter(Name="/p", Value="1", Type="String")

    assert "1" == boto3.Session().client("ssm").get_parameter(Name="/p")["Parameter"]["Value"]
    assert ["GetParameter"] == aws_environ.calls


def test_planned_fault_is_the_answer_once(aws_environ: AwsServer) -> None:
    """
    A fault is handed out to one call; the next one reaches moto.
    """
    import boto3

    aws_environ.boto3("ssm").put_parameter(Name="/p", Value="1", Type="String")
    ssm = boto3.Session().client("ssm")
    aws_environ.faults.append(DENIED)

    with pytest.raises(ClientError, match="AccessDenied"):
        ssm.get_parameter(Name="/p")
    assert "1" == ssm.get_parameter(Name="/p")["Parameter"]["Value"]
