"""
What AWS's errors mean, and how long a read may take.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError, ParamValidationError, ReadTimeoutError

from lambda_kit import _invocation, get_parameter, get_secret
from lambda_kit._configuration._sources import cache
from lambda_kit.errors import (
    ConfigurationError,
    LambdaKitError,
    ParameterAccessError,
    ParameterError,
    ParameterNotFoundError,
    ParameterUnavailableError,
)
from tests.aws_server import Fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.aws_server import AwsServer


class Context:
    """
    As much of a context as a deadline needs.
    """

    aws_request_id = "request"

    def __init__(self, remaining_ms: int) -> None:
        self.remaining_ms = remaining_ms

    def get_remaining_time_in_millis(self) -> int:
        return self.remaining_ms


def with_time_left(seconds: float) -> Any:
    context: Any = Context(int(seconds * 1000))
    return _invocation.scope(context)


ABSENT, DENIED, PASSING = ParameterNotFoundError, ParameterAccessError, ParameterUnavailableError


@pytest.mark.parametrize(
    ("fault", "kind", "message"),
    [
        (Fault(400, "ParameterNotFound"), ABSENT, "no {} (ParameterNotFound): create it there, or correct the name"),
        (Fault(400, "ParameterVersionNotFound", "gone"), ABSENT, "no {} (ParameterVersionNotFound: gone): create it there"),
        (
            Fault(400, "AccessDeniedException", "no"),
            DENIED,
            "may not be read in eu-west-1 (AccessDeniedException: no): the role needs ssm:",
        ),
        (Fault(400, "InvalidKeyId", "disabled"), DENIED, "and kms:Decrypt"),
        (Fault(400, "UnrecognizedClientException"), DENIED, "the role needs"),
        (Fault(400, "ThrottlingException", "Rate"), PASSING, "could not be read in eu-west-1 just now (ThrottlingException: Rate)"),
        (Fault(400, "ExpiredTokenException"), PASSING, "just now"),
        (Fault(503, "Whatever"), PASSING, "just now (Whatever)"),
        (Fault(400, "ValidationException", "bad"), ParameterError, "parameter '/p' cannot be read in eu-west-1 (ValidationException: bad)"),
    ],
    ids=lambda value: value.code if isinstance(value, Fault) else "",
)
def test_error_answer_is_the_fitting_error(aws_environ: AwsServer, fault: Fault, kind: type[ParameterError], message: str) -> None:
    """
    Each says what was asked, where, what came back and what to do; its cause is botocore's error.
    """
    aws_environ.always = fault

    with pytest.raises(ParameterError) as raised:
        get_parameter("/p")
    assert kind is type(raised.value)
    assert message.format("parameter '/p' in eu-west-1") in str(raised.value)
    assert "/p" == raised.value.name
    assert isinstance(raised.value.__cause__, ClientError)


def test_secrets_have_their_own_words(aws_environ: AwsServer) -> None:
    """
    A missing secret is named with its stage, a denied one with its actions.
    """
    with pytest.raises(ParameterNotFoundError, match=r"no secret 's' \(AWSPENDING\) in eu-west-1 \(ResourceNotFoundException"):
        get_secret("s", version_stage="AWSPENDING")
    aws_environ.always = Fault(400, "DecryptionFailure", "key is disabled")
    with pytest.raises(ParameterAccessError, match="secretsmanager:GetSecretValue, and kms:Decrypt"):
        get_secret("s")


def test_throttled_read_is_tried_again(aws_environ: AwsServer, put_parameter: Callable[..., None]) -> None:
    """
    One throttled answer is not an error yet.
    """
    put_parameter("/p", "1")
    aws_environ.faults.append(Fault(400, "ThrottlingException"))

    assert "1" == get_parameter("/p")
    assert ["GetParameter", "GetParameter"] == aws_environ.calls


def test_unreachable_endpoint_is_unavailable(aws_environ: AwsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The error names the endpoint and asks about the network.
    """
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")

    with pytest.raises(ParameterUnavailableError, match=r'"http://127\.0\.0\.1:9/"; is the endpoint reachable') as raised:
        get_parameter("/p")
    assert isinstance(raised.value.__cause__, EndpointConnectionError)
    assert [] == aws_environ.calls


def test_hanging_endpoint_ends_within_the_time_left(aws_environ: AwsServer) -> None:
    """
    With two seconds left the read is given up before the invocation is: one attempt, one second.
    """
    with aws_environ.held(), with_time_left(2.0), pytest.raises(ParameterUnavailableError) as raised:
        get_parameter("/p")

    assert isinstance(raised.value.__cause__, ReadTimeoutError)
    assert ["GetParameter"] == aws_environ.calls


def test_waiting_for_another_read_ends_within_the_time_left(aws_environ: AwsServer) -> None:
    """
    A thread with less time than the one that reads does not wait for it to the end.
    """
    with ThreadPoolExecutor(1) as pool, aws_environ.held():
        reading = pool.submit(get_parameter, "/p")
        aws_environ.await_calls(1)

        with with_time_left(0.05), pytest.raises(ParameterUnavailableError, match="parameter '/p': no time left to wait for it"):
            get_parameter("/p")
    assert isinstance(reading.exception(10), ParameterError)


def test_no_call_begins_without_time(aws_environ: AwsServer) -> None:
    """
    Close to the deadline nothing is asked any more.
    """
    with with_time_left(0.1), pytest.raises(ParameterUnavailableError, match=r"parameter '/p' is not asked for with only 0\.\d+ s left"):
        get_parameter("/p")
    assert [] == aws_environ.calls


@pytest.mark.usefixtures("aws_environ")
def test_missing_credentials_are_a_matter_of_set_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Without credentials the error says where they come from.
    """
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)

    with pytest.raises(ConfigurationError, match="on Lambda the execution role brings them") as raised:
        get_parameter("/p")
    assert isinstance(raised.value.__cause__, NoCredentialsError)


@pytest.mark.usefixtures("aws_environ")
def test_missing_region_is_a_matter_of_set_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Without a region the error says what to set.
    """
    monkeypatch.delenv("AWS_REGION")
    monkeypatch.delenv("AWS_DEFAULT_REGION")

    with pytest.raises(ConfigurationError, match="set AWS_REGION"):
        get_parameter("/p")


@pytest.mark.usefixtures("aws_environ")
def test_arguments_that_aws_would_refuse_are_named() -> None:
    """
    What botocore refuses to send is an error of the parameter, and no outage.
    """
    wrong: Any = 3
    with pytest.raises(ParameterError, match="parameter '/p' cannot be asked for in eu-west-1: Parameter validation failed") as raised:
        get_parameter("/p", decrypt=wrong)
    assert isinstance(raised.value.__cause__, ParamValidationError)
    assert not raised.value.retryable


def test_errors_survive_waiting_threads(aws_environ: AwsServer) -> None:
    """
    A thread that waited for another one's failing read has an error of its own with the same facts and cause.
    """
    with ThreadPoolExecutor(64) as pool:
        with aws_environ.held():
            futures = [pool.submit(get_parameter, "/absent") for _ in range(64)]
            aws_environ.await_calls(1)
            flight = cache._flights["parameter", "/absent", None, True]
            while flight.waiting < 63:
                assert not any(future.done() for future in futures)
        raised = [future.exception(10) for future in futures]

    assert ["GetParameter"] == aws_environ.calls
    assert 64 == len({id(exc) for exc in raised})
    assert {"ResponseMetadata", "Error"} <= {*raised[0].__cause__.response}  # type: ignore[union-attr]  # the ClientError
    for exc in raised:
        assert isinstance(exc, LambdaKitError)
        assert exc.__cause__ is raised[0].__cause__  # type: ignore[union-attr]  # an exception, as asserted
