"""What steering, disputes, refunds and transfers do to money is missed and named when somebody takes it out."""

from datetime import date

import psycopg
import pytest

from kanava.common.db import Pool, transaction
from kanava.payments.domain.disputes import Remedy
from kanava.payments.scope import within
from kanava.payments.views.reconciliation import Reconciliation, reconciliation
from tests.payments import refund_story, story
from tests.payments.test_base_payments import cooperation
from tests.payments.test_disputes import contest, decide, key
from tests.payments.test_effectiveness import partnership
from tests.payments.test_incentives import october, snapshot
from tests.payments.test_sanctions import sanction
from tests.payments.test_transfers import move
from tests.support import facts as told
from tests.support.databases import ServiceDatabase
from tests.support.facts import at, visit

NOVEMBER, DECEMBER = date(2026, 11, 1), date(2026, 12, 1)
SANCTION, CONTRACT, INDICATOR = "sanction → charge", "contract → charge", "frozen indicator → outcome"
DISPUTE, REFUND = "adjustment of a dispute → resident line", "refund decision → entry"
TRANSFER = "transfer → both entries"


async def much_happened(pool: Pool) -> None:
    """A sanction, a base payment, a frozen indicator, an accepted dispute, a municipal refund and a transfer."""
    await october(pool)
    await story.hear(pool, "registry.contract", cooperation(), partnership())
    await story.hear(pool, "registry.sanction", sanction(1, at(11, 16)))
    await story.hear(pool, "monitoring.snapshot", snapshot(1, at(11, 20)))
    await story.hear(pool, "monitoring.production", visit(1, 2, date(2026, 11, 15), recorded_at=at(11, 16)))
    await story.close(pool, NOVEMBER, at(12, 2))
    opened = await contest(pool, "fee")
    await decide(pool, opened.dispute_id, remedy=Remedy.PAYMENTS, holds=[(await key(pool, "fee"), 90_00)])
    await story.close(pool, DECEMBER, at(12, 31, 23))
    await refund_story.four_years(pool)
    await refund_story.decide(pool, (await refund_story.propose(pool)).refund_id)
    await move(pool, (told.AREA, "05", 1_00), now=at(12, 5))


async def look(pool: Pool) -> Reconciliation:
    """Reconcile everything."""
    async with transaction(pool) as tx:
        return await reconciliation(tx, date(2020, 1, 1), date(2100, 1, 1))


def counted(found: Reconciliation, *flows: str) -> dict[str, tuple[int, int, int]]:
    """What came, was done and waits in flows, over all days."""
    sums = dict.fromkeys(flows, (0, 0, 0))
    for one in found.flows:
        if (name := str(one["flow"])) in sums:
            each = (int(str(one["came"])), int(str(one["done"])), int(str(one["waiting"])))
            sums[name] = tuple(map(sum, zip(sums[name], each, strict=True)))  # type: ignore[assignment]  # three
    return sums


async def test_what_steers_and_corrects_has_its_effect(pool: Pool) -> None:
    await much_happened(pool)
    found = await look(pool)
    assert [one for one in found.flows if not one["is_whole"]] == []
    assert counted(found, SANCTION, CONTRACT, INDICATOR, DISPUTE, REFUND, TRANSFER) == {
        SANCTION: (1, 1, 0),
        CONTRACT: (4, 4, 0),
        INDICATOR: (1, 1, 0),
        DISPUTE: (1, 1, 0),
        REFUND: (1, 1, 0),
        TRANSFER: (1, 1, 0),
    }, "three months of base payment and a measure"


async def test_what_became_known_later_waits_for_its_month(pool: Pool) -> None:
    await much_happened(pool)
    later = {"sanction_id": "another", "effective_on": date(2027, 1, 10)}
    await story.hear(pool, "registry.sanction", sanction(2, at(12, 31, 23), status="withdrawn", what="withdrawn"))
    await story.hear(pool, "registry.sanction", sanction(1, at(12, 1), **later))
    await story.hear(pool, "monitoring.snapshot", snapshot(2, at(12, 31, 23), indicator="nps"))
    found = await look(pool)
    assert found.is_whole
    assert counted(found, SANCTION, INDICATOR) == {SANCTION: (2, 0, 2), INDICATOR: (2, 1, 1)}


async def test_who_sees_one_area_misses_nothing_of_the_others(pool: Pool, plain: Pool) -> None:
    await much_happened(pool)
    for area in (told.AREA, "05"):
        async with within(plain, area) as tx:
            found = await reconciliation(tx, date(2020, 1, 1), date(2100, 1, 1))
        assert [one for one in found.flows if one["flow"] == TRANSFER and not one["is_whole"]] == []
        assert counted(found, TRANSFER) == {TRANSFER: (1, 0, 1)}


ENTRY = (
    "DELETE FROM posting p USING entry e WHERE (e.area, e.seq) = (p.area, p.seq) AND e.kind = '{0}';"
    " DELETE FROM entry WHERE kind = '{0}'"
)
TAKEN_OUT = {
    "the charge of a sanction": ("DELETE FROM charge WHERE component = 'sanction'", SANCTION, f"{told.PRIVATE}:3"),
    "a cent of a sanction": ("UPDATE charge SET amount_cents = -1 WHERE component = 'sanction'", SANCTION, ":3"),
    "a sanction": ("DELETE FROM sanction_version", SANCTION, f"{told.PRIVATE}:3"),
    "a cent of a base payment": (
        "UPDATE charge SET amount_cents = amount_cents - 1 WHERE component = 'base_payment'"
        " AND for_month = '2026-12-01'",
        CONTRACT,
        "base_payment C-cooperation 2026-12",
    ),
    "an effectiveness payment": (
        "DELETE FROM charge WHERE component = 'effectiveness'",
        CONTRACT,
        "effectiveness C-partnership",
    ),
    "a contract": ("DELETE FROM contract_version WHERE contract_id = 'C-cooperation'", CONTRACT, "2026-10"),
    "an outcome": ("DELETE FROM incentive_outcome", INDICATOR, f"esh {told.PRIVATE} 049 2026-10"),
    "a cent of an outcome": ("UPDATE incentive_outcome SET earned_cents = earned_cents + 1", INDICATOR, "esh"),
    "a reserve": ("DELETE FROM incentive_reserve WHERE for_month = '2026-10-01'", INDICATOR, "esh"),
    "an adjustment": (
        "DELETE FROM line_03_202612 WHERE component = 'adjustment' AND kind = 'refund'",
        DISPUTE,
        str(told.resident_id(2)),
    ),
    "a cent of an adjustment": (
        "UPDATE line_03_202612 SET amount_cents = amount_cents + CASE kind WHEN 'refund' THEN -1 ELSE 1 END"
        " WHERE component = 'adjustment'",
        DISPUTE,
        str(told.resident_id(2)),
    ),
    "the entry of a refund": (ENTRY.format("municipal_refund"), REFUND, "049"),
    "a cent of a refund": (
        "UPDATE posting SET amount_cents = amount_cents + sign(amount_cents)::int WHERE account IN ('4700', '2300')",
        REFUND,
        "049",
    ),
    "the entry of who got a transfer": (ENTRY.format("transfer_in"), TRANSFER, "03 05"),
    "the entry of who gave a transfer": (ENTRY.format("transfer_out"), TRANSFER, "03 05"),
    "a cent of a transfer": (
        "UPDATE posting SET amount_cents = amount_cents + sign(amount_cents)::int"
        " WHERE area = '05' AND account IN ('1100', '2700')",
        TRANSFER,
        "03 05",
    ),
}


@pytest.mark.parametrize("what", TAKEN_OUT)
async def test_an_effect_that_is_taken_out_turns_its_flow_red(pool: Pool, database: ServiceDatabase, what: str) -> None:
    await much_happened(pool)
    statements, flow, name = TAKEN_OUT[what]
    with psycopg.connect(database.admin_url, autocommit=True) as admin:
        admin.execute("SET session_replication_role = replica")
        for one in statements.split("; "):
            assert admin.execute(one).rowcount > 0
    red = [one for one in (await look(pool)).flows if one["flow"] == flow and not one["is_whole"]]
    missing = [each for one in red for each in one["missing"]]  # type: ignore[attr-defined]  # a list of names
    assert any(name in one for one in missing), missing
