"""
What one invocation came to, and the lines Lambda writes around it.
"""

from __future__ import annotations

import json
import math
import platform
import signal
from dataclasses import dataclass, replace
from typing import Any, Literal

from lambda_kit._local._trace_header import TraceHeader

Status = Literal["success", "error", "timeout", "init error"]


@dataclass(frozen=True, slots=True, kw_only=True)
class InvokeResult:
    """
    Hold the outcome of one invocation: what the caller gets, and what the REPORT line tells.

    Attributes:
        body: What the caller gets, as bytes: the response, or the error's JSON.
        cold: The caller waited for INIT or for a restore.
        init_ms: INIT's duration when this invocation waited for it.
        restore_ms: The restore's duration under SnapStart, after-restore hooks included.
        billed_ms: Duration and, since August 2025, INIT, rounded up.
            Source: https://aws.amazon.com/blogs/compute/aws-lambda-standardizes-billing-for-init-phase/
        max_memory_mb: Peak resident memory of the runtime process in its life so far.
        log: All lines of this invocation, INIT's included when it is cold, START, END and REPORT too.
    """

    request_id: str
    status: Status
    body: bytes
    cold: bool
    duration_ms: float
    billed_ms: int
    memory_mb: int
    max_memory_mb: int
    init_ms: float | None = None
    restore_ms: float | None = None
    trace_header: str = ""
    log: tuple[str, ...] = ()

    @property
    def payload(self) -> Any:
        """
        The body decoded from JSON; bytes where it is none (a function may return bytes).
        """
        try:
            return json.loads(self.body) if self.body else None
        except ValueError:
            return self.body

    @property
    def error(self) -> dict[str, Any] | None:
        """
        The decoded error, ``{"errorType": ..., "errorMessage": ..., "stackTrace": [...]}``; None after a success.
        """
        payload = None if self.ok else self.payload
        return payload if isinstance(payload, dict) else None

    @property
    def ok(self) -> bool:
        """
        Whether the function returned normally.
        """
        return self.status == "success"

    @property
    def timed_out(self) -> bool:
        """
        Whether it outlived its timeout, was killed, and its environment replaced.
        """
        return self.status == "timeout"

    @property
    def init_failed(self) -> bool:
        """
        Whether it never ran, because INIT or the restore failed.
        """
        return self.status == "init error"

    def with_log(self, lines: tuple[str, ...]) -> InvokeResult:
        """
        Return the same result with its log.
        """
        return replace(self, log=lines)

    def as_json(self) -> dict[str, Any]:
        """
        Return everything as plain JSON values.
        """
        payload = self.payload
        return {
            "requestId": self.request_id,
            "status": self.status,
            "payload": payload.decode("latin-1") if isinstance(payload, bytes) else payload,
            "coldStart": self.cold,
            "initDurationMs": self.init_ms,
            "restoreDurationMs": self.restore_ms,
            "durationMs": self.duration_ms,
            "billedDurationMs": self.billed_ms,
            "memorySizeMb": self.memory_mb,
            "maxMemoryUsedMb": self.max_memory_mb,
            "traceHeader": self.trace_header,
            "log": list(self.log),
        }

    def report(self) -> str:
        """
        Return the REPORT line, and the XRAY line after it when the trace is sampled.
        """
        parts = [
            f"REPORT RequestId: {self.request_id}",
            f"Duration: {self.duration_ms:.2f} ms",
            f"Billed Duration: {self.billed_ms} ms",
            f"Memory Size: {self.memory_mb} MB",
            f"Max Memory Used: {self.max_memory_mb} MB",
        ]
        if self.init_ms is not None:
            parts.append(f"Init Duration: {self.init_ms:.2f} ms")
        if self.restore_ms is not None:
            parts += [f"Restore Duration: {self.restore_ms:.2f} ms", f"Billed Restore Duration: {math.ceil(self.restore_ms)} ms"]
        if not self.ok:
            parts.append(f"Status: {'timeout' if self.timed_out else 'error'}")
        if not self.timed_out and (error := self.error):
            parts.append(f"Error Type: {error.get('errorType', 'Unknown')}")
        parts.append(f"Environment: {'cold' if self.cold else 'warm'}")
        trace = TraceHeader.parse(self.trace_header)
        xray = f"\nXRAY TraceId: {trace.root}\tSegmentId: {trace.parent}\tSampled: true" if trace.sampled else ""
        return "\t".join(parts) + xray


def billed_ms(duration_ms: float, init_ms: float | None) -> int:
    """
    Return what is paid for: whole milliseconds, INIT included when the caller waited for it.
    """
    return math.ceil(duration_ms + (init_ms or 0.0))


def init_start() -> str:
    """
    Return the line that opens INIT.
    """
    return f"INIT_START Runtime Version: python:{platform.python_version()} (local)"


def init_report(init_ms: float, *, status: str, error_type: str | None = None, phase: str = "init") -> str:
    """
    Return the line that Lambda writes about an INIT that failed or took too long.
    """
    return f"INIT_REPORT Init Duration: {init_ms:.2f} ms\tPhase: {phase}\tStatus: {status}{_kind(error_type)}"


def restore_report(restore_ms: float, *, status: str, error_type: str | None = None) -> str:
    """
    Return the line that Lambda writes about a restore from a snapshot.
    """
    return f"RESTORE_REPORT Restore Duration: {restore_ms:.2f} ms\tStatus: {status}{_kind(error_type)}"


def _kind(error_type: str | None) -> str:
    """
    Return the end of a report's line.
    """
    return f"\tError Type: {error_type}" if error_type else ""


def error_body(kind: str, message: str) -> bytes:
    """
    Return an error of Lambda's own as the caller gets it.
    """
    return json.dumps({"errorType": kind, "errorMessage": message}).encode()


def exit_error(request_id: str, status: int) -> bytes:
    """
    Return what the caller gets when the runtime has ended by itself.
    """
    if status == 0:
        reason = "Runtime exited without providing a reason"
    elif status < 0:
        reason = f"Runtime exited with error: signal: {_signal_name(-status)}"
    else:
        reason = f"Runtime exited with error: exit status {status}"
    return error_body("Runtime.ExitError", f"RequestId: {request_id} Error: {reason}")


def timeout_error(request_id: str, timeout_s: float) -> bytes:
    """
    Return what the caller gets when the function has outlived its timeout.
    """
    return error_body("Sandbox.Timedout", f"RequestId: {request_id} Error: Task timed out after {timeout_s:.2f} seconds")


def snapshot_timeout_error() -> bytes:
    """
    Return what the caller gets when the snapshot or its restore takes too long.
    """
    return error_body("SnapStartTimeoutException", "The snapshot, or the restore with its hooks, took longer than Lambda waits")


def _signal_name(number: int) -> str:
    """
    Return a signal as the platform words it: ``killed``, ``segmentation fault``.
    """
    return (signal.strsignal(number) or str(number)).lower()
