"""SQL that reads the edge to the bank: payments and where they are, missing numbers, balances, and alarms."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from psycopg.rows import DictRow

from kanava.common.clock import helsinki_date
from kanava.common.db import Tx, one, rows

from ..domain.banking import gaps
from . import owed, suspense

_STATES = """
SELECT coalesce(sum(p.amount_cents), 0)::bigint AS released_cents,
       coalesce(sum(p.amount_cents) FILTER (WHERE p.status = 'booked'), 0)::bigint AS booked_cents,
       coalesce(sum(p.amount_cents) FILTER (WHERE p.status = 'rejected'), 0)::bigint AS rejected_cents,
       coalesce(sum(p.amount_cents) FILTER (WHERE p.status = 'returned'), 0)::bigint AS returned_cents,
       coalesce(sum(p.amount_cents) FILTER (WHERE p.status = 'open'), 0)::bigint AS open_cents
FROM payment p JOIN payout o USING (payout_id) WHERE o.area = %s
"""
_IN_BOOKS = """
SELECT coalesce(-sum(amount_cents) FILTER (WHERE happened IN ('release', 'sent_back')), 0)::bigint AS released,
       coalesce(sum(amount_cents) FILTER (WHERE happened = 'booked'), 0)::bigint AS booked,
       coalesce(sum(amount_cents) FILTER (WHERE happened = 'rejected'), 0)::bigint AS rejected,
       coalesce(-sum(amount_cents), 0)::bigint AS in_transit
FROM (
    SELECT p.amount_cents, CASE WHEN e.kind <> 'municipal_refund' THEN e.kind WHEN p.amount_cents < 0 THEN 'release'
        WHEN EXISTS (SELECT FROM posting b WHERE (b.area, b.seq, b.account) = (p.area, p.seq, '1100')) THEN 'booked'
        ELSE 'rejected' END AS happened
    FROM posting p JOIN entry e USING (area, seq) WHERE p.area = %s AND p.account = '1190'
) moved
"""
_OPEN = """
SELECT p.end_to_end_id, p.amount_cents, o.payout_id, o.created_at AS released_at,
       (SELECT t.status FROM bank_status t WHERE t.end_to_end_id = p.end_to_end_id
        ORDER BY t.told_at DESC, t.status LIMIT 1) AS last_status
FROM payment p JOIN payout o USING (payout_id)
WHERE o.area = %s AND p.status = 'open' ORDER BY o.created_at, p.end_to_end_id LIMIT 1000
"""


async def payments(tx: Tx, area: str, now: datetime) -> dict[str, Any]:
    """Where the money is that was given to the bank: released = booked + rejected + returned + open.

    `equal` says whether that holds, and whether the account of payments in transit (1190) says the same.
    """
    states, books = await one(tx, _STATES, (area,)), await one(tx, _IN_BOOKS, (area,))
    assert states is not None, "a sum has one row"
    assert books is not None, "a sum has one row"
    told = (states["booked_cents"] + states["returned_cents"], states["rejected_cents"], states["open_cents"])
    equal = sum(told) == states["released_cents"] == books["released"]
    equal = equal and told == (books["booked"], books["rejected"], books["in_transit"])
    waiting = [
        {**row, "age_days": (helsinki_date(now) - helsinki_date(row["released_at"])).days}
        for row in await rows(tx, _OPEN, (area,))
    ]
    return {**states, "in_transit_cents": books["in_transit"], "equal": equal, "waiting": waiting}


async def missing(tx: Tx, area: str | None = None) -> list[dict[str, Any]]:
    """Missing numbers of every account and kind of report, and since when the bank counted past them.

    A report of which some pages are missing is named with the `pages` that came.
    """
    reports = await rows(
        tx,
        "SELECT r.iban, a.area, r.kind, r.year, r.number, min(r.received_at) AS received_at,"
        " array_agg(r.page ORDER BY r.page) AS pages,"
        " bool_or(r.is_last_page) AND max(r.page) = count(*) AS is_whole FROM bank_report r"
        " JOIN area_account a USING (iban) WHERE %(area)s::text IS NULL OR a.area = %(area)s"
        " GROUP BY r.iban, a.area, r.kind, r.year, r.number ORDER BY r.iban, r.kind, r.year, r.number",
        {"area": area},
    )
    by_sequence: dict[tuple[str, str, str], list[DictRow]] = {}
    for row in reports:
        by_sequence.setdefault((row["area"], row["iban"], row["kind"]), []).append(row)
    found = [gap for key, heard in by_sequence.items() for gap in _gaps_of(key, heard)]
    return found + [_without_pages(row) for row in reports if not row["is_whole"]]


def _without_pages(row: DictRow) -> dict[str, Any]:
    number = {"first": row["number"], "last": row["number"], "since": row["received_at"]}
    return {**{name: row[name] for name in ("area", "iban", "kind", "year", "pages")}, **number}


def _gaps_of(key: tuple[str, str, str], heard: Sequence[DictRow]) -> list[dict[str, Any]]:
    area, iban, kind = key
    return [
        {
            "area": area, "iban": iban, "kind": kind, "year": gap.year, "first": gap.first, "last": gap.last,
            "since": min(
                row["received_at"] for row in heard if (row["year"], row["number"]) > (gap.year, gap.last)
            ),
        }
        for gap in gaps((row["year"], row["number"]) for row in heard)
    ]  # fmt: skip


_CLOSINGS = """
SELECT a.iban, r.year, r.number, r.closes_on, coalesce(r.closing_cents, 0)::bigint AS closing_cents,
       (SELECT coalesce(sum(CASE direction WHEN 'credit' THEN amount_cents ELSE -amount_cents END), 0)::bigint
        FROM bank_booking b WHERE b.iban = a.iban AND b.booked_on > coalesce(r.closes_on, '-infinity')) AS after_cents
FROM area_account a LEFT JOIN LATERAL (
    SELECT * FROM bank_report r WHERE r.iban = a.iban AND r.kind = 'camt.053'
    ORDER BY r.year DESC, r.number DESC, r.page DESC LIMIT 1) r ON true
WHERE a.area = %s ORDER BY a.registered_at DESC, a.iban
"""
_OURS = """
SELECT coalesce(sum(p.amount_cents), 0)::bigint AS bank,
       coalesce(-sum(p.amount_cents) FILTER (WHERE e.kind = 'settlement'), 0)::bigint AS internal,
       coalesce(sum(p.amount_cents) FILTER (WHERE e.kind = 'funding'
           AND NOT EXISTS (SELECT FROM bank_entry t WHERE t.entry_id = e.entry_id)
           AND NOT EXISTS (SELECT FROM suspense_step s WHERE s.target = e.entry_id::text
                           AND s.what = 'matched_to_funding')), 0)::bigint AS untold
FROM posting p JOIN entry e USING (area, seq) WHERE p.area = %s AND p.account = '1100'
"""


async def reconciliation(tx: Tx, area: str) -> dict[str, Any] | None:
    """The newest closing balances of the bank beside the area's bank account (1100); None before any statement.

    What may differ is named: the own enterprise's settlements stay on the account at the bank, instalments may
    be booked by hand before the bank tells of them, and notifications run ahead of statements. Payments in
    transit are on 1190 until the bank books them. `difference_cents` is what nothing of that explains.
    """
    closings, ours = await rows(tx, _CLOSINGS, (area,)), await one(tx, _OURS, (area,))
    if ours is None or all(row["number"] is None for row in closings):
        return None
    closing_cents = sum(row["closing_cents"] for row in closings)
    after_cents = sum(row["after_cents"] for row in closings)
    expected_cents = ours["bank"] + ours["internal"] - ours["untold"] - after_cents
    return {
        "statements": closings,
        "closing_cents": closing_cents,
        "bank_account_cents": ours["bank"],
        "settled_internally_cents": ours["internal"],
        "funding_not_told_cents": ours["untold"],
        "told_after_cents": after_cents,
        "expected_cents": expected_cents,
        "difference_cents": closing_cents - expected_cents,
    }


_BREAKS = """
SELECT * FROM (
    SELECT a.area, r.iban, r.year, r.number, r.page, r.opening_cents, lag(r.closing_cents) OVER ordered AS before_cents,
           r.received_at AS since
    FROM bank_report r JOIN area_account a USING (iban) WHERE r.kind = 'camt.053'
    WINDOW ordered AS (PARTITION BY r.iban ORDER BY r.year, r.number, r.page)
) linked WHERE opening_cents <> before_cents
"""


async def alarms(tx: Tx, now: datetime) -> list[dict[str, Any]]:
    """What an operator has to look at: missing reports, balances that do not follow, differences, old money."""
    found = [{"alarm": "missing_reports", **gap} for gap in await missing(tx)]
    found += [{"alarm": "balance_does_not_follow", **row} for row in await rows(tx, _BREAKS)]
    for row in await rows(tx, "SELECT DISTINCT area FROM area_account ORDER BY area"):
        area = row["area"]
        compared = await reconciliation(tx, area)
        if compared and compared["difference_cents"]:
            found.append({"alarm": "balance_differs", "area": area, **compared})
        if not (await payments(tx, area, now))["equal"]:
            found.append({"alarm": "payments_do_not_add_up", "area": area})
        to_residents = await owed.balance(tx, area)
        if not to_residents["equal"]:
            found.append({"alarm": "owed_to_residents_differs", "area": area, **to_residents})
        waiting = await suspense.balance(tx, area)
        if waiting["open_items"] or not waiting["equal"]:
            found.append({"alarm": "suspense_not_empty", "area": area, **waiting})
    return found


async def accounts(tx: Tx, area: str) -> list[DictRow]:
    """The accounts of an area at the bank, the one that it pays from first, with the last numbers of the bank."""
    return await rows(
        tx,
        "SELECT a.iban, a.registered_at, (SELECT json_object_agg(kind, number) FROM ("
        " SELECT DISTINCT ON (kind) kind, number FROM bank_report r WHERE r.iban = a.iban"
        " ORDER BY kind, year DESC, number DESC) last) AS last_numbers"
        " FROM area_account a WHERE a.area = %s ORDER BY registered_at DESC, iban",
        (area,),
    )
