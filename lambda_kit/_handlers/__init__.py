"""
handler: wires plain functions to event sources. Event, invocation, input, logic, answer: in this order, nothing else.
"""

from __future__ import annotations

from functools import wraps

from lambda_kit import _runtime
from lambda_kit._handlers import _last_words
from lambda_kit._handlers._batches import Batches
from lambda_kit._handlers._checks import BARE, check_flag, check_logic, check_respond, check_status, check_task
from lambda_kit._handlers._families import RESERVE_S, EventWiring, RecordWiring, drops_of, pace_of, wired
from lambda_kit._handlers._http_requests import HttpRequests
from lambda_kit._handlers._logic import NO_DEPS, Logic, finished, name_of
from lambda_kit._handlers._records import DynamoDbBatch, KafkaBatch, KinesisBatch, SqsBatch
from lambda_kit._handlers._transforms import Transforms
from lambda_kit._handlers._whole_events import DirectInvokes, details, messages, whole
from lambda_kit._handlers._wiring import Handler
from lambda_kit._invocation import scope
from lambda_kit._observe import span
from lambda_kit._responses import plain
from lambda_kit.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any, ParamSpec, TypeVar, overload

    from lambda_kit._handlers._families import OnReject, Table
    from lambda_kit._handlers._wiring import Wire, WireDeps, WireDepsResponse, WireResponse
    from lambda_kit._http import HttpRequest
    from lambda_kit._invocation import Invocation
    from lambda_kit._responses import Response
    from lambda_kit.events import DynamoDbRecord, EventBridgeEvent, FirehoseRecord, KafkaRecord, KinesisRecord, SnsRecord, SqsRecord

    P = ParamSpec("P")
    R = TypeVar("R")
    T = TypeVar("T")
    D = TypeVar("D")
    X = TypeVar("X", bound=Exception)
else:
    from lambda_kit._typing import overload

__all__ = ["Handler", "Handlers", "handler"]


_STREAM = """
    The answer names the first record that failed, rejected or not, so that the source goes on from there; the event source
    mapping must have ``ReportBatchItemFailures``. When nothing was done before it, ``BatchError`` is raised. What comes
    after a failure is not started. A record that no longer fits the remaining time is not started.

    Args:
        on_reject: ``"drop"`` logs rejected records and goes on. Otherwise one that can never succeed holds up what comes
            after it until the mapping's retries or its maximum age are used up.
        concurrency: The most records at once: in threads, or tasks when the logic is asynchronous. {order}
        reserve_s: Seconds kept for the answer.
"""
_KINESIS = "Wire logic to the records of a Kinesis data stream, one call each. A model validates the JSON of the data.\n" + _STREAM.format(
    order="Those with one partition key stay one after the other."
)
_DYNAMODB = (
    "Wire logic to the changes of a DynamoDB table, one call each. A model is given the item after the change, as Python values; "
    "a removal has none, and is rejected: filter removals out, or give a function of the record.\n"
    + _STREAM.format(order="Those of one item stay one after the other.")
)
_KAFKA = (
    "Wire logic to the records of Kafka topics, one call each. A model validates the JSON of the value; a tombstone has none, "
    "and is rejected: give a function of the record where there are some. Each partition fails for itself.\n"
    + _STREAM.format(order="Those of one partition stay one after the other.")
)
_ASYNCHRONOUS = """
    A result is not read; errors are raised, so that Lambda tries again and then uses the function's failure destination.

    Args:
        on_reject: ``"drop"`` logs a rejected event and counts it as done.
"""
_EVENT = "Wire logic to an asynchronous source: the whole event is the input.\n" + _ASYNCHRONOUS
_SNS = "Wire logic to the messages of an SNS topic. A model validates the JSON of the message.\n" + _ASYNCHRONOUS
_EVENTBRIDGE = "Wire logic to the events of an EventBridge bus or schedule. A model validates the detail.\n" + _ASYNCHRONOUS


class Handlers:
    """
    Wire functions to event sources; :data:`handler` is the one there is.

    The first argument of each wiring line is a pydantic model class, which the payload is validated by, or any other
    callable of the request, record or event, which returns the logic's input.

    ``deps`` is what logic gets as its second argument. ``errors`` says what the logic's own exceptions mean: a
    :class:`Reject`, a :class:`Retry`, or a function of the exception that gives one; the most specific class wins. The kit's own
    errors, ``EventError`` excepted, are looked up by classes of the kit only: ``LookupError`` does not mean a missing parameter.
    ``preload=False`` leaves clients and drivers lazy that would be loaded at the end of INIT, without network.
    """

    __slots__ = ()

    @overload
    def __call__(self, function: Callable[P, Coroutine[Any, Any, R]]) -> Callable[P, R]: ...
    @overload
    def __call__(self, function: Callable[P, R]) -> Callable[P, R]: ...
    def __call__(self, function: Any, *rest: object) -> Any:
        """
        Make a handler of a function of ``(event, context)`` as they come; its result becomes plain JSON.

        Raises:
            ConfigurationError: It does not take two arguments, or is no function.
        """
        if rest or not callable(function):
            raise ConfigurationError(
                "this calls lambda_kit's own `handler`, not a handler made with it: "
                "the Handler setting must name yours, such as app.api for `api = handler.http(...)(...)`"
            )
        check_logic(function, BARE, wiring="@handler")
        if _runtime.on_lambda():
            _runtime.watch_life()
        name, says_last_words = name_of(function), _last_words.are_wanted()

        @wraps(function)
        def entry(*args: Any, **kwargs: Any) -> Any:
            def answer(_: object, __: Invocation) -> Any:
                with span(name):
                    return plain(finished(function(*args, **kwargs)))

            with scope(args[1] if len(args) > 1 else [*kwargs.values()][-1]) as invocation:
                return _last_words.with_last_words(answer, {}, invocation) if says_last_words else answer(None, invocation)

        entry.logic = function  # type: ignore[attr-defined]  # functions take attributes
        return entry

    @overload
    def http(
        self,
        first: type[T] | Callable[[HttpRequest], T],
        *,
        errors: Table[X] = ...,
        status: int = ...,
        respond: None = ...,
        preload: bool = ...,
    ) -> Wire[T]: ...
    @overload
    def http(
        self,
        first: type[T] | Callable[[HttpRequest], T],
        *,
        deps: D,
        errors: Table[X] = ...,
        status: int = ...,
        respond: None = ...,
        preload: bool = ...,
    ) -> WireDeps[T, D]: ...
    @overload
    def http(
        self,
        first: type[T] | Callable[[HttpRequest], T],
        *,
        errors: Table[X] = ...,
        status: int = ...,
        respond: Callable[[R], Response],
        preload: bool = ...,
    ) -> WireResponse[T, R]: ...
    @overload
    def http(
        self,
        first: type[T] | Callable[[HttpRequest], T],
        *,
        deps: D,
        errors: Table[X] = ...,
        status: int = ...,
        respond: Callable[[R], Response],
        preload: bool = ...,
    ) -> WireDepsResponse[T, D, R]: ...
    def http(
        self,
        first: Any,
        *,
        deps: Any = NO_DEPS,
        errors: Any = None,
        status: int = 200,
        respond: Callable[[Any], Response] | None = None,
        preload: bool = True,
    ) -> Any:
        """
        Wire logic to HTTP requests: API Gateway HTTP and REST APIs, function URLs, load balancers.

        A model validates the JSON body. Results become JSON; ``None`` is 204. What the client did wrong is answered by a
        problem document (RFC 9457), a Retry by 503 with Retry-After, a bug by 500 and a logged traceback.

        Args:
            status: The status of a result.
            respond: Makes the response of the result instead: status, headers, cookies.
        """
        check_status(status, wiring="handler.http")
        check_respond(respond, wiring="handler.http")
        return wired("handler.http", first, lambda logic: HttpRequests(logic, first, status=status, respond=respond), deps, errors, preload)

    @overload
    def sqs(
        self,
        first: type[T] | Callable[[SqsRecord], T],
        *,
        errors: Table[X] = ...,
        on_reject: OnReject = ...,
        skip_group: bool = ...,
        concurrency: int = ...,
        reserve_s: float = ...,
        preload: bool = ...,
    ) -> Wire[T]: ...
    @overload
    def sqs(
        self,
        first: type[T] | Callable[[SqsRecord], T],
        *,
        deps: D,
        errors: Table[X] = ...,
        on_reject: OnReject = ...,
        skip_group: bool = ...,
        concurrency: int = ...,
        reserve_s: float = ...,
        preload: bool = ...,
    ) -> WireDeps[T, D]: ...
    def sqs(
        self,
        first: Any,
        *,
        deps: Any = NO_DEPS,
        errors: Any = None,
        on_reject: str = "fail",
        skip_group: bool = False,
        concurrency: int = 1,
        reserve_s: float = RESERVE_S,
        preload: bool = True,
    ) -> Any:
        """
        Wire logic to the messages of an SQS queue, one call each.

        A model validates the JSON body. The answer names the messages that failed, rejected or not, so that they are
        delivered again until redrive takes them away; the event source mapping must have ``ReportBatchItemFailures``.
        When all failed, ``BatchError`` is raised. A FIFO queue's batch ends at the first failure. A message that no
        longer fits the remaining time is not started.

        Args:
            on_reject: ``"drop"`` logs and deletes rejected messages instead.
            skip_group: A failure in a FIFO queue ends its message group only; the other groups go on.
            concurrency: The most messages at once: in threads, or tasks when the logic is asynchronous. Those of one
                group of a FIFO queue stay one after the other.
            reserve_s: Seconds kept for the answer.
        """
        drops, pace = drops_of("handler.sqs", on_reject), pace_of("handler.sqs", concurrency, reserve_s)
        check_flag("skip_group", skip_group, wiring="handler.sqs")
        batch = SqsBatch(skips_group=skip_group)
        return wired("handler.sqs", first, lambda logic: Batches(logic, first, batch, pace, drops=drops), deps, errors, preload)

    kinesis: RecordWiring[KinesisRecord] = RecordWiring("handler.kinesis", KinesisBatch, _KINESIS)
    dynamodb: RecordWiring[DynamoDbRecord] = RecordWiring("handler.dynamodb", DynamoDbBatch, _DYNAMODB)
    kafka: RecordWiring[KafkaRecord] = RecordWiring("handler.kafka", KafkaBatch, _KAFKA)

    @overload
    def firehose(
        self,
        first: type[T] | Callable[[FirehoseRecord], T],
        *,
        errors: Table[X] = ...,
        on_reject: OnReject = ...,
        concurrency: int = ...,
        reserve_s: float = ...,
        preload: bool = ...,
    ) -> Wire[T]: ...
    @overload
    def firehose(
        self,
        first: type[T] | Callable[[FirehoseRecord], T],
        *,
        deps: D,
        errors: Table[X] = ...,
        on_reject: OnReject = ...,
        concurrency: int = ...,
        reserve_s: float = ...,
        preload: bool = ...,
    ) -> WireDeps[T, D]: ...
    def firehose(
        self,
        first: Any,
        *,
        deps: Any = NO_DEPS,
        errors: Any = None,
        on_reject: str = "fail",
        concurrency: int = 1,
        reserve_s: float = RESERVE_S,
        preload: bool = True,
    ) -> Any:
        """
        Wire logic to the records that Firehose wants transformed; its result is delivered in the record's place.

        A model validates the JSON of the data. Text and bytes are delivered as they are, anything else as JSON (add the
        line feed yourself where the destination wants one); ``None`` drops the record. A rejected record, or one that
        met a bug, has failed (``ProcessingFailed``): Firehose puts it where the stream's failures go. A Retry, or time
        that runs out, raises ``BatchError``: Firehose delivers the whole batch again.

        Args:
            on_reject: ``"drop"`` leaves rejected records out.
            concurrency: The most records at once, in no order; the answer keeps theirs.
            reserve_s: Seconds kept for the answer.
        """
        drops, pace = drops_of("handler.firehose", on_reject), pace_of("handler.firehose", concurrency, reserve_s)
        return wired("handler.firehose", first, lambda logic: Transforms(logic, first, pace, drops=drops), deps, errors, preload)

    event: EventWiring[dict[str, Any]] = EventWiring("handler.event", whole, _EVENT)
    sns: EventWiring[SnsRecord] = EventWiring("handler.sns", messages, _SNS)
    eventbridge: EventWiring[EventBridgeEvent[Any]] = EventWiring("handler.eventbridge", details, _EVENTBRIDGE)

    @overload
    def invoke(
        self,
        first: type[T] | Callable[[dict[str, Any]], T],
        *,
        errors: Table[X] = ...,
        preload: bool = ...,
    ) -> Wire[T]: ...
    @overload
    def invoke(
        self,
        first: type[T] | Callable[[dict[str, Any]], T],
        *,
        deps: D,
        errors: Table[X] = ...,
        preload: bool = ...,
    ) -> WireDeps[T, D]: ...
    def invoke(self, first: Any, *, deps: Any = NO_DEPS, errors: Any = None, preload: bool = True) -> Any:
        """
        Wire logic to direct invocations and Step Functions: the event is the input, the result the answer.

        Errors are raised as they are, so that the caller sees their class; ``errors`` is accepted, so that one table
        serves all, and changes nothing.
        """
        return wired("handler.invoke", first, lambda logic: DirectInvokes(logic, first), deps, errors, preload)

    @overload
    def task(
        self,
        first: type[T] | Callable[[dict[str, Any]], T],
        *,
        errors: Table[X] = ...,
        token: str = ...,
        payload: str | None = ...,
        heartbeat_s: float | None = ...,
        preload: bool = ...,
    ) -> Wire[T]: ...
    @overload
    def task(
        self,
        first: type[T] | Callable[[dict[str, Any]], T],
        *,
        deps: D,
        errors: Table[X] = ...,
        token: str = ...,
        payload: str | None = ...,
        heartbeat_s: float | None = ...,
        preload: bool = ...,
    ) -> WireDeps[T, D]: ...
    def task(
        self,
        first: Any,
        *,
        deps: Any = NO_DEPS,
        errors: Any = None,
        token: str = "token",  # noqa: S107  # a key's name
        payload: str | None = None,
        heartbeat_s: float | None = None,
        preload: bool = True,
    ) -> Any:
        """
        Wire logic to a Step Functions task that waits for its token (``.waitForTaskToken``).

        The result is sent as the task's success; an error as its failure, by its class name, for the state machine's
        Retry and Catch. Needs ``states:SendTaskSuccess``, ``SendTaskFailure`` and ``SendTaskHeartbeat``.

        Args:
            token: The event's key that holds the token: ``{"token.$": "$$.Task.Token", ...}``.
            payload: The key whose value is the input; by default the whole event, without the token.
            heartbeat_s: Seconds between the heartbeats sent while the logic works: well below the state's
                ``HeartbeatSeconds``. None are sent by default.
        """
        from lambda_kit._clients import client
        from lambda_kit._handlers._tasks import Tasks

        check_task(token, payload, heartbeat_s, wiring="handler.task")
        stepfunctions = client("stepfunctions")

        def answer(logic: Logic) -> Tasks:
            return Tasks(logic, first, stepfunctions, token=token, payload=payload, heartbeat_s=heartbeat_s)

        return wired("handler.task", first, answer, deps, errors, preload, (stepfunctions,))


handler = Handlers()
