"""What payers are to pay: plans of instalments, and the state's funding that plans are made from."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from kanava.common.db import Tx, one
from kanava.common.errors import Invalid, Refused
from kanava.common.ids import derived_id

from ..commands import PlanInstalments, SetStateFunding
from ..domain.instalments import monthly_plan, rule_on
from ..domain.state_funding import Determinant, Part, by_area, split_state_funding
from ..errors import Reason
from ..figures import state_shares
from ..views.funding import planned_areas
from .dating import closed_years
from .municipalities import must_pay_into


@dataclass(frozen=True)
class PlannedFunding:
    """A version of a payer's plan."""

    plan_id: UUID
    area: str
    fiscal_year: int
    version: int
    total_cents: int
    instalments: int


@dataclass(frozen=True)
class StateFunded:
    """A version of the state's funding, and the plan that each area got from it."""

    fiscal_year: int
    version: int
    total_cents: int
    shares_of: int
    plans: list[PlannedFunding]


async def plan_instalments(tx: Tx, command: PlanInstalments, now: datetime) -> PlannedFunding:
    """Keep the next version of a payer's plan; the versions before it stay.

    Raises `Invalid` for a municipality that is not the area's in the fiscal year.
    """
    if command.fiscal_year in await closed_years(tx, command.area):
        raise Refused(Reason.YEAR_CLOSED, pointer="/fiscal_year")
    if command.payer == "municipality":
        await must_pay_into(tx, command.area, command.party, [command.fiscal_year])
    _must_be_in_order(command)
    payer = (command.area, command.payer, command.party, command.fiscal_year)
    await tx.execute("SELECT pg_advisory_xact_lock(hashtext('funding' || %s))", (command.area,))
    newest = await one(
        tx,
        "SELECT coalesce(max(version), 0)::int AS version FROM instalment_plan"
        " WHERE area = %s AND payer = %s AND party = %s AND fiscal_year = %s",
        payer,
    )
    assert newest is not None, "an aggregate always answers"
    version, total_cents = newest["version"] + 1, sum(cents for _, cents in command.instalments)
    plan_id = derived_id("instalment_plan", *payer, version)
    await tx.execute(
        "INSERT INTO instalment_plan (plan_id, area, payer, party, fiscal_year, version, total_cents, reason,"
        " recorded_at, recorded_by) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (plan_id, *payer, version, total_cents, command.reason, now, command.planned_by),
    )
    await tx.execute(
        "INSERT INTO planned_instalment (plan_id, number, area, due_on, amount_cents)"
        " SELECT %s, n, %s, due_on, cents"
        " FROM unnest(%s::date[], %s::bigint[]) WITH ORDINALITY AS p (due_on, cents, n)",
        (plan_id, command.area, [day for day, _ in command.instalments], [cents for _, cents in command.instalments]),
    )
    return PlannedFunding(*(plan_id, command.area, command.fiscal_year, version, total_cents), len(command.instalments))


def _must_be_in_order(command: PlanInstalments) -> None:
    days = [day for day, _ in command.instalments]
    if days != sorted(set(days)):
        raise Invalid("due dates rise from instalment to instalment", pointer="/instalments", rule="due_in_order")
    if any(day.year != command.fiscal_year for day in days):
        raise Invalid("instalments are due in their fiscal year", pointer="/instalments", rule="due_in_year")


async def set_state_funding(tx: Tx, command: SetStateFunding, now: datetime) -> StateFunded:
    """Split the state's funding of a year over the areas by determinants, and plan each area's twelve instalments.

    An area that had a plan and gets nothing has a plan of nothing. Raises `Invalid` when a determinant that has a
    share has no measure.
    """
    shares_of, shares = state_shares(command.fiscal_year)
    try:
        parts = split_state_funding(command.total_cents, shares, _measures(command.measures))
    except ValueError as error:
        raise Invalid(str(error), pointer="/measures", rule="measures_of_every_determinant") from error
    version = await _keep(tx, command, parts, shares_of=shares_of, now=now)
    given = {area: cents for area, cents in by_area(parts).items() if cents}
    lost = dict.fromkeys(set(await planned_areas(tx, command.fiscal_year)) - given.keys(), 0)
    plans = [
        await plan_instalments(tx, _plan_of(command, area, cents, version), now)
        for area, cents in sorted((given | lost).items())
    ]
    assert sum(plan.total_cents for plan in plans) == command.total_cents, "a plan lost a cent of the state's funding"
    assert len({plan.area for plan in plans}) == len(plans), "an area got two plans"
    return StateFunded(command.fiscal_year, version, command.total_cents, shares_of, plans)


def _measures(given: Sequence[tuple[str, str, int]]) -> dict[Determinant, dict[str, int]]:
    found: dict[Determinant, dict[str, int]] = {}
    for determinant, area, measure in given:
        of_areas = found.setdefault(Determinant(determinant), {})
        if area in of_areas:
            raise Invalid(f"{determinant} has two measures of area {area}", pointer="/measures", rule="one_measure")
        of_areas[area] = measure
    return found


def _plan_of(command: SetStateFunding, area: str, cents: int, version: int) -> PlanInstalments:
    due_day = rule_on(date(command.fiscal_year, 1, 1)).due_day
    try:
        plan = monthly_plan(cents, command.fiscal_year, due_day) if cents else ()
    except ValueError as error:
        raise Invalid(f"area {area}: {error}", pointer="/total_cents", rule="cents_for_every_month") from error
    return PlanInstalments(
        area=area,
        payer="state",
        party="",
        fiscal_year=command.fiscal_year,
        instalments=tuple((one.due_on, one.amount_cents) for one in plan),
        reason=f"State funding {command.fiscal_year}, version {version}: {command.reason}",
        planned_by=command.set_by,
    )


async def _keep(tx: Tx, command: SetStateFunding, parts: tuple[Part, ...], *, shares_of: int, now: datetime) -> int:
    await tx.execute("SELECT pg_advisory_xact_lock(hashtext('state_funding'))")
    kept = await one(
        tx,
        "INSERT INTO state_funding (fiscal_year, version, total_cents, shares_of, reason, recorded_at, recorded_by)"
        " SELECT %(year)s, coalesce(max(version), 0) + 1, %(cents)s, %(of)s, %(reason)s, %(now)s, %(by)s"
        " FROM state_funding WHERE fiscal_year = %(year)s RETURNING version",
        {
            "year": command.fiscal_year,
            "cents": command.total_cents,
            "of": shares_of,
            "reason": command.reason,
            "now": now,
            "by": command.set_by,
        },
    )
    assert kept is not None, "an insert answers with its version"
    await tx.execute(
        "INSERT INTO state_funding_part (fiscal_year, version, area, determinant, share_thousandths, measure,"
        " amount_cents) SELECT %s, %s, p.*"
        " FROM unnest(%s::text[], %s::text[], %s::int[], %s::bigint[], %s::bigint[]) p",
        (
            *(command.fiscal_year, kept["version"]),
            *([part.area for part in parts], [part.determinant.value for part in parts]),
            *([part.share_thousandths for part in parts], [part.measure for part in parts]),
            [part.amount_cents for part in parts],
        ),
    )
    return int(kept["version"])
