"""
A stand-in for the X-Ray daemon: it collects the segment documents a function sends, and nothing leaves this machine.

Source: https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sendingdata.html
"""

from __future__ import annotations

import json
import secrets
import socket
import threading
from typing import TYPE_CHECKING, Any, Self

from lambda_kit._local._trace_header import TraceHeader

if TYPE_CHECKING:
    from lambda_kit._local._results import InvokeResult

# A datagram is a header line and a document, of 64 KB at most.
_MAX_DATAGRAM_BYTES = 65_535
_FORMAT = {"format": "json", "version": 1}
_STOP = b"stop"
# The kernel drops datagrams, ours too, while the buffer is full.
_MARK_LOST_AFTER_S = 0.5


class XRayDaemon:
    """
    Collect segment documents on a free UDP port of loopback.

    Attributes:
        address: ``127.0.0.1:port``, the value of ``AWS_XRAY_DAEMON_ADDRESS``.
    """

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self._documents: list[dict[str, Any]] = []
        self._changed = threading.Condition()
        self._marks: set[bytes] = set()
        self._thread = threading.Thread(target=self._receive, name="xray-daemon", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def record(self, document: dict[str, Any]) -> None:
        """
        Add a document of the platform's own, such as the function's segment.
        """
        with self._changed:
            self._documents.append(document)

    def documents(self, root: str | None = None) -> list[dict[str, Any]]:
        """
        Return everything sent so far, or what belongs to one trace. What was sent before the call is in.
        """
        mark = secrets.token_hex(8).encode()
        with self._changed:
            self._send(mark)
            while not self._changed.wait_for(lambda: mark in self._marks, _MARK_LOST_AFTER_S) and self._thread.is_alive():
                self._send(mark)
            return [document for document in self._documents if root in (None, document.get("trace_id"))]

    def clear(self) -> None:
        """
        Forget everything sent so far.
        """
        self.documents()
        with self._changed:
            self._documents.clear()

    def close(self) -> None:
        """
        Stop receiving and close the port.
        """
        self._send(_STOP)
        self._thread.join()
        self._socket.close()

    def _send(self, datagram: bytes) -> None:
        """
        Put a datagram behind those that are waiting to be read.
        """
        self._socket.sendto(datagram, self._socket.getsockname())

    def _receive(self) -> None:
        while (datagram := self._socket.recv(_MAX_DATAGRAM_BYTES)) != _STOP:
            with self._changed:
                document = _document_of(datagram)
                if document is None:
                    self._marks.add(datagram)
                else:
                    self._documents.append(document)
                self._changed.notify_all()


def function_segment(name: str, result: InvokeResult, began_s: float, ended_s: float) -> dict[str, Any]:
    """
    Return the segment Lambda itself writes about an invocation: what the function sends hangs below it.

    Args:
        began_s: Epoch seconds when the event arrived; INIT lies between that and the invocation.
    """
    header = TraceHeader.parse(result.trace_header)
    at_s, phases = began_s, []
    for phase, duration_ms in (("Initialization", result.init_ms), ("Restore", result.restore_ms)):
        if duration_ms is not None:
            phases.append({"id": secrets.token_hex(8), "name": phase, "start_time": at_s, "end_time": at_s + duration_ms / 1000.0})
            at_s += duration_ms / 1000.0
    return {
        "id": header.parent,
        "trace_id": header.root,
        "name": name,
        "origin": "AWS::Lambda::Function",
        "start_time": began_s,
        "end_time": ended_s,
        "aws": {"request_id": result.request_id},
        "subsegments": phases,
        **({} if result.ok else {"fault": True}),
    }


def _document_of(datagram: bytes) -> dict[str, Any] | None:
    """
    Return the document of a datagram, or None where there is none.
    """
    header, newline, body = datagram.partition(b"\n")
    if not newline:
        return None
    try:
        document = json.loads(body) if json.loads(header) == _FORMAT else None
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None
