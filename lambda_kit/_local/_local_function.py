"""
A function on this machine: it gets environments as Lambda would give them, and takes events.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import threading
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from lambda_kit._local._environment import ExecutionEnvironment
from lambda_kit._local._function import ON_DEMAND, PROVISIONED, SNAP_START, FunctionConfiguration
from lambda_kit._local._results import (
    InvokeResult,
    billed_ms,
    exit_error,
    init_report,
    restore_report,
    snapshot_timeout_error,
    timeout_error,
)
from lambda_kit._local._runtime_api import InvocationRequest
from lambda_kit._local._trace_header import TraceHeader
from lambda_kit._local._xray import function_segment
from lambda_kit._require import require
from lambda_kit.errors import EventError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lambda_kit._local._environment import PhaseOutcome
    from lambda_kit._local._results import Status
    from lambda_kit._local._xray import XRayDaemon

# Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
MAX_EVENT_BYTES = 6_291_456


@dataclass(frozen=True, slots=True, kw_only=True)
class _Start:
    """
    An environment and how it came to be there.

    Attributes:
        failure: How INIT or the restore failed; None when the environment takes events.
        spent_s: What a repeated INIT has taken of the function's own time.
    """

    environment: ExecutionEnvironment
    cold: bool = True
    init_ms: float | None = None
    restore_ms: float | None = None
    failure: PhaseOutcome | None = None
    spent_s: float = 0.0


class LocalFunction:
    """
    Invoke a handler under the real runtime client, in environments that live, die and are replaced as on Lambda.

        with LocalFunction("examples.orders.handler.api", timeout_s=10) as function:
            result = function.invoke({"body": "..."})

    An idle environment takes the next event; a concurrent one gets an environment of its own. One that has timed out or
    crashed is replaced at the next event. Leaving the block shuts all of them down.
    """

    def __init__(
        self,
        handler: str,
        *,
        task_root: Path | str = ".",
        timeout_s: float = 3.0,
        memory_mb: int = 128,
        environ: Mapping[str, str] | None = None,
        function_name: str = "function",
        region: str = "us-east-1",
        init_type: str = ON_DEMAND,
        init_timeout_s: float = 10.0,
        restore_timeout_s: float = 10.0,
        layers: Sequence[Path] = (),
        xray: XRayDaemon | None = None,
        on_line: Callable[[str], None] | None = None,
    ) -> None:
        """
        Args:
            handler: As in the Handler setting, below *task_root*.
            memory_mb: What the function is told; nothing enforces it.
            init_timeout_s: Lambda's own limit of INIT on demand, to be changed by tests only; *restore_timeout_s* is that of a restore.
            environ: The function's variables. Unless they name an endpoint, no call to AWS leaves this machine.
            layers: Unzipped layers, each with a ``python`` folder.
            xray: Gets the function's trace segments; with it, traces are sampled.
            on_line: Gets every log line as it comes, from another thread.

        Raises:
            MissingDependencyError: The runtime client is not installed.
            ConfigurationError: A setting that Lambda would refuse.
        """
        require("awslambdaric", extra="tools")
        self.configuration = FunctionConfiguration(
            handler=handler,
            task_root=Path(task_root).resolve(),
            function_name=function_name,
            timeout_s=timeout_s,
            memory_mb=memory_mb,
            region=region,
            init_type=init_type,
            init_timeout_s=init_timeout_s,
            restore_timeout_s=restore_timeout_s,
            layers=[layer.resolve() for layer in layers],
            environ=dict(environ or {}),
            **({"xray_address": xray.address} if xray is not None else {}),
        )
        self._xray = xray
        self._on_line = on_line
        self._lock = threading.Lock()
        self._idle: list[ExecutionEnvironment] = []
        self._all: set[ExecutionEnvironment] = set()

    def __enter__(self) -> Self:
        if self.configuration.init_type == PROVISIONED:
            start = self._start()
            if start.failure is None:
                self._idle.append(start.environment)
            else:
                self._end(start.environment)
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """
        Shut all environments down and leave nothing of them.
        """
        with contextlib.ExitStack() as ending:  # one that fails to end does not keep the others
            for environment in list(self._all):
                ending.callback(self._end, environment)

    def invoke(
        self,
        event: object,
        *,
        trace_header: str | None = None,
        request_id: str | None = None,
        client_context: Mapping[str, Any] | None = None,
        cognito_identity: Mapping[str, Any] | None = None,
        tenant_id: str | None = None,
    ) -> InvokeResult:
        """
        Hand one event to the function and wait for the end of the invocation.

        Args:
            event: JSON values, or the JSON itself as bytes.

        Raises:
            EventError: The event is larger than a synchronous invocation takes.
        """
        payload = event if isinstance(event, bytes) else json.dumps(event).encode()
        if len(payload) > MAX_EVENT_BYTES:
            raise EventError(f"the event has {len(payload)} bytes: a synchronous invocation takes {MAX_EVENT_BYTES}")
        began_s = time.time()
        start = self._idle_environment() or self._start()
        request = InvocationRequest(
            request_id=request_id or str(uuid.uuid4()),
            payload=payload,
            function_arn=self.configuration.function_arn,
            trace_header=trace_header or str(TraceHeader.new(sampled=self._xray is not None)),
            client_context=None if client_context is None else json.dumps(client_context),
            cognito_identity=None if cognito_identity is None else json.dumps(cognito_identity),
            tenant_id=tenant_id,
        )
        result = self._run(start, request)
        if self._xray is not None:
            self._xray.record(function_segment(self.configuration.function_name, result, began_s, time.time()))
        return result

    def _run(self, start: _Start, request: InvocationRequest) -> InvokeResult:
        """
        Invoke, log as Lambda does, and keep the environment or end it.
        """
        environment = start.environment
        environment.say(f"START RequestId: {request.request_id} Version: {self.configuration.function_version}")
        outcome = start.failure or environment.invoke(request, self.configuration.timeout_s - start.spent_s)
        status, body = self._verdict(start, outcome, request.request_id)
        if status == "timeout":
            environment.say(f"{_now()} {request.request_id} Task timed out after {self.configuration.timeout_s:.2f} seconds")
        environment.say(f"END RequestId: {request.request_id}")
        result = self._result(start, outcome, request, status, body)
        environment.say(result.report())
        result = result.with_log(environment.take_lines())
        if start.failure is None and environment.is_alive:
            with self._lock:
                self._idle.append(environment)
        else:
            self._end(environment)
        return result

    def _verdict(self, start: _Start, outcome: PhaseOutcome, request_id: str) -> tuple[Status, bytes]:
        """
        Say how the invocation ended, and what the caller gets.
        """
        answer, timeout_s = outcome.answer, self.configuration.timeout_s
        if start.failure is not None and outcome.timed_out and self.configuration.init_type == SNAP_START:
            return "init error", snapshot_timeout_error()
        if outcome.timed_out:
            # A response that was posted before the time was over has reached the caller.
            return "timeout", answer.body if answer is not None else timeout_error(request_id, timeout_s)
        body = exit_error(request_id, outcome.exit_status or 0) if answer is None else answer.body
        if start.failure is not None:
            return "init error", body
        return "error" if answer is None or answer.error_type is not None else "success", body

    def _result(self, start: _Start, outcome: PhaseOutcome, request: InvocationRequest, status: Status, body: bytes) -> InvokeResult:
        """
        Put the figures together.
        """
        # An INIT that failed is told as such; the invocation itself took no time.
        duration_ms = start.spent_s * 1000.0 + (0.0 if start.failure is not None else outcome.duration_ms)
        return InvokeResult(
            request_id=request.request_id,
            status=status,
            body=body,
            cold=start.cold,
            duration_ms=duration_ms,
            billed_ms=billed_ms(duration_ms, start.init_ms if self.configuration.init_type == ON_DEMAND else None),
            memory_mb=self.configuration.memory_mb,
            max_memory_mb=start.environment.max_memory_mb,
            init_ms=start.init_ms if self.configuration.init_type == ON_DEMAND else None,
            restore_ms=start.restore_ms,
            trace_header=request.trace_header,
        )

    def _idle_environment(self) -> _Start | None:
        """
        Take an environment that waits, or None. One that has died meanwhile is ended.
        """
        while True:
            with self._lock:
                if not self._idle:
                    return None
                environment = self._idle.pop()
            if environment.is_alive:
                return _Start(environment=environment, cold=False)
            self._end(environment)

    def _start(self) -> _Start:
        """
        Make an environment ready. INIT that outlasts its limit is repeated within the function's own time, as on Lambda.
        """
        configuration = self.configuration
        environment = self._new_environment()
        on_demand = configuration.init_type == ON_DEMAND
        init = environment.initialise(configuration.init_timeout_s if on_demand else configuration.snapshot_timeout_s)
        if init.timed_out and on_demand:
            environment.say(init_report(init.duration_ms, status=init.report_status))
            lines = environment.take_lines()
            self._end(environment)
            return self._start_again(lines)
        if init.init_failed:
            environment.say(init_report(init.duration_ms, status=init.report_status, error_type=init.error_type))
            return _Start(environment=environment, init_ms=init.duration_ms, failure=init)
        if configuration.init_type != SNAP_START:
            return _Start(environment=environment, init_ms=init.duration_ms)
        restore = environment.restore()
        environment.say(restore_report(restore.duration_ms, status=restore.report_status, error_type=restore.error_type))
        failure = restore if restore.init_failed else None
        return _Start(environment=environment, init_ms=init.duration_ms, restore_ms=restore.duration_ms, failure=failure)

    def _start_again(self, lines: tuple[str, ...]) -> _Start:
        """
        Run INIT a second time, as part of the invocation: its time is the function's.
        """
        environment = self._new_environment(lines)
        init = environment.initialise(self.configuration.timeout_s)
        if init.init_failed:
            environment.say(init_report(init.duration_ms, status=init.report_status, error_type=init.error_type, phase="invoke"))
        spent_s = min(init.duration_ms / 1000.0, self.configuration.timeout_s)
        return _Start(environment=environment, failure=init if init.init_failed else None, spent_s=spent_s)

    def _new_environment(self, lines: tuple[str, ...] = ()) -> ExecutionEnvironment:
        """
        Start an environment that this function will end.
        """
        environment = ExecutionEnvironment(self.configuration, on_line=self._on_line, earlier_lines=lines)
        with self._lock:
            self._all.add(environment)
        return environment

    def _end(self, environment: ExecutionEnvironment) -> None:
        """
        Shut one environment down.
        """
        with self._lock:
            self._all.discard(environment)
        environment.shut_down()


def _now() -> str:
    """
    Return the time as Lambda writes it into the log.
    """
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
