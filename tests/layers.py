"""
Fixtures for a ``conftest.py`` to import: the wheels fetched beforehand, and a layer built from them.
"""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest

from lambda_kit._tools._layer import Layer, build_layer
from lambda_kit._tools._layer_archive import running_python
from lambda_kit._tools._layer_packages import Wheels

_PLAN = Path(__file__).parents[1] / "layer" / "layer.toml"


@pytest.fixture(scope="session")
def wheels() -> Wheels:
    """
    The folder that ``make test`` has filled, as the only source of wheels: tests use no network.
    """
    folder = Path(os.environ.get("LAMBDA_KIT_WHEELS", ""))
    assert any(folder.glob("*.whl")), "LAMBDA_KIT_WHEELS names no folder with wheels: run the tests by 'make test', which fetches them"
    return Wheels(find_links=(folder,), no_index=True)


@pytest.fixture(scope="session")
def built_layer(wheels: Wheels, tmp_path_factory: pytest.TempPathFactory) -> Layer:
    """
    The kit's own layer, for the Python and processor that run the tests.
    """
    out = tmp_path_factory.mktemp("layer") / "layer.zip"
    return build_layer(_PLAN, python=running_python(), arch=this_arch(), out=out, wheels=wheels)


@pytest.fixture(scope="session")
def layer_folder(built_layer: Layer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """
    The folder that Lambda would put on the path for the layer, read-only as it is there.
    """
    mount = tmp_path_factory.mktemp("opt")
    with zipfile.ZipFile(built_layer.path) as archive:
        archive.extractall(mount)
    for path in [*mount.rglob("*"), mount]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    return mount / "python"


def this_arch() -> str:
    """
    Return Lambda's name of this machine's processor.
    """
    return "arm64" if os.uname().machine == "aarch64" else "x86_64"
