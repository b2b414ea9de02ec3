"""
Pinned packages, installed by uv for a machine that is not this one, and checked.
"""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from lambda_kit._require import require
from lambda_kit._tools._layer_plan import LayerPlan, Target
from lambda_kit.errors import LayerError

# What boto3 is made of. The runtime has it all; a layer with a part of it mixes two versions, as /opt/python comes first.
SDK = ("boto3", "botocore", "s3transfer", "jmespath", "python-dateutil", "six", "urllib3")


@dataclass(frozen=True, slots=True)
class Wheels:
    """
    Where wheels come from, beside uv's own configuration.
    """

    find_links: tuple[Path, ...] = ()
    no_index: bool = False

    def options(self) -> list[str]:
        """
        Return it as uv's options.
        """
        return [*(f"--find-links={folder.resolve()}" for folder in self.find_links), *["--no-index"] * self.no_index]


def pins(requirements: Path) -> dict[str, str]:
    """
    Return the lines of a requirements file, joined, by normalised package name.

    Raises:
        LayerError: A line is no pinned version with a hash.
    """
    try:
        text = requirements.read_text(encoding="utf-8")
    except OSError as exc:
        raise LayerError(f"cannot read the layer's requirements {requirements}: {exc.strerror}") from exc
    found = {}
    for line in text.replace("\\\n", " ").splitlines():
        line = line.partition(" #")[0].strip()
        if not line or line.startswith("#"):
            continue
        match = re.match(r"([A-Za-z0-9._-]+)(\[[^]]*])?==\S+", line)
        if match is None or line.startswith("-") or "--hash=" not in line:
            raise LayerError(
                f"{requirements}: {line.split()[0]!r} is not a version pinned with hashes: write the file with "
                "'uv pip compile --universal --generate-hashes'"
            )
        found[normalised(match[1])] = line
    return found


def normalised(name: str) -> str:
    """
    Return a package's name as all its spellings compare equal.
    """
    return re.sub(r"[-_.]+", "-", name).lower()


def install(plan: LayerPlan, target: Target, tree: Path, wheels: Wheels) -> tuple[str, ...]:
    """
    Install the plan's packages for *target* into the new folder *tree*, and return those that are left to the runtime.

    Raises:
        LayerError: uv found no wheel for the target, or a hash differs.
    """
    pinned = pins(plan.requirements)
    left = tuple(name for name in pinned if name in SDK) if plan.sdk == "exclude" else ()
    chosen = tree.parent / "requirements.txt"
    chosen.write_text("".join(f"{line}\n" for name, line in pinned.items() if name not in left), encoding="utf-8")
    tree.mkdir()
    for_target = [f"--target={tree}", f"--python-version={target.python}", f"--python-platform={target.platform}"]
    strict = ["--only-binary=:all:", "--require-hashes", "--no-deps", "--link-mode=copy"]
    run_uv(
        "pip",
        "install",
        "--quiet",
        f"--python={sys.executable}",
        *for_target,
        *strict,
        *wheels.options(),
        "-r",
        str(chosen),
        what=str(target),
    )
    for trace in [tree / ".lock", *tree.glob("*.dist-info/uv_cache.json")]:  # says when a wheel was put where
        trace.unlink(missing_ok=True)
    return left


def run_uv(*arguments: str, what: str) -> str:
    """
    Run uv and return what it prints.

    Raises:
        LayerError: It failed; the message is uv's own, which names the package.
        MissingDependencyError: uv is not installed.
    """
    uv = require("uv", extra="tools").find_uv_bin()
    done = subprocess.run([uv, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        raise LayerError(
            f"uv could not install the layer's packages for {what}: pin versions that have wheels for it\n{done.stderr.strip()}"
        )
    return done.stdout


def check_pinned(plan: LayerPlan, requires: list[str], pinned: dict[str, str]) -> None:
    """
    Make sure that what the kit and the extras of *plan* need is pinned.

    Args:
        requires: The kit's ``Requires-Dist`` lines.
    """
    extras = ["", *plan.extras]
    known = {match[1] for line in requires if (match := _EXTRA.search(line))}
    for extra in set(plan.extras) - known:
        raise LayerError(f"the kit has no extra {extra!r}; it has {', '.join(sorted(known))}")
    for line in requires:
        match = _EXTRA.search(line)
        name = normalised(re.split(r"[^A-Za-z0-9._-]", line, maxsplit=1)[0])
        if (match[1] if match else "") in extras and name not in pinned and not (plan.sdk == "exclude" and name in SDK):
            reason = f"its extra {match[1]!r}" if match else "the kit"
            raise LayerError(f"{plan.requirements}: {name} is not pinned, but {reason} needs it")


_EXTRA = re.compile(r"extra == ['\"]([A-Za-z0-9._-]+)['\"]")


def check_tree(tree: Path, target: Target) -> dict[str, str]:
    """
    Make sure that everything in *tree* can run on *target*, and return the versions of its packages.

    Raises:
        LayerError: A shared library is for another processor or Python, or the SDK is there in part.
    """
    for path in sorted(tree.rglob("*")):
        if path.is_file():
            _check_library(path, path.relative_to(tree), target)
    found = {normalised(each.name): each.version for each in importlib.metadata.distributions(path=[str(tree)])}
    missing = [name for name in SDK if name not in found]
    if 0 < len(missing) < len(SDK):
        raise LayerError(f"the layer would hold a part of the SDK, without {', '.join(missing)}: pin all of it, or set sdk = 'exclude'")
    return dict(sorted(found.items()))


def _check_library(path: Path, name: Path, target: Target) -> None:
    with path.open("rb") as file:
        header = file.read(20)
    if not header.startswith(b"\x7fELF"):
        return
    if int.from_bytes(header[18:20], "little") != target.elf_machine:
        raise LayerError(f"{name} is for another processor than {target}")
    tag = re.search(r"\.(cpython-\d+)", path.name)
    if tag is not None and tag[1] != target.abi:
        raise LayerError(f"{name} is for another Python than {target}")
