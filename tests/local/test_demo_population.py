"""The demo's residents have Espoo's real structure, HETUs of the sandbox range, and depend on the seed alone."""

from collections import Counter
from datetime import date

from kanava.common.ids import valid_hetu
from kanava.listing.domain.hetu import person_of
from kanava.local.demo.population import FIRST_DAY, hetu_of, people, registration_files
from kanava.local.demo.scale import ESPOO_RESIDENTS, scale_of
from kanava.payments.figures import populations


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
