"""Statements: approved by one person, released by another, paid within what the area can spend."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from uuid import UUID

from psycopg.rows import DictRow

from kanava.common.clock import helsinki_date
from kanava.common.contracts.payments import Statement as StatementFact
from kanava.common.db import Tx, one, rows
from kanava.common.errors import Refused
from kanava.common.ids import derived_id
from kanava.common.outbox import emit

from .. import iso20022, ledger
from ..commands import ApproveStatements, ReleasePayout
from ..domain import chart
from ..domain.budgets import Plan
from ..domain.chart import EntryKind
from ..domain.payout import Held, Payable, Selection, select_within
from ..errors import Reason, UnknownStatement
from ..sets import columns
from ..views import budgets, disputes, receivables
from .accounts import debtor_of
from .receivables import settle_receivables
from .suspended import unexplained_debits_cents


@dataclass(frozen=True)
class Approved:
    """The statements that were approved, and their sum."""

    statement_ids: list[UUID]
    amount_cents: int


@dataclass(frozen=True)
class HeldStatement:
    """A statement that a payout did not take, and why."""

    statement_id: UUID
    producer_id: str
    amount_cents: int
    reason: str
    explanation: str


@dataclass(frozen=True)
class FlaggedStatement:
    """A statement that was paid though it breaks a line of the budget that only flags a breach."""

    statement_id: UUID
    producer_id: str
    budget_line: str


@dataclass(frozen=True)
class PaidOut:
    """A payout: what went to the bank, what was settled internally, and what was held.

    `receivable_cents` became owed by producers, `offset_cents` of statements paid off what producers owed.
    """

    payout_id: UUID
    to_bank: int
    to_bank_cents: int
    settled: int
    settled_cents: int
    held: list[HeldStatement]
    receivable_cents: int = 0
    offset_cents: int = 0
    flagged: list[FlaggedStatement] = field(default_factory=list)


async def approve_statements(tx: Tx, command: ApproveStatements, now: datetime) -> Approved:
    """Approve drawn statements, and rejected ones anew; the producer's account is fixed as it is known now.

    Raises `Refused` when one that is named cannot be approved.
    """
    chosen = await rows(
        tx,
        "SELECT s.*, p.iban FROM statement s LEFT JOIN producer p USING (producer_id)"
        " WHERE s.area = %(area)s AND s.month = %(month)s AND s.status IN ('drawn', 'rejected')"
        " AND (%(ids)s::uuid[] = '{}' OR s.statement_id = ANY(%(ids)s)) ORDER BY s.statement_id FOR UPDATE OF s",
        {"area": command.area, "month": command.month, "ids": list(command.statement_ids)},
    )
    _must_be_among(command.statement_ids, [row["statement_id"] for row in chosen])
    ids = [row["statement_id"] for row in chosen]
    await tx.execute(
        "UPDATE statement s SET status = 'approved', approved_by = %s, approved_iban = a.iban, released_by = NULL,"
        " version = version + 1 FROM unnest(%s::uuid[], %s::text[]) AS a (id, iban) WHERE s.statement_id = a.id",
        (command.approved_by, ids, [row["iban"] for row in chosen]),
    )
    await tell(tx, ids, now)
    return Approved(ids, sum(row["amount_cents"] for row in chosen))


def _must_be_among(named: Sequence[UUID], ready: Sequence[UUID]) -> None:
    if others := sorted(set(named) - set(ready)):
        raise Refused(Reason.STATEMENT_NOT_READY, pointer="/statement_ids", statement_ids=others)


_RELEASABLE = """
SELECT s.*, p.iban, p.name, p.kind,
       (SELECT kind FROM reference_wish w WHERE w.producer_id = s.producer_id ORDER BY number DESC LIMIT 1)
       AS reference_kind,
       ARRAY(SELECT confirmed_by FROM account_confirmation c WHERE c.statement_id = s.statement_id
             AND c.iban = s.approved_iban) AS confirmed_by
FROM statement s JOIN producer p USING (producer_id)
WHERE s.area = %(area)s AND s.status = 'approved'
  AND (%(ids)s::uuid[] = '{}' OR s.statement_id = ANY(%(ids)s)) ORDER BY s.statement_id FOR UPDATE OF s FOR SHARE OF p
"""


async def release_payout(tx: Tx, command: ReleasePayout, now: datetime) -> PaidOut:
    """Release statements in one batch that stays within the area's limit, and make its pain.001 file.

    What producers owe is taken first: a negative statement becomes a receivable, the others pay receivables off,
    and the batch pays what is left of them. The own enterprise without an account of its own is settled by internal
    posting (settled question 10). Raises `Refused` when a statement that is named is not approved.
    """
    book = await one(tx, "SELECT * FROM book WHERE area = %s FOR UPDATE", (command.area,))
    spendable_cents = book["spendable_cents"] - book["limit_cents"] if book else 0
    spendable_cents -= await unexplained_debits_cents(tx, command.area)
    owed = await settle_receivables(tx, command, now)
    await tell(tx, owed.statement_ids, now)
    releasable = await _releasable(tx, command)
    _must_be_among(command.statement_ids, [*owed.statement_ids, *(row["statement_id"] for row in releasable)])
    selection = select_within(
        spendable_cents,
        [_payable(row) for row in releasable],
        released_by=command.released_by,
        budgets=await _budgets(tx, releasable, helsinki_date(now)),
    )
    taken = {payable.statement_id for payable in selection.taken}
    chosen = [row for row in releasable if row["statement_id"] in taken]
    # Versions, not the instant alone, tell payouts apart: a sandbox clock stands still between two releases.
    payout_id = derived_id("payout", command.area, now.isoformat(), *_versions(chosen))
    if chosen:
        await _settle_and_pay(tx, command, payout_id, chosen, now)
    paid = _paid_out(payout_id, chosen, selection)
    return replace(paid, receivable_cents=owed.receivable_cents, offset_cents=owed.offset_cents)


async def _releasable(tx: Tx, command: ReleasePayout) -> list[DictRow]:
    """Approved statements, each with what is left of it as its amount."""
    found = await rows(tx, _RELEASABLE, {"area": command.area, "ids": list(command.statement_ids)})
    left = await receivables.left(tx, [row["statement_id"] for row in found])
    uses = await budgets.uses_of(tx, [row["statement_id"] for row in found])
    return [
        row | {"amount_cents": sum(left[row["statement_id"]].values()), "uses": uses[row["statement_id"]]}
        for row in found
    ]


async def _budgets(tx: Tx, releasable: Sequence[DictRow], day: date) -> dict[int, Plan]:
    """The budget of each year of the statements; the caller holds the area's book, so no other payout draws on it."""
    years = sorted({(row["area"], year) for row in releasable for year in row["uses"]})
    return {year: await budgets.plan(tx, area, year, day) for area, year in years}


def _versions(chosen: Sequence[DictRow]) -> list[str]:
    return [f"{row['statement_id']}:{row['version']}" for row in chosen]


def _payable(row: DictRow) -> Payable:
    return Payable(
        statement_id=row["statement_id"],
        producer_id=row["producer_id"],
        amount_cents=row["amount_cents"],
        approved_by=row["approved_by"],
        internal=_internal(row),
        iban=row["approved_iban"],
        current_iban=row["iban"],
        confirmed_by=tuple(row["confirmed_by"]),
        uses=row["uses"],
    )


def _internal(row: DictRow) -> bool:
    return row["kind"] == "own_enterprise" and row["iban"] is None


async def _settle_and_pay(
    tx: Tx, command: ReleasePayout, payout_id: UUID, chosen: Sequence[DictRow], now: datetime
) -> None:
    sums = await receivables.left(tx, [row["statement_id"] for row in chosen])
    by_bank = [row for row in chosen if not _internal(row)]
    drafts = [
        chart.payment(
            EntryKind.SETTLEMENT if _internal(row) else EntryKind.RELEASE,
            statement_id=row["statement_id"],
            producer_id=row["producer_id"],
            sums=sums[row["statement_id"]],
        )
        for row in chosen
    ]
    await ledger.post(tx, command.area, drafts, now)
    becomes = [(row["statement_id"], "settled" if _internal(row) else "released") for row in chosen]
    await tx.execute(
        "UPDATE statement s SET status = r.status, released_by = %s, version = version + 1"
        " FROM unnest(%s::uuid[], %s::text[]) AS r (id, status) WHERE s.statement_id = r.id",
        (command.released_by, *columns(becomes, 2)),
    )
    transfers = [iso20022.transfer(row, attempt=row["version"]) for row in by_bank]
    pain001 = None
    if transfers:
        debtor = await debtor_of(tx, command.area, command.debtor_iban, by=command.released_by, now=now)
        pain001 = await asyncio.to_thread(iso20022.pain001, payout_id, debtor, transfers, now)
    await tx.execute(
        "INSERT INTO payout (payout_id, area, released_by, created_at, pain001) VALUES (%s, %s, %s, %s, %s)",
        (payout_id, command.area, command.released_by, now, pain001),
    )
    payments = [(one.end_to_end_id, one.statement_id, one.amount_cents) for one in transfers]
    await tx.execute(
        "INSERT INTO payment (payout_id, end_to_end_id, statement_id, amount_cents, status)"
        " SELECT %s, t.*, 'open' FROM unnest(%s::text[], %s::uuid[], %s::bigint[]) t",
        (payout_id, *columns(payments, 3)),
    )
    await tell(tx, [row["statement_id"] for row in chosen], now)


def _paid_out(payout_id: UUID, chosen: Sequence[DictRow], selection: Selection) -> PaidOut:
    internal = [row["amount_cents"] for row in chosen if _internal(row)]
    by_bank = [row["amount_cents"] for row in chosen if not _internal(row)]
    held = [
        HeldStatement(one.statement_id, one.producer_id, one.amount_cents, reason.value, explain(reason))
        for one, reason in selection.held
    ]
    flagged = [FlaggedStatement(one.statement_id, one.producer_id, line.line) for one, line in selection.flagged]
    return PaidOut(payout_id, len(by_bank), sum(by_bank), len(internal), sum(internal), held, flagged=flagged)


_EXPLANATIONS = {
    Held.BREAKS_THE_BUDGET: "Paying it would break a line of the budget (talousarvio) that is a limit.",
    Held.CONFIRMED_BY_THE_SAME: "You confirmed its account yourself; somebody else has to release it.",
    Held.OVER_THE_LIMIT: "Paying it would take the area's account below its limit.",
    Held.NOTHING_TO_PAY: "Its sum is zero or negative; a negative one stays as a receivable.",
    Held.APPROVED_BY_THE_SAME: "You approved it yourself; somebody else has to release it.",
    Held.NO_ACCOUNT: "The producer has told no bank account.",
    Held.ACCOUNT_CHANGED: "The producer's account changed after the approval; confirm the account anew.",
}


def explain(reason: Held) -> str:
    """Why a statement was held, as a sentence for the person who released."""
    return _EXPLANATIONS[reason]


async def _sums(tx: Tx, statement_ids: Sequence[UUID]) -> dict[UUID, list[DictRow]]:
    found: dict[UUID, list[DictRow]] = {statement_id: [] for statement_id in statement_ids}
    query = "SELECT * FROM statement_sum WHERE statement_id = ANY(%s) ORDER BY statement_id, component"
    for row in await rows(tx, query, (list(statement_ids),)):
        found[row["statement_id"]].append(row)
    return found


async def tell(tx: Tx, statement_ids: Sequence[UUID], now: datetime, *, what: str | None = None) -> None:
    """Say on the bus in what state statements are now; the caller holds their locks.

    What happened is the status unless `what` says another thing, as for a dispute, which leaves the status.
    """
    query = "SELECT * FROM statement WHERE statement_id = ANY(%s) ORDER BY statement_id"
    await tell_as(tx, await rows(tx, query, (list(statement_ids),)), now, what=what)


async def tell_as(tx: Tx, told: Sequence[DictRow], now: datetime, *, what: str | None = None) -> None:
    """Say on the bus in what states statements are or were, in order; see `tell`."""
    statement_ids = list({row["statement_id"]: None for row in told})
    sums = await _sums(tx, statement_ids)
    offset_cents = await receivables.offset_cents(tx, statement_ids)
    contested = await disputes.states(tx, statement_ids)
    facts = [
        _fact(row, sums[row["statement_id"]], now)
        | {
            "what": what or row["status"],
            "offset_cents": offset_cents.get(row["statement_id"], 0),
            "disputes": contested.get(row["statement_id"], []),
        }
        for row in told
    ]
    await emit(tx, *map(StatementFact.model_validate, facts))


_TOLD = ("version", "statement_id", "producer_id", "area", "status", "kind", "amount_cents")


def _fact(row: DictRow, sums: Sequence[DictRow], now: datetime) -> dict[str, object]:
    parts = [{key: part[key] for key in ("component", "lines", "amount_cents")} for part in sums]
    told = {name: row[name] for name in _TOLD}
    return {**told, "recorded_at": now, "month": f"{row['month']:%Y-%m}", "sums": parts}


async def statement_row(tx: Tx, statement_id: UUID) -> DictRow:
    """A statement's row, or `UnknownStatement`."""
    row = await one(tx, "SELECT * FROM statement WHERE statement_id = %s", (statement_id,))
    if row is None:
        raise UnknownStatement(f"There is no statement {statement_id}.")
    return row
