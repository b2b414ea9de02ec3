"""
The project's own event payloads, one JSON file each, written from the fields that AWS documents:

- sqs: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html; fair queues:
  https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html
- apigw_http_v2, apigw_http_v1: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
- apigw_rest: https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
- function_url: https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
- alb, alb_multi_value: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html

A file is named for its type; what follows two underscores tells variants apart.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

OWN = Path(__file__).parent


def payload(name: str) -> dict[str, Any]:
    """
    Return the payload *name*, such as ``sqs__fifo``.
    """
    found: dict[str, Any] = json.loads((OWN / f"{name}.json").read_text(encoding="utf-8"))
    return found
