"""58,000 residents choose, each with its own token; some try again too early, and one unit fills up.

Who comes first at the small unit is a matter of chance, so its contenders are women of one rate band: whoever
gets in, the month costs the same to the cent.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Any

import orjson

from kanava.common.money import split_by_largest_remainder
from kanava.local.demo.cast import AREA, MUNICIPALITY, SMALL, wide_units
from kanava.local.demo.population import Person, years_before
from kanava.local.demo.story import Story, at
from kanava.local.demo.wire import Answer

CHOICE_DAY, EARLY_DAY = date(2026, 10, 12), date(2026, 10, 14)
TAKES_EFFECT = date(2026, 11, 1)
ADULT_YEARS = 18
CONTENDER_YEARS = (20, 42)
"""Ages on the first day that stay inside the band 15–44 until the month is closed."""
LOOKUPS_AT_ONCE = 1000
WORKERS = 128
TOLD_EACH = 10_000
CREATED, CONFLICT = 201, 409


@dataclass(frozen=True, slots=True)
class Wish:
    """A resident, by number, who wants to be listed with a unit."""

    number: int
    unit_id: str


@dataclass(frozen=True)
class Plan:
    """Who wishes what: wide units take everybody, the small one only some; and whose news will come late."""

    wide: Sequence[Wish]
    contenders: Sequence[Wish]
    late: Sequence[int]

    @property
    def wishes(self) -> list[Wish]:
        """All wishes of the first round."""
        return [*self.contenders, *self.wide]


def plan(story: Story) -> Plan:
    """Draw who chooses, so that exactly the planned number succeeds."""
    scale, everybody = story.scale, story.everybody
    numbers = list(range(len(everybody)))
    random.Random(f"choices {story.seed}").shuffle(numbers)
    wanted = scale.small_unit_places + scale.small_unit_refused
    contenders = list(islice((number for number in numbers if _may_contend(everybody[number])), wanted))
    assert len(contenders) == wanted, "there are too few residents for the small unit"
    taken = set(contenders)
    adults = (
        n
        for n in numbers
        if n not in taken and everybody[n].birth_date <= years_before(CHOICE_DAY, ADULT_YEARS)
    )
    choosers = list(islice(adults, scale.choices - scale.small_unit_places))
    taken |= set(choosers)
    late = list(islice((number for number in numbers if number not in taken), scale.late))
    small = story.unit(SMALL.producer_id, 0)
    return Plan(list(_spread(story, choosers)), [Wish(number, small) for number in contenders], late)


def _may_contend(person: Person) -> bool:
    youngest, oldest = (years_before(date(2026, 9, 1), years) for years in CONTENDER_YEARS)
    return person.sex == "female" and oldest < person.birth_date <= youngest


def _spread(story: Story, choosers: Sequence[int]) -> Iterator[Wish]:
    """Give each wide unit its share of the choosers."""
    units = [(story.unit(company.producer_id, number), share) for company, number, share in wide_units()]
    sizes = split_by_largest_remainder(len(choosers), [share for _, share in units])
    left = iter(choosers)
    for (unit_id, _), size in zip(units, sizes, strict=True):
        yield from (Wish(number, unit_id) for number in islice(left, size))


async def choose_units(story: Story) -> None:
    """Everybody who wants to chooses; then the impatient ones try again."""
    await story.move_clock(at(CHOICE_DAY))
    drawn = plan(story)
    story.late = drawn.late
    wishes = drawn.wishes
    await look_up(story, [wish.number for wish in wishes])
    random.Random(f"order {story.seed}").shuffle(wishes)
    first = await _ask_all(story, wishes, "first")
    made = first.pop("made")
    story.found["choices"] = {"made": made, "refused": dict(sorted(first.items()))}
    story.found["wide"] = drawn.wide


async def try_again(story: Story) -> None:
    """Two days later some want to move on, and hear from which day they may."""
    await story.move_clock(at(EARLY_DAY))
    wide: Sequence[Wish] = story.found.pop("wide")
    elsewhere = story.unit(*_first_wide())
    impatient = [Wish(wish.number, elsewhere) for wish in wide if wish.unit_id != elsewhere][
        : story.scale.too_early
    ]
    dates: Counter[str] = Counter()
    second = await _ask_all(story, impatient, "again", dates)
    assert "made" not in second, "somebody chose twice within the year"
    story.found["choices"]["refused"] |= second
    story.found["choices"]["free_from"] = sorted(dates)


def _first_wide() -> tuple[str, int]:
    company, number, _ = next(wide_units())
    return company.producer_id, number


async def look_up(story: Story, numbers: Sequence[int]) -> None:
    """Learn the pseudonymous ids of residents by their HETU; every look is logged for the resident."""
    parts = [numbers[first : first + LOOKUPS_AT_ONCE] for first in range(0, len(numbers), LOOKUPS_AT_ONCE)]
    await asyncio.gather(*(_look_up_part(story, part) for part in parts))


async def _look_up_part(story: Story, numbers: Sequence[int]) -> None:
    told = {
        "hetus": [story.everybody[number].hetu for number in numbers],
        "reason": "demo: tokens of residents",
    }
    answer = await story.desk.post("listing", "/v1/residents/lookup", told, who="operator")
    assert None not in answer["resident_ids"], "a resident who was registered is not known"
    story.ids.update(zip(numbers, answer["resident_ids"], strict=True))


async def _ask_all(
    story: Story, wishes: Iterable[Wish], occasion: str, dates: Counter[str] | None = None
) -> Counter[str]:
    """Send all choices over kept connections; counts `made` and the reasons of refusals."""
    outcomes: Counter[str] = Counter()
    left = iter(wishes)

    async def work() -> None:
        for wish in left:
            answer = await story.desk.lines["listing"].ask(*_request(story, wish, occasion))
            outcomes[_outcome(answer, dates)] += 1
            if (answered := outcomes.total()) % TOLD_EACH == 0:
                story.say(f"  {answered:,} choices are answered")

    await asyncio.gather(*(work() for _ in range(WORKERS)))
    return outcomes


def _request(story: Story, wish: Wish, occasion: str) -> tuple[str, bytes]:
    resident = story.ids[wish.number]
    claims: dict[str, Any] = {"sub": f"resident {resident}", "role": "resident", "resident": resident}
    token = story.desk.mint.sign(
        {**claims, "area": AREA, "municipality": MUNICIPALITY, "level": "substantial"}
    )
    head = (
        f"POST /v1/choices HTTP/1.1\r\nauthorization: Bearer {token}\r\n"
        f"idempotency-key: {occasion}-{wish.number}\r\ncontent-type: application/json\r\n"
    )
    return head, orjson.dumps({"unit_id": wish.unit_id})


def _outcome(answer: Answer, dates: Counter[str] | None) -> str:
    if answer.status == CREATED:
        return "made"
    problem = answer.json()
    if answer.status != CONFLICT:
        return str(problem.get("type", answer.status)).removeprefix("/problems/")
    if dates is not None and "free_from" in problem:
        dates[problem["free_from"]] += 1
    return str(problem.get("reason") or problem.get("rule"))
