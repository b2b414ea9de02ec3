"""
The Runtime API as a runtime and an extension see it, spoken to by hand; the real runtime client speaks to it in test_environment.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from lambda_kit._local._runtime_api import MAX_RESPONSE_BYTES, InvocationEnd, InvocationRequest, RuntimeApi

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

NEXT = "/2018-06-01/runtime/invocation/next"
REGISTER = "/2020-01-01/extension/register"
EVENT_NEXT = "/2020-01-01/extension/event/next"
REQUEST = InvocationRequest(
    request_id="r1",
    payload=b'{"a": 1}',
    function_arn="arn:aws:lambda:us-east-1:123456789012:function:f",
    trace_header="Root=1-0-0",
    client_context='{"custom": {}}',
    cognito_identity='{"cognitoIdentityId": "c"}',
    tenant_id="t",
)


class Answer(NamedTuple):
    """
    What the server said.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def error_type(self) -> str:
        kind: str = json.loads(self.body)["errorType"]
        return kind


class Runtime:
    """
    Do by hand what a runtime does.
    """

    def __init__(self, api: RuntimeApi, pool: ThreadPoolExecutor) -> None:
        self.api = api
        self.pool = pool

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> Answer:
        with contextlib.closing(http.client.HTTPConnection(self.api.address, timeout=30.0)) as connection:
            connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
            answer = connection.getresponse()
            return Answer(answer.status, dict(answer.headers), answer.read())

    def ask_aside(self, method: str, path: str, body: bytes = b"", **headers: str) -> Future[Answer]:
        """
        Ask in another thread, for what blocks.
        """
        return self.pool.submit(self.ask, method, path, body, **headers)

    def answer(self, kind: str, body: bytes, *, request_id: str = "r1", **headers: str) -> Answer:
        return self.ask("POST", f"/2018-06-01/runtime/invocation/{request_id}/{kind}", body, **headers)

    def register(self, events: list[str]) -> str:
        registered = self.ask("POST", REGISTER, json.dumps({"events": events}).encode(), Lambda_Extension_Name="x")
        assert 200 == registered.status
        return registered.headers["Lambda-Extension-Identifier"]


@pytest.fixture
def contacts() -> list[None]:
    return []


@pytest.fixture
def runtime(contacts: list[None]) -> Iterator[Runtime]:
    api = RuntimeApi({"functionName": "f"}, on_contact=lambda: contacts.append(None))
    with ThreadPoolExecutor() as pool:
        yield Runtime(api, pool)
        api.close()


def test_an_event_comes_with_all_that_is_known_of_it(runtime: Runtime, contacts: list[None]) -> None:
    """
    The answer to next has the event as its body and the rest in headers; what the runtime posts is the answer.
    """
    event = runtime.ask_aside("GET", NEXT)
    assert runtime.api.await_init(30.0)
    answer = runtime.pool.submit(runtime.api.invoke, REQUEST, 30.0)
    status, headers, body = event.result()
    assert (200, b'{"a": 1}') == (status, body)
    assert "r1" == headers["Lambda-Runtime-Aws-Request-Id"]
    assert REQUEST.function_arn == headers["Lambda-Runtime-Invoked-Function-Arn"]
    assert "Root=1-0-0" == headers["Lambda-Runtime-Trace-Id"]
    assert '{"custom": {}}' == headers["Lambda-Runtime-Client-Context"]
    assert '{"cognitoIdentityId": "c"}' == headers["Lambda-Runtime-Cognito-Identity"]
    assert "t" == headers["Lambda-Runtime-Aws-Tenant-Id"]
    assert int(headers["Lambda-Runtime-Deadline-Ms"]) > 1_700_000_000_000

    assert 202 == runtime.answer("response", b'"done"', Content_Type="text/plain").status
    runtime.ask_aside("GET", NEXT)

    posted = answer.result().answer
    assert posted is not None
    assert (b'"done"', "text/plain", None) == (posted.body, posted.content_type, posted.error_type)
    assert runtime.api.is_idle
    assert 3 == len(contacts)


def test_what_is_not_known_of_an_event_has_no_header() -> None:
    """
    A runtime tells a missing tenant from an empty one.
    """
    bare = InvocationRequest(request_id="r", payload=b"", function_arn="a", trace_header="t")

    assert "Lambda-Runtime-Aws-Tenant-Id" not in bare.headers(0)


def test_an_error_keeps_its_type_and_its_cause(runtime: Runtime) -> None:
    """
    What a runtime posts as an error is one, also when it names no type.
    """
    event = runtime.ask_aside("GET", NEXT)
    runtime.api.await_init(30.0)

    for headers, expected in ({"Lambda_Runtime_Function_Error_Type": "Mine"}, "Mine"), ({}, "Unhandled"):
        answer = runtime.pool.submit(runtime.api.invoke, REQUEST, 30.0)
        event.result()
        runtime.answer("error", b"{}", Lambda_Runtime_Function_XRay_Error_Cause="why", **headers)
        event = runtime.ask_aside("GET", NEXT)
        posted = answer.result().answer
        assert posted is not None
        assert (expected, "why") == (posted.error_type, posted.xray_cause)


def test_a_time_out_has_no_answer(runtime: Runtime) -> None:
    """
    When the time is over and nothing was posted, there is none, and the environment is not idle.
    """
    runtime.ask_aside("GET", NEXT)
    runtime.api.await_init(30.0)

    assert InvocationEnd(answer=None, is_idle=False, exit_status=None) == runtime.api.invoke(REQUEST, 0.05)
    assert not runtime.api.is_idle
    assert runtime.api.exit_status is None


def test_a_runtime_that_is_ready_too_late_was_not_ready(runtime: Runtime) -> None:
    """
    Answer, idleness and exit status are those of one moment: what comes after it does not turn a time-out into a success.
    """
    event = runtime.ask_aside("GET", NEXT)
    runtime.api.await_init(30.0)

    end = runtime.api.invoke(REQUEST, 0.05)
    event.result()
    runtime.answer("response", b'"late"')
    runtime.ask_aside("GET", NEXT)

    assert runtime.api.await_init(30.0)
    assert InvocationEnd(answer=None, is_idle=False, exit_status=None) == end


def test_a_death_wakes_who_waits(runtime: Runtime) -> None:
    """
    Nobody waits for a runtime that is gone.
    """
    runtime.ask_aside("GET", NEXT)
    runtime.api.await_init(30.0)
    answer = runtime.pool.submit(runtime.api.invoke, REQUEST, 600.0)

    runtime.api.runtime_exited(3)

    assert InvocationEnd(answer=None, is_idle=False, exit_status=3) == answer.result()
    assert 3 == runtime.api.exit_status


def test_an_init_error_ends_the_waiting_for_init(runtime: Runtime) -> None:
    """
    What is posted to init/error is the outcome of INIT.
    """
    assert 202 == runtime.ask("POST", "/2018-06-01/runtime/init/error", b"{}", Lambda_Runtime_Function_Error_Type="Runtime.Bad").status

    assert runtime.api.await_init(30.0)
    assert runtime.api.failure is not None
    assert "Runtime.Bad" == runtime.api.failure.error_type


def test_an_extension_may_fail_init_too(runtime: Runtime) -> None:
    """
    Its error counts, also one without a type.
    """
    runtime.ask("POST", "/2020-01-01/extension/init/error", b"{}")

    assert runtime.api.failure is not None
    assert "Runtime.Unknown" == runtime.api.failure.error_type


def test_init_errors_after_init_are_refused(runtime: Runtime) -> None:
    """
    Once an event was handed over, INIT cannot fail any more.
    """
    runtime.ask_aside("GET", NEXT)
    runtime.api.await_init(30.0)
    runtime.api.invoke(REQUEST, 0.0)

    assert 403 == runtime.ask("POST", "/2018-06-01/runtime/init/error", b"{}").status


def test_a_snapshot_waits_for_its_restore(runtime: Runtime) -> None:
    """
    restore/next blocks from the snapshot to the restore.
    """
    restored = runtime.ask_aside("GET", "/2018-06-01/runtime/restore/next")
    assert runtime.api.await_init(30.0)
    assert not runtime.api.restore(0.0)

    assert 200 == restored.result().status
    runtime.ask_aside("GET", NEXT)
    assert runtime.api.restore(30.0)


def test_a_restore_that_never_comes_is_dropped(runtime: Runtime) -> None:
    """
    Closing ends the waiting of a snapshot.
    """
    waiting = runtime.ask_aside("GET", "/2018-06-01/runtime/restore/next")
    runtime.api.await_init(30.0)

    runtime.api.close()

    with pytest.raises(http.client.RemoteDisconnected):
        waiting.result()


def test_answers_to_nothing_are_refused(runtime: Runtime) -> None:
    """
    A request that is not under way, or was answered, takes no answer; nor does next come before the answer.
    """
    assert "InvalidRequestID" == runtime.answer("response", b"").error_type
    event = runtime.ask_aside("GET", NEXT)
    runtime.api.await_init(30.0)
    answer = runtime.pool.submit(runtime.api.invoke, REQUEST, 30.0)
    event.result()

    assert 403 == runtime.ask("GET", NEXT).status
    assert 400 == runtime.answer("response", b"", request_id="other").status
    assert 202 == runtime.answer("response", b"").status
    assert 400 == runtime.answer("response", b"").status
    runtime.api.runtime_exited(0)
    answer.result()


def test_a_response_over_the_limit_becomes_an_error(runtime: Runtime) -> None:
    """
    6 MB and 100 bytes pass, one more does not; the runtime is told 413.
    """
    event = runtime.ask_aside("GET", NEXT)
    runtime.api.await_init(30.0)
    answer = runtime.pool.submit(runtime.api.invoke, REQUEST, 30.0)
    event.result()

    assert 413 == runtime.answer("response", b"x" * (MAX_RESPONSE_BYTES + 1)).status
    runtime.api.runtime_exited(1)
    posted = answer.result().answer
    assert posted is not None
    assert "Function.ResponseSizeTooLarge" == posted.error_type


def test_unknown_paths_are_not_found(runtime: Runtime) -> None:
    """
    What the API does not have is 404.
    """
    assert 404 == runtime.ask("GET", "/2018-06-01/runtime/nothing").status


def test_init_ends_when_extensions_are_ready(runtime: Runtime) -> None:
    """
    A registered extension has to ask for its first event too, before INIT is over.
    """
    identifier = runtime.register(["INVOKE"])
    runtime.ask_aside("GET", NEXT)
    assert not runtime.api.await_init(0.05)

    event = runtime.ask_aside("GET", EVENT_NEXT, Lambda_Extension_Identifier=identifier)

    assert runtime.api.await_init(30.0)
    assert runtime.api.has_extensions
    runtime.api.close()
    with pytest.raises(http.client.RemoteDisconnected):
        event.result()


def test_an_extension_that_wants_invocations_gets_them(runtime: Runtime) -> None:
    """
    The event names the request; the invocation ends when the extension has asked for the next one.
    """
    identifier = runtime.register(["INVOKE"])
    event, invocation = runtime.ask_aside("GET", EVENT_NEXT, Lambda_Extension_Identifier=identifier), runtime.ask_aside("GET", NEXT)
    runtime.api.await_init(30.0)
    answer = runtime.pool.submit(runtime.api.invoke, REQUEST, 30.0)

    told: dict[str, Any] = json.loads(event.result().body)

    assert ("INVOKE", "r1") == (told["eventType"], told["requestId"])
    assert {"type": "X-Amzn-Trace-Id", "value": "Root=1-0-0"} == told["tracing"]
    invocation.result()
    runtime.answer("response", b"1")
    runtime.ask_aside("GET", NEXT)
    assert not runtime.api.is_idle
    runtime.ask_aside("GET", EVENT_NEXT, Lambda_Extension_Identifier=identifier)
    assert answer.result().answer is not None
    assert runtime.api.is_idle


def test_an_extension_for_nothing_only_waits(runtime: Runtime) -> None:
    """
    One that registered for no events gets none, and holds up no invocation.
    """
    identifier = runtime.register([])
    runtime.ask_aside("GET", EVENT_NEXT, Lambda_Extension_Identifier=identifier)
    invocation = runtime.ask_aside("GET", NEXT)
    runtime.api.await_init(30.0)

    answer = runtime.pool.submit(runtime.api.invoke, REQUEST, 30.0)

    invocation.result()
    runtime.answer("response", b"1")
    runtime.ask_aside("GET", NEXT)
    assert answer.result().answer is not None


@pytest.mark.parametrize(
    ("body", "name", "error_type"),
    [
        (b"{}", "", "Extension.InvalidExtensionName"),
        (b"not json", "x", "InvalidRequestFormat"),
        (b"[]", "x", "InvalidRequestFormat"),
        (b'{"events": 1}', "x", "InvalidRequestFormat"),
        (b'{"events": ["SHUTDOWN"]}', "x", "Extension.InvalidEventType"),
    ],
    ids=["no name", "not json", "no object", "no list", "shutdown"],
)
def test_wrong_registrations_are_refused(runtime: Runtime, body: bytes, name: str, error_type: str) -> None:
    """
    Each with the error type that Lambda gives.
    """
    assert error_type == runtime.ask("POST", REGISTER, body, Lambda_Extension_Name=name).error_type


def test_registration_ends_with_init(runtime: Runtime) -> None:
    """
    Who comes after the runtime's first next is too late; who never registered gets no events.
    """
    runtime.ask_aside("GET", NEXT)
    runtime.api.await_init(30.0)

    assert "Extension.RegistrationClosed" == runtime.ask("POST", REGISTER, b"{}", Lambda_Extension_Name="x").error_type
    assert "Extension.UnknownExtensionIdentifier" == runtime.ask("GET", EVENT_NEXT).error_type


def test_no_thread_is_left(runtime: Runtime) -> None:
    """
    Closing ends the server's own thread.
    """
    runtime.api.close()

    assert "runtime-api" not in [thread.name for thread in threading.enumerate()]
