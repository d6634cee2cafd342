"""The project's own source as data: files, functions, classes, imports. Read once for all tidy tests."""

import ast
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MEMBERS = {
    "common": ROOT / "libs/common/kanava/common",
    "registry": ROOT / "services/registry/kanava/registry",
    "listing": ROOT / "services/listing/kanava/listing",
    "payments": ROOT / "services/payments/kanava/payments",
    "monitoring": ROOT / "services/monitoring/kanava/monitoring",
    "local": ROOT / "deploy/local/kanava/local",
}
SERVICES = ("registry", "listing", "payments", "monitoring")

Function = ast.FunctionDef | ast.AsyncFunctionDef
Check = Callable[["Module"], None]


@dataclass(frozen=True)
class Module:
    """A module of `kanava`: its dotted name, its file and its syntax tree."""

    name: str
    path: Path
    text: str
    tree: ast.Module

    @property
    def where(self) -> str:
        """The path from the root of the repository."""
        return self.path.relative_to(ROOT).as_posix()

    @property
    def member(self) -> str:
        """`common`, `local` or the service."""
        return self.name.split(".")[1]

    @property
    def is_domain(self) -> bool:
        """Whether it states pure rules."""
        return ".domain" in self.name

    def functions(self) -> Iterator[tuple[str, Function]]:
        """Every function with its qualified name, those inside classes and functions too."""
        yield from _functions(self.tree, "")

    def classes(self) -> Iterator[ast.ClassDef]:
        """Every class."""
        return (node for node in ast.walk(self.tree) if isinstance(node, ast.ClassDef))


def _functions(node: ast.AST, prefix: str) -> Iterator[tuple[str, Function]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Function):
            yield f"{prefix}{child.name}", child
            yield from _functions(child, f"{prefix}{child.name}.")
        else:
            inner = f"{prefix}{child.name}." if isinstance(child, ast.ClassDef) else prefix
            yield from _functions(child, inner)


@cache
def modules() -> tuple[Module, ...]:
    """Every module of the members, without migrations."""
    return tuple(_module(member, path) for member in MEMBERS for path in sorted(MEMBERS[member].rglob("*.py")))


def _module(member: str, path: Path) -> Module:
    parts = path.relative_to(MEMBERS[member]).with_suffix("").parts
    name = ".".join(("kanava", member, *parts)).removesuffix(".__init__")
    text = path.read_text(encoding="utf-8")
    return Module(name, path, text, ast.parse(text, str(path)))


def every(chosen: Callable[[Module], bool] = lambda module: True) -> Callable[[Check], Callable[[], None]]:
    """Make one test of a check of one module: it goes over all that are chosen and names every one that fails."""

    def decorate(check: Check) -> Callable[[], None]:
        def test() -> None:
            failures = []
            for module in filter(chosen, modules()):
                try:
                    check(module)
                except AssertionError as error:
                    failures.append(f"{module.where}: {error}")
            assert not failures, "\n" + "\n".join(failures)

        test.__name__, test.__doc__, test.__module__ = check.__name__, check.__doc__, check.__module__
        return test

    return decorate


def length(node: Function) -> int:
    """Lines of a function, from its `def` to its end, its docstring included."""
    assert node.end_lineno is not None
    return node.end_lineno - node.lineno + 1


def dotted(node: ast.AST) -> str:
    """`a.b.c` of nested attributes; empty where the base is no name."""
    if isinstance(node, ast.Attribute):
        base = dotted(node.value)
        return f"{base}.{node.attr}" if base else node.attr
    return node.id if isinstance(node, ast.Name) else ""


@cache
def tracked_files() -> tuple[Path, ...]:
    """Every file of the repository that git tracks or would track; without git, every file that is not hidden."""
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-co", "--exclude-standard", "-z"], capture_output=True, check=False
    )
    if listed.returncode == 0:
        names = listed.stdout.decode().split("\0")
        return tuple(sorted(path for name in names if name and (path := ROOT / name).is_file()))
    found = (path for path in ROOT.rglob("*") if path.is_file())
    return tuple(sorted(path for path in found if not _is_made_here(path)))


def _is_made_here(path: Path) -> bool:
    """What the machine makes for itself: the environment, caches, build folders."""
    parts = path.relative_to(ROOT).parts
    made = {".git", ".kanava", "__pycache__", ".pytest_cache", ".ruff_cache", ".mypy_cache", ".hypothesis"}
    return bool(made.intersection(parts)) or any(part.endswith(".egg-info") for part in parts)
