"""Capitation lines against the rule: bands of each sex, the three prorations, and the model of each month."""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from random import Random
from uuid import UUID

import pytest

from kanava.common.clock import add_months
from kanava.common.contracts.listing import Span
from kanava.common.contracts.registry import CompensationTerms, Proration, RateBand
from kanava.common.db import Pool
from kanava.payments.domain.capitation import bands_on, capitation_cents, days_listed, days_until
from tests.payments import story
from tests.support import facts as told
from tests.support.facts import at, listed, resident, resident_id, span

OCTOBER, NOVEMBER, DECEMBER = date(2026, 10, 1), date(2026, 11, 1), date(2026, 12, 1)
CLOSED_AT = {OCTOBER: at(11, 2), NOVEMBER: at(12, 2), DECEMBER: at(12, 31, 23)}
BY_SEX = (
    RateBand(sex="male", age_from=0, annual_cents=120_07),
    RateBand(sex="male", age_from=30, annual_cents=96_01),
    RateBand(sex="female", age_from=0, annual_cents=60_05),
    RateBand(sex="female", age_from=40, annual_cents=240_11),
)
PRORATIONS: tuple[Proration, ...] = ("calendar_days", "operational_days", "list_on_last_day")


Stands = tuple[int, int, int]
"""Days, days times coefficient in permille, and cents."""
counts_of = cache(days_until)


async def adopt(pool: Pool, number: int, on: date, terms: CompensationTerms) -> None:
    """From a day on, the scheme has another model."""
    document_id = f"03:compensation_model:{number}"
    model = {"document_id": document_id, "number": number, "valid_from": on, "compensation": terms}
    await story.hear(pool, "registry.document", told.document().model_copy(update=model))
    adopted = {"version": 4 + number, "compensation_model": document_id, "entered_on": on}
    await story.hear(pool, "registry.scheme", told.scheme().model_copy(update=adopted))


@dataclass(frozen=True)
class Person:
    """Somebody who is listed; odd numbers are women."""

    number: int
    born: date
    spans: tuple[Span, ...]

    def due(self, month: date, terms: CompensationTerms) -> Stands:
        """What the rule pays for a month, with one unit and so one line."""
        counts = counts_of(month, terms.proration)
        bands = bands_on(month, terms.bands, "female" if self.number % 2 else "male")
        days = [days_listed(month, counts, own.starts_on, own.until) for own in self.spans]
        permille = sum(own.coefficient_permille * count for own, count in zip(self.spans, days, strict=True))
        return sum(days), permille, capitation_cents(bands.annual_cents_of(self.born), permille, counts[-1])


def people(first: date, count: int = 120) -> list[Person]:
    """Men and women of all ages, each with two stretches of a coefficient of their own, some of them empty months."""
    random, found = Random(str(first)), []
    for number in range(count):
        starts, middle, ends = sorted(first + timedelta(days=random.randrange(-20, 40)) for _ in range(3))
        born = date(random.randrange(1930, 2026), random.randrange(1, 13), random.randrange(1, 29))
        stretches = ((starts, middle), (middle + timedelta(days=2), ends + timedelta(days=5)))
        spans = tuple(span(*days, permille=random.randrange(500, 2000)) for days in stretches)
        found.append(Person(number, born, spans))
    return found


async def paid(pool: Pool, month: date) -> dict[UUID, Stands]:
    """What stands for each resident of a month, with what was corrected."""
    found: dict[UUID, Stands] = {}
    for line in await story.lines(pool, "capitation"):
        if line["for_month"] == month:
            days, permille, cents = found.get(line["resident_id"], (0, 0, 0))
            added = (days + line["days"], permille + line["permille_days"], cents + line["amount_cents"])
            found[line["resident_id"]] = added
    return {who: stands for who, stands in found.items() if any(stands)}


def expected(everybody: list[Person], month: date, terms: CompensationTerms) -> dict[UUID, Stands]:
    """The same by the rule."""
    due = {resident_id(one.number): one.due(month, terms) for one in everybody}
    return {who: stands for who, stands in due.items() if any(stands)}


@pytest.mark.parametrize("proration", PRORATIONS)
async def test_a_month_pays_by_sex_and_by_the_proration_of_its_model(pool: Pool, proration: Proration) -> None:
    """The set-based SQL is the rule for women and men, in whole months and in parts."""
    await story.open_area(pool)
    terms = told.terms(BY_SEX).model_copy(update={"proration": proration})
    await adopt(pool, 2, NOVEMBER, terms)
    whole = [Person(n, date(1990, 1, 1), (span(date(2026, 9, 1)),)) for n in (120, 121)]
    everybody = people(NOVEMBER) + whole
    await story.hear(pool, "listing.resident", *(resident(one.number, one.born) for one in everybody))
    await story.hear(pool, "listing.listing", *(listed(one.number, *one.spans) for one in everybody))
    await story.close(pool, NOVEMBER, CLOSED_AT[NOVEMBER])
    found = await paid(pool, NOVEMBER)
    assert found == expected(everybody, NOVEMBER, terms)
    assert [found[resident_id(n)][2] for n in (120, 121)] == [8_00, 5_00], "a man and a woman of 36 years"
    await story.assert_books_agree(pool)


async def test_a_closed_month_is_corrected_by_its_own_model(pool: Pool) -> None:
    """Each month has a model of its own; in December everybody's listing turns out to have been another."""
    await story.open_area(pool)
    models = dict(zip((OCTOBER, NOVEMBER, DECEMBER), PRORATIONS, strict=True))
    terms = {month: told.terms(BY_SEX).model_copy(update={"proration": own}) for month, own in models.items()}
    terms[NOVEMBER] = terms[NOVEMBER].model_copy(update={"bands": told.BANDS})
    for number, month in enumerate(models, 2):
        await adopt(pool, number, month, terms[month])
    before = [Person(n, one.born, (span(date(2026, 9, 1)),)) for n, one in enumerate(people(OCTOBER, 40))]
    await story.hear(pool, "listing.resident", *(resident(one.number, one.born) for one in before))
    await story.hear(pool, "listing.listing", *(listed(one.number, *one.spans) for one in before))
    for month in (OCTOBER, NOVEMBER):
        await story.close(pool, month, CLOSED_AT[month])
        assert await paid(pool, month) == expected(before, month, terms[month])
    after = people(add_months(OCTOBER, 1), 40)
    after = [Person(one.number, then.born, one.spans) for one, then in zip(after, before, strict=True)]
    await story.hear(
        pool, "listing.listing", *(listed(one.number, *one.spans, version=2, recorded_at=at(12, 5)) for one in after)
    )
    await story.close(pool, DECEMBER, CLOSED_AT[DECEMBER])
    for month in models:
        assert await paid(pool, month) == expected(after, month, terms[month]), month
    await story.assert_books_agree(pool)
