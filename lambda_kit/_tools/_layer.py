"""
A layer, built the same everywhere: pinned wheels, the kit, bytecode, a zip with a fixed order and fixed dates.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from lambda_kit._tools import _layer_archive as archive
from lambda_kit._tools._layer_kit import install_kit
from lambda_kit._tools._layer_packages import Wheels, check_pinned, check_tree, install, pins, run_uv
from lambda_kit._tools._layer_plan import Target, read_plan
from lambda_kit.errors import LayerError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Layer:
    """
    A built layer.

    Attributes:
        path: The zip.
        content_sha256: Hash of the names and contents of its files: equal for equal layers, whatever compressed them.
        packages: Versions by normalised name.
        left_to_runtime: Packages that were pinned and not packed.
        left_out: How many files the plan's patterns dropped.
        bytecode: How many modules are compiled; 0 when there was no interpreter of the target's version.
    """

    path: Path
    target: Target
    content_sha256: str
    zip_bytes: int
    unzipped_bytes: int
    packages: dict[str, str]
    left_to_runtime: tuple[str, ...]
    left_out: int
    bytecode: int


def build_layer(
    config: Path,
    *,
    python: str | None = None,
    arch: str | None = None,
    out: Path | None = None,
    check: bool = False,
    wheels: Wheels | None = None,
    find_interpreter: Callable[[Target], str | None] | None = None,
) -> Layer:
    """
    Build the layer that the plan at *config* describes.

    Args:
        python: Minor version as in ``3.13``; the plan's first by default. *arch* likewise.
        out: The zip to write; by default ``dist/<name>-python<version>-<arch>.zip``.
        check: Write nothing, and compare with the zip that is there.
        wheels: Where wheels come from; by default as uv is configured.
        find_interpreter: Gives the Python that compiles for a target, or ``None`` for a layer without bytecode.

    Raises:
        LayerError: The plan is wrong, a package has no wheel for the target, the layer is too large, or, with *check*, it differs.
    """
    plan = read_plan(config)
    target = plan.target(python, arch)
    path = out or Path("dist") / f"{plan.name}-python{target.python}-{target.arch}.zip"
    with tempfile.TemporaryDirectory(prefix="lambda-kit-layer-") as folder:
        tree = Path(folder) / "tree"
        left_to_runtime = install(plan, target, tree, wheels or Wheels())
        check_pinned(plan, install_kit(tree), pins(plan.requirements))
        packages = check_tree(tree, target)
        left_out = archive.leave_out(tree, plan.leave_out)
        interpreter = (find_interpreter or interpreter_for)(target)
        bytecode = archive.compile_bytecode(tree, target, interpreter, without_source=plan.source == "exclude")
        files = archive.tree_files(tree)
    content_sha256 = archive.content_sha256(files)
    if check:
        _compare(path, content_sha256)
    else:
        archive.write_archive(path, files)
    unzipped_bytes = sum(len(content) for _, content in files)
    return Layer(path, target, content_sha256, path.stat().st_size, unzipped_bytes, packages, left_to_runtime, left_out, bytecode)


def interpreter_for(target: Target) -> str | None:
    """
    Return an interpreter whose bytecode *target* can load: this one, or one that uv finds; ``None`` when there is none.
    """
    if target.python == archive.running_python():
        return sys.executable
    try:
        return run_uv("python", "find", "--no-python-downloads", "--no-project", f"cpython@{target.python}", what=str(target)).strip()
    except LayerError:
        return None


def _compare(path: Path, content_sha256: str) -> None:
    there = archive.content_sha256(archive.archive_files(path))
    if there != content_sha256:
        raise LayerError(
            f"{path} is not what its plan gives now: its content is {there}, a new build's is {content_sha256}; build it again"
        )
