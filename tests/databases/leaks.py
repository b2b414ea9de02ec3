"""
Everything that somebody who logs an exception could see of it.
"""

from __future__ import annotations

from collections.abc import Iterator


def shown(error: BaseException) -> str:
    """
    Return what error reporters show of *error* and all it leads to: texts, attributes, causes, and the variables of frames.
    """
    return "\n".join(_walk(error, set()))


def _walk(error: BaseException, seen: set[int]) -> Iterator[str]:
    if id(error) in seen:
        return
    seen.add(id(error))
    yield repr(error)
    yield str(error)
    yield repr(error.args)
    for name in dir(error):
        if not name.startswith("__"):
            yield f"{name}={getattr(error, name, None)!r}"
    trace = error.__traceback__
    while trace is not None:
        if "/tests/" not in trace.tb_frame.f_code.co_filename:
            yield from (f"{trace.tb_frame.f_code.co_name}: {name}={value!r}" for name, value in trace.tb_frame.f_locals.items())
        trace = trace.tb_next
    for other in (error.__cause__, error.__context__):
        if other is not None:
            yield from _walk(other, seen)
