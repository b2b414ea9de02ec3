"""
What is asked for together, along with something else, or alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from lambda_kit import (
    config_stats,
    get_parameter,
    get_parameters,
    get_parameters_by_path,
    get_secret,
    get_secrets,
    parameter,
    preload,
    secret,
)
from lambda_kit._configuration._batches import batches
from lambda_kit._configuration._sources import Encrypted, Parameter, Secret, cache
from lambda_kit.errors import ConfigurationError, ParameterAccessError, ParameterError, ParameterNotFoundError, ParameterUnavailableError
from tests.aws_server import DENIED, THROTTLED
from tests.threads import at_once

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests._configuration.fault_server import FaultServer
    from tests.aws_server import AwsServer


def secret_answer(names: list[str]) -> list[dict[str, Any]]:
    return [{"Name": name, "ARN": f"arn:aws:x:{name}-AbCdEf", "VersionId": f"v-{name}", "SecretString": name} for name in names]


def planned(*sources: Any) -> list[list[str]]:
    return [[source.name for source in batch.sources] for batch in batches(sources)]


def test_fewest_calls_are_planned() -> None:
    """
    Clear and encrypted parameters apart, selections of one parameter apart, secrets from three on, stages and keys never.
    """
    parameters = [Parameter(f"/p{number}", None, True) for number in range(12)]
    versions = [Parameter("/v:1", None, True), Parameter("/v", 2, True), Parameter("/w", None, True)]
    ciphers = [Parameter("/p0", None, False), Parameter("/p1", None, False)]
    secrets = [Secret(name, "AWSCURRENT") for name in "abc"]

    assert [10, 2] == [len(batch) for batch in planned(*parameters)]
    assert [["/v:1", "/w"]] == planned(*versions)
    assert [["/p0", "/p1"], ["/p0", "/p1"]] == planned(*parameters[:2], *ciphers)
    assert [["a", "b", "c"]] == planned(*secrets, Secret("d", "AWSPENDING"), Encrypted("K"))
    assert [] == planned(*secrets[:2], parameters[0])


def test_refresh_renews_what_is_due_soon(
    aws_environ: AwsServer, put_parameter: Callable[..., None], pass_time: Callable[[float], None]
) -> None:
    """
    Ten parameters past their age are one call when the first of them is read; one that is young is left alone.
    """
    handles = [parameter(f"/p/{number}", max_age_s=100) for number in range(10)]
    for handle in [*handles, parameter("/young", max_age_s=10_000)]:
        put_parameter(handle._source.name, "1")
        handle()
    aws_environ.calls.clear()
    for handle in handles:
        put_parameter(handle._source.name, "2")
    pass_time(101)

    assert ["2"] * 10 == [handle() for handle in handles]
    assert ["GetParameters"] == aws_environ.calls
    assert ["2"] * 10 == [handle.version for handle in handles]


def test_refresh_of_secrets_together(faults: FaultServer, pass_time: Callable[[float], None]) -> None:
    """
    From three on secrets are renewed together too; stages other than the current one are not.
    """
    faults.answer = lambda operation, payload: (
        {"SecretValues": secret_answer([name for name in payload["SecretIdList"] if name != "c"])}
        if operation == "BatchGetSecretValue"
        else secret_answer([payload["SecretId"]])[0]
    )
    handles = [secret(name, max_age_s=100) for name in "abc"]
    pending = secret("a", version_stage="AWSPENDING", max_age_s=100)
    for handle in [*handles, pending]:
        handle()
    faults.calls.clear()
    pass_time(101)

    assert ["a", "b", "c", "a"] == [handles[0](), handles[1](), handles[2](), pending()]
    # c was not in the answer; by then nothing else was due with it.
    assert ["BatchGetSecretValue", "GetSecretValue", "GetSecretValue"] == faults.operations
    assert ["a", "b", "c"] == sorted(faults.calls[0][1]["SecretIdList"])


def test_one_that_the_answer_left_out_is_asked_for_alone(faults: FaultServer, pass_time: Callable[[float], None]) -> None:
    """
    Answers that say nothing of what was asked, or speak of what was not, do no harm.
    """

    def answer(operation: str, payload: dict[str, Any]) -> dict[str, Any]:
        stranger = {"Name": "/stranger", "Value": "x", "Version": 1}
        if operation == "GetParameters":
            return {"Parameters": [stranger], "InvalidParameters": ["/stranger"]}
        if operation == "BatchGetSecretValue":
            return {"SecretValues": secret_answer(["stranger"]), "Errors": [{"SecretId": "stranger"}], "NextToken": "same"}
        return {"Parameter": {"Name": "/p", "Value": "1"}} if operation == "GetParameter" else secret_answer([payload["SecretId"]])[0]

    faults.answer = answer

    assert {"/p": "1", "/q": "1"} == get_parameters(["/p", "/q"])
    assert {"a": "a", "b": "b", "c": "c"} == get_secrets(["a", "b", "c"])
    assert ["GetParameters", "GetParameter", "GetParameter"] == faults.operations[:3]
    faults.calls.clear()
    both = parameter("/p", max_age_s=10), parameter("/q", max_age_s=10)
    pass_time(301)
    assert ["1", "1"] == [handle() for handle in both]
    assert ["GetParameters", "GetParameter", "GetParameter"] == faults.operations


def test_role_that_may_not_ask_together_renews_alone(
    aws_environ: AwsServer, put_parameter: Callable[..., None], pass_time: Callable[[float], None]
) -> None:
    """
    A refused batch costs one call in the life of the environment.
    """
    handles = [parameter(f"/p/{number}", max_age_s=100) for number in range(3)]
    for handle in handles:
        put_parameter(handle._source.name, "1")
        handle()
    aws_environ.calls.clear()
    aws_environ.faults.append(DENIED)
    pass_time(101)

    assert ["1"] * 3 == [handle() for handle in handles]
    assert ["GetParameters", "GetParameter", "GetParameter", "GetParameter"] == aws_environ.calls


def test_batch_that_is_refused_as_a_whole_takes_nothing_away(faults: FaultServer, pass_time: Callable[[float], None]) -> None:
    """
    What is wrong with a common renewal is not taken for what is wrong with the one that was asked for.
    """
    faults.answer = lambda operation, payload: (
        (400, "ValidationException") if operation == "GetParameters" else {"Parameter": {"Name": "/p", "Value": "1", "Version": 1}}
    )
    handles = [parameter(name, max_age_s=100) for name in ("/p", "/q")]
    for handle in handles:
        handle()
    faults.calls.clear()
    pass_time(101)

    assert ["1", "1"] == [handle() for handle in handles]
    assert ["GetParameters", "GetParameter", "GetParameter"] == faults.operations


def test_batch_that_is_throttled_is_not_replaced(
    aws_environ: AwsServer, put_parameter: Callable[..., None], pass_time: Callable[[float], None]
) -> None:
    """
    Those who have a value do not ask a service that throttles one by one.
    """
    handles = [parameter(f"/p/{number}", max_age_s=100) for number in range(3)]
    for handle in handles:
        put_parameter(handle._source.name, "1")
        handle()
    aws_environ.calls.clear()
    aws_environ.always = THROTTLED
    pass_time(101)

    assert ["1"] * 3 == [handle() for handle in handles]
    assert ["GetParameters"] == aws_environ.calls


def test_renewed_name_that_is_gone_is_an_error(
    aws_environ: AwsServer, put_parameter: Callable[..., None], pass_time: Callable[[float], None]
) -> None:
    """
    What a common call says is missing is missing for its reader; another one that is missing learns it at its own turn.
    """
    handles = [parameter(f"/p/{number}", max_age_s=100) for number in range(3)]
    for handle in handles:
        put_parameter(handle._source.name, "1")
        handle()
    aws_environ.boto3("ssm").delete_parameters(Names=["/p/0", "/p/1"])
    aws_environ.calls.clear()
    pass_time(101)

    for handle in handles[:2]:
        with pytest.raises(ParameterNotFoundError):
            handle()
    assert "1" == handles[2]()
    assert ["GetParameters", "GetParameter"] == aws_environ.calls


def test_throttled_batch_of_secrets_falls_back(aws_environ: AwsServer, put_secret: Callable[..., str]) -> None:
    """
    Secrets Manager allows a hundred times as many single reads as batches, so a throttled batch is read singly.
    """
    for name in "abc":
        put_secret(name, name)
    aws_environ.faults.extend([THROTTLED] * 4)

    assert ["a", "b", "c"] == list(get_secrets("a b c".split()).values())
    assert ["BatchGetSecretValue"] * 4 + ["GetSecretValue"] * 3 == aws_environ.calls


def test_throttled_item_of_a_batch_is_asked_for_alone(faults: FaultServer) -> None:
    """
    A failure of one item that may pass is no refusal.
    """
    error = {"SecretId": "c", "ErrorCode": "ThrottlingException"}
    faults.answer = lambda operation, payload: (
        {"SecretValues": secret_answer(["a", "b"]), "Errors": [error]}
        if operation == "BatchGetSecretValue"
        else secret_answer([payload["SecretId"]])[0]
    )

    assert ["a", "b", "c"] == list(get_secrets(["a", "b", "c"]).values())
    assert ["BatchGetSecretValue", "GetSecretValue"] == faults.operations


def test_pages_of_a_batch_are_followed(faults: FaultServer) -> None:
    """
    Twenty secrets may come in several answers; a secret asked for by ARN, whole or without its ending, is found.
    """
    pages: dict[str | None, dict[str, Any]] = {
        None: {"SecretValues": secret_answer(["a"]), "NextToken": "2"},
        "2": {"SecretValues": secret_answer(["b", "c"])},
    }
    faults.answer = lambda operation, payload: pages[payload.get("NextToken")]
    names = ["a", "arn:aws:x:b-AbCdEf", "arn:aws:x:c"]

    assert dict(zip(names, "abc", strict=True)) == get_secrets(names)
    assert ["BatchGetSecretValue"] * 2 == faults.operations


def test_preload_stops_asking_a_service_that_throttles(
    aws_environ: AwsServer, put_parameter: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    """
    One throttled call at INIT is not followed by one for each name.
    """
    handles = [parameter(f"/p/{number}") for number in range(9)]
    aws_environ.always = THROTTLED

    preload(*handles)

    assert 3 >= len(aws_environ.calls)
    assert 9 == len(caplog.messages)
    assert caplog.messages[8].endswith("parameter '/p/8' is not asked for while its service throttles")


def test_threads_that_want_the_same_many_share_the_calls(aws_environ: AwsServer, put_parameter: Callable[..., None]) -> None:
    """
    However many threads come at once, the batches are asked for once.
    """
    names = [f"/p/{number}" for number in range(20)]
    for name in names:
        put_parameter(name, name)

    assert [dict(zip(names, names, strict=True))] * 16 == at_once(16, lambda: get_parameters(names))
    assert ["GetParameters", "GetParameters"] == aws_environ.calls


def test_fresh_reads_many_again(aws_environ: AwsServer, put_parameter: Callable[..., None], put_secret: Callable[..., str]) -> None:
    """
    ``fresh`` goes past the cache for all of them, together where that is possible.
    """
    for name in ("/p", "/q"):
        put_parameter(name, "1")
    put_secret("s", "1")
    get_parameters(["/p", "/q"]), get_secrets(["s"])
    for name in ("/p", "/q"):
        put_parameter(name, "2")
    put_secret("s", "2")

    assert ["2", "2", "2"] == [*get_parameters(["/p", "/q"], fresh=True).values(), *get_secrets(["s"], fresh=True).values()]
    assert ["GetParameters", "GetSecretValue"] * 2 == aws_environ.calls


def test_path_brings_all_below_it(aws_environ: AwsServer, put_parameter: Callable[..., None]) -> None:
    """
    All pages are read, each value is there for the other getters, and the result is the caller's own.
    """
    names = [f"/app/{number:02}" for number in range(12)] + ["/app/sub/x"]
    for name in names:
        put_parameter(name, name)
    put_parameter("/other", "x")

    found = get_parameters_by_path("/app")
    assert dict(zip(names, names, strict=True)) == found
    found.clear()
    assert names == list(get_parameters_by_path("/app"))
    assert names[:12] == list(get_parameters_by_path("/app", recursive=False))
    assert "/app/00" == parameter("/app/00")()
    assert {} == get_parameters_by_path("/none")
    assert ["GetParametersByPath"] * 5 == aws_environ.calls


def test_path_is_renewed_for_itself(aws_environ: AwsServer, put_parameter: Callable[..., None], pass_time: Callable[[float], None]) -> None:
    """
    A path past its age is read again, and goes through an outage as everything does.
    """
    put_parameter("/app/a", "1")
    get_parameters_by_path("/app", max_age_s=100)
    put_parameter("/app/a", "2")
    pass_time(101)

    assert {"/app/a": "2"} == get_parameters_by_path("/app", max_age_s=100)
    aws_environ.always = THROTTLED
    pass_time(101)
    assert {"/app/a": "2"} == get_parameters_by_path("/app", max_age_s=100)
    assert ["GetParametersByPath"] * 3 == aws_environ.calls


def test_path_that_may_not_be_read_is_an_error(aws_environ: AwsServer) -> None:
    """
    The error names the path and the action.
    """
    aws_environ.always = DENIED

    with pytest.raises(ParameterAccessError, match=r"parameters below '/app' may not be read .* needs ssm:GetParametersByPath"):
        get_parameters_by_path("/app")


def test_token_that_repeats_ends_the_pages(faults: FaultServer) -> None:
    """
    A service that gives the same token for ever is not followed for ever.
    """
    faults.answer = lambda operation, payload: {"Parameters": [{"Name": "/a/b", "Value": "1", "Version": 1}], "NextToken": "same"}

    assert {"/a/b": "1"} == get_parameters_by_path("/a")
    assert 2 == len(faults.calls)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: get_parameters("/p"), r"get_parameters\(\) takes several names: got the text '/p', put it into a list"),
        (lambda: get_secrets(["s", ""]), r"get_secrets\(\) needs a name"),
        (lambda: get_parameters(["/p"], convert=3), "takes a function or a class"),  # type: ignore[call-overload]  # the point
        (lambda: get_parameters_by_path(""), r"get_parameters_by_path\(\) needs a name"),
        (lambda: parameter("/p", max_age_s=-1), r"parameter\('/p'\): max_age_s= takes seconds, 0 or more: got -1"),
        (lambda: secret("s", stale_for_s="1h"), "stale_for_s= takes seconds, 0 or more: got '1h'"),  # type: ignore[call-overload]  # the point
        (lambda: secret("s", max_age_s=float("nan")), "got nan"),
        (lambda: parameter("/p", version=True), "version= takes int or str or NoneType: got True"),
        (lambda: parameter("/p", decrypt=cast("Any", "no")), r"parameter\('/p'\): decrypt= takes bool: got 'no'"),
        (lambda: secret("s", key=cast("Any", 3)), "key= takes str or NoneType: got 3"),
        (lambda: get_secret("s", version_stage=cast("Any", None)), r"get_secret\('s'\): version_stage= takes str: got None"),
        (lambda: get_parameter("/p", max_age_s=-1), r"get_parameter\('/p'\): max_age_s= takes seconds, 0 or more: got -1"),
        (lambda: get_parameters(["/p"], stale_for_s=-1), r"get_parameters\('/p'\): stale_for_s= takes seconds"),
        (lambda: get_parameters_by_path("/p", max_age_s=-1), "max_age_s= takes seconds"),
    ],
    ids=[
        "text",
        "empty",
        "no function",
        "no path",
        "negative",
        "text for seconds",
        "nan",
        "version",
        "decrypt",
        "key",
        "stage",
        "getter",
        "many",
        "tree",
    ],
)
def test_bad_input_is_named(call: Callable[[], object], message: str) -> None:
    """
    What can never work is refused before anything is asked.
    """
    with pytest.raises(ConfigurationError, match=message):
        call()


def test_binary_secrets_come_together(put_secret: Callable[..., str]) -> None:
    """
    In a batch too, binary is bytes.
    """
    for name in "abc":
        put_secret(name, b"\x00\xff" + name.encode())

    assert {name: b"\x00\xff" + name.encode() for name in "abc"} == get_secrets(["a", "b", "c"], convert=bytes)


def test_error_of_many_is_that_of_the_first(aws_environ: AwsServer, put_parameter: Callable[..., None]) -> None:
    """
    The others are cached by then.
    """
    put_parameter("/p", "1")

    with pytest.raises(ParameterNotFoundError, match="no parameter '/absent'") as raised:
        get_parameters(["/absent", "/p"])
    assert "/absent" == raised.value.name
    assert "1" == parameter("/p")()
    assert ["GetParameters"] == aws_environ.calls


def test_nobody_asks_without_time(aws_environ: AwsServer) -> None:
    """
    A batch that no time is left for is not begun, nor is what would follow it.
    """
    from lambda_kit._configuration._reading import read_together

    wanted = [(Parameter(name, None, True), 1.0) for name in ("/p", "/q")]

    assert frozenset() == read_together(wanted, budget_s=0.1)
    assert [] == aws_environ.calls


def test_stats_count_every_read_once(
    aws_environ: AwsServer, put_parameter: Callable[..., None], pass_time: Callable[[float], None]
) -> None:
    """
    Hits, misses and stale values add up to the reads; refreshes and throttled requests are counted apart.
    """
    put_parameter("/p", "1")
    value = parameter("/p", max_age_s=60)
    value(), value(), value()
    aws_environ.always = THROTTLED
    pass_time(61)
    value(), value()
    with pytest.raises(ParameterUnavailableError):
        parameter("/absent", max_age_s=60)()
    stats = config_stats()

    assert (2, 2, 2) == (stats.hits, stats.misses, stats.stale_served)
    assert (1, 2) == (stats.refresh_ok, stats.refresh_err)
    assert 2 <= stats.throttled <= 3
    assert repr(stats).startswith("<ConfigStats hits=2 misses=2 refresh_err=2 refresh_ok=1 stale_served=2 throttled=")
    with pytest.raises(AttributeError, match="ConfigStats are frozen: 'hits' cannot be set"):
        stats.hits = 3


def test_refused_value_is_seen_once_corrected(
    aws_environ: AwsServer, put_parameter: Callable[..., None], pass_time: Callable[[float], None]
) -> None:
    """
    A value that convert refuses is asked for again after five seconds, not after its whole age, and not at each call.
    """
    put_parameter("/p", "wrong")
    value = parameter("/p", convert=int)
    for _ in range(3):
        with pytest.raises(ParameterError, match="was refused by int"):
            value()
    assert 1 == len(aws_environ.calls)
    pass_time(5)
    with pytest.raises(ParameterError, match="was refused by int"):
        value()
    put_parameter("/p", "2")
    pass_time(5)

    assert [2, 2] == [value(), value()]
    assert 3 == len(aws_environ.calls)
    assert "2" == cache.known(("parameter", "/p", None, True)).version  # type: ignore[union-attr]  # it is there
