"""The SQL by which a run reserves incentives, pays what frozen indicators earned, and lets both follow corrections.

The unit is a month of capitation of a producer in a municipality, whose scheme's model, as it was known when that
month closed, says what is earned for what. Each run computes what holds of the months that it touches and writes the
difference to what stands, so nothing is reserved or earned twice. Each indicator settles its part of a month by the
first known snapshot whose period holds the whole month.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from psycopg.rows import DictRow

from kanava.common.clock import add_months
from kanava.common.contracts.registry import CompensationTerms
from kanava.common.db import Tx, rows

from .domain import chart
from .domain.allowed_kinds import refused_by
from .domain.chart import Draft, EntryKind
from .domain.incentives import Measured, Outcome, Stands, holds
from .incentive_lines import Due, write_lines
from .month import SCHEMES, Month

_NOTHING = Outcome(0, 0)
_CANDIDATES = """
SELECT DISTINCT producer_id FROM contract_version WHERE area = %(area)s AND recorded_at < %(cut_off)s
    AND 'incentive' = ANY(compensation_kinds)
"""
_MOVED = """
SELECT l.producer_id, u.municipality, l.for_month, sum(l.amount_cents)::bigint AS cents
FROM {partition} l JOIN unit u USING (unit_id)
WHERE l.component = 'capitation' AND l.producer_id = ANY(%(producers)s)
GROUP BY l.producer_id, u.municipality, l.for_month ORDER BY l.for_month, l.producer_id, u.municipality
"""
_RESERVES = """
SELECT producer_id, municipality, for_month, min(model) AS model, sum(capitation_cents)::bigint AS capitation_cents,
       sum(reserved_cents)::bigint AS reserved_cents
FROM incentive_reserve WHERE area = %(area)s
GROUP BY producer_id, municipality, for_month ORDER BY for_month, producer_id, municipality
"""
_OUTCOMES = """
SELECT producer_id, municipality, for_month, indicator, min(snapshot_id::text)::uuid AS snapshot_id,
       sum(earned_cents)::bigint AS earned_cents, sum(released_cents)::bigint AS released_cents
FROM incentive_outcome WHERE area = %(area)s GROUP BY producer_id, municipality, for_month, indicator
"""
_SNAPSHOTS = """
SELECT snapshot_id, producer_id, municipality, indicator, period_from, period_until, value, scale, floor, target
FROM snapshot WHERE area = %(area)s AND recorded_at < %(cut_off)s ORDER BY recorded_at, snapshot_id
"""
_EARNERS = """
SELECT DISTINCT producer_id, contract_class FROM (
    SELECT DISTINCT ON (contract_id) * FROM contract_version WHERE area = %(area)s AND recorded_at < %(cut_off)s
    ORDER BY contract_id, version DESC
) c WHERE 'incentive' = ANY(compensation_kinds) AND starts_on < %(end)s AND (ends_on IS NULL OR ends_on > %(first)s)
"""
_CLOSED_AT = "SELECT month, cut_off FROM run WHERE area = %(area)s AND month <= %(first)s"


@dataclass(frozen=True, order=True)
class Key:
    """A month of a producer's capitation in a municipality."""

    for_month: date
    producer_id: str
    municipality: str


@dataclass
class _Known:
    """What a month of capitation is settled by: its model, what stands, and the snapshot of each settled indicator."""

    model: str
    stands: Stands = field(default_factory=Stands)
    settled_by: dict[str, UUID] = field(default_factory=dict)


@dataclass(frozen=True)
class _Change:
    """What a run changes of a month of capitation; `frozen` are the snapshots that settle, by indicator."""

    key: Key
    model: str
    before: Stands
    now: Stands
    frozen: Mapping[str, UUID]
    is_moved: bool

    def moves(self) -> Iterator[tuple[str, UUID, Outcome]]:
        """By how much each settled indicator's outcome changes."""
        for indicator, snapshot_id in self.frozen.items():
            old, new = (one.outcomes.get(indicator, _NOTHING) for one in (self.before, self.now))
            yield (
                indicator,
                snapshot_id,
                Outcome(new.earned_cents - old.earned_cents, new.released_cents - old.released_cents),
            )


async def write_incentives(tx: Tx, month: Month, partition: str) -> list[Draft]:
    """Reserve, pay on residents and correct what the run's capitation and newly frozen indicators change.

    Answers with the entries of the reserves; what is earned is in lines like every cost. Nothing is read of the
    lines where no contract pays incentives.
    """
    asked = {"area": month.area, "first": month.first, "cut_off": month.cut_off}
    producers = [row["producer_id"] for row in await rows(tx, _CANDIDATES, asked)]
    if not producers:
        return []
    found = await rows(tx, _MOVED.format(partition=partition), {"producers": producers})
    moved = {_key(row): row["cents"] for row in found}
    known = await _known(tx, month, moved)
    models = {one.model for one in known.values()}
    terms = await _terms(tx, models)
    snapshots = await rows(tx, _SNAPSHOTS, asked)
    changes = [
        _change(month, key, known=known[key], moved=moved, terms=terms[known[key].model], snapshots=snapshots)
        for key in sorted(known)
    ]
    changes = [one for one in changes if one.is_moved or one.before != one.now]
    await _write(tx, month, changes)
    await write_lines(tx, month, partition, [due for one in changes for due in _due(one)])
    return [draft for one in changes for draft in _entries(month, one)]


def _key(row: DictRow) -> Key:
    return Key(row["for_month"], row["producer_id"], row["municipality"])


async def _known(tx: Tx, month: Month, moved: Mapping[Key, int]) -> dict[Key, _Known]:
    """The months of capitation that have a reserve, and those of this run that get their first one."""
    asked: dict[str, object] = {"area": month.area, "first": month.first}
    known = await _reserved(tx, asked)
    for row in await rows(tx, _OUTCOMES, asked):
        one = known[_key(row)]
        one.stands = Stands(
            one.stands.capitation_cents,
            one.stands.reserved_cents,
            {**one.stands.outcomes, row["indicator"]: Outcome(row["earned_cents"], row["released_cents"])},
        )
        one.settled_by[row["indicator"]] = row["snapshot_id"]
    closed_at = {row["month"]: row["cut_off"] for row in await rows(tx, _CLOSED_AT, asked)}
    for first in sorted({key.for_month for key in moved.keys() - known.keys()} & closed_at.keys()):
        models = await _earning(tx, {"area": month.area, "first": first, "cut_off": closed_at[first]})
        for key in moved.keys() - known.keys():
            if key.for_month == first and (key.producer_id, key.municipality) in models:
                known[key] = _Known(models[key.producer_id, key.municipality])
    return known


async def _reserved(tx: Tx, asked: dict[str, object]) -> dict[Key, _Known]:
    """The months of capitation that have a reserve, as if nothing of it were settled."""
    return {
        _key(row): _Known(row["model"], Stands(row["capitation_cents"], row["reserved_cents"], {}))
        for row in await rows(tx, _RESERVES, asked)
    }


async def outcomes_due(tx: Tx, month: Month) -> list[tuple[Key, str, UUID, Outcome]]:
    """What frozen indicators earn and release as of a closed month, of the reserves that there are."""
    asked: dict[str, object] = {"area": month.area, "cut_off": month.cut_off}
    known = await _reserved(tx, asked)
    for row in await rows(tx, _OUTCOMES, asked):
        if _key(row) in known:
            known[_key(row)].settled_by[row["indicator"]] = row["snapshot_id"]
    terms = await _terms(tx, {one.model for one in known.values()})
    snapshots = await rows(tx, _SNAPSHOTS, asked)
    settled = [
        _change(month, key, known=known[key], moved={}, terms=terms[known[key].model], snapshots=snapshots)
        for key in sorted(known)
    ]
    return [
        (one.key, indicator, snapshot_id, one.now.outcomes[indicator])
        for one in settled
        for indicator, snapshot_id in one.frozen.items()
    ]


async def _earning(tx: Tx, asked: dict[str, object]) -> dict[tuple[str, str], str]:
    """The model by which each producer could earn in each municipality in a month, as was known when it closed."""
    first = asked["first"]
    assert isinstance(first, date), "a month is asked by its first day"
    asked = asked | {"end": add_months(first, 1)}
    earners = await rows(tx, _EARNERS, asked)
    models: dict[tuple[str, str], str] = {}
    for row in await rows(tx, SCHEMES, asked) if earners else []:
        terms = CompensationTerms.model_validate(row["terms"])
        if terms.incentives and terms.incentive_percent:
            refused = refused_by(terms)
            producers = [e["producer_id"] for e in earners if (e["contract_class"], "incentive") not in refused]
            models |= {(producer, row["municipality"]): row["document_id"] for producer in producers}
    return models


async def _terms(tx: Tx, models: set[str]) -> dict[str, CompensationTerms]:
    found = await rows(tx, "SELECT document_id, terms FROM model WHERE document_id = ANY(%s)", (sorted(models),))
    return {row["document_id"]: CompensationTerms.model_validate(row["terms"]) for row in found}


def _change(
    month: Month,
    key: Key,
    *,
    known: _Known,
    moved: Mapping[Key, int],
    terms: CompensationTerms,
    snapshots: Sequence[DictRow],
) -> _Change:
    """What becomes of a month of capitation; the month of the run itself is settled by a later one."""
    settling = _settling(key, known, snapshots, terms) if key.for_month < month.first else {}
    frozen = {row["indicator"]: Measured(row["value"], row["scale"], row["floor"], row["target"])
              for row in settling.values()}  # fmt: skip
    base_cents = known.stands.capitation_cents + moved.get(key, 0)
    is_moved, by = key in moved, {indicator: row["snapshot_id"] for indicator, row in settling.items()}
    now = holds(base_cents, terms.incentive_percent, terms.incentives, frozen)
    by = {indicator: snapshot_id for indicator, snapshot_id in by.items() if indicator in now.outcomes}
    return _Change(key, known.model, known.stands, now, by, is_moved)


def _settling(key: Key, known: _Known, snapshots: Sequence[DictRow], terms: CompensationTerms) -> dict[str, DictRow]:
    """By indicator the snapshot that settled it, else the first known one whose period holds the whole month.

    It is the producer's own, or the municipality's where the model names a goal of the municipality.
    """
    settling: dict[str, DictRow] = {}
    goals = {term.indicator for term in terms.incentives if term.subject == "municipality"}
    for row in snapshots:
        indicator, settled_by = row["indicator"], known.settled_by.get(row["indicator"])
        holds_month = row["period_from"] <= key.for_month and row["period_until"] >= add_months(key.for_month, 1)
        whose = (None, key.municipality) if indicator in goals else (key.producer_id, None)
        is_its = (row["producer_id"], row["municipality"]) == whose and settled_by in (None, row["snapshot_id"])
        if is_its and holds_month and indicator not in settling:
            settling[indicator] = row
    return settling


def _due(change: _Change) -> Iterator[Due]:
    for indicator, snapshot_id in change.frozen.items():
        before, now = change.before.earned_cents(indicator), change.now.earned_cents(indicator)
        if before != now or (change.is_moved and now):
            is_first = indicator not in change.before.outcomes
            where = (change.key.producer_id, change.key.municipality, change.key.for_month)
            yield Due(*where, snapshot_id, earned_cents=now, change_cents=now - before, is_first=is_first)


async def _write(tx: Tx, month: Month, changes: Sequence[_Change]) -> None:
    """Write by how much reserves and outcomes change."""
    async with tx.cursor() as cursor:
        await cursor.executemany(
            "INSERT INTO incentive_reserve (run_id, producer_id, municipality, for_month, area, model,"
            " capitation_cents, reserved_cents) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
            [(*_place(month, one), one.model, *_moved_cents(one)) for one in changes if any(_moved_cents(one))],
        )
        await cursor.executemany(
            "INSERT INTO incentive_outcome (run_id, producer_id, municipality, for_month, area, indicator,"
            " snapshot_id, earned_cents, released_cents) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [
                (*_place(month, one), indicator, snapshot_id, moved.earned_cents, moved.released_cents)
                for one in changes
                for indicator, snapshot_id, moved in one.moves()
                if moved != _NOTHING
            ],
        )


def _place(month: Month, change: _Change) -> tuple[object, ...]:
    key = change.key
    return (month.run_id, key.producer_id, key.municipality, key.for_month, month.area)


def _moved_cents(change: _Change) -> tuple[int, int]:
    now, before = change.now, change.before
    return (now.capitation_cents - before.capitation_cents, now.reserved_cents - before.reserved_cents)


def _entries(month: Month, change: _Change) -> Iterator[Draft]:
    """What was newly reserved, or taken back of it; then what left the reserve because it is settled."""
    settled_cents = change.now.settled_cents - change.before.settled_cents
    for cents in (_moved_cents(change)[1], -settled_cents):
        if cents:
            kind = EntryKind.RESERVED if cents > 0 else EntryKind.RESERVE_DISSOLVED
            yield chart.reserve(kind, run_id=month.run_id, producer_id=change.key.producer_id, amount_cents=abs(cents))
