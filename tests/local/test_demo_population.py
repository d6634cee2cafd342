"""The demo's residents have Espoo's real structure, HETUs of the sandbox range, and depend on the seed alone."""

from collections import Counter
from datetime import date

import orjson

from kanava.common.ids import valid_hetu
from kanava.listing.domain.hetu import person_of
from kanava.local.demo.population import FIRST_DAY, guardians, hetu_of, people, registration_files
from kanava.local.demo.scale import ESPOO_RESIDENTS, scale_of
from kanava.local.demo.visits import FEES_CENTS
from kanava.payments.figures import fee_ceilings, populations


def age_on_the_first_day(born: date) -> int:
    """Whole years on the demo's first day."""
    return FIRST_DAY.year - born.year - ((FIRST_DAY.month, FIRST_DAY.day) < (born.month, born.day))


def test_all_of_espoo_has_its_real_ages_and_sexes_and_everybody_a_hetu_of_their_own() -> None:
    everybody = people(ESPOO_RESIDENTS, 1)
    structure = Counter((age_on_the_first_day(one.birth_date), one.sex) for one in everybody)
    assert structure == Counter(populations()["municipality", "049"])
    assert len({one.hetu for one in everybody}) == ESPOO_RESIDENTS


def test_a_hetu_is_valid_of_the_sandbox_range_and_says_who_its_bearer_is() -> None:
    for one in people(2_000, 3):
        person = person_of(valid_hetu(one.hetu))
        assert (person.birth_date, person.sex) == (one.birth_date, one.sex)
        assert 900 <= int(one.hetu[7:10]) <= 999


def test_a_day_has_room_for_three_hundred_of_each_sex() -> None:
    for born in (date(1970, 2, 28), date(2010, 2, 28)):
        made = {hetu_of(born, sex, place) for sex in ("male", "female") for place in range(300)}
        assert len(made) == 600
        assert all(valid_hetu(hetu) == hetu for hetu in made)


def test_the_same_seed_gives_the_same_files_and_another_seed_others() -> None:
    first, again, other = (list(registration_files(people(500, seed), 200)) for seed in (1, 1, 2))
    assert first == again != other
    assert [len(file.splitlines()) for file in first] == [200, 200, 100]


def test_a_child_has_a_guardian_whom_the_feed_named_before_and_nobody_else_has_one() -> None:
    everybody = people(3_000, 1)
    lines = [orjson.loads(line) for file in registration_files(everybody, 1_000) for line in file.splitlines()]
    place = {line["hetu"]: number for number, line in enumerate(lines)}
    told = {number: line["guardian_hetu"] for number, line in enumerate(lines) if "guardian_hetu" in line}
    assert told == {number: person.hetu for number, person in guardians(everybody).items()}
    children = {n for n, one in enumerate(everybody) if age_on_the_first_day(one.birth_date) < 18}
    assert told.keys() <= children
    assert len(children) - len(told) < 20, "only children before the first parent have none"
    for child, guardian in told.items():
        assert place[guardian] < child
        assert everybody[child].birth_date.year - everybody[place[guardian]].birth_date.year >= 18


def test_no_family_of_the_demo_pays_so_much_that_the_ceiling_would_change_a_cent() -> None:
    """Hardly anybody is seen more than once, and then no fee would be more than what is counted here three times."""
    everybody = people(ESPOO_RESIDENTS, 1)
    families = Counter(guardian.hetu for guardian in guardians(everybody).values())
    largest = 1 + max(families.values())
    assert 3 * largest * max(FEES_CENTS) < fee_ceilings()[2026]


def test_the_full_demo_has_the_counts_of_the_story_and_a_small_one_has_at_least_one_of_each() -> None:
    full, small = scale_of(ESPOO_RESIDENTS), scale_of(100)
    assert (full.choices, full.too_early, full.visits, full.doubled, full.broken) == (
        58_000,
        1_500,
        60_000,
        600,
        60,
    )
    assert full.late == 40
    assert min(small.choices, small.too_early, small.visits, small.doubled, small.broken, small.late) >= 1
