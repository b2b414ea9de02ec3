"""
A tree of packages as a zip whose bytes depend on nothing but the files: order, dates, modes and bytecode are fixed.
"""

from __future__ import annotations

import csv
import fnmatch
import hashlib
import io
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from lambda_kit._tools import _compile
from lambda_kit._tools._layer_plan import Target
from lambda_kit.errors import LayerError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

# Where Lambda unpacks a layer, and the folder in it that Python looks into.
# Source: https://docs.aws.amazon.com/lambda/latest/dg/packaging-layers.html
_PREFIX = "python"
_MOUNT = "/opt/python"
# The function and all its layers together. Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
MOST_BYTES = 250 * 1024 * 1024


def leave_out(tree: Path, patterns: Iterable[str]) -> int:
    """
    Remove the files that match *patterns*, and the scripts; return how many. Package metadata stays, less the removed files.
    """
    shutil.rmtree(tree / "bin", ignore_errors=True)  # begin with the path of this machine's interpreter
    removed = 0
    for path in sorted(tree.rglob("*")):
        name = path.relative_to(tree).as_posix()
        if path.is_file() and ".dist-info/" not in name and any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns):
            path.unlink()
            removed += 1
    for record in sorted(tree.glob("*.dist-info/RECORD")):
        _forget_missing(tree, record)
    return removed


def compile_bytecode(tree: Path, target: Target, interpreter: str | None, *, without_source: bool = False) -> int:
    """
    Compile every module with *interpreter*, which must be of the target's minor version; return how many, 0 without one.

    Lambda's file system is read-only, so what is not compiled here is compiled at every cold start. Tracebacks show the
    paths of Lambda. *without_source* packs the bytecode instead of the modules; without an interpreter they stay.
    """
    if interpreter is None:
        return 0
    command = [interpreter, "-s", "-S", "-P", _compile.__file__, str(tree), _MOUNT, *["--without-source"] * without_source]
    # Sets are written in the order of their hashes.
    environ = {"PATH": os.environ.get("PATH", os.defpath), "PYTHONHASHSEED": "0"}
    subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env=environ, check=False)
    compiled = len(list(tree.rglob("*.pyc")))
    if not compiled:
        raise LayerError(f"{interpreter} compiled nothing for {target}: does it start?")
    for record in sorted(tree.glob("*.dist-info/RECORD")):
        _forget_missing(tree, record)
    return compiled


def content_sha256(files: Iterable[tuple[str, bytes]]) -> str:
    """
    Return the hash of *files* by name, which no compression library can change.
    """
    digest = hashlib.sha256()
    for name, content in files:
        digest.update(f"{name}\0{len(content)}\0".encode() + hashlib.sha256(content).digest())
    return digest.hexdigest()


def tree_files(tree: Path) -> list[tuple[str, bytes]]:
    """
    Return the files of *tree* as the zip names them, in its order.

    Raises:
        LayerError: They are more than Lambda takes.
    """
    paths = [path for path in tree.rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in paths)
    if size > MOST_BYTES:
        raise LayerError(f"the layer has {size / 1024**2:.0f} MB unzipped; Lambda takes {MOST_BYTES // 1024**2} MB for all layers together")
    return sorted((f"{_PREFIX}/{path.relative_to(tree).as_posix()}", path.read_bytes()) for path in paths)


def archive_files(path: Path) -> list[tuple[str, bytes]]:
    """
    Return the files of the zip at *path*, in the order of their names.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return sorted((name, archive.read(name)) for name in archive.namelist())
    except (OSError, zipfile.BadZipFile) as exc:
        raise LayerError(f"cannot read the layer {path} to compare it: {exc}") from exc


def write_archive(path: Path, files: Iterable[tuple[str, bytes]]) -> None:
    """
    Write *files* to the zip at *path*, whole or not at all.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, data in files:
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix, wherever it is built
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, data)
    unfinished = path.with_name(path.name + ".part")
    unfinished.write_bytes(content.getvalue())
    unfinished.replace(path)


def running_python() -> str:
    """
    Return the minor version of the interpreter that runs this.
    """
    return "{}.{}".format(*sys.version_info)


def _forget_missing(tree: Path, record: Path) -> None:
    """
    Drop the lines of *record* whose files are gone, so that it lists what is there.
    """
    with record.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    kept = [row for row in rows if row and (tree / row[0]).is_file()]
    with record.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(kept)
