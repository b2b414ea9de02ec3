"""
DynamoDB's values as Python values.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable
from typing import Any

import pytest
from boto3.dynamodb.types import Binary, TypeDeserializer
from hypothesis import given, settings
from hypothesis import strategies as st

from lambda_kit.events._dynamodb_values import python_item, python_value

# The same examples in every run.
_ANY = settings(derandomize=True, database=None, deadline=None)

_BINARY = st.binary(max_size=20).map(lambda data: b64encode(data).decode())

_VALUES: st.SearchStrategy[dict[str, Any]] = st.recursive(
    st.one_of(
        st.builds(lambda held: {"S": held}, st.text()),
        st.builds(lambda held: {"N": held}, st.decimals(-(10**28), 10**28, places=8).map(str)),
        st.builds(lambda held: {"B": held}, _BINARY),
        st.builds(lambda held: {"BOOL": held}, st.booleans()),
        st.just({"NULL": True}),
        st.builds(lambda held: {"SS": held}, st.lists(st.text(), min_size=1, unique=True)),
        st.builds(lambda held: {"NS": held}, st.lists(st.integers(-(10**37), 10**37).map(str), min_size=1, unique=True, max_size=3)),
        st.builds(lambda held: {"BS": held}, st.lists(_BINARY, min_size=1, unique=True, max_size=3)),
    ),
    lambda inner: (
        st.builds(lambda held: {"L": held}, st.lists(inner, max_size=3))
        | st.builds(lambda held: {"M": held}, st.dictionaries(st.text(), inner, max_size=3))
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), _VALUES, max_size=4))
@_ANY
def test_values_are_those_of_boto3(item: dict[str, Any]) -> None:
    """
    What boto3 makes of the same values, with bytes where it has a class of its own.
    """
    read: Callable[[Any], Any] = TypeDeserializer().deserialize

    assert {name: _as_bytes(read(_decoded(value))) for name, value in item.items()} == python_item(item)


@pytest.mark.parametrize(
    "value",
    [{}, {"S": "a", "N": "1"}, {"X": "a"}, {"N": "many"}, {"B": "?"}, {"SS": "abc"}, {"S": 5}, {"L": ["a"]}, {"M": {"a": 1}}, "S", None],
    ids=str,
)
def test_what_is_no_value_is_refused(value: Any) -> None:
    """
    The error holds nothing of it.
    """
    with pytest.raises(ValueError, match="no attribute value") as caught:
        python_value(value)

    assert caught.value.__context__ is None


def _decoded(value: dict[str, Any]) -> dict[str, Any]:
    """
    Return *value* as boto3 gets it: DynamoDB's client has decoded the Base64.
    """
    ((kind, held),) = value.items()
    match kind:
        case "B":
            return {kind: b64decode(held)}
        case "BS":
            return {kind: [b64decode(each) for each in held]}
        case "L":
            return {kind: [_decoded(each) for each in held]}
        case "M":
            return {kind: {name: _decoded(each) for name, each in held.items()}}
    return value


def _as_bytes(value: Any) -> Any:
    match value:
        case Binary():
            return vars(value)["value"]
        case dict():
            return {name: _as_bytes(inner) for name, inner in value.items()}
        case list():
            return list(map(_as_bytes, value))
        case set():
            return set(map(_as_bytes, value))
    return value
