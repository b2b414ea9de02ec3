"""
The lean transport is used where boto3 would be loaded for nothing else, and would do nothing else.
"""

from __future__ import annotations

import logging
import sys
from types import ModuleType

import pytest

from lambda_kit import _transport
from lambda_kit.errors import ConfigurationError
from tests import fresh_process


@pytest.fixture(autouse=True)
def on_lambda(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A function that has not loaded botocore.
    """
    monkeypatch.setenv("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9001")
    monkeypatch.delitem(sys.modules, "botocore", raising=False)


def test_it_is_used_where_nothing_else_needs_boto3(caplog: pytest.LogCaptureFixture) -> None:
    """
    On Lambda, with the role's credentials in the environment; and one line at DEBUG says so.
    """
    caplog.set_level(logging.DEBUG, "lambda_kit")

    assert _transport.usable(clients_declared=False)
    assert ["parameters, secrets and keys are read over lean: nothing else of this process needs boto3"] == caplog.messages
    assert {logging.DEBUG} == {record.levelno for record in caplog.records}


def test_a_declared_client_loads_boto3_anyway(caplog: pytest.LogCaptureFixture) -> None:
    """
    Then its session, connections and hooks serve the reads too.
    """
    caplog.set_level(logging.DEBUG, "lambda_kit")

    assert not _transport.usable(clients_declared=True)
    assert ["parameters, secrets and keys are read over boto3: a client is declared"] == caplog.messages


def test_a_loaded_botocore_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Somebody else has paid for it.
    """
    monkeypatch.setitem(sys.modules, "botocore", ModuleType("botocore"))

    assert not _transport.usable(clients_declared=False)


def test_another_region_of_botocores_is_left_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    botocore reads AWS_DEFAULT_REGION only; on Lambda it says the same as AWS_REGION, unless code of the function's set it.
    """
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    chosen = []
    for region in ("", "eu-west-1", "us-east-1"):
        monkeypatch.setenv("AWS_DEFAULT_REGION", region)
        chosen.append(_transport.usable(clients_declared=False))

    assert [True, True, False] == chosen


@pytest.mark.parametrize(
    "name",
    [
        "AWS_PROFILE",
        "AWS_DEFAULT_PROFILE",
        "AWS_CONFIG_FILE",
        "AWS_SHARED_CREDENTIALS_FILE",
        "AWS_CA_BUNDLE",
        "REQUESTS_CA_BUNDLE",
        "HTTPS_PROXY",
        "https_proxy",
        "HTTP_PROXY",
        "http_proxy",
        "ALL_PROXY",
        "all_proxy",
    ],
)
def test_what_only_boto3_reads_is_left_to_it(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """
    A variable that leads botocore elsewhere decides for it; an empty one does not.
    """
    monkeypatch.setenv(name, "")
    assert _transport.usable(clients_declared=False)

    monkeypatch.setenv(name, "something")
    assert not _transport.usable(clients_declared=False)


def test_off_lambda_boto3_finds_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A developer's machine has profiles, single sign-on and files.
    """
    monkeypatch.delenv("AWS_LAMBDA_RUNTIME_API")

    assert not _transport.usable(clients_declared=False)


@pytest.mark.parametrize("name", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
def test_without_credentials_boto3_looks_for_some(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """
    Half a pair is none, and a container's endpoint is as good as a pair.
    """
    monkeypatch.delenv(name)
    assert not _transport.usable(clients_declared=False)

    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://localhost/")
    assert _transport.usable(clients_declared=False)


@pytest.mark.parametrize(("forced", "lean"), [("lean", True), ("boto3", False), (" LEAN ", True)])
def test_a_variable_decides(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, forced: str, lean: bool) -> None:
    """
    LAMBDA_KIT_TRANSPORT wins over everything else.
    """
    monkeypatch.setenv("LAMBDA_KIT_TRANSPORT", forced)
    caplog.set_level(logging.DEBUG, "lambda_kit")

    assert lean == _transport.usable(clients_declared=lean)
    assert caplog.messages[0].endswith("LAMBDA_KIT_TRANSPORT says so")


def test_a_mistyped_choice_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The error says what can be chosen.
    """
    monkeypatch.setenv("LAMBDA_KIT_TRANSPORT", "fast")

    with pytest.raises(ConfigurationError, match="LAMBDA_KIT_TRANSPORT is to be 'lean' or 'boto3': got 'fast'"):
        _transport.usable(clients_declared=False)


@pytest.mark.parametrize(
    ("declaration", "message"),
    [
        ("", "read over lean: nothing else of this process needs boto3"),
        ("s3 = lambda_kit.client('s3')", "read over boto3: a client is declared"),
        ("import botocore", "read over boto3: botocore is loaded"),
    ],
    ids=["reads alone", "with a client", "with botocore"],
)
def test_a_function_decides_at_its_first_read(declaration: str, message: str) -> None:
    """
    Once, with one line in its log, whatever is read or loaded later; botocore is loaded only where it was chosen.
    """
    code = f"""
        import json, logging, os, sys
        import lambda_kit
        from tests._transport.scripted_server import ScriptedServer, reply
        server = ScriptedServer()
        server.answer = lambda seen: reply({{"Parameter": {{"Value": "1", "Version": 1}}, "SecretString": "s", "VersionId": "v"}})
        os.environ |= {{
            "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:1", "AWS_ENDPOINT_URL": server.url, "AWS_REGION": "eu-west-1",
            "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b",
        }}
        kept = []
        handler = logging.Handler()
        handler.emit = lambda record: kept.append(record.getMessage())
        logging.getLogger("lambda_kit").addHandler(handler)
        logging.getLogger("lambda_kit").setLevel(logging.DEBUG)
        {declaration}
        read = [lambda_kit.parameter("/p")(), lambda_kit.secret("s")()]
        loaded = "botocore" in sys.modules
        lambda_kit.client("sqs")
        read.append(lambda_kit.get_parameter("/p", fresh=True))
        print(json.dumps([read, [line for line in kept if "read over" in line], loaded]))
    """

    read, lines, loaded = fresh_process.result(code)
    assert ["1", "s", "1"] == read
    assert [f"parameters, secrets and keys are {message}"] == lines
    assert loaded == ("boto3" in message.partition(":")[0])
