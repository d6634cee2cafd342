"""The organiser's prices (hinnat): by unit, by DRG or pDRG weight, or the total price of a package per client.

Source: Sitra's model, line 59 (the organiser sets the price, not the producer) and the column "Tuottajahinta sidotaan"
of its two examples: the total cost of the package with indicative costs of its activities through treated clients,
a treated client by PDRG, a treated client by DRG.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from kanava.common.contracts.registry import PriceBasis, UnitOfMeasure

from .violations import Violation

WEIGHTED: Mapping[str, UnitOfMeasure] = {
    "hoidettu_asiakas_drg": "hoidettu_asiakas_drg",
    "hoidettu_asiakas_pdrg": "hoidettu_asiakas_pdrg",
}
"""The unit of measure that a node takes by the price basis that the source gives it."""

UNIT_OF_BASIS: Mapping[PriceBasis, UnitOfMeasure] = {
    "drg_weight": "hoidettu_asiakas_drg",
    "pdrg_weight": "hoidettu_asiakas_pdrg",
    "package_total": "hoidettu_asiakas",
}
"""The one unit of measure of each basis that has only one."""


@dataclass(frozen=True)
class Activity:
    """The indicative price of a unit of an activity of a package."""

    node: str
    unit_of_measure: str


def broken_by_basis(basis: PriceBasis, unit_of_measure: str, *, has_total: bool) -> list[Violation]:
    """A price by weight needs the unit of that weight, a price by unit none, and only a package has a total."""
    broken = []
    wanted = UNIT_OF_BASIS.get(basis)
    if wanted is not None and unit_of_measure != wanted:
        broken.append(Violation("/unit_of_measure", "unit_of_basis", f"a price by {basis} is per {wanted}"))
    if wanted is None and unit_of_measure in WEIGHTED.values():
        broken.append(Violation("/price_basis", "unit_of_basis", f"{unit_of_measure} is priced by its weight"))
    if has_total != (basis == "package_total"):
        broken.append(Violation("/total_price", "total_of_package", "a package that is priced whole has total_price"))
    return broken


def broken_by_total(
    node: str, package: str, activities: Sequence[Activity], units: Mapping[str, Collection[str]]
) -> list[Violation]:
    """A total price is for a whole package, and its indicative prices for nodes of it, each unit once.

    `units` are the nodes of the package in force with the units that each takes, itself or below; empty when no
    such package is in force. Pointers as `/total_price/activities/0/node`.
    """
    if not units:
        return [Violation("/node", "package_published", "no package with this code is in force on the first day")]
    broken = []
    if package != node:
        broken.append(Violation("/total_price/package", "package_of_price", f"the price is for {node}"))
    for place, activity in enumerate(activities):
        at = f"/total_price/activities/{place}"
        if activity.node not in units:
            detail = f"the package {node} has no node {activity.node}"
            broken.append(Violation(f"{at}/node", "node_of_package", detail))
        elif units[activity.node] and activity.unit_of_measure not in units[activity.node]:
            detail = f"the activity takes: {', '.join(sorted(units[activity.node]))}"
            broken.append(Violation(f"{at}/unit_of_measure", "unit_of_node", detail))
        if activity in activities[:place]:
            broken.append(Violation(f"{at}/node", "activity_once", "an activity has one price for a unit"))
    return broken


def price_id(area: str, node: str, unit_of_measure: str, valid_from: date) -> str:
    """The id of a price: a node has one price by its own unit from a day on, and one by each weight."""
    by_weight = [unit_of_measure] if unit_of_measure in WEIGHTED.values() else []
    return ":".join([area, node, *by_weight, valid_from.isoformat()])
