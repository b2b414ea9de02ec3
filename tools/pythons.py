"""
The Python interpreters of this machine, looked for behind the shims of version managers.

Whatever Python the machine calls ``python3`` runs this file, so its syntax is that of Python 3.7.
"""

from __future__ import annotations

import contextlib
import glob
import json
import os
import pwd
import subprocess
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SUPPORTED = ((3, 11), (3, 12), (3, 13), (3, 14))

# What a virtual environment with packages from the network needs. ensurepip is a package of its own on Debian.
_PROBE = """
import ensurepip, json, platform, ssl, sys, venv
# An active virtual environment may be cleared; what it was made from stays.
path = getattr(sys, "_base_executable", None) or sys.executable
print(json.dumps([sys.version_info[0], sys.version_info[1], platform.python_version(), path, sys.implementation.name]))
"""
# An environment manager's folder below the user's, and where its interpreters are below that.
_HOMES = (
    ("PYENV_ROOT", ".pyenv", "versions/*/bin"),
    ("ASDF_DATA_DIR", ".asdf", "installs/python/*/bin"),
    ("MISE_DATA_DIR", ".local/share/mise", "installs/python/*/bin"),
    ("UV_PYTHON_INSTALL_DIR", ".local/share/uv/python", "*/bin"),
)


class Interpreter:
    """
    A working CPython: its version and the path it calls itself.
    """

    __slots__ = ("full", "path", "version")

    def __init__(self, version: tuple[int, int], full: str, path: str) -> None:
        self.version = version
        self.full = full
        self.path = path

    @property
    def name(self) -> str:
        """
        The version as in ``3.13``.
        """
        return "{}.{}".format(*self.version)

    def __repr__(self) -> str:
        return f"Python {self.full} at {self.path}"


def found(environ: Mapping[str, str]) -> list[Interpreter]:
    """
    Return one interpreter for each supported version that is there, oldest version first.
    """
    every = (first(version, environ) for version in SUPPORTED)
    return [interpreter for interpreter in every if interpreter is not None]


def first(version: tuple[int, int], environ: Mapping[str, str]) -> Interpreter | None:
    """
    Return the first interpreter of *version* that can make virtual environments and speak TLS.
    """
    for path in candidates(version, environ):
        interpreter = probe(path)
        if interpreter is not None and interpreter.version == version:
            return interpreter
    return None


def candidates(version: tuple[int, int], environ: Mapping[str, str]) -> Iterator[str]:
    """
    Yield the programs that may be Python *version*: on the PATH first, then in the folders of version managers.
    """
    exact = "python{}.{}".format(*version)
    on_path = [os.path.join(folder, name) for folder in _path(environ) for name in (exact, "python3")]
    elsewhere = [os.path.join(folder, exact) for folder in [*_managed(environ), "/usr/local/bin", "/usr/bin", "/opt/homebrew/bin"]]
    for path in dict.fromkeys(on_path + elsewhere):
        if os.path.isfile(path) and os.access(path, os.X_OK):
            yield path


def probe(path: str) -> Interpreter | None:
    """
    Ask the program at *path* what it is; ``None`` when it does not start, is no CPython, or lacks venv, ssl or pip.
    """
    try:
        answer = subprocess.run(
            [path, "-c", _PROBE], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=60, check=True
        )
        major, minor, full, executable, implementation = json.loads(answer.stdout.decode())
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return Interpreter((major, minor), full, executable) if implementation == "cpython" else None


def _path(environ: Mapping[str, str]) -> list[str]:
    return [folder for folder in environ.get("PATH", "").split(os.pathsep) if folder]


def _managed(environ: Mapping[str, str]) -> Iterator[str]:
    """
    Yield the folders with interpreters that version managers keep, the newest release first.
    """
    for variable, below_home, interpreters in _HOMES:
        roots = [environ.get(variable, "")]
        roots += [os.path.join(home, below_home) for home in _user_folders(environ)]
        # A shim's folder stands beside the versions it chooses from, wherever the variables point.
        roots += [os.path.dirname(folder.rstrip("/")) for folder in _path(environ) if folder.rstrip("/").endswith("/shims")]
        for root in roots:
            if root:
                yield from sorted(glob.glob(os.path.join(glob.escape(root), interpreters)), key=_numbers, reverse=True)


def _user_folders(environ: Mapping[str, str]) -> list[str]:
    """
    Return the user's folder as the environment says and as the password database does: the first may be empty.
    """
    folders = [environ.get("HOME", "")]
    with contextlib.suppress(KeyError):  # a container's user may have no entry
        folders.append(pwd.getpwuid(os.getuid()).pw_dir)
    return [folder for folder in folders if folder]


def _numbers(path: str) -> list[int]:
    digits = "".join(letter if letter.isdigit() else " " for letter in path)
    return [int(number) for number in digits.split()]


if __name__ == "__main__":
    for each in found(os.environ):
        sys.stdout.write(f"{each}\n")
