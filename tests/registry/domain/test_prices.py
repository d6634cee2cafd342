"""How a price is bound: by unit, by the weight of DRG or pDRG, or to a whole package per treated client."""

from datetime import date

import pytest

from kanava.common.contracts.registry import PriceBasis
from kanava.registry.domain.prices import Activity, broken_by_basis, broken_by_total, price_id

UNITS = {"MTP.3": frozenset({"suorite", "hoidettu_asiakas"}), "MTP.1": frozenset[str]()}


@pytest.mark.parametrize(
    ("basis", "unit", "has_total", "rules"),
    [
        ("unit", "kaynti", False, []),
        ("unit", "paikka", False, []),
        ("drg_weight", "hoidettu_asiakas_drg", False, []),
        ("pdrg_weight", "hoidettu_asiakas_pdrg", False, []),
        ("package_total", "hoidettu_asiakas", True, []),
        ("drg_weight", "kaynti", False, ["unit_of_basis"]),
        ("drg_weight", "hoidettu_asiakas_pdrg", False, ["unit_of_basis"]),
        ("unit", "hoidettu_asiakas_drg", False, ["unit_of_basis"]),
        ("package_total", "kaynti", False, ["unit_of_basis", "total_of_package"]),
        ("unit", "kaynti", True, ["total_of_package"]),
    ],
)
def test_a_price_by_weight_needs_the_unit_of_that_weight(
    basis: PriceBasis, unit: str, has_total: bool, rules: list[str]
) -> None:
    assert [one.rule for one in broken_by_basis(basis, unit, has_total=has_total)] == rules


def test_a_total_price_is_for_a_whole_package_and_its_activities() -> None:
    fine = [Activity("MTP.3", "suorite"), Activity("MTP.3", "hoidettu_asiakas"), Activity("MTP.1", "suorite")]
    assert broken_by_total("MTP", "MTP", fine, UNITS) == []
    odd = [Activity("PVO.1", "kaynti"), Activity("MTP.3", "kaynti"), fine[0], fine[0]]
    assert [(one.pointer, one.rule) for one in broken_by_total("MTP", "PVO", odd, UNITS)] == [
        ("/total_price/package", "package_of_price"),
        ("/total_price/activities/0/node", "node_of_package"),
        ("/total_price/activities/1/unit_of_measure", "unit_of_node"),
        ("/total_price/activities/3/node", "activity_once"),
    ]
    assert [one.rule for one in broken_by_total("XYZ", "XYZ", [], {})] == ["package_published"]


def test_a_node_has_a_price_by_its_own_unit_and_one_by_weight() -> None:
    day = date(2026, 11, 1)
    assert price_id("03", "PVO.2.1.1", "kaynti", day) == "03:PVO.2.1.1:2026-11-01"
    assert price_id("03", "PVO.2.1.1", "hoidettu_asiakas_pdrg", day) == "03:PVO.2.1.1:hoidettu_asiakas_pdrg:2026-11-01"
