"""The yearly ceiling of client fees on a real PostgreSQL: claimed once, corrected, families together."""

import hashlib
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import psycopg
import pytest

from kanava.common.db import Pool, one, rows, transaction
from kanava.payments import ceilings, ledger
from kanava.payments.domain.ceilings import Child, PaidFee, over_the_ceiling
from kanava.payments.figures import fee_ceilings
from kanava.payments.lines import sums as sums_of
from kanava.payments.views import ceilings as views
from kanava.payments.views.reconciliation import reconciliation
from kanava.payments.views.trial_balance import lines_on
from tests.payments import story
from tests.support import facts as told
from tests.support.databases import ServiceDatabase
from tests.support.facts import at, resident, resident_id, visit

OCTOBER, NOVEMBER, DECEMBER = date(2026, 10, 1), date(2026, 11, 1), date(2026, 12, 1)


async def claims(pool: Pool, month: date) -> dict[tuple[UUID, UUID], int]:
    """By how much a closed month changed each claim, by resident and payee."""
    async with transaction(pool) as tx:
        found = await views.claimed_in(tx, told.AREA, month)
    return {(row["resident_id"], row["payee_id"]): row["amount_cents"] for row in found}


async def owed_cents(pool: Pool) -> int:
    """What the book owes to residents."""
    async with transaction(pool) as tx:
        found = await rows(
            tx, "SELECT coalesce(-sum(amount_cents), 0)::bigint AS c FROM posting WHERE account = '2400'"
        )
    return int(found[0]["c"])


async def test_what_exceeds_the_ceiling_is_owed_once_and_a_corrected_fee_corrects_it(pool: Pool) -> None:
    await story.open_area(pool)
    await story.hear(pool, "listing.resident", resident(1))
    fees = [visit(n, 1, date(2026, 10, n), recorded_at=at(10, 20), fee_cents=300_00) for n in (1, 2, 3)]
    await story.hear(pool, "monitoring.production", *fees)
    await story.close(pool, OCTOBER, at(11, 2))
    own = (resident_id(1), resident_id(1))
    assert await claims(pool, OCTOBER) == {own: 85_00}
    assert await owed_cents(pool) == 85_00
    await story.close(pool, NOVEMBER, at(12, 2))
    assert await claims(pool, NOVEMBER) == {}, "nothing is claimed twice"
    lower = visit(1, 1, date(2026, 10, 1), recorded_at=at(12, 4), fee_cents=250_00, version=2)
    await story.hear(pool, "monitoring.production", lower)
    await story.close(pool, DECEMBER, at(12, 31, 23))
    assert await claims(pool, DECEMBER) == {own: -50_00}
    assert await owed_cents(pool) == 35_00
    async with transaction(pool) as tx:
        shown = await views.of_family(tx, resident_id(1))
        listed = await views.of_area(tx, told.AREA, 2026, after=(UUID(int=0), UUID(int=0)), limit=10)
        verified = await ledger.verify(tx, told.AREA)
        flows = (await reconciliation(tx, date(2026, 11, 1), date(2027, 1, 1))).flows
    unpaid = {"paid_cents": 0, "in_payment_cents": 0, "owed_cents": 35_00}
    counted = {"year": 2026, "counted_cents": 850_00, "claimed_cents": 35_00, "ceiling_cents": 815_00}
    assert shown == [counted | unpaid]
    assert [row["claimed_cents"] for row in listed] == [35_00]
    assert verified.broken is None
    ours = [flow for flow in flows if flow["flow"] == "claims above the ceiling → entry"]
    assert [(flow["came"], flow["is_whole"]) for flow in ours] == [(1, True), (1, True)]
    await story.assert_books_agree(pool)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("UPDATE ceiling_claim SET amount_cents = amount_cents + 1", "its claims above the ceiling were changed"),
        ("DELETE FROM ceiling_claim", "its claims above the ceiling were changed"),
        (
            "INSERT INTO ceiling_claim SELECT (SELECT run_id FROM run ORDER BY month DESC LIMIT 1), resident_id,"
            " payee_id, year, area, ceiling_cents, 1 FROM ceiling_claim",
            "claims above the ceiling are in no entry",
        ),
    ],
)
async def test_a_claim_changed_by_a_cent_is_named(
    pool: Pool, database: ServiceDatabase, change: str, reason: str
) -> None:
    await story.open_area(pool)
    await story.hear(pool, "listing.resident", resident(1))
    fees = [visit(n, 1, date(2026, 10, n), recorded_at=at(10, 20), fee_cents=300_00) for n in (1, 2, 3)]
    await story.hear(pool, "monitoring.production", *fees)
    await story.close(pool, OCTOBER, at(11, 2))
    await story.close(pool, NOVEMBER, at(12, 2))
    with psycopg.connect(database.admin_url, autocommit=True) as admin:
        admin.execute("SET session_replication_role = replica")
        assert admin.execute(change).rowcount == 1
    async with transaction(pool) as tx:
        broken = (await ledger.verify(tx, told.AREA)).broken
    assert broken is not None
    assert broken.reason == reason


async def test_the_digest_of_a_run_holds_its_claims(pool: Pool) -> None:
    """What producers are owed, and so every sum of lines, is the same; who gets back what is not."""
    await story.open_area(pool)
    child = resident(2, date(2015, 1, 1), guardian_id=resident_id(1))
    await story.hear(pool, "listing.resident", resident(1), child)
    fees = [visit(n, n % 2 + 1, date(2026, 10, n), recorded_at=at(10, 20), fee_cents=300_00) for n in (1, 2, 3, 4)]
    await story.hear(pool, "monitoring.production", *fees)
    run = await story.close(pool, OCTOBER, at(11, 2))
    async with transaction(pool) as tx:
        sums = await sums_of(tx, run["run_id"])
        entry = await one(tx, "SELECT lines_digest FROM entry WHERE kind = 'ceiling'")
    assert entry is not None
    names = ("producer_id", "component", "lines", "amount_cents", "lines_digest")
    exported = ["|".join(str(row[name]) for name in names) for row in sums]
    assert run["digest"] == hashlib.sha256("\n".join([*exported, entry["lines_digest"]]).encode()).hexdigest()


async def test_a_guardian_that_became_known_late_brings_the_family_together(pool: Pool) -> None:
    await story.open_area(pool)
    child = resident(2, date(2015, 1, 1))
    await story.hear(pool, "listing.resident", resident(1), child, resident(3, date(2016, 1, 1)))
    fees = [visit(n, n % 2 + 1, date(2026, 10, n), recorded_at=at(10, 20), fee_cents=300_00) for n in (1, 2, 3, 4)]
    await story.hear(pool, "monitoring.production", *fees)
    await story.close(pool, OCTOBER, at(11, 2))
    assert await claims(pool, OCTOBER) == {}, "apart nobody is over the ceiling"
    linked = resident(
        2, date(2015, 1, 1), version=2, what="corrected", guardian_id=resident_id(1), recorded_at=at(11, 9)
    )
    await story.hear(pool, "listing.resident", linked)
    await story.close(pool, NOVEMBER, at(12, 2))
    guardian = resident_id(1)
    assert await claims(pool, NOVEMBER) == {(resident_id(2), guardian): 85_00, (guardian, guardian): 300_00}
    other = linked.model_copy(update={"version": 3, "guardian_id": resident_id(3), "recorded_at": at(12, 9)})
    await story.hear(pool, "listing.resident", other)
    await story.close(pool, DECEMBER, at(12, 31, 23))
    assert await claims(pool, DECEMBER) == {(resident_id(2), guardian): -85_00, (guardian, guardian): -300_00}
    assert await owed_cents(pool) == 0


async def test_the_sql_is_the_rule(pool: Pool) -> None:
    """Families of three over two months with fees on many days: what the run claims is what the rule says."""
    await story.open_area(pool)
    known = {resident_id(n): Child(date(2008, 10, 1 + n), resident_id(n - n % 3)) for n in range(28) if n % 3}
    told_of = {who: {"born": child.birth_date, "guardian_id": child.guardian_id} for who, child in known.items()}
    people = [resident(n, **told_of.get(resident_id(n), {})) for n in range(28)]  # type: ignore[arg-type]  # as told
    await story.hear(pool, "listing.resident", *people)
    fees = [
        visit(n, n % 28, OCTOBER + timedelta(days=n * 7 % 61), recorded_at=at(10, 1), fee_cents=n * 37 % 200_00 + 50_00)
        for n in range(400)
    ]
    await story.hear(pool, "monitoring.production", *fees)
    await story.close(pool, OCTOBER, at(12, 1))
    await story.close(pool, NOVEMBER, at(12, 2))
    paid = [PaidFee(f.production_id, f.resident_id, f.performed_on, f.client_fee_cents) for f in fees]
    for until, months in ((NOVEMBER, (OCTOBER,)), (DECEMBER, (OCTOBER, NOVEMBER))):
        total: dict[tuple[UUID, UUID], int] = {}
        for month in months:
            for key, cents in (await claims(pool, month)).items():
                total[key] = total.get(key, 0) + cents
        expected = over_the_ceiling([fee for fee in paid if fee.performed_on < until], known, fee_ceilings())
        assert {key: cents for key, cents in total.items() if cents} == {(r, p): c for (r, p, _), c in expected.items()}


async def test_a_ceiling_that_became_known_late_gives_back_what_lies_above(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    await story.open_area(pool)
    await story.hear(pool, "listing.resident", resident(1))
    fees = [visit(n, 1, date(2026, 10, n), recorded_at=at(10, 20), fee_cents=300_00) for n in (1, 2, 3)]
    await story.hear(pool, "monitoring.production", *fees)
    with monkeypatch.context() as before:
        before.setattr(ceilings, "fee_ceilings", dict)
        await story.close(pool, OCTOBER, at(11, 2))
        assert await claims(pool, OCTOBER) == {}
    await story.close(pool, NOVEMBER, at(12, 2))
    await story.close(pool, DECEMBER, at(12, 31, 23))
    assert await claims(pool, NOVEMBER) == {(resident_id(1), resident_id(1)): 85_00}
    assert await claims(pool, DECEMBER) == {}


async def test_claims_belong_to_the_month_of_their_run_like_the_fees_that_they_give_back(pool: Pool) -> None:
    await story.open_area(pool)
    await story.hear(pool, "listing.resident", resident(1))
    for month, cut_off in ((OCTOBER, at(11, 2)), (NOVEMBER, at(12, 2))):
        await story.close(pool, month, cut_off)
    fees = [visit(n, 1, date(2026, 12, n), recorded_at=at(12, 20), fee_cents=300_00) for n in (1, 2, 3)]
    await story.hear(pool, "monitoring.production", *fees)
    new_year = datetime(2027, 1, 4, 20, tzinfo=UTC)
    await story.close(pool, DECEMBER, new_year)
    async with transaction(pool) as tx:
        lines = await lines_on(tx, told.AREA, date(2026, 12, 31), new_year)
    found = {str(line.account): line.closing_cents for line in lines}
    assert (found["4300"], found["4310"], found["2400"]) == (-900_00, 85_00, -85_00)
