"""Which municipalities pay into an area's account, and for which years."""

from datetime import date

import pytest

from kanava.payments.domain.municipalities import Municipality, Stranger, flaw_of_payer
from kanava.payments.figures import municipalities, populations

LISTED = {"001": Municipality("03"), "002": Municipality("03", date(2025, 1, 1), "001"), "003": Municipality("04")}


@pytest.mark.parametrize(
    ("code", "years", "rule"),
    [
        ("001", [2026], None),
        ("003", [2026], Stranger.OTHER_AREA),
        ("999", [2026], Stranger.UNKNOWN),
        ("002", [2024], None),
        ("002", [2025], Stranger.ENDED),
        ("002", [2024, 2025], Stranger.ENDED),
        ("002", [], None),
    ],
)
def test_a_municipality_pays_into_its_area_for_the_years_in_which_it_is_one(
    code: str, years: list[int], rule: Stranger | None
) -> None:
    found = flaw_of_payer(LISTED, code, area="03", fiscal_years=years)
    assert (found and found.rule) == rule


def test_who_went_on_with_a_municipality_is_named() -> None:
    found = flaw_of_payer(LISTED, "002", area="03", fiscal_years=[2026])
    assert found is not None
    assert "001" in found.detail
    assert "2025-01-01" in found.detail


def test_a_year_in_which_it_ended_is_still_its_year() -> None:
    ended = {"002": Municipality("03", date(2025, 6, 1), None)}
    assert flaw_of_payer(ended, "002", area="03", fiscal_years=[2025]) is None
    assert flaw_of_payer(ended, "002", area="03", fiscal_years=[2026]) is not None


def test_the_code_list_is_whole_and_its_successors_are_in_it() -> None:
    listed = municipalities()
    here = {code for kind, code in populations() if kind == "municipality"}
    assert {code for code, one in listed.items() if one.until is None} == here
    assert {one.area for one in listed.values()} == {"01", "02", "03", "04", "90"}
    for one in listed.values():
        assert (one.until is None) == (one.successor is None)
        assert one.successor is None or (listed[one.successor].until, listed[one.successor].area) == (None, one.area)
