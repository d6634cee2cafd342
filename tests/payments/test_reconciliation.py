"""Every effect that somebody takes out of a scratch database is missed and named."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import uuid4

import psycopg
import pytest
from aiokafka import ConsumerRecord

from kanava.common.contracts import BY_NAME, TOPIC_OF, Fact
from kanava.common.contracts.registry import Contract
from kanava.common.db import Pool, rows, transaction
from kanava.common.inbox import Inbox
from kanava.payments.consumers import SUBSCRIPTIONS
from kanava.payments.views.reconciliation import Reconciliation, reconciliation
from tests.payments import story
from tests.payments.bank import camt054
from tests.payments.test_payout import payment, tell
from tests.support.databases import ServiceDatabase
from tests.support.facts import at, listed, resident, span, visit

NOVEMBER = date(2026, 11, 1)
DAYS = (date(2026, 9, 1), date(2026, 12, 31))
PRODUCTION = "kanava.monitoring.production.v1"


def record(fact: Fact, offset: int, value: bytes | None = None) -> ConsumerRecord[bytes, bytes]:
    """A fact as the broker delivers it."""
    topic = TOPIC_OF[type(fact)]
    headers = [("ce_id", str(uuid4()).encode()), ("ce_type", topic.type_of(fact.what).encode())]
    body = value or fact.model_dump_json().encode()
    key = str(getattr(fact, topic.key)).encode()
    return ConsumerRecord(topic.name, 0, offset, 0, 0, key, body, 0, len(key), len(body), headers)


async def take(pool: Pool, records: Sequence[ConsumerRecord[bytes, bytes]]) -> None:
    """Let the service's own inbox digest records of one topic."""
    name = records[0].topic
    await Inbox("payments", pool).take(BY_NAME[name], records, SUBSCRIPTIONS[name])


async def paid_november(pool: Pool) -> None:
    """Facts through the inbox, November closed, paid and booked by the bank; one report waits for its month."""
    await story.open_area(pool)
    await story.fund(pool, 200_00, at(10, 1))
    await take(pool, [record(resident(n), n) for n in (1, 2)])
    await take(pool, [record(listed(n, span(date(2026, 9, 1), private=n == 2)), n) for n in (1, 2)])
    reports = [visit(n, 2, date(2026, 11, 15 + n), recorded_at=at(11, 20)) for n in (1, 2)]
    waits = visit(3, 2, date(2026, 12, 15), recorded_at=at(12, 16))
    found = [record(fact, n) for n, fact in enumerate([*reports, reports[0], waits])]
    await take(pool, [*found, record(waits, 9, b"{}")])
    await story.close(pool, NOVEMBER, at(12, 2))
    await story.pay(pool, NOVEMBER, at(12, 3))
    end_to_end_id, cents = await payment(pool)
    await tell(pool, camt054("M1", [("B1", end_to_end_id, cents)]))


async def look(pool: Pool) -> Reconciliation:
    """Reconcile the months of the story, and the days on which it was told."""
    async with transaction(pool) as tx:
        return await reconciliation(tx, *DAYS)


def broken(found: Reconciliation) -> dict[str, list[str]]:
    """The flows that are not whole, and what they name."""
    return {str(one["flow"]): list(one["missing"]) for one in found.flows if not one["is_whole"]}  # type: ignore[call-overload]


async def test_everything_that_came_in_had_its_effect_or_waits(pool: Pool) -> None:
    await paid_november(pool)
    found = await look(pool)
    assert broken(found) == {}
    assert found.is_whole
    counted = {str(one["flow"]): (one["came"], one["done"], one["waiting"]) for one in found.flows}
    by_day = [one for one in found.flows if one["flow"] == "production report → resident line"]
    assert [(one["day"], one["came"], one["done"], one["waiting"]) for one in by_day] == [
        (date(2026, 11, 20), 2, 2, 0),
        (date(2026, 12, 16), 1, 0, 1),
    ]
    assert counted[f"facts applied of {PRODUCTION} → rows"] == (3, 3, 0)
    assert counted["closed month → entry"] == (3, 3, 0)
    assert counted["matched bank record → entry"] == counted["payment → release entry"] == (1, 1, 0)
    assert counted["instalment → entry"] == (1, 1, 0)
    async with transaction(pool) as tx:
        heard = await reconciliation(tx, date(2020, 1, 1), date(2100, 1, 1))
    counted = {str(one["flow"]): (one["came"], one["done"], one["waiting"]) for one in heard.flows}
    assert counted[f"records of {PRODUCTION} → outcome"] == (5, 5, 0), "3 applied, 1 double, 1 dead"
    facts = counted["facts of kanava.payments.statement.v1 → broker"]
    assert facts == (7, 0, 7), "two statements drawn, approved and paid, one booked; no relay runs here"


TAKEN_OUT = {
    "a line": (
        "DELETE FROM line_03_202611 WHERE source = '{visit}'",
        "production report → resident line",
        "{visit}",
    ),
    "a report": (
        "DELETE FROM visit WHERE production_id = '{visit}'",
        f"facts applied of {PRODUCTION} → rows",
        None,
    ),
    "a cost entry": (
        "DELETE FROM posting WHERE component = 'fee'; DELETE FROM entry WHERE text LIKE 'fee %'",
        "closed month → entry",
        "03 2026-11 {producer} fee",
    ),
    "a cent of a cost entry": (
        "UPDATE posting SET amount_cents = amount_cents + sign(amount_cents)::int WHERE component = 'fee'",
        "closed month → entry",
        "03 2026-11 {producer} fee",
    ),
    "the fact of the month": (
        "DELETE FROM outbox WHERE topic = 'kanava.payments.run.v1'",
        "closed month → fact on the bus",
        "03 2026-11",
    ),
    "a fact of a statement": (
        "DELETE FROM outbox WHERE id = (SELECT max(id) FROM outbox WHERE topic = 'kanava.payments.statement.v1')",
        "version of a statement → fact on the bus",
        "version 4",
    ),
    "a fact of the account": (
        "DELETE FROM outbox WHERE id = (SELECT min(id) FROM outbox WHERE topic = 'kanava.payments.account.v1')",
        "entry that moves the account → fact on the bus",
        "03 1",
    ),
    "the entry of a payment": (
        "DELETE FROM posting WHERE seq = (SELECT seq FROM entry WHERE kind = 'release');"
        " DELETE FROM entry WHERE kind = 'release'",
        "payment → release entry",
        None,
    ),
    "the entry of a bank record": (
        "DELETE FROM posting WHERE seq = (SELECT seq FROM entry WHERE kind = 'booked');"
        " DELETE FROM entry WHERE kind = 'booked'",
        "matched bank record → entry",
        " booked",
    ),
    "the entry of an instalment": (
        "DELETE FROM posting WHERE seq = 1; DELETE FROM entry WHERE seq = 1",
        "instalment → entry",
        "03 state 1/12",
    ),
    "a count of what was heard": (
        f"UPDATE heard_day SET applied = applied - 1 WHERE topic = '{PRODUCTION}'",
        f"records of {PRODUCTION} → outcome",
        None,
    ),
}


@pytest.mark.parametrize("what", TAKEN_OUT)
async def test_an_effect_that_is_taken_out_is_missed_and_named(
    pool: Pool, database: ServiceDatabase, what: str
) -> None:
    await paid_november(pool)
    statements, flow, name = TAKEN_OUT[what]
    known = {"visit": visit(1, 2, NOVEMBER, recorded_at=at(11, 2)).production_id, "producer": story.told.PRIVATE}
    with psycopg.connect(database.admin_url, autocommit=True) as admin:
        admin.execute("SET session_replication_role = replica")
        for one in statements.format(**known).split("; "):
            assert admin.execute(one).rowcount > 0
    async with transaction(pool) as tx:
        found = broken(await reconciliation(tx, date(2020, 1, 1), date(2100, 1, 1)))
    assert flow in found
    if name is not None:
        assert any(name.format(**known) in one for one in found[flow]), found[flow]


async def reports(pool: Pool) -> tuple[int, int, int]:
    """How many reports came, gave a line, and wait."""
    flows = [one for one in (await look(pool)).flows if one["flow"] == "production report → resident line"]
    came, done, waiting = (sum(int(str(one[name])) for one in flows) for name in ("came", "done", "waiting"))
    return came, done, waiting


def without_fees(version: int, recorded_at: datetime) -> Contract:
    """The private producer's contract with capitation alone."""
    changes = {"version": version, "what": "changed", "recorded_at": recorded_at, "compensation_kinds": ("capitation",)}
    return story.told.contract(private=True).model_copy(update=changes)


async def test_a_contract_that_pays_fees_from_now_on_leaves_the_report_of_a_closed_month_waiting(pool: Pool) -> None:
    """The run judges by what it knew at its cut-off, so what became known behind it is no loss yet."""
    await story.open_area(pool)
    await story.hear(pool, "registry.contract", without_fees(2, at(10, 2)))
    await story.hear(pool, "listing.resident", resident(1))
    await story.hear(pool, "monitoring.production", visit(1, 1, NOVEMBER, recorded_at=at(11, 20)))
    await story.close(pool, NOVEMBER, at(12, 2))
    assert await reports(pool) == (1, 0, 1)
    pays = without_fees(3, at(12, 5)).model_copy(update={"compensation_kinds": ("capitation", "fee")})
    await story.hear(pool, "registry.contract", pays)
    assert await reports(pool) == (1, 0, 1)
    assert "production report → resident line" not in broken(await look(pool))


async def test_a_contract_that_pays_no_fees_any_more_hides_no_loss(pool: Pool, database: ServiceDatabase) -> None:
    await paid_november(pool)
    await story.hear(pool, "registry.contract", without_fees(2, at(12, 5)))
    assert await reports(pool) == (3, 2, 1)
    lost = visit(1, 2, NOVEMBER, recorded_at=at(11, 2)).production_id
    with psycopg.connect(database.admin_url, autocommit=True) as admin:
        admin.execute("SET session_replication_role = replica")
        assert admin.execute("DELETE FROM line WHERE source = %s", (lost,)).rowcount == 1
    assert broken(await look(pool))["production report → resident line"] == [str(lost)]


async def test_a_withdrawn_report_waits_until_what_was_paid_is_back_and_a_lost_refund_is_named(
    pool: Pool, database: ServiceDatabase
) -> None:
    await paid_november(pool)
    told = [
        visit(1, 2, date(2026, 11, 16), recorded_at=at(11, 20)),
        visit(3, 2, date(2026, 12, 15), recorded_at=at(12, 16)),
    ]
    gone = {"what": "corrected", "version": 2, "quantity": 0, "client_fee_cents": 0, "recorded_at": at(12, 17)}
    await story.hear(pool, "monitoring.production", *(one.model_copy(update=gone) for one in told))
    assert await reports(pool) == (3, 2, 1), "of what was never paid nothing has to come back"
    await story.close(pool, date(2026, 12, 1), at(12, 31, 23))
    assert await reports(pool) == (3, 3, 0)
    lost = told[0].production_id
    with psycopg.connect(database.admin_url, autocommit=True) as admin:
        admin.execute("SET session_replication_role = replica")
        assert admin.execute("DELETE FROM line WHERE source = %s AND kind = 'refund'", (lost,)).rowcount
    assert broken(await look(pool))["production report → resident line"] == [str(lost)]


async def test_one_table_says_what_contracts_are(pool: Pool) -> None:
    async with transaction(pool) as tx:
        query = "SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND relname ~ '^contract(_|$)'"
        found = await rows(tx, query)
    assert [row["name"] for row in found] == ["contract_version"]
    await story.open_area(pool)
    assert await story.hear(pool, "registry.contract", without_fees(1, at(10, 2))) == 0, "known already"
    assert await story.hear(pool, "registry.contract", without_fees(2, at(10, 2))) == 1
