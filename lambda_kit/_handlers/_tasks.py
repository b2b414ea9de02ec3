"""
Answers Step Functions by task token: success, failure, and heartbeats while the logic works.

Source: https://docs.aws.amazon.com/step-functions/latest/dg/connect-to-resource.html (wait for a callback with the task token)
"""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager

from lambda_kit._handlers._logic import sole, text_of
from lambda_kit._handlers._whole_events import event_reader
from lambda_kit._responses import json_text
from lambda_kit.errors import EventError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from lambda_kit._handlers._logic import Logic
    from lambda_kit._invocation import Invocation

# https://docs.aws.amazon.com/step-functions/latest/apireference/API_SendTaskFailure.html
_MOST_ERROR, _MOST_CAUSE = 256, 32768
# What Step Functions answers when nobody waits for the task any more.
_OVER = {"TaskTimedOut", "TaskDoesNotExist"}

_logger = logging.getLogger("lambda_kit")


class Tasks:
    """
    What calling a handler for task tokens does.
    """

    __slots__ = ("_client", "_heartbeat_s", "_input", "_logic", "_read", "_token")

    def __init__(self, logic: Logic, first: Any, client: Any, *, token: str, payload: str | None, heartbeat_s: float | None) -> None:
        self._logic = logic
        self._client = client
        self._read = event_reader(first, "task")
        self._token = token
        self._input = payload
        self._heartbeat_s = heartbeat_s

    def __call__(self, event: object, invocation: Invocation) -> None:
        token = event.get(self._token) if isinstance(event, dict) else None
        if not (isinstance(event, dict) and isinstance(token, str) and token):
            raise EventError(f"task: {self._token}: the event has no task token", source="task", field=self._token)
        try:
            with _beating(self._client, token, self._heartbeat_s):
                output = json_text(self._logic(self._read(self._payload(event))))
        except Exception as exc:  # noqa: BLE001  # whatever it is, the state machine gets to know
            self._failed(token, exc, invocation)
            return
        _send(self._client, "send_task_success", taskToken=token, output=output)

    def _payload(self, event: Mapping[str, Any]) -> object:
        if self._input is not None:
            return event.get(self._input)
        return {name: value for name, value in event.items() if name != self._token}

    def _failed(self, token: str, exc: Exception, invocation: Invocation) -> None:
        """
        Report *exc* by its class name, which the state machine's Retry and Catch go by; raise it only when nobody could be told.
        """
        cause = sole(exc)
        name = type(cause).__name__
        is_bug = self._logic.outcome(exc) is None
        facts = (self._logic.name, name, invocation.request_id)
        _logger.log(
            logging.ERROR if is_bug else logging.WARNING, "%s failed its task: %s (request %s)", *facts, exc_info=exc if is_bug else None
        )
        try:
            _send(self._client, "send_task_failure", taskToken=token, error=name[:_MOST_ERROR], cause=text_of(cause)[:_MOST_CAUSE])
        except Exception:  # the logic's own error says more
            _logger.exception("%s: the failure could not be reported (request %s)", self._logic.name, invocation.request_id)
            raise exc from None


@contextmanager
def _beating(client: Any, token: str, every_s: float | None) -> Iterator[None]:
    """
    Tell Step Functions, every *every_s* seconds, that the task is being worked on.
    """
    if every_s is None:
        yield
        return
    done = threading.Event()
    beats = threading.Thread(target=_beat, args=(client, token, every_s, done), name="task-heartbeat", daemon=True)
    beats.start()
    try:
        yield
    finally:
        done.set()
        beats.join()


def _beat(client: Any, token: str, every_s: float, done: threading.Event) -> None:
    while not done.wait(every_s):
        try:
            client.send_task_heartbeat(taskToken=token)
        except Exception as exc:  # noqa: BLE001  # the next beat may come through; the work goes on anyway
            _logger.warning("a task's heartbeat failed: %s", type(exc).__name__)


def _send(client: Any, operation: str, **arguments: str) -> None:
    """
    Call Step Functions; that nobody waits for the answer any more is logged, because nobody can do anything about it.
    """
    try:
        getattr(client, operation)(**arguments)
    except Exception as exc:
        code = getattr(exc, "response", {}).get("Error", {}).get("Code", "")
        if code not in _OVER:
            raise
        _logger.warning("the task is over, nobody waits for its outcome: %s", code)
