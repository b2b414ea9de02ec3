"""
_validation: from data to a model, or to an error that names the field and shows no value.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

import pytest
from pydantic import BaseModel, Field, RootModel, TypeAdapter

from lambda_kit.errors import EventError
from lambda_kit.events._validation import from_json, from_object, is_model


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
    The one message of pydantic's own that repeats the input is replaced.
    """
    with pytest.raises(EventError, match="s: pet: Input tag is none of those expected") as caught:
        from_json(Pet, '{"pet": {"kind": "secret"}}', source="s")

    assert "secret" not in repr(caught.value.details)


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
        from_object(Moody, "secret", source="s")

    assert caught.value.__context__ is None


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
