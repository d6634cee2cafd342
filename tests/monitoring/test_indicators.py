"""Indicators over the read models: counted from spans, production and statements, own production too."""

from datetime import date
from typing import Any
from uuid import UUID

import orjson

from kanava.common.db import Pool, transaction
from kanava.monitoring import consumers, read_models, service, views
from kanava.monitoring.domain.files import read_file
from tests.monitoring import world
from tests.monitoring.test_receiving import file_of
from tests.monitoring.world import (
    CLOSED_UNIT,
    NOW,
    OTHER_UNIT,
    OWN,
    OWN_UNIT,
    PRIVATE,
    UNIT,
    listed,
    report,
    span,
)

OCTOBER, NOVEMBER, DECEMBER = date(2026, 10, 1), date(2026, 11, 1), date(2026, 12, 1)


async def hear(pool: Pool, *histories: Any) -> None:
    async with transaction(pool) as tx:
        await read_models.merge_listings(tx, histories)


async def measured(pool: Pool, month: date = NOVEMBER, **options: Any) -> dict[str, dict[str, Any]]:
    chosen = {"only": None, "see_small_cells": True} | options
    async with transaction(pool) as tx:
        found = await views.indicators(tx, "03", month, **chosen)
    return {
        one.producer_id: {name: "suppressed" if v.suppressed else v.value for name, v in one.values.items()}
        for one in found.producers
    }


def moved(resident: int, day: date = NOVEMBER) -> Any:
    home = span(OWN_UNIT, OCTOBER, day)
    return listed(UUID(int=resident), home, span(UNIT, day, None, "choice"))


async def test_clients_at_the_end_of_the_month_and_switches_in_it(settled: Pool) -> None:
    stays = [listed(UUID(int=n), span(OWN_UNIT, OCTOBER)) for n in range(100, 110)]
    await hear(settled, *stays, *(moved(n) for n in range(6)), moved(50, DECEMBER))
    found = await measured(settled)
    assert found[OWN] == {
        "listed_clients": 11, "switches_in": 0, "switches_out": 6, "visits": 0, "cost_per_client": 0,
    }  # fmt: skip
    assert (found[PRIVATE]["listed_clients"], found[PRIVATE]["switches_in"]) == (6, 6)
    december = await measured(settled, DECEMBER)
    assert (december[PRIVATE]["listed_clients"], december[OWN]["switches_out"]) == (7, 1)


async def test_who_died_or_left_is_no_client_and_no_switch(settled: Pool) -> None:
    await hear(settled, listed(UUID(int=1), span(OWN_UNIT, OCTOBER, date(2026, 11, 15))))
    assert (await measured(settled))[OWN]["listed_clients"] == 0
    assert (await measured(settled))[OWN]["switches_out"] == 0


async def test_a_split_span_or_another_unit_of_the_same_producer_is_no_switch(settled: Pool) -> None:
    middle = date(2026, 11, 10)
    await hear(
        settled,
        listed(UUID(int=1), span(UNIT, OCTOBER, middle, "choice"), span(UNIT, middle, None, "choice")),
        listed(UUID(int=2), span(CLOSED_UNIT, OCTOBER, middle), span(UNIT, middle, None, "choice")),
    )
    found = (await measured(settled))[PRIVATE]
    assert (found["listed_clients"], found["switches_in"], found["switches_out"]) == (2, 0, 0)


async def test_a_first_choice_is_a_switch_in_and_another_area_counts_its_own(settled: Pool) -> None:
    first = listed(UUID(int=1), span(UNIT, NOVEMBER, None, "choice"))
    left = listed(UUID(int=2), span(UNIT, OCTOBER, NOVEMBER), span(OTHER_UNIT, NOVEMBER, None, "choice"))
    await hear(settled, first, left)
    found = await measured(settled)
    assert (found[PRIVATE]["switches_in"], found[PRIVATE]["switches_out"]) == (1, 1)
    assert set(found) == {PRIVATE, OWN}


async def test_visits_are_quantities_of_the_month_and_cost_is_over_clients(settled: Pool) -> None:
    await hear(settled, *(moved(n) for n in range(6)))
    rows = [report("a", quantity=3), report("b", performed_on="2026-10-31"), report("c", quantity=4)]
    async with transaction(settled) as tx:
        await service.receive_file(tx, file_of(*rows), NOW)
        await consumers.take_statements(tx, [world.statement(PRIVATE, 1005), world.statement(OWN, 7)])
    found = await measured(settled)
    assert (found[PRIVATE]["visits"], found[PRIVATE]["cost_per_client"]) == (7, 168)
    assert found[OWN]["cost_per_client"] is None
    assert (await measured(settled, OCTOBER))[PRIVATE]["visits"] == 1


async def test_small_cells_are_suppressed_and_a_producer_sees_its_own(settled: Pool) -> None:
    await hear(settled, *(moved(n) for n in range(6)), listed(UUID(int=90), span(OWN_UNIT, OCTOBER)))
    found = await measured(settled, only=[PRIVATE], see_small_cells=False)
    assert set(found) == {PRIVATE}
    assert (found[PRIVATE]["listed_clients"], found[PRIVATE]["visits"]) == (6, "suppressed")
    seen = await measured(settled, see_small_cells=False)
    assert (seen[OWN]["listed_clients"], seen[OWN]["cost_per_client"]) == ("suppressed", "suppressed")
    assert seen[OWN]["switches_out"] == 6


def test_a_row_read_again_is_the_same() -> None:
    body = orjson.dumps(report()) + b"\n"
    assert read_file("ndjson", body) == read_file("ndjson", body)
