"""Which statements a payout takes: never more than the area can spend, however they are batched."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from uuid import UUID

from .budgets import Line, Plan, Use, after, broken_lines, is_limit


class Held(Enum):
    """Why a statement is not in a payout."""

    OVER_THE_LIMIT = "over_the_limit"
    """Paying it would take the area's account below its limit."""
    NOTHING_TO_PAY = "nothing_to_pay"
    """Its sum is zero or negative; a negative one stays as a receivable for later statements."""
    APPROVED_BY_THE_SAME = "approved_by_the_same"
    """Nobody releases what they approved."""
    NO_ACCOUNT = "no_account"
    """The producer has told no bank account."""
    ACCOUNT_CHANGED = "account_changed"
    """The producer's account changed after the approval; somebody has to confirm it anew."""
    CONFIRMED_BY_THE_SAME = "confirmed_by_the_same"
    """Nobody releases a payment to an account that they confirmed."""
    BREAKS_THE_BUDGET = "breaks_the_budget"
    """Paying it would break a line of the budget that is a limit."""


@dataclass(frozen=True)
class Payable:
    """An approved statement as a payout sees it; `iban` is as approved or confirmed, `current_iban` as known now.

    A payment to a resident is one too, and the number of its sealed account stands for the IBAN.

    `confirmed_by` are those who confirmed an account that had changed after the approval. `uses` is what its months
    cost, by the year on whose budget they draw: a final statement gathers months of more than one.
    """

    statement_id: UUID
    producer_id: str
    amount_cents: int
    approved_by: str
    internal: bool
    iban: str | None
    current_iban: str | None
    confirmed_by: tuple[str, ...] = ()
    uses: Mapping[int, tuple[Use, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Selection:
    """What a payout takes, in order, what it holds back with the reason, and lines of the budget that it breaks.

    `flagged` are statements that were taken though they break a line that only flags.
    """

    taken: tuple[Payable, ...]
    held: tuple[tuple[Payable, Held], ...]
    flagged: tuple[tuple[Payable, Line], ...] = ()


def select_within(
    spendable_cents: int,
    statements: Sequence[Payable],
    *,
    released_by: str,
    budgets: Mapping[int, Plan] | None = None,
) -> Selection:
    """Take statements in the order of their ids as long as each leaves the account at or above its limit.

    `spendable_cents` is the balance less what is in transit and less the limit. A statement that does not fit
    is held and a smaller one behind it may still fit: of 60 + 60 against 100 one is taken. So it is with the lines of
    `budgets`, by year: what would break a limit is held, what breaks another line is taken and listed.
    """
    left_cents, taken, held, flagged = spendable_cents, [], [], []
    plans = dict(budgets or {})
    for statement in sorted(statements, key=lambda one: one.statement_id):
        drawn = {year: uses for year, uses in sorted(statement.uses.items()) if year in plans}
        broken = [line for year, uses in drawn.items() for line in broken_lines(plans[year], uses)]
        reason = _refusal(statement, left_cents, released_by)
        if reason is None and any(is_limit(line) for line in broken):
            reason = Held.BREAKS_THE_BUDGET
        if reason is None:
            left_cents -= statement.amount_cents
            taken.append(statement)
            flagged += [(statement, line) for line in broken]
            plans |= {year: after(plans[year], uses) for year, uses in drawn.items()}
        else:
            held.append((statement, reason))
    assert left_cents >= min(spendable_cents, 0), "a payout crossed the limit"
    assert len(taken) + len(held) == len(statements), "a payout lost a statement"
    return Selection(tuple(taken), tuple(held), tuple(flagged))


def _refusal(statement: Payable, left_cents: int, released_by: str) -> Held | None:
    if statement.amount_cents <= 0:
        return Held.NOTHING_TO_PAY
    if statement.approved_by == released_by:
        return Held.APPROVED_BY_THE_SAME
    if not statement.internal and statement.iban is None:
        return Held.NO_ACCOUNT
    if not statement.internal and statement.iban != statement.current_iban:
        return Held.ACCOUNT_CHANGED
    if released_by in statement.confirmed_by:
        return Held.CONFIRMED_BY_THE_SAME
    if statement.amount_cents > left_cents:
        return Held.OVER_THE_LIMIT
    return None
