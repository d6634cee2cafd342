"""The demo month, small: one `./kanava demo` from an empty folder to a report in which every cent agrees.

Played twice with one seed, since the same seed must give the same cents however requests interleave.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from kanava.common.money import half_up
from kanava.local.demo.cast import OWN, PRIVATE
from kanava.local.demo.population import Person, people
from kanava.local.demo.scale import scale_of
from kanava.local.processes import LAUNCH
from kanava.local.profile import profile
from kanava.payments.figures import rate_table

RESIDENTS, SEED = 1_500, 7
SCALE = scale_of(RESIDENTS)
PLAY_SECONDS = 400
pytestmark = pytest.mark.platform
Result = dict[str, Any]


def play(name: str, file: Path) -> str:
    """Run the command as a person would, tied to this process; gives what it printed."""
    words = ["demo", "--residents", str(RESIDENTS), "--seed", str(SEED), "--json", str(file), "--profile", name]
    tied = [sys.executable, "-I", "-S", LAUNCH, "--tie", str(int(signal.SIGINT)), "--parent", str(os.getpid()), "--"]
    command = [*tied, sys.executable, "-m", "kanava.local", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PLAY_SECONDS, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Result, Result, str]]:
    """Two plays of the same seed: both results, and what the first one printed."""
    folder, name = tmp_path_factory.mktemp("demo"), f"test-demo-{os.getpid()}"
    try:
        told = play(name, folder / "first.json")
        play(name, folder / "second.json")
        yield json.loads((folder / "first.json").read_text()), json.loads((folder / "second.json").read_text()), told
    finally:
        ours = profile(name)
        for process in ours.running():
            process.stop(signal.SIGKILL)
        ours.wipe()
        ours.folder.with_name(f".{name}.lock").unlink(missing_ok=True)


@pytest.fixture(scope="module")
def result(played: tuple[Result, Result, str]) -> Result:
    """The result of the first play."""
    return played[0]


def test_the_same_seed_gives_the_same_bytes_but_for_time_and_memory(played: tuple[Result, Result, str]) -> None:
    first, second = (
        json.dumps({key: value for key, value in one.items() if key not in ("seconds", "peak_mib")})
        for one in played[:2]
    )
    assert first == second


def test_everybody_is_listed_and_some_news_comes_late(result: Result) -> None:
    residents = result["residents"]
    assert residents["registered"] == residents["listed_by_default"] == RESIDENTS
    assert residents["died_late"] + residents["moved_away_late"] == SCALE.late
    assert sum(one["listed_clients"] for one in result["producers"]) == RESIDENTS - SCALE.late


def test_the_planned_number_chooses_one_unit_fills_up_and_the_early_hear_the_date(result: Result) -> None:
    choices = result["choices"]
    assert choices["made"] == SCALE.choices
    assert choices["refused"] == {"unit_full": SCALE.small_unit_refused, "too_early": SCALE.too_early}
    assert choices["free_from"] == ["2027-10-12"]
    small = next(one for one in result["producers"] if one["name"] == PRIVATE[-1].name)
    assert small["listed_clients"] == SCALE.small_unit_places


def test_visits_are_counted_once_and_broken_rows_are_fetched_with_their_reasons(result: Result) -> None:
    visits = result["visits"]
    assert (
        visits["rows"]
        == SCALE.visits + SCALE.doubled
        == sum(visits[name] for name in ("accepted", "doubled", "rejected"))
    )
    assert (visits["doubled"], visits["rejected"]) == (SCALE.doubled, SCALE.broken)
    assert sum(visits["reasons"].values()) == SCALE.broken
    assert sum(one["visits"] for one in result["producers"]) == visits["accepted"]


def month_cents(person: Person, first: date) -> int:
    """A whole month's capitation of a person, reckoned here once more: a twelfth of the band's rate, half up."""
    age = (
        first.year
        - person.birth_date.year
        - ((first.month, first.day) < (person.birth_date.month, person.birth_date.day))
    )
    bands = [band for band in rate_table("demo") if band.sex == person.sex and band.age_from <= age]
    return half_up(Fraction(max(bands, key=lambda band: band.age_from).annual_cents, 12))


def test_october_costs_what_the_people_and_the_rates_say(result: Result) -> None:
    expected = sum(month_cents(person, date(2026, 10, 1)) for person in people(RESIDENTS, SEED))
    (october,) = (one for one in result["statements"]["each"] if one["month"] == "2026-10")
    assert october["producer_id"] == OWN.producer_id
    assert october["amount_cents"] == expected


def test_november_refunds_what_the_late_news_made_too_much(result: Result) -> None:
    both = sum(month_cents(person, date(2026, month, 1)) for person in people(RESIDENTS, SEED) for month in (10, 11))
    capitation = sum(one["capitation_cents"] for one in result["producers"])
    dearest_cents = max(band.annual_cents for band in rate_table("demo")) // 12
    assert both - 2 * SCALE.late * dearest_cents <= capitation < both


def test_the_price_of_a_visit_is_paid_for_each_accepted_one(result: Result) -> None:
    assert sum(one["fee_cents"] for one in result["producers"]) == 45_00 * result["visits"]["accepted"]


def test_one_payment_is_rejected_and_still_owed_and_all_sums_agree(result: Result) -> None:
    rejected = [one for one in result["statements"]["each"] if one["status"] == "rejected"]
    owed = sum(one["owed_cents"] for one in result["sums"]["components"])
    assert result["statements"]["bank"] == {"booked": 3, "rejected": 1}
    assert [one["amount_cents"] for one in rejected] == [owed]
    sums = result["sums"]
    assert sums["lines_cents"] == sums["producers_cents"] == sums["account_cents"] > 0
    assert all(one["equal"] for one in sums["components"])
    assert result["books"]["balanced"]
    assert result["books"]["chain_ok"]


def test_the_account_moves_by_what_came_in_and_what_left(result: Result) -> None:
    account = result["account"]
    moved = sum(one["amount_cents"] for one in account["movements"])
    left = sum(one["left_cents"] for one in result["sums"]["components"])
    assert account["before"]["spendable_cents"] == 0
    assert account["after"]["spendable_cents"] == moved == 2 * 20_00 * RESIDENTS - left


def test_the_bus_lost_and_doubled_nothing_and_nobody_lags(result: Result) -> None:
    for topic in result["bus"]["topics"].values():
        assert {topic["published"]} == {*topic["received"].values()} == {*topic["effects"].values()}
    assert set(result["bus"]["lag"].values()) == {0}


def test_the_report_says_all_of_it(played: tuple[Result, Result, str]) -> None:
    for words in (
        "Three sums",
        "Money by producer and tier",
        "Everything agrees to the cent",
        "2027-10-12",
        "too_early",
    ):
        assert words in played[2]
