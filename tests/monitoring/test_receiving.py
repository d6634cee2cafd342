"""Production files on a real database: what is accepted, corrected, doubled, rejected, and what goes out."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from pydantic import TypeAdapter

from kanava.common.contracts import TOPIC_OF
from kanava.common.contracts.monitoring import Production
from kanava.common.db import Pool, rows, transaction
from kanava.monitoring import consumers, read_models, service, views
from kanava.monitoring.commands import ReceiveFile
from kanava.monitoring.domain.faults import FAULT_FIELD, RowFault
from kanava.monitoring.domain.files import read_file
from kanava.monitoring.domain.reports import FIELDS
from tests.monitoring import world
from tests.monitoring.world import CLOSED_UNIT, DEAD, FIRST, NOW, OTHER_UNIT, OWN, OWN_UNIT, PRIVATE, report

Row = dict[str, Any]


def file_of(*reported: Row, producer_id: str = PRIVATE, corrects: bool = False) -> ReceiveFile:
    body = b"".join(orjson.dumps(row) + b"\n" for row in reported)
    return ReceiveFile(
        file_id=uuid4(), producer_id=producer_id, sent_by="p", format="ndjson", digest=b"x",
        reading=read_file("ndjson", body), corrects=corrects,
    )  # fmt: skip


async def send(pool: Pool, *reported: Row, now: datetime = NOW, **options: Any) -> views.Receipt:
    async with transaction(pool) as tx:
        return await service.receive_file(tx, file_of(*reported, **options), now)


async def look(pool: Pool, query: str, *parameters: Any) -> Sequence[Row]:
    async with transaction(pool) as tx:
        return await rows(tx, query, parameters)


async def rejected(pool: Pool, file_id: UUID) -> list[Row]:
    lines = b"".join([part async for part in views.rejected_lines(pool, file_id)])
    return [orjson.loads(line) for line in lines.splitlines()]


def counts(receipt: views.Receipt) -> tuple[int, int, int, int]:
    return receipt.accepted, receipt.corrected, receipt.doubled, receipt.rejected


async def test_an_accepted_row_is_stored_and_said_as_the_contract_has_it(settled: Pool) -> None:
    receipt = await send(settled, report(), report("r-2", quantity=3, client_fee_cents=0))
    assert (receipt.rows, receipt.version, counts(receipt)) == (2, 1, (2, 0, 0, 0))
    said = await look(settled, "SELECT topic, key, type, body FROM outbox ORDER BY id")
    topic = TOPIC_OF[Production]
    facts = [TypeAdapter(Production).validate_json(row["body"], strict=True) for row in said]
    for row, fact in zip(said, facts, strict=True):
        assert (row["topic"], row["key"]) == (topic.name, str(fact.production_id))
        assert row["type"] == topic.type_of(fact.what) == "fi.kanava.monitoring.production.accepted"
        assert set(orjson.loads(row["body"])) == set(fact.model_dump(exclude_none=True))
    assert facts[1].model_dump(exclude={"production_id"}, exclude_none=True) == {
        "what": "accepted", "version": 1, "recorded_at": NOW, "report_id": "r-2", "producer_id": PRIVATE,
        "unit_id": world.UNIT, "resident_id": FIRST, "area": "03", "node": "SOS.1.1",
        "unit_of_measure": "kaynti",
        "performed_on": date(2026, 11, 12), "quantity": 3, "client_fee_cents": 0,
    }  # fmt: skip


async def test_the_same_row_again_is_doubled_in_the_file_and_in_a_later_one(settled: Pool) -> None:
    assert counts(await send(settled, report(), report("r-2"), report())) == (2, 0, 1, 0)
    again = await send(settled, report(), report("r-3"))
    assert (again.version, counts(again)) == (2, (1, 0, 1, 0))
    assert len(await look(settled, "SELECT FROM outbox")) == 3


async def test_within_a_file_the_first_good_row_of_an_id_counts(settled: Pool) -> None:
    receipt = await send(
        settled, report(quantity=0), report(quantity=2), report(quantity=3), report(quantity=2)
    )
    assert counts(receipt) == (1, 0, 1, 2)
    assert [row["code"] for row in await rejected(settled, receipt.file_id)] == [
        "nothing_to_withdraw",
        "report_id_reused",
    ]
    assert await look(settled, "SELECT quantity FROM production") == [{"quantity": 2}]


async def test_other_content_is_refused_unless_the_file_corrects(settled: Pool) -> None:
    await send(settled, report())
    refused = await send(settled, report(quantity=4))
    assert [row["code"] for row in await rejected(settled, refused.file_id)] == ["report_id_reused"]
    corrected = await send(settled, report(quantity=4), report("r-9"), corrects=True)
    assert counts(corrected) == (1, 1, 0, 0)
    said = await look(settled, "SELECT body FROM outbox WHERE type LIKE %s", "%.corrected")
    fact = Production.model_validate_json(said[0]["body"])
    assert (fact.what, fact.version, fact.quantity, fact.corrects) == ("corrected", 2, 4, 1)
    assert await look(settled, "SELECT version, quantity FROM production_before") == [
        {"version": 1, "quantity": 1}
    ]
    assert counts(await send(settled, report(quantity=4), corrects=True)) == (0, 0, 1, 0)


async def test_a_quantity_of_0_withdraws_what_was_reported_whatever_became_of_it(settled: Pool) -> None:
    await send(settled, report(quantity=2), report("r-2"))
    async with transaction(settled) as tx:
        gone = world.resident(FIRST, version=2, lives_until=date(2026, 11, 1))
        await read_models.merge_residents(tx, [gone])
    withdrawn = report(quantity=0, node="X.9", unit_id=CLOSED_UNIT, performed_on="2026-11-01")
    receipt = await send(settled, withdrawn, report("r-9", quantity=0), corrects=True)
    assert counts(receipt) == (0, 1, 0, 1)
    (refused,) = await rejected(settled, receipt.file_id)
    assert (refused["field"], refused["code"]) == ("quantity", "nothing_to_withdraw")
    (said,) = await look(settled, "SELECT body FROM outbox WHERE type LIKE %s", "%.corrected")
    fact = Production.model_validate_json(said["body"])
    assert (fact.version, fact.quantity, fact.client_fee_cents, fact.corrects) == (2, 0, 0, 1)
    assert (fact.unit_id, fact.node, fact.performed_on) == (world.UNIT, "SOS.1.1", date(2026, 11, 12))
    assert counts(await send(settled, withdrawn, corrects=True)) == (0, 0, 1, 0)
    assert await look(settled, "SELECT report_id, quantity FROM production ORDER BY 1") == [
        {"report_id": "r-1", "quantity": 0},
        {"report_id": "r-2", "quantity": 1},
    ]


async def test_a_withdrawal_that_is_rejected_comes_back_as_it_was_sent(settled: Pool) -> None:
    await send(settled, report(client_fee_cents=20_60))
    late = report(quantity=0, client_fee_cents=20_60, drg_group="G1")
    receipt = await send(settled, report(quantity=2), late, report("r-2", quantity=0), corrects=True)
    assert counts(receipt) == (0, 1, 0, 2)
    again, unknown = await rejected(settled, receipt.file_id)
    assert (again["code"], again["input"]) == ("report_id_reused", late)
    assert unknown["code"] == "nothing_to_withdraw"
    twice = [report(quantity=0), report(quantity=0, node="X.9"), report(quantity=3)]
    assert counts(await send(settled, *twice, corrects=True)) == (0, 1, 1, 1)


async def test_a_withdrawn_report_may_be_reported_anew_by_a_file_that_corrects(settled: Pool) -> None:
    await send(settled, report())
    refused = await send(settled, report(quantity=0))
    assert [row["code"] for row in await rejected(settled, refused.file_id)] == ["report_id_reused"]
    assert counts(await send(settled, report(quantity=0), corrects=True)) == (0, 1, 0, 0)
    assert counts(await send(settled, report(quantity=3), corrects=True)) == (0, 1, 0, 0)
    assert await look(settled, "SELECT version, quantity FROM production") == [{"version": 3, "quantity": 3}]


async def test_a_row_accepted_before_stays_doubled_when_the_world_has_moved(settled: Pool) -> None:
    await send(settled, report())
    async with transaction(settled) as tx:
        await read_models.merge_residents(
            tx, [world.resident(FIRST, version=2, lives_until=date(2026, 11, 1))]
        )
    assert counts(await send(settled, report())) == (0, 0, 1, 0)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"unit_id": "1.2.246.10.9.10.1"}, RowFault.UNKNOWN_UNIT),
        ({"unit_id": OTHER_UNIT}, RowFault.FOREIGN_UNIT),
        ({"unit_id": OWN_UNIT}, RowFault.FOREIGN_UNIT),
        ({"unit_id": CLOSED_UNIT}, RowFault.UNIT_NOT_OPEN),
        ({"performed_on": "2025-12-31"}, RowFault.UNIT_NOT_OPEN),
        ({"resident_id": str(UUID(int=77))}, RowFault.UNKNOWN_RESIDENT),
        ({"resident_id": str(DEAD), "performed_on": "2026-11-15"}, RowFault.RESIDENT_NOT_ALIVE),
        ({"node": "SOS.1.2"}, RowFault.UNKNOWN_NODE),
        ({"unit_of_measure": "suorite"}, RowFault.NODE_TAKES_ANOTHER_UNIT),
        ({"performed_on": "2026-11-24"}, RowFault.IN_THE_FUTURE),
        ({"performed_on": "2026-09-30"}, RowFault.BEFORE_PRODUCTION),
    ],
)
async def test_a_row_that_the_read_models_contradict(settled: Pool, changes: Row, fault: RowFault) -> None:
    receipt = await send(settled, report("good"), report("bad", **changes))
    assert counts(receipt) == (1, 0, 0, 1)
    field = FAULT_FIELD[fault]
    reported = report("bad", **changes)
    value = None if field == "resident_id" else str(reported[field])
    assert await rejected(settled, receipt.file_id) == [
        {"row": 2, "field": field, "code": fault.value, "value": value, "input": reported}
    ]


async def test_the_last_day_alive_and_the_days_of_opening_and_of_phase_5_are_good(settled: Pool) -> None:
    receipt = await send(
        settled,
        report("a", resident_id=str(DEAD), performed_on="2026-11-14"),
        report("b", performed_on="2026-10-01"),
        report("c", unit_id=CLOSED_UNIT, performed_on="2026-11-09"),
        report("d", performed_on="2026-11-24"),
        now=datetime(2026, 11, 23, 22, 30, tzinfo=UTC),
    )
    assert counts(receipt) == (4, 0, 0, 0)


async def test_a_node_is_taken_from_the_package_version_in_force_on_the_day(settled: Pool) -> None:
    async with transaction(settled) as tx:
        await consumers.take_packages(
            tx, [world.package(2, valid_from=date(2026, 11, 10), units=("suorite",))]
        )
    before, after = report("a", performed_on="2026-11-09"), report("b", performed_on="2026-11-10")
    assert counts(await send(settled, before, after)) == (1, 0, 0, 1)


async def test_producers_do_not_share_report_ids_and_own_production_goes_the_same_way(settled: Pool) -> None:
    assert counts(await send(settled, report())) == (1, 0, 0, 0)
    own = await send(settled, report(unit_id=OWN_UNIT), producer_id=OWN)
    assert (own.version, counts(own)) == (1, (1, 0, 0, 0))


async def test_nothing_of_an_identity_is_kept_of_a_broken_file(settled: Pool) -> None:
    hetu = "131052-9085"
    receipt = await send(
        settled,
        report(hetu),
        report(resident_id=hetu),
        report(node=f"x {hetu}"),
        {"hetu": hetu, "name": "Matti"},
    )
    assert receipt.rejected == 4
    for table in ("rejected_row", "production_file", "outbox", "production"):
        stored = await look(settled, f"SELECT t::text FROM {table} t")
        assert hetu not in repr(stored)
        assert "Matti" not in repr(stored)


async def test_a_large_file_is_taken_in_at_once(settled: Pool) -> None:
    people = [UUID(int=n) for n in range(10, 5010)]
    async with transaction(settled) as tx:
        await read_models.merge_residents(tx, [world.resident(person) for person in people])
    lines = [",".join(FIELDS)]
    for n in range(15_000):
        day = f"2026-11-{n % 20 + 1:02d}"
        lines.append(f"r-{n},{world.UNIT},{people[n % 5000]},SOS.1.1,kaynti,{day},1,2090")
    body = "\n".join([*lines, ""]).encode()
    command = file_of(report())
    command = ReceiveFile(**(vars(command) | {"reading": read_file("csv", body)}))
    async with transaction(settled) as tx:
        receipt = await service.receive_file(tx, command, NOW)
    assert counts(receipt) == (15_000, 0, 0, 0)


GROUPED = {
    "unit_of_measure": "hoidettu_asiakas_drg",
    "weight_ten_thousandths": 6_320,
    "drg_group": "088O",
    "referral_id": "LAH-2026-0001",
}


async def test_a_grouped_client_is_said_with_its_weight_group_and_referral(settled: Pool) -> None:
    async with transaction(settled) as tx:
        units = ("kaynti", "hoidettu_asiakas_drg")
        await consumers.take_packages(tx, [world.package(2, valid_from=date(2026, 11, 1), units=units)])
    receipt = await send(settled, report(**GROUPED), report(**GROUPED), report("r-2"))
    assert counts(receipt) == (2, 0, 1, 0)
    said = await look(settled, "SELECT body FROM outbox ORDER BY id")
    grouped, plain = (Production.model_validate_json(row["body"]) for row in said)
    assert (grouped.weight_ten_thousandths, grouped.drg_group) == (6_320, "088O")
    assert (grouped.referral_id, plain.referral_id, plain.corrects) == ("LAH-2026-0001", None, None)
    heavier = await send(settled, report(**GROUPED | {"weight_ten_thousandths": 7_000}), corrects=True)
    assert counts(heavier) == (0, 1, 0, 0)
    kept = "SELECT p.weight_ten_thousandths AS now, b.weight_ten_thousandths AS before"
    kept += " FROM production p JOIN production_before b USING (production_id)"
    assert await look(settled, kept) == [{"now": 7_000, "before": 6_320}]
