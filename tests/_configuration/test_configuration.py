"""
Values read at once, through the cache of the handles.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lambda_kit import get_parameter, get_secret, parameter, secret
from lambda_kit.errors import ConfigurationError, ParameterNotFoundError, ParameterUnavailableError
from tests.aws_server import BROKEN

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.aws_server import AwsServer


def test_getter_and_handle_share_the_value(
    aws_environ: AwsServer, put_parameter: Callable[..., None], put_secret: Callable[..., str]
) -> None:
    """
    What one has read, the other finds, whatever it converts it to.
    """
    put_parameter("/p", "12")
    put_secret("s", '{"a": "1"}')

    assert ("12", 12, 12, "12") == (
        get_parameter("/p"),
        get_parameter("/p", convert=int),
        parameter("/p", convert=int)(),
        get_parameter("/p"),
    )
    assert (1, "1", '{"a": "1"}') == (secret("s", key="a", convert=int)(), get_secret("s", key="a"), get_secret("s"))
    assert 1 == get_secret("s", key="a", convert=int)
    assert ["GetParameter", "GetSecretValue"] == aws_environ.calls


def test_fresh_asks_aws_and_keeps_the_answer(
    aws_environ: AwsServer, put_parameter: Callable[..., None], put_secret: Callable[..., str]
) -> None:
    """
    The cache is passed by on the way there and filled on the way back.
    """
    put_parameter("/p", "1")
    put_secret("s", "one")
    get_parameter("/p"), get_secret("s")
    put_parameter("/p", "2")
    put_secret("s", "two")

    assert ("1", "2", "2") == (get_parameter("/p"), get_parameter("/p", fresh=True), get_parameter("/p"))
    assert ("one", "two", "two") == (get_secret("s"), get_secret("s", fresh=True), get_secret("s"))
    assert 4 == len(aws_environ.calls)


def test_fresh_never_serves_the_old_value(aws_environ: AwsServer, put_parameter: Callable[..., None]) -> None:
    """
    Who asks for a fresh value gets that or an error; others still get what there is.
    """
    put_parameter("/p", "1")
    get_parameter("/p")
    aws_environ.always = BROKEN

    with pytest.raises(ParameterUnavailableError):
        get_parameter("/p", fresh=True)
    assert "1" == get_parameter("/p")


def test_versions_do_not_mix(put_parameter: Callable[..., None], aws_environ: AwsServer) -> None:
    """
    Version, label and plain name are kept apart, and given in the name they mean the same.
    """
    put_parameter("/p", "1")
    put_parameter("/p", "2")
    aws_environ.boto3("ssm").label_parameter_version(Name="/p", ParameterVersion=1, Labels=["live"])

    values = [get_parameter("/p"), get_parameter("/p", version=1), get_parameter("/p", version="live"), get_parameter("/p:1")]
    assert ["2", "1", "1", "1"] == values
    with pytest.raises(ParameterNotFoundError, match="no parameter '/p:9' in eu-west-1"):
        get_parameter("/p", version=9)


def test_ciphertext_and_clear_text_do_not_mix(put_parameter: Callable[..., None]) -> None:
    """
    Asking for ciphertext first does not make the clear text's readers get it, nor the other way round.
    """
    put_parameter("/p", "clear", Type="SecureString")

    values = [get_parameter("/p", decrypt=False), get_parameter("/p"), get_parameter("/p", decrypt=False)]
    assert "clear" == values[1]
    assert "clear" != values[0] == values[2]


def test_stages_do_not_mix(put_secret: Callable[..., str]) -> None:
    """
    The previous version is not handed out for the current one.
    """
    put_secret("s", "one")
    put_secret("s", "two")

    assert ["two", "one", "two"] == [get_secret("s"), get_secret("s", version_stage="AWSPREVIOUS"), get_secret("s")]


def test_binary_secret_reaches_convert_as_bytes(put_secret: Callable[..., str]) -> None:
    """
    Binary secrets are bytes.
    """
    put_secret("s", b"\x00\xff")

    assert b"\x00\xff" == get_secret("s", convert=bytes)


def test_callable_without_hash_is_served(put_parameter: Callable[..., None]) -> None:
    """
    A conversion that cannot be remembered by works on every call.
    """

    class Unhashable:
        __hash__ = None  # type: ignore[assignment]  # which is the point

        def __call__(self, text: str) -> int:
            return int(text)

    put_parameter("/p", "1")

    assert [1, 1] == [get_parameter("/p", convert=Unhashable()) for _ in range(2)]


def test_arn_names_a_parameter_and_a_secret(
    aws_environ: AwsServer, put_parameter: Callable[..., None], put_secret: Callable[..., str]
) -> None:
    """
    An ARN is a name.
    """
    put_parameter("/p", "1")
    put_secret("s", "one")
    arn = aws_environ.boto3("secretsmanager").describe_secret(SecretId="s")["ARN"]

    assert "one" == get_secret(arn)
    assert "1" == get_parameter("arn:aws:ssm:eu-west-1:123456789012:parameter/p")


@pytest.mark.parametrize("read", [get_parameter, get_secret, parameter, secret])
def test_wrong_arguments_are_refused_at_once(aws_environ: AwsServer, read: Any) -> None:
    """
    No name, or no function to convert with, is an error before anything is asked.
    """
    with pytest.raises(ConfigurationError, match=f"{read.__name__}.. needs a name"):
        read("")
    with pytest.raises(ConfigurationError, match="convert= takes a function or a class: got str"):
        read("/p", convert="int")
    assert [] == aws_environ.calls
