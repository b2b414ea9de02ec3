"""
A function's configuration is checked as Lambda checks it, and becomes the variables Lambda sets.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from lambda_kit._local._function import FunctionConfiguration
from lambda_kit._local._processes import python_name
from lambda_kit.errors import ConfigurationError


def configuration(**settings: Any) -> FunctionConfiguration:
    """
    Return a configuration of a function somewhere.
    """
    return FunctionConfiguration(**{"handler": "app.handler", "task_root": Path("/var"), **settings})


def variables(**settings: Any) -> dict[str, str]:
    """
    Return its variables.
    """
    return configuration(**settings).variables(runtime_api="127.0.0.1:1", temporary=Path("/tmp/x"))  # noqa: S108  # nothing is written there


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"timeout_s": 0.0}, "timeout"),
        ({"timeout_s": 901.0}, "900 s"),
        ({"memory_mb": 127}, "128"),
        ({"init_type": "warm"}, "snap-start"),
        ({"environ": {"_HANDLER": "x"}}, "_HANDLER"),
        ({"task_root": Path("/var/no/such/place")}, "the root '/var/no/such/place' is not a directory"),
    ],
    ids=["no time", "too long", "too small", "no such type", "Lambda's own", "no such root"],
)
def test_what_lambda_would_refuse_is_refused(settings: dict[str, Any], told: str) -> None:
    """
    The message names what is wrong or what would be right.
    """
    with pytest.raises(ConfigurationError, match=told):
        configuration(**settings)


def test_variables_are_lambdas() -> None:
    """
    The runtime and the function find what they find on Lambda.
    """
    found = variables(function_name="orders", memory_mb=256, region="eu-west-1", xray_address="127.0.0.1:2")

    assert "orders" == found["AWS_LAMBDA_FUNCTION_NAME"]
    assert "256" == found["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
    assert "$LATEST" == found["AWS_LAMBDA_FUNCTION_VERSION"]
    assert "on-demand" == found["AWS_LAMBDA_INITIALIZATION_TYPE"]
    assert "/aws/lambda/orders" == found["AWS_LAMBDA_LOG_GROUP_NAME"]
    assert "[$LATEST]" in found["AWS_LAMBDA_LOG_STREAM_NAME"]
    assert "127.0.0.1:1" == found["AWS_LAMBDA_RUNTIME_API"]
    assert ("eu-west-1", "eu-west-1") == (found["AWS_REGION"], found["AWS_DEFAULT_REGION"])
    assert f"AWS_Lambda_{python_name()}" == found["AWS_EXECUTION_ENV"]
    assert ("/var", "app.handler") == (found["LAMBDA_TASK_ROOT"], found["_HANDLER"])
    assert ("127.0.0.1:2", "127.0.0.1", "2") == tuple(found[f"{name}"] for name in XRAY)


XRAY = ("AWS_XRAY_DAEMON_ADDRESS", "_AWS_XRAY_DAEMON_ADDRESS", "_AWS_XRAY_DAEMON_PORT")


def test_no_call_to_aws_leaves_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Without an endpoint of its own a function has credentials nobody knows, no profile, and an endpoint nobody listens at.
    """
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a real one")

    found = variables()

    assert "http://127.0.0.1:9" == found["AWS_ENDPOINT_URL"]
    assert "AWS_PROFILE" not in found
    assert "a real one" not in found.values()
    assert (os.devnull, os.devnull) == (found["AWS_CONFIG_FILE"], found["AWS_SHARED_CREDENTIALS_FILE"])


def test_the_functions_own_variables_win() -> None:
    """
    An endpoint or a role may be given.
    """
    assert "http://127.0.0.1:4566" == variables(environ={"AWS_ENDPOINT_URL": "http://127.0.0.1:4566"})["AWS_ENDPOINT_URL"]


def test_layers_come_before_this_machines_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A layer's site-packages and its python folder are on the path, in Lambda's order.
    """
    monkeypatch.setenv("PYTHONPATH", "/src")

    path = variables(layers=[Path("/opt")])["PYTHONPATH"].split(os.pathsep)

    assert [f"/opt/python/lib/{python_name()}/site-packages", "/opt/python", "/src"] == path


def test_init_has_longer_when_nobody_waits() -> None:
    """
    A snapshot has 130 s, or the function's timeout.
    """
    assert 130.0 == configuration().snapshot_timeout_s
    assert 300.0 == configuration(timeout_s=300.0).snapshot_timeout_s
