"""
Requests are named as IAM names their operations, and counted; the server ends with its parent.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from typing import Any

import pytest

from lambda_kit._local._aws_server import CALLS_PATH, CountingApplication, operation_of
from lambda_kit._local._processes import python_environment


def request(service: str = "", *, method: str = "POST", path: str = "/", **environ: Any) -> dict[str, Any]:
    """
    Return a WSGI request as botocore would sign it.
    """
    scope = f"AWS4-HMAC-SHA256 Credential=AKID/20261121/us-east-1/{service}/aws4_request, SignedHeaders=host"
    return {"REQUEST_METHOD": method, "PATH_INFO": path, **({"HTTP_AUTHORIZATION": scope} if service else {}), **environ}


@pytest.mark.parametrize(
    ("environ", "operation"),
    [
        (request("ssm", HTTP_X_AMZ_TARGET="AmazonSSM.GetParameter"), "ssm:GetParameter"),
        (request("s3", method="GET", path="/bucket/a/b.txt"), "s3:GetObject"),
        (request("s3", method="GET", path="/bucket"), "s3:ListObjects"),
        (request("s3", method="PUT", path="/bucket/"), "s3:CreateBucket"),
        (request("s3", method="PATCH", path="/bucket"), "s3:PATCH"),
        (request("s3", method="GET"), "s3:GET /"),
        (request("lambda", method="GET", path="/2015-03-31/functions"), "lambda:GET /2015-03-31/functions"),
        (request(path="/x"), "unsigned:POST /x"),
    ],
    ids=["json", "object", "list", "bucket", "odd verb", "buckets", "rest", "unsigned"],
)
def test_operations_are_named(environ: dict[str, Any], operation: str) -> None:
    """
    From the header where there is one, else from method and path.
    """
    assert operation == operation_of(environ)


def test_a_form_names_its_action_and_stays_readable() -> None:
    """
    The query protocol has the operation in the body, which the application still gets.
    """
    body = b"Action=Publish&Version=1"
    environ = request("sns", CONTENT_TYPE="application/x-www-form-urlencoded", CONTENT_LENGTH=str(len(body)))
    environ["wsgi.input"] = io.BytesIO(body)

    assert "sns:Publish" == operation_of(environ)
    assert body == environ["wsgi.input"].read()


def test_calls_are_counted_and_forgotten() -> None:
    """
    AWS requests are listed in order; moto's own control requests are not.
    """
    application = CountingApplication(lambda environ, start_response: [b"moto"])

    def ask(environ: dict[str, Any]) -> bytes:
        return b"".join(application(environ, lambda *_: None))

    assert b"moto" == ask(request("sts", HTTP_X_AMZ_TARGET="Sts.GetCallerIdentity"))
    assert b"moto" == ask(request(path="/moto-api/reset"))

    assert ["sts:GetCallerIdentity"] == json.loads(ask(request(method="GET", path=CALLS_PATH)))
    assert ["sts:GetCallerIdentity"] == json.loads(ask(request(method="DELETE", path=CALLS_PATH)))
    assert [] == json.loads(ask(request(method="GET", path=CALLS_PATH)))


def test_the_server_ends_when_its_parent_is_gone() -> None:
    """
    The end of standard input, which no parent survives, ends it.
    """
    command = [sys.executable, "-W", "ignore", "-m", "lambda_kit._local._aws_server"]
    with subprocess.Popen(
        command, env={**python_environment(), "HOME": os.devnull}, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        assert server.stdout.readline().startswith(b"http://127.0.0.1:")

        server.stdin.close()

        assert 0 == server.wait(30.0)
