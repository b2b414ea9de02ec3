"""
Exceptions as X-Ray's ``cause`` shows them: type, message and stack, with the chain that led there.
"""

from __future__ import annotations

import os
from json.encoder import encode_basestring_ascii as _quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any

_MOST_EXCEPTIONS = 8
_MOST_FRAMES = 30
_MOST_TEXT = 10_000
_SHORT_TEXT = 1000
_HERE = os.path.dirname(__file__) + os.sep


def exceptions(error: BaseException) -> list[dict[str, Any]]:
    """
    Return *error* and what caused it, each with the id of its own cause, up to eight of them.
    """
    found: list[dict[str, Any]] = []
    seen: set[int] = set()
    following: BaseException | None = error
    while following is not None and id(following) not in seen and len(found) < _MOST_EXCEPTIONS:
        seen.add(id(following))
        one = _exception(following)
        if found:
            found[-1]["cause"] = one["id"]
        found.append(one)
        following = _cause(following)
    return found


def answer(code: str, message: str) -> list[dict[str, Any]]:
    """
    Return the error that a service answered with.
    """
    return [{"id": _identifier(), "type": code, "message": message[:_MOST_TEXT], "remote": True}]


def shortened(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """
    Return the same exceptions with the beginnings of their names and messages, without stacks: each has 2.2 kB at most.
    """
    return [
        {
            **one,
            "type": _beginning(one["type"]),
            "message": _beginning(one["message"]),
            "stack": [],
            "truncated": one.get("truncated", 0) + len(one.get("stack", ())),
        }
        for one in found
    ]


def _beginning(text: str) -> str:
    """
    Return as much of *text* as has a thousand bytes in JSON, where a character may take twelve.
    """
    while (size := len(_quoted(text)) - 2) > _SHORT_TEXT:
        text = text[: len(text) * _SHORT_TEXT // size]
    return text


def _cause(error: BaseException) -> BaseException | None:
    """
    Return what a traceback would print above *error*.
    """
    return error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _exception(error: BaseException) -> dict[str, Any]:
    stack, truncated = _stack(error.__traceback__)
    return {"id": _identifier(), "type": type(error).__name__, "message": _message(error), "stack": stack, "truncated": truncated}


def _stack(traceback: TracebackType | None) -> tuple[list[dict[str, Any]], int]:
    """
    Return the innermost frames, innermost first, and how many were left out; tracing's own are none of the user's.
    """
    frames = []
    while traceback is not None:
        code = traceback.tb_frame.f_code
        if not code.co_filename.startswith(_HERE):
            frames.append((code, traceback.tb_lineno))
        traceback = traceback.tb_next
    frames.reverse()
    shown = [{"path": code.co_filename, "line": line, "label": code.co_qualname} for code, line in frames[:_MOST_FRAMES]]
    return shown, len(frames) - len(shown)


def _message(error: BaseException) -> str:
    try:
        return str(error)[:_MOST_TEXT]
    except Exception as exc:  # noqa: BLE001  # an exception class of the user's may not be able to say what it is
        return f"no message: str() raised {type(exc).__name__}"


def _identifier() -> str:
    return os.urandom(8).hex()
