"""
Documents are what X-Ray expects, fit its limits, and belong to the invocation under way.
"""

from __future__ import annotations

import re
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import pytest

from lambda_kit import tracing
from lambda_kit.tracing._spans import begin_leaf
from tests import fresh_process
from tests.tracing.conftest import ROOT, SEGMENT

if TYPE_CHECKING:
    from tests.tracing.conftest import Daemon, Invoke


class Colour(StrEnum):
    """
    A str that is more than one.
    """

    RED = "red"


class Unspeakable:
    """
    An object that cannot say what it is.
    """

    def __str__(self) -> str:
        raise RuntimeError


def test_smallest_document(traced: Daemon) -> None:
    """
    A span without facts has what X-Ray requires and nothing more.
    """
    with tracing.span("charge"):
        pass

    sent = traced.document()
    assert re.fullmatch("[0-9a-f]{16}", sent.pop("id"))
    started, ended = sent.pop("start_time"), sent.pop("end_time")
    assert 1.6e9 < started <= ended
    assert {"type": "subsegment", "name": "charge", "parent_id": SEGMENT, "trace_id": ROOT} == sent


def test_facts_are_in_the_document(traced: Daemon) -> None:
    """
    Annotations, metadata and the namespace are where X-Ray looks for them; later values replace earlier ones.
    """
    with tracing.span("pay.example", namespace="remote") as span:
        span.annotate(amount=1, gift=True)
        span.annotate(amount=2.5)
        span.add_metadata(order={"id": 7}, note="é")
        span.add_metadata(note="new")

    sent = traced.document()
    assert "remote" == sent["namespace"]
    assert {"amount": 2.5, "gift": True} == sent["annotations"]
    assert {"default": {"order": {"id": 7}, "note": "new"}} == sent["metadata"]


def test_unknown_namespace_is_left_out(traced: Daemon) -> None:
    """
    X-Ray knows two namespaces; a document with another is not sent.
    """
    with tracing.span("charge", namespace="shop"):
        pass

    assert "namespace" not in traced.document()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, True),
        (7, 7),
        (1.5, 1.5),
        (float("inf"), "inf"),
        (Decimal("1.10"), "1.10"),
        (Colour.RED, "red"),
        (None, "None"),
        ('a "quoted"\nü', 'a "quoted"\nü'),
        ("x" * 2000, "x" * 1000),
    ],
    ids=["bool", "int", "float", "infinity", "decimal", "enum", "none", "quotes", "long"],
)
def test_annotation_values(traced: Daemon, value: Any, expected: object) -> None:
    """
    Numbers, booleans and text stay what they are; everything else becomes text.
    """
    with tracing.span("charge") as span:
        span.annotate(value=value)

    assert {"value": expected} == traced.document()["annotations"]


def test_annotation_keys_are_cleaned(traced: Daemon) -> None:
    """
    X-Ray allows ASCII letters, digits and underscores in keys.
    """
    with tracing.span("charge") as span:
        span.annotate(**{"order.id": 1, "größe": 2})

    assert {"order_id": 1, "gr__e": 2} == traced.document()["annotations"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [("GET /orders?id=<1>", "GET /ordersid=1"), ("x" * 300, "x" * 200), ("<>", "unnamed"), ("größe", "größe")],
    ids=["characters", "long", "nothing left", "letters"],
)
def test_names_are_cleaned(traced: Daemon, name: str, expected: str) -> None:
    """
    A name loses what X-Ray refuses.
    """
    with tracing.span(name):
        pass

    assert expected == traced.document()["name"]


def test_metadata_that_is_no_json(traced: Daemon) -> None:
    """
    What JSON does not know is text, and what has no text costs only itself.
    """
    circle: list[object] = []
    circle.append(circle)
    with tracing.span("charge") as span:
        span.add_metadata(price=Decimal("1.10"), circle=circle, number=float("nan"), thing=Unspeakable(), fine=1)

    assert {
        "price": "1.10",
        "circle": "not serialisable: ValueError",
        "number": "not serialisable: ValueError",
        "thing": "not serialisable: RuntimeError",
        "fine": 1,
    } == traced.document()["metadata"]["default"]


def test_span_that_cannot_be_written_is_lost(traced: Daemon) -> None:
    """
    A value that breaks a document loses the span, not the function.
    """
    broken: Any = object()
    span = begin_leaf("s3", "aws")
    assert span is not None
    span.describe_answer(200, broken, 0, None)

    span.end()

    assert [] == traced.documents()


def test_annotation_without_words_costs_only_itself(traced: Daemon) -> None:
    """
    An object that cannot say what it is, or a number too long for text, is told as such.
    """
    broken: Any = Unspeakable()
    with tracing.span("charge") as span:
        span.annotate(value=broken, number=10**5000, fine=1)

    expected = {"value": "not serialisable: RuntimeError", "number": "not serialisable: ValueError", "fine": 1}
    assert expected == traced.document()["annotations"]


def test_error_is_recorded_and_goes_on(traced: Daemon) -> None:
    """
    An exception that leaves a span is its cause.
    """
    with pytest.raises(ValueError, match="no such order"), tracing.span("charge"):
        raise ValueError("no such order")

    sent = traced.document()
    (cause,) = sent["cause"]["exceptions"]
    assert sent["fault"] is True
    assert ("ValueError", "no such order") == (cause["type"], cause["message"])


def test_handled_error_is_recorded(traced: Daemon) -> None:
    """
    An exception that is handled inside a span is recorded on request.
    """
    with tracing.span("charge") as span:
        span.record_exception(ValueError("declined"))

    assert "declined" == traced.document()["cause"]["exceptions"][0]["message"]


def test_too_much_metadata_is_dropped(traced: Daemon) -> None:
    """
    A document over 64 kB loses its metadata first, and says so.
    """
    with tracing.span("charge") as span:
        span.annotate(kept=1)
        span.add_metadata(blob="x" * 70_000)

    sent = traced.document()
    assert {"default": "dropped: the document would exceed 64 kB"} == sent["metadata"]
    assert {"kept": 1} == sent["annotations"]


def test_too_long_causes_are_shortened(traced: Daemon) -> None:
    """
    A document that is still too large loses its stacks and the ends of its messages.
    """
    chained: BaseException = ValueError("x" * 10_000)
    for _ in range(7):
        outer = ValueError("x" * 10_000)
        outer.__cause__ = chained
        chained = outer
    with tracing.span("charge") as span:
        span.annotate(kept=1)
        span.record_exception(chained)

    sent = traced.document()
    assert {"kept": 1} == sent["annotations"]
    assert ["x" * 1000] * 8 == [cause["message"] for cause in sent["cause"]["exceptions"]]


def test_causes_are_shortened_by_what_they_take(traced: Daemon) -> None:
    """
    A character outside of ASCII takes up to twelve bytes in the document, one in a name too.
    """
    emoji = chr(0x1F600)
    chained: BaseException = type("é" * 1000, (Exception,), {})(emoji * 10_000)
    for _ in range(7):
        outer = ValueError(emoji * 10_000)
        outer.__cause__ = chained
        chained = outer
    with tracing.span("charge") as span:
        span.annotate(kept=1)
        span.record_exception(chained)

    sent = traced.document()
    assert {"kept": 1} == sent["annotations"]
    assert [emoji * 83] * 8 == [cause["message"] for cause in sent["cause"]["exceptions"]]
    assert "é" * 166 == sent["cause"]["exceptions"][-1]["type"]


def test_too_many_annotations_are_dropped(traced: Daemon) -> None:
    """
    At last the annotations go: a span's place in the tree is always kept.
    """
    with tracing.span("charge") as span:
        span.annotate(**{f"key{number}": "x" * 1000 for number in range(100)})

    sent = traced.document()
    assert ("charge", SEGMENT) == (sent["name"], sent["parent_id"])
    assert "annotations" not in sent


@pytest.mark.parametrize(
    "header",
    [
        "",
        f"Root={ROOT};Parent={SEGMENT};Sampled=0",
        f"Root={ROOT};Parent={SEGMENT};Sampled=?",
        f"Root={ROOT};Parent={SEGMENT}",
        f"Root={ROOT};Sampled=1",
        f"Parent={SEGMENT};Sampled=1",
        f'Root={ROOT}";Parent={SEGMENT};Sampled=1',
        "nonsense",
    ],
    ids=["empty", "not sampled", "undecided", "no decision", "no parent", "no root", "malformed root", "nonsense"],
)
def test_only_sampled_invocations_are_traced(daemon: Daemon, monkeypatch: pytest.MonkeyPatch, header: str) -> None:
    """
    Without a header that says sampled, root and parent, a span does nothing.
    """
    tracing.instrument("xray")
    monkeypatch.setenv("_X_AMZN_TRACE_ID", header)

    with tracing.span("charge") as span:
        span.annotate(amount=1)

    assert [] == daemon.documents()


def test_each_invocation_has_its_own_parent(traced: Daemon, invoke: Invoke) -> None:
    """
    A retry has the same root and another parent: spans follow it.
    """

    @tracing.span
    def work() -> None: ...

    work()
    invoke("1111111111111111")
    work()
    invoke("2222222222222222", sampled="0")
    work()
    invoke("3333333333333333", root="1-5759e988-000000000000000000000000")
    work()

    expected = [(ROOT, SEGMENT), (ROOT, "1111111111111111"), ("1-5759e988-000000000000000000000000", "3333333333333333")]
    assert expected == [(sent["trace_id"], sent["parent_id"]) for sent in traced.documents()]


def test_nothing_is_imported_before_a_sampled_invocation() -> None:
    """
    Tracing that has nothing to send brings in no module that the runtime client has not loaded before.
    """
    brought = fresh_process.result(
        f"""
        import __future__, contextvars, importlib, json, logging, os, sys
        before = set(sys.modules)
        from lambda_kit import tracing
        tracing.instrument("xray")
        os.environ["_X_AMZN_TRACE_ID"] = "Root={ROOT};Parent={SEGMENT};Sampled=0"
        with tracing.span("charge") as span:
            span.annotate(amount=1)
        brought = [name for name in sys.modules if name not in before and not name.startswith("lambda_kit")]
        os.environ["_X_AMZN_TRACE_ID"] = "Root={ROOT};Parent={SEGMENT};Sampled=1"
        with tracing.span("charge") as span:
            span.annotate(amount=1)
        print(json.dumps([brought, "socket" in sys.modules]))
        """,
        environ={"AWS_XRAY_DAEMON_ADDRESS": "127.0.0.1:2000"},
    )

    assert [[], True] == brought
