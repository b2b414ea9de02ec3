"""
X-Ray's backend: subsegments below the function's segment, each sent as a document of its own when it ends.

Source: https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html
"""

from __future__ import annotations

import functools
import json
import logging
import os
import re
from json.encoder import encode_basestring_ascii as _quoted

from lambda_kit import _runtime
from lambda_kit.tracing import _causes, _daemon
from lambda_kit.tracing._spans import OpenSpan, Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_logger = logging.getLogger("lambda_kit")

_HEADER = "_X_AMZN_TRACE_ID"
# "64 kB" by its smaller reading; a UDP datagram carries 65,507 bytes.
_MOST_BYTES = 64_000
_MOST_NAME = 200
_MOST_KEY = 500
_MOST_TEXT = 1000
_INFINITY = float("inf")
_NAMESPACES = frozenset({"aws", "remote"})
_CLIENT_ERROR, _TOO_MANY_REQUESTS, _SERVER_ERROR = 400, 429, 500
# Services that throttle with another status than 429 say so by one of these codes, or by one with "Throttl" in it.
_THROTTLES = frozenset({"ProvisionedThroughputExceededException", "RequestLimitExceeded", "SlowDown"})
# What is left out, one thing after the other, until a document fits.
_EVERYTHING, _NO_METADATA, _NO_STACKS, _NO_ANNOTATIONS = range(4)


class _Trace:
    """
    A trace header, read: ``Root=1-...;Parent=...;Sampled=1``, perhaps with more.
    """

    __slots__ = ("_rest", "header", "id", "parent_id", "sampled")

    def __init__(self, header: str | None) -> None:
        fields: dict[str, str] = {}
        for field in (header or "").split(";"):
            name, _, value = field.strip().partition("=")
            fields[name] = value
        self.header = header
        self.id = fields.pop("Root", "")
        self.parent_id = fields.pop("Parent", "")
        sampled = fields.pop("Sampled", "") == "1"
        self.sampled = sampled and _is_id(self.id) and _is_id(self.parent_id)
        self._rest = "".join(f";{name}={value}" for name, value in fields.items() if value and value.isascii() and value.isprintable())

    def passed_on_by(self, span_id: str) -> str:
        """
        Return the header for those whom the span *span_id* calls. Lambda's loop detection needs its own field to go along.
        """
        return f"Root={self.id};Parent={span_id};Sampled=1{self._rest}"


# The header read last. A thread may replace it at any time: read it once.
_trace = _Trace(None)


def begin(name: str, namespace: str, parent: Span | None, /) -> XRaySpan | None:
    """
    Open a span of the current invocation, or return ``None`` when X-Ray does not sample it.

    The header is read anew each time: an environment that was frozen in one invocation goes on in another.
    """
    global _trace  # see above
    header = _runtime.setting(_HEADER)
    trace = _trace
    if trace.header != header:
        _trace = trace = _Trace(header)
    return XRaySpan(name, namespace, trace, parent) if trace.sampled else None


class XRaySpan(OpenSpan):
    """
    A subsegment.
    """

    __slots__ = (
        "_annotations",
        "_blocks",
        "_end_s",
        "_exceptions",
        "_flags",
        "_invocation",
        "_metadata",
        "_name",
        "_namespace",
        "_parent_id",
        "_start_s",
        "_trace",
        "id",
    )

    def __init__(self, name: str, namespace: str, trace: _Trace, parent: Span | None) -> None:
        self._name = name
        self._namespace = namespace
        self._trace = trace
        self._invocation = _runtime.environment().invocations
        self.id = os.urandom(8).hex()  # the kernel's: snapshots and forks share the state of every other generator
        self._parent_id = trace.parent_id
        if isinstance(parent, XRaySpan) and parent.takes(trace, self._invocation):
            self._parent_id = parent.id
        self._annotations: dict[str, Any] | None = None
        self._metadata: dict[str, object] | None = None
        self._blocks: dict[str, dict[str, Any]] | None = None
        self._exceptions: list[dict[str, Any]] | None = None
        self._flags: tuple[str, ...] = ()
        self._end_s = 0.0
        self._start_s = _runtime.wall_s()

    def takes(self, trace: _Trace, invocation: int) -> bool:
        """
        Tell whether a span of *trace* may go below this one: not below one that a task or a thread remembers of an earlier invocation.
        """
        return self._trace.header == trace.header and (not self._end_s or self._invocation == invocation)

    def annotate(self, **annotations: str | float | bool) -> None:
        """
        Add facts to search by.
        """
        if self._annotations is None:
            self._annotations = annotations
        else:
            self._annotations.update(annotations)

    def add_metadata(self, **values: object) -> None:
        """
        Add values to read.
        """
        if self._metadata is None:
            self._metadata = values
        else:
            self._metadata.update(values)

    def record_exception(self, error: BaseException) -> None:
        """
        Mark the span as failed by *error*.
        """
        self._flags = ("fault",)
        self._exceptions = _causes.exceptions(error)

    def describe_call(self, facts: dict[str, str]) -> None:
        """
        Say which AWS call it is.
        """
        self._blocks = {"aws": {name: value[:_MOST_TEXT] for name, value in facts.items()}}

    def describe_answer(self, status: int, request_id: str, retries: int, error: tuple[str, str] | None) -> None:
        """
        Say what AWS answered.
        """
        blocks = self._blocks = self._blocks or {}
        blocks.setdefault("aws", {}).update(request_id=request_id, retries=retries)
        blocks["http"] = {"response": {"status": status}}
        self._flags = _flags(status, "" if error is None else error[0])
        if error is not None:
            self._exceptions = _causes.answer(*error)

    def headers(self) -> dict[str, str]:
        """
        Return the header that carries the trace on.
        """
        return {"X-Amzn-Trace-Id": self._trace.passed_on_by(self.id)}

    def end(self, error: BaseException | None = None) -> None:
        """
        Close the span and send it.
        """
        self._end_s = max(self._start_s, _runtime.wall_s())  # the wall clock may jump back
        try:
            # A generator that is closed early has not failed.
            if error is not None and not isinstance(error, GeneratorExit):
                self.record_exception(error)
            _daemon.send(self._fitting())
        except Exception:  # whatever is wrong with a span, the function goes on
            _logger.debug("tracing: the span %r is lost", self._name, exc_info=True)

    def _fitting(self) -> bytes:
        """
        Return the document, without what makes it too large.
        """
        document = self._document(_EVERYTHING)
        less = _EVERYTHING
        while len(document) > _MOST_BYTES and less < _NO_ANNOTATIONS:
            less += 1
            document = self._document(less)
        return document.encode("ascii")

    def _document(self, level: int) -> str:
        # Microseconds with an exponent: a float's own text costs three times as much.
        head = (
            f'{{"type":"subsegment","name":{_name(self._name)},"id":"{self.id}","parent_id":"{self._parent_id}",'
            f'"trace_id":"{self._trace.id}","start_time":{int(self._start_s * 1e6)}e-6,"end_time":{int(self._end_s * 1e6)}e-6'
        )
        if self._annotations is not None and level < _NO_ANNOTATIONS:
            head += f',"annotations":{{{",".join([_annotation(key, value) for key, value in self._annotations.items()])}}}'
        if self._namespace in _NAMESPACES:
            head += f',"namespace":"{self._namespace}"'
        if self._metadata is not None:
            head += f',"metadata":{{"default":{_metadata(self._metadata) if level < _NO_METADATA else _TOO_LARGE}}}'
        if self._exceptions is not None:
            shown = self._exceptions if level < _NO_STACKS else _causes.shortened(self._exceptions)
            head += f',"cause":{json.dumps({"exceptions": shown})}'
        if self._blocks is not None:
            head += "".join(f',"{name}":{json.dumps(block)}' for name, block in self._blocks.items())
        return head + "".join([f',"{flag}":true' for flag in self._flags]) + "}"


def _flags(status: int, code: str) -> tuple[str, ...]:
    """
    Return what X-Ray calls an answer: the client's ``error``, with ``throttle`` for too many, the server's ``fault``.
    """
    if status == _TOO_MANY_REQUESTS or "Throttl" in code or code in _THROTTLES:
        return ("error", "throttle")
    if status >= _SERVER_ERROR:
        return ("fault",)
    return ("error",) if status >= _CLIENT_ERROR else ()


_TOO_LARGE = '"dropped: the document would exceed 64 kB"'


@functools.lru_cache(maxsize=512)
def _name(name: str) -> str:
    """
    Return *name* as X-Ray allows names, as JSON.
    """
    return _quoted(re.sub(r"[^\w\s.:/%&#=+\\\-@]", "", name).strip()[:_MOST_NAME] or "unnamed")


def _annotation(key: str, value: object) -> str:
    """
    Return one annotation as JSON. Keys are ASCII letters, digits and underscores; infinity is text, which JSON has no number for.
    """
    if not (key.isascii() and key.isidentifier()):
        key = re.sub(r"[^A-Za-z0-9_]", "_", key)
    kind = type(value)
    try:
        if kind is int or (kind is float and abs(value) < _INFINITY):  # type: ignore[arg-type]  # a float: see before
            return f'"{key[:_MOST_KEY]}":{value!r}'
        if kind is bool:
            return f'"{key[:_MOST_KEY]}":{"true" if value else "false"}'
        return f'"{key[:_MOST_KEY]}":{_quoted((value if isinstance(value, str) else str(value))[:_MOST_TEXT])}'
    except Exception as exc:  # noqa: BLE001  # as in _value; and an integer may be too long for text
        return f'"{key[:_MOST_KEY]}":{_unspeakable(exc)}'


def _metadata(values: dict[str, object]) -> str:
    """
    Return *values* as JSON: what JSON does not know as text, each value for itself, so that a bad one costs only itself.
    """
    return "{" + ",".join(f"{_quoted(key)}:{_value(value)}" for key, value in values.items()) + "}"


def _value(value: object) -> str:
    try:
        return json.dumps(value, default=str, skipkeys=True, allow_nan=False)
    except Exception as exc:  # noqa: BLE001  # str() of the user's own objects may raise anything
        return _unspeakable(exc)


def _unspeakable(error: Exception) -> str:
    return _quoted(f"not serialisable: {type(error).__name__}")


def _is_id(text: str) -> bool:
    return text.isascii() and text.replace("-", "").isalnum()
