"""
Stand-ins: nothing at declaration, the real thing from the first touch on, right after every turn of the environment's life.
"""

from __future__ import annotations

import copy
import gc
import os
import pickle
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from unittest import mock
from weakref import ref

import boto3
import pytest
from boto3.resources.base import ServiceResource
from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import NoRegionError
from botocore.stub import Stubber
from moto import mock_aws

from lambda_kit import _clients, _observe, _runtime, preload, use
from lambda_kit._clients import _standins
from lambda_kit.errors import ConfigurationError
from tests import fresh_process

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.aws_server import AwsServer

pytestmark = pytest.mark.usefixtures("aws_environ")

# What the kit declares is typed as boto3's own for checkers; these tests look behind that.
client: Any = _clients.client
resource: Any = _clients.resource


@contextmanager
def builds() -> Iterator[list[Any]]:
    """
    Collect what is built through the kit.
    """
    built: list[Any] = []
    _observe.on_client_built(built.append)
    yield built


def test_declaring_imports_nothing() -> None:
    """
    Neither declaring nor printing a client loads boto3.
    """
    code = """
        import json, sys
        from lambda_kit import client, resource
        shown = [repr(client("s3", "eu-west-1")), repr(resource("dynamodb"))]
        isinstance(client("s3"), dict)
        print(json.dumps([shown, [name for name in ("boto3", "botocore") if name in sys.modules]]))
    """

    assert [["<client('s3'), not built>", "<resource('dynamodb'), not built>"], []] == fresh_process.result(code)


def test_missing_boto3_names_the_extra() -> None:
    """
    Without boto3 the declaration stands and the first touch says what to install.
    """
    code = """
        import json, sys
        sys.modules["boto3"] = None
        from lambda_kit import client, errors
        s3 = client("s3")
        try:
            s3.list_buckets()
        except errors.MissingDependencyError as exc:
            print(json.dumps([exc.package, str(exc)]))
    """

    package, message = fresh_process.result(code)
    assert "boto3" == package
    assert "aws-lambda-kit[aws]" in message


def test_first_touch_builds_the_client(aws_environ: AwsServer) -> None:
    """
    A call goes through, to the endpoint of the environment, and builds one client.
    """
    aws_environ.boto3("ssm").put_parameter(Name="/p", Value="1", Type="String")
    with builds() as built:
        ssm = client("ssm")
        assert [] == built

        assert "1" == ssm.get_parameter(Name="/p")["Parameter"]["Value"]
        ssm.get_parameter(Name="/p")

    assert 1 == len(built)
    assert ["GetParameter", "GetParameter"] == aws_environ.calls


def test_resource_is_built_alike() -> None:
    """
    A resource's collections, factories and client are boto3's.
    """
    s3 = resource("s3")

    s3.create_bucket(Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})

    assert ["bucket"] == [bucket.name for bucket in s3.buckets.all()]
    assert "eu-west-1" == s3.meta.client.meta.region_name


def test_isinstance_is_true_before_and_after() -> None:
    """
    Asking for the class builds nothing; a built one is of boto3's class, down to its name.
    """
    with builds() as built:
        s3, table = client("s3"), resource("dynamodb")
        assert [True, True, False] == [isinstance(s3, BaseClient), isinstance(table, ServiceResource), isinstance(s3, ServiceResource)]
        assert [] == built

        s3.meta, table.meta  # noqa: B018 - touching is the point
        assert [True, True] == [isinstance(s3, BaseClient), isinstance(table, ServiceResource)]
        assert ["S3", "dynamodb.ServiceResource"] == [type(s3).__name__, type(table).__name__]


def test_equal_declarations_share_one_client() -> None:
    """
    The same service and options mean the same client, positional or by name; other options another one.
    """
    with builds() as built:
        shared = [
            client("s3"),
            client("s3"),
            client("sqs"),
            resource("s3"),
            client("s3", "us-west-2"),
            client("s3", region_name="us-west-2"),
        ]
        regions = [each.meta.region_name for each in shared if isinstance(each, BaseClient)]

    assert ["eu-west-1", "eu-west-1", "eu-west-1", "us-west-2", "us-west-2"] == regions
    assert 3 == len(built)


def test_setting_and_deleting_reach_the_real_client() -> None:
    """
    What is set on one stand-in is set on the client, so on all its stand-ins; before the first touch too.
    """
    with builds() as built:
        one, other = client("s3"), client("s3")
        one.note = "set"

    assert "set" == other.note == built[0].note
    del other.note
    assert not hasattr(one, "note")
    assert not hasattr(built[0], "note")


def test_deleting_first_builds() -> None:
    """
    Deleting what is not there fails as on the real client.
    """
    with pytest.raises(AttributeError, match="note"):
        del client("s3").note


def test_stand_in_can_be_patched() -> None:
    """
    A patched operation is the patch for everybody, and the real one afterwards.
    """
    one, other = client("s3"), client("s3")

    with mock.patch.object(one, "list_buckets", return_value="patched"):
        assert "patched" == other.list_buckets()
    assert [] == other.list_buckets()["Buckets"]


def test_stand_in_can_be_specified_and_stubbed() -> None:
    """
    Autospec refuses what the client does not have; botocore's Stubber answers for it.
    """
    spec = mock.create_autospec(client("s3"))
    with pytest.raises(AttributeError):
        spec.list_bukkets()
    assert isinstance(spec, BaseClient)
    sqs = client("sqs")
    with Stubber(sqs) as stubber:
        stubber.add_response("list_queues", {"QueueUrls": ["u"]})
        assert ["u"] == sqs.list_queues()["QueueUrls"]


def test_waiters_paginators_and_exceptions_work() -> None:
    """
    What a client makes, the stand-in makes.
    """
    s3 = client("s3")
    s3.create_bucket(Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_object(Bucket="bucket", Key="k", Body=b"body")

    s3.get_waiter("object_exists").wait(Bucket="bucket", Key="k")
    keys = [found["Key"] for page in s3.get_paginator("list_objects_v2").paginate(Bucket="bucket") for found in page["Contents"]]

    assert ["k"] == keys
    assert b"body" == s3.get_object(Bucket="bucket", Key="k")["Body"].read()
    with pytest.raises(s3.exceptions.NoSuchKey):
        s3.get_object(Bucket="bucket", Key="other")


def test_built_stand_in_has_the_attributes_of_boto3s_client() -> None:
    """
    No attribute is missing; what the stand-in adds hides behind underscores.
    """
    plain: Any = boto3.Session().client("sqs")
    s3 = client("sqs")

    assert set() == set(dir(plain)) - set(dir(s3))
    assert [] == [name for name in set(dir(s3)) - set(dir(plain)) if not name.startswith("_")]


@pytest.mark.parametrize("touched", [False, True], ids=["untouched", "touched"])
def test_stand_in_can_be_mocked_by_moto(monkeypatch: pytest.MonkeyPatch, touched: bool) -> None:
    """
    moto's decorator covers clients that were declared, or built, before it began.
    """
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    sqs = client("sqs")
    if touched:
        sqs.meta  # noqa: B018 - touching is the point
    with mock_aws():
        sqs.create_queue(QueueName="orders")

        assert 1 == len(sqs.list_queues()["QueueUrls"])


def test_looking_for_marks_builds_nothing() -> None:
    """
    Test runners probe module attributes; a client without a region must not fail for that.
    """
    s3 = client("s3")

    assert [False, False] == [hasattr(s3, "__wrapped__"), hasattr(s3, "_pytestfixturefunction")]


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda it: pickle.loads(pickle.dumps(it))], ids=["copy", "deepcopy", "pickle"])  # noqa: S301 - our own bytes
@pytest.mark.parametrize("touched", [False, True], ids=["untouched", "touched"])
def test_copies_are_stand_ins_of_the_same(again: Any, touched: bool) -> None:
    """
    Copying and pickling go by declaration: cheap, and bound to the process that unpickles.
    """
    s3 = client("s3", region_name="us-west-2")
    if touched:
        s3.meta  # noqa: B018 - touching is the point
    made = again(s3)

    assert "<client('s3'), not built>" == repr(made)
    assert s3.meta is made.meta


def test_hash_does_not_change_when_touched() -> None:
    """
    A resource in a set stays findable.
    """
    s3 = resource("s3")
    members = {s3}
    s3.meta  # noqa: B018 - touching is the point

    assert s3 in members
    assert s3 != resource("s3")


def test_many_threads_build_once() -> None:
    """
    64 threads that touch at once, through stand-ins of their own or one, get one client.
    """
    one = client("s3")
    with builds() as built, ThreadPoolExecutor(64) as pool:
        list(pool.map(lambda number: (one if number % 2 else client("s3")).meta, range(64)))

    assert 1 == len(built)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this platform")
def test_forked_child_builds_its_own(aws_environ: AwsServer) -> None:
    """
    A child starts untouched, builds its own client and can call; the parent's goes on.
    """
    aws_environ.boto3("ssm").put_parameter(Name="/p", Value="1", Type="String")
    ssm = client("ssm")
    ssm.get_parameter(Name="/p")
    real = ssm.meta
    with warnings.catch_warnings():
        # Python warns that a process with threads is forked: the server's.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        untouched = repr(ssm).endswith("not built>")
        value = ssm.get_parameter(Name="/p")["Parameter"]["Value"]
        os._exit(42 if untouched and value == "1" and ssm.meta is not real else 1)

    assert 42 == os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert ssm.meta is real
    assert "1" == ssm.get_parameter(Name="/p")["Parameter"]["Value"]


def test_declarations_that_nobody_repeats_do_not_fill_the_memory() -> None:
    """
    A client declared for each invocation, with a Config or a session name of its own, goes when its stand-in does.
    """
    metas = [ref(client("sqs", config=Config(user_agent_extra=str(number))).meta) for number in range(_standins.MOST_SHARED + 5)]
    for number in range(_standins.MOST_SHARED + 5):
        _standins._session((("RoleArn", "arn:aws:iam::123456789012:role/x"), ("RoleSessionName", str(number))))
    gc.collect()

    assert _standins.MOST_SHARED >= sum(meta() is not None for meta in metas)
    assert _standins.MOST_SHARED == len(_standins._shared.sessions)


def test_a_client_of_many_is_ready_for_a_snapshot_all_the_same() -> None:
    """
    It is closed although equal declarations would not find it any more.
    """
    s3 = client("s3")
    s3.meta  # noqa: B018 - touching is the point
    with mock.patch.object(BaseClient, "close", autospec=True) as close:
        for number in range(_standins.MOST_SHARED):
            client("sqs", config=Config(user_agent_extra=str(number))).meta  # noqa: B018 - touching is the point
        _runtime.take_snapshot()

    assert s3 in [call.args[0] for call in close.call_args_list]


def test_declaring_stands_a_look_at_what_is_declared() -> None:
    """
    The first read asks what is declared while other threads may declare.
    """
    held = [client("s3") for _ in range(20)]
    interval_s = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor() as pool:
            looks = pool.submit(lambda: [len(_standins.declarations()) for _ in range(2_000)])
            while not looks.done():
                client("s3")
    finally:
        sys.setswitchinterval(interval_s)

    assert len(held) <= min(looks.result())


def test_reset_makes_stand_ins_untouched(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    After a test reset the next touch builds from the environment as it is then.
    """
    s3 = client("s3")
    s3.note = "set"
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-west-2")
    _runtime.reset()

    assert "<client('s3'), not built>" == repr(s3)
    assert "us-west-2" == s3.meta.region_name
    assert not hasattr(s3, "note")


def test_unknown_service_is_told_without_the_list_of_all() -> None:
    """
    botocore's own error names some 400 services; it is not even shown as a cause.
    """
    with pytest.raises(ConfigurationError) as raised:
        _ = client("s33").meta

    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__


def test_clients_are_given_bare_to_bundles() -> None:
    """
    use() refuses them without building anything.
    """
    with builds() as built:
        with pytest.raises(ConfigurationError) as raised:
            use(client("cognito-idp"))

        assert 'use(client("cognito-idp")): a client is given bare: write cognito_idp = client("cognito-idp")' == str(raised.value)
        assert [] == built


def test_snapshot_is_taken_without_a_client_that_cannot_be_built(aws_environ: AwsServer, caplog: pytest.LogCaptureFixture) -> None:
    """
    A declaration that nothing has touched does not fail the publishing of a version; it is named in a warning.
    """
    declared = client("no-such-service")

    _runtime.take_snapshot()

    assert "no-such-service" in caplog.text
    with pytest.raises(ConfigurationError, match="no-such-service"):
        _ = declared.meta


def test_snapshot_holds_built_clients_without_connections() -> None:
    """
    Before a snapshot what is declared is built and its connections are closed; after the restore it is used on.
    """
    ssm, table = client("ssm"), resource("dynamodb")
    with pytest.raises(ssm.exceptions.ParameterNotFound):
        ssm.get_parameter(Name="/p")
    pools = ssm._endpoint.http_session._manager.pools
    assert 1 == len(pools)

    _runtime.take_snapshot()

    assert 0 == len(pools)
    assert "dynamodb.ServiceResource()" == repr(table)
    meta = ssm.meta
    _runtime.restored()
    with pytest.raises(ssm.exceptions.ParameterNotFound):
        ssm.get_parameter(Name="/p")
    assert ssm.meta is meta


def test_snapstart_is_noticed_by_a_declaration_alone() -> None:
    """
    Under SnapStart a client that was only declared is built by the runtime's hook before the snapshot.
    """
    code = """
        import json
        from lambda_kit import client
        s3 = client("s3")
        before = repr(s3)
        from snapshot_restore_py import get_before_snapshot
        while hooks := get_before_snapshot():
            hook, args, kwargs = hooks.pop()
            hook(*args, **kwargs)
        print(json.dumps([before, repr(s3).partition(" object")[0]]))
    """
    environ = {"AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start"}

    assert ["<client('s3'), not built>", "<botocore.client.S3"] == fresh_process.result(code, environ=environ)


def test_preload_builds_without_network(aws_environ: AwsServer) -> None:
    """
    Preloading builds clients, touched ones too, and calls nothing.
    """
    s3, sqs = client("s3"), client("sqs")
    s3.meta  # noqa: B018 - touching is the point
    with builds() as built:
        preload(s3, sqs, resource("sqs"))

    assert 3 == len(built)
    assert [] == aws_environ.calls


def test_preload_stops_when_its_time_is_over() -> None:
    """
    What is not reached in time stays lazy.
    """
    s3 = client("s3")
    type(s3).__preload__([s3], 0.0)

    assert "<client('s3'), not built>" == repr(s3)


@pytest.mark.parametrize(
    ("service", "read_s"),
    [("dynamodb", 10.0), ("sqs", 25.0), ("lambda", 905.0), ("stepfunctions", 305.0)],
    ids=lambda value: str(value),
)
def test_timeouts_fit_the_service(service: str, read_s: float) -> None:
    """
    Connecting is short everywhere, answers may take as long as the service rightly takes.
    """
    config = client(service).meta.config

    assert (2.0, read_s, True) == (config.connect_timeout, config.read_timeout, config.tcp_keepalive)
    assert {"mode": "standard", "total_max_attempts": 3} == {"total_max_attempts": 3, **config.retries}


def test_services_of_the_timeout_table_exist() -> None:
    """
    A service that is spelt wrong would silently get the default.
    """
    assert set() == set(_clients.READ_TIMEOUTS_S) - set(boto3.Session().get_available_services())


def test_given_config_wins() -> None:
    """
    What the user's Config says is taken, and the rest stays the kit's.
    """
    config = client("s3", config=Config(read_timeout=3, retries={"mode": "adaptive", "total_max_attempts": 7})).meta.config

    assert (2.0, 3) == (config.connect_timeout, config.read_timeout)
    assert {"mode": "adaptive", "total_max_attempts": 7} == config.retries


def test_retry_settings_of_the_environment_win(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    AWS_RETRY_MODE and AWS_MAX_ATTEMPTS mean what they mean to botocore.
    """
    monkeypatch.setenv("AWS_RETRY_MODE", "adaptive")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "5")

    assert {"mode": "adaptive", "total_max_attempts": 5} == client("s3").meta.config.retries


def test_brief_client_gives_up_sooner() -> None:
    """
    The kit's own reads have clients of their own, shared by equal timeouts.
    """
    timeouts = _clients.Timeouts(0.5, 1.0, attempts=1)
    brief = _clients.brief_client("ssm", timeouts)
    with builds() as built:
        config = brief.meta.config

    assert [brief.meta] == [each.meta for each in built]

    assert (0.5, 1.0, 1) == (config.connect_timeout, config.read_timeout, config.retries["total_max_attempts"])
    assert brief.meta is _clients.brief_client("ssm", timeouts).meta
    assert brief.meta is not client("ssm").meta


def test_the_kits_own_clients_are_not_declared_by_the_function() -> None:
    """
    Only a client or resource of the function's makes it load boto3 anyway.
    """
    # In a process of its own, where no other test has declared anything.
    code = """
        import json
        from lambda_kit import _clients, client
        brief = _clients.brief_client("ssm", _clients.Timeouts(0.5, 1.0, attempts=1))
        before = _clients.any_declared()
        s3 = client("s3")
        print(json.dumps([before, _clients.any_declared()]))
    """

    assert [False, True] == fresh_process.result(code)


def test_aws_region_alone_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    botocore reads AWS_DEFAULT_REGION only; the variable that Lambda's documents name works here.
    """
    monkeypatch.delenv("AWS_DEFAULT_REGION")

    assert "eu-west-1" == client("s3").meta.region_name


def test_missing_region_is_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The error says what to set; botocore's own is its cause; once set, the next touch works.
    """
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.delenv("AWS_REGION")
    sqs = client("sqs")

    with pytest.raises(ConfigurationError, match=r"client\('sqs'\): no AWS region: set AWS_REGION, or give region_name=") as raised:
        sqs.list_queues()
    assert isinstance(raised.value.__cause__, NoRegionError)
    assert "us-west-2" == client("sqs", region_name="us-west-2").meta.region_name


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        (lambda: client("s33").meta, r"client\('s33'\) cannot be built: Unknown service: did you mean 's3'\?$"),
        (lambda: client("no-such-thing").meta, r"client\('no-such-thing'\) cannot be built: Unknown service$"),
        (lambda: resource("ssm").meta, r"resource\('ssm'\) cannot be built: .* resource does not exist"),
        (lambda: client("s3", endpoint_url="nowhere").meta, r"client\('s3'\) cannot be built: Invalid endpoint"),
        (lambda: client("s3", region="eu-west-1"), r"client\('s3'\) takes no region: known are region_name, "),
        (lambda: client("s3", *range(11)), r"client\('s3'\) takes no further argument"),
    ],
    ids=["misspelt service", "unknown service", "no such resource", "bad endpoint", "misspelt option", "too many arguments"],
)
def test_wrong_declaration_is_a_clear_error(declared: Any, message: str) -> None:
    """
    What boto3 refuses is a ConfigurationError naming the declaration; a misspelt option is refused at once.
    """
    with pytest.raises(ConfigurationError, match=message):
        declared()
