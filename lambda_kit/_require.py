"""
The only door through which optional packages come in.
"""

from __future__ import annotations

import importlib

from lambda_kit.errors import MissingDependencyError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def require(module: str, *, extra: str) -> Any:
    """
    Import and return *module*, or say which extra of ``aws-lambda-kit`` brings it.

    Raises:
        MissingDependencyError: The package is not installed, or is too old to have *module*. An error inside an
            installed package passes as it is.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as exc:
        if not _is_absent(module, exc):
            raise
        package = module.partition(".")[0]
        raise MissingDependencyError(_advice(module, package, str(exc.name), extra), package=package, extra=extra) from exc


def optional(module: str) -> Any | None:
    """
    Import and return *module*, or ``None`` when it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as exc:
        if not _is_absent(module, exc):
            raise
        return None


def _is_absent(module: str, exc: ModuleNotFoundError) -> bool:
    """
    Tell a package that is not there from one that is there and broken.
    """
    return exc.name is not None and (module == exc.name or module.startswith(exc.name + "."))


def _advice(module: str, package: str, missing: str, extra: str) -> str:
    if missing == package:
        return f'this needs the package {package!r}, which is not installed: pip install "aws-lambda-kit[{extra}]"'
    return f'this needs {module!r}, which the installed {package!r} does not have: pip install --upgrade "aws-lambda-kit[{extra}]"'
