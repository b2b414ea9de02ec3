"""
Events as Lambda delivers them, for tests: plain dicts that have been through JSON.
"""

from __future__ import annotations

import json
import time
from base64 import b64encode
from collections.abc import Mapping
from hashlib import md5
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from lambda_kit._responses import plain
from lambda_kit.testing._samples import sample_event

_ACCOUNT = "123456789012"
_REGION = "eu-central-1"


class LambdaEvents:
    """
    Make events. Payloads may be text, which is sent as it is, or anything that can become JSON, pydantic models included.
    """

    def sample(self, kind: str) -> Any:
        """
        Return an event of any kind that Lambda delivers, such as ``"cognito_pre_signup"``; ``lambda-kit events`` lists them.

        It is the same each time, and fresh: a test may change it.

        Raises:
            LookupError: There is no such kind; the message has them all.
        """
        return sample_event(kind)

    def sqs(
        self,
        *bodies: object,
        fifo: bool = False,
        group: str | None = None,
        queue: str = "test-queue",
        attributes: Mapping[str, str] | None = None,
        receive_count: int = 1,
    ) -> dict[str, Any]:
        """
        Return a batch with one message for each of *bodies*.

        Args:
            fifo: The queue keeps an order; the group is ``"default"`` when none is given.
            group: The message group of all of them. Standard queues may have groups too (fair queues).
            attributes: Message attributes, all of type String.
            receive_count: How often each was received, this time included.

        Source: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
        """
        group = group or ("default" if fifo else None)
        now_ms = str(int(time.time() * 1000))
        records = []
        for number, body in enumerate(map(_text, bodies)):
            facts = {
                "ApproximateReceiveCount": str(receive_count),
                "SentTimestamp": now_ms,
                "SenderId": "AIDAIENQZJOLO23YVJ4VO",
                "ApproximateFirstReceiveTimestamp": now_ms,
            }
            if group is not None:
                facts["MessageGroupId"] = group
            if fifo:
                facts |= {"SequenceNumber": f"{18850000000000000000 + number}", "MessageDeduplicationId": uuid4().hex}
            record = {
                "messageId": str(uuid4()),
                "receiptHandle": b64encode(f"receipt {number}".encode()).decode(),
                "body": body,
                "attributes": facts,
                "messageAttributes": {name: _attribute(value) for name, value in (attributes or {}).items()},
                "md5OfBody": md5(body.encode(), usedforsecurity=False).hexdigest(),
                "eventSource": "aws:sqs",
                "eventSourceARN": f"arn:aws:sqs:{_REGION}:{_ACCOUNT}:{queue}{'.fifo' if fifo else ''}",
                "awsRegion": _REGION,
            }
            records.append(record)
        return _through_json({"Records": records})

    def api_v2(
        self,
        method: str = "GET",
        path: str = "/",
        *,
        json: object = None,
        body: str | bytes | None = None,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str | list[str]] | None = None,
        cookies: Mapping[str, str] | None = None,
        path_parameters: Mapping[str, str] | None = None,
        route: str | None = None,
        authorizer: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """
        Return a request through an API Gateway HTTP API, payload format 2.0.

        Args:
            json: The body, to be turned into JSON.
            body: The body as it is; bytes arrive as Base64.
            query: A list stands for a parameter that comes several times.
            route: The path template, such as ``/orders/{id}``; the path itself by default.
            authorizer: What the authorizer found out: ``{"jwt": {"claims": {...}}}``.

        Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
        """
        if json is not None and body is not None:
            raise ValueError("give json or body, not both")
        text, is_base64 = _body(json, body)
        sent = {"host": "abc123.execute-api.eu-central-1.amazonaws.com", "user-agent": "lambda-kit-test"}
        if json is not None:
            sent["content-type"] = "application/json"
        sent |= {name.lower(): value for name, value in (headers or {}).items()}
        parameters = {name: value if isinstance(value, list) else [value] for name, value in (query or {}).items()}
        route_key = f"{method} {route or path}"
        event: dict[str, Any] = {
            "version": "2.0",
            "routeKey": route_key,
            "rawPath": path,
            "rawQueryString": urlencode(parameters, doseq=True),
            "headers": sent,
            "requestContext": _request_context(method, path, route_key, sent["user-agent"], authorizer),
            "isBase64Encoded": is_base64,
        }
        # What there is none of, API Gateway leaves out.
        if parameters:
            event["queryStringParameters"] = {name: ",".join(values) for name, values in parameters.items()}
        if cookies:
            event["cookies"] = [f"{name}={value}" for name, value in cookies.items()]
        if path_parameters:
            event["pathParameters"] = dict(path_parameters)
        if text is not None:
            event["body"] = text
        return _through_json(event)


def _request_context(method: str, path: str, route_key: str, user_agent: str, authorizer: Mapping[str, Any] | None) -> dict[str, Any]:
    now_s = time.time()
    context: dict[str, Any] = {
        "accountId": _ACCOUNT,
        "apiId": "abc123",
        "domainName": "abc123.execute-api.eu-central-1.amazonaws.com",
        "domainPrefix": "abc123",
        "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": user_agent},
        "requestId": uuid4().hex[:16],
        "routeKey": route_key,
        "stage": "$default",
        "time": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now_s)),
        "timeEpoch": int(now_s * 1000),
    }
    if authorizer:
        context["authorizer"] = dict(authorizer)
    return context


def _body(value: object, body: str | bytes | None) -> tuple[str | None, bool]:
    if isinstance(body, bytes):
        return b64encode(body).decode(), True
    return (json.dumps(plain(value)) if value is not None else body), False


def _text(payload: object) -> str:
    return payload if isinstance(payload, str) else json.dumps(plain(payload))


def _attribute(value: str) -> dict[str, Any]:
    return {"stringValue": value, "stringListValues": [], "binaryListValues": [], "dataType": "String"}


def _through_json(event: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(event))
    return found
