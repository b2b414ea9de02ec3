"""
What a layer shall hold and where it shall run, read from ``layer.toml``.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from lambda_kit.errors import LayerError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# ELF's e_machine for what uv calls the processor.
_MACHINES = {"x86_64": ("x86_64", 62), "arm64": ("aarch64", 183)}
# Python 3.11 runs on Amazon Linux 2 (glibc 2.26), later ones on Amazon Linux 2023 (glibc 2.34).
# Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html
_GLIBC = {"3.11": "manylinux2014", "3.12": "manylinux_2_34", "3.13": "manylinux_2_34", "3.14": "manylinux_2_34"}


@dataclass(frozen=True, slots=True)
class Target:
    """
    A Lambda runtime: Python's minor version as in ``3.13``, and Lambda's name of the processor.
    """

    python: str
    arch: str

    @property
    def platform(self) -> str:
        """
        The newest platform whose wheels run there, by uv's name.
        """
        return f"{_MACHINES[self.arch][0]}-{_GLIBC[self.python]}"

    @property
    def elf_machine(self) -> int:
        """
        The number that every shared library must carry.
        """
        return _MACHINES[self.arch][1]

    @property
    def abi(self) -> str:
        """
        The tag in the names of extension modules.
        """
        return "cpython-" + self.python.replace(".", "")

    def __str__(self) -> str:
        return f"Python {self.python} on {self.arch}"


@dataclass(frozen=True, slots=True)
class LayerPlan:
    """
    One ``layer.toml``.

    Attributes:
        name: Begins the file name of the zip.
        python: The minor versions it is built for; the first is the default.
        arch: The processors it is built for; the first is the default.
        requirements: A file of pinned versions with hashes, complete: what it does not name is not installed.
        extras: The kit's extras that shall work with the layer; what they need must be pinned.
        sdk: ``exclude`` leaves boto3 and all it needs to the runtime, ``include`` packs them (all or none).
        source: ``exclude`` packs modules as bytecode, less source and docstrings; ``include`` packs both.
        leave_out: Patterns of files to drop, matched against the path in the layer. Never touches package metadata.
    """

    name: str
    requirements: Path
    python: tuple[str, ...] = ("3.13",)
    arch: tuple[str, ...] = ("x86_64",)
    extras: tuple[str, ...] = ()
    sdk: str = "exclude"
    source: str = "include"
    leave_out: tuple[str, ...] = field(default=())

    def target(self, python: str | None = None, arch: str | None = None) -> Target:
        """
        Return what to build for: the plan's first choice where nothing is asked for.
        """
        return Target(_chosen("python", python, self.python), _chosen("arch", arch, self.arch))


def read_plan(path: Path) -> LayerPlan:
    """
    Read and check the ``layer.toml`` at *path*.

    Raises:
        LayerError: It is not there, is not TOML, or a key is unknown, missing or of the wrong kind.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise LayerError(f"cannot read the layer's plan {path}: {exc.strerror}; --config names another one") from exc
    except tomllib.TOMLDecodeError as exc:
        raise LayerError(f"{path} is not TOML: {exc}") from exc
    unknown = set(content) - set(LayerPlan.__slots__)
    if unknown:
        raise LayerError(f"{path}: unknown key {sorted(unknown)[0]!r}; known are {', '.join(LayerPlan.__slots__)}")
    for key in ("name", "requirements"):
        if key not in content:
            raise LayerError(f"{path}: {key!r} is missing")
    values = {key: _checked(path, key, value) for key, value in content.items()}
    plan = LayerPlan(**{**values, "requirements": path.parent / values["requirements"]})
    _check_choices(path, plan)
    return plan


def _checked(path: Path, key: str, value: object) -> Any:
    """
    Return *value* as the plan holds it: a string, or a tuple of strings.
    """
    if key in {"name", "requirements", "sdk", "source"}:
        if isinstance(value, str) and value:
            return value
        raise LayerError(f"{path}: {key!r} must be a string")
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return tuple(value)
    raise LayerError(f"{path}: {key!r} must be a list of strings")


def _check_choices(path: Path, plan: LayerPlan) -> None:
    either = ("exclude", "include")
    choices = [("python", plan.python, tuple(_GLIBC)), ("arch", plan.arch, tuple(_MACHINES))]
    choices += [("sdk", (plan.sdk,), either), ("source", (plan.source,), either)]
    for key, given, allowed in choices:
        if not given or not set(given) <= set(allowed):
            raise LayerError(f"{path}: {key!r} is {', '.join(given) or 'empty'}; possible are {', '.join(allowed)}")


def _chosen(what: str, asked: str | None, planned: tuple[str, ...]) -> str:
    if asked is not None and asked not in planned:
        raise LayerError(f"the layer is not planned for {what} {asked!r}, only for {', '.join(planned)}: add it to layer.toml")
    return asked or planned[0]
