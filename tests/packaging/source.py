"""The product's modules as text: where they are, what they import, which names they define."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.util import resolve_name
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CORE = ROOT / "shared" / "cascade_core"
DEMO = ROOT / "shared" / "cascade_demo"
LANGCHAIN = ROOT / "langchain_cascade"
LLAMAINDEX = ROOT / "llamaindex_cascade"
PACKAGES = (CORE, DEMO, LANGCHAIN, LLAMAINDEX)

# Sentences as data: one list, as long as it is.
DATA_MODULES = {DEMO / "phrases.py"}


def files(package: Path) -> list[Path]:
    return sorted(package.rglob("*.py"))


def label(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def modules(*packages: Path) -> dict[str, Path]:
    """Every module by its dotted name; that of a package ends in `.__init__`."""
    return {
        ".".join(path.relative_to(package.parent).with_suffix("").parts): path
        for package in packages
        for path in files(package)
    }


def imported(path: Path) -> Iterator[tuple[int, str]]:
    """Line and dotted name of every import: at the top, in a function, for types, by name.

    Names that `on_use` imports when they are first used count as well.
    """
    package = _package_of(path)
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = resolve_name("." * node.level + (node.module or ""), package)
            yield from ((node.lineno, f"{start}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Call) and node.args:
            function = node.func
            name = getattr(function, "attr", None) or getattr(function, "id", None)
            if name in {"import_module", "__import__"}:
                yield from ((node.lineno, text) for text in _texts(node.args[0]))
            elif name == "on_use" and isinstance(node.args[-1], ast.Dict):
                for value in node.args[-1].values:
                    for text in _texts(value):
                        yield value.lineno, resolve_name(text, package)


def _package_of(path: Path) -> str:
    names: list[str] = []
    for folder in path.parents:
        if not (folder / "__init__.py").exists():
            break
        names.insert(0, folder.name)
    return ".".join(names)


def _texts(node: ast.expr) -> list[str]:
    return [node.value] if isinstance(node, ast.Constant) and isinstance(node.value, str) else []


def import_graph(found: Mapping[str, Path]) -> dict[str, set[str]]:
    """The modules that each module imports, of those that were found."""
    graph: dict[str, set[str]] = {}
    for module, path in found.items():
        targets = (_module_of(name, found) for _, name in imported(path))
        graph[module] = {target for target in targets if target is not None and target != module}
    return graph


def _module_of(name: str, found: Mapping[str, Path]) -> str | None:
    """The module that an imported name is, or is a part of."""
    while name:
        for module in (name, f"{name}.__init__"):
            if module in found:
                return module
        name = name.rpartition(".")[0]
    return None


def defined(path: Path) -> set[str]:
    """Public names that a module defines at its top: functions, classes and values.

    Type variables are left out: all files may have the same.
    """
    names: set[str] = set()
    blocks = [parsed(path).body]
    while blocks:
        for node in blocks.pop():
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                names.add(node.name)
            elif isinstance(node, ast.If | ast.Try):
                blocks += [node.body, node.orelse]
            elif isinstance(node, ast.Assign | ast.AnnAssign) and not _is_type_variable(node.value):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                for target in targets:
                    names |= {own.id for own in ast.walk(target) if isinstance(own, ast.Name)}
    return {name for name in names if not name.startswith("_")}


def _is_type_variable(value: ast.expr | None) -> bool:
    function = value.func if isinstance(value, ast.Call) else None
    return isinstance(function, ast.Name) and function.id in {"TypeVar", "ParamSpec"}
