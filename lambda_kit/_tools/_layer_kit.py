"""
The kit itself as a layer holds it: without the rooms that never run on Lambda.
"""

from __future__ import annotations

import base64
import configparser
import csv
import hashlib
import importlib.metadata
import io
from pathlib import Path

from lambda_kit.errors import LayerError

_PACKAGE = Path(__file__).parents[1]
_LEFT_OUT = frozenset({"_local", "testing", "_tools", "__main__.py", "__pycache__"})
# They name what is left out.
_LEFT_OUT_ENTRY_POINTS = frozenset({"console_scripts", "pytest11"})


def install_kit(tree: Path, distribution: str = "aws-lambda-kit") -> list[str]:
    """
    Copy the running kit into *tree* as if a wheel had been installed, and return its ``Requires-Dist`` lines.

    Args:
        distribution: What the kit was installed as.

    Raises:
        LayerError: The kit runs from a folder and is not installed, so nothing says what it needs.
    """
    try:
        kit = importlib.metadata.distribution(distribution)
    except importlib.metadata.PackageNotFoundError as exc:
        raise LayerError(f"{distribution} is not installed in this environment: pip install --no-deps -e <its folder>") from exc
    for path in sorted(_PACKAGE.rglob("*")):
        below = path.relative_to(_PACKAGE)
        if path.is_file() and not (_LEFT_OUT & set(below.parts)):
            _write(tree / _PACKAGE.name / below, path.read_bytes())
    info = tree / f"{distribution.replace('-', '_')}-{kit.version}.dist-info"
    for name, content in _metadata(kit).items():
        _write(info / name, content)
    record(tree, info)
    return kit.requires or []


def record(tree: Path, info: Path) -> None:
    """
    Write the RECORD of the kit: every file with its hash and size, as an installer does.
    """
    rows = io.StringIO()
    lines = csv.writer(rows, lineterminator="\n")
    for path in sorted([*(tree / _PACKAGE.name).rglob("*"), *info.rglob("*")]):
        if path.is_file() and path.name != "RECORD":
            digest = base64.urlsafe_b64encode(hashlib.sha256(path.read_bytes()).digest()).rstrip(b"=").decode()
            lines.writerow([path.relative_to(tree).as_posix(), f"sha256={digest}", path.stat().st_size])
    lines.writerow([f"{info.name}/RECORD", "", ""])
    _write(info / "RECORD", rows.getvalue().encode())


def _metadata(kit: importlib.metadata.Distribution) -> dict[str, bytes]:
    """
    Return the files of the kit's dist-info that are the same wherever it was installed from.
    """
    files = {name: text.encode() for name in ("METADATA", "WHEEL") if (text := kit.read_text(name)) is not None}
    for path in kit.files or []:
        if len(path.parts) > 2 and path.parts[0].endswith(".dist-info") and path.parts[1] == "licenses":
            files["/".join(path.parts[1:])] = Path(str(path.locate())).read_bytes()
    entry_points = _kept_entry_points(kit.read_text("entry_points.txt") or "")
    return {**files, "entry_points.txt": entry_points} if entry_points else files


def _kept_entry_points(text: str) -> bytes:
    parser = configparser.ConfigParser(delimiters="=", interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]  # entry points are case-sensitive; the documented way
    parser.read_string(text)
    for group in _LEFT_OUT_ENTRY_POINTS:
        parser.remove_section(group)
    kept = io.StringIO()
    parser.write(kept)
    return kept.getvalue().strip().encode()


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
