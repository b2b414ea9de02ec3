"""
The embedded AWS serves functions, counts their calls, and goes back to its seed.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lambda_kit._local import EmbeddedAws, LocalFunction
from lambda_kit.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HANDLER = """
    import boto3

    ssm = boto3.client("ssm")

    def handler(event, context):
        return ssm.get_parameter(Name=event["name"])["Parameter"]["Value"]
"""


@pytest.fixture(scope="module")
def aws() -> Iterator[EmbeddedAws]:
    with EmbeddedAws.start({"parameters": {"/price": "19.90"}}) as running:
        yield running


def test_a_function_comes_here_and_is_counted(aws: EmbeddedAws, handler_module: Callable[[str], Path]) -> None:
    """
    The variables lead boto3 here; the seed's own calls are not counted, the function's are.
    """
    aws.forget_calls()
    with LocalFunction("app.handler", task_root=handler_module(HANDLER), timeout_s=30.0, environ=aws.environ) as function:
        assert "19.90" == function.invoke({"name": "/price"}).payload

    assert {"ssm:GetParameter": 1} == aws.calls()
    assert {"ssm:GetParameter": 1} == aws.forget_calls()
    assert {} == aws.calls()


def test_the_first_read_of_a_service_is_answered_in_time(handler_module: Callable[[str], Path]) -> None:
    """
    Without any seed too, a function's first question gets AWS's answer: the service is there before the function is.
    """
    reader = """
    from lambda_kit import get_parameter

    def handler(event, context):
        return get_parameter("/no/such")
    """
    with EmbeddedAws.start() as empty:
        with LocalFunction("app.handler", task_root=handler_module(reader), environ=empty.environ) as function:
            result = function.invoke({})

        assert {"ssm:GetParameter": 1} == empty.calls()

    assert result.error is not None
    assert "ParameterNotFoundError" == result.error["errorType"]


def test_reset_goes_back_to_the_seed(aws: EmbeddedAws) -> None:
    """
    What a test has changed is gone, and so are its counts.
    """
    client = aws.client("ssm")
    client.put_parameter(Name="/price", Value="0", Type="String", Overwrite=True)

    aws.reset()

    assert {} == aws.calls()
    assert "19.90" == client.get_parameter(Name="/price")["Parameter"]["Value"]


def test_a_seed_that_is_not_there_or_not_toml_is_told(tmp_path: Path) -> None:
    """
    Before anything is started.
    """
    (tmp_path / "aws.toml").write_text("[parameters")

    with pytest.raises(ConfigurationError, match="is not TOML"):
        EmbeddedAws.start(tmp_path / "aws.toml")
    with pytest.raises(ConfigurationError, match="there is no"):
        EmbeddedAws.start(str(tmp_path / "none.toml"))


def test_a_seed_that_aws_refuses_leaves_no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The server that was started for it is ended.
    """
    ended: list[int] = []
    really_close = EmbeddedAws.close

    class Watched(EmbeddedAws):
        def close(self) -> None:
            really_close(self)
            ended.append(self._process.pid)

    with pytest.raises(ConfigurationError, match="was refused"):
        Watched.start({"buckets": {"b": {}}})

    assert not Path(f"/proc/{ended[0]}").exists()


def test_a_server_that_does_not_come_up_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """
    With what it said.
    """
    (tmp_path / "moto").mkdir()
    (tmp_path / "moto" / "__init__.py").write_text("raise RuntimeError('a broken moto')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    with pytest.raises(ConfigurationError, match="a broken moto"):
        EmbeddedAws.start()
