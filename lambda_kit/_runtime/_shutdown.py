"""
How a function gets SIGTERM: an internal extension that makes Lambda send it, and the handler that runs the hooks.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading

from lambda_kit.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType


def ask_for_sigterm(address: str | None, shut_down: Callable[[], None]) -> None:
    """
    Make Lambda send SIGTERM, and run *shut_down* when it does.

    Args:
        address: The Runtime API's; without one no extension is registered, and only the signal is handled.

    Raises:
        ConfigurationError: This is not the main thread, or Lambda refused the extension.
    """
    if threading.current_thread() is not threading.main_thread():
        raise ConfigurationError("on_shutdown works only in the main thread, which is the one that gets signals")
    if address is not None:
        _register_extension(address)
    _handle_sigterm(shut_down)


def _register_extension(address: str) -> None:
    """Register an internal extension for no events, and say from a thread of its own that it is ready."""
    from http.client import HTTPConnection, HTTPException

    headers = {"Lambda-Extension-Name": "lambda-kit-shutdown", "Content-Type": "application/json"}
    try:
        with contextlib.closing(HTTPConnection(address, timeout=2.0)) as connection:
            connection.request("POST", "/2020-01-01/extension/register", body='{"events": []}', headers=headers)
            response = connection.getresponse()
            response.read()
    except (OSError, HTTPException) as exc:
        raise ConfigurationError(f"on_shutdown: the Runtime API at {address} did not answer") from exc
    identifier = response.headers.get("Lambda-Extension-Identifier")
    if response.status != 200 or identifier is None:
        raise ConfigurationError(f"on_shutdown: Lambda refused the internal extension (HTTP {response.status})")
    threading.Thread(target=_wait_for_ever, args=(address, identifier), name="lambda-kit-shutdown", daemon=True).start()


def _wait_for_ever(address: str, identifier: str) -> None:
    """Ask for the extension's next event: Lambda ends INIT only after every extension has, and sends none to this one."""
    from http.client import HTTPConnection, HTTPException

    # When it fails, Lambda is gone, and this process goes next.
    with contextlib.suppress(OSError, HTTPException), contextlib.closing(HTTPConnection(address)) as waiting:
        waiting.request("GET", "/2020-01-01/extension/event/next", headers={"Lambda-Extension-Identifier": identifier})
        waiting.getresponse().read()


def _handle_sigterm(shut_down: Callable[[], None]) -> None:
    """On SIGTERM run the hooks, once and not in a forked child, then do what the signal would have done without them."""
    import signal

    earlier = signal.getsignal(signal.SIGTERM)
    environment_pid = os.getpid()
    begun = running = False

    def terminated(number: int, frame: FrameType | None) -> None:
        nonlocal begun, running
        if running and os.getpid() == environment_pid:
            return
        try:
            if not begun and os.getpid() == environment_pid:
                begun = running = True
                shut_down()
        finally:
            running = False
            if callable(earlier):
                earlier(number, frame)
            elif earlier != signal.SIG_IGN:
                _die_of(number)

    signal.signal(signal.SIGTERM, terminated)


def _die_of(number: int) -> None:
    """Write out what is buffered, as far as that works, and end the process as if the signal had never been handled."""
    import signal

    for write_out in (logging.shutdown, sys.stdout.flush):
        # The signal may have interrupted a write to the same stream, which lets nobody else in.
        with contextlib.suppress(BaseException):
            write_out()
    # Not sys.exit: the runtime client's polling thread would keep the interpreter alive until SIGKILL.
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
