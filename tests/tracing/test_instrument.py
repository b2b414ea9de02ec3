"""
Tracing is turned on where it should be, and only there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lambda_kit import _observe, tracing
from lambda_kit.errors import ConfigurationError

if TYPE_CHECKING:
    from tests.tracing.conftest import Daemon, Invoke


def sent_by(daemon: Daemon) -> int:
    """
    Return how many documents one span of the user's and one of the kit's lead to.
    """
    with tracing.span("mine"), _observe.span("the kit's"):
        pass
    return len(daemon.documents())


def test_nothing_is_traced_off_lambda(daemon: Daemon, invoke: Invoke) -> None:
    """
    Off Lambda ``instrument()`` leaves tracing off.
    """
    tracing.instrument()
    invoke()

    assert 0 == sent_by(daemon)


def test_lambda_is_traced(daemon: Daemon, invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Under a runtime client ``instrument()`` chooses X-Ray.
    """
    monkeypatch.setenv("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9001")
    tracing.instrument()
    invoke()

    assert 2 == sent_by(daemon)


@pytest.mark.parametrize(("chosen", "expected"), [("off", 0), ("xray", 2), ("", 2)], ids=["off", "xray", "empty"])
def test_setting_decides(daemon: Daemon, invoke: Invoke, monkeypatch: pytest.MonkeyPatch, chosen: str, expected: int) -> None:
    """
    ``LAMBDA_KIT_TRACING`` overrules what the environment suggests.
    """
    monkeypatch.setenv("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9001")
    monkeypatch.setenv("LAMBDA_KIT_TRACING", chosen)
    tracing.instrument()
    invoke()

    assert expected == sent_by(daemon)


def test_backend_can_change(traced: Daemon) -> None:
    """
    The last call counts.
    """
    tracing.instrument("off")
    assert 0 == sent_by(traced)
    tracing.instrument("xray")
    assert 2 == sent_by(traced)


def test_unknown_backend_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A backend that does not exist is an error that names the choices and where the name came from.
    """
    with pytest.raises(ConfigurationError, match=r"^instrument\(\) names the tracing backend 'zipkin', .* 'auto', 'off', 'xray'$"):
        tracing.instrument("zipkin")
    monkeypatch.setenv("LAMBDA_KIT_TRACING", "zipkin")
    with pytest.raises(ConfigurationError, match=r"^LAMBDA_KIT_TRACING names"):
        tracing.instrument()
