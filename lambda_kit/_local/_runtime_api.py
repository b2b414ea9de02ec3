"""
The Runtime API and the Extensions API of one execution environment, on loopback, as the real runtime client speaks them.

Sources: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html and
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html
"""

from __future__ import annotations

import contextlib
import json
import re
import threading
import time
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lambda_kit._local._loopback import LoopbackServer, Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from email.message import Message

# The synchronous response limit: 6 MB and 100 bytes of Lambda's own.
MAX_RESPONSE_BYTES = 6_291_556


@dataclass(frozen=True, slots=True, kw_only=True)
class InvocationRequest:
    """
    One event on its way to the runtime, with everything the API says about it.
    """

    request_id: str
    payload: bytes
    function_arn: str
    trace_header: str
    client_context: str | None = None
    cognito_identity: str | None = None
    tenant_id: str | None = None

    def headers(self, deadline_ms: int) -> dict[str, str]:
        """
        Return the headers of the answer to ``next``.
        """
        given = {
            "Lambda-Runtime-Client-Context": self.client_context,
            "Lambda-Runtime-Cognito-Identity": self.cognito_identity,
            "Lambda-Runtime-Aws-Tenant-Id": self.tenant_id,
        }
        return {
            "Content-Type": "application/json",
            "Lambda-Runtime-Aws-Request-Id": self.request_id,
            "Lambda-Runtime-Deadline-Ms": str(deadline_ms),
            "Lambda-Runtime-Invoked-Function-Arn": self.function_arn,
            "Lambda-Runtime-Trace-Id": self.trace_header,
            **{name: value for name, value in given.items() if value is not None},
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeAnswer:
    """
    What the runtime posted: a response, or an error when *error_type* is given.
    """

    body: bytes
    content_type: str = "application/json"
    error_type: str | None = None
    xray_cause: str | None = None


@dataclass(frozen=True, slots=True)
class InvocationEnd:
    """
    How an invocation stood at one moment: at its end, or when its time was over.

    Attributes:
        answer: What the runtime has posted, if anything.
        is_idle: Runtime and extensions have asked for the next event.
        exit_status: The runtime's, if it has ended.
    """

    answer: RuntimeAnswer | None
    is_idle: bool
    exit_status: int | None


@dataclass(slots=True)
class _Extension:
    """
    One registered extension: which invocation it has seen, and whether it waits for the next.
    """

    name: str
    wants_invokes: bool
    seen: int = 0
    waiting: bool = False


@dataclass(slots=True)
class _State:
    """
    Where runtime and extensions stand; every change of it happens under the API's condition.
    """

    closed: bool = False
    initialised: bool = False
    exit_status: int | None = None
    failure: RuntimeAnswer | None = None
    restoring: bool = False
    may_restore: bool = False
    runtime_waiting: bool = False
    pending: InvocationRequest | None = None
    current: InvocationRequest | None = None
    answer: RuntimeAnswer | None = None
    invokes: int = 0
    deadline_ms: int = 0
    extensions: dict[str, _Extension] = field(default_factory=dict)

    def is_idle(self) -> bool:
        """
        Whether runtime and extensions have all asked for what comes next.
        """
        ready = all(one.waiting and (not one.wants_invokes or one.seen == self.invokes) for one in self.extensions.values())
        return self.runtime_waiting and self.pending is None and ready


_ACCEPTED = Reply(202, b'{"status":"OK"}\n', {"Content-Type": "application/json"})
_ANSWER_PATH = re.compile("/2018-06-01/runtime/invocation/([^/]+)/(response|error)")


class RuntimeApi:
    """
    Serve one environment's runtime, and let the environment drive it: await INIT, restore, invoke.

    Attributes:
        address: ``127.0.0.1:port``, the value of ``AWS_LAMBDA_RUNTIME_API``.
    """

    def __init__(self, facts: Mapping[str, str], *, on_contact: Callable[[], None]) -> None:
        """
        Args:
            facts: What a registering extension is told: ``functionName``, ``functionVersion``, ``handler``.
            on_contact: Called at every request of the runtime, before it is answered.
        """
        self._facts = dict(facts)
        self._on_contact = on_contact
        self._state = _State()
        self._changed = threading.Condition()
        self._server = LoopbackServer(self._reply, name="runtime-api")
        self.address = self._server.address

    @property
    def has_extensions(self) -> bool:
        """
        Whether an extension is registered, which is what makes Lambda send SIGTERM.
        """
        return bool(self._state.extensions)

    @property
    def failure(self) -> RuntimeAnswer | None:
        """
        The error that ended INIT or the restore, when the runtime posted one.
        """
        return self._state.failure

    @property
    def exit_status(self) -> int | None:
        """
        The runtime's exit status once :meth:`runtime_exited` was told.
        """
        return self._state.exit_status

    def runtime_exited(self, status: int) -> None:
        """
        Take note that the runtime process has ended; whoever waits for it wakes up.
        """
        with self._changed:
            self._state.exit_status = status
            self._changed.notify_all()

    def await_init(self, timeout_s: float) -> bool:
        """
        Wait for the end of INIT (or for its snapshot), or a failure, at most *timeout_s*; tell whether one of them came.
        """
        return self._await(lambda state: state.is_idle() or state.restoring, timeout_s)

    def restore(self, timeout_s: float) -> bool:
        """
        Let a snapshotted runtime go on; wait as :meth:`await_init` does.
        """
        with self._changed:
            self._state.may_restore = True
            self._changed.notify_all()
        return self._await(_State.is_idle, timeout_s)

    def invoke(self, request: InvocationRequest, timeout_s: float) -> InvocationEnd:
        """
        Hand *request* over; return how things stand once runtime and extensions are ready for more, have died, or *timeout_s* is over.
        """
        with self._changed:
            state = self._state
            state.initialised = True
            state.pending, state.current, state.answer = request, None, None
            state.deadline_ms = int((time.time() + timeout_s) * 1000.0)
            state.invokes += 1
            self._changed.notify_all()
            # All in one moment: a runtime that gets ready just after its time has not been in time.
            self._await(lambda state: state.answer is not None and state.is_idle(), timeout_s)
            return InvocationEnd(state.answer, state.is_idle(), state.exit_status)

    @property
    def is_idle(self) -> bool:
        """
        Whether everything waits for the next event: false after a time-out.
        """
        with self._changed:
            return self._state.is_idle()

    def close(self) -> None:
        """
        Stop serving; requests that still wait are dropped without an answer.
        """
        with self._changed:
            self._state.closed = True
            self._changed.notify_all()
        self._server.close()

    def _await(self, claim: Callable[[_State], bool], timeout_s: float) -> bool:
        """
        Wait until *claim* holds, or a failure or the runtime's end makes it impossible.
        """
        state = self._state
        with self._changed:
            return self._changed.wait_for(lambda: claim(state) or state.failure is not None or state.exit_status is not None, timeout_s)

    def _reply(self, method: str, path: str, headers: Message[str, str], body: bytes) -> Reply | None:
        """
        Answer one request; None drops the connection, because the environment is over.
        """
        self._on_contact()
        if matched := _ANSWER_PATH.fullmatch(path):
            return self._take_answer(matched[1], headers, body, failed=matched[2] == "error")
        match method, path:
            case "GET", "/2018-06-01/runtime/invocation/next":
                return self._next()
            case "POST", "/2018-06-01/runtime/init/error" | "/2018-06-01/runtime/restore/error":
                return self._take_failure(headers, body)
            case "GET", "/2018-06-01/runtime/restore/next":
                return self._restore_next()
            case "POST", "/2020-01-01/extension/register":
                return self._register(headers, body)
            case "GET", "/2020-01-01/extension/event/next":
                return self._extension_next(headers)
            case "POST", "/2020-01-01/extension/init/error" | "/2020-01-01/extension/exit/error":
                return self._take_failure(headers, body)
        return Reply(404, b"404 page not found\n", {"Content-Type": "text/plain"})

    def _next(self) -> Reply | None:
        state = self._state
        with self._changed:
            if state.current is not None and state.answer is None:
                return _refusal(403, "InvalidStateTransition", "the invocation under way has not been answered")
            state.runtime_waiting = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: state.pending is not None or state.closed)
            if state.closed or state.pending is None:
                return None
            request = state.current = state.pending
            state.pending, state.runtime_waiting = None, False
            return Reply(200, request.payload, request.headers(state.deadline_ms))

    def _take_answer(self, request_id: str, headers: Message[str, str], body: bytes, *, failed: bool) -> Reply:
        state = self._state
        with self._changed:
            if state.current is None or state.current.request_id != request_id or state.answer is not None:
                return _refusal(400, "InvalidRequestID", "Invalid request ID")
            if too_large := not failed and len(body) > MAX_RESPONSE_BYTES:
                state.answer = _too_large()
            else:
                state.answer = RuntimeAnswer(
                    body=body,
                    content_type=headers.get("Content-Type") or "application/json",
                    error_type=(headers.get("Lambda-Runtime-Function-Error-Type") or "Unhandled") if failed else None,
                    xray_cause=headers.get("Lambda-Runtime-Function-XRay-Error-Cause"),
                )
            self._changed.notify_all()
            return Reply(413, state.answer.body, {"Content-Type": "application/json"}) if too_large else _ACCEPTED

    def _take_failure(self, headers: Message[str, str], body: bytes) -> Reply:
        error_type = headers.get("Lambda-Runtime-Function-Error-Type") or headers.get("Lambda-Extension-Function-Error-Type")
        with self._changed:
            if self._state.initialised:
                return _refusal(403, "InvalidStateTransition", "INIT is over")
            self._state.failure = RuntimeAnswer(body=body, error_type=error_type or "Runtime.Unknown")
            self._changed.notify_all()
        return _ACCEPTED

    def _restore_next(self) -> Reply | None:
        state = self._state
        with self._changed:
            state.restoring = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: state.may_restore or state.closed)
            state.restoring = False
            return None if state.closed else Reply(200)

    def _register(self, headers: Message[str, str], body: bytes) -> Reply:
        name = headers.get("Lambda-Extension-Name")
        events = _events_of(body)
        if not name:
            return _refusal(403, "Extension.InvalidExtensionName", "Invalid extension name")
        if events is None:
            return _refusal(400, "InvalidRequestFormat", "Could not parse the request body")
        if not set(events) <= {"INVOKE"}:
            # Only an extension in a process of its own may ask for SHUTDOWN, and none runs here.
            return _refusal(403, "Extension.InvalidEventType", f"{name}: an internal extension may register for INVOKE only")
        with self._changed:
            if self._state.initialised or self._state.runtime_waiting:
                return _refusal(403, "Extension.RegistrationClosed", "Extension registration closed already")
            identifier = str(uuid.uuid4())
            self._state.extensions[identifier] = _Extension(name, wants_invokes="INVOKE" in events)
        return Reply(200, json.dumps(self._facts).encode(), {"Content-Type": "application/json", "Lambda-Extension-Identifier": identifier})

    def _extension_next(self, headers: Message[str, str]) -> Reply | None:
        state = self._state
        with self._changed:
            extension = state.extensions.get(headers.get("Lambda-Extension-Identifier") or "")
            if extension is None:
                return _refusal(403, "Extension.UnknownExtensionIdentifier", "Unknown extension identifier")
            extension.waiting = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: state.closed or (extension.wants_invokes and extension.seen < state.invokes))
            request = state.pending or state.current
            if state.closed or request is None:
                return None
            extension.waiting, extension.seen = False, state.invokes
            event = _invoke_event(request, state.deadline_ms)
        return Reply(200, json.dumps(event).encode(), {"Content-Type": "application/json"})


def _invoke_event(request: InvocationRequest, deadline_ms: int) -> dict[str, Any]:
    """
    Return what an extension gets at an invocation.
    """
    return {
        "eventType": "INVOKE",
        "deadlineMs": deadline_ms,
        "requestId": request.request_id,
        "invokedFunctionArn": request.function_arn,
        "tracing": {"type": "X-Amzn-Trace-Id", "value": request.trace_header},
    }


def _events_of(body: bytes) -> list[str] | None:
    """
    Return the events a registration asks for, or None when its body is not what the API takes.
    """
    with contextlib.suppress(ValueError, AttributeError):
        events = json.loads(body or b"{}").get("events", [])
        if isinstance(events, list):
            return [str(event) for event in events]
    return None


def _too_large() -> RuntimeAnswer:
    """
    Return the error that takes the place of a response over the limit.
    """
    message = f"Response payload size exceeded maximum allowed payload size ({MAX_RESPONSE_BYTES} bytes)."
    kind = "Function.ResponseSizeTooLarge"
    return RuntimeAnswer(body=json.dumps({"errorMessage": message, "errorType": kind}).encode(), error_type=kind)


def _refusal(status: int, error_type: str, message: str) -> Reply:
    """
    Return an error as the API words them.
    """
    body = json.dumps({"errorMessage": message, "errorType": error_type}).encode()
    return Reply(status, body, {"Content-Type": "application/json"})
