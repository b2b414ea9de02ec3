"""
What is promised of the getter, point by point: C1 to C13, calls and values.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from lambda_kit import config_stats, get_parameter, get_parameters, get_secret, get_secrets, parameter, preload, secret
from lambda_kit._configuration._sources import cache
from lambda_kit.errors import ParameterAccessError, ParameterError, ParameterNotFoundError, ParameterUnavailableError
from tests.aws_server import BROKEN, THROTTLED
from tests.threads import at_once

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests._configuration.fault_server import FaultServer
    from tests.aws_server import AwsServer

ACCOUNT_ARN = "arn:aws:ssm:eu-west-1:123456789012:parameter"
OTHER_ARN = "arn:aws:ssm:eu-west-1:210987654321:parameter"


def outcome(call: Callable[[], Any]) -> Any:
    """
    Return what *call* returns or raises.
    """
    try:
        return call()
    except ParameterError as exc:
        return exc


def code_of(exc: BaseException) -> object:
    """
    Return AWS's code out of the cause, whichever transport it came by.
    """
    cause: Any = exc.__cause__
    return cause.response["Error"]["Code"]


def test_c01_cold_key_is_one_call(aws_environ: AwsServer, put_secret: Callable[..., str]) -> None:
    """
    64 threads at a cold key are one call, and get the same value.
    """
    put_secret("s", "one")
    value = secret("s")

    assert ["one"] * 64 == at_once(64, value)
    assert ["GetSecretValue"] == aws_environ.calls


def test_c02_failing_cold_key_is_one_attempt(aws_environ: AwsServer) -> None:
    """
    64 threads at a key that fails are one attempt with its retry; each has an error and a traceback of its own.
    """
    aws_environ.always = BROKEN
    value = parameter("/p")
    with aws_environ.held(), ThreadPoolExecutor(64) as pool:
        futures = [pool.submit(value) for _ in range(64)]
        aws_environ.await_calls(1)
        flight = cache._flights["parameter", "/p", None, True]
        while flight.waiting < 63:
            assert not any(future.done() for future in futures)
        aws_environ._gate.set()
    raised = [future.exception(30) for future in futures]

    assert 2 >= len(aws_environ.calls)
    assert 64 == len({id(exc) for exc in raised}) == len({id(exc.__traceback__) for exc in raised if exc is not None})
    for exc in raised:
        assert isinstance(exc, ParameterUnavailableError)
        assert "InternalServerError" == code_of(exc)


def test_c03_three_throttled_answers_are_no_error(aws_environ: AwsServer, put_parameter: Callable[..., None]) -> None:
    """
    A caller who has to wait for a value gets it at the fourth attempt.
    """
    put_parameter("/p", "1")
    aws_environ.faults.extend([THROTTLED] * 3)

    assert "1" == get_parameter("/p")
    assert ["GetParameter"] * 4 == aws_environ.calls
    assert 1 <= config_stats().throttled


def test_c04_throttling_after_the_age_is_no_error(
    aws_environ: AwsServer, put_parameter: Callable[..., None], pass_time: Callable[[float], None]
) -> None:
    """
    A hundred invocations in ten seconds of nothing but throttling are a hundred stale values and a handful of calls.
    """
    put_parameter("/p", "1")
    value = parameter("/p", max_age_s=60, stale_for_s=600)
    value()
    aws_environ.calls.clear()
    aws_environ.always = THROTTLED
    pass_time(61)
    took_s = []
    for _ in range(100):
        began_s = time.perf_counter()
        assert "1" == value()
        took_s.append(time.perf_counter() - began_s)
        pass_time(0.1)

    assert 1 <= len(aws_environ.calls) <= 6
    assert 100 == config_stats().stale_served
    assert 0.001 > sorted(took_s)[50]
    pass_time(600)
    with pytest.raises(ParameterUnavailableError) as raised:
        value()
    assert "ThrottlingException" == code_of(raised.value)


def test_c04_throttling_of_one_spares_the_others(
    aws_environ: AwsServer, put_parameter: Callable[..., None], pass_time: Callable[[float], None], caplog: pytest.LogCaptureFixture
) -> None:
    """
    One throttled key is not followed by nine more calls: those that have a value leave the service alone, and say so once.
    """
    handles = [parameter(f"/p/{number}", max_age_s=60 + 10 * number) for number in range(10)]
    for handle in handles:
        put_parameter(handle._source.name, "1")
        handle()
    aws_environ.calls.clear()
    aws_environ.always = THROTTLED
    pass_time(200)

    assert ["1"] * 20 == [handle() for _ in range(2) for handle in handles]
    assert 1 == len(aws_environ.calls)
    assert 10 == len(caplog.messages)
    assert caplog.messages[9].endswith("as it cannot be renewed: its service wants a rest")


def test_c05_hanging_endpoint_blocks_one_caller_only(
    aws_environ: AwsServer, put_parameter: Callable[..., None], pass_time: Callable[[float], None]
) -> None:
    """
    Behind an endpoint that hangs one caller waits a moment; others of the key, and other keys, do not wait at all.
    """
    put_parameter("/p", "1")
    value, other = parameter("/p", max_age_s=60), parameter("/q")
    value()
    cache.put(("parameter", "/q", None, True), "2", "1")
    aws_environ.calls.clear()
    pass_time(61)
    with ThreadPoolExecutor(1) as pool, aws_environ.held():
        renewing = pool.submit(value)
        aws_environ.await_calls(1)

        assert "1" == value()
        assert "2" == other()
        assert not renewing.done()
        assert "1" == renewing.result(10)
        assert ["GetParameter"] == aws_environ.calls


def test_c07_soft_value_costs_one_caller(
    aws_environ: AwsServer, put_parameter: Callable[..., None], pass_time: Callable[[float], None]
) -> None:
    """
    Of 64 callers in the soft window one renews; 63 have the old value while it does.
    """
    put_parameter("/p", "1")
    value = parameter("/p", max_age_s=300)
    value()
    put_parameter("/p", "2")
    aws_environ.calls.clear()
    pass_time(299.9)
    with ThreadPoolExecutor(1) as pool:
        with aws_environ.held():
            renewing = pool.submit(value)
            aws_environ.await_calls(1)

            assert ["1"] * 63 == at_once(63, value)
        assert "2" == renewing.result(10)
    assert ["GetParameter"] == aws_environ.calls


def test_c08_many_are_few_calls(aws_environ: AwsServer, put_parameter: Callable[..., None], put_secret: Callable[..., str]) -> None:
    """
    25 parameters and 45 secrets are three calls each, whoever asks; afterwards each alone costs nothing.
    """
    names, secrets = [f"/p/{number}" for number in range(25)], [f"s{number}" for number in range(45)]
    for name in names:
        put_parameter(name, name)
    for name in secrets:
        put_secret(name, name)

    preload(*map(parameter, names), *map(secret, secrets))

    assert ["BatchGetSecretValue"] * 3 + ["GetParameters"] * 3 == sorted(aws_environ.calls)
    assert names == [get_parameter(name) for name in names] == list(get_parameters(names).values())
    assert secrets == [get_secret(name) for name in secrets] == list(get_secrets(secrets).values())
    assert 6 == len(aws_environ.calls)
    get_parameters(names, fresh=True), get_secrets(secrets, fresh=True)
    assert 12 == len(aws_environ.calls)


def test_c08_one_missing_and_one_denied_are_theirs_alone(faults: FaultServer) -> None:
    """
    What is wrong with one item of a batch is the error of that item, without a call of its own; the others are there.
    """

    def answer(operation: str, payload: dict[str, Any]) -> dict[str, Any]:
        if operation == "GetParameters":
            good = [name for name in payload["Names"] if name != "/missing"]
            return {"Parameters": [{"Name": name, "Value": name, "Version": 1} for name in good], "InvalidParameters": ["/missing"]}
        good = [name for name in payload["SecretIdList"] if name != "denied"]
        values = [{"Name": name, "ARN": f"arn:{name}-AbCdEf", "VersionId": "v", "SecretString": name} for name in good]
        return {"SecretValues": values, "Errors": [{"SecretId": "denied", "ErrorCode": "AccessDeniedException", "Message": "no"}]}

    faults.answer = answer
    handles = [parameter("/p"), parameter("/missing"), secret("a"), secret("denied"), secret("b")]

    with pytest.raises(ParameterNotFoundError, match="no parameter '/missing' in eu-west-1"):
        preload(*handles)

    found = [outcome(handle) for handle in handles]
    assert ["GetParameters", "BatchGetSecretValue"] == faults.operations
    assert ["/p", "a", "b"] == [found[0], found[2], found[4]]
    assert isinstance(found[1], ParameterNotFoundError)
    assert isinstance(found[3], ParameterAccessError)
    assert "AccessDeniedException" == code_of(found[3])


def test_c09_a_secret_is_found_by_its_exact_name(aws_environ: AwsServer, put_secret: Callable[..., str]) -> None:
    """
    Names that begin alike are not mixed, and none of them is brought without being asked for.
    """
    for name in ("db", "db-prod", "db-test", "other"):
        put_secret(name, f"of {name}")

    assert {"db": "of db", "db-test": "of db-test", "other": "of other"} == get_secrets(["db", "db-test", "other"])
    assert ["BatchGetSecretValue"] == aws_environ.calls


def test_c10_every_kind_of_name_is_kept_apart(faults: FaultServer) -> None:
    """
    Version, label, ARN, ARN of another account and reference to a secret: the answer to each is found, one by one and together.
    """
    kinds = ["/a", "/a:1", "/a:live", f"{ACCOUNT_ARN}/a", f"{OTHER_ARN}/a", f"{OTHER_ARN}/a:2", "/aws/reference/secretsmanager/x", "a"]

    def answer(operation: str, payload: dict[str, Any]) -> dict[str, Any]:
        found = []
        for asked in payload.get("Names") or [payload["Name"]]:
            base, _, selector = (asked.split(":", 5)[5] if asked.startswith("arn:") else asked).partition(":")
            name = asked if asked.startswith(OTHER_ARN) else base.removeprefix("parameter")
            found.append({"Name": name, "Value": f"of {asked}", "Version": 0 if "reference" in asked else 7, "Selector": f":{selector}"})
        return {"Parameters": found, "InvalidParameters": []} if operation == "GetParameters" else {"Parameter": found[0]}

    faults.answer = answer

    assert {name: f"of {name}" for name in kinds} == get_parameters(kinds)
    assert [f"of {name}" for name in kinds] == [get_parameter(name) for name in kinds]
    assert len(kinds) > len(faults.calls)
    faults.calls.clear()
    assert [f"of {name}" for name in kinds] == [get_parameter(name, fresh=True) for name in kinds]
    assert len(kinds) == len(faults.calls)


def test_c11_options_never_collide(put_parameter: Callable[..., None], put_secret: Callable[..., str]) -> None:
    """
    Ciphertext and clear text, and the stages of a secret, are values of their own, in batches too.
    """
    put_parameter("/e", "clear", Type="SecureString")
    put_parameter("/f", "clear", Type="SecureString")
    put_secret("s", "old")
    put_secret("s", "new")

    assert "clear" not in get_parameters(["/e", "/f"], decrypt=False).values()
    assert ["clear", "clear"] == list(get_parameters(["/e", "/f"]).values())
    assert "clear" != get_parameter("/e", decrypt=False)
    assert ["new", "old", "new"] == [get_secret("s"), get_secret("s", version_stage="AWSPREVIOUS"), get_secret("s")]


def test_c12_missing_name_is_asked_for_once(
    aws_environ: AwsServer, put_parameter: Callable[..., None], pass_time: Callable[[float], None]
) -> None:
    """
    A hundred gets of a missing name are one call; created, it is there within five seconds.
    """
    errors = [outcome(lambda: get_parameter("/new")) for _ in range(100)]

    assert ["GetParameter"] == aws_environ.calls
    assert 100 == len({id(error) for error in errors})
    assert {"ParameterNotFound"} == {code_of(error) for error in errors}
    put_parameter("/new", "1")
    assert isinstance(outcome(lambda: get_parameter("/new")), ParameterNotFoundError)
    pass_time(5)
    assert "1" == get_parameter("/new")


def test_c12_who_insists_is_not_answered_from_memory(aws_environ: AwsServer, put_parameter: Callable[..., None]) -> None:
    """
    A fresh read asks, and what it finds ends the refusal; so does an invalidated handle.
    """
    outcome(lambda: get_parameter("/p")), outcome(lambda: get_parameter("/q"))
    put_parameter("/p", "1")
    put_parameter("/q", "2")
    other = parameter("/q")

    assert ["1", "1"] == [get_parameter("/p", fresh=True), get_parameter("/p")]
    assert isinstance(outcome(other), ParameterNotFoundError)
    other.invalidate()
    assert "2" == other()
    assert 4 == len(aws_environ.calls)


def test_c13_one_bad_version_is_one_fetch(aws_environ: AwsServer, put_secret: Callable[..., str]) -> None:
    """
    64 threads that all failed with the same version cause one fetch.
    """
    put_secret("s", "old")
    value = secret("s")
    value()
    failed = value.version
    put_secret("s", "new")
    aws_environ.calls.clear()

    def again() -> str:
        value.invalidate(failed_version=failed)
        return value()

    assert ["new"] * 64 == at_once(64, again)
    assert ["GetSecretValue"] == aws_environ.calls
