"""
Virtual environments with pinned packages, built when their pins change and kept otherwise.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import IO

    from tools.pythons import Interpreter

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FOLDER = os.path.join(ROOT, ".venvs")
# Every package of the sets has a wheel: nothing is compiled, and no package's code runs while it is installed.
_PINNED = ("--require-hashes", "--no-deps", "--only-binary=:all:")
_ALONE = ("--disable-pip-version-check", "--no-input")
_QUIET = ("--quiet", *_ALONE)
_PACKAGES_A_LINE = 15
# Lambda's glibc is 2.26 for Python 3.11 and 2.34 from 3.12 on: these tags run there, later ones do not.
_LAMBDA_GLIBC = {(3, 11): ("17",), (3, 12): ("17", "28", "34"), (3, 13): ("17", "28", "34"), (3, 14): ("17", "28", "34")}


class Environment:
    """
    A virtual environment with one set of constraints and the project itself, editable.
    """

    __slots__ = ("constraints", "folder", "interpreter", "name")

    def __init__(self, constraints: str, interpreter: Interpreter) -> None:
        self.name = constraints
        self.constraints = os.path.join(ROOT, "constraints", constraints + ".txt")
        self.interpreter = interpreter
        self.folder = os.path.join(FOLDER, constraints + "-" + interpreter.name)

    @property
    def python(self) -> str:
        """
        The environment's own interpreter.
        """
        return os.path.join(self.folder, "bin", "python")

    def prepare(self) -> None:
        """
        Build the environment, or install the project again, or do nothing: whatever has changed since the last time.
        """
        pins, project = self._fingerprints()
        stamp = os.path.join(self.folder, "built-from.txt")
        built_pins, _, built_project = _read(stamp).partition("\n")
        if built_pins != pins:
            self._say(f"making the environment with {self.interpreter}")
            shutil.rmtree(self.folder, ignore_errors=True)
            run([self.interpreter.path, "-m", "venv", self.folder])
            self._say(f"installing the packages of {os.path.relpath(self.constraints, ROOT)}")
            self._install_pins()
        if (built_pins, built_project) != (pins, project):
            self._say("installing the project")
            self.pip("install", "--no-deps", "--no-build-isolation", "--editable", ROOT)
            with open(stamp, "w", encoding="utf-8") as file:
                file.write(f"{pins}\n{project}")

    def pip(self, *arguments: str) -> None:
        """
        Run the environment's pip, configured as the user has it.
        """
        run([self.python, "-m", "pip", arguments[0], *_QUIET, *arguments[1:]])

    def download(self, folder: str, requirements: str) -> None:
        """
        Put the wheels of *requirements* into *folder*, those that run on Lambda with this Python and this processor.
        """
        path = os.path.join(ROOT, requirements)
        name = os.path.basename(os.path.dirname(path)) + "-" + self.interpreter.name
        stamp = os.path.join(folder, name + ".sha256")
        if _read(stamp) == _sha256(path):
            return
        self._say(f"fetching the wheels of {requirements}")
        tags = ["manylinux2014", *("manylinux_2_" + minor for minor in _LAMBDA_GLIBC[self.interpreter.version])]
        target = [f"--platform={tag}_{os.uname().machine}" for tag in tags]
        self.pip(
            "download", *_PINNED, *target, "--implementation=cp", "--python-version=" + self.interpreter.name, "--dest", folder, "-r", path
        )
        with open(stamp, "w", encoding="utf-8") as file:
            file.write(_sha256(path))

    def variables(self, environ: Mapping[str, str], **more: str) -> dict[str, str]:
        """
        Return *environ* for programs of this environment: its own come first, no setting of the user's Python, AWS or coverage leaks in.
        """
        foreign = ("AWS_", "COVERAGE_", "LAMBDA_", "PYTHON", "_LAMBDA", "_HANDLER")
        kept = {name: value for name, value in environ.items() if not name.startswith(foreign)}
        kept.update({name: value for name, value in environ.items() if name.startswith("LAMBDA_KIT_")})
        path = os.path.join(self.folder, "bin") + os.pathsep + environ.get("PATH", os.defpath)
        kept.update(more, PATH=path, VIRTUAL_ENV=self.folder, PYTHONUNBUFFERED="1")
        return kept

    def _install_pins(self) -> None:
        """
        Install the pinned packages, saying every now and then how far it is: the network may take minutes.
        """
        command = [self.python, "-m", "pip", "install", "--progress-bar=off", *_ALONE, *_PINNED, "-r", self.constraints]
        with subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, cwd=ROOT, encoding="utf-8", errors="replace"
        ) as pip:
            for line in milestones(pip.stdout or ()):
                self._say(line)
        if pip.returncode:
            raise TargetError(f"exit code {pip.returncode}: {' '.join(command)}")

    def _say(self, what: str) -> None:
        """
        Print one line; several environments may be built at once.
        """
        print(f"{os.path.relpath(self.folder, ROOT)}: {what}", flush=True)

    def _fingerprints(self) -> tuple[str, str]:
        """
        Return what the packages and what the project's installation depend on. Environments cannot be moved: the path counts.
        """
        pins = [_sha256(self.constraints), self.interpreter.full, self.interpreter.path, self.folder]
        return " ".join(pins), _sha256(os.path.join(ROOT, "pyproject.toml"))


class TargetError(Exception):
    """
    A target cannot be made.
    """


def milestones(lines: Iterable[str]) -> Iterator[str]:
    """
    Turn what pip prints as it installs into a few lines of progress.
    """
    fetched = 0
    for line in lines:
        if line.startswith("Collecting "):
            fetched += 1
            if fetched % _PACKAGES_A_LINE == 0:
                yield f"{fetched} packages fetched"
        elif line.startswith("Installing collected packages"):
            yield f"unpacking {fetched} packages"


def run(command: list[str], environ: Mapping[str, str] | None = None, folder: str = ROOT, output: IO[bytes] | None = None) -> None:
    """
    Run *command* without standard input; it prints to *output*, or where this process prints.
    """
    nothing = subprocess.DEVNULL
    code = subprocess.run(command, stdin=nothing, stdout=output, stderr=output, env=environ, cwd=folder, check=False).returncode
    if code:
        raise TargetError(f"exit code {code}: {' '.join(command)}")


def _sha256(path: str) -> str:
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def _read(path: str) -> str:
    """
    Return the text of the file at *path*, or nothing when there is none.
    """
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except OSError:
        return ""
