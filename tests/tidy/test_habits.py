"""What the code must never do, read from its syntax tree; each rule names the places where it may."""

import ast
from collections.abc import Iterator

from tests.tidy.source import Module, dotted, every

CLOCK_CALLS = ("datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.time_ns")
CLOCK_PLACES = ("kanava.common.clock", "kanava.common.telemetry", "kanava.common.auth", "kanava.local")
RANDOM_MODULES = ("random", "secrets")
RANDOM_PLACES = ("kanava.local",)
PRINT_PLACES = ("kanava.local", "kanava.common.contracts.export")
COMMIT_PLACES = ("kanava.common.db",)
MONEY_WORDS = ("cents", "amount", "price", "fee", "rate", "permille", "balance", "sum")


def calls(module: Module) -> Iterator[tuple[str, ast.Call]]:
    """Every call with the dotted name of what is called."""
    return ((dotted(node.func), node) for node in ast.walk(module.tree) if isinstance(node, ast.Call))


def may(module: Module, places: tuple[str, ...]) -> bool:
    """Whether a module is one of the places, or below one."""
    return any(module.name == place or module.name.startswith(f"{place}.") for place in places)


def found_in(module: Module, banned: tuple[str, ...]) -> list[str]:
    """Calls whose dotted name is, or ends in, a banned one."""
    hits = ((name, node) for name, node in calls(module) if any(("." + name).endswith("." + one) for one in banned))
    return [f"{module.where}:{node.lineno} {name}" for name, node in hits]


@every()
def test_time_comes_from_the_clock(module: Module) -> None:
    if not may(module, CLOCK_PLACES):
        assert found_in(module, CLOCK_CALLS) == []


@every()
def test_randomness_is_a_parameter(module: Module) -> None:
    if not may(module, RANDOM_PLACES):
        imported = [
            alias.name for node in ast.walk(module.tree) if isinstance(node, ast.Import) for alias in node.names
        ]
        imported += [str(node.module) for node in ast.walk(module.tree) if isinstance(node, ast.ImportFrom)]
        assert not set(imported) & set(RANDOM_MODULES)


@every()
def test_only_the_command_line_prints(module: Module) -> None:
    if not may(module, PRINT_PLACES):
        assert found_in(module, ("print",)) == []


@every()
def test_only_the_edge_commits(module: Module) -> None:
    if not may(module, COMMIT_PLACES):
        assert [one for one in found_in(module, ("commit", "rollback")) if "consumer" not in one] == []


@every()
def test_money_is_never_a_float(module: Module) -> None:
    """No `float(...)` of a name that means money, no annotation of one as float, no round() of one."""
    converted = [
        f"{module.where}:{node.lineno}"
        for name, node in calls(module)
        if name in ("float", "round") and any(_means_money(word) for word in _names_in(node))
    ]
    annotated = [
        f"{module.where}:{node.lineno}"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.AnnAssign | ast.arg) and "float" in _annotation(node) and _means_money(_target(node))
    ]
    assert converted + annotated == []


def _names_in(node: ast.Call) -> Iterator[str]:
    for argument in node.args:
        for inner in ast.walk(argument):
            if isinstance(inner, ast.Name):
                yield inner.id
            elif isinstance(inner, ast.Attribute):
                yield inner.attr
            elif isinstance(inner, ast.Constant) and isinstance(inner.value, str):
                yield inner.value


def _means_money(name: str) -> bool:
    words = name.lower().split("_")
    return any(word in MONEY_WORDS for word in words) and words[-1] not in ("seconds", "ratio", "bytes")


def _annotation(node: ast.AnnAssign | ast.arg) -> str:
    return ast.unparse(node.annotation) if node.annotation is not None else ""


def _target(node: ast.AnnAssign | ast.arg) -> str:
    return node.arg if isinstance(node, ast.arg) else dotted(node.target)


@every()
def test_nothing_happens_at_import(module: Module) -> None:
    """At the top of a module stand definitions and plain values; no loop, no `with`, no bare call.

    Tables are declarations, also where a call adds them to the metadata; `__main__` is what a process runs.
    """
    if module.path.stem == "__main__" or "tables" in module.name.split("."):
        return
    doing = [
        node.lineno
        for node in module.tree.body
        if isinstance(node, ast.For | ast.While | ast.With | ast.AsyncWith)
        or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call))
    ]
    assert doing == []


@every()
def test_no_promise_is_left_in_the_code(module: Module) -> None:
    """No TODO and no stub; a `type: ignore` names its rule and its reason."""
    promises = ("TO" + "DO", "FIX" + "ME", "XX" + "X", "NotImplementedError")
    lines = list(enumerate(module.text.splitlines(), 1))
    assert [number for number, line in lines if any(word in line for word in promises)] == []
    ignored = [(number, line.split("type: ignore", 1)[1]) for number, line in lines if "# type: ignore" in line]
    assert [number for number, rest in ignored if not (rest.startswith("[") and "#" in rest)] == []
