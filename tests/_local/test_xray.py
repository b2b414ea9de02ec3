"""
The daemon's stand-in has every document that was sent before it is asked.
"""

from __future__ import annotations

import json
import socket
import threading
from typing import TYPE_CHECKING, Any

import pytest

from lambda_kit._local._results import InvokeResult
from lambda_kit._local._xray import XRayDaemon, function_segment

if TYPE_CHECKING:
    from collections.abc import Iterator

FORMAT = b'{"format": "json", "version": 1}\n'


@pytest.fixture
def daemon() -> Iterator[XRayDaemon]:
    with XRayDaemon() as running:
        yield running


def send(daemon: XRayDaemon, *datagrams: bytes) -> None:
    """
    Send as a function would.
    """
    host, _, port = daemon.address.rpartition(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for datagram in datagrams:
            sender.sendto(datagram, (host, int(port)))


def test_documents_are_there_when_asked_for(daemon: XRayDaemon) -> None:
    """
    Nothing has to wait: what was sent before the question is in the answer.
    """
    send(daemon, *[FORMAT + json.dumps({"id": str(number), "trace_id": "1-a"}).encode() for number in range(50)])

    assert 50 == len(daemon.documents())


def test_documents_of_one_trace(daemon: XRayDaemon) -> None:
    """
    The platform's own documents are among them; others are not.
    """
    send(daemon, FORMAT + b'{"id": "1", "trace_id": "1-a"}', FORMAT + b'{"id": "2", "trace_id": "1-b"}')
    daemon.record({"id": "3", "trace_id": "1-a"})

    assert {"1", "3"} == {document["id"] for document in daemon.documents("1-a")}


@pytest.mark.parametrize(
    "datagram",
    [b"no newline", FORMAT + b"no json", FORMAT + b"[]", b"no json\n{}", b'{"format": "xml"}\n{}', b"\xff\n{}", FORMAT + b"[" * 60_000],
    ids=["no newline", "no json", "no object", "no header", "other format", "no text", "too deep"],
)
def test_what_is_no_document_is_dropped(daemon: XRayDaemon, datagram: bytes) -> None:
    """
    The daemon lives on.
    """
    send(daemon, datagram, FORMAT + b'{"id": "1"}')

    assert [{"id": "1"}] == daemon.documents()


def test_clear_forgets(daemon: XRayDaemon) -> None:
    """
    A new test begins with nothing.
    """
    send(daemon, FORMAT + b'{"id": "1"}')

    daemon.clear()

    assert [] == daemon.documents()


def test_a_lost_mark_is_sent_again(daemon: XRayDaemon, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The kernel may drop a datagram, the daemon's own too.
    """
    sent: list[bytes] = []
    really_send = daemon._send

    def lossy(datagram: bytes) -> None:
        sent.append(datagram)
        if len(sent) > 1:
            really_send(datagram)

    daemon._send = lossy  # type: ignore[method-assign]  # stands for the kernel

    assert [] == daemon.documents()
    assert 2 == len(sent)


def test_a_daemon_that_has_ended_answers_with_what_it_has(daemon: XRayDaemon) -> None:
    """
    Nobody waits for a mark that nobody reads.
    """
    send(daemon, FORMAT + b'{"id": "1"}', b"stop")
    daemon._thread.join()

    assert [{"id": "1"}] == daemon.documents()


def test_closing_ends_the_thread() -> None:
    """
    Neither thread nor port is left.
    """
    daemon = XRayDaemon()

    daemon.close()

    assert "xray-daemon" not in [thread.name for thread in threading.enumerate()]


@pytest.mark.parametrize(
    ("facts", "phases"),
    [({"init_ms": 500.0}, ["Initialization"]), ({"init_ms": 500.0, "restore_ms": 100.0}, ["Initialization", "Restore"]), ({}, [])],
)
def test_the_functions_segment_holds_what_the_caller_waited_for(facts: dict[str, Any], phases: list[str]) -> None:
    """
    INIT and restore follow each other from the beginning; the segment's id is the parent of what the function sends.
    """
    result = InvokeResult(
        request_id="r", status="error", body=b"", cold=True, duration_ms=1.0, billed_ms=1, memory_mb=128, max_memory_mb=1,
        trace_header="Root=1-a;Parent=p;Sampled=1", **facts,
    )  # fmt: skip

    segment = function_segment("f", result, 10.0, 11.0)

    assert ("p", "1-a", True) == (segment["id"], segment["trace_id"], segment["fault"])
    assert phases == [phase["name"] for phase in segment["subsegments"]]
    assert [10.0, 10.5][: len(phases)] == [phase["start_time"] for phase in segment["subsegments"]]
