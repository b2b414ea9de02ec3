"""
What events that are HTTP requests share.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, TypeVar

from pydantic import BaseModel

from lambda_kit._http import HttpRequest
from lambda_kit.events._model import Event
from lambda_kit.events._validation import from_json

M = TypeVar("M", bound=BaseModel)

# Names to values as AWS writes them: null stands for no value, and for no names at all.
Names = dict[str, str | None]
MultiNames = dict[str, list[str | None] | None]


class RequestEvent(Event):
    """
    Be an event that describes an HTTP request.
    """

    @cached_property
    def request(self) -> HttpRequest:
        """
        The event as a request: case-insensitive headers, decoded query and body.
        """
        return HttpRequest.from_event(self.raw)


class HttpEvent(RequestEvent):
    """
    Be an HTTP request that the function answers.
    """

    def parse(self, model: type[M]) -> M:
        """
        Return the body, which is JSON, as *model*; Base64 is decoded where the event says so.

        Raises:
            EventError: It is no JSON, or does not fit; it names the field and shows no value.
        """
        return from_json(model, self.request.body, source=self.source_name, at="body")

    def respond(
        self,
        status: int = 200,
        body: object = None,
        *,
        headers: Mapping[str, str] | None = None,
        cookies: Iterable[str] = (),
    ) -> dict[str, Any]:
        """
        Return the response in the form that this source expects; see :meth:`lambda_kit.HttpRequest.answer`.
        """
        return self.request.answer(status, body, headers=headers, cookies=cookies)
