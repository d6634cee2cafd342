"""Sizes, docstrings and names of the code: the house rules that can be counted."""

import ast

import pytest

from tests.tidy.source import Function, Module, every, length, modules

FUNCTION_LINES = 70
FILE_LINES = 500
PUBLIC_DOCSTRINGS_PERCENT = 75
CROWDED = frozenset(
    {
        "kanava.common.idempotency.once",
        "kanava.common.groupcommit.GroupCommit.once",
        "kanava.payments.ledger._flaw",
        "kanava.payments.service.statements._settle_and_pay",
        "kanava.local.demo.command._month",
        "kanava.local.demo.desk.Desk.send",
        "kanava.local.demo.desk.Desk.upload",
        "kanava.local.demo.population._group",
        "kanava.local.demo.visits._report",
    }
)
"""Functions that take more than three parameters by position although they should not."""
VAGUE_NAMES = ("util", "utils", "helper", "helpers", "manager", "misc")


def is_public(name: str) -> bool:
    """Whether no part of a qualified name begins with an underscore."""
    return not any(part.startswith("_") for part in name.split("."))


def is_inner(name: str, module: Module) -> bool:
    """Whether a function stands inside another function, where nobody else can call it."""
    functions = {one for one, _ in module.functions()}
    return any(name.startswith(f"{outer}.") for outer in functions)


@every()
def test_no_function_is_too_long(module: Module) -> None:
    long = [f"{name}: {length(node)}" for name, node in module.functions() if length(node) > FUNCTION_LINES]
    assert long == []


@every()
def test_no_file_is_too_long(module: Module) -> None:
    assert len(module.text.splitlines()) <= FILE_LINES


@every()
def test_every_module_and_class_says_what_it_is(module: Module) -> None:
    assert ast.get_docstring(module.tree), "the module has no docstring"
    assert [node.name for node in module.classes() if not ast.get_docstring(node)] == []


@every(lambda one: one.is_domain)
def test_every_public_function_of_a_domain_says_what_it_does(module: Module) -> None:
    public = public_functions(module)
    assert [name for name, node in public if not ast.get_docstring(node)] == []


@pytest.mark.parametrize("member", sorted({one.member for one in modules()}))
def test_most_public_functions_say_what_they_do(member: str) -> None:
    public = [one for module in modules() if module.member == member for one in public_functions(module)]
    silent = [name for name, node in public if not ast.get_docstring(node)]
    assert 100 * len(silent) <= (100 - PUBLIC_DOCSTRINGS_PERCENT) * len(public), silent


def public_functions(module: Module) -> list[tuple[str, Function]]:
    """Functions and methods that others may call; `__call__` and the like are not counted."""
    found = module.functions()
    return [(name, node) for name, node in found if is_public(name) and not is_inner(name, module)]


@every()
def test_no_module_has_a_name_that_says_nothing(module: Module) -> None:
    assert module.path.stem not in VAGUE_NAMES


@every()
def test_a_boolean_is_given_by_name(module: Module) -> None:
    """A route's parameters are named by the request and a dataclass's by its fields; both are left out."""
    assert [name for name, node in module.functions() if positional_booleans(node) and not is_route(node)] == []


@every()
def test_more_than_three_parameters_are_given_by_name(module: Module) -> None:
    """Besides `tx` or `self`. Those that are known to break this may only become fewer."""
    crowded = [name for name, node in module.functions() if positional_parameters(node) > 4 and not is_route(node)]
    assert [name for name in crowded if f"{module.name}.{name}" not in CROWDED] == []


def positional_parameters(node: Function) -> int:
    """How many parameters may be given by position."""
    return len(node.args.posonlyargs) + len(node.args.args)


def positional_booleans(node: Function) -> list[str]:
    """Parameters of the type bool that may be given by position."""
    return [
        one.arg
        for one in (*node.args.posonlyargs, *node.args.args)
        if isinstance(one.annotation, ast.Name) and one.annotation.id == "bool"
    ]


def is_route(node: Function) -> bool:
    """Whether a web framework or a command line calls it by names."""
    return any(isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute) for one in node.decorator_list)
