"""Proposed rates: from observed cost against capitation paid, and from the cost level of own production.

A proposal is no decision and changes no rate: the organiser publishes a version of the model in registry.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from psycopg.rows import DictRow

from kanava.common.clock import helsinki_date
from kanava.common.contracts.registry import CompensationTerms, RateBand
from kanava.common.db import Tx
from kanava.common.errors import Invalid, Refused
from kanava.common.ids import derived_id
from kanava.common.web import as_json

from ..domain.levels import Bounds, Observed, Reviewed, review
from ..domain.vouchervalue import OwnBand, Valued, voucher_values
from ..errors import Reason, UnknownModel
from ..views import proposals as views
from ..views.pricing import pricing_of
from ..views.testcalcs import model as model_terms

MAX_RATE_CENTS = 10_000_000_00
"""More than this for a resident and year says that the cost or the weights are wrong."""
BandKey = tuple[str, int]
"""Sex and first age of a band."""


@dataclass(frozen=True)
class Basis:
    """What a proposal is for: a version of the area's model, a period `[from, until)` of whole months, the source."""

    area: str
    model: str
    period: tuple[date, date]
    source: str
    proposed_by: str


@dataclass(frozen=True)
class ReviewLevel:
    """Review the level of a rate table against the observed cost of each of its bands, in cents."""

    basis: Basis
    cost_cents: Mapping[BandKey, int]
    bounds: Bounds


@dataclass(frozen=True)
class ValueVoucher:
    """Propose the voucher's value from a year's cost of own production; without weights by the rates in force."""

    basis: Basis
    own_cost_cents: int
    weights: Mapping[BandKey, int] | None


@dataclass(frozen=True)
class LevelReview:
    """The proposal of a review, and what it would have cost in its period more, or less."""

    proposal_id: UUID
    paid_cents: int
    cost_cents: int
    effect_cents: int
    bands: list[Reviewed]


@dataclass(frozen=True)
class VoucherValue:
    """The proposed value per band; the net cost is the own cost without the client fees that own units collected."""

    proposal_id: UUID
    own_cost_cents: int
    client_fees_cents: int
    net_cost_cents: int
    resident_days: int
    bands: list[Valued]


async def review_level(tx: Tx, command: ReviewLevel, now: datetime) -> LevelReview:
    """Compare each band's observed cost with the capitation that the books have for it, and propose rates.

    Counted are the months and municipalities that the model priced; `OTHER_MODEL` when another one did in the period.
    """
    basis = command.basis
    terms = await _terms(tx, basis, command.cost_cents)
    priced = await _priced(tx, basis)
    if await views.closed_until(tx, basis.area) < basis.period[1]:
        raise Refused(Reason.PERIOD_NOT_CLOSED, pointer="/first_month")
    paid = _by_band(await views.paid(tx, basis.area, priced), terms.bands, "paid_cents")
    observed = [
        Observed(band.sex, band.age_from, band.annual_cents, paid[_key(band)], command.cost_cents[_key(band)])
        for band in terms.bands
    ]
    bands = review(observed, command.bounds)
    sums = {name: sum(getattr(one, name) for one in bands) for name in ("paid_cents", "cost_cents", "effect_cents")}
    result = LevelReview(derived_id(command, bands, now.isoformat()), **sums, bands=bands)
    await _keep(tx, basis, result, now)
    return result


async def value_voucher(tx: Tx, command: ValueVoucher, now: datetime) -> VoucherValue:
    """Split a year's net own cost over the bands by weight and days listed with own units; per resident and year."""
    basis = command.basis
    terms = await _terms(tx, basis, command.weights)
    if helsinki_date(now) < basis.period[1]:
        raise Refused(Reason.PERIOD_NOT_OVER, pointer="/first_month")
    weights = command.weights or {_key(band): band.annual_cents for band in terms.bands}
    days = _by_band(await views.own_days(tx, basis.area, basis.period), terms.bands, "days")
    fees_cents = await views.own_client_fees_cents(tx, basis.area, basis.period)
    net_cents = command.own_cost_cents - fees_cents
    if net_cents < 0 or not sum(weights[key] * days[key] for key in days):
        raise Refused(Reason.NO_OWN_COST)
    own = [OwnBand(band.sex, band.age_from, weights[_key(band)], days[_key(band)]) for band in terms.bands]
    bands = voucher_values(own, net_cents, (basis.period[1] - basis.period[0]).days)
    if max(band.annual_cents for band in bands) > MAX_RATE_CENTS:
        raise Refused(Reason.ABSURD_RATE)
    sums = (command.own_cost_cents, fees_cents, net_cents, sum(days.values()))
    result = VoucherValue(derived_id(command, bands, now.isoformat()), *sums, bands=bands)
    await _keep(tx, basis, result, now)
    return result


async def _priced(tx: Tx, basis: Basis) -> list[tuple[date, str]]:
    """The closed months and municipalities of the period that the model priced, and no other model beside it.

    A municipality that another model priced all along is left out, unless all of the area's are.
    """
    pricing = await pricing_of(tx, basis.area, basis.period)
    own = {municipality for (_, municipality), model in pricing.items() if model == basis.model}
    others = {model for (_, municipality), model in pricing.items() if municipality in own or not own} - {basis.model}
    if others:
        raise Refused(Reason.OTHER_MODEL, pointer="/first_month", models=sorted(others))
    return [place for place, model in pricing.items() if model == basis.model]


async def _terms(tx: Tx, basis: Basis, given: Mapping[BandKey, int] | None) -> CompensationTerms:
    """The terms of the model; what is given by band must be for exactly its bands."""
    terms = await model_terms(tx, basis.area, basis.model)
    if terms is None:
        raise UnknownModel(f"Area {basis.area} has no compensation model {basis.model}.")
    own = {_key(band) for band in terms.bands}
    if given is not None and given.keys() != own:
        bands = ", ".join(f"{sex} {age}" for sex, age in sorted(own))
        raise Invalid(f"The bands are those of the model: {bands}.", pointer="/bands", rule="bands_of_the_model")
    return terms


def _key(band: RateBand) -> BandKey:
    return band.sex, band.age_from


def _by_band(found: Sequence[DictRow], bands: Sequence[RateBand], name: str) -> dict[BandKey, int]:
    """Sums of rows by sex and age for each band; every row is in exactly one."""
    sums = {_key(band): 0 for band in bands}
    for row in found:
        own = [band for band in bands if band.sex in (row["sex"], "any") and band.age_from <= row["age"]]
        sums[_key(max(own, key=lambda band: band.age_from))] += row[name]
    assert sum(sums.values()) == sum(row[name] for row in found), "a resident fell between two bands"
    return sums


_KEEP = """
INSERT INTO rate_proposal (proposal_id, area, kind, model, period_from, period_until, source, result, proposed_by,
                           proposed_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s::jsonb, %s, %s) ON CONFLICT DO NOTHING
"""


async def _keep(tx: Tx, basis: Basis, result: LevelReview | VoucherValue, now: datetime) -> None:
    kind = "level_review" if isinstance(result, LevelReview) else "voucher_value"
    kept = (result.proposal_id, basis.area, kind, basis.model, *basis.period, basis.source)
    await tx.execute(_KEEP, (*kept, as_json(result).decode(), basis.proposed_by, now))
