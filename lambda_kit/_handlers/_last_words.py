"""
The line in the log that says what an invocation was at when Lambda was about to end it: killed, it could not say it itself.
"""

from __future__ import annotations

import contextlib
import logging
import threading

from lambda_kit import _observe, _runtime

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import Any

    from lambda_kit._invocation import Invocation

# Seconds before the end: enough to write a line where a function has a fourteenth of a processor.
_BEFORE_S = 0.15

_logger = logging.getLogger("lambda_kit")


def are_wanted() -> bool:
    """
    Tell whether this environment kills what is late: Lambda does, Managed Instances and development machines do not.
    """
    return _runtime.on_lambda() and _runtime.environment().init_type != _runtime.MANAGED_INSTANCES


def with_last_words(answer: Callable[[dict[str, Any], Invocation], Any], event: dict[str, Any], invocation: Invocation) -> Any:
    """
    Return ``answer(event, invocation)``; log a line if it is still at it shortly before the deadline.

    An interval timer needs no thread, and finds the code that is slow. Where the handler does not run in the main thread, or
    somebody else uses SIGALRM, there is no line.
    """
    import signal

    began_s = _runtime.monotonic_s()
    in_main_thread = threading.current_thread() is threading.main_thread()
    if not in_main_thread or signal.getsignal(signal.SIGALRM) is not signal.SIG_DFL or signal.getitimer(signal.ITIMER_REAL)[0]:
        return answer(event, invocation)

    def say(_: int, frame: FrameType | None) -> None:
        # What goes wrong here would be raised in the middle of the logic; the log may be what the signal has interrupted.
        with contextlib.suppress(Exception):
            _logger.error(
                "about to be killed: request %s, %.3f s elapsed, %.3f s left, in span %s, at %s",
                invocation.request_id,
                _runtime.monotonic_s() - began_s,
                invocation.remaining_s(),
                _observe.open_span() or "(none)",
                _place(frame),
            )

    # Not 0, which would turn the timer off.
    signal.signal(signal.SIGALRM, say)
    signal.setitimer(signal.ITIMER_REAL, max(0.001, invocation.remaining_s() - _BEFORE_S))
    try:
        return answer(event, invocation)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)


def _place(frame: FrameType | None) -> str:
    """
    Return where the code is: ``charge (pay.py:12)``, and nothing of its values.
    """
    if frame is None:
        return "(unknown)"
    return f"{frame.f_code.co_qualname} ({frame.f_code.co_filename.rpartition('/')[2]}:{frame.f_lineno})"
