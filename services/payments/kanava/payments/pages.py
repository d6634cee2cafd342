"""Pages of payments: a resident's own page of what was spent for them (sinuun käytetyt varat)."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from kanava.common.auth import Caller, Role, allow
from kanava.common.clock import add_months, first_of_month, helsinki_date, month_text
from kanava.common.dates import MonthText
from kanava.common.db import transaction
from kanava.common.languages import Language, money_text, thousandths_text
from kanava.common.pages import language_of, render

from .domain.spending import (
    MONTHS_AT_ONCE,
    Correction,
    Month,
    by_component,
    changes,
    months_of,
    shown_months,
    whole_months,
)
from .figures import fee_ceilings
from .views import ceilings, spending

START = "/pages/costs"
MOST_MONTHS_TO_CHOOSE = 120

router = APIRouter(tags=["pages"], default_response_class=HTMLResponse)
Resident = Annotated[Caller, allow(Role.RESIDENT)]
Asked = Annotated[MonthText | None, Query(description="A month, `2026-11`.")]


@router.get(START)
async def get_costs(request: Request, caller: Resident, since: Asked = None, until: Asked = None) -> HTMLResponse:
    """What was spent for the resident who has signed in (sinuun käytetyt varat), as a page."""
    resident_id = caller.resident
    assert resident_id is not None, "a resident's token names the resident"
    async with transaction(request.app.state.pool) as tx:
        today = helsinki_date(await request.app.state.clock.now(tx))
        first, last = shown_months(_first(since), _first(until), today)
        found = await spending.of_resident(tx, resident_id, first, last)
        begun = await spending.first_month(tx, resident_id) or today
        family = await ceilings.of_family(tx, resident_id)
        is_child = await spending.counts_with_a_guardian(tx, resident_id, today)
    booked, shown = whole_months(found, first, spending.MAX_ROWS)
    content = _spent(months_of(booked), language_of(request)) | _choice((shown, last), first_of_month(begun), today)
    return render(request, "costs.html", years=with_left(family, today.year), is_child=is_child, **content)


def _first(month: str | None) -> date | None:
    return date.fromisoformat(f"{month}-01") if month else None


def _spent(months: Sequence[Month], language: Language) -> dict[str, Any]:
    """The months, the sums by kind and in all, and what explains a correction."""
    kinds = by_component(months)
    total_cents = sum(kinds.values())
    assert total_cents == sum(month.amount_cents for month in months), "kinds and months are the same money"
    return {
        "months": months,
        "kinds": kinds,
        "total_cents": total_cents,
        "changes": changes,
        "facts": lambda one: facts(one, language),
    }


def facts(correction: Correction, language: Language) -> dict[str, str]:
    """What the sentences of a correction name: days, rates and coefficients before and after."""
    found = {}
    for name, booked, sign in (("before", correction.before, -1), ("after", correction.after, 1)):
        if booked is None:
            continue
        found[f"{name}_days"] = str(sign * booked.days)
        found[f"{name}_rate"] = money_text(booked.rate_cents or 0, language)
        found[f"{name}_coefficient"] = thousandths_text(booked.coefficient_permille, language)
    return found


def _choice(shown: tuple[date, date], begun: date, today: date) -> dict[str, Any]:
    """The months to choose from, the newest first, and where earlier and later ones are; None where there are none."""
    first, last = shown
    this_month = first_of_month(today)
    newest, oldest = max(this_month, last), min(begun, first)
    count = min((newest.year - oldest.year) * 12 + newest.month - oldest.month + 1, MOST_MONTHS_TO_CHOOSE)
    choices = {add_months(newest, -number) for number in range(count)} | {first, last}
    later = min(add_months(last, MONTHS_AT_ONCE), this_month)
    return {
        "choices": [(month_text(one), one) for one in sorted(choices, reverse=True)],
        "since": first,
        "until": last,
        "earlier": month_text(add_months(first, -1)) if oldest < first else None,
        "later": month_text(later) if last < this_month else None,
    }


def with_left(family: Sequence[dict[str, Any]], this_year: int) -> list[dict[str, Any]]:
    """Each year's client fees (asiakasmaksut), the newest first: paid, ceiling (maksukatto) and what is left; cents.

    This year is there also when nothing was paid. A year without a known ceiling has None left.
    """
    nothing = {"counted_cents": 0, "claimed_cents": 0, "paid_cents": 0, "in_payment_cents": 0, "owed_cents": 0}
    known = {row["year"]: row for row in family}
    known.setdefault(this_year, {"year": this_year, "ceiling_cents": fee_ceilings().get(this_year), **nothing})
    return [row | {"left_cents": _left(row)} for _, row in sorted(known.items(), reverse=True)]


def _left(row: dict[str, Any]) -> int | None:
    ceiling_cents = row["ceiling_cents"]
    return None if ceiling_cents is None else max(0, ceiling_cents - row["counted_cents"])
