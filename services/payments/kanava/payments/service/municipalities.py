"""Municipalities as payers: by the code list, or by what the registry said where the list does not reach."""

from collections.abc import Iterable

from kanava.common.db import Tx, rows
from kanava.common.errors import Invalid

from ..domain.municipalities import Municipality, flaw_of_payer
from ..figures import municipalities

_BY_FACTS = """
SELECT area FROM scheme_phase WHERE municipality = %(code)s
UNION SELECT area FROM unit WHERE municipality = %(code)s ORDER BY area
"""


async def must_pay_into(tx: Tx, area: str, code: str, fiscal_years: Iterable[int]) -> None:
    """`Invalid` unless a municipality is one of the area in each of the fiscal years."""
    listed = municipalities()
    if code not in listed:
        areas = [row["area"] for row in await rows(tx, _BY_FACTS, {"code": code})]
        listed = {code: Municipality(area if area in areas else areas[0])} if areas else {}
    flaw = flaw_of_payer(listed, code, area=area, fiscal_years=fiscal_years)
    if flaw is not None:
        raise Invalid(flaw.detail, pointer="/municipality", rule=flaw.rule.value)
