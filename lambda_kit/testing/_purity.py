"""
The test that keeps logic logic: it imports no AWS, no kit, and does not read the environment.
"""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType

# What belongs into handlers and their dependencies.
IMPURE = ("boto3", "botocore", "aioboto3", "aiobotocore", "lambda_kit", "aws_lambda_powertools", "aws_xray_sdk", "awslambdaric")
_ENVIRONMENT = {"environ", "environb", "getenv", "getenvb", "putenv", "unsetenv"}


def assert_pure(*modules: ModuleType | str, impure: Iterable[str] = IMPURE) -> None:
    """
    Fail when one of *modules* imports boto3 or the kit, or reads the environment; what it imports from beside it included.

        def test_logic_is_pure():
            assert_pure("orders.logic")

    The source is read, not run. Imports that only checkers see (``if TYPE_CHECKING:``) are allowed.

    Args:
        modules: Modules, or their dotted names. A package stands for all files in it.
        impure: Top-level packages that logic must not import.

    Raises:
        AssertionError: With one line for each offence, as ``logic.py:3 imports boto3``.
        ModuleNotFoundError: There is no such module, or it has no source.
    """
    forbidden = frozenset(impure)
    waiting = [(name, path) for module in modules for name, path in _files(module if isinstance(module, str) else module.__name__)]
    found: list[str] = []
    seen: set[Path] = set()
    while waiting:
        name, path = waiting.pop(0)
        if path in seen:
            continue
        seen.add(path)
        tree = ast.parse(path.read_bytes(), str(path))
        imports = list(_imports(tree, name, is_package=path.name == "__init__.py"))
        found += [f"{path.name}:{line} imports {target}" for target, line in imports if target.partition(".")[0] in forbidden]
        found += [f"{path.name}:{line} reads the environment" for line in _environment_reads(tree)]
        waiting += [file for target, _ in imports if target.partition(".")[0] not in forbidden for file in _beside(path, name, target)]
    if found:
        raise AssertionError("logic is not pure:\n" + "\n".join(f"  {offence}" for offence in found))


def _files(name: str) -> list[tuple[str, Path]]:
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        raise ModuleNotFoundError(f"no module {name!r} with a source file", name=name)
    path = Path(spec.origin)
    if path.name != "__init__.py":
        return [(name, path)]
    found = []
    for file in sorted(path.parent.rglob("*.py")):
        parts = file.relative_to(path.parent).with_suffix("").parts
        found.append((".".join((name, *(part for part in parts if part != "__init__"))), file))
    return found


def _imports(tree: ast.AST, name: str, *, is_package: bool) -> Iterator[tuple[str, int]]:
    """
    Yield what is imported at run time, ``from a import b`` as ``a`` and as ``a.b``, with the line.
    """
    for node in _run_time(tree):
        match node:
            case ast.Import(names=names):
                yield from ((alias.name, node.lineno) for alias in names)
            case ast.ImportFrom(module=module, names=names, level=level):
                here = name.split(".")
                start = here[: len(here) - level + is_package] if level else []
                origin = ".".join([*start, *([module] if module else [])])
                yield origin, node.lineno
                yield from ((f"{origin}.{alias.name}", node.lineno) for alias in names if origin.partition(".")[0] == here[0] or level)
            case ast.Call(func=ast.Name(id=called) | ast.Attribute(attr=called), args=[ast.Constant(value=str(target)), *_]):
                if called in {"import_module", "__import__"}:
                    yield target, node.lineno


def _run_time(tree: ast.AST) -> Iterator[ast.AST]:
    """
    Yield every node but those that only checkers see.
    """
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in (getattr(node.test, "id", ""), getattr(node.test, "attr", "")):
            for otherwise in node.orelse:
                yield otherwise
                yield from _run_time(otherwise)
            continue
        yield node
        yield from _run_time(node)


def _environment_reads(tree: ast.AST) -> Iterator[int]:
    for node in _run_time(tree):
        match node:
            case ast.Attribute(value=ast.Name(id="os"), attr=attr) if attr in _ENVIRONMENT:
                yield node.lineno
            case ast.ImportFrom(module="os", names=names) if any(alias.name in _ENVIRONMENT for alias in names):
                yield node.lineno


def _beside(path: Path, name: str, target: str) -> list[tuple[str, Path]]:
    """
    Return the file of module *target* when it lies where the code of module *name*, at *path*, does.
    """
    parts = name.split(".")
    # The folder that the top-level package, or the module alone, is in.
    levels = len(parts) if path.name == "__init__.py" else len(parts) - 1
    root = path.parents[levels]
    stem = root.joinpath(*target.split("."))
    files = (stem.with_suffix(".py"), stem / "__init__.py")
    return [(target, file) for file in files if file.is_file()]
