"""The municipal refund: proposed from its figures, decided by another person, paid by a third, booked by the bank."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg.rows import DictRow

from kanava.common.clock import helsinki_date
from kanava.common.db import Tx
from kanava.common.errors import Refused
from kanava.common.ids import derived_id, rf_reference
from kanava.common.web import as_json

from .. import iso20022, ledger
from ..domain import chart
from ..domain.refund import FiguresMissing, Steps, compared_components, refund, window
from ..errors import Reason, UnknownRefund
from ..refund_commands import ConfirmRefundAccount, DecideRefund, PayRefund, ProposeRefund
from ..views import refunds as views
from .accounts import debtor_of
from .suspended import unexplained_debits_cents


@dataclass(frozen=True)
class ProposedRefund:
    """A proposal with every step of its sum; nothing is owed before it is decided."""

    refund_id: UUID
    amount_cents: int
    steps: Steps


@dataclass(frozen=True)
class RefundPaid:
    """A refund given to the bank as one pain.001 file."""

    refund_id: UUID
    end_to_end_id: str
    amount_cents: int


async def propose_refund(tx: Tx, command: ProposeRefund, now: datetime) -> ProposedRefund:
    """Compute a refund by the rule that was in force when its four years began, and keep it as a proposal."""
    years = window(command.last_year)
    if helsinki_date(now) < years[1]:
        raise Refused(Reason.WINDOW_NOT_OVER)
    approved = await views.approved_windows(tx, command.municipality)
    if any(begins < years[1] and years[0] < ends for begins, ends in approved):
        raise Refused(Reason.WINDOW_OVERLAPS)
    steps = await _steps(tx, command)
    # The steps, not the instant alone, tell proposals apart: a sandbox clock stands still while figures change.
    refund_id = derived_id("refund", command, steps, now.isoformat())
    await tx.execute(
        "INSERT INTO refund_proposal (refund_id, area, municipality, window_from, window_until, own_payment_cents,"
        " amount_cents, steps, proposed_by, proposed_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s::jsonb, %s, %s)"
        " ON CONFLICT DO NOTHING",
        (
            *(refund_id, command.area, command.municipality, *years, steps.own_payment_cents, steps.amount_cents),
            *(as_json(steps).decode(), command.proposed_by, now),
        ),
    )
    return ProposedRefund(refund_id, steps.amount_cents, steps)


async def _steps(tx: Tx, command: ProposeRefund) -> Steps:
    years = window(command.last_year)
    rule = await views.rule_on(tx, years[0])
    if rule is None:
        raise Refused(Reason.NO_REFUND_RULE)
    try:
        figures = await views.figures(tx, command.municipality)
        components = compared_components(rule, figures, *years)
    except FiguresMissing as error:
        raise Refused(Reason.FIGURES_MISSING, components=list(error.components)) from error
    measures = await views.measures_done(tx, command.area, command.municipality, years)
    paid_cents = await views.own_payment_cents(tx, command.area, command.municipality, years)
    return refund(rule, components, measures, paid_cents)


async def decide_refund(tx: Tx, command: DecideRefund, now: datetime) -> dict[str, object]:
    """Approve or refuse a proposal, with reasons; what is approved is owed to the municipality from now on."""
    row = await locked_refund(tx, command.refund_id)
    if row["approved"] is not None:
        raise Refused(Reason.ALREADY_DECIDED)
    if row["proposed_by"] == command.decided_by:
        raise Refused(Reason.SAME_PERSON)
    if command.approved:
        await _owe(tx, row, now)
    await tx.execute(
        "INSERT INTO refund_decision (refund_id, municipality, window_until, approved, reasons, proposed_by,"
        " decided_by, decided_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
        (
            *(command.refund_id, row["municipality"], row["window_until"], command.approved, command.reasons),
            *(row["proposed_by"], command.decided_by, now),
        ),
    )
    if command.approved:
        account = ConfirmRefundAccount(command.refund_id, command.payee, command.iban, command.decided_by)
        await _add_account(tx, account, now)
    return views.shown(await locked_refund(tx, command.refund_id))


async def _owe(tx: Tx, row: DictRow, now: datetime) -> None:
    await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended('refund' || %s, 0))", (row["municipality"],))
    approved = await views.approved_windows(tx, row["municipality"])
    if any(begins < row["window_until"] and row["window_from"] < ends for begins, ends in approved):
        raise Refused(Reason.WINDOW_OVERLAPS)
    if row["amount_cents"]:
        await ledger.post(tx, row["area"], [_entry("decided", row)], now)


def _entry(happened: str, row: DictRow) -> chart.Draft:
    amounts = {"municipality": row["municipality"], "amount_cents": row["amount_cents"]}
    return chart.municipal_refund(happened, refund_id=row["refund_id"], **amounts)


async def confirm_refund_account(tx: Tx, command: ConfirmRefundAccount, now: datetime) -> dict[str, object]:
    """Name another account; the newest counts. Refused while a payment is on its way."""
    row = await locked_refund(tx, command.refund_id)
    _must_be_payable(row)
    await _add_account(tx, command, now)
    return views.shown(await locked_refund(tx, command.refund_id))


async def _add_account(tx: Tx, command: ConfirmRefundAccount, now: datetime) -> None:
    await tx.execute(
        "INSERT INTO refund_account (refund_id, number, payee, iban, confirmed_by, confirmed_at)"
        " SELECT %s, count(*) + 1, %s, %s, %s, %s FROM refund_account WHERE refund_id = %s",
        (command.refund_id, command.payee, command.iban, command.confirmed_by, now, command.refund_id),
    )


async def pay_refund(tx: Tx, command: PayRefund, now: datetime) -> RefundPaid:
    """Give an approved refund to the bank, within the account's limit.

    Three people bring it there: who pays neither proposed it, nor decided, nor named the account.
    """
    row = await locked_refund(tx, command.refund_id)
    _must_be_payable(row)
    if command.paid_by in (row["proposed_by"], row["decided_by"], row["confirmed_by"]):
        raise Refused(Reason.SAME_PERSON)
    book = (await ledger.locked(tx, [row["area"]]))[row["area"]]
    left_cents = book.spendable_cents - book.limit_cents - await unexplained_debits_cents(tx, row["area"])
    if row["amount_cents"] > left_cents:
        raise Refused(Reason.OVER_THE_LIMIT)
    await ledger.post_on(tx, book, [_entry("paid", row)], now)
    transfer = _transfer(row)
    payout_id = derived_id("refund payment", transfer.end_to_end_id)
    debtor = await debtor_of(tx, row["area"], command.debtor_iban, by=command.paid_by, now=now)
    file = iso20022.pain001(payout_id, debtor, [transfer], now)
    await _add_payment(tx, row, command, transfer=transfer, payout_id=payout_id, file=file, now=now)
    return RefundPaid(row["refund_id"], transfer.end_to_end_id, row["amount_cents"])


async def _add_payment(
    tx: Tx,
    row: DictRow,
    command: PayRefund,
    *,
    transfer: iso20022.Transfer,
    payout_id: UUID,
    file: bytes,
    now: datetime,
) -> None:
    await tx.execute(
        "INSERT INTO refund_payment (end_to_end_id, refund_id, attempt, amount_cents, decided_by, confirmed_by,"
        " paid_by, paid_at, pain001) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            *(transfer.end_to_end_id, row["refund_id"], row["attempts"] + 1, row["amount_cents"]),
            *(row["decided_by"], row["confirmed_by"], command.paid_by, now, file),
        ),
    )
    await tx.execute(
        "INSERT INTO payout (payout_id, area, released_by, created_at, pain001) VALUES (%s, %s, %s, %s, %s)",
        (payout_id, row["area"], command.paid_by, now, file),
    )
    await tx.execute(
        "INSERT INTO payment (end_to_end_id, payout_id, refund_id, amount_cents, status)"
        " VALUES (%s, %s, %s, %s, 'open')",
        (transfer.end_to_end_id, payout_id, row["refund_id"], row["amount_cents"]),
    )


def _transfer(row: DictRow) -> iso20022.Transfer:
    refund_id: UUID = row["refund_id"]
    return iso20022.Transfer(
        statement_id=refund_id,
        end_to_end_id=f"{refund_id.hex}{(row['attempts'] + 1) % 1000:03d}",
        amount_cents=row["amount_cents"],
        creditor=row["payee"],
        iban=row["iban"],
        reference=rf_reference(10**14 + refund_id.int % 10**14),
    )


def _must_be_payable(row: DictRow) -> None:
    if row["status"] in ("paid", "booked"):
        raise Refused(Reason.PAYMENT_OPEN)
    if row["status"] not in ("approved", "rejected", "returned") or not row["amount_cents"]:
        raise Refused(Reason.NOT_APPROVED)


async def locked_refund(tx: Tx, refund_id: UUID) -> DictRow:
    """A refund that nobody else decides or pays until the commit, or `UnknownRefund`."""
    await hold_refunds(tx, [refund_id])
    row = await views.refund_row(tx, refund_id)
    if row is None:
        raise UnknownRefund(f"There is no refund {refund_id}.")
    return row


async def hold_refunds(tx: Tx, refund_ids: Sequence[UUID]) -> None:
    """From here to the commit nobody else decides, pays or settles these refunds; locked in the order of their ids."""
    await tx.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended('refund' || id, 0))"
        " FROM (SELECT id FROM unnest(%s::text[]) AS r (id) ORDER BY id) r",
        ([str(refund_id) for refund_id in refund_ids],),
    )
