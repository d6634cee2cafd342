"""Producers report the visits of November as files: some rows twice, some broken, all fees that they collected."""

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any
from uuid import UUID

import orjson

from kanava.common.money import split_by_largest_remainder
from kanava.local.demo.cast import COMPANIES, PRIVATE, Company
from kanava.local.demo.population import hetu_of
from kanava.local.demo.story import Story, at
from kanava.local.demo.terms import PRICE_NODE, PRICE_UNIT

REPORT_DAY, ON_DAY, DAYS = date(2026, 12, 1), date(2026, 11, 30), 30
CLIENTS_AT_ONCE = 10_000
FEES_CENTS = (0, 20_60, 0, 20_60, 11_40)
"""What clients paid at the visit, in turn: nothing, the health-centre fee, or less."""
Row = dict[str, Any]


def _unknown_resident(row: Row) -> None:
    row["resident_id"] = str(UUID(int=0))


def _unknown_node(row: Row) -> None:
    row["node"] = "SOS.9.9"


def _euros(row: Row) -> None:
    row["client_fee_cents"] = "20,60"


def _future(row: Row) -> None:
    row["performed_on"] = "2027-02-01"


def _no_such_day(row: Row) -> None:
    row["performed_on"] = "2026-11-31"


def _no_unit(row: Row) -> None:
    row["unit_id"] = ""


def _personal(row: Row) -> None:
    row["report_id"] = hetu_of(date(1990, 1, 1), "female", 0)


BREAKAGES = (_unknown_resident, _unknown_node, _euros, _future, _no_such_day, _no_unit, _personal)
"""Ways in which a reported row is broken, in turn."""


async def report_visits(story: Story) -> None:
    """Every producer reports: the first half as CSV, the second as NDJSON with some rows of the first again."""
    await story.move_clock(at(REPORT_DAY))
    made = _by_company(story.scale.choices, story.scale.residents - story.scale.choices - story.scale.late)
    visits, doubled, broken = (
        split_by_largest_remainder(whole, made)
        for whole in (story.scale.visits, story.scale.doubled, story.scale.broken)
    )
    receipts: list[Row] = []
    for company, rows, twice, bad in zip(COMPANIES, visits, doubled, broken, strict=True):
        receipts += await _report(story, company, rows, min(twice, rows // 2), min(bad, rows))
    counted = {
        name: sum(one[name] for one in receipts) for name in ("rows", "accepted", "doubled", "rejected")
    }
    story.found["visits"] = counted | {"files": len(receipts), "reasons": await _reasons(story, receipts)}


def _by_company(chosen: int, stayed: int) -> list[int]:
    """Clients of each company as weights: private ones share those who chose, the own enterprise has the rest."""
    shares = [sum(company.shares) or 2 for company in PRIVATE]
    return [*split_by_largest_remainder(chosen, shares), max(1, stayed)]


async def _report(story: Story, company: Company, count: int, twice: int, bad: int) -> list[Row]:
    if not count:
        return []
    rows = await _rows(story, company, count, bad)
    half = (count + 1) // 2
    broken = {number * count // bad for number in range(bad)}
    whole = [row for place, row in enumerate(rows[:half]) if place not in broken]
    again = [*rows[half:], *whole[:twice]]
    receipts = [await _send(story, company, _csv(rows[:half]), "text/csv")]
    return [
        *receipts,
        *([await _send(story, company, _ndjson(again), "application/x-ndjson")] if again else []),
    ]


async def _rows(story: Story, company: Company, count: int, bad: int) -> list[Row]:
    """So many visits of the company's clients; the broken ones are spread evenly over them."""
    clients = await _clients(story, company, count)
    rows = [_row(company, place, *clients[place % len(clients)]) for place in range(count)]
    for number in range(bad):
        BREAKAGES[number % len(BREAKAGES)](rows[number * count // bad])
    return rows


def _row(company: Company, place: int, unit_id: str, resident_id: str) -> Row:
    return {
        "report_id": f"{company.business_id}:{place + 1}",
        "unit_id": unit_id,
        "resident_id": resident_id,
        "node": PRICE_NODE,
        "unit_of_measure": PRICE_UNIT,
        "performed_on": f"2026-11-{place % DAYS + 1:02d}",
        "quantity": 1,
        "client_fee_cents": FEES_CENTS[place % len(FEES_CENTS)],
    }


async def _clients(story: Story, company: Company, count: int) -> list[tuple[str, str]]:
    """Clients of a company's units in turn, as (unit, resident): a page of each unit is enough."""
    limit = min(CLIENTS_AT_ONCE, count // len(company.unit_names) + 1)
    pages = []
    for unit_id in story.units[company.producer_id]:
        path = f"/v1/units/{unit_id}/clients"
        page = await story.desk.get("listing", path, who=company.who, on=ON_DAY, limit=limit)
        pages.append([(unit_id, client["resident_id"]) for client in page["items"]])
    longest = max(map(len, pages))
    found = [page[place] for place in range(longest) for page in pages if place < len(page)]
    assert found, f"{company.name} has no clients"
    return found


def _csv(rows: Sequence[Row]) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def _ndjson(rows: Sequence[Row]) -> bytes:
    return b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows)


async def _send(story: Story, company: Company, content: bytes, media_type: str) -> Row:
    path = f"/v1/production/files?producer_id={company.producer_id}"
    receipt: Row = await story.desk.upload("monitoring", path, content, media_type, who=company.who)
    return receipt | {"who": company.who}


async def _reasons(story: Story, receipts: Sequence[Row]) -> dict[str, int]:
    """Each producer fetches its rejected rows; counts them by their code."""
    codes: Counter[str] = Counter()
    for receipt in receipts:
        if receipt["rejected"]:
            path = f"/v1/production/files/{receipt['file_id']}/rejected"
            content = await story.desk.download("monitoring", path, who=receipt["who"])
            codes.update(row["code"] for row in _lines(content))
    return dict(sorted(codes.items()))


def _lines(content: bytes) -> Iterator[Row]:
    return (orjson.loads(line) for line in content.splitlines())
