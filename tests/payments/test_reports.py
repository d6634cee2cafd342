"""Reports agree with the books, and a resident sees what was spent by product, month and producer."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import pytest
from psycopg.rows import DictRow

from kanava.common.contracts import registry
from kanava.common.db import Pool, transaction
from kanava.payments.views import reports
from kanava.payments.views.reports import Window
from tests.payments import story
from tests.payments.test_payout import closed_month
from tests.payments.test_prices import version
from tests.support import facts as told
from tests.support.facts import at, resident_id

NOVEMBER, DECEMBER, JANUARY = date(2026, 11, 1), date(2026, 12, 1), date(2027, 1, 1)


def window(*, after: tuple[date, str] = (date.min, ""), limit: int = 200) -> Window:
    """The autumn of 2026."""
    return Window(date(2026, 9, 1), date(2026, 12, 1), after, limit)


def totals(found: Sequence[Mapping[str, Any]]) -> dict[object, int]:
    """Cents by component."""
    return {row["component"]: row["amount_cents"] for row in found}


def package(number: int = 1, name: str = "Sosiaaliohjauskäynti") -> registry.Package:
    """A version of the package that the visit is of."""
    nodes = (
        registry.PackageNode(code="SOS.1", parent=None, level=1, name_fi="Sosiaaliohjaus"),
        registry.PackageNode(code="SOS.1.1", parent="SOS.1", level=2, name_fi=name),
        registry.PackageNode(code="SOS.1.2", parent="SOS.1", level=2, name_fi="Kotikäynti"),
    )
    return registry.Package(
        what="published",
        version=1,
        recorded_at=told.SEPTEMBER,
        package_id=f"SOS:{number}",
        number=number,
        valid_from=NOVEMBER,
        name_fi="Sosiaaliohjaus",
        name_en="Social guidance",
        source="test",
        nodes=nodes,
    )


async def spent_for(pool: Pool, number: int, *, limit: int = 100, offset: int = 0) -> list[DictRow]:
    """What was spent for a resident."""
    wanted = {"resident": resident_id(number), "since": date(2026, 1, 1), "until": date(2026, 12, 1)}
    async with transaction(pool) as tx:
        return await reports.of_resident(tx, wanted | {"limit": limit, "offset": offset})


async def test_area_producers_municipality_and_books_agree(pool: Pool) -> None:
    await closed_month(pool)
    async with transaction(pool) as tx:
        of_area = await reports.of_statements(tx, window(), area=told.AREA, producer=None)
        of_private = await reports.of_statements(tx, window(), area=None, producer=told.PRIVATE)
        areas = await reports.areas_of_municipality(tx, told.MUNICIPALITY)
        of_municipality = await reports.of_municipality(tx, window(), told.MUNICIPALITY, areas)
        elsewhere = await reports.of_municipality(tx, window(), "091", [told.AREA])
    assert totals(of_area) == {"capitation": 14_00, "fee": 45_00, "client_fee": -20_60}
    assert totals(of_private) == {"capitation": 7_00, "fee": 45_00, "client_fee": -20_60}
    assert of_municipality == of_area
    assert elsewhere == []


async def test_a_package_counts_everything_below_its_node(pool: Pool) -> None:
    await closed_month(pool)
    async with transaction(pool) as tx:
        unnamed = await reports.of_package(tx, window(), "SOS.1", told.AREA)
    await story.hear(pool, "registry.package", package())
    async with transaction(pool) as tx:
        above = await reports.of_package(tx, window(), "SOS.1", told.AREA)
        exact = await reports.of_package(tx, window(), "SOS.1.1", told.AREA)
        other = await reports.of_package(tx, window(), "SOS.2", told.AREA)
    assert unnamed == other == []
    assert above == exact
    assert totals(above) == {"fee": 45_00, "client_fee": -20_60}


async def moved_node(pool: Pool) -> None:
    """November paid a visit as SOS.1.1; in December it was corrected to the dearer SOS.1.2."""
    await closed_month(pool)
    await story.hear(pool, "registry.package", package())
    await story.hear(pool, "registry.price", version(1, 60_00, node="SOS.1.2", price_id="03:SOS.1.2"))
    corrected = told.visit(1, 2, date(2026, 11, 15), recorded_at=at(12, 21), fee_cents=20_60, version=2)
    await story.hear(pool, "monitoring.production", corrected.model_copy(update={"node": "SOS.1.2"}))
    await story.close(pool, DECEMBER, at(12, 31, 23))


async def test_a_report_corrected_to_another_node_stands_under_each_for_what_it_paid(pool: Pool) -> None:
    await moved_node(pool)
    asked = window()
    async with transaction(pool) as tx:
        found = {node: await reports.of_package(tx, asked, node, told.AREA) for node in ("SOS.1.1", "SOS.1.2", "SOS.1")}
        behind = window(after=(NOVEMBER, "client_fee"), limit=1)
        page = await reports.of_package(tx, behind, "SOS.1", told.AREA)
        of_area = await reports.of_statements(tx, asked, area=told.AREA, producer=None)
    by_month = {
        node: [(row["month"], row["component"], row["amount_cents"]) for row in rows_of]
        for node, rows_of in found.items()
    }
    november = [("2026-11", "client_fee", -20_60), ("2026-11", "fee", 45_00)]
    assert by_month == {
        "SOS.1.1": [*november, ("2026-12", "client_fee", 20_60), ("2026-12", "fee", -45_00)],
        "SOS.1.2": [("2026-12", "client_fee", -20_60), ("2026-12", "fee", 60_00)],
        "SOS.1": [*november, ("2026-12", "fee", 15_00)],
    }
    assert [row["component"] for row in page] == ["fee"]
    with_nodes = [row for row in of_area if row["component"] != "capitation"]
    assert [row["amount_cents"] for row in found["SOS.1"]] == [row["amount_cents"] for row in with_nodes]


async def test_a_resident_sees_a_corrected_visit_under_the_node_that_it_was_paid_as(pool: Pool) -> None:
    await moved_node(pool)
    found = {(row["component"], row["product"]): row["amount_cents"] for row in await spent_for(pool, 2)}
    assert found == {
        ("capitation", None): 7_00,
        ("client_fee", "Sosiaaliohjauskäynti"): -20_60,
        ("fee", "Kotikäynti"): 60_00,
    }


async def test_a_visit_that_moved_for_the_same_price_is_taken_back_where_it_was_paid(pool: Pool) -> None:
    """December moves the visit and changes no cent; in January it turns out to have been two."""
    await closed_month(pool)
    await story.hear(pool, "registry.package", package())
    await story.hear(pool, "registry.price", version(1, 45_00, node="SOS.1.2", price_id="03:SOS.1.2"))
    moved = told.visit(1, 2, date(2026, 11, 15), recorded_at=at(12, 21), fee_cents=20_60, version=2)
    moved = moved.model_copy(update={"node": "SOS.1.2"})
    await story.hear(pool, "monitoring.production", moved)
    await story.close(pool, DECEMBER, at(12, 31, 23))
    again = {"version": 3, "quantity": 2, "recorded_at": datetime(2027, 1, 20, tzinfo=UTC)}
    await story.hear(pool, "monitoring.production", moved.model_copy(update=again))
    await story.close(pool, JANUARY, datetime(2027, 2, 2, tzinfo=UTC))
    fees = {row["product"]: row["amount_cents"] for row in await spent_for(pool, 2) if row["component"] == "fee"}
    assert fees == {"Kotikäynti": 90_00}
    whole = Window(NOVEMBER, JANUARY, (date.min, ""), 200)
    async with transaction(pool) as tx:
        left = await reports.of_package(tx, whole, "SOS.1.1", told.AREA)
        there = await reports.of_package(tx, whole, "SOS.1.2", told.AREA)
    assert [sum(row["amount_cents"] for row in found) for found in (left, there)] == [0, 90_00 - 20_60]


async def test_two_municipalities_share_what_the_area_was_charged(pool: Pool) -> None:
    """A report that names a unit before registry has told of it waits for its fee, which is then its municipality's."""
    await closed_month(pool)
    visits = [told.visit(n, 2, date(2026, 12, n), recorded_at=at(12, 20), fee_cents=20_60) for n in (2, 3, 4)]
    visits[1:] = [visit.model_copy(update={"unit_id": f"{told.PRIVATE_UNIT}{n}"}) for n, visit in enumerate(visits[1:])]
    elsewhere = told.unit(private=True).model_copy(update={"unit_id": f"{told.PRIVATE_UNIT}0", "municipality": "235"})
    await story.hear(pool, "registry.unit", elsewhere)
    scheme = told.scheme().model_copy(update={"scheme_id": "kauniainen", "municipality": "235"})
    await story.hear(pool, "registry.scheme", scheme)
    await story.hear(pool, "monitoring.production", *visits)
    await story.close(pool, DECEMBER, at(12, 31, 23))
    one_fee = {"fee": 45_00, "client_fee": -20_60}
    assert await shared(pool, DECEMBER) == [{"capitation": 14_00} | one_fee, one_fee]
    known = {"unit_id": f"{told.PRIVATE_UNIT}1", "recorded_at": datetime(2027, 1, 20, tzinfo=UTC)}
    await story.hear(pool, "registry.unit", elsewhere.model_copy(update=known))
    await story.close(pool, JANUARY, datetime(2027, 2, 2, tzinfo=UTC))
    assert await shared(pool, JANUARY) == [{"capitation": 14_00}, one_fee]


async def shared(pool: Pool, month: date) -> list[dict[object, int]]:
    """A month's cents by component in the units of Espoo and of Kauniainen, which are what the area was charged."""
    asked = Window(month, month, (date.min, ""), 200)
    async with transaction(pool) as tx:
        both = [
            totals(await reports.of_municipality(tx, asked, code, await reports.areas_of_municipality(tx, code)))
            for code in (told.MUNICIPALITY, "235")
        ]
        of_area = totals(await reports.of_statements(tx, asked, area=told.AREA, producer=None))
    assert of_area == {name: sum(one.get(name, 0) for one in both) for name in of_area}
    return both


async def test_a_report_comes_in_pages(pool: Pool) -> None:
    await closed_month(pool)
    async with transaction(pool) as tx:
        first = await reports.of_statements(tx, window(limit=2), area=told.AREA, producer=None)
        behind = (NOVEMBER, str(first[-1]["component"]))
        second = await reports.of_statements(tx, window(after=behind, limit=2), area=told.AREA, producer=None)
    assert [row["component"] for row in (*first, *second)] == ["capitation", "client_fee", "fee"]


async def test_a_resident_sees_product_month_and_producer_by_name(pool: Pool) -> None:
    await closed_month(pool)
    await story.hear(pool, "registry.package", package())
    found = [
        (row["month"], row["producer"], row["component"], row["product"], row["amount_cents"])
        for row in await spent_for(pool, 2)
    ]
    assert found == [
        ("2026-11", "Yksityinen Oy", "capitation", None, 7_00),
        ("2026-11", "Yksityinen Oy", "client_fee", "Sosiaaliohjauskäynti", -20_60),
        ("2026-11", "Yksityinen Oy", "fee", "Sosiaaliohjauskäynti", 45_00),
    ]
    assert [await spent_for(pool, 2, limit=1, offset=n) for n in range(3)] == [
        [row] for row in await spent_for(pool, 2)
    ]
    assert await spent_for(pool, 3) == []


async def test_a_late_correction_counts_for_the_resident_s_month_and_the_statement_s_month(pool: Pool) -> None:
    await closed_month(pool)
    corrected = told.visit(1, 2, date(2026, 11, 15), recorded_at=at(12, 21), fee_cents=20_60, version=2)
    await story.hear(pool, "monitoring.production", corrected.model_copy(update={"quantity": 2}))
    await story.close(pool, date(2026, 12, 1), at(12, 31, 23))
    own = {(row["month"], row["component"]): row["amount_cents"] for row in await spent_for(pool, 2)}
    assert own["2026-11", "fee"] == 90_00
    async with transaction(pool) as tx:
        of_area = await reports.of_statements(tx, window(), area=told.AREA, producer=None)
    fees = {row["month"]: row["amount_cents"] for row in of_area if row["component"] == "fee"}
    assert fees == {"2026-11": 45_00, "2026-12": 45_00}


@pytest.mark.parametrize(("first", "second"), [((1, "Vanha"), (2, "Uusi")), ((2, "Uusi"), (1, "Vanha"))])
async def test_the_newest_version_of_a_package_names_its_nodes(
    pool: Pool, first: tuple[int, str], second: tuple[int, str]
) -> None:
    await closed_month(pool)
    for number, name in (first, second):
        await story.hear(pool, "registry.package", package(number, name))
    assert {row["product"] for row in await spent_for(pool, 2)} == {None, "Uusi"}
