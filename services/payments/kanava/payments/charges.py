"""The SQL by which a run charges what has no resident lines: sanctions, base payments and effectiveness.

What holds is a pure function of the facts known before the cut-off; the run writes the difference to what earlier
runs of the area charged, so that each change is charged once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import TypeVar

from kanava.common.contracts.registry import EffectivenessTerm
from kanava.common.db import Tx, rows

from .allowed_kinds import refused_contracts
from .domain.base_payment import BASE_PAYMENT, ContractVersion, base_payments
from .domain.charges import Charge, Claim, Sanction, changes, deductions
from .domain.effectiveness import EFFECTIVENESS, Agreed, Frozen, effectiveness
from .domain.incentives import Measured
from .month import Month
from .producing import produces_from

_STOOD = """
SELECT producer_id, component, source, for_month, sum(amount_cents)::bigint AS cents FROM charge
WHERE area = %s AND run_id IN (SELECT run_id FROM run WHERE area = %s AND month < %s)
GROUP BY producer_id, component, source, for_month
"""
_SANCTIONS = """
SELECT DISTINCT ON (sanction_id) sanction_id, producer_id, step, status, effective_on, amount_cents
FROM sanction_version WHERE area = %(area)s AND recorded_at < %(cut_off)s ORDER BY sanction_id, version DESC
"""
_CONTRACTS = """
SELECT contract_id, version, recorded_at, producer_id, starts_on, ends_on,
       CASE WHEN 'base_payment' = ANY(compensation_kinds) THEN coalesce(monthly_base_payment_cents, 0) ELSE 0 END
           AS monthly_cents
FROM contract_version
WHERE recorded_at < %(cut_off)s AND contract_id IN (
    SELECT contract_id FROM contract_version WHERE area = %(area)s AND monthly_base_payment_cents IS NOT NULL
)
"""
_MONTHS = "SELECT month, cut_off FROM run WHERE area = %(area)s AND month <= %(first)s ORDER BY month"
_AGREED = """
SELECT contract_id, version, recorded_at, producer_id, starts_on, ends_on,
       CASE WHEN 'effectiveness' = ANY(compensation_kinds) THEN effectiveness ELSE '[]' END AS terms
FROM contract_version
WHERE recorded_at < %(cut_off)s AND contract_id IN (
    SELECT contract_id FROM contract_version WHERE area = %(area)s AND effectiveness <> '[]'
) ORDER BY contract_id, version
"""
_FROZEN = """
SELECT snapshot_id::text AS snapshot_id, recorded_at, producer_id, indicator, period_from, period_until, value, scale,
       floor, target
FROM snapshot WHERE area = %(area)s AND producer_id IS NOT NULL AND recorded_at < %(cut_off)s
ORDER BY recorded_at, snapshot_id
"""
_MEASURED = ("value", "scale", "floor", "target")


async def write_charges(tx: Tx, month: Month) -> int:
    """Charge what changed since the runs before this one; returns how many charges were written."""
    stood = await charged_before(tx, month)
    made = changes(stood, await holds_of(tx, month, stood))
    await _insert(tx, month, made)
    return len(made)


async def holds_of(tx: Tx, month: Month, stood: Mapping[Claim, int]) -> dict[Claim, int]:
    """What sanctions, base payments and effectiveness hold as of a run, in cents by claim; see `domain.charges`."""
    holds = await _deductions(tx, month, stood) | await _base_payments(tx, month)
    return holds | await _effectiveness(tx, month)


async def charged_before(tx: Tx, month: Month) -> dict[Claim, int]:
    """What the runs of the area before a month charged, in cents by claim."""
    found = await rows(tx, _STOOD, (month.area, month.area, month.first))
    names = ("producer_id", "component", "source", "for_month")
    return {Claim(*(row[name] for name in names)): row["cents"] for row in found}


async def _deductions(tx: Tx, month: Month, stood: Mapping[Claim, int]) -> dict[Claim, int]:
    known = await rows(tx, _SANCTIONS, {"area": month.area, "cut_off": month.cut_off})
    return deductions([Sanction(**row) for row in known], stood, month.end)


async def _base_payments(tx: Tx, month: Month) -> dict[Claim, int]:
    asked = {"area": month.area, "cut_off": month.cut_off, "first": month.first}
    versions = [ContractVersion(**row) for row in await rows(tx, _CONTRACTS, asked)]
    if not versions:
        return {}
    months = [(row["month"], row["cut_off"]) for row in await rows(tx, _MONTHS, asked)]
    versions = _produced(versions, await produces_from(tx, month))
    return base_payments(versions, months, await refused_contracts(tx, month, BASE_PAYMENT))


_Contract = TypeVar("_Contract", ContractVersion, Agreed)


def _produced(versions: Sequence[_Contract], begins: Mapping[str | None, date | None]) -> list[_Contract]:
    """Versions of contracts from when their producer's scheme is in production: before that nothing is paid."""
    found = []
    for version in versions:
        since = begins.get(version.producer_id, begins[None])
        if since is not None:
            found.append(replace(version, starts_on=max(version.starts_on, since)))
    return found


async def _effectiveness(tx: Tx, month: Month) -> dict[Claim, int]:
    asked = {"area": month.area, "cut_off": month.cut_off}
    versions = [
        Agreed(**(row | {"terms": tuple(EffectivenessTerm.model_validate(term) for term in row["terms"])}))
        for row in await rows(tx, _AGREED, asked)
    ]
    if not versions:
        return {}
    snapshots = []
    for row in await rows(tx, _FROZEN, asked):
        measured = Measured(**{name: row.pop(name) for name in _MEASURED})
        snapshots.append(Frozen(**row, measured=measured))
    versions = _produced(versions, await produces_from(tx, month))
    return effectiveness(versions, snapshots, await refused_contracts(tx, month, EFFECTIVENESS))


async def _insert(tx: Tx, month: Month, made: Sequence[Charge]) -> None:
    async with tx.cursor() as cursor:
        await cursor.executemany(
            "INSERT INTO charge (run_id, producer_id, component, source, for_month, kind, area, amount_cents)"
            " VALUES (%(run_id)s, %(producer_id)s, %(component)s, %(source)s, %(for_month)s, %(kind)s, %(area)s,"
            " %(cents)s)",
            [
                {"run_id": month.run_id, "area": month.area, "kind": c.kind, "cents": c.amount_cents} | vars(c.claim)
                for c in made
            ],
        )
