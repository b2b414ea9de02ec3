"""
Optional packages: missing, too old, broken and well, each told apart.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lambda_kit._require import optional, require
from lambda_kit.errors import ConfigurationError, MissingDependencyError

_SOURCES = {
    "plain_package": "",
    "needs_more_package": "import package_nobody_has\n",
    "half_package": "import half_package.missing_half\n",
    "crashing_package": "raise RuntimeError('crashed')\n",
    "native_package": "raise ImportError('libnative.so.5: cannot open shared object file')\n",
    "vague_package": "raise ModuleNotFoundError('no module, and no name')\n",
}


@pytest.fixture(autouse=True)
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """
    Packages in every state of repair.
    """
    for name, source in _SOURCES.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(source)
    (tmp_path / "plain_package" / "inner.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] in _SOURCES]:
        del sys.modules[name]


@pytest.mark.parametrize("name", ["plain_package", "plain_package.inner"])
def test_installed_module_is_returned(name: str) -> None:
    """
    Both doors return the module asked for, not its top package.
    """
    assert name == require(name, extra="aws").__name__
    assert require(name, extra="aws") is optional(name)


@pytest.mark.parametrize("name", ["package_nobody_has", "package_nobody_has.inner"])
def test_missing_package_names_its_extra(name: str) -> None:
    """
    The error says what to install, and keeps Python's own error as its cause.
    """
    with pytest.raises(MissingDependencyError, match=r'pip install "aws-lambda-kit\[postgres\]"') as caught:
        require(name, extra="postgres")

    assert ("package_nobody_has", "postgres") == (caught.value.package, caught.value.extra)
    assert isinstance(caught.value.__cause__, ModuleNotFoundError)
    assert isinstance(caught.value, ConfigurationError | ImportError)
    assert optional(name) is None


def test_package_without_the_module_is_too_old() -> None:
    """
    A package that is there but lacks the module is not called missing.
    """
    with pytest.raises(MissingDependencyError, match="which the installed 'plain_package' does not have: pip install --upgrade"):
        require("plain_package.newer", extra="aws")

    assert optional("plain_package.newer") is None


def test_package_blocked_by_a_test_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    ``sys.modules[name] = None``, the usual way to hide a package, hides it.
    """
    monkeypatch.setitem(sys.modules, "plain_package", None)

    with pytest.raises(MissingDependencyError):
        require("plain_package", extra="aws")
    assert optional("plain_package") is None


@pytest.mark.parametrize(
    ("name", "error", "text"),
    [
        ("needs_more_package", ModuleNotFoundError, "package_nobody_has"),
        ("half_package", ModuleNotFoundError, "missing_half"),
        ("crashing_package", RuntimeError, "crashed"),
        ("native_package", ImportError, "libnative"),
        ("vague_package", ModuleNotFoundError, "no name"),
    ],
    ids=["needs more", "half", "crashing", "native", "vague"],
)
def test_error_inside_an_installed_package_passes(name: str, error: type[Exception], text: str) -> None:
    """
    A broken installation is shown as it is by both doors: advice to install it would mislead.
    """
    with pytest.raises(error, match=text) as required:
        require(name, extra="aws")
    with pytest.raises(error, match=text):
        optional(name)

    assert not isinstance(required.value, MissingDependencyError)
