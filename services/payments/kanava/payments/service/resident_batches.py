"""Batches of payments to residents (maksuerä): drawn from what is owed, approved, accounts confirmed anew."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg.rows import DictRow

from kanava.common.clock import helsinki_date
from kanava.common.db import Tx, one, rows
from kanava.common.errors import Refused
from kanava.common.ids import derived_id

from ..domain.resident_payments import Due, Waits, draw, dues
from ..errors import Reason, UnknownBatch, UnknownResidentPayment
from ..resident_commands import ApproveBatch, ConfirmPayee, DrawBatch
from ..sets import columns
from ..views import owed
from ..views import resident_payments as views
from ..views.owed import LIVE

NO_ACCOUNT_YET = 0
"""What an approval of an account says that an adviser gave and nobody has confirmed: none of the payee's."""


@dataclass(frozen=True)
class Step:
    """A step with a payment of a batch, by whom and why; `account_number` is the account that it goes to."""

    what: str
    by: str
    reason: str
    account_number: int | None = None


@dataclass(frozen=True)
class DrawnBatch:
    """A batch: how many payments of how many cents; how many payees wait, and of how many cents, by reason."""

    batch_id: UUID
    number: int
    payments: int
    amount_cents: int
    waiting: dict[str, int]
    waiting_cents: dict[str, int]


@dataclass(frozen=True)
class ApprovedBatch:
    """The payments of a batch that were approved, and how many of them still need their account confirmed."""

    batch_id: UUID
    payments: int
    amount_cents: int
    to_confirm: int


@dataclass(frozen=True)
class ConfirmedPayee:
    """A payment that goes to the account that somebody confirmed."""

    item_id: UUID
    account_number: int


async def draw_batch(tx: Tx, command: DrawBatch, now: datetime) -> DrawnBatch:
    """Draw a batch of what is owed to residents and in no batch; what waits stays owed."""
    today = helsinki_date(now)
    if command.month > today:
        raise Refused(Reason.MONTH_NOT_BEGUN)
    await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended('resident batch' || %s, 0))", (command.area,))
    number, month = await views.last_batch(tx, command.area)
    if command.month < month:
        raise Refused(Reason.BATCH_OUT_OF_ORDER)
    found = dues(await owed.matters(tx, command.area, command.month, today))
    payees = [due.payee_id for due in found]
    dead = await owed.dead(tx, payees, today)
    drawn = draw(found, with_account=await owed.with_account(tx, payees), dead=dead)
    if not drawn.taken:
        raise Refused(Reason.NOTHING_TO_PAY, waiting=_counted(drawn.waiting))
    batch_id = derived_id("resident batch", command.area, number + 1)
    await tx.execute(
        "INSERT INTO resident_batch (batch_id, area, number, month, drawn_by, drawn_at)"
        " VALUES (%s, %s, %s, %s, %s, %s)",
        (batch_id, command.area, number + 1, command.month, command.drawn_by, now),
    )
    await _write_items(tx, command.area, batch_id, drawn.taken)
    cents = sum(due.amount_cents for due in drawn.taken)
    waiting = (_counted(drawn.waiting), _cents(drawn.waiting))
    return DrawnBatch(batch_id, number + 1, len(drawn.taken), cents, *waiting)


def _counted(waiting: Sequence[tuple[Due, Waits]]) -> dict[str, int]:
    reasons = [why.value for _, why in waiting]
    return {reason: reasons.count(reason) for reason in sorted(set(reasons))}


def _cents(waiting: Sequence[tuple[Due, Waits]]) -> dict[str, int]:
    return {
        reason: sum(due.amount_cents for due, why in waiting if why.value == reason) for reason in _counted(waiting)
    }


async def _write_items(tx: Tx, area: str, batch_id: UUID, taken: Sequence[Due]) -> None:
    items = {due.payee_id: derived_id("resident item", batch_id, due.payee_id) for due in taken}
    payments = [(items[due.payee_id], due.payee_id, due.amount_cents) for due in taken]
    await tx.execute(
        "INSERT INTO resident_item (batch_id, area, item_id, payee_id, amount_cents)"
        " SELECT %s, %s, t.* FROM unnest(%s::uuid[], %s::uuid[], %s::bigint[]) t",
        (batch_id, area, *columns(payments, 3)),
    )
    parts = [
        (items[due.payee_id], one.source, one.resident_id, one.owed_to, one.matter, one.cents)
        for due in taken
        for one in due.matters
    ]
    await tx.execute(
        "INSERT INTO resident_part (area, item_id, source, resident_id, owed_to, matter, amount_cents)"
        " SELECT %s, p.* FROM unnest(%s::uuid[], %s::text[], %s::uuid[], %s::uuid[], %s::text[], %s::bigint[]) p",
        (area, *columns(parts, 6)),
    )


_APPROVE = """
INSERT INTO resident_step (item_id, number, area, what, account_number, reason, by, at)
SELECT i.item_id, 1, i.area, 'approved',
       CASE WHEN a.given_role = 'resident' OR EXISTS (
                SELECT FROM resident_step s JOIN resident_item j USING (item_id)
                WHERE j.payee_id = i.payee_id AND s.what = 'confirmed' AND s.account_number = a.number)
            THEN a.number ELSE %(none)s END,
       '', %(by)s, %(now)s
FROM resident_item i CROSS JOIN LATERAL (
    SELECT number, given_role FROM resident_account a WHERE a.resident_id = i.payee_id ORDER BY number DESC LIMIT 1) a
WHERE i.batch_id = %(batch)s RETURNING account_number
"""


async def approve_batch(tx: Tx, command: ApproveBatch, now: datetime) -> ApprovedBatch:
    """Approve a batch, once; each payment goes to the account that its payee has now, or to none that is confirmed."""
    batch = await locked_batch(tx, command.batch_id)
    if await approver_of(tx, batch["batch_id"]):
        raise Refused(Reason.BATCH_APPROVED)
    known = {"batch": batch["batch_id"], "by": command.approved_by, "now": now, "none": NO_ACCOUNT_YET}
    steps = await rows(tx, _APPROVE, known)
    query = "SELECT count(*) AS payments, sum(amount_cents)::bigint AS cents FROM resident_item WHERE batch_id = %s"
    row = await one(tx, query, (batch["batch_id"],))
    assert row is not None, "a sum has one row"
    assert len(steps) == row["payments"], "every payment of a batch has an account"
    to_confirm = sum(step["account_number"] == NO_ACCOUNT_YET for step in steps)
    return ApprovedBatch(batch["batch_id"], row["payments"], row["cents"], to_confirm)


async def confirm_payee(tx: Tx, command: ConfirmPayee, now: datetime) -> ConfirmedPayee:
    """Confirm the account of an approved payment anew; somebody else has to release it.

    The person names the number of the account that was checked, so that a second change in between is noticed.
    """
    item = await one(tx, "SELECT * FROM resident_item WHERE item_id = %s", (command.item_id,))
    if item is None:
        raise UnknownResidentPayment(f"There is no payment {command.item_id} to a resident.")
    await locked_batch(tx, item["batch_id"])
    payment = next(iter(await releasable(tx, item["batch_id"], item_id=item["item_id"])), None)
    if payment is None or payment["account_number"] == command.account_number:
        raise Refused(Reason.NOTHING_TO_CONFIRM)
    if payment["account_now"] != command.account_number:
        raise Refused(Reason.ACCOUNT_DIFFERS)
    step = Step("confirmed", command.confirmed_by, command.reason, command.account_number)
    await add_steps(tx, [item], step, now)
    return ConfirmedPayee(item["item_id"], command.account_number)


async def add_steps(tx: Tx, items: Sequence[DictRow], step: Step, now: datetime) -> None:
    """Write a step behind the others of each payment; the caller holds their batch."""
    await tx.execute(
        "INSERT INTO resident_step (item_id, number, area, what, account_number, reason, by, at)"
        " SELECT i.item_id, (SELECT count(*) + 1 FROM resident_step s WHERE s.item_id = i.item_id), i.area,"
        " %s, %s, %s, %s, %s FROM resident_item i WHERE i.item_id = ANY(%s)",
        (step.what, step.account_number, step.reason, step.by, now, [item["item_id"] for item in items]),
    )


_RELEASABLE = f"""
SELECT i.*, s.account_number, a.number AS account_now, s.approved_by,
       ARRAY(SELECT c.by FROM resident_step c JOIN resident_item j USING (item_id) WHERE j.payee_id = i.payee_id
             AND c.what = 'confirmed' AND c.account_number = s.account_number) AS confirmed_by,
       EXISTS (SELECT FROM resident_part p WHERE p.item_id = i.item_id AND (
           SELECT sum(l.amount_cents) FROM resident_part l WHERE l.area = p.area AND l.source = p.source
               AND (l.resident_id, l.owed_to, l.matter) = (p.resident_id, p.owed_to, p.matter)
               AND {LIVE.format(item="l.item_id")}
       ) > CASE p.source WHEN 'benefit' THEN (
               SELECT sum(d.change_cents) FROM benefit_decision d WHERE d.area = p.area AND d.reference = p.matter)
           ELSE (SELECT sum(c.amount_cents) FROM ceiling_claim c WHERE c.area = p.area
                 AND (c.resident_id, c.payee_id, c.year::text) = (p.resident_id, p.owed_to, p.matter)) END
       ) AS less_is_owed
FROM resident_item i
JOIN LATERAL (
    SELECT (array_agg(account_number ORDER BY number DESC))[1] AS account_number,
           (array_agg(by ORDER BY number))[1] AS approved_by
    FROM resident_step s WHERE s.item_id = i.item_id HAVING count(*) > 0) s ON true
JOIN LATERAL (
    SELECT number FROM resident_account a WHERE a.resident_id = i.payee_id ORDER BY number DESC LIMIT 1) a ON true
WHERE i.batch_id = %(batch)s AND (%(item)s::uuid IS NULL OR i.item_id = %(item)s)
  AND {LIVE.format(item="i.item_id")} AND NOT EXISTS (SELECT FROM payment y WHERE y.resident_item_id = i.item_id)
ORDER BY i.item_id
"""


async def releasable(tx: Tx, batch_id: UUID, *, item_id: UUID | None = None) -> list[DictRow]:
    """Approved payments of a batch that are neither withdrawn nor given to the bank."""
    return await rows(tx, _RELEASABLE, {"batch": batch_id, "item": item_id})


async def locked_batch(tx: Tx, batch_id: UUID) -> DictRow:
    """A batch that nobody else approves or releases until the commit, or `UnknownBatch`."""
    await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended('resident steps' || %s, 0))", (str(batch_id),))
    batch = await views.batch_row(tx, batch_id)
    if batch is None:
        raise UnknownBatch(f"There is no batch {batch_id} of payments to residents.")
    return batch


async def approver_of(tx: Tx, batch_id: UUID) -> str | None:
    """Who approved a batch."""
    query = (
        "SELECT s.by FROM resident_step s JOIN resident_item i USING (item_id)"
        " WHERE i.batch_id = %s AND s.what = 'approved' LIMIT 1"
    )
    row = await one(tx, query, (batch_id,))
    return str(row["by"]) if row else None
