"""SQL that writes: production files merged set-based, and letters driven again.

A file's rows are staged by `COPY`, judged by one statement over the read models, and merged by a few more.
The row of `producer_files` is locked first, so the files of one producer are merged one after another and
the events of one reported service stand in the outbox in the order of their commits.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from psycopg.types.json import Jsonb

from kanava.common.contracts import TOPIC_OF
from kanava.common.contracts.monitoring import Production
from kanava.common.db import Tx, one, rows, stage
from kanava.common.ids import derived_id
from kanava.common.telemetry import current_traceparent

from .commands import ReceiveFile
from .domain.reports import Rejected, Report

_STAGED = (
    "row int4, report_id text, unit_id text, resident_id uuid, node text, unit_of_measure text,"
    " performed_on date, quantity int4, client_fee_cents int4, weight_ten_thousandths int4, drg_group text,"
    " referral_id text, production_id uuid"
)
_WITHDRAW = """
UPDATE judged j SET unit_id = p.unit_id, resident_id = p.resident_id, node = p.node,
    unit_of_measure = p.unit_of_measure, performed_on = p.performed_on, client_fee_cents = 0,
    weight_ten_thousandths = p.weight_ten_thousandths, drg_group = p.drg_group, referral_id = p.referral_id
FROM production p WHERE j.quantity = 0 AND j.verdict = 'corrected' AND p.production_id = j.production_id
"""
"""Who withdraws a report names it; what it was stays as it was reported, even if it could not be reported any more. A
row that is rejected stays as it was sent."""
_JUDGE = """
CREATE TEMP TABLE judged ON COMMIT DROP AS
WITH seen AS (
    SELECT s.*, CASE WHEN s.quantity = 0 THEN known.area ELSE u.area END AS area, known.version AS known_version,
        s.quantity = 0 AND %(corrects)s AND known.quantity IS NOT DISTINCT FROM 0 OR
        (known.unit_id, known.resident_id, known.node, known.unit_of_measure, known.performed_on,
         known.quantity, known.client_fee_cents, known.weight_ten_thousandths, known.drg_group, known.referral_id)
        IS NOT DISTINCT FROM
        (s.unit_id, s.resident_id, s.node, s.unit_of_measure, s.performed_on, s.quantity,
         s.client_fee_cents, s.weight_ten_thousandths, s.drg_group, s.referral_id) AS is_known,
        CASE
            WHEN s.quantity = 0 AND known.version IS NULL THEN 'nothing_to_withdraw'
            WHEN s.quantity = 0 AND %(corrects)s THEN NULL
            WHEN u.unit_id IS NULL THEN 'unknown_unit'
            WHEN u.producer_id <> %(producer_id)s THEN 'foreign_unit'
            WHEN s.performed_on < u.opens_on OR s.performed_on >= u.closes_on
                OR (u.status = 'closed' AND u.closes_on IS NULL) THEN 'unit_not_open'
            WHEN r.resident_id IS NULL THEN 'unknown_resident'
            WHEN s.performed_on < r.birth_date OR s.performed_on >= r.lives_until THEN 'resident_not_alive'
            WHEN n.units IS NULL THEN 'unknown_node'
            WHEN s.unit_of_measure <> ALL (n.units) THEN 'node_takes_another_unit'
            WHEN s.performed_on > %(today)s THEN 'in_the_future'
            WHEN p.since IS NULL OR s.performed_on < p.since THEN 'before_production'
            WHEN known.version IS NOT NULL AND NOT %(corrects)s THEN 'report_id_reused'
        END AS fault
    FROM staged s
    LEFT JOIN unit u ON u.unit_id = s.unit_id
    LEFT JOIN resident r ON r.resident_id = s.resident_id
    LEFT JOIN production known ON known.producer_id = %(producer_id)s AND known.report_id = s.report_id
    LEFT JOIN (SELECT municipality, min(production_from) AS since FROM scheme GROUP BY municipality) p
        ON p.municipality = u.municipality
    LEFT JOIN (
        SELECT d.performed_on, n.code,
            array_agg(DISTINCT taken) FILTER (WHERE taken IS NOT NULL) || '{}' AS units
        FROM (SELECT DISTINCT performed_on FROM staged) d
        JOIN package k ON k.valid_from <= d.performed_on
            AND (k.valid_until IS NULL OR d.performed_on < k.valid_until)
        JOIN package_node n ON n.package_id = k.package_id
        LEFT JOIN LATERAL unnest(n.units) taken ON true
        GROUP BY d.performed_on, n.code
    ) n ON n.code = s.node AND n.performed_on = s.performed_on
), ranked AS (
    SELECT seen.*, row_number() OVER same_id AS place,
        first_value(ROW(unit_id, resident_id, node, unit_of_measure, performed_on, quantity,
            client_fee_cents, weight_ten_thousandths, drg_group, referral_id)) OVER same_id IS NOT DISTINCT FROM
        ROW(unit_id, resident_id, node, unit_of_measure, performed_on, quantity,
            client_fee_cents, weight_ten_thousandths, drg_group, referral_id)
            OR quantity = 0 AND first_value(quantity) OVER same_id = 0 AS is_first
    FROM seen
    WINDOW same_id AS (PARTITION BY report_id, (is_known OR fault IS NOT NULL) ORDER BY row)
)
SELECT row, report_id, unit_id, resident_id, node, unit_of_measure, performed_on, quantity, client_fee_cents,
    weight_ten_thousandths, drg_group, referral_id, production_id, area, coalesce(known_version, 0) + 1 AS version,
    CASE WHEN is_known THEN 'doubled' WHEN fault IS NOT NULL THEN fault
         WHEN place > 1 THEN CASE WHEN is_first THEN 'doubled' ELSE 'report_id_reused' END
         WHEN known_version IS NOT NULL THEN 'corrected' ELSE 'accepted' END AS verdict
FROM ranked
"""
_CONTENT = (
    "production_id, version, producer_id, report_id, unit_id, resident_id, area, node, unit_of_measure,"
    " performed_on, quantity, client_fee_cents, weight_ten_thousandths, drg_group, referral_id, file_id, recorded_at"
)
_KEEP_BEFORE = f"""
INSERT INTO production_before ({_CONTENT})
SELECT {_CONTENT} FROM production
WHERE production_id IN (SELECT production_id FROM judged WHERE verdict = 'corrected')
"""
_ADD = f"""
INSERT INTO production ({_CONTENT})
SELECT production_id, version, %(producer_id)s, report_id, unit_id, resident_id, area, node, unit_of_measure,
    performed_on, quantity, client_fee_cents, weight_ten_thousandths, drg_group, referral_id, %(file_id)s, %(now)s
FROM judged WHERE verdict = 'accepted' ORDER BY row
"""
_CORRECT = """
UPDATE production p SET version = j.version, unit_id = j.unit_id, resident_id = j.resident_id, area = j.area,
    node = j.node, unit_of_measure = j.unit_of_measure, performed_on = j.performed_on, quantity = j.quantity,
    client_fee_cents = j.client_fee_cents, weight_ten_thousandths = j.weight_ten_thousandths,
    drg_group = j.drg_group, referral_id = j.referral_id, file_id = %(file_id)s, recorded_at = %(now)s
FROM judged j WHERE j.verdict = 'corrected' AND p.production_id = j.production_id
"""
_EMIT = """
INSERT INTO outbox (event_id, topic, key, type, body, traceparent)
SELECT
    encode(substring(sha256(convert_to(production_id || ':' || version, 'UTF8')) FOR 16), 'hex')::uuid,
    %(topic)s, production_id::text, %(kind)s || what, json_strip_nulls(row_to_json(fact))::text, %(traceparent)s
FROM (
    SELECT verdict AS what, version, %(recorded_at)s::text AS recorded_at, production_id, report_id,
        %(producer_id)s::text AS producer_id, unit_id, resident_id, area, node, unit_of_measure, performed_on,
        quantity, client_fee_cents, weight_ten_thousandths, drg_group, referral_id,
        CASE WHEN verdict = 'corrected' THEN version - 1 END AS corrects
    FROM judged WHERE verdict IN ('accepted', 'corrected') ORDER BY row
) fact
"""
_REJECT = """
INSERT INTO rejected_row (file_id, row, field, code, value, kept)
SELECT %(file_id)s, row, fields ->> verdict, verdict, fields_of ->> (fields ->> verdict),
    fields_of || jsonb_build_object('resident_id', resident_id)
FROM (SELECT row, resident_id, verdict, %(fields)s::jsonb AS fields, jsonb_build_object(
        'report_id', report_id, 'unit_id', unit_id, 'node', node, 'unit_of_measure', unit_of_measure,
        'performed_on', performed_on, 'quantity', quantity, 'client_fee_cents', client_fee_cents)
        || jsonb_strip_nulls(jsonb_build_object('weight_ten_thousandths', weight_ten_thousandths,
            'drg_group', drg_group, 'referral_id', referral_id)) AS fields_of
      FROM judged WHERE verdict NOT IN ('accepted', 'corrected', 'doubled')) judged_bad
"""
_RECEIPT = """
INSERT INTO production_file (file_id, producer_id, version, format, digest, corrects, sent_by, received_at,
    rows, accepted, corrected, doubled, rejected)
VALUES (%(file_id)s, %(producer_id)s, %(version)s, %(format)s, %(digest)s, %(corrects)s, %(sent_by)s,
    %(now)s, %(rows)s, %(accepted)s, %(corrected)s, %(doubled)s, %(rejected)s)
"""


async def next_file_version(tx: Tx, producer_id: str) -> int:
    """Lock the producer's row and count its next file."""
    row = await one(
        tx,
        "INSERT INTO producer_files AS f (producer_id, received) VALUES (%s, 1)"
        " ON CONFLICT (producer_id) DO UPDATE SET received = f.received + 1 RETURNING received",
        (producer_id,),
    )
    assert row is not None, "an upsert returns its row"
    return int(row["received"])


async def judge(
    tx: Tx, producer_id: str, reports: Sequence[tuple[int, Report]], *, today: date, corrects: bool
) -> dict[str, int]:
    """Stage reports and judge each; returns how many there are of each verdict, such as `accepted`."""
    staged = ((row, *report, derived_id("production", producer_id, report.report_id)) for row, report in reports)
    await stage(tx, "staged", _STAGED, staged)
    await tx.execute("ANALYZE staged")
    await tx.execute(_JUDGE, {"producer_id": producer_id, "today": today, "corrects": corrects})
    if corrects:
        await tx.execute(_WITHDRAW)
    counted = await rows(tx, "SELECT verdict, count(*) AS rows FROM judged GROUP BY verdict")
    return {row["verdict"]: row["rows"] for row in counted}


async def merge_judged(tx: Tx, command: ReceiveFile, now: datetime) -> None:
    """Store what was accepted or corrected and emit its facts, set-based, in the order of the rows.

    Event ids are derived, since a random one costs the database more than the rest of the row.
    """
    topic = TOPIC_OF[Production]
    parameters = {
        "producer_id": command.producer_id,
        "file_id": command.file_id,
        "now": now,
        "recorded_at": now.isoformat(),
        "topic": topic.name,
        "kind": topic.type_of(""),
        "traceparent": current_traceparent(),
    }
    await tx.execute(_ADD, parameters)
    if command.corrects:
        await tx.execute(_KEEP_BEFORE)
        await tx.execute(_CORRECT, parameters)
    await tx.execute(_EMIT, parameters)


async def reject(tx: Tx, file_id: UUID, unread: Iterable[Rejected], fault_fields: dict[str, str]) -> None:
    """Store the rows rejected for their form and those that were judged to be at fault."""
    await tx.execute(_REJECT, {"file_id": file_id, "fields": Jsonb(fault_fields)})
    copy_in = "COPY rejected_row (file_id, row, field, code, value, kept) FROM STDIN (FORMAT BINARY)"
    async with tx.cursor() as cursor, cursor.copy(copy_in) as copy:
        copy.set_types(["uuid", "int4", "varchar", "varchar", "varchar", "jsonb"])
        for one_row in unread:
            kept = None if one_row.kept is None else Jsonb(one_row.kept)
            await copy.write_row(
                (file_id, one_row.row, one_row.flaw.field, one_row.flaw.fault.value, one_row.value, kept)
            )


async def add_receipt(tx: Tx, receipt: dict[str, Any]) -> None:
    """Store the receipt of a file."""
    await tx.execute(_RECEIPT, receipt)


_DRIVE = """
INSERT INTO redrive (letter_id, attempt, topic, service, reason, forced, driven_by, driven_at)
SELECT letter.id, 1 + (SELECT count(*) FROM redrive r WHERE r.letter_id = letter.id), letter.topic,
    letter.service, %(reason)s, %(force)s, %(driven_by)s, %(now)s
FROM unnest(%(ids)s::uuid[], %(topics)s::text[], %(services)s::text[]) AS letter (id, topic, service)
WHERE %(force)s OR NOT EXISTS (SELECT FROM redrive r WHERE r.letter_id = letter.id)
ON CONFLICT DO NOTHING RETURNING letter_id
"""


async def record_redrive(tx: Tx, drive: dict[str, Any]) -> set[UUID]:
    """Record letters as driven again; returns those that may be, the others were driven before."""
    return {row["letter_id"] for row in await rows(tx, _DRIVE, drive)}


_FREEZE = """
INSERT INTO snapshot (snapshot_id, indicator, subject, area, producer_id, unit_id, municipality, period_from,
    period_until, direction, value, scale, numerator, denominator, floor, target, confirmed_by, frozen_by, recorded_at)
VALUES (%(snapshot_id)s, %(indicator)s, %(subject)s, %(area)s, %(producer_id)s, %(unit_id)s, %(municipality)s,
    %(period_from)s, %(period_until)s, %(direction)s, %(value)s, %(scale)s, %(numerator)s, %(denominator)s,
    %(floor)s, %(target)s, %(confirmed_by)s, %(frozen_by)s, %(recorded_at)s)
ON CONFLICT DO NOTHING RETURNING snapshot_id
"""


async def freeze_snapshot(tx: Tx, row: dict[str, Any]) -> dict[str, Any] | None:
    """Store a snapshot: None when it is new, otherwise what is frozen under its id already."""
    if await one(tx, _FREEZE, row) is not None:
        return None
    known = await one(tx, "SELECT * FROM snapshot WHERE snapshot_id = %s", (row["snapshot_id"],))
    assert known is not None, "a snapshot that is in the way is there"
    return known


async def area_of(tx: Tx, kind: Literal["producer", "unit"], object_id: str) -> str | None:
    """The area of a producer or a unit; None when it is not known."""
    row = await one(tx, f"SELECT area FROM {kind} WHERE {kind}_id = %s", (object_id,))
    return row["area"] if row else None
