"""The platform's own cut: which part may import which, no cycles, routes on services, and the page that says so."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BASE = {"span", "credit", "ties"}
ENGINES = {"diagnosis", "entry", "roadmap", "matching", "verdict", "mentoring", "fit", "privacy"}
DATA = {"registry", "pull"}
MAY = {
    **{name: set[str]() for name in BASE},
    "catalogue": BASE | {"roadmap", "matching"},
    **{name: BASE | {"catalogue"} for name in ENGINES},
    "entry": BASE | {"catalogue", "diagnosis"},
    "glossary": {"mentoring", "privacy"},
    "pull": set[str](),
    "registry": BASE | ENGINES,
    "intake": DATA | {"fit", "diagnosis"},
    "services": BASE | ENGINES | DATA | {"catalogue", "glossary", "intake"},
    "simulation": BASE | ENGINES | DATA | {"catalogue", "glossary", "intake", "services"},
    "api": BASE | ENGINES | DATA | {"catalogue", "glossary", "intake", "services"},
    "cli": BASE | ENGINES | DATA | {"catalogue", "glossary", "intake", "services", "simulation", "api"},
}


def _name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {
    _name(path): path for path in sorted((ROOT / "techsquare").rglob("*.py")) if "migrations" not in path.parts
}


def _imports(module: str, *, types: bool) -> set[str]:
    """Return modules that one imports when it is loaded; `types`: for types and in functions as well."""
    found: set[str] = set()

    def walk(nodes: list[ast.stmt]) -> None:
        for node in nodes:
            if isinstance(node, ast.Import):
                found.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                found.update(
                    full if (full := f"{node.module}.{alias.name}") in FILES else str(node.module)
                    for alias in node.names
                )
            later = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            guarded = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
            if types or not (later or guarded):
                for part in ("body", "orelse", "finalbody"):
                    walk(getattr(node, part, []))

    walk(ast.parse(FILES[module].read_text("utf-8")).body)
    return {name for name in found if name in FILES and name != module}


def _part(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


@pytest.mark.parametrize("part", sorted(MAY))
def test_a_part_imports_only_what_the_page_says(part: str) -> None:
    allowed = MAY[part] | {part, ""}
    for module in FILES:
        if _part(module) == part:
            for name in _imports(module, types=True):
                assert _part(name) in allowed, f"{module} imports {name}"


def test_every_part_has_a_place() -> None:
    assert {_part(module) for module in FILES} - {""} == set(MAY)


def test_no_two_modules_import_each_other_by_any_detour() -> None:
    graph = {module: _imports(module, types=False) for module in FILES}
    assert sum(map(len, graph.values())) > 500
    left = dict(graph)
    while left:  # what imports nothing that is left can be taken away; a cycle cannot
        free = [module for module, needs in left.items() if not needs & left.keys()]
        assert free, f"these import each other: {_cycle(left)}"
        left = {module: needs for module, needs in left.items() if module not in free}


def _cycle(graph: dict[str, set[str]]) -> list[str]:
    path = [min(graph)]
    while True:
        after = min(name for name in graph[path[-1]] if name in graph)
        if after in path:
            return [*path[path.index(after) :], after]
        path.append(after)


def test_a_cycle_would_be_found() -> None:
    assert _cycle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]


def test_routes_ask_services_and_no_tables() -> None:
    routes = [path for module, path in FILES.items() if module.startswith("techsquare.api.routes.")]
    assert len(routes) > 10
    for path in routes:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sqlalchemy"):
                names = {alias.name for alias in node.names}
                assert names <= {"Session"}, f"{path.name} asks the database itself: {names}"


def test_parts_are_told_where_they_are_looked_for() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    cut = (ROOT / "techsquare" / "__init__.py").read_text("utf-8")
    services = (ROOT / "techsquare" / "services" / "__init__.py").read_text("utf-8")
    assert not [part for part in MAY if part != "pull" and f"`{part}`" not in page]
    assert not [part for part in set(MAY) - BASE - {"pull", "fit", "privacy", "catalogue"} if part not in cut]
    names = {m.split(".")[2] for m in FILES if m.startswith("techsquare.services.") and m.count(".") == 2}
    assert not {name for name in names if not re.search(rf"\b{name}\b", services)}
