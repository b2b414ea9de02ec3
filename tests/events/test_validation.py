"""
_validation: from data to a model, or to an error that names the field and shows no value.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Annotated, Any, Literal, Self
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from pydantic import AnyUrl, BaseModel, ByteSize, ConfigDict, Field, RootModel, TypeAdapter, field_validator
from pydantic_core import PydanticCustomError

from lambda_kit import events
from lambda_kit.errors import EventError
from lambda_kit.events._validation import from_json, from_object, from_python, is_model


class Cat(BaseModel):
    kind: Literal["cat"]


class Dog(BaseModel):
    kind: Literal["dog"]


class Pet(BaseModel):
    pet: Annotated[Cat | Dog, Field(discriminator="kind")]


class Counts(RootModel[dict[str, int]]):
    pass


class Moody:
    """
    Looks like a model, and has a validation of its own.
    """

    @classmethod
    def model_validate(cls, obj: object) -> Self:
        raise ValueError(f"I dislike {obj}")

    @classmethod
    def model_validate_json(cls, json_data: str | bytes) -> Self:
        raise NotImplementedError


def test_pydantics_quotation_of_a_tag_is_left_out() -> None:
    """
    A message of pydantic's own that repeats the input is replaced.
    """
    with pytest.raises(EventError, match="s: pet: Input tag is none of those expected") as caught:
        from_json(Pet, '{"pet": {"kind": "secret"}}', source="s")

    assert "secret" not in repr(caught.value.details)


class Card(BaseModel):
    number: str = "1"
    size: ByteSize = ByteSize(0)
    code: Any = None
    zone: ZoneInfo | None = None
    page: AnyUrl | None = None
    key: UUID | None = None

    @field_validator("number")
    @classmethod
    def _all_digits(cls, number: str) -> str:
        return str(int(number))

    @field_validator("code")
    @classmethod
    def _known(cls, code: str) -> str:
        if code != "a":
            raise AssertionError(f"{code} is unknown")
        raise PydanticCustomError("code_taken", "{code} is taken", {"code": code})


_QUOTING = [
    (
        {"number": "4111-secret"},
        "number: Input was refused (value_error)",
        "Value error, invalid literal for int() with base 10: '4111-secret'",
    ),
    ({"code": "secret"}, "code: Input was refused (assertion_error)", "Assertion failed, secret is unknown"),
    ({"code": "a"}, "code: Input was refused (code_taken)", "a is taken"),
    ({"size": "3 secret"}, "size: Input should have a known unit of bytes", "Input should have a known unit of bytes"),
    ({"zone": "secret"}, "zone: Input should be a known timezone", "Input should be a known timezone"),
    ({"page": "secret"}, "page: Input should be a valid URL", "Input should be a valid URL"),
    ({"key": "secret"}, "key: Input should be a valid UUID", "Input should be a valid UUID"),
    ({"number": []}, "number: Input should be a valid string", "Input should be a valid string"),
]


@pytest.mark.parametrize(("value", "logged", "told"), _QUOTING)
def test_what_may_quote_the_input_is_told_to_http_clients_only(value: object, logged: str, told: str) -> None:
    """
    The message, which logs show, has no words of validators; an answer, which goes to whoever sent the input, has.
    """
    caught = []
    for source in ("http", "sqs"):
        with pytest.raises(EventError) as each:
            from_object(Card, value, source=source)
        caught.append(each.value)
    answered, batched = caught

    assert [f"http: {logged}", f"sqs: {logged}"] == [str(answered), str(batched)]
    assert [told] == [each["message"] for each in answered.details]
    assert [logged.partition(": ")[2]] == [each["message"] for each in batched.details]
    assert "secret" not in str(answered) + str(batched) + str(batched.details)


def test_a_key_of_half_a_surrogate_pair_can_be_sent() -> None:
    """
    The error goes to a runtime client that would die of it.
    """
    with pytest.raises(EventError, match="valid integer") as caught:
        from_python(Counts, {"a\ud800": "x"}, source="s")

    assert f"{caught.value} {caught.value.details}".encode()


def test_a_long_field_name_is_cut() -> None:
    """
    Field names may be keys that a client chose; they are cut before they reach a log.
    """
    with pytest.raises(EventError, match="valid integer") as caught:
        from_object(Counts, {"k" * 5000: "x"}, source="s", at="body")

    assert 200 == len(caught.value.details[0]["field"])
    assert 300 > len(str(caught.value))


def test_a_foreign_error_says_its_type_only() -> None:
    """
    What a validation of the user's own says may quote the input, so only its type is kept.
    """
    with pytest.raises(EventError, match="s: event: ValueError while reading it") as caught:
        from_python(Moody, "secret", source="s")

    assert caught.value.__context__ is None


class Strict(BaseModel):
    model_config = ConfigDict(strict=True, val_json_bytes="base64")

    key: UUID
    data: bytes = b""


@pytest.mark.parametrize(
    "read", [lambda value: from_object(Strict, value, source="s"), lambda value: from_json(Strict, json.dumps(value), "s")]
)
def test_json_means_the_same_whoever_has_parsed_it(read: Callable[[object], Strict]) -> None:
    """
    A strict model reads a UUID of JSON's text, and bytes of Base64, from an event as it does from a message.
    """
    assert Strict(key=UUID(int=1), data=b"hi") == read({"key": str(UUID(int=1)), "data": "aGk="})


def test_values_that_are_no_json_are_read_as_they_are() -> None:
    """
    Tests call handlers with Python values.
    """
    assert Strict(key=UUID(int=1)) == from_object(Strict, {"key": UUID(int=1)}, source="s")


def test_values_of_python_stay_what_they_are() -> None:
    """
    What the kit has decoded itself, such as DynamoDB's, is not JSON any more.
    """
    assert Strict(key=UUID(int=1)) == from_python(Strict, {"key": UUID(int=1)}, source="s")
    with pytest.raises(EventError, match="instance of UUID"):
        from_python(Strict, {"key": str(UUID(int=1))}, source="s")


class Nested(BaseModel):
    """
    Follows its input as deep as it goes, in Python.
    """

    value: Any

    @field_validator("value")
    @classmethod
    def _followed(cls, value: Any) -> Any:
        return _depth(value)


def _depth(value: Any) -> int:
    return 1 + _depth(next(iter(value.values()))) if value else 0


def _deep(key: str = "M") -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(20_000):
        value = {key: value}
    return value


_DEEP: dict[str, Callable[[], object]] = {
    "python": lambda: from_object(Nested, {"value": _deep()}, source="s"),
    "event": lambda: events.SqsEvent.model_validate_json('{"Records":' * 100_000),
    "json body": lambda: events.SqsRecord(message_id="1", body="[" * 100_000).json_body(),
    "payload": lambda: events.SqsRecord(message_id="1", body="[" * 100_000).parse(Cat),
    "image": lambda: events.DynamoDbRecord.model_validate({"dynamodb": {"NewImage": {"a": _deep()}}}).new,
    "document": lambda: events.DocumentDbRecord.model_validate({"event": {"fullDocument": _deep()}}).document,
    "headers": lambda: events.RabbitMqMessage.model_validate({"data": "", "basicProperties": {"headers": _deep()}}).header_values,
}


@pytest.mark.parametrize("read", _DEEP.values(), ids=_DEEP)
def test_input_nested_too_deeply_is_the_inputs_fault(read: Callable[[], object]) -> None:
    """
    How deep it is, is the sender's choice, and no bug of the function.
    """
    with pytest.raises(EventError) as caught:
        read()

    assert caught.value.__context__ is None
    assert 300 > len(str(caught.value))


def test_an_event_error_passes_as_it_is() -> None:
    """
    A model of events raises its own EventError, which is not wrapped.
    """
    from lambda_kit.events import SqsEvent

    with pytest.raises(EventError, match="sqs: Records: Field required"):
        from_object(SqsEvent, {}, source="event")


def test_is_model_tells_models_from_callables() -> None:
    """
    A pydantic class is a model; instances, functions and adapters are not.
    """
    assert [True, True, False, False, False] == [is_model(each) for each in (Cat, Counts, Cat(kind="cat"), len, TypeAdapter(int))]
