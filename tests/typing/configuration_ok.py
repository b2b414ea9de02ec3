"""
A handle's value has the type that its conversion makes, and clients are boto3's own.
"""

from __future__ import annotations

import json
from decimal import Decimal
from enum import Enum
from typing import Any, assert_type

from mypy_boto3_s3.client import S3Client
from mypy_boto3_sqs.client import SQSClient
from pydantic import BaseModel

from lambda_kit import Handle, client, env, get_parameter, get_secret, parameter, resource, secret


class Limits(BaseModel):
    most: int


class Stage(Enum):
    TEST = "test"


def halves(text: str) -> tuple[str, str]:
    left, _, right = text.partition(":")
    return left, right


def size(data: bytes) -> int:
    return len(data)


assert_type(parameter("/p")(), str)
assert_type(parameter("/p", max_age_s=60, stale_for_s=0, version=3, decrypt=False)(), str)
assert_type(parameter("/p", version="live", convert=Decimal)(), Decimal)
assert_type(parameter("/p", convert=int)(), int)
assert_type(parameter("/p", convert=bool)(), bool)
assert_type(parameter("/p", convert=Limits)(), Limits)
assert_type(parameter("/p", convert=Stage)(), Stage)
assert_type(parameter("/p", convert=halves)(), tuple[str, str])
assert_type(parameter("/p", convert=lambda text: text.split(","))(), list[str])
assert_type(parameter("/p", convert=json.loads)(), Any)

assert_type(secret("s")(), str)
assert_type(secret("s", key="password")(), str)
assert_type(secret("s", convert=Limits)(), Limits)
assert_type(secret("s", convert=bytes, version_stage="AWSPREVIOUS")(), bytes)
assert_type(secret("s", convert=size)(), int)
assert_type(secret("s", convert=halves)(), tuple[str, str])

assert_type(env("X")(), str)
assert_type(env("X", convert=int)(), int)
assert_type(env("X", default=None)(), str | None)
assert_type(env("X", default=3, convert=int)(), int)
assert_type(env("X", default=None, convert=Limits)(), Limits | None)
assert_type(env("X", default=(), convert=halves)(), tuple[str, str] | tuple[()])

assert_type(get_parameter("/p"), str)
assert_type(get_parameter("/p", convert=float, fresh=True), float)
assert_type(get_secret("s"), str)
assert_type(get_secret("s", key="limits", convert=Limits), Limits)
assert_type(get_secret("s", convert=size, fresh=True), int)

price = parameter("/p", convert=Decimal)
as_handle: Handle[Decimal] = price
assert_type(price.version, str | None)
assert_type(price.age_s, float | None)
price.invalidate()
price.invalidate(failed_version=price.version)

assert_type(client("s3"), S3Client)
queue: SQSClient = client("sqs", region_name="eu-west-1")
resource("dynamodb").Table("orders").get_item(Key={"id": 1})
