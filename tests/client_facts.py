"""
What is to be known of a client from outside, as plain data: to compare the kit's with boto3's.
"""

from __future__ import annotations

import json
import re
import sys
from typing import Any

SERVICES = (
    "athena cloudwatch cognito-idp dynamodb ec2 events firehose iam kinesis kms lambda logs rds-data s3 secretsmanager sns sqs ssm "
    "stepfunctions sts"
).split()
# Differ from one request to the next.
_PASSING = {"x-amz-date", "amz-sdk-invocation-id", "content-md5"}


class Captured(Exception):  # noqa: N818 - not an error: how the request gets out
    """
    Carries a request that was ready to be sent.
    """

    def __init__(self, request: Any) -> None:
        super().__init__()
        self.request = request


def facts(make: Any, service: str) -> dict[str, Any]:
    """
    Return everything of the client that *make* makes; or which error of botocore's came instead.
    """
    try:
        client = make(service)
        client.meta  # noqa: B018 - builds it
    except Exception as exc:  # noqa: BLE001 - whatever it is, both have to have it
        return {"error": repr(exc.__cause__ or exc)}
    names = [name for name in dir(client) if not name.startswith("_")]
    operations = sorted(client.meta.method_to_api_mapping)
    config = client.meta.config
    return {
        "names": names,
        "operations": operations,
        "waiters": client.waiter_names,
        "paginators": [name for name in operations if client.can_paginate(name)],
        "region": client.meta.region_name,
        "partition": client.meta.partition,
        "endpoint": client.meta.endpoint_url,
        "signature": config.signature_version,
        "retries": config.retries,
        "timeouts": [config.connect_timeout, config.read_timeout],
        "agent": config.user_agent,
        "request": _request(client),
    }


def _request(client: Any) -> dict[str, Any]:
    """
    Return the first request that needs no arguments, as it would go out.
    """
    model = client.meta.service_model
    calls = client.meta.method_to_api_mapping
    free = [method for method in sorted(calls) if _needs_nothing(model.operation_model(calls[method]))]
    method, arguments = (free[0], {}) if free else _ARGUMENTS[model.service_name]

    def stop(request: Any, **_: Any) -> None:
        raise Captured(request)

    client.meta.events.register_first("before-send", stop)
    try:
        getattr(client, method)(**arguments)
    except Captured as captured:
        request = captured.request
        headers = {name.lower(): _text(value) for name, value in request.headers.items() if name.lower() not in _PASSING}
        headers["authorization"] = re.sub(r"Signature=\w+", "", headers.get("authorization", ""))
        return {"method": method, "verb": request.method, "url": request.url, "headers": headers, "body": _text(request.body)}
    except Exception as exc:  # noqa: BLE001 - whatever it is, both have to have it
        return {"method": method, "error": repr(exc)}
    raise AssertionError(f"{method} sent nothing")


_ARGUMENTS: dict[str, tuple[str, dict[str, Any]]] = {
    "rds-data": ("begin_transaction", {"resourceArn": "arn:aws:rds:eu-west-1:123456789012:cluster:c", "secretArn": "arn:aws:secret:s"}),
}


def _needs_nothing(operation: Any) -> bool:
    shape = operation.input_shape
    return (shape is None or not shape.required_members) and not operation.has_event_stream_output


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes | bytearray) else str(value)


def main() -> None:
    """
    Print how many facts agree, and those that do not.
    """
    from lambda_kit import _clients

    client: Any = _clients.client
    # The kit's first, while boto3 is not imported: its presence is one reason to have it make the clients.
    kit = {service: facts(client, service) for service in SERVICES if service != "s3"}
    lean = "boto3" not in sys.modules
    kit["s3"] = facts(client, "s3")
    import boto3
    from botocore.config import Config

    def make(service: str) -> Any:
        read_s = _clients.READ_TIMEOUTS_S.get(service, _clients.READ_TIMEOUT_S)
        config = Config(connect_timeout=_clients.CONNECT_TIMEOUT_S, read_timeout=read_s, tcp_keepalive=True, retries={"mode": "standard"})
        return session.client(service, config=config)  # type: ignore[call-overload]  # any service

    session = boto3.Session()
    theirs = {service: facts(make, service) for service in SERVICES}
    differing = {
        f"{service} {fact}": [kit[service].get(fact), theirs[service].get(fact)]
        for service in SERVICES
        for fact in kit[service].keys() | theirs[service].keys()
        if kit[service].get(fact) != theirs[service].get(fact)
    }
    sent = sum("url" in found.get("request", {}) for found in theirs.values())
    urls = {service: found.get("request", {}).get("url") for service, found in theirs.items()}
    print(json.dumps({"lean": lean, "differing": differing, "sent": sent, "urls": urls}))


if __name__ == "__main__":
    main()
