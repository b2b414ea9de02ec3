"""
Compile a tree of modules for a layer. Run as a program by an interpreter of the layer's Python, so it imports nothing of the kit.

    python _compile.py TREE MOUNT [--without-source]

Bytecode is marked as never to be checked against its source, whose date a zip does not keep well, and carries paths below
MOUNT. Without source, modules are replaced by their bytecode, less their docstrings.
"""

from __future__ import annotations

import ast
import importlib.util
import marshal
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

# The file's flags: it carries a hash of its source, which need not be compared. Source: PEP 552.
_UNCHECKED = (0b01).to_bytes(4, "little")


def compile_tree(tree: str, mount: str, *, without_source: bool) -> None:
    """
    Compile every module below *tree*. A file that does not compile (a template, say) stays as it is.
    """
    for path in sorted(_modules(tree)):
        with open(path, "rb") as file:
            source = file.read()
        name = os.path.join(mount, os.path.relpath(path, tree))
        try:
            parsed = ast.parse(source)
            code = compile(_without_docstrings(parsed) if without_source else parsed, name, "exec", dont_inherit=True)
        except (SyntaxError, ValueError):
            continue
        compiled = path + "c" if without_source else importlib.util.cache_from_source(path, optimization="")
        os.makedirs(os.path.dirname(compiled), exist_ok=True)
        with open(compiled, "wb") as file:
            file.write(importlib.util.MAGIC_NUMBER + _UNCHECKED + importlib.util.source_hash(source) + marshal.dumps(code))
        if without_source:
            os.remove(path)


def _modules(tree: str) -> Iterator[str]:
    for folder, _, names in os.walk(tree):
        yield from (os.path.join(folder, name) for name in names if name.endswith(".py"))


def _without_docstrings(module: ast.Module) -> ast.Module:
    """
    Return *module* with every docstring taken out. What else is there keeps its line.
    """
    for node in ast.walk(module):
        if (
            isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
            and ast.get_docstring(node, clean=False) is not None
        ):
            first = node.body[0]
            node.body[:1] = [] if len(node.body) > 1 or node is module else [ast.copy_location(ast.Pass(), first)]
    return module


if __name__ == "__main__":  # pragma: no cover  # an interpreter without site-packages, which nothing measures
    compile_tree(sys.argv[1], sys.argv[2], without_source="--without-source" in sys.argv)
