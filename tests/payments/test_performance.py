"""Performance lines afterwards: decided, taken by the next run once, revoked, seen, on a real PostgreSQL."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kanava.common.clock import add_months
from kanava.common.db import Pool, Tx, one, rows, transaction
from kanava.common.errors import Refused
from kanava.payments.commands import RequestRun
from kanava.payments.errors import Reason
from kanava.payments.main import create_app
from kanava.payments.service.performance import (
    DecidePerformance,
    PerformanceDecided,
    RevokePerformance,
    decide_performance,
    revoke_performance,
)
from kanava.payments.service.runs import close_month, request_run
from kanava.payments.settings import PaymentsSettings
from kanava.payments.views import books, explained, performance, reports, statements
from kanava.payments.views.reconciliation import reconciliation
from tests.payments import story
from tests.payments.test_statement_api import Api, Names, Stopped
from tests.support import facts as told
from tests.support.facts import at, listed, resident, resident_id, span

NOVEMBER, DECEMBER, JANUARY = date(2026, 11, 1), date(2026, 12, 1), date(2027, 1, 1)
CLOSED_ON = {
    NOVEMBER: at(12, 2),
    DECEMBER: datetime(2027, 1, 2, 9, tzinfo=UTC),
    JANUARY: datetime(2027, 2, 2, 9, tzinfo=UTC),
}
WHY = "Hoidon tarve kasvoi leikkauksen jälkeen."


async def open_area(pool: Pool) -> None:
    """One resident with the private producer and one with the own enterprise, since September."""
    await story.open_area(pool)
    await story.hear(pool, "listing.resident", resident(1), resident(2))
    since = date(2026, 9, 1)
    await story.hear(pool, "listing.listing", listed(1, span(since, private=True)), listed(2, span(since)))


def wanted(cents: int = 120_00, day: date = date(2026, 11, 10), **changed: Any) -> DecidePerformance:
    """A line for the first resident at the private unit, by Aino."""
    fields = {"area": told.AREA, "resident_id": resident_id(1), "unit_id": told.PRIVATE_UNIT, "performed_on": day}
    return DecidePerformance(**fields | {"amount_cents": cents, "reason": WHY, "decided_by": "aino"} | changed)


async def decide(pool: Pool, command: DecidePerformance, now: datetime) -> PerformanceDecided:
    """Decide at an instant."""
    async with transaction(pool) as tx:
        return await decide_performance(tx, command, now)


async def revoke(pool: Pool, performance_id: UUID, now: datetime, by: str = "bertta") -> PerformanceDecided:
    """Bertta revokes at an instant."""
    async with transaction(pool) as tx:
        return await revoke_performance(tx, RevokePerformance(performance_id, "Tarve ei kasvanut.", by), now)


async def close(pool: Pool, *months: date) -> None:
    """Close months with what is known; the books agree."""
    for month in months:
        await story.close(pool, month, CLOSED_ON[month])
        await story.assert_books_agree(pool)


async def taken(pool: Pool) -> list[tuple[str, str, int]]:
    """Kind, month and cents of the performance lines, in the order of their runs."""
    async with transaction(pool) as tx:
        found = await rows(
            tx,
            "SELECT l.* FROM line l JOIN run r USING (run_id) WHERE component = 'performance'"
            " ORDER BY r.month, l.for_month, l.amount_cents",
        )
    return [(row["kind"], f"{row['for_month']:%Y-%m}", row["amount_cents"]) for row in found]


async def refusal(pool: Pool, command: DecidePerformance) -> Reason:
    """Why a decision is refused on 1 December."""
    with pytest.raises(Refused) as refused:
        await decide(pool, command, at(12, 1))
    return Reason(refused.value.reason)


async def test_the_next_run_takes_a_decision_once(pool: Pool) -> None:
    """A raise of 120.00 for November and one that lowers by 30.00; December's run does not take them again."""
    await open_area(pool)
    raised = await decide(pool, wanted(), at(11, 20))
    await decide(pool, wanted(-30_00), at(11, 20))
    await close(pool, NOVEMBER)
    assert await taken(pool) == [("original", "2026-11", -30_00), ("original", "2026-11", 120_00)]
    line = (await story.lines(pool, "performance"))[0]
    assert (line["resident_id"], line["producer_id"], line["days"]) == (resident_id(1), told.PRIVATE, 0)
    assert raised.performance_id in {line["source"] for line in await story.lines(pool, "performance")}
    await close(pool, DECEMBER, JANUARY)
    assert len(await taken(pool)) == 2, "nothing is done twice"
    async with transaction(pool) as tx:
        (row,) = [row for row in await books.sums(tx, told.AREA) if row["component"] == "performance"]
    assert (row["lines_cents"], row["producers_cents"], row["account_cents"]) == (90_00, 90_00, 90_00)


async def test_a_late_decision_falls_into_the_next_run_with_the_month_of_its_day(pool: Pool) -> None:
    """Decided after November closed; one for a day of December waited while November closed."""
    await open_area(pool)
    await decide(pool, wanted(10_00, date(2026, 12, 1)), at(12, 1))
    await close(pool, NOVEMBER)
    assert await taken(pool) == []
    await decide(pool, wanted(20_00), at(12, 5))
    await close(pool, DECEMBER)
    assert await taken(pool) == [("original", "2026-11", 20_00), ("original", "2026-12", 10_00)]


async def test_a_decision_behind_a_cut_off_waits_for_the_next_run(pool: Pool) -> None:
    """Its clock says before the cut-off, but the run was requested already: it counts from the cut-off on."""
    await open_area(pool)
    async with transaction(pool) as tx:
        await request_run(tx, RequestRun(told.AREA, NOVEMBER, "operator"), CLOSED_ON[NOVEMBER])
    decided = await decide(pool, wanted(), at(12, 1))
    assert decided.recorded_at == CLOSED_ON[NOVEMBER]
    await close(pool, NOVEMBER)
    assert await taken(pool) == []
    await close(pool, DECEMBER)
    assert await taken(pool) == [("original", "2026-11", 120_00)]


async def test_revoked_before_the_month_closed_it_leaves_no_line(pool: Pool) -> None:
    await open_area(pool)
    decided = await decide(pool, wanted(), at(11, 20))
    await revoke(pool, decided.performance_id, at(11, 21))
    await close(pool, NOVEMBER, DECEMBER)
    assert await taken(pool) == []
    await assert_whole(pool)


async def test_revoked_after_the_month_closed_it_is_taken_back_once(pool: Pool) -> None:
    await open_area(pool)
    decided = await decide(pool, wanted(), at(11, 20))
    await close(pool, NOVEMBER)
    await revoke(pool, decided.performance_id, at(12, 5))
    await close(pool, DECEMBER, JANUARY)
    assert await taken(pool) == [("original", "2026-11", 120_00), ("refund", "2026-11", -120_00)]
    await assert_whole(pool)


async def assert_whole(pool: Pool) -> None:
    """No decision is missing in the books."""
    async with transaction(pool) as tx:
        found = await reconciliation(tx, date(2026, 9, 1), date(2027, 3, 1))
    flows = [one for one in found.flows if one["flow"] == "performance decision → resident line"]
    assert [(one["came"], one["done"], one["is_whole"]) for one in flows] == [(1, 1, True)]


async def test_somebody_else_revokes_and_nothing_is_changed(pool: Pool) -> None:
    await open_area(pool)
    decided = await decide(pool, wanted(), at(11, 20))
    with pytest.raises(Refused) as same:
        await revoke(pool, decided.performance_id, at(11, 21), by="aino")
    await revoke(pool, decided.performance_id, at(11, 21))
    with pytest.raises(Refused) as again:
        await revoke(pool, decided.performance_id, at(11, 22), by="cecilia")
    assert (same.value.reason, again.value.reason) == (Reason.SAME_PERSON, Reason.PERFORMANCE_REVOKED)
    for change in ("UPDATE performance_decision SET amount_cents = 1", "DELETE FROM performance_revocation"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            async with transaction(pool) as tx:
                await tx.execute(change)


async def test_only_for_who_was_listed_there_in_production_and_within_the_limits(pool: Pool) -> None:
    await open_area(pool)
    moved = listed(2, span(date(2026, 9, 1), date(2026, 11, 10)), version=2, recorded_at=at(10, 2))
    await story.hear(pool, "listing.listing", moved)
    at_own = {"resident_id": resident_id(2), "unit_id": told.OWN_UNIT}
    await decide(pool, wanted(day=date(2026, 11, 9), **at_own), at(12, 1))
    assert await refusal(pool, wanted(**at_own)) is Reason.NOT_LISTED_THERE, "the last day is the one before"
    assert await refusal(pool, wanted(unit_id=told.OWN_UNIT)) is Reason.NOT_LISTED_THERE
    assert await refusal(pool, wanted(area="05")) is Reason.NOT_LISTED_THERE, "the unit is not of that area"
    assert await refusal(pool, wanted(10_000_01)) is Reason.PERFORMANCE_TOO_LARGE
    assert await refusal(pool, wanted(day=JANUARY)) is Reason.PERFORMANCE_IN_THE_FUTURE
    assert await refusal(pool, wanted(day=date(2026, 8, 31))) is Reason.SCHEME_NOT_IN_PRODUCTION


async def test_a_run_that_is_repeated_writes_the_same_bytes(pool: Pool) -> None:
    await open_area(pool)
    await decide(pool, wanted(), at(11, 20))
    digests = []
    for _ in range(2):
        async with rolled_back(pool) as tx:
            digests.append(await _closed(tx, NOVEMBER))
    await close(pool, NOVEMBER)
    async with transaction(pool) as tx:
        run = await one(tx, "SELECT digest FROM run")
    assert run is not None
    assert digests == [run["digest"]] * 2


async def _closed(tx: Tx, month: date) -> str:
    """Close a month within a transaction; its digest."""
    requested = await request_run(tx, RequestRun(told.AREA, month, "operator"), CLOSED_ON[month])
    row = await one(tx, "SELECT * FROM run WHERE run_id = %s", (requested.run_id,))
    assert row is not None
    await close_month(tx, row)
    closed = await one(tx, "SELECT digest FROM run WHERE run_id = %s", (requested.run_id,))
    assert closed is not None
    return str(closed["digest"])


class Undone(Exception):
    """Takes a transaction back."""


@asynccontextmanager
async def rolled_back(pool: Pool) -> AsyncIterator[Tx]:
    """A transaction of which nothing stays."""
    try:
        async with transaction(pool) as tx:
            yield tx
            raise Undone
    except Undone:
        return


async def test_the_statement_says_why_and_the_resident_sees_what_was_spent(pool: Pool) -> None:
    await open_area(pool)
    decided = await decide(pool, wanted(), at(11, 20))
    await close(pool, NOVEMBER)
    await revoke(pool, decided.performance_id, at(12, 5))
    await close(pool, DECEMBER)
    expected = ((NOVEMBER, 120_00, WHY, None), (DECEMBER, -120_00, "Tarve ei kasvanut.", "2026-11"))
    for month, cents, why, corrects in expected:
        async with transaction(pool) as tx:
            (statement,) = await statements.statements(tx, area=told.AREA, month=month, producers=[told.PRIVATE])
            full = await explained.head(tx, statement["statement_id"])
            assert full is not None
            found = await explained.lines(tx, full, limit=10)
        (line,) = [line for line in found if line["component"] == "performance"]
        assert (line["rule_kind"], line["rule"]) == ("performance_decision", str(decided.performance_id))
        assert (line["amount_cents"], line["reason"], line["performed_on"]) == (cents, why, date(2026, 11, 10))
        assert line["corrects_statement_of"] == corrects
    window = {"resident": resident_id(1), "since": NOVEMBER, "until": DECEMBER, "limit": 10, "offset": 0}
    async with transaction(pool) as tx:
        spent = await reports.of_resident(tx, window)
    assert [row for row in spent if row["component"] == "performance"] == [], "what was taken back came to nothing"


@pytest.fixture
async def api(pool: Pool) -> AsyncIterator[Api]:
    """Payments on 10 December 2026, without bus; November is not closed."""
    app = create_app(PaymentsSettings())
    app.state.pool, app.state.clock, app.state.verifier = pool, Stopped(), Names()
    await open_area(pool)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://payments") as client:
        yield Api(client)


BODY = {
    "area": told.AREA,
    "resident_id": str(resident_id(1)),
    "unit_id": told.PRIVATE_UNIT,
    "performed_on": "2026-11-10",
    "amount_cents": 120_00,
    "reason": WHY,
}


async def test_the_organiser_of_the_area_decides_once_and_nobody_else(api: Api, pool: Pool) -> None:
    path = "/v1/performance-lines"
    first = await api.post("organiser", path, BODY, key="k1")
    again = await api.post("organiser", path, BODY, key="k1")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert (await api.post("organiser", path, BODY | {"amount_cents": 1}, key="k1")).status_code == 422
    for who in ("producer", "elsewhere", "operator", "municipality"):
        assert (await api.post(who, path, BODY)).status_code == 403
    for wrong in ({"amount_cents": 0}, {"amount_cents": 1.5}, {"reason": ""}, {"reason": "x" * 301}, {"unit_id": "x"}):
        assert (await api.post("organiser", path, BODY | wrong)).status_code == 422
    refused = await api.post("organiser", path, BODY | {"unit_id": told.OWN_UNIT})
    assert (refused.status_code, refused.json()["reason"]) == (409, "not_listed_there")
    revocation = f"{path}/{first.json()['performance_id']}/revocation"
    for who, status in (("producer", 403), ("operator", 403), ("elsewhere", 404), ("organiser", 409)):
        answer = await api.post(who, revocation, {"reason": "Virhe."})
        assert answer.status_code == status, "the organiser decided on it and does not revoke it"
    async with transaction(pool) as tx:
        assert len(await performance.decisions(tx, area=told.AREA)) == 1


async def test_the_lists_are_of_the_area_and_of_the_own_producer(api: Api) -> None:
    for day in ("2026-11-10", "2026-11-11"):
        await api.post("organiser", "/v1/performance-lines", BODY | {"performed_on": day})
    of_area, of_producer = (
        "/v1/accounts/03/performance-lines",
        f"/v1/producers/{told.PRIVATE}/performance-lines?area=03",
    )
    page = (await api.get("organiser", f"{of_area}?limit=1")).json()
    rest = (await api.get("organiser", f"{of_area}?limit=1&after={page['next']}")).json()
    found = page["performance_lines"] + rest["performance_lines"]
    assert [line["performed_on"] for line in found] == ["2026-11-10", "2026-11-11"]
    assert (await api.get("operator", of_area)).json()["performance_lines"] == found
    own = (await api.get("producer", of_producer)).json()["performance_lines"]
    assert [(line["reason"], line["in_the_books_cents"]) for line in own] == [(WHY, 0)] * 2
    for who, path in (
        ("elsewhere", of_area),
        ("producer", of_area),
        ("other", of_producer),
        ("elsewhere", of_producer),
    ):
        assert (await api.get(who, path)).status_code == 403


@dataclass(frozen=True)
class Step:
    """What happens before the next month closes: a decision of cents for a day, or a revocation of one before."""

    month: int
    cents: int
    days_back: int
    revokes: int | None


STEPS = st.lists(
    st.builds(
        Step,
        month=st.integers(0, 2),
        cents=st.integers(-10_000_00, 10_000_00).filter(bool),
        days_back=st.integers(-50, 60),
        revokes=st.one_of(st.none(), st.integers(0, 5)),
    ),
    min_size=1,
    max_size=8,
)
EXAMPLES = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


async def _take(tx: Tx, step: Step, month: date, made: list[PerformanceDecided], now: datetime) -> None:
    """Decide or revoke; what the rules refuse changes nothing."""
    try:
        if step.revokes is None or not made:
            day = month - timedelta(days=step.days_back)
            made.append(await decide_performance(tx, wanted(step.cents, day), now))
        else:
            chosen = made[step.revokes % len(made)].performance_id
            await revoke_performance(tx, RevokePerformance(chosen, "Virhe.", "bertta"), now)
    except Refused:
        return


_IN_FORCE = """
SELECT coalesce(sum(amount_cents), 0)::bigint AS cents FROM performance_decision d
WHERE d.recorded_at < %(cut_off)s AND d.performed_on < %(end)s AND NOT EXISTS (
    SELECT FROM performance_revocation r WHERE r.performance_id = d.performance_id AND r.recorded_at < %(cut_off)s)
"""


@EXAMPLES
@given(steps=STEPS)
async def test_the_lines_sum_to_the_decisions_in_force(pool: Pool, steps: Sequence[Step]) -> None:
    """After each closed month, whatever was decided and revoked when; no line is there twice."""
    async with transaction(pool) as tx:
        opened = await one(tx, "SELECT 1 FROM unit LIMIT 1")
    if opened is None:
        await open_area(pool)
    async with rolled_back(pool) as tx:
        made: list[PerformanceDecided] = []
        for number, month in enumerate((NOVEMBER, DECEMBER, JANUARY)):
            for step in (step for step in steps if step.month == number):
                await _take(tx, step, month, made, CLOSED_ON[month] - timedelta(hours=1))
            await tx.execute("DISCARD TEMP")
            await _closed(tx, month)
            known = {"cut_off": CLOSED_ON[month], "end": add_months(month, 1)}
            in_force = await one(tx, _IN_FORCE, known)
            written = await rows(tx, "SELECT source, kind, amount_cents FROM line WHERE component = 'performance'")
            assert in_force is not None
            assert sum(row["amount_cents"] for row in written) == in_force["cents"]
            assert len({(row["source"], row["kind"]) for row in written}) == len(written)
