"""
Which way is asked, chosen once, and nothing loaded for the other.
"""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

import pytest

from lambda_kit import _runtime, get_parameter, get_secret
from lambda_kit._configuration._boto3 import Boto3
from lambda_kit._configuration._transports import transport
from lambda_kit._transport import Lean
from lambda_kit.errors import ConfigurationError, MissingDependencyError, ServiceError
from tests import fresh_process

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.aws_server import AwsServer


def test_it_is_chosen_once(aws_environ: AwsServer, way: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """
    The variable decides for the life of the process, and the log says so at DEBUG.
    """
    caplog.set_level(logging.DEBUG, "lambda_kit")
    first = transport()
    monkeypatch.setenv("LAMBDA_KIT_TRANSPORT", "other")

    assert first is transport()
    assert (Boto3 if way == "boto3" else Lean) is type(first)
    assert "eu-west-1" == first.region
    assert [f"parameters, secrets and keys are read over {way}: LAMBDA_KIT_TRANSPORT says so"] == caplog.messages
    _runtime.reset()
    with pytest.raises(ConfigurationError, match="LAMBDA_KIT_TRANSPORT is to be 'lean' or 'boto3': got 'other'"):
        get_parameter("/p")


def test_a_budget_that_ran_out_in_a_freeze_is_the_shortest(aws_environ: AwsServer, put_parameter: Callable[..., None]) -> None:
    """
    It leads to an attempt with the shortest timeouts.
    """
    put_parameter("/p", "1")

    assert "1" == Boto3().request("ssm", "GetParameter", {"Name": "/p"}, budget_s=-1.0)["Parameter"]["Value"]


@pytest.mark.parametrize(
    ("declared", "loaded"),
    [("", []), ("from lambda_kit import client; s3 = client('s3')", ["botocore", "lambda_kit._clients"])],
    ids=["nothing declared", "a client declared"],
)
def test_on_lambda_the_function_decides(
    aws_environ: AwsServer, put_parameter: Callable[..., None], put_secret: Callable[..., str], declared: str, loaded: list[str]
) -> None:
    """
    A function that declares no client reads without loading an SDK; one that does reads over it.
    """
    put_parameter("/p", "1")
    put_secret("s", "2")
    code = f"""
    import json, os, sys
    misleading = ("_CONFIG_FILE", "_CREDENTIALS_FILE", "_CA_BUNDLE", "_PROXY", "_TRANSPORT")
    for name in [name for name in os.environ if name.upper().endswith(misleading)]:
        del os.environ[name]
    {declared}
    from lambda_kit import parameter, secret
    values = [parameter("/p")(), secret("s")()]
    print(json.dumps([values, [name for name in ("botocore", "lambda_kit._clients") if name in sys.modules]]))
    """

    assert [["1", "2"], loaded] == fresh_process.result(code, environ={"AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9"})
    assert ["GetParameter", "GetSecretValue"] == aws_environ.calls


def test_arguments_that_botocore_refuses_are_no_outage(aws_environ: AwsServer) -> None:
    """
    What botocore does not even send has a code, so it is not taken for a failure that may pass.
    """
    with pytest.raises(ServiceError, match="ParamValidationError: Parameter validation failed") as raised:
        Boto3().request("ssm", "GetParameter", {"Name": 3}, budget_s=5.0)

    assert ("ParamValidationError", "eu-west-1", False) == (raised.value.code, raised.value.region, raised.value.retryable)
    assert [] == aws_environ.calls


def test_missing_boto3_says_what_to_install(aws_environ: AwsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Where boto3 is the way and is not there, the error names the extra.
    """
    monkeypatch.setenv("LAMBDA_KIT_TRANSPORT", "boto3")
    monkeypatch.setitem(sys.modules, "botocore.exceptions", None)

    with pytest.raises(MissingDependencyError, match="aws"):
        get_secret("s")
