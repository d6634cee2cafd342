"""The chart of accounts (tilikartta) of an area's book, and what each kind of entry posts.

A posting is an amount on an account: positive is debit, negative is credit. What has a component (capitation,
fee, client fee) carries it through every account, so that each component can be followed to the cent.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID


class Account(StrEnum):
    """The accounts of an area's book."""

    BANK = "1100"
    """The area's account at the national operator (alueen tili)."""
    IN_TRANSIT = "1190"
    """Payments given to the bank and not yet confirmed (maksuliikenne matkalla)."""
    ACCRUED_FUNDING = "1180"
    """Funding of a year that arrived after it (siirtosaamiset)."""
    SUSPENSE = "2990"
    """Money that matches nothing yet (selvittelytili); the party is the item of the work queue."""
    RECEIVABLE = "1300"
    """Owed by a producer whose statement is negative (saatava tuottajalta); the party is the producer."""
    PAYABLE = "2100"
    """Owed to a producer (velka tuottajalle); the party is the producer."""
    BETWEEN_AREAS = "2700"
    """Transfers between areas (alueiden väliset siirrot); over all areas together it is always zero."""
    ADVANCE_FUNDING = "2180"
    """Funding of a year that arrived before it (saadut ennakot)."""
    EARLIER_YEARS = "2900"
    """Surplus or deficit of earlier fiscal years (aiempien tilikausien yli- tai alijäämä); worked out, never posted."""
    OWED_TO_MUNICIPALITY = "2300"
    """A municipal refund that was decided and is not yet paid (velka kunnalle); the party is the municipality."""
    OWED_TO_RESIDENTS = "2400"
    """Client fees above the ceiling, and benefits, that are not yet paid to residents (velka asukkaille)."""
    STATE_FUNDING = "3100"
    """Funding by the state (valtion rahoitus)."""
    MUNICIPAL_FUNDING = "3200"
    """Payments of municipalities (kuntien maksut)."""
    INSURANCE_FUNDING = "3300"
    """Statutory insurance contributions (lakisääteiset vakuutusmaksut)."""
    CAPITATION = "4100"
    """Cost of capitation (kapitaatiokorvaukset)."""
    FEE = "4200"
    """Cost of fees per service (suoritekorvaukset)."""
    PERFORMANCE = "4220"
    """Client-specific corrections afterwards (asiakaskohtaiset suoritekorvaukset), raising or lowering."""
    VOUCHER = "4250"
    """What vouchers and personal budgets paid (palvelusetelit ja henkilökohtaiset budjetit)."""
    CLIENT_FEE = "4300"
    """Client fees that producers collected (asiakasmaksut), a credit."""
    SANCTION = "4800"
    """Sums of sanctions, deducted from statements (sanktiot), a credit; without resident lines."""
    RESERVED = "2500"
    """Reserved for incentives that are not yet earned or released (kannustinvaraus); the party is the producer."""
    INCENTIVE = "4620"
    """Cost of incentives that were earned (kannustinkorvaukset)."""
    INCENTIVE_RESERVE = "4630"
    """Cost of reserves for incentives (kannustinvarauksen muutos): made by a month, taken back when settled."""
    EFFECTIVENESS = "4640"
    """Cost of effectiveness payments by contract (vaikuttavuuskorvaukset); without resident lines."""
    BASE_PAYMENT = "4610"
    """Cost of base payments by contract (peruskorvaukset); without resident lines."""
    CEILING_RETURN = "4310"
    """Client fees above the yearly ceiling that go back to residents (maksukaton ylitykset)."""
    BENEFIT = "4600"
    """Cost of benefits to residents (etuudet): medicines, travel, others."""
    MUNICIPAL_REFUND = "4700"
    """Cost of municipal refunds (kuntien palautukset); the party is the municipality."""
    ADJUSTMENT = "4900"
    """What accepted disputes corrected where payments itself owns the fact (riitautusten oikaisut)."""


CASH = frozenset({Account.BANK, Account.IN_TRANSIT, Account.SUSPENSE})
"""What an area can spend is the bank less what is in transit and less what nobody has explained yet."""

CLEARING = frozenset({Account.IN_TRANSIT, Account.ACCRUED_FUNDING, Account.ADVANCE_FUNDING, Account.SUSPENSE})
"""Accounts that money only passes through: empty, or listed with the age of what is left."""

COST_OF = {
    "capitation": Account.CAPITATION,
    "fee": Account.FEE,
    "client_fee": Account.CLIENT_FEE,
    "performance": Account.PERFORMANCE,
    "voucher": Account.VOUCHER,
    "adjustment": Account.ADJUSTMENT,
    "incentive": Account.INCENTIVE,
    "base_payment": Account.BASE_PAYMENT,
    "effectiveness": Account.EFFECTIVENESS,
    "sanction": Account.SANCTION,
}
FUNDING_OF = {
    "state": Account.STATE_FUNDING,
    "municipality": Account.MUNICIPAL_FUNDING,
    "insurance": Account.INSURANCE_FUNDING,
}


class EntryKind(StrEnum):
    """What an entry is about."""

    FUNDING = "funding"
    """An instalment was received from a payer."""
    TRANSFER_OUT = "transfer_out"
    """Money went from this area's account to another area's."""
    TRANSFER_IN = "transfer_in"
    """Money came to this area's account from another area's."""
    ACCRUAL = "accrual"
    """A part of an instalment was moved to the fiscal year that it belongs to."""
    COST = "cost"
    """A month's resident lines of one producer and component became owed."""
    RESERVED = "reserved"
    """Capitation, or a correction of it, reserved what its incentives can earn."""
    RESERVE_DISSOLVED = "reserve_dissolved"
    """A part of a reserve is settled: what was earned is a cost of its own, the rest is the area's again.

    So is what a correction of the capitation takes back of a reserve.
    """
    RELEASE = "release"
    """A statement, or what a resident is owed, was released and its payment given to the bank."""
    SETTLEMENT = "settlement"
    """A statement of the own enterprise was settled by internal posting."""
    RECEIVABLE = "receivable"
    """A negative statement was released: the producer owes it."""
    OFFSET = "offset"
    """A statement paid off a receivable instead of being paid."""
    GATHERED = "gathered"
    """What was left of a receivable went into the producer's final statement."""
    BOOKED = "booked"
    """The bank confirmed a payment."""
    REJECTED = "rejected"
    """The bank rejected a payment; it is owed again."""
    RETURNED = "returned"
    """A payment that was booked came back from the payee's bank; it is owed again."""
    SUSPENDED = "suspended"
    """The bank moved money that matches nothing; it waits on the suspense account."""
    EXPLAINED = "explained"
    """Money that waited on the suspense account is explained: the opposite of its first entry."""
    SENT_BACK = "sent_back"
    """Money that does not belong to the area was given to the bank to be sent back."""
    MUNICIPAL_REFUND = "municipal_refund"
    """A municipal refund was decided and is owed, or its payment moved."""
    BENEFIT = "benefit"
    """A decision on a benefit changed what is owed to a resident."""
    CEILING = "ceiling"
    """A month's claims of residents who paid more client fees than the year's ceiling became owed."""


@dataclass(frozen=True)
class Posting:
    """Cents on an account: debit positive, credit negative."""

    account: Account
    amount_cents: int
    party: str = ""
    component: str = ""


@dataclass(frozen=True)
class Draft:
    """An entry before it has its place in the chain; the postings sum to zero.

    `reference` says what it is about (a run, a statement, an instalment); `lines_digest` is the SHA-256 of the
    canonical export of its run (all resident lines). `value_date` is the day to which it belongs, where that is another
    than its kind says.
    """

    kind: EntryKind
    reference: UUID
    postings: tuple[Posting, ...]
    text: str
    lines_digest: str = ""
    value_date: date | None = None

    def __post_init__(self) -> None:
        """Refuse an entry that is not one."""
        assert sum(posting.amount_cents for posting in self.postings) == 0, "postings of an entry sum to zero"
        assert len(self.postings) >= 2, "an entry has two postings or more"

    @property
    def cash_cents(self) -> int:
        """By how much the entry changes what the area can spend."""
        return sum(posting.amount_cents for posting in self.postings if posting.account in CASH)


def transfer(*, reference: UUID, from_area: str, to_area: str, amount_cents: int, text: str) -> tuple[Draft, Draft]:
    """Money goes from one area's account to another's: the entry of the one that pays, and of the one that gets."""
    assert amount_cents > 0, "a transfer is positive"
    assert from_area != to_area, "a transfer is between two areas"
    out = (Posting(Account.BETWEEN_AREAS, amount_cents, to_area), Posting(Account.BANK, -amount_cents))
    into = (Posting(Account.BANK, amount_cents), Posting(Account.BETWEEN_AREAS, -amount_cents, from_area))
    return (
        Draft(EntryKind.TRANSFER_OUT, reference, out, text),
        Draft(EntryKind.TRANSFER_IN, reference, into, text),
    )


def cost(*, run_id: UUID, producer_id: str, component: str, amount_cents: int, lines_digest: str) -> Draft:
    """A month's lines of one producer and component: cost debit, payable credit (both turned for client fees)."""
    postings = (
        Posting(COST_OF[component], amount_cents, producer_id, component),
        Posting(Account.PAYABLE, -amount_cents, producer_id, component),
    )
    return Draft(EntryKind.COST, run_id, postings, f"{component} {producer_id}", lines_digest)


def reserve(kind: EntryKind, *, run_id: UUID, producer_id: str, amount_cents: int) -> Draft:
    """Make a reserve for a producer's incentives, or dissolve a part of it that is settled."""
    assert kind in (EntryKind.RESERVED, EntryKind.RESERVE_DISSOLVED), "a reserve is made or dissolved"
    assert amount_cents > 0, "nothing needs no reserve"
    cents = amount_cents if kind is EntryKind.RESERVED else -amount_cents
    postings = (
        Posting(Account.INCENTIVE_RESERVE, cents, producer_id),
        Posting(Account.RESERVED, -cents, producer_id),
    )
    return Draft(kind, run_id, postings, f"{kind} {producer_id}")


_MOVES = {
    EntryKind.RELEASE: (Account.PAYABLE, Account.IN_TRANSIT),
    EntryKind.SETTLEMENT: (Account.PAYABLE, Account.BANK),
    EntryKind.RECEIVABLE: (Account.PAYABLE, Account.RECEIVABLE),
    EntryKind.OFFSET: (Account.PAYABLE, Account.RECEIVABLE),
    EntryKind.GATHERED: (Account.RECEIVABLE, Account.PAYABLE),
    EntryKind.BOOKED: (Account.IN_TRANSIT, Account.BANK),
    EntryKind.REJECTED: (Account.IN_TRANSIT, Account.PAYABLE),
    EntryKind.RETURNED: (Account.BANK, Account.PAYABLE),
}


def payment(kind: EntryKind, *, statement_id: UUID, producer_id: str, sums: Mapping[str, int]) -> Draft:
    """Move what a statement owes, component by component: released, settled, owed by it, booked, returned."""
    debit, credit = _MOVES[kind]
    postings: Sequence[Posting] = [
        Posting(account, sign * cents, producer_id, component)
        for component, cents in sorted(sums.items())
        if cents
        for account, sign in ((debit, 1), (credit, -1))
    ]
    return Draft(kind, statement_id, tuple(postings), f"{kind} {producer_id}")


def suspended(*, item_id: UUID, signed_cents: int) -> Draft:
    """Money came in (positive) or went out (negative) and matches nothing: the bank against the suspense account."""
    assert signed_cents, "no money needs no entry"
    return Draft(EntryKind.SUSPENDED, item_id, _waiting(item_id, signed_cents), "matches nothing")


def explained(*, item_id: UUID, signed_cents: int) -> Draft:
    """Take back `signed_cents` of what was suspended, so that the right entry can follow."""
    assert signed_cents, "no money needs no entry"
    return Draft(EntryKind.EXPLAINED, item_id, _waiting(item_id, -signed_cents), "explained")


def _waiting(item_id: UUID, cents: int) -> tuple[Posting, Posting]:
    return (Posting(Account.BANK, cents), Posting(Account.SUSPENSE, -cents, str(item_id)))


_SENDS_BACK = {
    EntryKind.SENT_BACK: (Account.SUSPENSE, Account.IN_TRANSIT),
    EntryKind.BOOKED: (Account.IN_TRANSIT, Account.BANK),
    EntryKind.REJECTED: (Account.IN_TRANSIT, Account.SUSPENSE),
    EntryKind.RETURNED: (Account.BANK, Account.SUSPENSE),
}


def send_back(kind: EntryKind, *, item_id: UUID, amount_cents: int) -> Draft:
    """Move money that is sent back to who paid it: given to the bank, booked, rejected, returned."""
    assert amount_cents > 0, "something is sent back"
    debit, credit = _SENDS_BACK[kind]
    postings = (Posting(debit, amount_cents, str(item_id)), Posting(credit, -amount_cents, str(item_id)))
    return Draft(kind, item_id, postings, f"{kind} sent back")


_REFUND_MOVES = {
    "decided": (Account.MUNICIPAL_REFUND, Account.OWED_TO_MUNICIPALITY),
    "paid": (Account.OWED_TO_MUNICIPALITY, Account.IN_TRANSIT),
    "booked": (Account.IN_TRANSIT, Account.BANK),
    "rejected": (Account.IN_TRANSIT, Account.OWED_TO_MUNICIPALITY),
    "returned": (Account.BANK, Account.OWED_TO_MUNICIPALITY),
}
"""Debit and credit of each thing that happens to a municipal refund; it has no resident lines."""


def municipal_refund(happened: str, *, refund_id: UUID, municipality: str, amount_cents: int) -> Draft:
    """A municipal refund was decided, paid, booked, rejected or returned."""
    assert amount_cents > 0, "a refund that moves is positive"
    debit, credit = _REFUND_MOVES[happened]
    postings = (Posting(debit, amount_cents, municipality), Posting(credit, -amount_cents, municipality))
    return Draft(EntryKind.MUNICIPAL_REFUND, refund_id, postings, f"municipal refund {happened} {municipality}")


def ceiling_claims(*, run_id: UUID, more_cents: int, less_cents: int, digest: str) -> Draft:
    """What a month newly owes to residents above the ceiling, and what it no longer owes; `digest` seals the claims."""
    assert min(more_cents, less_cents) >= 0, "more and less are sizes"
    assert more_cents or less_cents, "a claim that moves is not nothing"
    postings = tuple(
        Posting(account, sign * cents)
        for cents, direction in ((more_cents, 1), (less_cents, -1))
        if cents
        for account, sign in ((Account.CEILING_RETURN, direction), (Account.OWED_TO_RESIDENTS, -direction))
    )
    return Draft(EntryKind.CEILING, run_id, postings, "client fees above the ceiling", digest)


def benefit(*, reference: UUID, kind: str, change_cents: int) -> Draft:
    """A decision changed what is owed to a resident; the kind of benefit is the party of the cost."""
    assert change_cents, "a decision that changes nothing needs no entry"
    cost, owed = Posting(Account.BENEFIT, change_cents, kind), Posting(Account.OWED_TO_RESIDENTS, -change_cents)
    return Draft(EntryKind.BENEFIT, reference, (cost, owed), f"benefit {kind}")


_RESIDENT_MOVES = {
    EntryKind.RELEASE: (Account.OWED_TO_RESIDENTS, Account.IN_TRANSIT),
    EntryKind.BOOKED: (Account.IN_TRANSIT, Account.BANK),
    EntryKind.REJECTED: (Account.IN_TRANSIT, Account.OWED_TO_RESIDENTS),
    EntryKind.RETURNED: (Account.BANK, Account.OWED_TO_RESIDENTS),
}


def resident_payment(kind: EntryKind, *, item_id: UUID, amount_cents: int) -> Draft:
    """What a resident is owed was given to the bank, booked, rejected or returned; who it is stays out of the books."""
    assert amount_cents > 0, "a payment to a resident is positive"
    debit, credit = _RESIDENT_MOVES[kind]
    draft = Draft(kind, item_id, (Posting(debit, amount_cents), Posting(credit, -amount_cents)), f"{kind} resident")
    assert all(one.party == "" for one in draft.postings), "an entry names no resident"
    return draft
