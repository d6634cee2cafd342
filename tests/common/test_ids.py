"""Identifiers: right ones pass, one wrong character does not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import iso11649

from kanava.common import ids


def test_a_hetu_of_the_sandbox_range_and_of_every_century_passes() -> None:
    assert ids.valid_hetu("131052-901x") == "131052-901X"
    with pytest.raises(ValueError, match="HETU"):
        ids.valid_hetu("131052-901Y")
    with pytest.raises(ValueError, match="HETU"):
        ids.valid_hetu("310299-9011")


def test_a_business_id_and_its_oid() -> None:
    assert ids.valid_business_id("3221347-3") == "3221347-3"
    assert ids.organisation_oid("3221347-3", 4) == "1.2.246.10.32213473.10.4"
    assert ids.organisation_oid("0201256-6").startswith("1.2.246.10.2012566.10.")
    with pytest.raises(ValueError, match="Y-tunnus"):
        ids.valid_business_id("3221347-4")


@pytest.mark.parametrize("oid", ["1.2.246.10.32213474.10.0", "1.2.246.10.032213473.10.0", "1.2.3", ""])
def test_a_wrong_oid_is_refused(oid: str) -> None:
    with pytest.raises(ValueError, match=r"OID|Y-tunnus"):
        ids.valid_oid(oid)
    assert ids.valid_oid("1.2.246.10.32213473.10.0")


@given(st.integers(100, 10**15))
def test_references_pass_their_own_checks(base: int) -> None:
    assert iso11649.is_valid(ids.rf_reference(base))
    assert len(ids.rf_reference(base)) <= 25


def test_areas_and_municipalities() -> None:
    assert len(ids.AREA_CODES) == 22
    assert ids.valid_area("90") == "90"
    for wrong in ("22", "00", "3"):
        with pytest.raises(ValueError, match="area"):
            ids.valid_area(wrong)
    with pytest.raises(ValueError, match="three digits"):
        ids.valid_municipality("49")


@given(st.lists(st.text(max_size=8), max_size=4))
def test_a_derived_id_depends_on_its_parts_alone(parts: list[str]) -> None:
    assert ids.derived_id(*parts) == ids.derived_id(*parts)
    assert ids.derived_id(*parts, "more") != ids.derived_id(*parts)


def test_a_hetu_is_found_in_the_middle_of_a_text() -> None:
    assert ids.holds_hetu("visit of 131052-901x!")
    assert not ids.holds_hetu("131052-9080")
    assert not ids.holds_hetu("131052-901Y"), "the check character is another person's, or nobody's"
