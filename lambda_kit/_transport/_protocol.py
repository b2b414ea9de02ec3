"""
JSON 1.1, as SSM, Secrets Manager and KMS speak it: requests and answers in the shape that botocore gives them.
"""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

# Source: targetPrefix and the members of type blob in the services' models.
_PREFIXES = {"ssm": "AmazonSSM", "secretsmanager": "secretsmanager", "kms": "TrentService"}
_BLOBS = {"secretsmanager": ("SecretBinary",), "kms": ("Plaintext", "CiphertextBlob")}


def headers(service: str, operation: str) -> dict[str, str]:
    """
    Return the headers that tell what is asked for.
    """
    return {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": f"{_PREFIXES[service]}.{operation}"}


def encoded(payload: Mapping[str, object]) -> bytes:
    """
    Return *payload* as it is sent, ``bytes`` in base64.
    """
    return json.dumps(payload, default=_base64).encode()


def decoded(service: str, body: bytes) -> dict[str, Any] | None:
    """
    Return an answer, blobs as ``bytes``; ``None`` where *body* is no JSON object.
    """
    try:
        found = json.loads(body, object_hook=_hook(_BLOBS.get(service, ())))
    except (RecursionError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def refusal(status: int, body: bytes) -> tuple[str, str]:
    """
    Return code and message of an error, as botocore reads them: the code is the status where there is no other.
    """
    found = decoded("", body) or {}
    code = found.get("__type") or str(status)
    message = found.get("message", found.get("Message"))
    # "com.amazonaws.ssm#ParameterNotFound", "ThrottlingException:http://..."
    return str(code).partition(":")[0].rpartition("#")[2], message if isinstance(message, str) else ""


def _base64(value: object) -> str:
    from binascii import b2a_base64

    if isinstance(value, bytes | bytearray | memoryview):
        return b2a_base64(value, newline=False).decode()
    raise TypeError(f"no JSON for {type(value).__name__}")


def _hook(blobs: tuple[str, ...]) -> Callable[[dict[str, Any]], dict[str, Any]] | None:
    if not blobs:
        return None

    def with_bytes(found: dict[str, Any]) -> dict[str, Any]:
        from binascii import a2b_base64

        for name in blobs:
            if isinstance(found.get(name), str):
                found[name] = a2b_base64(found[name])
        return found

    return with_bytes
