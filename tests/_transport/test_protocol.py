"""
Requests and answers have the shape that botocore gives them.
"""

from __future__ import annotations

import json
from typing import Any

import botocore.parsers
import botocore.session
import pytest

from lambda_kit._transport import _protocol


@pytest.mark.parametrize("service", ["ssm", "secretsmanager", "kms"])
def test_the_services_models_say_the_same(service: str) -> None:
    """
    Prefix, version and blobs are as botocore's models have them, for the operations that the kit uses.
    """
    model = botocore.session.Session().get_service_model(service)
    operations = {
        "ssm": ["GetParameter", "GetParameters", "GetParametersByPath"],
        "secretsmanager": ["GetSecretValue", "BatchGetSecretValue"],
        "kms": ["Decrypt"],
    }
    blobs = set()
    for name in operations[service]:
        operation = model.operation_model(name)
        shapes: list[Any] = [operation.input_shape, operation.output_shape]
        members = {key: member for shape in shapes for key, member in shape.members.items()}
        for member in list(members.values()):
            if member.type_name == "list" and member.member.type_name == "structure":
                members.update(member.member.members)
        blobs |= {key for key, member in members.items() if member.type_name == "blob"}

        wanted = {"Content-Type": f"application/x-amz-json-{model.metadata['jsonVersion']}"}
        assert {**wanted, "X-Amz-Target": f"{model.metadata['targetPrefix']}.{name}"} == _protocol.headers(service, name)
    # CiphertextForRecipient is for enclaves, which Lambda has none of.
    assert blobs - {"CiphertextForRecipient"} <= set(_protocol._BLOBS.get(service, ()))
    assert "awsQueryCompatible" not in model.metadata


def test_bytes_go_as_base64() -> None:
    """
    Whatever kind of bytes they are, at any depth.
    """
    payload = {"CiphertextBlob": b"\x00\xff", "More": [bytearray(b"a"), memoryview(b"b")], "Text": "ü"}

    assert {"CiphertextBlob": "AP8=", "More": ["YQ==", "Yg=="], "Text": "ü"} == json.loads(_protocol.encoded(payload))


def test_what_has_no_json_is_refused_without_its_value() -> None:
    """
    A payload with something else in it is the caller's mistake.
    """
    with pytest.raises(TypeError, match="no JSON for set"):
        _protocol.encoded({"Names": {"/hidden"}})


@pytest.mark.parametrize(
    ("service", "answer", "wanted"),
    [
        ("kms", {"Plaintext": "AP8=", "KeyId": "k"}, {"Plaintext": b"\x00\xff", "KeyId": "k"}),
        (
            "secretsmanager",
            {"SecretValues": [{"SecretBinary": "AP8="}, {"SecretString": "AP8="}], "SecretBinary": None},
            {"SecretValues": [{"SecretBinary": b"\x00\xff"}, {"SecretString": "AP8="}], "SecretBinary": None},
        ),
        ("ssm", {"Parameter": {"Value": "AP8=", "Plaintext": "AP8="}}, {"Parameter": {"Value": "AP8=", "Plaintext": "AP8="}}),
    ],
    ids=["kms", "secretsmanager", "ssm"],
)
def test_blobs_come_as_bytes(service: str, answer: dict[str, Any], wanted: dict[str, Any]) -> None:
    """
    The members that are blobs, wherever they are, and no others.
    """
    assert wanted == _protocol.decoded(service, json.dumps(answer).encode())


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[1]", b"\xff", b'{"Plaintext": "A"}', b"[" * 200_000],
    ids=["nothing", "no JSON", "no object", "no text", "no base64", "nested deeply"],
)
def test_what_is_no_answer_is_none(body: bytes) -> None:
    """
    Nothing of it gets into an error.
    """
    assert _protocol.decoded("kms", body) is None


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, b'{"__type": "ParameterNotFound", "message": "gone"}'),
        (400, b'{"__type": "com.amazonaws.ssm#ParameterNotFound"}'),
        (400, b'{"__type": "a#b#ThrottlingException:http://internal/", "Message": "slow"}'),
        (400, b'{"message": "no type"}'),
        (400, b""),
        (503, b'{"__type": "InternalServerError"}'),
        (403, b"{}"),
    ],
)
def test_refusals_are_read_as_botocore_reads_them(status: int, body: bytes) -> None:
    """
    The same code and message.
    """
    parser = botocore.parsers.create_parser("json")
    shape: Any = botocore.session.Session().get_service_model("ssm").operation_model("GetParameter").output_shape
    error = parser.parse({"body": body, "headers": {}, "status_code": status}, shape)["Error"]

    assert (error["Code"], error["Message"]) == _protocol.refusal(status, body)


@pytest.mark.parametrize(
    ("status", "body", "wanted"),
    [
        (502, b"<html>Bad Gateway</html>", ("502", "")),
        (400, b'{"__type": "X", "message": {"a": 1}}', ("X", "")),
        (400, b'{"__type": ""}', ("400", "")),
    ],
)
def test_refusals_of_others_have_the_status_for_a_code(status: int, body: bytes, wanted: tuple[str, str]) -> None:
    """
    A page of whoever stands before the service says no more than its status.
    """
    assert wanted == _protocol.refusal(status, body)
