"""The chart of accounts in words: each account's and entry's meaning, read from where it is declared.

`docs/chart-of-accounts.md` is made from it, and a test fails when the two differ.
"""

import ast
import inspect
from enum import StrEnum
from functools import cache
from itertools import pairwise

from .domain import chart
from .domain.chart import CASH, CLEARING, Account, EntryKind
from .domain.trial_balance import AccountClass, class_of


@cache
def meanings(kind: type[StrEnum]) -> dict[str, str]:
    """The sentence below each member of an enum of the chart, by the member's value."""
    tree = ast.parse(inspect.getsource(chart))
    body = next(one.body for one in tree.body if isinstance(one, ast.ClassDef) and one.name == kind.__name__)
    found = {}
    for assigned, said in pairwise(body):
        if isinstance(assigned, ast.Assign) and isinstance(said, ast.Expr) and isinstance(said.value, ast.Constant):
            name = ast.unparse(assigned.targets[0])
            found[kind[name].value] = " ".join(str(said.value.value).split())
    return found


def meaning(account: str) -> str:
    """What an account is, with its Finnish name."""
    return meanings(Account)[account].split("; the party")[0].rstrip(".")


_CLASSES = {
    AccountClass.ASSET: "vastaavaa",
    AccountClass.LIABILITY: "vastattavaa",
    AccountClass.INCOME: "tuotot",
    AccountClass.COST: "kulut",
}


def document() -> str:
    """The chart of accounts as a page."""
    accounts = [
        f"| {account.value} | {class_of(account).name.lower()} ({_CLASSES[class_of(account)]}) |"
        f" {meanings(Account)[account.value]} | {_notes(account)} |"
        for account in sorted(Account)
    ]
    kinds = [f"| `{kind.value}` | {meanings(EntryKind)[kind.value]} |" for kind in EntryKind]
    return "\n".join(
        [
            "# Chart of accounts (tilikartta)",
            "",
            "Made from `services/payments/kanava/payments/domain/chart.py`; a test fails when they differ. Every area",
            "has the same chart. Debits are positive, credits negative, and the postings of an entry sum to zero.",
            "Income and cost begin each fiscal year at zero.",
            "",
            "| account | class | what it is | notes |",
            "|---|---|---|---|",
            *accounts,
            "",
            "## Kinds of entries (tositelajit)",
            "",
            "| kind | what happened |",
            "|---|---|",
            *kinds,
            "",
        ]
    )


def _notes(account: Account) -> str:
    notes = ["counts towards what the area can spend"] * (account in CASH)
    notes += ["clearing account: empty, or listed with its age"] * (account in CLEARING)
    return "; ".join(notes) or "–"
