"""
A trace as text: the tree of its segments, each with a bar where and as long as it ran.

    trace 1-6b01f3e7-f021117dc7bee8ef4096d77c, 81.2 ms
    orders                      |████████████████████████████████████████|    0.0  +81.2 ms
    ├─ Initialization           |████████████████████████████            |    0.0  +58.0 ms
    └─ charge                   |                            ████████████|   58.1  +23.0 ms  fault  sku=teapot
       └─ ssm GetParameter      |                            ███         |   58.3   +4.9 ms
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_FLAGS = ("error", "fault", "throttle", "in_progress")


@dataclass(slots=True)
class _Node:
    """
    One segment or subsegment and what hangs below it.
    """

    document: Mapping[str, Any]
    parent_id: str
    children: list[_Node] = field(default_factory=list)

    @property
    def start_s(self) -> float:
        return float(self.document.get("start_time") or 0.0)

    @property
    def end_s(self) -> float:
        # What is still in progress has no end.
        return float(self.document.get("end_time") or self.start_s)


def waterfall(documents: Iterable[Mapping[str, Any]], *, width: int = 100) -> str:
    """
    Draw segment documents, as :meth:`XRayDaemon.documents` returns them; traces follow each other.

    Args:
        width: Columns for names and bars; figures come after them.
    """
    traces: dict[str, list[Mapping[str, Any]]] = {}
    for document in documents:
        traces.setdefault(str(document.get("trace_id", "")), []).append(document)
    return "\n".join(line for trace_id, members in traces.items() for line in _trace(trace_id, members, width))


def _trace(trace_id: str, documents: list[Mapping[str, Any]], width: int) -> Iterator[str]:
    """
    Draw one trace.
    """
    rows = [row for root in _roots(documents) for row in _rows(root)]
    nodes = [node for _, node in rows]
    begin_s = min((node.start_s for node in nodes), default=0.0)
    end_s = max((node.end_s for node in nodes), default=0.0)
    yield f"trace {trace_id}, {(end_s - begin_s) * 1000.0:.1f} ms"
    name_width = min(max(len(label) for label, _ in rows), width // 2)
    bar_width = max(width - name_width - 3, 10)
    for label, node in rows:
        bar = _bar(node, begin_s, (end_s - begin_s) or 1e-6, bar_width)
        figures = f"{(node.start_s - begin_s) * 1000.0:8.1f} {'+' + format((node.end_s - node.start_s) * 1000.0, '.1f'):>9} ms"
        yield "  ".join([f"{label[:name_width]:<{name_width}} |{bar}|{figures}", *_notes(node.document)])


def _roots(documents: Iterable[Mapping[str, Any]]) -> list[_Node]:
    """
    Build the trees. A subsegment whose parent is not there stands at the top.
    """
    nodes: dict[str, _Node] = {}
    waiting = [(document, str(document.get("parent_id", ""))) for document in documents]
    while waiting:
        document, parent_id = waiting.pop(0)
        identifier = str(document.get("id") or f"unnamed {len(nodes)}")
        # A document may come again when it is complete: the later one counts.
        nodes[identifier] = _Node(document, parent_id)
        waiting += [(inner, identifier) for inner in document.get("subsegments", ())]
    roots: list[_Node] = []
    for node in sorted(nodes.values(), key=lambda one: one.start_s):
        parent = nodes.get(node.parent_id)
        (roots if parent is None or parent is node else parent.children).append(node)
    return roots


def _rows(node: _Node, branch: str = "", indent: str = "") -> Iterator[tuple[str, _Node]]:
    """
    Give a node and everything below it with labels, depth first.
    """
    yield branch + _name(node.document), node
    for child in node.children:
        last = child is node.children[-1]
        yield from _rows(child, indent + ("└─ " if last else "├─ "), indent + ("   " if last else "│  "))


def _name(document: Mapping[str, Any]) -> str:
    """
    Return a segment's name, with the operation when it is a call to AWS.
    """
    operation = (document.get("aws") or {}).get("operation")
    name = str(document.get("name", "?"))
    return f"{name} {operation}" if operation else name


def _bar(node: _Node, begin_s: float, whole_s: float, width: int) -> str:
    """
    Draw where in the whole the node ran; one that is too short to see gets a thin mark.
    """
    left = min(int((node.start_s - begin_s) / whole_s * width), width - 1)
    length = round((node.end_s - node.start_s) / whole_s * width)
    filled = "█" * min(length, width - left) or "▏"
    return " " * left + filled + " " * (width - left - len(filled))


def _notes(document: Mapping[str, Any]) -> list[str]:
    """
    Return what is worth a word: flags, the HTTP status, annotations.
    """
    notes = [flag.replace("_", " ") for flag in _FLAGS if document.get(flag)]
    status = ((document.get("http") or {}).get("response") or {}).get("status")
    if status is not None:
        notes.append(f"HTTP {status}")
    return notes + [f"{key}={value}" for key, value in (document.get("annotations") or {}).items()]
