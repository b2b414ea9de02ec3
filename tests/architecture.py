"""
The rules of the house, read from the source with ``ast``: floors, doors, sizes, names.

Every function takes the modules of a tree and returns complaints, so that the rules can be tried on trees that break them.
"""

from __future__ import annotations

import ast
import builtins
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

FLOORS = {
    "errors": 0,
    "_lazy": 0,
    "_typing": 0,
    "_require": 1,
    "_runtime": 2,
    "_invocation": 3,
    "_observe": 3,
    "_handles": 3,
    "_backoff": 3,
    "_roots": 3,
    "_http": 3,
    "_sources": 3,
    "_cache": 4,
    "_clients": 4,
    "_transport": 4,
    "_parallel": 4,
    "_deps": 4,
    "events": 4,
    "tracing": 4,
    "_configuration": 5,
    "databases": 5,
    "_responses": 5,
    "_logins": 6,
    "_handlers": 6,
    "_local": 7,
    "testing": 8,
    "_tools": 9,
    "__main__": 9,
    "__init__": 10,
}
# In the plan of the house, not built yet.
PLANNED: frozenset[str] = frozenset()
# Loaded by the Lambda runtime client before the handler, so importing them is free; contextvars is built in.
FREE_IMPORTS = frozenset(
    "__future__ abc atexit collections contextlib contextvars decimal enum functools importlib io itertools json logging operator "
    "os re sys threading time traceback types warnings weakref".split()
)
IMPORT_LIGHT = frozenset(
    "__init__ _cache _clients _configuration _handles _invocation _lazy _observe _require _roots _runtime _transport _typing errors".split()
)
# What the rooms of a developer's machine do with the environment, the clock and signals is their own business.
OFF_LAMBDA = frozenset({"_local", "testing", "_tools", "__main__"})
REQUIRED_PACKAGES = frozenset({"cachetools", "tenacity"})
# The checks run on Pythons older than some of what the kit uses where it is there.
STANDARD_LIBRARY = sys.stdlib_module_names | {"annotationlib"}
MOST_LINES = 400
MOST_FUNCTION_LINES = 40
BANNED_WORDS = frozenset({"util", "utils", "helper", "helpers", "common", "base", "manager", "managers", "misc"})

# Third-party packages a module may import as it is imported itself, by the start of its name.
_OPEN_DOORS = {"events": {"pydantic"}, "testing.plugin": {"pytest"}, "_tools": {"typer", "rich", "click"}}
# Ignorance that floors alone do not ensure.
_UNKNOWN_TO = {
    "_cache": {"boto3", "botocore", "_clients"},
    "databases": {"boto3", "botocore", "_clients", "_configuration"},
    "_handlers": {"_configuration", "databases", "tracing"},
}
_RUNTIME_ONLY = {
    "os": {"environ", "environb", "getenv", "getenvb", "putenv", "unsetenv", "register_at_fork"},
    "time": {"time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns"},
    "atexit": {"register"},
    "signal": {"signal"},
    "datetime": {"now", "utcnow", "today"},
}
# A timer that lives as long as one invocation is no turn of the environment's life.
_OWN_TIMERS = {"_handlers._last_words": {"signal"}}


@dataclass(frozen=True, slots=True)
class Import:
    """
    One imported module: dotted from the package when it is the kit's, else as written.
    """

    target: str
    line: int
    inside: bool  # the package itself
    in_function: bool
    for_checkers: bool


@dataclass(frozen=True, slots=True)
class Module:
    """
    One source file: its name below the package (``databases._postgres``, ``events`` for a package's ``__init__``) and its tree.
    """

    name: str
    is_package: bool
    source: str
    tree: ast.Module
    imports: tuple[Import, ...]

    @property
    def house(self) -> str:
        """
        The room on the street that it belongs to.
        """
        return self.name.partition(".")[0]


def read(root: Path) -> dict[str, Module]:
    """
    Return the modules of the package at *root* by name.
    """
    paths = {_name(path.relative_to(root)): path for path in sorted(root.rglob("*.py"))}
    modules = {}
    for name, path in paths.items():
        source = path.read_text(encoding="utf-8")
        tree = ast.parse(source, str(path))
        is_package = path.name == "__init__.py"
        imports = tuple(_imports(tree, root.name, [root.name, *name.split(".")][: -1 if not is_package else None], set(paths)))
        modules[name] = Module(name, is_package, source, tree, imports)
    return modules


def complaints(modules: Mapping[str, Module], floors: Mapping[str, int] = FLOORS, planned: Iterable[str] = PLANNED) -> list[str]:
    """
    Return everything that breaks a rule of the house, one sentence each.
    """
    found = list(_table(modules, floors, set(planned)))
    for module in modules.values():
        for rule in (_walks_down, _third_parties, _free_imports, _ignorance, _facts_through_runtime, _exceptions, _sizes, _names):
            found += [f"{module.name}: {complaint}" for complaint in rule(module, floors)]
    return found + list(_circles(modules))


def _name(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1]) if parts[-1] == "__init__" and len(parts) > 1 else ".".join(parts)


# Reading imports


def _imports(tree: ast.Module, package: str, here: list[str], known: set[str]) -> Iterator[Import]:
    """
    Yield every import of *tree*, those for checkers, in functions and by ``import_module("...")`` included.
    """
    for node, in_function, for_checkers in _walk(tree):
        for target in _targets(node, package, here, known):
            inside = target == package or target.startswith(package + ".")
            name = (target.removeprefix(package).removeprefix(".") or "__init__") if inside else target
            yield Import(name, getattr(node, "lineno", 0), inside, in_function, for_checkers)


def _walk(tree: ast.Module) -> Iterator[tuple[ast.AST, bool, bool]]:
    """
    Yield every node with whether it is in a function and whether only checkers see it.
    """
    stack: list[tuple[ast.AST, bool, bool]] = [(tree, False, False)]
    while stack:
        node, in_function, for_checkers = stack.pop()
        yield node, in_function, for_checkers
        in_function = in_function or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        only_checkers = isinstance(node, ast.If) and _is_type_checking(node.test)
        seen_by_checkers = set(map(id, node.body)) if only_checkers and isinstance(node, ast.If) else set()
        stack.extend((child, in_function, for_checkers or id(child) in seen_by_checkers) for child in ast.iter_child_nodes(node))


def _is_type_checking(test: ast.expr) -> bool:
    return (isinstance(test, ast.Name) and test.id == "TYPE_CHECKING") or (isinstance(test, ast.Attribute) and test.attr == "TYPE_CHECKING")


def _targets(node: ast.AST, package: str, here: list[str], known: set[str]) -> list[str]:
    """
    Return the full names of the modules that *node* imports.
    """
    match node:
        case ast.Import(names=names):
            return [alias.name for alias in names]
        case ast.ImportFrom(module=module, names=names, level=level):
            start = here[: len(here) - level + 1] if level else []
            origin = ".".join([*start, *([module] if module else [])])
            below = origin.removeprefix(package).removeprefix(".")
            # "from package import submodule" imports the submodule, whatever else the package is.
            inner = [".".join(filter(None, [below, alias.name])) for alias in names] if origin.split(".")[0] == package else []
            return [f"{package}.{name}" if name in known else origin for name in inner] or [origin]
        case ast.Call(func=ast.Name(id=called) | ast.Attribute(attr=called), args=[ast.Constant(value=str(target)), *_]):
            return [target] if called in {"import_module", "__import__"} else []
    return []


# Rules


def _table(modules: Mapping[str, Module], floors: Mapping[str, int], planned: set[str]) -> Iterator[str]:
    houses = {module.house for module in modules.values()}
    yield from (f"{house}: has no floor: add it to the table" for house in sorted(houses - set(floors)))
    yield from (f"{house}: has a floor, but does not exist" for house in sorted(set(floors) - houses - planned))
    yield from (f"{house}: exists: it is not planned any more" for house in sorted(houses & planned))


def _walks_down(module: Module, floors: Mapping[str, int]) -> Iterator[str]:
    floor = floors.get(module.house, 0)
    for each in module.imports:
        if not each.inside:
            continue
        house = each.target.partition(".")[0]
        if house == module.house:
            private = any(part.startswith("_") for part in each.target.split(".")[1:])
            if not module.is_package and not private:
                yield f"line {each.line} imports {each.target}: files of a package import its underscore modules only"
        elif (module.house, house) != ("__main__", "_tools") and floors.get(house, 0) >= floor:
            yield f"line {each.line} imports {each.target}: floor {floors.get(house)} is not below floor {floor}"


def _third_parties(module: Module, _: Mapping[str, int]) -> Iterator[str]:
    open_to = {name for start, names in _OPEN_DOORS.items() if (module.name + ".").startswith(start + ".") for name in names}
    for each in module.imports:
        package = each.target.partition(".")[0]
        if each.inside or each.for_checkers or package in STANDARD_LIBRARY or package in open_to:
            continue
        if not each.in_function:
            yield f"line {each.line} imports {package} at import time: use _require inside a function"
        elif package not in REQUIRED_PACKAGES and module.name != "_require":
            yield f"line {each.line} imports {package} past _require"


def _free_imports(module: Module, _: Mapping[str, int]) -> Iterator[str]:
    if module.house not in IMPORT_LIGHT:
        return
    for each in module.imports:
        if not (each.inside or each.in_function or each.for_checkers) and each.target.partition(".")[0] not in FREE_IMPORTS:
            yield f"line {each.line} imports {each.target}: not among what the runtime client has loaded"


def _ignorance(module: Module, _: Mapping[str, int]) -> Iterator[str]:
    unknown = _UNKNOWN_TO.get(module.house, set())
    known = [(each.target.partition(".")[0], each.line) for each in module.imports]
    known += [(package.partition(".")[0], line) for package, line in _required(module.tree)]
    yield from (f"line {line} knows {name}" for name, line in known if name in unknown)


def _required(tree: ast.Module) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id="require" | "optional"), args=[ast.Constant(value=str(package)), *_], lineno=line):
                yield package, line


def _facts_through_runtime(module: Module, _: Mapping[str, int]) -> Iterator[str]:
    if module.house == "_runtime" or module.house in OFF_LAMBDA:
        return
    for node in ast.walk(module.tree):
        match node:
            case ast.Attribute(value=ast.Name(id=owner) | ast.Attribute(attr=owner), attr=name, lineno=line):
                found = [(owner, name, line)]
            case ast.ImportFrom(module=str(owner), names=names, lineno=line):
                found = [(owner, alias.name, line) for alias in names]
            case _:
                continue
        own = _OWN_TIMERS.get(module.name, ())
        yield from (
            f"line {line} uses {owner}.{name}: ask _runtime"
            for owner, name, line in found
            if name in _RUNTIME_ONLY.get(owner, ()) and owner not in own
        )


def _exceptions(module: Module, _: Mapping[str, int]) -> Iterator[str]:
    if module.name == "errors":
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ClassDef) and any(_is_exception(base) for base in node.bases):
            yield f"line {node.lineno} defines the exception {node.name}: exceptions live in errors.py"


def _is_exception(base: ast.expr) -> bool:
    name = base.attr if isinstance(base, ast.Attribute) else base.id if isinstance(base, ast.Name) else ""
    builtin = getattr(builtins, name, None)
    return name.endswith(("Error", "Exception")) or (isinstance(builtin, type) and issubclass(builtin, BaseException))


def _sizes(module: Module, _: Mapping[str, int]) -> Iterator[str]:
    lines = module.source.count("\n")
    if lines > MOST_LINES:
        yield f"has {lines} lines, more than {MOST_LINES}: split it"
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[min(1, len(node.body) - 1)] if ast.get_docstring(node) is not None else node.body[0]
            length = (node.end_lineno or 0) - first.lineno + 1
            if length > MOST_FUNCTION_LINES:
                yield f"line {node.lineno}: {node.name} has {length} lines of code, more than {MOST_FUNCTION_LINES}"


def _names(module: Module, _: Mapping[str, int]) -> Iterator[str]:
    banned = {word for part in module.name.split(".") for word in part.lower().split("_")} & BANNED_WORDS
    if banned:
        yield f"is named {', '.join(sorted(banned))}, which says nothing"


def _circles(modules: Mapping[str, Module]) -> Iterator[str]:
    """
    Yield each module that reaches itself through imports of any kind, with the way back.
    """
    graph = {name: sorted({each.target for each in module.imports if each.inside} & set(modules)) for name, module in modules.items()}
    # A package's __init__ may import all its files, and none of them the __init__.
    for start in graph:
        ways = [[start]]
        seen: set[str] = set()
        while ways:
            way = ways.pop()
            for target in graph[way[-1]]:
                if target == start:
                    yield f"{start}: imports itself: {' -> '.join([*way, start])}"
                    ways.clear()
                    break
                if target not in seen:
                    seen.add(target)
                    ways.append([*way, target])
