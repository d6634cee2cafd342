"""Money that comes into an area's account."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from kanava.common.clock import helsinki_date
from kanava.common.db import Tx
from kanava.common.errors import Invalid, Refused
from kanava.common.ids import derived_id

from ..commands import AllocateContributions, PlaceFunding
from ..domain.funding_entries import funding_entries
from ..domain.instalments import YearShare, rule_on, year_shares
from ..domain.kela_phase_out import AreaPart, Reimbursed, percent_of, share_out
from ..errors import Reason
from ..figures import class_2_percents
from ..views import funding as views
from .dating import closed_years, post_dated
from .municipalities import must_pay_into


@dataclass(frozen=True)
class Funded:
    """The entry that booked an instalment, and the fiscal years that it belongs to."""

    entry_id: UUID
    area: str
    amount_cents: int
    years: list[YearShare] = field(default_factory=list)


async def place_funding(tx: Tx, command: PlaceFunding, now: datetime) -> Funded:
    """Book an instalment: its money on the day when it arrived, its income in the year that it belongs to.

    Raises `Invalid` for money that has not come yet, and for a municipality that is not the area's in those years.
    """
    today = helsinki_date(now)
    if command.received_on > today:
        raise Invalid(f"Today is {today}.", pointer="/received_on", rule="received_by_today")
    closed = await closed_years(tx, command.area)
    shares = await _shares(tx, command, today, closed)
    if command.payer == "municipality":
        await must_pay_into(tx, command.area, command.party, [share.fiscal_year for share in shares])
    dated = funding_entries(
        reference=derived_id("funding", command.area, command.payer, command.party, command.reference),
        payer=command.payer,
        party=command.party,
        shares=shares,
        arrived_on=command.received_on if command.received_on.year not in closed else today,
        text=f"{command.reference} received {command.received_on}",
    )
    entry_id, *_ = await post_dated(tx, command.area, dated, now)
    await _keep(tx, command, shares, entry_id=entry_id, now=now)
    return Funded(entry_id, command.area, command.amount_cents, list(shares))


async def _shares(tx: Tx, command: PlaceFunding, today: date, closed: frozenset[int]) -> tuple[YearShare, ...]:
    if command.fiscal_year is not None:
        if command.fiscal_year in closed:
            raise Refused(Reason.YEAR_CLOSED, pointer="/fiscal_year")
        if abs(command.fiscal_year - command.received_on.year) > 1:
            raise Refused(Reason.OTHER_YEAR, pointer="/fiscal_year")
        return (YearShare(command.fiscal_year, command.amount_cents),)
    return year_shares(
        command.amount_cents,
        command.received_on,
        booked_on=today,
        closed=closed,
        missing_cents=await _missing_of_the_old_year(tx, command),
    )


async def _missing_of_the_old_year(tx: Tx, command: PlaceFunding) -> dict[int, int]:
    """What the payer's plan of the year before still misses; asked only while it can matter."""
    received_on = command.received_on
    if received_on > date(received_on.year, *rule_on(received_on).late_until):
        return {}
    await tx.execute("SELECT pg_advisory_xact_lock(hashtext('funding' || %s))", (command.area,))
    old = received_on.year - 1
    payer = (command.area, command.payer, command.party)
    return {old: await views.missing_cents(tx, payer, old)}


async def _keep(tx: Tx, command: PlaceFunding, shares: tuple[YearShare, ...], *, entry_id: UUID, now: datetime) -> None:
    await tx.execute(
        "WITH kept AS (INSERT INTO instalment (instalment_id, area, payer, party, reference, received_on,"
        " amount_cents, recorded_at) VALUES (%(id)s, %(area)s, %(payer)s, %(party)s, %(reference)s, %(received_on)s,"
        " %(cents)s, %(now)s))"
        " INSERT INTO instalment_share (instalment_id, fiscal_year, area, amount_cents)"
        " SELECT %(id)s, s.fiscal_year, %(area)s, s.cents"
        " FROM unnest(%(years)s::int[], %(parts)s::bigint[]) AS s (fiscal_year, cents)",
        {
            "id": entry_id,
            "area": command.area,
            "payer": command.payer,
            "party": command.party,
            "reference": command.reference,
            "received_on": command.received_on,
            "cents": command.amount_cents,
            "now": now,
            "years": [share.fiscal_year for share in shares],
            "parts": [share.amount_cents for share in shares],
        },
    )


@dataclass(frozen=True)
class Allocated:
    """A collected sum as it was booked, area by area; what Kela keeps of it for reimbursements, and what it freed."""

    amount_cents: int
    areas: list[Funded]
    kept_cents: int
    gained_cents: int
    class_2_percent: int


async def allocate_contributions(tx: Tx, command: AllocateContributions, now: datetime) -> Allocated:
    """Allocate collected insurance contributions to the areas' accounts, each as an instalment of its own.

    What Kela reimburses by the table of the year in which they were received stays with it.
    """
    percent = percent_of(command.received_on.year, class_2_percents())
    reimbursed = Reimbursed(command.class_1_cents, command.class_2_cents, percent)
    try:
        parts = share_out(command.total_cents, dict(command.measures), reimbursed)
    except ValueError as error:
        raise Invalid(str(error), pointer="/class_2_cents", rule="reimbursements_within_total") from error
    funded = [
        await place_funding(tx, _instalment_of(command, area, part.amount_cents), now) for area, part in parts.items()
    ]
    await _explain(tx, command, reimbursed, [(one, parts[one.area]) for one in funded])
    shared_cents = sum(one.amount_cents for one in funded)
    assert shared_cents + reimbursed.kept_cents == command.total_cents, "an allocation lost a cent"
    assert len({one.area for one in funded}) == len(funded), "an area was funded twice"
    return Allocated(shared_cents, funded, reimbursed.kept_cents, reimbursed.freed_cents, percent)


def _instalment_of(command: AllocateContributions, area: str, cents: int) -> PlaceFunding:
    return PlaceFunding(area, "insurance", "", cents, command.received_on, command.reference)


async def _explain(
    tx: Tx, command: AllocateContributions, reimbursed: Reimbursed, funded: Sequence[tuple[Funded, AreaPart]]
) -> None:
    async with tx.cursor() as cursor:
        await cursor.executemany(
            "INSERT INTO contribution (instalment_id, area, collected_cents, class_1_cents, class_2_cents,"
            " class_2_percent, kept_cents, gained_cents) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
            [
                (
                    *(one.entry_id, one.area, command.total_cents, reimbursed.class_1_cents, reimbursed.class_2_cents),
                    *(reimbursed.class_2_percent, reimbursed.kept_cents, part.gained_cents),
                )
                for one, part in funded
            ],
        )
