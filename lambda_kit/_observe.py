"""
Where tracing plugs in: the span slot, and listeners for clients that were built. Both do nothing by default.

The kit's own modules mark their network work with :func:`span`; whoever traces sets a tracer. Neither knows the other.
"""

from __future__ import annotations

import logging
import threading
from contextlib import nullcontext
from weakref import ref

from lambda_kit import _runtime

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from typing import Protocol

    class Tracer(Protocol):
        """
        Open one span per call: *name* is what happens, *namespace* ``"aws"``, ``"remote"`` or empty, *facts* annotations.
        """

        def __call__(self, name: str, namespace: str, facts: dict[str, str | int | float | bool]) -> AbstractContextManager[object]: ...


_logger = logging.getLogger("lambda_kit")
_lock = threading.Lock()
_nothing: AbstractContextManager[object] = nullcontext()
_tracer: Tracer | None = None
_open_span: Callable[[], str] | None = None
_client_listeners: list[Callable[[object], object]] = []
_clients: list[ref[object]] = []


def span(name: str, /, namespace: str = "", **facts: str | float | bool) -> AbstractContextManager[object]:
    """
    Mark a stretch of work of the kit's own. Costs one look-up while nobody traces.
    """
    tracer = _tracer
    return _nothing if tracer is None else tracer(name, namespace, facts)


def is_traced() -> bool:
    """
    Tell whether anybody traces: for code that is run too often to open spans for nobody.
    """
    return _tracer is not None


def set_tracer(tracer: Tracer | None, *, open_span: Callable[[], str] | None = None) -> None:
    """
    Send the kit's spans to *tracer* from now on; ``None`` turns them off. *open_span* names the innermost one under way.
    """
    global _tracer, _open_span  # the slot is this module's purpose
    _tracer = tracer
    _open_span = open_span


def open_span() -> str:
    """
    Return the name of the span under way here, or an empty string while there is none or nobody traces.
    """
    ask = _open_span
    return "" if ask is None else ask()


def on_client_built(listener: Callable[[object], object]) -> None:
    """
    Call *listener* with every boto3 client or resource that was built through the kit, the ones built already first.
    """
    with _lock:
        _client_listeners.append(listener)
        built = [client for known in _clients if (client := known()) is not None]
    for client in built:
        _tell(listener, client)


def client_built(client: object) -> None:
    """
    Tell the listeners of a new client or resource. It is remembered only for as long as somebody else holds it.
    """
    with _lock:
        _clients[:] = [*(known for known in _clients if known() is not None), ref(client)]
        listeners = list(_client_listeners)
    for listener in listeners:
        _tell(listener, client)


def _tell(listener: Callable[[object], object], client: object) -> None:
    try:
        listener(client)
    except Exception:  # a client that nobody watches is better than none
        _logger.exception("a listener for new clients failed")


def _fork() -> None:
    global _lock  # the parent's lock may have been held at the fork
    _lock = threading.Lock()
    _clients.clear()


def _reset() -> None:
    set_tracer(None)
    with _lock:
        _clients.clear()
        _client_listeners.clear()


_runtime.register(fork=_fork, reset=_reset)
