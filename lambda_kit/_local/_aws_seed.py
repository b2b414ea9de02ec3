"""
What an embedded AWS begins with, as ``aws.toml`` says it.

    [parameters]
    "/orders/price" = "19.90"                                    # String
    "/orders/regions" = ["eu", "us"]                             # StringList
    "/orders/key" = { value = "...", type = "SecureString" }

    [secrets]
    "api-key" = "plain text"
    "orders/db" = { username = "orders", password = "..." }      # JSON text
    "certificate" = { base64 = "..." }                           # binary

    [tables.orders]
    key = { customer = "S", placed = "N" }                       # partition key, then sort key
    items = [{ customer = "c1", placed = 1, note = "..." }]

    [queues]
    orders = { VisibilityTimeout = 30 }                          # attributes as SQS names them
    "orders.fifo" = {}

    [buckets.uploads]
    "a/note.txt" = "text"
    "a/photo.jpg" = { file = "photo.jpg" }                       # relative to aws.toml
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from lambda_kit.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path


def check_seed(seed: Mapping[str, Any]) -> Mapping[str, Any]:
    """
    Return the seed when every part of it is one that :func:`plant` reads.

    Raises:
        ConfigurationError: A section is unknown or not a table.
    """
    for section, content in seed.items():
        if section not in _PLANTERS:
            raise ConfigurationError(f"aws.toml has a section {section!r}: there are {', '.join(_PLANTERS)}")
        if not hasattr(content, "items"):
            raise ConfigurationError(f"aws.toml: [{section}] holds names and what they stand for, not {type(content).__name__}")
    return seed


def plant(seed: Mapping[str, Any], *, client: Callable[[str], Any], folder: Path) -> None:
    """
    Make everything the seed says.

    Args:
        client: Returns a boto3 client by service name.
        folder: What file names are relative to.

    Raises:
        ConfigurationError: A value has a shape this module does not know, or AWS refuses it.
    """
    for section, content in seed.items():
        service, planter = _PLANTERS[section]
        for name, value in content.items():
            try:
                planter(client(service), name, value, folder)
            except ConfigurationError:
                raise
            except (OSError, ValueError, KeyError, TypeError) as exc:
                raise ConfigurationError(f"aws.toml: [{section}] {name!r} does not read: {exc!r:.200}") from exc
            except Exception as exc:
                # botocore's errors, which are not imported here for their names' sake.
                raise ConfigurationError(f"aws.toml: [{section}] {name!r} was refused: {exc}") from exc


def _parameter(client: Any, name: str, value: Any, _: Path) -> None:
    match value:
        case str():
            kind, text = "String", value
        case list():
            kind, text = "StringList", ",".join(value)
        case {"value": str(text), "type": str(kind)}:
            pass
        case _:
            raise ConfigurationError(f"aws.toml: [parameters] {name!r} is text, a list of texts, or {{ value = ..., type = ... }}")
    client.put_parameter(Name=name, Value=text, Type=kind)


def _secret(client: Any, name: str, value: Any, _: Path) -> None:
    match value:
        case {"base64": str(encoded), **rest} if not rest:
            client.create_secret(Name=name, SecretBinary=base64.b64decode(encoded, validate=True))
        case str():
            client.create_secret(Name=name, SecretString=value)
        case _:
            client.create_secret(Name=name, SecretString=json.dumps(value))


def _table(client: Any, name: str, value: Any, _: Path) -> None:
    key: dict[str, str] = value["key"]
    client.create_table(
        TableName=name,
        AttributeDefinitions=[{"AttributeName": attribute, "AttributeType": kind} for attribute, kind in key.items()],
        KeySchema=[{"AttributeName": attribute, "KeyType": role} for attribute, role in zip(key, ("HASH", "RANGE"), strict=False)],
        BillingMode="PAY_PER_REQUEST",
    )
    for item in value.get("items", []):
        client.put_item(TableName=name, Item={attribute: _attribute_value(one) for attribute, one in item.items()})


def _attribute_value(value: Any) -> dict[str, Any]:
    """
    Return a TOML value as DynamoDB writes it.
    """
    match value:
        case bool():
            return {"BOOL": value}
        case int() | float():
            return {"N": str(value)}
        case list():
            return {"L": [_attribute_value(one) for one in value]}
        case dict():
            return {"M": {name: _attribute_value(one) for name, one in value.items()}}
        case _:
            return {"S": str(value)}


def _queue(client: Any, name: str, value: Any, _: Path) -> None:
    fifo = {"FifoQueue": "true"} if name.endswith(".fifo") else {}
    client.create_queue(QueueName=name, Attributes={**fifo, **{attribute: str(one) for attribute, one in value.items()}})


def _bucket(client: Any, name: str, value: Any, folder: Path) -> None:
    elsewhere = {} if client.meta.region_name == "us-east-1" else {"LocationConstraint": client.meta.region_name}
    client.create_bucket(Bucket=name, **({"CreateBucketConfiguration": elsewhere} if elsewhere else {}))
    for key, content in value.items():
        body = content.encode() if isinstance(content, str) else (folder / content["file"]).read_bytes()
        client.put_object(Bucket=name, Key=key, Body=body)


_PLANTERS: dict[str, tuple[str, Callable[[Any, str, Any, Path], None]]] = {
    "parameters": ("ssm", _parameter),
    "secrets": ("secretsmanager", _secret),
    "tables": ("dynamodb", _table),
    "queues": ("sqs", _queue),
    "buckets": ("s3", _bucket),
}
