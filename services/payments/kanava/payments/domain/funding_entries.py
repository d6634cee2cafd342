"""The entries of an instalment: its money on the day when it arrived, its income in the year that it belongs to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from .chart import FUNDING_OF, Account, Draft, EntryKind, Posting
from .instalments import YearShare


@dataclass(frozen=True)
class DatedDraft:
    """An entry before it has its place, and the day to which it belongs."""

    draft: Draft
    value_date: date


def funding_entries(
    *, reference: UUID, payer: str, party: str, shares: Sequence[YearShare], arrived_on: date, text: str
) -> tuple[DatedDraft, ...]:
    """The money first: bank debit, and for each year funding, an accrual or an advance credit; then the accruals.

    A share of an earlier year is its income on its last day (siirtosaaminen), one of a later year on its first
    (saatu ennakko). `arrived_on` is the value date of the money.
    """
    cash_cents = sum(share.amount_cents for share in shares)
    assert cash_cents > 0, "an instalment is positive"
    credits = tuple(
        Posting(_against(share.fiscal_year, arrived_on.year, payer), -share.amount_cents, party) for share in shares
    )
    money = Draft(EntryKind.FUNDING, reference, (Posting(Account.BANK, cash_cents), *credits), text)
    others = [share for share in shares if share.fiscal_year != arrived_on.year]
    accruals = [_accrual(share, arrived_on.year, reference=reference, payer=payer, party=party) for share in others]
    assert sum(one.draft.cash_cents for one in accruals) == 0, "an accrual moves no money"
    return (DatedDraft(money, arrived_on), *accruals)


def _against(fiscal_year: int, year_of_money: int, payer: str) -> Account:
    if fiscal_year == year_of_money:
        return FUNDING_OF[payer]
    return Account.ACCRUED_FUNDING if fiscal_year < year_of_money else Account.ADVANCE_FUNDING


def _accrual(share: YearShare, year_of_money: int, *, reference: UUID, payer: str, party: str) -> DatedDraft:
    year, cents = share.fiscal_year, share.amount_cents
    account = _against(year, year_of_money, payer)
    postings = (Posting(account, cents, party), Posting(FUNDING_OF[payer], -cents, party))
    value_date = date(year, 12, 31) if year < year_of_money else date(year, 1, 1)
    return DatedDraft(Draft(EntryKind.ACCRUAL, reference, postings, f"{payer} funding of {year}"), value_date)
