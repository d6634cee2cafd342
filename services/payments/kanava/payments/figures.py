"""What payments carries with its source: names of areas, populations of 2020 and published rate tables."""

import csv
import json
from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from functools import cache
from importlib import resources
from pathlib import Path

from kanava.common.contracts.registry import RateBand
from kanava.common.money import cents_of

from .domain.correction import ClientGroup, SampleProducer
from .domain.municipalities import Municipality
from .domain.state_funding import Determinant, shares_in_thousandths
from .domain.testcalc import Population, age_bands, scaled_bands

_FILES = resources.files(__package__) / "data"
OULU_MEAN_ANNUAL_CENTS = 127_00
"""Mean cost of a sote centre per resident and year, Oulu 2013 (Suomen Lääkärilehti 23/2018, pp. 1494–1501)."""


@cache
def populations() -> dict[tuple[str, str], Population]:
    """Residents on 31.12.2020 by (`area` or `municipality`, code), then by single year of age and sex."""
    found: dict[tuple[str, str], dict[tuple[int, str], int]] = defaultdict(dict)
    with (_FILES / "population_2020_single_year.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            for sex in ("male", "female"):
                found[row["kind"], row["code"]][int(row["age"]), sex] = int(row[sex])
    return dict(found)


@cache
def _area_names() -> dict[str, dict[str, str]]:
    areas: dict[str, dict[str, str]] = json.loads((_FILES / "areas.json").read_text(encoding="utf-8"))["areas"]
    return areas


def area_name(code: str) -> str:
    """The Finnish name of one of the 22 areas, which holds its account at the bank; `KeyError` for another code."""
    return _area_names()[code]["name_fi"]


@cache
def rate_sources() -> dict[str, dict[str, object]]:
    """The published tables of rates and weights as they stand in the file."""
    loaded: dict[str, dict[str, object]] = json.loads((_FILES / "rates.json").read_text(encoding="utf-8"))
    return loaded


def rate_table(name: str, municipality: str = "049") -> list[RateBand]:
    """A rate table by name; `ValueError` for a name that is not known.

    `vos_2022`: Government Decree 691/2022, euros per age band. `demo`: English workload weights scaled to 127 €
    per resident of the municipality and year; illustrative, not a published rate.
    """
    sources = rate_sources()
    if name == "vos_2022":
        return age_bands(dict(sources["vos_2022"]["age"]))  # type: ignore[call-overload]  # the file's shape is tested
    if name == "demo":
        weights = sources["nhs_workload_weights"]
        by_sex = {sex: dict(weights[sex]) for sex in ("male", "female")}  # type: ignore[call-overload]  # as above
        return scaled_bands(by_sex, populations()["municipality", municipality], OULU_MEAN_ANNUAL_CENTS)
    raise ValueError(f"no rate table is called {name}; known are vos_2022 and demo")


@cache
def fee_ceilings() -> dict[int, int]:
    """The yearly ceilings of client fees (maksukatto) that are known, in cents by calendar year."""
    table = rate_sources()["maksukatto_eur"]
    return {int(year): cents_of(str(euros)) for year, euros in table.items() if year.isdigit() and euros is not None}


def state_shares(fiscal_year: int) -> tuple[int, dict[Determinant, int]]:
    """The shares of Act 617/2021, section 3, that hold in a year, and the year from which they hold."""
    table = rate_sources()["financing_shares_617_2021"]
    years = sorted(int(name) for name in table if name.isdigit())
    newest = max((year for year in years if year <= fiscal_year), default=years[0])
    return newest, shares_in_thousandths(dict(table[str(newest)]))  # type: ignore[call-overload]  # as above


@cache
def class_2_percents() -> dict[int, int]:
    """The percent of Kela's class II that is reimbursed, by the year from which it holds; illustrative."""
    steps = json.loads((_FILES / "kela_phase_out.json").read_text(encoding="utf-8"))["class_2_percent"]
    return {int(year): int(percent) for year, percent in steps.items()}


def residents_by_area() -> dict[str, int]:
    """Residents of each of the 22 areas on 31.12.2020 (Statistics Finland, 11re); Åland is outside the act."""
    return {
        code: sum(people.values()) for (kind, code), people in populations().items() if kind == "area" and code != "91"
    }


def sample_population(file: Path | None = None) -> tuple[str, list[ClientGroup], list[SampleProducer]]:
    """Client groups and producers to compare correction methods with, and the sentence that says what they are.

    Without a file of one's own they are the illustrative ones. `ValueError` for a file that is not of their form.
    """
    text = (file or _FILES / "client_groups.json").read_bytes()
    try:
        loaded = json.loads(text)
        groups = [
            ClientGroup(
                name=one["name"],
                share_permille=_by_age(one["share_permille"]),
                coefficient_permille=int(one["coefficient_permille"]),
                services_permille=_by_age(one["services_permille"]),
                fee_cents=int(one["fee_cents"]),
            )
            for one in loaded["groups"]
        ]
        producers = [
            SampleProducer(one["name"], _by_age(one["weight"]), {k: int(v) for k, v in one["draws"].items()})
            for one in loaded["producers"]
        ]
        return str(loaded["source"]), groups, producers
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"the client groups are not of their form: {error!r}") from error


def _by_age(table: dict[str, int]) -> dict[int, int]:
    return {int(age): int(value) for age, value in table.items()}


@cache
def municipalities() -> Mapping[str, Municipality]:
    """The code list of municipalities: area, end and successor by code; read on first use."""
    loaded = json.loads((_FILES / "municipalities.json").read_text(encoding="utf-8"))
    return {
        code: Municipality(row["area"], row["until"] and date.fromisoformat(row["until"]), row["successor"])
        for code, row in loaded["municipalities"].items()
    }
