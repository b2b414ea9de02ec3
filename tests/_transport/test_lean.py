"""
A call is signed, tried again where that helps, and ends in an answer or in an error that gives nothing away.
"""

from __future__ import annotations

import logging
import re
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials

from lambda_kit import _observe, _runtime
from lambda_kit._transport import Lean, _lean
from lambda_kit.errors import ConfigurationError, ServiceError
from tests import fresh_process
from tests._configuration.exposure import given_away_by
from tests._transport.scripted_server import ScriptedServer, reply
from tests.aws_server import CREDENTIALS, REGION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests._transport.scripted_server import Seen
    from tests.aws_server import AwsServer

_PAYLOAD = {"Name": "/orders/price", "WithDecryption": True}
_FOUND: dict[str, object] = {"Parameter": {"Name": "/orders/price", "Value": "19.99", "Version": 1}}
# Joined, so that it is not in the source that a traceback shows.
_SECRET = "-".join(["hidden", "value"])


def price(budget_s: float = 10.0) -> dict[str, Any]:
    """
    Ask for a parameter.
    """
    return Lean().request("ssm", "GetParameter", _PAYLOAD, budget_s=budget_s)


def refused(code: str, status: int = 400, **headers: str) -> bytes:
    """
    Return the answer of a service that refuses.
    """
    return reply({"__type": f"com.amazonaws#{code}", "message": "as told"}, status, **headers)


def dated(seconds: float) -> str:
    """
    Return a Date header, so many seconds from now.
    """
    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)


def test_the_request_is_the_one_botocore_signs(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    What arrives carries the signature that botocore makes for the time it names.
    """
    server.answer = lambda seen: reply(_FOUND)

    assert _FOUND == price()
    seen = server.seen[0]
    at = datetime.strptime(seen.headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: at)
    signed = set(seen.headers["authorization"].partition("SignedHeaders=")[2].partition(",")[0].split(";"))
    headers = {name: seen.headers[name] for name in signed - {"x-amz-date", "x-amz-security-token"}}
    request = AWSRequest("POST", f"http://{seen.headers['host']}/", headers=headers, data=seen.body)
    botocore.auth.SigV4Auth(BotocoreCredentials(*CREDENTIALS.values()), "ssm", REGION).add_auth(request)
    assert request.headers["Authorization"] == seen.headers["authorization"]
    assert {"host", "content-type", "x-amz-date", "x-amz-security-token", "x-amz-target"} == signed
    assert b'{"Name": "/orders/price", "WithDecryption": true}' == seen.body
    assert ("AmazonSSM.GetParameter", "aws-lambda-kit") == (seen.headers["x-amz-target"], seen.headers["user-agent"])


def test_the_region_is_the_functions() -> None:
    """
    For messages.
    """
    assert REGION == Lean().region


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (refused("ThrottlingException"), "ThrottlingException"),
        (refused("TooManyRequestsException", 429), "TooManyRequestsException"),
        (refused("RequestTimeout"), "RequestTimeout"),
        (refused("InternalServerError", 500), "InternalServerError"),
        (reply(b"<html>", 502), "502"),
        (reply(b"", 503), "503"),
        (refused("Unheard", 504), "Unheard"),
        (None, ""),
        (reply(b"<html>"), ""),
        (b"what is this\r\n\r\n", ""),
    ],
    ids=["throttled", "429", "request timeout", "500", "502", "503", "504", "hung up", "no JSON", "no HTTP"],
)
def test_what_may_pass_is_tried_once_more(server: ScriptedServer, answer: bytes | None, code: str) -> None:
    """
    A second failure is the caller's, with what the service said, and worth another attempt later if it said nothing.
    """
    answers = [answer]
    server.answer = lambda seen: answers.pop() if answers else reply(_FOUND)
    assert _FOUND == price()
    assert 2 == len(server.seen)

    server.answer = lambda seen: answer
    with pytest.raises(ServiceError) as raised:
        price()
    assert 4 <= len(server.seen) <= 5  # one more where the kept connection died
    assert (code, not code) == (raised.value.code, raised.value.retryable)
    assert REGION == raised.value.region


@pytest.mark.parametrize("code", ["ParameterNotFound", "AccessDeniedException", "ExpiredTokenException", "SignatureDoesNotMatch"])
def test_what_is_final_is_not_tried_again(server: ScriptedServer, code: str) -> None:
    """
    The error carries what the service said.
    """
    server.answer = lambda seen: refused(code)

    with pytest.raises(ServiceError) as raised:
        price()
    assert 1 == len(server.seen)
    assert (code, "as told", 400, REGION) == (raised.value.code, raised.value.reason, raised.value.status, raised.value.region)
    assert f"{code}: as told" == str(raised.value)
    assert not raised.value.retryable


@pytest.mark.parametrize(("budget_s", "attempts"), [(10.0, 2), (4.5, 2), (2.0, 1), (1.0, 1)])
def test_a_small_budget_leaves_no_second_attempt(server: ScriptedServer, budget_s: float, attempts: int) -> None:
    """
    There has to be time for what a caller falls back on.
    """
    server.answer = lambda seen: reply(b"", 500)

    with pytest.raises(ServiceError, match=r"^500$"):
        price(budget_s)
    assert attempts == len(server.seen)


@pytest.mark.parametrize("budget_s", [0.0, -1.0])
def test_without_a_budget_nothing_is_sent(server: ScriptedServer, budget_s: float) -> None:
    """
    The error says that there was no time.
    """
    with pytest.raises(ServiceError, match="no time left") as raised:
        price(budget_s)
    assert raised.value.retryable
    assert [] == server.seen


def test_a_clock_that_is_off_is_corrected(
    server: ScriptedServer, pass_time: Callable[[float], None], caplog: pytest.LogCaptureFixture
) -> None:
    """
    The request is signed anew by the server's clock, which costs one request once and none later.
    """
    pass_time(-3600.0)

    def strict(seen: Seen) -> bytes:
        late = abs((datetime.now(UTC) - _signed_at(seen)).total_seconds()) > 300.0
        return refused("InvalidSignatureException", Date=dated(0.0)) if late else reply(_FOUND)

    server.answer = strict

    assert [_FOUND, _FOUND] == [price(), price()]
    assert 3 == len(server.seen)
    assert 1 == len(caplog.messages)
    assert re.fullmatch(r"the clock is (3599|3600) s off AWS's; requests are signed by AWS's", caplog.messages[0])
    assert logging.WARNING == caplog.records[0].levelno
    pass_time(3600.0)  # the clock was set right
    server.answer = strict
    assert _FOUND == price()
    assert 5 == len(server.seen)
    _runtime.restored()
    assert 0.0 == _lean._clock_offset_s


def _signed_at(seen: Seen) -> datetime:
    return datetime.strptime(seen.headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


def test_a_signature_from_before_a_freeze_is_made_anew(server: ScriptedServer, pass_time: Callable[[float], None]) -> None:
    """
    The clock was right, only the request was late: no offset is kept.
    """

    def thaw(seen: Seen) -> bytes:
        if len(server.seen) > 1:
            return reply(_FOUND)
        pass_time(3600.0)
        return refused("RequestExpired", Date=dated(3600.0))

    server.answer = thaw

    assert _FOUND == price()
    assert 2 == len(server.seen)
    assert 0.0 == _lean._clock_offset_s


@pytest.mark.parametrize("date", ["", "yesterday", "in time"])
def test_a_bad_signature_at_the_right_time_stays_bad(server: ScriptedServer, date: str) -> None:
    """
    A wrong secret key is not the clock's fault.
    """
    server.answer = lambda seen: refused("InvalidSignatureException", Date=dated(0.0) if date == "in time" else date)

    with pytest.raises(ServiceError, match="InvalidSignatureException"):
        price()
    assert 1 == len(server.seen)


def test_expired_credentials_are_renewed_where_they_can_be(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Those of the container's endpoint; once per attempt.
    """
    for name in CREDENTIALS:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{server.url}/creds")
    end = (datetime.now(UTC) + timedelta(hours=1)).isoformat()

    def answer(seen: Seen) -> bytes:
        asked = sum(each.method == "GET" for each in server.seen)
        if seen.method == "GET":
            return reply({"AccessKeyId": f"ASIA{asked}", "SecretAccessKey": _SECRET, "Token": "t", "Expiration": end})
        return reply(_FOUND) if "ASIA2" in seen.headers["authorization"] else refused("ExpiredTokenException")

    server.answer = answer

    assert _FOUND == price()
    assert ["GET", "POST", "GET", "POST"] == [seen.method for seen in server.seen]


@pytest.mark.parametrize(
    "answer",
    [
        reply(f'{{"Parameter": {{"Value": "{_SECRET}"'.encode()),
        reply(_SECRET.encode()),
        reply(f'["{_SECRET}"]'.encode()),
        reply(_SECRET.encode() * 9, Connection="close")[:-5],
        f"{_SECRET} what is this\r\n\r\n".encode(),
        None,
        refused("AccessDeniedException"),
    ],
    ids=["half of JSON", "text", "list", "half an answer", "no HTTP", "hung up", "denied"],
)
def test_errors_give_nothing_away(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch, answer: bytes | None) -> None:
    """
    Neither what came back nor what was sent is in the error, in what it was raised from, or in the kit's frames.
    """
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", _SECRET)
    monkeypatch.setenv("AWS_SESSION_TOKEN", f"{_SECRET}-token")
    server.answer = lambda seen: answer

    with pytest.raises(ServiceError) as raised:
        price()
    assert _SECRET not in given_away_by(raised.value)
    # Frames of http.client would hold the headers.
    assert raised.value.__cause__ is raised.value.__context__ is None
    traceback = raised.value.__traceback__
    while traceback is not None:
        assert "http" not in traceback.tb_frame.f_code.co_filename.rpartition("/")[0].rpartition("/")[2]
        traceback = traceback.tb_next


def test_nothing_is_logged_that_is_secret(server: ScriptedServer, caplog: pytest.LogCaptureFixture) -> None:
    """
    At DEBUG, with everybody's loggers on.
    """
    caplog.set_level(logging.DEBUG)
    server.answer = lambda seen: reply({"SecretString": _SECRET})
    Lean().request("secretsmanager", "GetSecretValue", {"SecretId": "db"}, budget_s=10.0)

    for secret in (_SECRET, "testing-key", "testing-token"):
        assert secret not in caplog.text


def test_what_is_no_answer_of_a_service_is_not_tried_again(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A wrong set-up is told at once.
    """
    monkeypatch.setenv("AWS_SESSION_TOKEN", "a b")

    with pytest.raises(ConfigurationError):
        price()
    monkeypatch.delenv("AWS_REGION")
    with pytest.raises(ConfigurationError, match="no region"):
        price()
    assert [] == server.seen


def test_calls_are_traced(server: ScriptedServer) -> None:
    """
    As spans of namespace aws, named as those of boto3's clients are.
    """
    spans = []

    @contextmanager
    def tracer(name: str, namespace: str, facts: dict[str, str | int | float | bool]) -> Iterator[None]:
        spans.append((name, namespace, facts))
        yield

    _observe.set_tracer(tracer)
    price()

    assert [("ssm", "aws", {"operation": "GetParameter", "region": REGION})] == spans


def test_forks_and_snapshots_are_watched() -> None:
    """
    From the first connection on, in a process that has built nothing else; the child asks over its own.
    """
    code = """
        import json, os
        from lambda_kit._transport import Lean
        from tests._transport.scripted_server import ScriptedServer
        server = ScriptedServer()
        os.environ |= {"AWS_ENDPOINT_URL": server.url, "AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
        ask = lambda: Lean().request("ssm", "GetParameter", {}, budget_s=10.0)
        ask()
        child = os.fork()
        if not child:
            ask()
            os._exit(0)
        status = os.waitpid(child, 0)[1]
        ask()
        print(json.dumps([status, [seen.connection for seen in server.seen]]))
    """

    assert [0, [1, 2, 1]] == fresh_process.result(code)


def test_neither_boto3_nor_its_parts_are_loaded() -> None:
    """
    A whole read without any third party.
    """
    code = """
        import json, os, sys
        known = set(sys.modules)
        from lambda_kit._transport import Lean
        heavy = {"ssl", "http.client", "hashlib", "hmac", "email", "urllib.parse", "datetime", "socket", "select"}
        early = sorted(heavy & set(sys.modules) - known)
        from tests._transport.scripted_server import ScriptedServer
        server = ScriptedServer()
        os.environ |= {"AWS_ENDPOINT_URL": server.url, "AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
        before = set(sys.modules)
        Lean().request("ssm", "GetParameter", {}, budget_s=10.0)
        loaded = {name.partition(".")[0] for name in set(sys.modules) - before}
        print(json.dumps([early, sorted(loaded & {"boto3", "botocore", "cachetools", "certifi", "tenacity", "urllib3"})]))
    """

    assert [[], []] == fresh_process.result(code)


def test_moto_answers(aws_environ: AwsServer) -> None:
    """
    A parameter, a secret with bytes, and a ciphertext, from a server that was not written for this.
    """
    aws_environ.boto3("ssm").put_parameter(Name="/orders/price", Value="19,99 €", Type="SecureString")
    aws_environ.boto3("secretsmanager").create_secret(Name="db", SecretBinary=b"\x00\xff")
    kms = aws_environ.boto3("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    context = {"LambdaFunctionName": "orders"}
    sealed = kms.encrypt(KeyId=key, Plaintext=b"plain \xff", EncryptionContext=context)["CiphertextBlob"]

    assert "19,99 €" == price()["Parameter"]["Value"]
    assert b"\x00\xff" == Lean().request("secretsmanager", "GetSecretValue", {"SecretId": "db"}, budget_s=10.0)["SecretBinary"]
    payload = {"CiphertextBlob": sealed, "EncryptionContext": context}
    assert b"plain \xff" == Lean().request("kms", "Decrypt", payload, budget_s=10.0)["Plaintext"]
    assert ["GetParameter", "GetSecretValue", "Decrypt"] == aws_environ.calls


@pytest.mark.parametrize(
    ("service", "operation", "payload"),
    [
        ("ssm", "GetParameter", {"Name": "/none"}),
        ("ssm", "GetParameters", {"Names": [f"/{number}" for number in range(11)]}),
        ("secretsmanager", "GetSecretValue", {"SecretId": "none"}),
        ("kms", "Decrypt", {"CiphertextBlob": b"no ciphertext"}),
    ],
    ids=["parameter", "too many", "secret", "ciphertext"],
)
def test_refusals_are_those_that_boto3_reports(aws_environ: AwsServer, service: str, operation: str, payload: dict[str, object]) -> None:
    """
    Code, message and status.
    """
    import botocore
    import botocore.exceptions

    with pytest.raises(botocore.exceptions.ClientError) as theirs:
        getattr(aws_environ.boto3(service), botocore.xform_name(operation))(**payload)
    with pytest.raises(ServiceError) as ours:
        Lean().request(service, operation, payload, budget_s=10.0)

    assert theirs.value.response["Error"]["Code"] == ours.value.code
    assert theirs.value.response["Error"]["Message"] == ours.value.reason
    assert theirs.value.response["ResponseMetadata"]["HTTPStatusCode"] == ours.value.status
