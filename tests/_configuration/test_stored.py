"""
Handles of parameters and secrets: read when called, converted once per version, current, and silent about their value.
"""

from __future__ import annotations

import gc
import logging
import re
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from lambda_kit import _runtime, parameter, preload, secret
from lambda_kit._cache import Entry
from lambda_kit.errors import (
    ConfigurationError,
    ParameterAccessError,
    ParameterNotFoundError,
    ParameterUnavailableError,
    ParameterValueError,
    ServiceError,
)
from tests import fresh_process
from tests._configuration.exposure import given_away_by
from tests.aws_server import BROKEN, DENIED, THROTTLED

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.aws_server import AwsServer


def test_declaring_reads_nothing(aws_environ: AwsServer) -> None:
    """
    A declaration calls nothing, and its repr says that nothing was read.
    """
    price, password = parameter("/p", version=3), secret("s", version_stage="AWSPENDING")

    assert ["<parameter '/p:3', not read>", "<secret 's' (AWSPENDING), not read>"] == [repr(price), repr(password)]
    assert (None, None) == (price.version, price.age_s)
    assert [] == aws_environ.calls


def test_declaring_imports_nothing() -> None:
    """
    boto3 and cachetools come in with the first read.
    """
    code = """
        import json, sys
        from lambda_kit import env, parameter, secret
        parameter("/p"), secret("s"), env("X")
        print(json.dumps([name for name in ("boto3", "botocore", "cachetools", "pydantic") if name in sys.modules]))
    """

    assert [] == fresh_process.result(code)


def test_value_is_read_once(aws_environ: AwsServer, put_parameter: Callable[..., None]) -> None:
    """
    The first call asks AWS, later ones do not; version, age and repr tell about it.
    """
    put_parameter("/p", "9.50", Type="SecureString")
    price = parameter("/p", convert=Decimal)

    assert (Decimal("9.50"), Decimal("9.50")) == (price(), price())
    assert ["GetParameter"] == aws_environ.calls
    assert "1" == price.version
    assert price.age_s is not None
    assert 0 <= price.age_s < 60
    assert "<parameter '/p', version 1, 0 s old>" == repr(price)


def test_recreated_parameter_is_read_anew(
    aws_environ: AwsServer, put_parameter: Callable[..., None], pass_time: Callable[[float], None]
) -> None:
    """
    Its version is 1 again, its value is not what it was.
    """
    put_parameter("/p", "9.50")
    price = parameter("/p", convert=Decimal)
    price()
    aws_environ.boto3("ssm").delete_parameter(Name="/p")
    put_parameter("/p", "8.50")
    pass_time(301.0)

    assert (Decimal("8.50"), "1") == (price(), price.version)


def test_secret_is_read_once(aws_environ: AwsServer, put_secret: Callable[..., str]) -> None:
    """
    A secret's version is its id at Secrets Manager.
    """
    version = put_secret("s", '{"password": "hidden", "port": 5432}')
    password, port = secret("s", key="password"), secret("s", key="port", convert=int)

    assert ("hidden", 5432) == (password(), port())
    assert ["GetSecretValue"] == aws_environ.calls
    assert version == password.version


def test_value_is_renewed_when_too_old(put_parameter: Callable[..., None], pass_time: Callable[[float], None]) -> None:
    """
    After max_age_s the next call sees what was written since.
    """
    put_parameter("/p", "1")
    value = parameter("/p", max_age_s=60)
    value()
    put_parameter("/p", "2")
    pass_time(61)

    assert "2" == value()
    assert "2" == value.version


def test_conversion_runs_once_per_version(put_parameter: Callable[..., None], pass_time: Callable[[float], None]) -> None:
    """
    A value fetched again without having changed is not converted again, however many threads read it.
    """
    converted = []

    def convert(text: str) -> list[str]:
        converted.append(text)
        return text.split(",")

    put_parameter("/p", "a,b", Type="StringList")
    value = parameter("/p", convert=convert, max_age_s=60)
    with ThreadPoolExecutor(16) as pool:
        assert [["a", "b"]] * 64 == list(pool.map(lambda _: value(), range(64)))
    pass_time(61)
    value()

    assert ["a,b"] == converted


def test_many_threads_ask_once(aws_environ: AwsServer, put_parameter: Callable[..., None]) -> None:
    """
    64 threads at a cold handle are one call; so they are at a failing one, each with an error and the same cause.
    """
    put_parameter("/p", "1")
    good, bad = parameter("/p"), parameter("/absent")
    with ThreadPoolExecutor(64) as pool:
        with aws_environ.held():
            futures = [pool.submit(good) for _ in range(64)]
            aws_environ.await_calls(1)
        assert {"1"} == {future.result(10) for future in futures}
    assert 1 == len(aws_environ.calls)

    with pytest.raises(ParameterNotFoundError) as raised:
        bad()
    assert isinstance(raised.value.__cause__, (ClientError, ServiceError))


def test_throttling_serves_the_old_value(
    aws_environ: AwsServer, put_parameter: Callable[..., None], pass_time: Callable[[float], None], caplog: pytest.LogCaptureFixture
) -> None:
    """
    While SSM throttles, a hundred calls cost one attempt and all get the old value; past stale_for_s the error is raised.
    """
    put_parameter("/p", "1")
    value = parameter("/p", max_age_s=60, stale_for_s=600)
    value()
    aws_environ.calls.clear()
    aws_environ.always = THROTTLED
    pass_time(61)

    assert ["1"] * 100 == [value() for _ in range(100)]
    assert ["GetParameter"] == aws_environ.calls
    assert 1 == len(caplog.messages)
    assert re.match(r"parameter '/p': version 1 is served 6\d s old, as it cannot be renewed: .*Rate exceeded", caplog.messages[0])
    pass_time(600)
    with pytest.raises(
        ParameterUnavailableError, match=r"could not be read in eu-west-1 just now \(ThrottlingException: Rate exceeded\)"
    ) as raised:
        value()
    assert isinstance(raised.value.__cause__, (ClientError, ServiceError))


def test_access_denied_never_serves_the_old_value(
    aws_environ: AwsServer, put_secret: Callable[..., str], pass_time: Callable[[float], None]
) -> None:
    """
    When the permission is gone so is the value.
    """
    put_secret("s", "hidden")
    value = secret("s", max_age_s=60)
    value()
    aws_environ.always = DENIED
    pass_time(61)

    with pytest.raises(ParameterAccessError, match="secretsmanager:GetSecretValue"):
        value()


def test_stale_secrets_can_be_forbidden(
    aws_environ: AwsServer, put_secret: Callable[..., str], pass_time: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    LAMBDA_KIT_STALE_SECRETS_S caps every secret's stale_for_s, and has to be a number.
    """
    put_secret("s", "hidden")
    value = secret("s", max_age_s=60)
    value()
    aws_environ.always = BROKEN
    pass_time(61)
    assert "hidden" == value()
    pass_time(61)

    monkeypatch.setenv("LAMBDA_KIT_STALE_SECRETS_S", "0")
    with pytest.raises(ParameterUnavailableError):
        value()
    for text in ("1 h", "nan", "-1"):
        monkeypatch.setenv("LAMBDA_KIT_STALE_SECRETS_S", text)
        with pytest.raises(ConfigurationError, match=f"LAMBDA_KIT_STALE_SECRETS_S is to be a number of seconds: got '{text}'"):
            value()


def test_invalidated_value_is_read_again(aws_environ: AwsServer, put_secret: Callable[..., str]) -> None:
    """
    Handles of one secret share its value, so invalidating one renews all; a version that is gone already changes nothing.
    """
    old = put_secret("s", "one")
    first, second = secret("s"), secret("s")
    first(), second()
    new = put_secret("s", "two")
    aws_environ.calls.clear()

    first.invalidate(failed_version=old)
    assert ("two", new) == (second(), second.version)
    second.invalidate(failed_version=old)
    assert ("two", "two") == (first(), second())
    assert ["GetSecretValue"] == aws_environ.calls
    first.invalidate()
    first()
    assert ["GetSecretValue"] * 2 == aws_environ.calls


def test_invalidating_the_unread_is_nothing(aws_environ: AwsServer) -> None:
    """
    There is nothing to drop before the first call.
    """
    secret("s").invalidate()

    assert [] == aws_environ.calls


@pytest.mark.parametrize("turn", [_runtime.reset, _runtime.restored, _runtime.take_snapshot, _runtime.forked])
def test_turns_of_life_leave_no_value(put_secret: Callable[..., str], turn: Callable[[], object]) -> None:
    """
    After a reset, restore, snapshot or fork a handle holds nothing: a snapshot contains no secret.
    """
    planted = uuid4().hex
    put_secret("s", planted)
    value = secret("s")
    assert planted == value()

    turn()

    assert "<secret 's', not read>" == repr(value)
    gc.collect()
    assert [] == [found for found in gc.get_objects() if type(found) is Entry and planted == found.value]


def test_refused_value_is_named_and_not_shown(put_secret: Callable[..., str], caplog: pytest.LogCaptureFixture) -> None:
    """
    The error names the secret, what refused it and how; neither it nor its frames show the text.
    """
    caplog.set_level(logging.DEBUG, "lambda_kit")
    planted = uuid4().hex
    put_secret("s", planted)

    with pytest.raises(ParameterValueError, match=r"secret 's' was refused by int with ValueError") as raised:
        secret("s", convert=int)()
    assert planted not in given_away_by(raised.value) + caplog.text
    assert (None, None) == (raised.value.__cause__, raised.value.__context__)


def test_failing_renewal_shows_no_old_value(
    aws_environ: AwsServer, put_secret: Callable[..., str], pass_time: Callable[[float], None]
) -> None:
    """
    An error that ends a value does not carry it in its frames.
    """
    planted = uuid4().hex
    put_secret("s", planted)
    value = secret("s", max_age_s=60)
    value()
    aws_environ.always = DENIED
    pass_time(61)

    with pytest.raises(ParameterAccessError) as raised:
        value()
    assert planted not in given_away_by(raised.value)


def test_preload_reads_parameters_together(
    aws_environ: AwsServer, put_parameter: Callable[..., None], put_secret: Callable[..., str]
) -> None:
    """
    26 parameters are three calls, a version among them, a secret is one, and calling the handles costs nothing more.
    """
    names = [f"/p/{number}" for number in range(25)]
    for name in names:
        put_parameter(name, name)
    put_secret("s", "hidden")
    put_parameter("/versioned", "1")
    handles = [parameter(name) for name in names]
    others: list[Any] = [parameter("/versioned", version=1), parameter("/p/0", convert=str.upper), secret("s")]

    preload(*handles, *others)
    preload(*handles, *others)

    assert [*["GetParameters"] * 3, "GetSecretValue"] == sorted(aws_environ.calls)
    assert names == [handle() for handle in handles]
    assert ["1", "/P/0", "hidden"] == [handle() for handle in others]
    assert 4 == len(aws_environ.calls)


def test_preload_of_one_parameter_is_a_single_get(aws_environ: AwsServer, put_parameter: Callable[..., None]) -> None:
    """
    One alone needs no permission for GetParameters; encrypted and clear ones are asked for apart.
    """
    put_parameter("/p", "1")

    preload(parameter("/p"), parameter("/p", decrypt=False))

    assert ["GetParameter", "GetParameter"] == aws_environ.calls


def test_preload_raises_for_the_one_that_is_missing(put_parameter: Callable[..., None]) -> None:
    """
    A definitive failure is raised after the others were read.
    """
    put_parameter("/p", "1")
    good = parameter("/p")

    with pytest.raises(ParameterNotFoundError, match="no parameter '/absent' in eu-west-1"):
        preload(parameter("/absent"), good)
    assert "1" == good.version or good()


def test_preload_without_permission_for_many_reads_singly(aws_environ: AwsServer, put_parameter: Callable[..., None]) -> None:
    """
    A role that has GetParameter only is served too.
    """
    put_parameter("/p", "1")
    put_parameter("/q", "2")
    aws_environ.faults.append(DENIED)
    both = [parameter("/p"), parameter("/q")]

    preload(*both)

    assert ["GetParameters", "GetParameter", "GetParameter"] == aws_environ.calls
    assert ["1", "1"] == [handle.version for handle in both]


def test_preload_leaves_lazy_what_fails_in_passing(
    aws_environ: AwsServer, put_secret: Callable[..., str], caplog: pytest.LogCaptureFixture
) -> None:
    """
    An outage at INIT is a warning; the first call reads.
    """
    put_secret("s", "hidden")
    aws_environ.always = BROKEN
    value = secret("s")

    preload(value)

    assert "<secret 's', not read>" == repr(value)
    assert ["preload: secret 's' stays lazy: secret 's' could not be read in eu-west-1 just now (InternalServerError)"] == caplog.messages
    aws_environ.always = None
    assert "hidden" == value()
