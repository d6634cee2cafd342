"""What monitoring hears: every merge goes by version, whatever comes twice or out of order."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest

from kanava.common.contracts import listing, payments, registry, steering, topics_heard_by
from kanava.common.db import Pool, rows, transaction
from kanava.common.inbox import Apply
from kanava.monitoring import consumers, read_models
from tests.monitoring import world
from tests.monitoring.world import FIRST, OWN_UNIT, UNIT, listed, resident, span


async def told(pool: Pool, apply: Apply, *facts: Any) -> int:
    async with transaction(pool) as tx:
        return await apply(tx, facts)


async def stored(pool: Pool, query: str) -> Sequence[dict[str, Any]]:
    async with transaction(pool) as tx:
        return await rows(tx, query)


def test_every_topic_of_the_table_that_monitoring_hears_is_taken() -> None:
    assert set(consumers.SUBSCRIPTIONS) == {topic.name for topic in topics_heard_by("monitoring")}


async def test_residents_by_version_doubled_and_out_of_order(pool: Pool) -> None:
    first, second = resident(FIRST), resident(FIRST, version=2, municipality="091")
    assert await told(pool, read_models.merge_residents, second, first, second) == 2
    assert await told(pool, read_models.merge_residents, first, second) == 0
    late = resident(FIRST, version=3, lives_until=date(2026, 11, 15))
    assert await told(pool, read_models.merge_residents, first, late, resident(UUID(int=9))) == 2
    assert await stored(pool, "SELECT version, municipality, lives_until FROM resident ORDER BY resident_id") == [
        {"version": 3, "municipality": "049", "lives_until": date(2026, 11, 15)},
        {"version": 1, "municipality": "049", "lives_until": None},
    ]


async def test_a_listing_is_replaced_whole_by_a_newer_one(pool: Pool) -> None:
    month = date(2026, 11, 1)
    first = listed(FIRST, span(OWN_UNIT, date(2026, 10, 1)))
    second = listed(FIRST, span(OWN_UNIT, date(2026, 10, 1), month), span(UNIT, month, None, "choice"), version=2)
    assert await told(pool, read_models.merge_listings, first, second, first) == 2
    assert await told(pool, read_models.merge_listings, first, second) == 0
    query = "SELECT number, unit_id, until FROM listing_span ORDER BY number"
    both = [
        {"number": 1, "unit_id": OWN_UNIT, "until": month},
        {"number": 2, "unit_id": UNIT, "until": None},
    ]
    assert await stored(pool, query) == both
    assert await told(pool, read_models.merge_listings, listed(FIRST, version=3)) == 1
    assert await stored(pool, query) == []


async def test_one_batch_may_bring_thousands(pool: Pool) -> None:
    many = [resident(UUID(int=n)) for n in range(1, 5001)]
    assert await told(pool, read_models.merge_residents, *many, *many[:100]) == 5000
    homes = [listed(one.resident_id, span(OWN_UNIT, date(2026, 10, 1))) for one in many]
    assert await told(pool, read_models.merge_listings, *homes) == 5000
    assert await stored(pool, "SELECT count(*) AS n FROM listing_span") == [{"n": 5000}]


async def test_production_opens_on_the_earliest_day_in_phase_5_whatever_is_heard_first(pool: Pool) -> None:
    fifth, sixth = world.scheme(5, version=5), world.scheme(6, version=6, entered_on=date(2026, 12, 1))
    fourth = world.scheme(4, version=4, entered_on=date(2026, 9, 1))
    query = "SELECT phase, production_from FROM scheme"
    assert await told(pool, consumers.take_schemes, fourth) == 1
    assert await stored(pool, query) == [{"phase": 4, "production_from": None}]
    assert await told(pool, consumers.take_schemes, sixth, fifth) == 1
    assert await stored(pool, query) == [{"phase": 6, "production_from": date(2026, 10, 1)}]


async def test_a_package_version_is_in_force_until_the_next_begins(pool: Pool) -> None:
    later = world.package(2, valid_from=date(2026, 11, 1))
    assert await told(pool, consumers.take_packages, later, world.package(1)) == 2
    assert await told(pool, consumers.take_packages, later) == 0
    query = "SELECT package_id, valid_until FROM package ORDER BY number"
    assert await stored(pool, query) == [
        {"package_id": "SOS:1", "valid_until": date(2026, 11, 1)},
        {"package_id": "SOS:2", "valid_until": None},
    ]
    assert await stored(pool, "SELECT count(*) AS n FROM package_node") == [{"n": 2}]


async def test_statements_go_by_version_and_movements_are_entered_once(pool: Pool) -> None:
    drawn, corrected = world.statement(world.PRIVATE, 100), world.statement(world.PRIVATE, 90, version=2)
    assert await told(pool, consumers.take_statements, corrected, drawn) == 1
    assert await stored(pool, "SELECT amount_cents, sums FROM statement") == [
        {"amount_cents": 90, "sums": [{"component": "capitation", "lines": 1, "amount_cents": 90}]}
    ]
    moved = payments.Account(
        what="moved", version=1, recorded_at=world.NOW, area="03", kind="funding", amount_cents=5,
        balance_cents=5, entry_id=UUID(int=1),
    )  # fmt: skip
    assert await told(pool, consumers.take_movements, moved, moved) == 1


async def test_prices_contracts_runs_and_documents_are_heard(pool: Pool) -> None:
    said: dict[str, Any] = {"version": 1, "recorded_at": world.NOW, "area": "03"}
    price = registry.Price(
        what="set", price_id="03:SOS.1.1:2026-10-01", node="SOS.1.1", unit_of_measure="kaynti",
        valid_from=date(2026, 10, 1), price_cents=6500, **said,
    )  # fmt: skip
    contract = registry.Contract(
        what="signed", contract_id="c1", producer_id=world.PRIVATE, contract_class="basic",
        compensation_kinds=("fee",), starts_on=date(2026, 10, 1), **said,
    )  # fmt: skip
    run = payments.Run(
        what="closed", run_id=UUID(int=3), month="2026-11", cut_off=datetime(2026, 12, 1, tzinfo=UTC),
        sums=(payments.ComponentSum(component="fee", lines=2, amount_cents=13000),), digest="ab", **said,
    )  # fmt: skip
    document = registry.Document(
        what="published", document_id="03:rule_book:1", kind="rule_book", number=1,
        valid_from=date(2026, 10, 1), title="Sääntökirja", **said,
    )  # fmt: skip
    heard = [
        await told(pool, consumers.take_prices, price, price),
        await told(pool, consumers.take_contracts, contract),
        await told(pool, consumers.take_runs, run),
        await told(pool, consumers.hear_documents, document),
    ]
    assert heard == [1, 1, 1, 1]


@pytest.mark.parametrize("table", ["production_file", "rejected_row", "redrive", "production_before"])
async def test_what_was_received_stays(pool: Pool, table: str) -> None:
    async with transaction(pool) as tx:
        allowed = await rows(
            tx,
            "SELECT privilege_type FROM information_schema.table_privileges WHERE table_name = %s"
            " AND grantee = current_user",
            (table,),
        )
    assert {row["privilege_type"] for row in allowed} == {"SELECT", "INSERT"}


def sanction(version: int = 1, **changes: Any) -> steering.Sanction:
    fields = {"sanction_id": f"{world.PRIVATE}:1", "producer_id": world.PRIVATE, "area": "03", "contract_id": None}
    fields |= {"step": 3, "name": "sanktio", "reason": "Viive.", "effective_on": date(2026, 11, 1)}
    fields |= {"status": "in_force", "amount_cents": 250_000, "decided_on": date(2026, 11, 1)}
    said = {"what": "imposed", "version": version, "recorded_at": world.NOW}
    return steering.Sanction.model_validate(fields | said | changes)


def voucher(version: int = 1, **changes: Any) -> listing.Voucher:
    fields = {"voucher_id": UUID(int=7), "resident_id": FIRST, "area": "03", "kind": "service", "status": "granted"}
    fields |= {"starts_on": date(2026, 11, 1), "until": date(2027, 5, 1), "node": "SOS.1.1", "value_cents": 4_500}
    said = {"what": "granted", "version": version, "recorded_at": world.NOW}
    return listing.Voucher.model_validate(fields | said | changes)


async def test_sanctions_and_vouchers_are_kept_in_their_newest_version(pool: Pool) -> None:
    appealed = sanction(2, what="appealed", status="appealed")
    assert await told(pool, consumers.take_sanctions, appealed, sanction()) == 1
    assert await stored(pool, "SELECT step, status, amount_cents FROM sanction") == [
        {"step": 3, "status": "appealed", "amount_cents": 250_000}
    ]
    ended = voucher(2, what="ended", status="ended", until=date(2027, 1, 1), ground="need_ended")
    assert await told(pool, consumers.take_vouchers, voucher(), ended, voucher()) == 2
    assert await stored(pool, "SELECT kind, node, status, until FROM voucher") == [
        {"kind": "service", "node": "SOS.1.1", "status": "ended", "until": date(2027, 1, 1)}
    ]


async def test_orders_and_budgets_are_kept_with_their_lines(pool: Pool) -> None:
    line = {"line": "1", "name_fi": "Momentti", "kind": "one_item", "amount_cents": 100, "on_breach": "flag"}
    budget = world.annual_order(
        what="budgeted", kind="budget", order_id="03:budget:2026", annual_order=None, budget={"lines": [line]}
    )
    assert await told(pool, consumers.take_orders, world.annual_order(), budget) == 2
    query = "SELECT kind, producer_id, content -> 'lines' -> 0 ->> 'quantity' AS quantity FROM year_order ORDER BY kind"
    assert await stored(pool, query) == [
        {"kind": "annual_order", "producer_id": world.PRIVATE, "quantity": "800"},
        {"kind": "budget", "producer_id": None, "quantity": None},
    ]
