"""A reported row: what each field may hold, and what may be kept of a rejected one."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanava.monitoring.domain.faults import Flaw, RowFault
from kanava.monitoring.domain.reports import FIELDS, Report, kept_fields, kept_value, read_report
from tests.monitoring.world import FIRST, report

HETU = "131052-9085"

anything = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.lists(st.integers()))


def test_a_good_row_is_read_from_json_and_from_csv() -> None:
    from_json = read_report(report())
    from_csv = read_report({name: str(value) for name, value in report().items()})
    assert isinstance(from_json, Report)
    assert from_json == from_csv
    assert from_json.resident_id == FIRST


@pytest.mark.parametrize(
    ("field", "value", "fault"),
    [
        ("report_id", "", RowFault.MISSING),
        ("report_id", "two words", RowFault.NOT_AN_ID),
        ("report_id", HETU, RowFault.PERSONAL_DATA),
        ("unit_id", "unit seven", RowFault.NOT_A_UNIT_ID),
        ("resident_id", HETU, RowFault.NOT_A_RESIDENT_ID),
        ("node", "SOS 1", RowFault.NOT_A_NODE),
        ("node", HETU, RowFault.PERSONAL_DATA),
        ("drg_group", HETU.replace("-", "A"), RowFault.PERSONAL_DATA),
        ("unit_of_measure", "tunti", RowFault.UNKNOWN_UNIT_OF_MEASURE),
        ("performed_on", "12.11.2026", RowFault.NOT_A_DATE),
        ("performed_on", "2026-02-30", RowFault.NOT_A_DATE),
        ("quantity", -1, RowFault.OUT_OF_RANGE),
        ("quantity", 101, RowFault.OUT_OF_RANGE),
        ("quantity", True, RowFault.NOT_AN_INTEGER),
        ("client_fee_cents", "20.90", RowFault.NOT_AN_INTEGER),
        ("client_fee_cents", "20,90 €", RowFault.NOT_AN_INTEGER),
        ("client_fee_cents", 20.9, RowFault.NOT_AN_INTEGER),
        ("client_fee_cents", -1, RowFault.OUT_OF_RANGE),
        ("client_fee_cents", 100_001, RowFault.OUT_OF_RANGE),
    ],
)
def test_a_flaw_names_its_field(field: str, value: Any, fault: RowFault) -> None:
    assert read_report(report(**{field: value})) == Flaw(field, fault)


def test_an_unknown_field_is_a_flaw_without_its_name() -> None:
    assert read_report(report(hetu=HETU)) == Flaw(None, RowFault.UNKNOWN_FIELD)


@given(st.dictionaries(st.sampled_from([*FIELDS, "name"]), anything))
def test_any_row_is_a_report_or_a_flaw_with_a_sentence(fields: dict[str, Any]) -> None:
    found = read_report(fields)
    assert isinstance(found, Report) or found.fault.sentence.endswith(".")


@given(st.sampled_from(FIELDS), st.text(max_size=20), st.text(max_size=20))
def test_no_hetu_is_kept_of_any_field(field: str, before: str, after: str) -> None:
    fields = report(**{field: f"{before}{HETU}{after}"}) | {"name": HETU}
    flaw = read_report(fields)
    assert isinstance(flaw, Flaw)
    kept = (kept_value(Flaw(field, RowFault.NOT_AN_ID), fields), kept_fields(fields))
    assert HETU not in repr(kept)
    assert "name" not in kept[1]


def test_what_is_kept_of_a_resident_is_a_pseudonym_or_nothing() -> None:
    flaw = Flaw("resident_id", RowFault.UNKNOWN_RESIDENT)
    assert kept_value(flaw, report()) is None
    assert kept_fields(report())["resident_id"] == str(FIRST)
    assert kept_fields(report(resident_id="Matti Meikäläinen"))["resident_id"] is None


def test_a_long_value_is_cut_and_a_number_stays() -> None:
    kept = kept_fields(report(node="x" * 5000, quantity=10**30))
    assert len(kept["node"]) == 100
    assert kept["quantity"] == str(10**30)
    assert kept["client_fee_cents"] == 2090


GROUPED = {"unit_of_measure": "hoidettu_asiakas_pdrg", "weight_ten_thousandths": 10_000}


def test_what_may_be_left_out_is_left_out() -> None:
    plain = read_report(report())
    assert isinstance(plain, Report)
    assert (plain.weight_ten_thousandths, plain.drg_group, plain.referral_id) == (None, None, None)
    grouped = read_report(report(**GROUPED, drg_group="088O", referral_id="LAH-1"))
    assert isinstance(grouped, Report)
    assert (grouped.weight_ten_thousandths, grouped.drg_group, grouped.referral_id) == (10_000, "088O", "LAH-1")


@pytest.mark.parametrize(
    ("changes", "flaw"),
    [
        (GROUPED | {"weight_ten_thousandths": ""}, Flaw("weight_ten_thousandths", RowFault.MISSING)),
        (GROUPED | {"weight_ten_thousandths": 0}, Flaw("weight_ten_thousandths", RowFault.OUT_OF_RANGE)),
        ({"weight_ten_thousandths": 10_000}, Flaw("weight_ten_thousandths", RowFault.NOT_WEIGHTED)),
        (GROUPED | {"drg_group": "drg 88"}, Flaw("drg_group", RowFault.NOT_A_GROUP)),
        ({"referral_id": HETU}, Flaw("referral_id", RowFault.PERSONAL_DATA)),
    ],
)
def test_a_weight_goes_with_a_grouped_client_alone(changes: dict[str, Any], flaw: Flaw) -> None:
    assert read_report(report(**changes)) == flaw
