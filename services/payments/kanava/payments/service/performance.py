"""Deciding on performance lines afterwards, and revoking them; the next run of the area takes what holds."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from psycopg.rows import DictRow

from kanava.common.clock import helsinki_date
from kanava.common.db import Tx, one
from kanava.common.errors import Refused
from kanava.common.ids import derived_id

from ..domain.performance import Circumstances, decision_refusal, revocation_refusal
from ..errors import Reason, UnknownPerformance
from ..facts import known_since


@dataclass(frozen=True)
class DecidePerformance:
    """Decide on a performance line for a resident who was listed with a unit on a day; negative cents lower."""

    area: str
    resident_id: UUID
    unit_id: str
    performed_on: date
    amount_cents: int
    reason: str
    decided_by: str


@dataclass(frozen=True)
class RevokePerformance:
    """Revoke a decision, as somebody else than who decided."""

    performance_id: UUID
    reason: str
    revoked_by: str


@dataclass(frozen=True)
class PerformanceDecided:
    """A decision, or its revocation, and from when runs know it."""

    performance_id: UUID
    producer_id: str
    amount_cents: int
    recorded_at: datetime
    revoked: bool


_POINTERS = {
    Reason.PERFORMANCE_TOO_LARGE: "/amount_cents",
    Reason.NOT_LISTED_THERE: "/unit_id",
}
_UNIT = """
SELECT u.producer_id, EXISTS (
    SELECT FROM span s JOIN resident h ON h.resident_id = s.resident_id AND h.recorded_until = 'infinity'
    WHERE s.resident_id = %(resident_id)s AND s.unit_id = u.unit_id AND s.recorded_until = 'infinity'
      AND s.starts_on <= %(day)s AND (s.until IS NULL OR s.until > %(day)s)
      AND (h.lives_until IS NULL OR h.lives_until > %(day)s)
) AS is_listed, coalesce((
    SELECT phase >= 5 FROM scheme_phase p
    WHERE p.area = u.area AND p.municipality = u.municipality AND p.entered_on <= %(day)s
    ORDER BY p.version DESC LIMIT 1
), false) AS is_in_production
FROM unit u WHERE u.unit_id = %(unit_id)s AND u.area = %(area)s
"""


async def decide_performance(tx: Tx, command: DecidePerformance, now: datetime) -> PerformanceDecided:
    """Record a decision. One that comes after a cut-off was fixed counts as known from there on, like a late fact."""
    asked = {"resident_id": command.resident_id, "unit_id": command.unit_id, "area": command.area}
    unit = await one(tx, _UNIT, asked | {"day": command.performed_on})
    if unit is None:
        raise Refused(Reason.NOT_LISTED_THERE, "The area has no such unit.", pointer="/unit_id")
    known = Circumstances(is_listed=unit["is_listed"], is_in_production=unit["is_in_production"])
    reason = decision_refusal(
        day=command.performed_on, amount_cents=command.amount_cents, today=helsinki_date(now), known=known
    )
    if reason is not None:
        raise Refused(reason, pointer=_POINTERS.get(reason, "/performed_on"))
    performance_id = await _next_id(tx, command)
    recorded_at = max(now, await known_since(tx))
    await tx.execute(
        "INSERT INTO performance_decision (performance_id, area, resident_id, unit_id, producer_id, performed_on,"
        " amount_cents, reason, decided_by, recorded_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            *(performance_id, command.area, command.resident_id, command.unit_id, unit["producer_id"]),
            *(command.performed_on, command.amount_cents, command.reason, command.decided_by, recorded_at),
        ),
    )
    return PerformanceDecided(performance_id, unit["producer_id"], command.amount_cents, recorded_at, revoked=False)


async def _next_id(tx: Tx, command: DecidePerformance) -> UUID:
    """The id of the resident's next decision in the area; whoever decides on the same resident waits."""
    key = (command.area, str(command.resident_id))
    await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended('performance' || %s || %s, 0))", key)
    counted = await one(
        tx, "SELECT count(*) AS n FROM performance_decision WHERE area = %s AND resident_id = %s::uuid", key
    )
    assert counted is not None, "a count has one row"
    return derived_id("performance", *key, counted["n"] + 1)


async def revoke_performance(tx: Tx, command: RevokePerformance, now: datetime) -> PerformanceDecided:
    """Record that a decision holds no longer: its line is taken back by the next run, or never written.

    A line that a dispute adjusted is corrected already (`disputes.decide_dispute`) and not revoked as well.
    """
    since = await known_since(tx)  # before the decision's lock, as whoever adjusts its line takes them
    row = await locked_performance(tx, command.performance_id)
    reason = revocation_refusal(
        is_revoked=row["revoked_by"] is not None,
        is_adjusted=await _is_adjusted(tx, command.performance_id),
        decided_by=row["decided_by"],
        revoked_by=command.revoked_by,
    )
    if reason is not None:
        raise Refused(reason)
    recorded_at = max(now, row["recorded_at"], since)
    await tx.execute(
        "INSERT INTO performance_revocation (performance_id, area, reason, decided_by, revoked_by, recorded_at)"
        " VALUES (%s, %s, %s, %s, %s, %s)",
        (
            *(command.performance_id, row["area"], command.reason),
            *(row["decided_by"], command.revoked_by, recorded_at),
        ),
    )
    return PerformanceDecided(
        command.performance_id, row["producer_id"], row["amount_cents"], recorded_at, revoked=True
    )


async def _is_adjusted(tx: Tx, performance_id: UUID) -> bool:
    """Whether a dispute adjusted the decision's line: then the line is corrected, and not taken back as well."""
    adjusted = "SELECT FROM line_adjustment WHERE component = 'performance' AND source = %s LIMIT 1"
    return await one(tx, adjusted, (performance_id,)) is not None


async def locked_performance(tx: Tx, performance_id: UUID) -> DictRow:
    """A decision that nobody else revokes, and whose line no dispute adjusts, until the commit;
    or `UnknownPerformance`.
    """
    await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended('performance' || %s, 0))", (str(performance_id),))
    row = await one(
        tx,
        "SELECT d.*, r.revoked_by FROM performance_decision d LEFT JOIN performance_revocation r USING (performance_id)"
        " WHERE performance_id = %s",
        (performance_id,),
    )
    if row is None:
        raise UnknownPerformance(f"There is no decision {performance_id} on a performance line.")
    return row
