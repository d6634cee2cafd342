"""Money that comes into an area's account."""

from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from kanava.common.clock import helsinki_date
from kanava.common.db import Tx
from kanava.common.errors import Invalid, Refused
from kanava.common.ids import derived_id

from ..commands import AllocateContributions, PlaceFunding
from ..domain.contributions import allocate
from ..domain.funding_entries import funding_entries
from ..domain.instalments import YearShare, rule_on, year_shares
from ..errors import Reason
from ..views import funding as views
from .dating import closed_years, post_dated


@dataclass(frozen=True)
class Funded:
    """The entry that booked an instalment, and the fiscal years that it belongs to."""

    entry_id: UUID
    area: str
    amount_cents: int
    years: list[YearShare] = field(default_factory=list)


async def place_funding(tx: Tx, command: PlaceFunding, now: datetime) -> Funded:
    """Book an instalment: its money on the day when it arrived, its income in the year that it belongs to.

    Raises `Invalid` for money that has not come yet.
    """
    today = helsinki_date(now)
    if command.received_on > today:
        raise Invalid(f"Today is {today}.", pointer="/received_on", rule="received_by_today")
    closed = await closed_years(tx, command.area)
    shares = await _shares(tx, command, today, closed)
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
    """A collected sum as it was booked, area by area."""

    amount_cents: int
    areas: list[Funded]


async def allocate_contributions(tx: Tx, command: AllocateContributions, now: datetime) -> Allocated:
    """Allocate collected insurance contributions to the areas' accounts, each as an instalment of its own."""
    parts = allocate(command.total_cents, dict(command.measures))
    funded = [
        await place_funding(tx, PlaceFunding(area, "insurance", "", cents, command.received_on, command.reference), now)
        for area, cents in parts.items()
    ]
    assert sum(one.amount_cents for one in funded) == command.total_cents, "an allocation lost a cent"
    assert len({one.area for one in funded}) == len(funded), "an area was funded twice"
    return Allocated(command.total_cents, funded)
