"""The demo's residents: Espoo's real age and sex structure, each with a HETU of the 900–999 range.

Ages are those of Statistics Finland on 31.12.2020 (table 11re, CC BY 4.0), taken as the ages on the demo's
first day: who was 40 then is 40 on 1 September 2026. The structure stays true, and newborns are newborns.
"""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import NamedTuple

import orjson

from kanava.common.money import split_by_largest_remainder
from kanava.payments.figures import populations

MUNICIPALITY = "049"
FIRST_DAY = date(2026, 9, 1)
"""The demo's first day, on which the ages hold and from which everybody is registered."""

_CONTROL = "0123456789ABCDEFHJKLMNPRSTUVWXY"
_SIGNS = {19: "-YXWVU", 20: "ABCDEF"}
_FIRST_NUMBER, _NUMBERS_PER_SEX = 900, 50
_PROTECTED_PER_THOUSAND = 3
_PARENTS_AGES = (60, 36)
"""Between which ages somebody is taken for a parent: each is eighteen years older than any child."""

GIVEN_NAMES = ("Aino", "Eino", "Helmi", "Väinö", "Lyyli", "Onni", "Saga", "Elis", "Amina", "Jussi")
FAMILY_NAMES = ("Demonen", "Esimerkki", "Mallikas", "Kokeila", "Harjoitus", "Provström", "Näyte", "Testilä")
STREETS = ("Esimerkkitie", "Mallikuja", "Näytepolku", "Provvägen", "Kokeilukatu")
_DISTRICTS = (
    100, 110, 120, 130, 140, 150, 160, 170, 180, 200, 210, 230, 240, 260, 270, 280, 300, 320, 330, 340, 360, 600,
    610, 620, 630, 650, 660, 680, 710, 720, 730, 740, 750, 760, 770, 780, 810, 820, 860, 920, 940, 970, 980,
)  # fmt: skip
POSTAL_CODES = tuple(f"02{district}" for district in _DISTRICTS)


class Person(NamedTuple):
    """A resident as the population register knows it: HETU, birth date and sex."""

    hetu: str
    birth_date: date
    sex: str


def years_before(day: date, years: int) -> date:
    """The same day so many years earlier; 29 February becomes 1 March."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return date(day.year - years, 3, 1)


def people(count: int, seed: int) -> list[Person]:
    """So many residents in Espoo's proportions, in an order that the seed shuffles."""
    groups = sorted(populations()["municipality", MUNICIPALITY].items())
    sizes = split_by_largest_remainder(count, [size for _, size in groups])
    chance, taken = random.Random(f"people {seed}"), Counter[tuple[date, str]]()
    found = [
        person
        for ((age, sex), _), size in zip(groups, sizes, strict=True)
        for person in _group(age, sex, size, chance, taken)
    ]
    chance.shuffle(found)
    return found


def _group(
    age: int, sex: str, size: int, chance: random.Random, taken: Counter[tuple[date, str]]
) -> Iterator[Person]:
    """Residents of one age in whole years on the first day, and one sex."""
    youngest = years_before(FIRST_DAY, age)
    days = (youngest - years_before(FIRST_DAY, age + 1)).days
    for _ in range(size):
        born = youngest - timedelta(days=chance.randrange(days))
        place = taken[born, sex]
        taken[born, sex] += 1
        yield Person(hetu_of(born, sex, place), born, sex)


def hetu_of(born: date, sex: str, place: int) -> str:
    """The HETU of the n-th person (from 0) of a birth date and sex, with an individual number of 900–999.

    Fifty numbers go with each of the century's six signs, so a day has room for 300 of each sex.
    """
    sign = _SIGNS[born.year // 100][place // _NUMBERS_PER_SEX]
    individual = _FIRST_NUMBER + 2 * (place % _NUMBERS_PER_SEX) + (sex == "male")
    day = f"{born.day:02d}{born.month:02d}{born.year % 100:02d}"
    return f"{day}{sign}{individual}{_CONTROL[int(f'{day}{individual}') % 31]}"


def registration_line(
    person: Person,
    number: int,
    *,
    fact: str = "registered",
    on: date = FIRST_DAY,
    guardian: Person | None = None,
) -> bytes:
    """A line of the registration feed; the identity follows from the person's number, so it can be repeated.

    A line without a guardian (huoltaja) has no field for one, and leaves what was told before.
    """
    of_guardian = {} if guardian is None else {"guardian_hetu": guardian.hetu}
    return orjson.dumps(
        {
            **of_guardian,
            "hetu": person.hetu,
            "given_names": GIVEN_NAMES[number % len(GIVEN_NAMES)],
            "family_name": FAMILY_NAMES[number // 10 % len(FAMILY_NAMES)],
            "street_address": f"{STREETS[number % len(STREETS)]} {number % 97 + 1}",
            "postal_code": POSTAL_CODES[number % len(POSTAL_CODES)],
            "municipality": MUNICIPALITY,
            "protected": number % 1000 < _PROTECTED_PER_THOUSAND,
            "fact": fact,
            "effective_on": on.isoformat(),
        },
        option=orjson.OPT_APPEND_NEWLINE,
    )


def registration_files(everybody: Sequence[Person], lines_per_file: int) -> Iterator[bytes]:
    """The registration feed of all residents in files of so many lines, each child with a guardian of before."""
    guardian_of = guardians(everybody)
    for first in range(0, len(everybody), lines_per_file):
        part = everybody[first : first + lines_per_file]
        yield b"".join(
            registration_line(person, number, guardian=guardian_of.get(number))
            for number, person in enumerate(part, first)
        )


def guardians(everybody: Sequence[Person]) -> dict[int, Person]:
    """By the place of a child its guardian: the last person before it who is of the age of a parent.

    So the guardian is known when the child comes, and families follow from the order, which the seed gives.
    """
    oldest, youngest = (years_before(FIRST_DAY, age) for age in _PARENTS_AGES)
    child_since, last, found = years_before(FIRST_DAY, 18), None, {}
    for number, person in enumerate(everybody):
        if person.birth_date > child_since and last is not None:
            found[number] = last
        elif oldest < person.birth_date <= youngest:
            last = person
    return found
