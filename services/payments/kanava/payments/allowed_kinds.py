"""The SQL and the reading behind kinds of compensation that a model in force does not pay to a contract's class.

A month is judged by the models, classes and kinds that were known when it closed, so a later model never takes back
what a closed month paid; the days of contracts are those last known (settled question 19). Where no model of the area
limits anything, nothing else is read.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from psycopg.rows import DictRow

from kanava.common.clock import add_months
from kanava.common.contracts.registry import CompensationTerms
from kanava.common.db import Tx, one, rows

from .domain.allowed_kinds import KINDS, Model, refused_by, refusing
from .month import SCHEMES, Month, newest_months

_LIMITED = """
SELECT FROM model WHERE area = %s AND jsonb_array_length(coalesce(terms -> 'allowed_kinds', '[]')) > 0 LIMIT 1
"""
_MONTHS = "SELECT month, cut_off FROM run WHERE area = %s AND month <= %s ORDER BY month"
_CONTRACTS = """
SELECT *, starts_on < %(end)s AND (ends_on IS NULL OR ends_on > greatest(starts_on, %(first)s)) AS is_in_force FROM (
    SELECT DISTINCT ON (contract_id) contract_id, producer_id, contract_class, compensation_kinds,
        first_value(starts_on) OVER newest AS starts_on, first_value(ends_on) OVER newest AS ends_on
    FROM contract_version WHERE area = %(area)s AND recorded_at < %(until)s
    WINDOW newest AS (PARTITION BY contract_id ORDER BY version DESC)
    ORDER BY contract_id, recorded_at < %(cut_off)s DESC,
        CASE WHEN recorded_at < %(cut_off)s THEN -version ELSE version END
) known ORDER BY contract_id
"""
_PLACES = """
SELECT DISTINCT producer_id, municipality FROM unit WHERE area = %(area)s AND recorded_at < %(until)s
"""
_STAGE = "CREATE TEMP TABLE {name} (month date, producer_id text, municipality text, kind text) ON COMMIT DROP"
Refusals = set[tuple[date, str, str, str]]
"""Month, producer, municipality and kind of what is paid in no way."""


@dataclass(frozen=True)
class _Judged:
    """A month with the models in force, by municipality, the area's contracts, and where each producer has units."""

    first: date
    models: Mapping[str, Model]
    contracts: Sequence[DictRow]
    places: Mapping[str, frozenset[str]]

    def refusing(self, contract: DictRow, kind: str) -> tuple[str, ...]:
        """The models that refuse a kind to a contract."""
        places = self.places.get(contract["producer_id"], frozenset())
        return refusing(self.models, places, contract["contract_class"], kind)


async def refused_contracts(tx: Tx, month: Month, kind: str) -> frozenset[tuple[date, str]]:
    """The months, up to that of a run, and the contracts for which no model in force pays a kind."""
    return frozenset(
        (judged.first, contract["contract_id"])
        for judged in await _judged_months(tx, month, month.cut_off)
        for contract in judged.contracts
        if judged.refusing(contract, kind)
    )


async def stage_refused_kinds(tx: Tx, month: Month) -> bool:
    """Lay out which producers are paid a kind in no way in a municipality, for `not_refused`; whether there is any.

    Of the contracts in force that have the kind, every one is of a class to which the municipality's model does not
    pay it. Capitation follows who is listed, so a contract need not name it to be judged. What a contract that became
    known or ended late turned in a month that the previous run saw otherwise is laid out as `kind_turned`.
    """
    found, before = await _refusals(tx, month, month.cut_off), Refusals()
    if month.previous_cut_off is not None:
        before = await _refusals(tx, month, month.previous_cut_off)
    await _stage(tx, "kind_turned", {one for one in found ^ before if one[0] < month.first})
    await _stage(tx, "kind_refused", found)
    return bool(found)


async def stage_refused_everywhere(tx: Tx) -> None:
    """As `stage_refused_kinds`, for every area, as of its newest closed month."""
    found = [await _refusals(tx, month, month.cut_off) for month in await newest_months(tx)]
    await _stage(tx, "kind_refused", Refusals().union(*found))


async def _refusals(tx: Tx, month: Month, known_at: datetime) -> Refusals:
    return {row for judged in await _judged_months(tx, month, known_at) for row in _refused_producers(judged)}


async def _stage(tx: Tx, name: str, found: Refusals) -> None:
    await tx.execute(_STAGE.format(name=name))
    async with tx.cursor() as cursor:
        await cursor.executemany(f"INSERT INTO {name} VALUES (%s, %s, %s, %s)", sorted(found))


def fee_allowed(visit: str = "v") -> str:
    """`not_refused` for the fee of a row of reports."""
    return not_refused(
        "fee",
        month=f"date_trunc('month', {visit}.performed_on)::date",
        producer=f"{visit}.producer_id",
        municipality=f"(SELECT municipality FROM unit WHERE unit_id = {visit}.unit_id)",
    )


def not_refused(kind: str, *, month: str, producer: str, municipality: str) -> str:
    """A condition over `kind_refused`, which is staged: the model in force pays the kind. The others are SQL."""
    assert kind in KINDS, "a kind of compensation"
    return (
        f"NOT EXISTS (SELECT FROM kind_refused k WHERE k.kind = '{kind}' AND k.month = {month}"
        f" AND k.producer_id = {producer} AND k.municipality = {municipality})"
    )


def _refused_producers(judged: _Judged) -> list[tuple[date, str, str, str]]:
    in_force = [contract for contract in judged.contracts if contract["is_in_force"]]
    found: list[tuple[date, str, str, str]] = []
    for municipality, model in judged.models.items():
        for kind in KINDS:
            having = [one for one in in_force if kind == "capitation" or kind in one["compensation_kinds"]]
            paid = {c["producer_id"] for c in having if (c["contract_class"], kind) not in model.refused}
            refused = {contract["producer_id"] for contract in having} - paid
            found += [(judged.first, producer, municipality, kind) for producer in sorted(refused)]
    return found


async def refused_now(tx: Tx, area: str, first: date, known_at: datetime) -> list[dict[str, object]]:
    """Each kind of a contract in force in a month that no model in force pays, with the models that refuse it."""
    if await one(tx, _LIMITED, (area,)) is None:
        return []
    judged = await _judged(tx, area, first, cut_off=known_at, until=known_at)
    names = ("contract_id", "producer_id", "contract_class")
    return [
        {name: contract[name] for name in names} | {"kind": kind, "models": list(judged.refusing(contract, kind))}
        for contract in judged.contracts
        if contract["is_in_force"]
        for kind in KINDS
        if kind in contract["compensation_kinds"] and judged.refusing(contract, kind)
    ]


async def _judged_months(tx: Tx, month: Month, known_at: datetime) -> list[_Judged]:
    if await one(tx, _LIMITED, (month.area,)) is None:
        return []
    found = await rows(tx, _MONTHS, (month.area, month.first))
    return [await _judged(tx, month.area, row["month"], cut_off=row["cut_off"], until=known_at) for row in found]


async def _judged(tx: Tx, area: str, first: date, *, cut_off: datetime, until: datetime) -> _Judged:
    asked = {"area": area, "first": first, "end": add_months(first, 1), "cut_off": cut_off, "until": until}
    models = {
        row["municipality"]: Model(row["document_id"], refused_by(CompensationTerms.model_validate(row["terms"])))
        for row in await rows(tx, SCHEMES, asked)
    }
    places: dict[str, frozenset[str]] = {}
    for row in await rows(tx, _PLACES, asked):
        places[row["producer_id"]] = places.get(row["producer_id"], frozenset()) | {row["municipality"]}
    return _Judged(first, models, await rows(tx, _CONTRACTS, asked), places)
