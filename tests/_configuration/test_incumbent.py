"""
Seven things that go wrong with the most used library for parameters today, and do not go wrong here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lambda_kit import get_parameter, get_parameters, get_secret, get_secrets
from lambda_kit._configuration._sources import cache
from lambda_kit.errors import ParameterAccessError, ParameterNotFoundError, ParameterUnavailableError
from tests.aws_server import BROKEN, Fault
from tests.threads import at_once

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.aws_server import AwsServer


def test_1_clear_text_is_not_the_ciphertext_of_before(put_parameter: Callable[..., None]) -> None:
    """
    ``decrypt`` is part of what a cached value is found by.
    """
    put_parameter("/enc", "clear", Type="SecureString")
    get_parameter("/enc", decrypt=False)

    assert "clear" == get_parameter("/enc", decrypt=True)


def test_2_previous_is_not_current(put_secret: Callable[..., str]) -> None:
    """
    So is the version stage.
    """
    put_secret("s", "one")
    put_secret("s", "two")

    assert ("two", "one") == (get_secret("s"), get_secret("s", version_stage="AWSPREVIOUS"))


def test_3_many_fill_the_cache_of_one(aws_environ: AwsServer, put_parameter: Callable[..., None]) -> None:
    """
    What came in a batch is not fetched again singly.
    """
    names = [f"/p{number}" for number in range(25)]
    for name in names:
        put_parameter(name, name)

    get_parameters(names)
    assert "/p1" == get_parameter("/p1")
    assert ["GetParameters"] * 3 == aws_environ.calls


def test_4_names_with_a_version_work_in_batches(aws_environ: AwsServer, put_parameter: Callable[..., None]) -> None:
    """
    A selector is answered under the name that was asked for.
    """
    for value in ("1", "2"):
        put_parameter("/a", value)
    put_parameter("/b", "3")

    assert {"/a:1": "1", "/b": "3"} == get_parameters(["/a:1", "/b"])
    assert ["GetParameters"] == aws_environ.calls


@pytest.mark.parametrize(
    ("fault", "error"), [(BROKEN, ParameterUnavailableError), (Fault(400, "InvalidKeyId"), ParameterAccessError)], ids=["5xx", "key"]
)
def test_5_a_failing_batch_is_an_error(aws_environ: AwsServer, fault: Fault, error: type[Exception]) -> None:
    """
    Nothing found because of a failure is not an empty result.
    """
    aws_environ.always = fault

    with pytest.raises(error):
        get_parameters(["/a", "/b"])


def test_6_secrets_are_found_by_exact_name(aws_environ: AwsServer, put_secret: Callable[..., str]) -> None:
    """
    One that begins like another is not brought, one that is missing is not passed over, from the cache neither.
    """
    for name in ("db", "db-prod", "x", "y"):
        put_secret(name, name)

    assert [{"db": "db", "x": "x", "y": "y"}] * 2 == [get_secrets(["db", "x", "y"]) for _ in range(2)]
    with pytest.raises(ParameterNotFoundError, match="no secret 'd' in eu-west-1"):
        get_secrets(["d", "x", "y", "db"])


def test_7_many_threads_are_one_call_and_clearing_harms_nobody(aws_environ: AwsServer, put_parameter: Callable[..., None]) -> None:
    """
    Threads share a fetch, and a value dropped while others read is read again, never half there.
    """
    put_parameter("/p", "1")

    assert ["1"] * 64 == at_once(64, lambda: get_parameter("/p"))
    assert ["GetParameter"] == aws_environ.calls

    def drop_and_get() -> str:
        cache.invalidate(("parameter", "/p", None, True))
        return get_parameter("/p")

    assert ["1"] * 16 == at_once(16, drop_and_get)
