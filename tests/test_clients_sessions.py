"""
Sessions: who makes which client, roles that are assumed, and what test libraries add later.
"""

from __future__ import annotations

import pickle
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.handlers import BUILTIN_HANDLERS
from botocore.hooks import EventAliaser, HierarchicalEmitter

from lambda_kit import _clients, _runtime, assuming_role
from lambda_kit._clients import _sessions
from lambda_kit.errors import ConfigurationError
from tests import fresh_process

if TYPE_CHECKING:
    from pathlib import Path

    from tests.aws_server import AwsServer

ROLE = "arn:aws:iam::123456789012:role/reader"

client: Any = _clients.client
resource: Any = _clients.resource


def credentials(made: Any) -> Any:
    """
    Return what a client signs with.
    """
    return made._request_signer._credentials


# Who makes what


def test_a_plain_client_does_without_boto3() -> None:
    """
    boto3 and s3transfer are imported for the services that they add to, and for resources.
    """
    code = """
        import json, sys
        from lambda_kit import client, resource
        loaded = lambda: [name for name in ("boto3", "s3transfer") if name in sys.modules]
        seen = []
        client("sqs", aws_account_id=None).meta; seen.append(loaded())
        s3 = client("s3"); uploads = hasattr(s3, "upload_file"); seen.append([uploads, *loaded()])
        table = resource("dynamodb").Table("t"); seen.append(hasattr(table, "batch_writer"))
        seen.append(client("sns").meta.config.user_agent == client("s3").meta.config.user_agent)
        print(json.dumps(seen))
    """
    environ = {"AWS_DEFAULT_REGION": "eu-west-1"}

    assert [[], [True, "boto3", "s3transfer"], True, True] == fresh_process.result(code, environ=environ)


def test_options_reach_botocore_as_boto3_hands_them_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    An account of nobody's is left out, because older versions of botocore do not know the option.
    """

    class Core:
        user_agent_version = "1"
        given: list[dict[str, object]] = []  # noqa: RUF012 - of one test

        def get_config_variable(self, name: str) -> str:
            return "eu-west-1"

        def create_client(self, service: str, **options: object) -> None:
            self.given.append(options)

    monkeypatch.delitem(sys.modules, "boto3")
    session = _sessions.Session(Core())
    session.client("sqs", aws_account_id=None, use_ssl=False)
    session.client("sqs", aws_account_id="123456789012")

    assert [{"use_ssl": False}, {"aws_account_id": "123456789012"}] == Core.given


def test_boto3_says_which_clients_it_adds_to() -> None:
    """
    The installed boto3's own source names its version and the services.
    """
    assert (boto3.__version__, frozenset({"s3"})) == _sessions._told_by_boto3()


@pytest.mark.parametrize(
    ("init", "session"),
    [
        ("", "'creating-client-class.s3'"),
        ("__version__ = '1.2.3'\n", ""),
        ("__version__ = '1.2.3'\n", "'creating-client-class.s3' 'creating-client-class'"),
        ("__version__ = '1.2.3'\n", None),
        (None, None),
    ],
    ids=["no version", "no services", "all services", "no source", "nothing"],
)
def test_a_boto3_that_does_not_say_makes_all_clients(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, init: str | None, session: str | None
) -> None:
    """
    Where its source is missing or written otherwise, no guess is made.
    """
    for name, text in (("__init__.py", init), ("session.py", session)):
        if text is not None:
            (tmp_path / name).write_text(text)
    fake = ModuleType("boto3")
    fake.__spec__ = ModuleSpec("boto3", None, origin=str(tmp_path / "__init__.py") if init is not None else None)
    monkeypatch.setitem(sys.modules, "boto3", fake)

    assert _sessions._told_by_boto3() is None


def test_names_without_an_alias_are_told_as_botocore_does() -> None:
    """
    What is not compared with each alias would not have been changed by one.
    """
    events: Any = EventAliaser(HierarchicalEmitter())
    names = {spec[0] for spec in BUILTIN_HANDLERS}

    assert dict.fromkeys(names, True) == {
        name: _sessions._has_alias(name, events._event_aliases) or events._alias_event_name(name) == name for name in names
    }
    assert _sessions._has_alias("before-call.runtime.sagemaker.InvokeEndpoint", events._event_aliases)


def test_handlers_are_registered_as_botocores_own() -> None:
    """
    The quick session has the very same handlers for the same events, in the same order, and one of its own before a request is sent.
    """
    # In a process of its own: libraries that other tests load add handlers, to every session another function.
    code = """
        import json
        import botocore.session
        from botocore.handlers import BUILTIN_HANDLERS
        from lambda_kit._clients import _sessions

        def handlers(session, event):
            return list(session._original_handler._handlers.prefix_search(event))

        plain, quick = botocore.session.Session(), _sessions._core()
        events = sorted({spec[0] for spec in BUILTIN_HANDLERS})
        differ = [event for event in events if handlers(plain, event) != handlers(quick, event)]
        sending = [[handler.__name__ for handler in handlers(each, "before-send.s3.GetObject")] for each in (plain, quick)]
        print(json.dumps([len(events), sum(len(handlers(plain, event)) for event in events), differ, sending]))
    """

    events, handlers, differ, sending = fresh_process.result(code)

    assert [] == differ
    assert [[], ["late"]] == sending
    # botocore has some hundred of each: nothing was compared with nothing.
    assert 50 < events < handlers


def test_events_made_otherwise_are_registered_plainly() -> None:
    """
    A botocore whose aliaser keeps no such table is not touched.
    """

    class Library:
        registered: object = None

        def _register_builtin_handlers(self, events: object) -> None:
            self.registered = events

    made: Any = type("Made", (_sessions._Quick, Library), {})()
    events = object()
    made._register_builtin_handlers(events)

    assert events is made.registered


def test_moto_may_be_imported_after_the_client_was_built() -> None:
    """
    moto's handler is among botocore's own from its import on; clients built before hear it too.
    """
    code = """
        import json
        from lambda_kit import client
        sqs = client("sqs", config=None)
        sqs.meta
        from moto import mock_aws
        with mock_aws():
            sqs.create_queue(QueueName="orders")
            print(json.dumps(len(sqs.list_queues()["QueueUrls"])))
    """
    # Nobody listens there: a call that moto does not answer fails.
    environ = {"AWS_DEFAULT_REGION": "eu-west-1", "HTTPS_PROXY": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1"}

    assert 1 == fresh_process.result(code, environ={**environ, "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y"})


def test_a_late_handler_may_have_no_answer(aws_environ: AwsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Then the request goes out; handlers for other events are not called.
    """
    sqs = client("sqs")
    sqs.meta  # noqa: B018 - touching is the point
    seen: list[str] = []

    def listen(request: Any, **_: Any) -> None:
        seen.append(request.method)

    monkeypatch.setattr("botocore.handlers.BUILTIN_HANDLERS", BUILTIN_HANDLERS)
    BUILTIN_HANDLERS.extend([("before-send", listen), ("before-sign", lambda **_: seen.append("sign"))])
    try:
        sqs.list_queues()
    finally:
        del BUILTIN_HANDLERS[-2:]

    assert ["POST"] == seen
    assert 1 == len(aws_environ.calls)


# Roles


def test_a_role_is_assumed_once_and_when_needed(aws_environ: AwsServer) -> None:
    """
    Declaring and building ask for nothing; the first call assumes the role, and clients of the role share its credentials.
    """
    aws_environ.boto3("ssm").put_parameter(Name="/p", Value="1", Type="String")
    role = assuming_role(ROLE)
    ssm: Any = role.client("ssm")
    ssm.meta  # noqa: B018 - touching is the point
    assert [] == aws_environ.calls

    assert "1" == ssm.get_parameter(Name="/p")["Parameter"]["Value"]
    ssm.get_parameter(Name="/p")
    again: Any = assuming_role(ROLE).client("ssm", "us-west-2")
    again.list_documents()
    assert ["POST /", "GetParameter", "GetParameter", "ListDocuments"] == aws_environ.calls
    assert credentials(ssm).access_key == credentials(again).access_key != credentials(client("ssm")).access_key
    # Older versions of botocore do not keep the account.
    assert "123456789012" == getattr(credentials(ssm).get_frozen_credentials(), "account_id", "123456789012")
    assert "eu-west-1" == ssm.meta.region_name


def test_credentials_are_renewed(aws_environ: AwsServer) -> None:
    """
    Credentials that ran out, in a freeze for instance, are asked for anew before the next call.
    """
    queues: Any = assuming_role(ROLE).client("sqs")
    queues.list_queues()
    first = credentials(queues).access_key
    credentials(queues)._expiry_time = credentials(queues)._expiry_time.replace(year=2020)
    queues.list_queues()

    assert first != credentials(queues).access_key
    assert ["POST /", "ListQueues", "POST /", "ListQueues"] == aws_environ.calls


def test_a_roles_resource_calls_as_the_role(aws_environ: AwsServer) -> None:
    """
    Resources come the same way.
    """
    s3: Any = assuming_role(ROLE).resource("s3")
    assert [] == list(s3.buckets.all())

    assert ["POST /", "GET /"] == aws_environ.calls


def test_other_arguments_are_another_role(aws_environ: AwsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    What STS is asked for is part of a client's identity, and the session's name tells who it was.
    """
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "orders/live")
    asked: list[dict[str, Any]] = []
    client("sts").meta.events.register("provide-client-params.sts.AssumeRole", lambda params, **_: asked.append(dict(params)))
    options: list[dict[str, Any]] = [{}, {"external_id": "x-1"}, {"session_name": "me", "duration_s": 900}]
    clients: list[Any] = [assuming_role(ROLE, **each).client("sqs") for each in options]
    for each in clients:
        each.list_queues()

    assert 3 == len({id(each.meta) for each in clients})
    assert [
        {"DurationSeconds": 3600, "RoleArn": ROLE, "RoleSessionName": "orders-live"},
        {"DurationSeconds": 3600, "ExternalId": "x-1", "RoleArn": ROLE, "RoleSessionName": "orders-live"},
        {"DurationSeconds": 900, "RoleArn": ROLE, "RoleSessionName": "me"},
    ] == asked


@pytest.mark.usefixtures("aws_environ")
def test_a_roles_stand_in_shows_pickles_and_resets_as_such() -> None:
    """
    The role is part of the declaration; a reset drops its credentials.
    """
    role = assuming_role(ROLE)
    sqs: Any = role.client("sqs")
    again = pickle.loads(pickle.dumps(sqs))  # noqa: S301 - our own bytes
    assert f"<client('sqs') as {ROLE}, not built>" == repr(again)
    assert f"<AssumedRole {ROLE}>" == repr(role)

    assert sqs.meta is again.meta
    meta = sqs.meta
    _runtime.reset()
    assert sqs.meta is not meta


@pytest.mark.parametrize("arn", ["", "reader", "arn:aws:iam::123456789012:user/me", "arn:aws:s3:::bucket"])
def test_what_is_no_role_is_refused(arn: str) -> None:
    """
    At the declaration, by name.
    """
    with pytest.raises(ConfigurationError, match="takes a role's ARN"):
        assuming_role(arn)


def test_roles_of_other_partitions_are_roles() -> None:
    """
    China and GovCloud, paths and service roles.
    """
    assert "service-role" in repr(assuming_role("arn:aws-us-gov:iam::123456789012:role/service-role/reader"))
