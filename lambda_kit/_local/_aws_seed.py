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
from typing import TYPE_CHECKING, Any, TypeGuard

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
            except (OSError, ValueError) as exc:
                raise ConfigurationError(f"aws.toml: [{section}] {name!r} does not read: {exc!s:.200}") from exc
            except Exception as exc:
                # botocore's errors, which are not imported here for their names' sake.
                raise ConfigurationError(f"aws.toml: [{section}] {name!r} was refused: {exc}") from exc


def _misshapen(section: str, name: str) -> ConfigurationError:
    """
    Return the error that shows what a section's values look like.
    """
    return ConfigurationError(f"aws.toml: [{section}] {name!r} is {_SHAPES[section]}")


def _parameter(client: Any, name: str, value: Any, _: Path) -> None:
    match value:
        case str():
            kind, text = "String", value
        case list() if all(isinstance(one, str) for one in value):
            kind, text = "StringList", ",".join(value)
        case {"value": str(text), "type": str(kind)}:
            pass
        case _:
            raise _misshapen("parameters", name)
    client.put_parameter(Name=name, Value=text, Type=kind)


def _secret(client: Any, name: str, value: Any, _: Path) -> None:
    match value:
        case {"base64": str(encoded), **rest} if not rest:
            client.create_secret(Name=name, SecretBinary=base64.b64decode(encoded, validate=True))
        case str():
            client.create_secret(Name=name, SecretString=value)
        case _:
            client.create_secret(Name=name, SecretString=_json(value))


def _table(client: Any, name: str, value: Any, _: Path) -> None:
    if not isinstance(value, dict) or not value.keys() <= {"key", "items"}:
        raise _misshapen("tables", name)
    key, items = value.get("key"), value.get("items", [])
    if not _is_key(key) or not _are_items(items):
        raise _misshapen("tables", name)
    client.create_table(
        TableName=name,
        AttributeDefinitions=[{"AttributeName": attribute, "AttributeType": kind} for attribute, kind in key.items()],
        KeySchema=[{"AttributeName": attribute, "KeyType": role} for attribute, role in zip(key, ("HASH", "RANGE"), strict=False)],
        BillingMode="PAY_PER_REQUEST",
    )
    for item in items:
        client.put_item(TableName=name, Item={attribute: _attribute_value(one) for attribute, one in item.items()})


def _is_key(key: Any) -> TypeGuard[dict[str, str]]:
    return isinstance(key, dict) and len(key) in (1, 2) and all(kind in ("S", "N", "B") for kind in key.values())


def _are_items(items: Any) -> TypeGuard[list[dict[str, Any]]]:
    return isinstance(items, list) and all(isinstance(item, dict) for item in items)


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
    if not isinstance(value, dict):
        raise _misshapen("queues", name)
    fifo = {"FifoQueue": "true"} if name.endswith(".fifo") else {}
    attributes = {attribute: one if isinstance(one, str) else _json(one) for attribute, one in value.items()}
    client.create_queue(QueueName=name, Attributes={**fifo, **attributes})


def _bucket(client: Any, name: str, value: Any, folder: Path) -> None:
    if not isinstance(value, dict):
        raise _misshapen("buckets", name)
    bodies = {key: _body(name, content, folder) for key, content in value.items()}
    elsewhere = {} if client.meta.region_name == "us-east-1" else {"LocationConstraint": client.meta.region_name}
    client.create_bucket(Bucket=name, **({"CreateBucketConfiguration": elsewhere} if elsewhere else {}))
    for key, body in bodies.items():
        client.put_object(Bucket=name, Key=key, Body=body)


def _body(bucket: str, content: Any, folder: Path) -> bytes:
    """
    Return what an object holds.
    """
    match content:
        case str():
            return content.encode()
        case {"file": str(file), **rest} if not rest:
            return (folder / file).read_bytes()
        case _:
            raise _misshapen("buckets", bucket)


def _json(value: Any) -> str:
    """
    Return a TOML value as JSON, its dates as texts.
    """
    return json.dumps(value, default=str)


_SHAPES = {
    "parameters": "text, a list of texts, or { value = ..., type = ... }",
    "tables": '{ key = { name = "S"|"N"|"B" }, items = [...] }',
    "queues": "{} or { VisibilityTimeout = 30 }, with attributes as SQS names them",
    "buckets": '{ "a/note.txt" = "text", "a/photo.jpg" = { file = "photo.jpg" } }',
}
_PLANTERS: dict[str, tuple[str, Callable[[Any, str, Any, Path], None]]] = {
    "parameters": ("ssm", _parameter),
    "secrets": ("secretsmanager", _secret),
    "tables": ("dynamodb", _table),
    "queues": ("sqs", _queue),
    "buckets": ("s3", _bucket),
}
