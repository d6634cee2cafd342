"""Which cost belongs to which class: the packaged table is whole, nodes inherit, and no cent is lost."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanava.payments.cost_classes import class_tables
from kanava.payments.domain.benefits import BenefitKind
from kanava.payments.domain.chart import Account
from kanava.payments.domain.cost_classes import Cost, CostClass, CostKind, Purpose, purpose_of, sums_by_class, table_on
from kanava.payments.views.cost_classes import COSTS
from kanava.registry.domain.packages import Node, nodes_of

NOVEMBER = date(2026, 11, 1)
REHABILITATION = Purpose(CostClass.CARE, CostKind.REHABILITATION)


def published() -> Iterator[Node]:
    """The nodes of the packages that registry carries."""
    for name in ("packages.json", "sosiaaliohjaus.json"):
        file = resources.files("kanava.registry") / "data" / name
        for package in json.loads(file.read_text(encoding="utf-8"))["packages"]:
            yield from nodes_of(package)


PARENTS = {node.code: node.parent for node in published()}


def fee(node: str) -> Purpose:
    """What a fee for a node is for."""
    return purpose_of(Cost(NOVEMBER, Account.FEE, 1, node=node), class_tables()[0], PARENTS)


def test_every_account_of_costs_and_kind_of_benefit_has_a_class_and_every_named_node_exists() -> None:
    for table in class_tables():
        assert set(table.accounts) == set(COSTS)
        assert set(table.benefits) == set(BenefitKind)
        assert set(table.nodes) <= set(PARENTS)
    tops = {code for code, parent in PARENTS.items() if parent is None}
    assert tops <= set(class_tables()[0].nodes), "every function of the packages has a class"


def test_the_nodes_say_what_the_table_means() -> None:
    names = {node.code: node.name_fi for node in published()}
    table = class_tables()[0].nodes
    prevention = [names[code] for code, purpose in table.items() if purpose.kind is CostKind.PREVENTION]
    rehabilitation = [names[code] for code, purpose in table.items() if purpose.kind is CostKind.REHABILITATION]
    assert all("nnaltaehkäisevät" in name for name in prevention)
    assert len(prevention) == 2
    words = ("kuntou", "fysioterapeutin")
    assert all(any(word in name.lower() for word in words) for name in rehabilitation)
    assert all(code in table and table[code].kind for code, name in names.items() if "kuntou" in name.lower())


@pytest.mark.parametrize(
    ("node", "purpose"),
    [
        ("MTP.3.6.1.1", REHABILITATION),
        ("MTP.3.1.1.1", Purpose(CostClass.CARE)),
        ("MTP.6.3.1.1", Purpose(CostClass.NURSING)),
        ("PVO.1.2", Purpose(CostClass.SERVICES, CostKind.PREVENTION)),
        ("PVO.2.4.1", REHABILITATION),
        ("SOS.1.1", Purpose(CostClass.SERVICES)),
        ("", Purpose(CostClass.SERVICES)),
        ("NEW.1", Purpose(CostClass.SERVICES)),
    ],
)
def test_a_node_has_the_class_of_the_closest_one_above_it(node: str, purpose: Purpose) -> None:
    assert fee(node) == purpose


def test_a_benefit_has_the_class_of_its_kind() -> None:
    of = {
        kind: purpose_of(Cost(NOVEMBER, Account.BENEFIT, 1, kind), class_tables()[0], {}).kind for kind in BenefitKind
    }
    expected = {BenefitKind.MEDICINES: CostKind.MEDICINES, BenefitKind.TRAVEL: CostKind.TRAVEL, BenefitKind.OTHER: None}
    assert of == expected


def test_a_table_holds_from_its_day_on() -> None:
    first = class_tables()[0]
    second = replace(first, valid_from=date(2026, 12, 1), accounts=first.accounts | {Account.FEE: REHABILITATION})
    costs = [Cost(month, Account.FEE, 100) for month in (NOVEMBER, date(2026, 12, 1), date(2027, 1, 1))]
    found = sums_by_class(costs, [second, first], {})
    assert [one.kind for one in found] == [None, CostKind.REHABILITATION, CostKind.REHABILITATION]
    assert table_on([second, first], date(1999, 1, 1)) == first
    with pytest.raises(ValueError, match="no table"):
        table_on([], NOVEMBER)


COST = st.builds(
    Cost,
    month=st.sampled_from([NOVEMBER, date(2026, 12, 1)]),
    account=st.sampled_from(COSTS),
    amount_cents=st.integers(-(10**12), 10**12),
    benefit=st.sampled_from(["", *BenefitKind]),
    node=st.sampled_from(["", *PARENTS]),
)


@given(st.lists(COST, max_size=30))
def test_the_classes_of_any_costs_add_up_to_them(costs: list[Cost]) -> None:
    found = sums_by_class(costs, class_tables(), PARENTS)
    for month in {cost.month for cost in costs}:
        classed = sum(one.amount_cents for one in found if one.month == month)
        assert classed == sum(cost.amount_cents for cost in costs if cost.month == month)
    assert all(one.amount_cents for one in found)
    assert list(found) == list(sums_by_class(list(reversed(costs)), class_tables(), PARENTS)), "in any order the same"
