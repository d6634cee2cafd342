"""The test calculation on the real figures of 2020."""

import pytest

from kanava.common.money import euros
from kanava.payments.domain.testcalc import cost
from kanava.payments.figures import OULU_MEAN_ANNUAL_CENTS, populations, rate_table


def total(code: str) -> int:
    """What Decree 691/2022 costs a year for a municipality, cents."""
    return sum(band.total_cents for band in cost(populations()["municipality", code], rate_table("vos_2022")))


def test_espoo_and_uusimaa_to_the_cent() -> None:
    municipalities = [code for kind, code in populations() if kind == "municipality"]
    assert euros(total("049")) == "1,105,629,580.95 €"
    assert len(municipalities) == 26
    assert euros(sum(map(total, municipalities))) == "6,278,657,959.38 €"


def test_the_population_is_the_published_one() -> None:
    areas = {code: sum(people.values()) for (kind, code), people in populations().items() if kind == "area"}
    assert sum(areas.values()) - areas.pop("91") == 5_503_664
    assert sum(populations()["municipality", "049"].values()) == 292_796


def test_the_demo_rates_mean_127_euros_per_resident() -> None:
    costs = cost(populations()["municipality", "049"], rate_table("demo"))
    residents = sum(band.residents for band in costs)
    assert abs(sum(band.total_cents for band in costs) / residents - OULU_MEAN_ANNUAL_CENTS) < 0.5


def test_an_unknown_table_is_named() -> None:
    with pytest.raises(ValueError, match="vos_2022"):
        rate_table("nothing")
