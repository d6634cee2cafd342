"""The budget of an area holds payouts back or flags them, on a real PostgreSQL."""

from datetime import UTC, date, datetime

import psycopg
import pytest

from kanava.common.contracts import steering
from kanava.common.db import Pool, rows, transaction
from kanava.payments.views import budgets as views
from tests.payments import story
from tests.payments.test_payout import NOVEMBER, closed_month
from tests.support import facts as told
from tests.support.facts import at, listed, resident, span, visit

FROM = date(2026, 1, 1)


def order(kind: str, *, version: int = 1, **changed: object) -> steering.Order:
    """A version of the budget, or of an annual order from the private producer."""
    fields: dict[str, object] = {
        "what": "budgeted" if kind == "budget" else "ordered",
        "version": version,
        "recorded_at": told.SEPTEMBER,
        "order_id": f"03:{kind}:2026",
        "kind": kind,
        "area": told.AREA,
        "year": 2026,
        "valid_from": FROM,
        "status": "in_force",
    }
    return steering.Order.model_validate(fields | changed)


def line(code: str, kind: str, cents: int, on_breach: str = "refuse", **changed: object) -> dict[str, object]:
    """A line of the budget."""
    return {
        "line": code,
        "name_fi": f"Momentti {code}",
        "kind": kind,
        "amount_cents": cents,
        "on_breach": on_breach,
        **changed,
    }


def budget(*lines: dict[str, object], version: int = 1, **changed: object) -> steering.Order:
    """The area's budget of 2026."""
    return order("budget", version=version, budget={"lines": lines}, **changed)


def ordered(quantity: int, budget_line: str) -> steering.Order:
    """An order of visits at 45 euros from the private producer."""
    of = {"node": "SOS.1", "unit_of_measure": "kaynti", "quantity": quantity, "price_cents": 45_00}
    whole = {"producer_id": told.PRIVATE, "contract_id": None, "integrator": "organiser"}
    return order("annual_order", annual_order=whole | {"lines": [of | {"budget_line": budget_line}]})


async def standing(pool: Pool, day: date = NOVEMBER) -> dict[str, tuple[object, ...]]:
    """Used, encumbered, left and unpaid of each line."""
    async with transaction(pool) as tx:
        found = await views.standing_lines(tx, told.AREA, 2026, day)
    keys = ("used_cents", "encumbered_cents", "left_cents", "unpaid_cents")
    return {str(row["line"]): tuple(row[key] for key in keys) for row in found}


async def test_the_own_enterprises_line_is_its_limit(pool: Pool) -> None:
    await closed_month(pool)
    await story.hear(pool, "registry.order", budget(line("1", "one_item", 6_99, "flag", producer_id=told.OWN)))
    paid = await story.pay(pool, NOVEMBER, at(12, 3))
    assert (paid.to_bank, paid.settled) == (1, 0)
    assert [(one.producer_id, one.reason) for one in paid.held] == [(told.OWN, "breaks_the_budget")]
    assert await standing(pool) == {"1": (7_00, 0, -1, 7_00)}
    more = budget(line("1", "one_item", 7_00, producer_id=told.OWN), version=2)
    await story.hear(pool, "registry.order", more)
    again = await story.release(pool, at(12, 4))
    assert (again.settled_cents, again.held) == (7_00, [])
    assert await standing(pool) == {"1": (7_00, 0, 0, 0)}
    await story.assert_books_agree(pool)


async def test_an_earmark_refuses_or_flags_as_the_budget_says(pool: Pool) -> None:
    """The private producer's visit costs 45.00 less the client fee of 20.60; its capitation is on no earmark."""
    await closed_month(pool)
    of_visits = {"nodes": ["SOS"]}
    await story.hear(pool, "registry.order", budget(line("2", "package", 24_39, **of_visits)))
    held = await story.pay(pool, NOVEMBER, at(12, 3))
    assert [(one.producer_id, one.reason) for one in held.held] == [(told.PRIVATE, "breaks_the_budget")]
    assert held.settled == 1
    flagging = budget(line("2", "package", 24_39, "flag", **of_visits), version=2)
    await story.hear(pool, "registry.order", flagging)
    paid = await story.release(pool, at(12, 4))
    assert (paid.to_bank_cents, paid.held) == (31_40, [])
    assert [(one.producer_id, one.budget_line) for one in paid.flagged] == [(told.PRIVATE, "2")]
    assert await standing(pool) == {"2": (24_40, 0, -1, 0)}


async def test_a_budget_that_is_withdrawn_or_begins_later_holds_nothing(pool: Pool) -> None:
    await closed_month(pool)
    tight = line("4", "one_item", 1)
    await story.hear(pool, "registry.order", budget(tight), budget(tight, version=2, status="withdrawn"))
    assert await standing(pool) == {}
    later = budget(tight, version=3, valid_from=date(2026, 12, 24))
    await story.hear(pool, "registry.order", later, later)
    paid = await story.pay(pool, NOVEMBER, at(12, 3))
    assert (paid.to_bank, paid.settled, paid.held) == (1, 1, [])
    assert await standing(pool, date(2026, 12, 24)) == {"4": (38_40, 0, 1 - 38_40, 0)}


async def test_a_budget_of_next_year_is_seen_before_its_year_begins(pool: Pool) -> None:
    await story.open_area(pool)
    coming = {"order_id": "03:budget:2027", "year": 2027, "valid_from": date(2027, 1, 1)}
    await story.hear(pool, "registry.order", budget(line("4", "one_item", 5_00), **coming))
    async with transaction(pool) as tx:
        found = await views.standing_lines(tx, told.AREA, 2027, NOVEMBER)
        assert await views.standing_lines(tx, told.AREA, 2026, NOVEMBER) == []
    assert [(row["line"], row["left_cents"]) for row in found] == [("4", 5_00)]


async def test_a_line_that_is_used_to_the_last_cent_is_not_breached(pool: Pool) -> None:
    await closed_month(pool)
    await story.hear(pool, "registry.order", budget(line("4", "one_item", 38_40), line("5", "one_item", 38_39)))
    async with transaction(pool) as tx:
        found = await views.standing_lines(tx, told.AREA, 2026, NOVEMBER)
    assert {row["line"]: row["breached"] for row in found} == {"4": False, "5": True}


async def test_an_order_encumbers_what_is_not_yet_delivered(pool: Pool) -> None:
    await closed_month(pool)
    await story.hear(pool, "registry.order", budget(line("2", "package", 200_00, nodes=["SOS.1"])), ordered(3, "2"))
    assert await standing(pool) == {"2": (24_40, 3 * 45_00 - 24_40, 200_00 - 3 * 45_00, 24_40)}


async def test_a_report_corrected_to_another_node_moves_its_use(pool: Pool) -> None:
    await closed_month(pool)
    await story.hear(
        pool,
        "registry.order",
        budget(line("2", "package", 100_00, nodes=["SOS"]), line("3", "package", 100_00, nodes=["MTP"])),
    )
    await story.hear(pool, "registry.price", told.price().model_copy(update={"price_id": "p2", "node": "MTP.1"}))
    corrected = visit(1, 2, date(2026, 11, 15), recorded_at=at(12, 10), fee_cents=20_60, version=2)
    dearer = corrected.model_copy(update={"node": "MTP.1", "quantity": 2})
    await story.hear(pool, "monitoring.production", dearer)
    await story.close(pool, date(2026, 12, 1), at(12, 31, 23))
    assert {line: used[0] for line, used in (await standing(pool)).items()} == {"2": 0, "3": 69_40}
    async with transaction(pool) as tx:
        found = await rows(
            tx,
            "SELECT n.component, sum(n.amount_cents)::bigint AS cents, (SELECT sum(t.amount_cents)::bigint"
            " FROM statement_sum t WHERE t.component = n.component) AS stated FROM node_use n GROUP BY n.component",
        )
    assert all(row["cents"] == row["stated"] for row in found)


async def test_what_was_used_is_never_changed(pool: Pool) -> None:
    await closed_month(pool)
    for statement in ("UPDATE node_use SET amount_cents = 0", "DELETE FROM year_order"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            async with transaction(pool) as tx:
                await tx.execute(statement)


async def test_the_months_of_a_year_draw_on_its_budget_and_no_others(pool: Pool) -> None:
    """December 2025 and January 2026 cost 7.00 € and 3.50 €: each is of its own year."""
    await story.open_area(pool)
    since, early = date(2025, 9, 1), datetime(2025, 11, 1, tzinfo=UTC)
    model = told.document().model_copy(update={"valid_from": since, "recorded_at": early})
    await story.hear(pool, "registry.document", model)
    await story.hear(pool, "registry.scheme", told.scheme().model_copy(update={"version": 6, "entered_on": since}))
    await story.hear(pool, "listing.resident", resident(1))
    stretches = span(date(2025, 12, 1), date(2026, 1, 1)), span(date(2026, 1, 1), date(2026, 2, 1), permille=500)
    await story.hear(pool, "listing.listing", listed(1, *stretches))
    for hour, month in enumerate((date(2025, 12, 1), date(2026, 1, 1))):
        await story.close(pool, month, at(12, 2, hour))
    async with transaction(pool) as tx:
        uses = {year: await views.uses_of_year(tx, told.AREA, year, taken=False) for year in (2025, 2026)}
    assert {year: sum(one.amount_cents for one in found) for year, found in uses.items()} == {2025: 7_00, 2026: 3_50}
