"""The three classes of contract and what each allows (source line 214)."""

from datetime import date

import pytest

from kanava.registry.domain.contract_classes import broken_by_kinds, broken_by_span, class_terms

DAY = date(2026, 11, 1)
ALLOWED = {
    "basic": {"capitation", "fee", "incentive"},
    "cooperation": {"capitation", "base_payment", "incentive"},
    "partnership": {"capitation", "incentive", "effectiveness"},
}


@pytest.mark.parametrize("contract_class", ALLOWED)
@pytest.mark.parametrize("kind", ["capitation", "fee", "incentive", "base_payment", "effectiveness"])
def test_a_class_allows_its_kinds_and_no_other(contract_class: str, kind: str) -> None:
    broken = broken_by_kinds(contract_class, [kind], DAY)
    assert (broken == []) is (kind in ALLOWED[contract_class])


def test_what_is_wrong_is_named() -> None:
    (one,) = broken_by_kinds("basic", ["fee", "base_payment"], DAY)
    assert (one.pointer, one.rule) == ("/compensation_kinds/1", "kind_of_class")
    (twice,) = broken_by_kinds("basic", ["fee", "fee"], DAY)
    assert (twice.pointer, twice.rule) == ("/compensation_kinds/1", "kind_once")
    (early,) = broken_by_kinds("basic", ["fee"], date(2010, 1, 1))
    assert early.rule == "class_known"


def test_each_class_has_a_follow_up_body_and_a_level_of_decision() -> None:
    decided_by = {name: class_terms(name, DAY).decided_by_fi for name in ALLOWED}
    assert decided_by == {
        "basic": "palvelupäällikkö",
        "cooperation": "johtajataso",
        "partnership": "ohjausryhmä",
    }


def test_a_contract_ends_after_it_starts() -> None:
    assert broken_by_span(DAY, None) == broken_by_span(DAY, DAY) == []
    assert [one.rule for one in broken_by_span(DAY, date(2026, 10, 31))] == ["ends_after_start"]
