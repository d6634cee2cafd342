"""A municipality belongs to one area."""

from kanava.registry.domain.municipalities import broken_by_municipality
from kanava.registry.municipalities import area_by_municipality


def test_the_municipalities_of_uusimaa_are_known_with_their_areas() -> None:
    areas = area_by_municipality()
    assert len(areas) == 26
    assert (areas["049"], areas["091"], areas["638"]) == ("03", "90", "01")


def test_a_foreign_or_unknown_municipality_is_named() -> None:
    areas = area_by_municipality()
    assert broken_by_municipality(areas, "049", "03") == []
    assert [one.rule for one in broken_by_municipality(areas, "091", "03")] == ["municipality_of_area"]
    assert [one.rule for one in broken_by_municipality(areas, "999", "03")] == ["municipality_known"]
