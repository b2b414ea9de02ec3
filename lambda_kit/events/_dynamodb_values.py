"""
DynamoDB's typed attribute values as Python values, without boto3.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any


def python_item(item: Mapping[str, Any]) -> dict[str, Any]:
    """
    Return attributes such as ``{"id": {"N": "101"}, "tags": {"SS": ["a"]}}`` as ``{"id": Decimal(101), "tags": {"a"}}``.

    Numbers are ``Decimal``, which loses no digit; binary values, which are Base64 in events, are ``bytes``; sets are sets.

    Raises:
        ValueError: A value is of no type that DynamoDB has, or is not what its type says.
    """
    return {name: python_value(value) for name, value in item.items()}


def python_value(value: Mapping[str, Any]) -> Any:
    """
    Return one typed value such as ``{"N": "101"}`` as a Python value; see :func:`python_item`.
    """
    try:
        ((kind, held),) = value.items()
        expected, read = _READERS[kind]
        if isinstance(held, expected):
            return read(held)
    except (KeyError, TypeError, ValueError, ArithmeticError, AttributeError):
        # Not the error itself: it shows the value.
        pass
    raise ValueError("it is no attribute value of DynamoDB")


def _bytes(held: str) -> bytes:
    return b64decode(held, validate=True)


# What holds a value of the type in JSON, and what reads it.
_READERS: dict[str, tuple[type, Callable[[Any], Any]]] = {
    "S": (str, str),
    "N": (str, Decimal),
    "B": (str, _bytes),
    "BOOL": (bool, bool),
    "NULL": (bool, lambda _: None),
    "SS": (list, set),
    "NS": (list, lambda held: set(map(Decimal, held))),
    "BS": (list, lambda held: set(map(_bytes, held))),
    "L": (list, lambda held: list(map(python_value, held))),
    "M": (dict, python_item),
}
