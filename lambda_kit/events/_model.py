"""
What all models of events share: names, tolerance, the raw event, and errors without values.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, ValidationError, model_serializer, model_validator
from pydantic.alias_generators import to_camel

from lambda_kit.events._validation import event_error


class Part(BaseModel):
    """
    Be a part of an event: AWS's names in camel case, ours in snake case, unknown fields kept, nothing assignable.
    """

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra="allow",
        frozen=True,
        hide_input_in_errors=True,
        # Events written by hand have numbers where AWS writes text.
        coerce_numbers_to_str=True,
        # Building the validator is most of a model's cost, so it waits for the first event.
        defer_build=True,
    )


class Event(Part):
    """
    Be an event, or a record of one, that can be parsed by itself.

    Unknown fields survive: ``event.model_dump(by_alias=True, exclude_unset=True)`` is the event again.

    Attributes:
        source_name: The kit's name of the source, as errors name it.
    """

    source_name: ClassVar[str] = "event"

    @classmethod
    def model_validate(cls, obj: Any, **options: Any) -> Self:
        """
        Return *obj*, an event as Lambda delivers it, as this model. It is kept in :attr:`raw`, and not changed.

        Raises:
            EventError: It does not fit. Unlike pydantic's own error it shows no value.
        """
        try:
            event = super().model_validate(obj, **options)
        except (ValidationError, RecursionError) as exc:
            error = event_error(exc, source=cls.source_name)
        else:
            if isinstance(obj, dict | list):
                event.keep_raw(obj)
            return event
        # Not in the except block: pydantic's error holds the whole event, and would stay in this one's context.
        raise error

    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray, **options: Any) -> Self:
        """
        Return an event that is still JSON text; see :meth:`model_validate`.
        """
        try:
            raw = json.loads(json_data)
        except (ValueError, RecursionError) as exc:
            error = event_error(exc, source=cls.source_name)
        else:
            return cls.model_validate(raw, **options)
        raise error  # outside for the same reason

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """
        Return a copy, with the fields in *update* changed: :attr:`raw`, and all else that is read from the event, follows.
        """
        copied = super().model_copy(update=update, deep=deep)
        if update:
            # What is no field is a cached property, of the event before.
            for name in vars(copied).keys() - type(self).model_fields.keys():
                del vars(copied)[name]
        return copied

    @cached_property
    def raw(self) -> dict[str, Any]:
        """
        The event as it came; of a model made by hand, the event it stands for.
        """
        return self.model_dump(by_alias=True, exclude_unset=True)

    def keep_raw(self, raw: Any) -> None:
        """
        Remember what this was made from; models with records hand each its own.
        """
        # Past the frozen model's guard, into the place where the cached property above looks first.
        vars(self)["raw"] = raw


class ListEvent(Event):
    """
    Be an event that is a list, not an object. Subclasses declare ``items``, a list of events.
    """

    @model_validator(mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return {"items": value} if isinstance(value, list) else value

    @model_serializer(mode="wrap")
    def _as_list(self, dump: Any) -> Any:
        return dump(self)["items"]

    @cached_property
    def raw(self) -> list[dict[str, Any]]:  # type: ignore[override]  # this event is a list
        """
        The event as it came; of a model made by hand, the event it stands for.
        """
        found: list[dict[str, Any]] = self.model_dump(by_alias=True, exclude_unset=True)  # type: ignore[assignment]  # see _as_list
        return found

    def keep_raw(self, raw: Any) -> None:
        super().keep_raw(raw)
        for item, raw_item in zip(getattr(self, "items", ()), raw if isinstance(raw, list) else (), strict=False):
            item.keep_raw(raw_item)
