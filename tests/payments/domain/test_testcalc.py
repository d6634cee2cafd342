"""The test calculation on the real figures of 2020."""

import pytest

from kanava.common.money import euros
from kanava.payments.domain.testcalc import cost, cost_by_year
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


@pytest.mark.parametrize("table", ["vos_2022", "demo"])
def test_year_of_age_by_year_of_age_a_population_costs_the_same_in_each_band(table: str) -> None:
    """Who has just come of the age at which a band begins is in it."""
    population, bands = populations()["municipality", "049"], rate_table(table)
    years = cost_by_year(population, bands)
    for band in bands:
        ends = min((b.age_from for b in bands if b.sex == band.sex and b.age_from > band.age_from), default=1000)
        own = [one for one in years if band.sex in (one.sex, "any") and band.age_from <= one.age_from < ends]
        assert {one.annual_cents for one in own} == {band.annual_cents}
    assert sum(one.total_cents for one in years) == sum(one.total_cents for one in cost(population, bands))
