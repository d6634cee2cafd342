"""Who may import whom: the contracts of import-linter, layers by our own reading too, and no cycle anywhere."""

import ast
from collections.abc import Iterator

import pytest
from importlinter.application.use_cases import create_report, read_user_options
from importlinter.cli import lint_imports
from importlinter.configuration import configure

from tests.tidy.source import ROOT, SERVICES, Module, every, modules

LAYERS = {"main": 6, "api": 5, "pages": 5, "consumers": 5, "service": 4, "views": 3, "store": 3, "tables": 2}
LAYERS["domain"] = 1
PURE = {"fastapi", "starlette", "faststream", "aiokafka", "sqlmodel", "sqlalchemy", "httpx", "psycopg", "psycopg_pool"}
WANTED_CONTRACTS = 5


def test_import_linter_keeps_every_contract(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert lint_imports(config_filename="pyproject.toml", no_cache=True) == 0


def test_the_contracts_of_import_linter_are_all_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """A contract that somebody deletes is missed here."""
    monkeypatch.chdir(ROOT)
    configure()
    report = create_report(read_user_options(config_filename="pyproject.toml"))
    assert len(list(report.get_contracts_and_checks())) >= WANTED_CONTRACTS


@every(lambda one: one.member in SERVICES)
def test_control_goes_down_only(module: Module) -> None:
    """A layer imports from layers below it only; modules between the layers are not bound by this."""
    own = _layer(module.name)
    above = [name for name in imports_of(module) if own and (_layer(name) or 0) > own]
    assert above == []


def _layer(name: str) -> int | None:
    """The height of a module's layer, or None when its name is no layer's."""
    parts = name.split(".")
    return LAYERS.get(parts[2]) if len(parts) > 2 and parts[1] in SERVICES else None


@every(lambda one: one.is_domain)
def test_a_domain_does_no_input_or_output(module: Module) -> None:
    foreign = {name.split(".")[0] for name in imports_of(module)}
    assert foreign & PURE == set()
    assert [name for name, node in module.functions() if isinstance(node, ast.AsyncFunctionDef)] == []


@every(lambda one: one.member in SERVICES)
def test_a_service_imports_no_other_service(module: Module) -> None:
    others = [f"kanava.{one}" for one in (*SERVICES, "local") if one != module.member]
    assert [name for name in imports_of(module) if any(f"{name}.".startswith(f"{one}.") for one in others)] == []


def test_no_module_imports_itself_in_a_circle() -> None:
    graph = {module.name: set(imports_of(module)) for module in modules()}
    known = {name: {one for one in targets if one in graph and one != name} for name, targets in graph.items()}
    assert _circle(known) == []


def _circle(graph: dict[str, set[str]]) -> list[str]:
    """The modules of the first circle that is found; empty when there is none. Packages count by what they import."""
    done: set[str] = set()

    def walk(name: str, path: list[str]) -> list[str]:
        if name in path:
            return [*path[path.index(name) :], name]
        if name in done:
            return []
        for target in sorted(graph[name]):
            if circle := walk(target, [*path, name]):
                return circle
        done.add(name)
        return []

    return next((circle for name in sorted(graph) if (circle := walk(name, []))), [])


def imports_of(module: Module) -> Iterator[str]:
    """The dotted names that a module imports anywhere, also inside functions, made absolute."""
    every = {one.name for one in modules()}
    package = module.name if module.path.stem == "__init__" else module.name.rpartition(".")[0]
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(package, node)
            for alias in node.names:
                inner = f"{base}.{alias.name}"
                yield inner if inner in every else base


def _absolute(package: str, node: ast.ImportFrom) -> str:
    if not node.level:
        return str(node.module)
    parts = package.split(".")
    start = parts[: len(parts) - node.level + 1]
    return ".".join([*start, *([node.module] if node.module else [])])
