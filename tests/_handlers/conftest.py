"""
What tests of handlers share: makers of events and a context. The plugin's fixtures are tested in tests/testing.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lambda_kit import _runtime
from lambda_kit.testing import FakeContext, LambdaEvents


@pytest.fixture
def events() -> LambdaEvents:
    return LambdaEvents()


@pytest.fixture
def context() -> FakeContext:
    # Long enough for whatever a loaded machine takes: who tests a deadline makes a context of its own.
    return FakeContext(timeout_s=60.0)


@pytest.fixture(autouse=True)
def _cold() -> Iterator[None]:
    """
    A fresh environment, whose event loop is closed afterwards.
    """
    _runtime.reset()
    yield
    _runtime.reset()
