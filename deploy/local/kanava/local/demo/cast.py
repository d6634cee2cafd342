"""Who takes part in the demo month: personas, four private producers and the organiser's own enterprise.

Names, business ids and accounts are invented; the ids have right check digits and belong to nobody here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kanava.common.ids import organisation_oid

AREA = "03"
MUNICIPALITY = "049"

PERSONAS: Mapping[str, Mapping[str, Any]] = {
    "organiser": {"role": "organiser", "area": AREA},
    "municipality": {"role": "municipality", "municipality": MUNICIPALITY, "area": AREA},
    "operator": {"role": "operator"},
    "operator-approver": {"role": "operator"},
    "operator-releaser": {"role": "operator"},
}


@dataclass(frozen=True)
class Company:
    """A producer of the demo with as many units as `unit_names`; `shares` weigh how many choose each."""

    business_id: str
    name: str
    kind: str
    unit_names: tuple[str, ...]
    shares: tuple[int, ...] = ()
    iban: str | None = None

    @property
    def producer_id(self) -> str:
        """Its OID."""
        return organisation_oid(self.business_id)

    @property
    def who(self) -> str:
        """The persona that acts for it."""
        return f"producer {self.business_id}"

    @property
    def claims(self) -> dict[str, Any]:
        """What the token of its persona says."""
        return {"role": "producer", "producers": [self.producer_id], "area": AREA}


PRIVATE = (
    Company(
        "9900001-8", "Demo Terveys Oy", "private", ("Leppävaara", "Sello"), (30, 22), "FI6950001500000001"
    ),
    Company(
        "9900002-6", "Mallilääkärit Oy", "private", ("Tapiola", "Matinkylä"), (20, 16), "FI4250001500000002"
    ),
    Company("9900003-4", "Esimerkkihoiva Oy", "private", ("Espoon keskus",), (12,), "FI1550001500000003"),
    Company("9900004-2", "Pieni Vastaanotto Oy", "private", ("Soukka",), (), "FI8550001500000004"),
)
"""Four private producers with six units; the last has one small unit that fills up."""

OWN = Company(
    "9900005-0", "Oma liikelaitos (demo)", "own_enterprise",
    ("Espoonlahti", "Kivenlahti", "Kauklahti", "Viherlaakso", "Kalajärvi", "Samaria"),
)  # fmt: skip
"""The organiser's own enterprise (liikelaitos): six units, no account of its own."""

SMALL = PRIVATE[-1]
COMPANIES = (*PRIVATE, OWN)


def wide_units() -> Iterator[tuple[Company, int, int]]:
    """The private units without a limit: the company, the unit's number from 0, and its share."""
    for company in PRIVATE:
        for number, share in enumerate(company.shares):
            yield company, number, share
