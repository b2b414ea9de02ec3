"""
From text to value: kinds of conversion, and complaints that quote nothing.
"""

from __future__ import annotations

import json
import threading
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from pydantic import BaseModel, field_validator

from lambda_kit._cache import Cache, Entry
from lambda_kit._configuration._conversion import check_declaration, converted, known
from lambda_kit.errors import ConfigurationError, ParameterUnavailableError, ParameterValueError
from tests._configuration.exposure import given_away_by


class Limits(BaseModel):
    """
    A model with one strict opinion.
    """

    most: int
    least: int = 0

    @field_validator("most")
    @classmethod
    def is_even(cls, most: int) -> int:
        if most % 2:
            raise ValueError(f"{most} is odd")
        return most


class Unhashable:
    """
    A callable that cannot be a key.
    """

    __hash__ = None  # type: ignore[assignment]  # which is the point

    def __call__(self, text: str) -> int:
        return len(text)


def entry(value: str | bytes) -> Entry[str | bytes]:
    return Cache[Any]().put("k", value, "1")


def convert(value: str | bytes, how: Any, key: str | None = None) -> Any:
    return converted(entry(value), how, key, what="secret 's'", name="s").given()


@pytest.mark.parametrize(
    ("stored", "how", "key", "value"),
    [
        ("text", str, None, "text"),
        ("9.50", Decimal, None, Decimal("9.50")),
        ("a,b", lambda text: text.split(","), None, ["a", "b"]),
        ("text", bytes, None, b"text"),
        (b"\x00\xff", bytes, None, b"\x00\xff"),
        (b"\x00\xff", len, None, 2),
        ('{"most": 4}', Limits, None, Limits(most=4)),
        (b'{"most": 4}', Limits, None, Limits(most=4)),
        ('{"a": "text"}', str, "a", "text"),
        ('{"port": 5432}', int, "port", 5432),
        ('{"limits": {"most": 4}}', Limits, "limits", Limits(most=4)),
        ('{"on": true}', bool, "on", True),
        ('{"a": null}', json.loads, "a", None),
        (b'{"a": "text"}', str, "a", "text"),
    ],
    ids=["text", "class", "function", "text as bytes", "binary", "function of binary", "model", "model of binary", "member",
         "number", "member as model", "truth", "null", "member of binary"],
)  # fmt: skip
def test_stored_text_becomes_the_value(stored: str | bytes, how: Any, key: str | None, value: object) -> None:
    """
    Functions get the text, models its JSON, and members that are no text come as JSON.
    """
    made = convert(stored, how, key)

    assert (type(value), value) == (type(made), made)


@pytest.mark.parametrize("word", ["true", "1", "yes", "on", " TRUE\n"])
def test_words_of_truth(word: str) -> None:
    """
    bool reads words, whatever their case.
    """
    assert convert(word, bool) is True


@pytest.mark.parametrize("word", ["false", "0", "no", "off", "Off"])
def test_words_of_falsehood(word: str) -> None:
    """
    "false" is false, which ``bool("false")`` is not.
    """
    assert convert(word, bool) is False


def refuse(text: str) -> None:
    raise KeyError(text)


def refuse_in_another_way(text: str) -> None:
    """
    As pydantic's first version does, whose errors() takes no arguments.
    """

    class ValidationError(ValueError):
        def errors(self) -> list[str]:
            return list(self.args)

    raise ValidationError(text)


@pytest.mark.parametrize(
    ("stored", "how", "key", "complaint"),
    [
        ("{}", int, None, "was refused by int with ValueError"),
        ("{}", refuse, None, "was refused by refuse with KeyError"),
        ("{}", bool, None, "is no truth value: true/1/yes/on/false/0/no/off are"),
        ("{}", str, "a", "is no JSON object, so it has no key 'a'"),
        ("{}", Limits, None, "does not fit Limits: the whole (json_invalid)"),
        ('{{"most": "{}"}}', Limits, None, "does not fit Limits: most (int_parsing)"),
        ('{{"least": "{}"}}', Limits, None, "does not fit Limits: most (missing), least (int_parsing)"),
        ('{{"most": 3, "x": "{}"}}', Limits, None, "does not fit Limits: most (value_error)"),
        ('{{"x": "{}"}}', str, "a", "has no key 'a'"),
        ("not JSON: {}", str, "a", "is not JSON, so it has no key 'a'"),
        ("[" * 200_000 + "{}", str, "a", "is not JSON, so it has no key 'a'"),
        ("{}", refuse_in_another_way, None, "was refused by refuse_in_another_way with ValidationError"),
    ],
    ids=[
        "class",
        "function",
        "truth",
        "no object",
        "no JSON for the model",
        "model",
        "two places",
        "validator",
        "no member",
        "no JSON",
        "nested deeply",
        "another library's",
    ],
)
def test_refusal_quotes_nothing(stored: str, how: Any, key: str | None, complaint: str) -> None:
    """
    A value that does not fit is described without it: in the message, the causes, the kit's frames.
    """
    planted = uuid4().hex
    kept = entry(json.dumps(planted) if complaint.startswith("is no JSON object") else stored.format(planted))

    with pytest.raises(ParameterValueError) as raised:
        converted(kept, how, key, what="secret 's'", name="s")

    assert f"secret 's' {complaint}" == str(raised.value)
    assert "s" == raised.value.name
    assert planted not in given_away_by(raised.value)


def test_binary_is_no_text() -> None:
    """
    A binary secret is not turned into the text of its repr.
    """
    with pytest.raises(ParameterValueError, match="is binary: give a convert= that takes bytes"):
        convert(b"\x00", str)


def test_error_of_the_kit_passes_as_it_is() -> None:
    """
    A conversion that reads another parameter may fail for its reason, which is not the text's.
    """
    planted = uuid4().hex

    def reads_another(_: str) -> None:
        raise ParameterUnavailableError("other is down", name="other")

    with pytest.raises(ParameterUnavailableError, match="other is down") as raised:
        converted(entry(planted), reads_another, None, what="secret 's'", name="s")
    assert planted not in given_away_by(raised.value)


def test_interruption_is_not_caught() -> None:
    """
    A conversion that is interrupted is not a value that was refused.
    """

    def interrupted(_: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        convert("x", interrupted)


def test_value_is_made_once() -> None:
    """
    What was made is kept with the entry, by function and member.
    """
    kept, calls = entry('{"a": "x", "b": "y"}'), []

    def counted(text: str) -> str:
        calls.append(text)
        return text

    made = [converted(kept, counted, key, what="secret 's'", name="s").given() for key in ("a", "b", "a", "b")]

    assert (["x", "y", "x", "y"], ["x", "y"]) == (made, calls)
    found = known(kept, counted, "a")
    assert found is not None
    assert ("x", "<Made str>") == (found.given(), repr(found))


def test_callable_without_hash_converts_each_time() -> None:
    """
    It works, and is not remembered by.
    """
    kept, how = entry("text"), Unhashable()

    assert [4, 4] == [converted(kept, how, None, what="secret 's'", name="s").given() for _ in range(2)]
    assert {} == kept.derived


@pytest.mark.parametrize(
    ("name", "how", "message"),
    [
        ("", str, r"parameter\(\) needs a name, a text that is not empty: got ''"),
        (None, str, "got None"),
        ("/p", 3, r"parameter\('/p'\): convert= takes a function or a class: got int"),
    ],
    ids=["empty", "none", "no function"],
)
def test_wrong_declaration_is_refused(name: object, how: object, message: str) -> None:
    """
    A declaration that could never work is an error where it stands.
    """
    with pytest.raises(ConfigurationError, match=message):
        check_declaration("parameter", name, how)


def test_exposure_is_found() -> None:
    """
    The search for a text given away finds one in a message, a cause and a frame of the kit.
    """
    planted = uuid4().hex

    with pytest.raises(KeyboardInterrupt) as raised:
        convert(planted, lambda text: (_ for _ in ()).throw(KeyboardInterrupt))
    assert planted in given_away_by(raised.value)
    assert planted in given_away_by(ValueError(planted))


def test_conversions_that_wait_for_each_other_end() -> None:
    """
    While another thread is busy with the same value for long, a caller does the work itself.
    """
    kept = entry("3")
    busy, done = threading.Event(), threading.Event()

    def hold() -> None:
        with kept.lock:
            busy.set()
            done.wait(30)

    thread = threading.Thread(target=hold)
    thread.start()
    assert busy.wait(10)

    assert 3 == converted(kept, int, None, what="secret 's'", name="s").given()
    done.set()
    thread.join()
