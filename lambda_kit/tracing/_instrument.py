"""
Turning tracing on: which backend, and what of the kit reports to it.
"""

from __future__ import annotations

import importlib

from lambda_kit import _observe, _runtime
from lambda_kit.errors import ConfigurationError
from lambda_kit.tracing import _aws_calls, _spans

# A backend is a module with a function ``begin(name, namespace, parent)``; "off" is none.
BACKENDS: dict[str, str | None] = {"off": None, "xray": "lambda_kit.tracing._xray"}


# Whether clients report already. Two threads that find it unset do no harm: a client takes each listener once.
_listening = False


def instrument(backend: str = "auto") -> None:
    """
    Turn tracing on: spans, the kit's own connections, and every boto3 client built through the kit, past and future.

    Call it where modules are imported. Calling again changes the backend. Nothing is imported or sent before the first
    invocation that X-Ray samples.

    Args:
        backend: ``"xray"`` sends to the X-Ray daemon that Lambda runs when active tracing is on
            (``AWS_XRAY_DAEMON_ADDRESS``); ``"off"`` turns tracing off; ``"auto"`` is what the environment variable
            ``LAMBDA_KIT_TRACING`` says, else ``"xray"`` on Lambda and ``"off"`` elsewhere.

    Raises:
        ConfigurationError: There is no such backend.
    """
    global _listening  # see above
    home = _home(backend)
    begin: _spans.Begin | None = None if home is None else importlib.import_module(home).begin
    _spans.use(begin)
    _observe.set_tracer(None if begin is None else _spans.Marker, open_span=_spans.open_name)
    if begin is not None and not _listening:
        _listening = True
        _observe.on_client_built(_aws_calls.listen)


def _home(backend: str) -> str | None:
    """
    Return the module of *backend*.
    """
    name = backend
    if name == "auto":
        name = _runtime.setting("LAMBDA_KIT_TRACING") or ("xray" if _runtime.on_lambda() else "off")
    if name not in BACKENDS:
        known = ", ".join(repr(known) for known in ("auto", *BACKENDS))
        source = "LAMBDA_KIT_TRACING" if backend == "auto" else "instrument()"
        raise ConfigurationError(f"{source} names the tracing backend {name!r}, which is none of {known}")
    return BACKENDS[name]


def _reset() -> None:
    global _listening  # see above
    _listening = False


_runtime.register(reset=_reset)
