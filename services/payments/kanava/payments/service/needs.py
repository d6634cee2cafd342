"""What municipal refunds rest on: the rule, figures of need, and agreed measures; each told once, never changed."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg.errors import UniqueViolation

from kanava.common.clock import helsinki_date
from kanava.common.db import Tx, one
from kanava.common.errors import Invalid, Refused
from kanava.common.ids import derived_id

from ..domain.refund import Component
from ..errors import Reason, UnknownMeasure
from ..refund_commands import AgreeMeasure, ConfirmMeasure, RecordNeed, SetRefundRule


@dataclass(frozen=True)
class Recorded:
    """The number of a figure among those of its component and day; above 1 it corrects the ones before."""

    municipality: str
    component: Component
    number: int


@dataclass(frozen=True)
class Agreed:
    """The id of an agreed measure."""

    measure_id: UUID


_SET = """
INSERT INTO refund_rule (valid_from, morbidity_permille, absence_permille, employment_permille, housing_permille,
                         need_share_permille, cap_permille, source, set_by, recorded_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""


async def set_refund_rule(tx: Tx, command: SetRefundRule, now: datetime) -> dict[str, str]:
    """Set the incentive principle from a day on; the rule of a day is set once."""
    rule = command.rule
    weights = [rule.weights[component] for component in Component]
    bounds = (rule.need_share_permille, rule.cap_permille)
    try:
        await tx.execute(_SET, (rule.valid_from, *weights, *bounds, command.source, command.set_by, now))
    except UniqueViolation as error:
        raise Refused(Reason.RULE_STANDS) from error
    return {"valid_from": rule.valid_from.isoformat()}


async def record_need(tx: Tx, command: RecordNeed, now: datetime) -> Recorded:
    """Record a figure; a second one of the same day is a correction and stands beside the first."""
    if command.measured_on > helsinki_date(now):
        raise Invalid("Need is measured by today.", pointer="/measured_on", rule="not_in_the_future")
    await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended('need' || %s, 0))", (command.municipality,))
    key = (command.municipality, command.component, command.measured_on)
    row = await one(
        tx,
        "INSERT INTO need_figure (municipality, component, measured_on, number, value_permille, source, recorded_by,"
        " recorded_at) SELECT %s, %s, %s, count(*) + 1, %s, %s, %s, %s FROM need_figure"
        " WHERE municipality = %s AND component = %s AND measured_on = %s RETURNING number",
        (*key, command.value_permille, command.source, command.recorded_by, now, *key),
    )
    assert row is not None, "an insert answers with its row"
    return Recorded(command.municipality, command.component, row["number"])


async def agree_measure(tx: Tx, command: AgreeMeasure, now: datetime) -> Agreed:
    """Agree on a measure; the same title on the same day is the same measure and is agreed once."""
    measure_id = derived_id("measure", command.area, command.municipality, command.title, command.agreed_on)
    await tx.execute(
        "INSERT INTO agreed_measure (measure_id, area, municipality, title, permille, agreed_on, agreed_by,"
        " recorded_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
        (
            *(measure_id, command.area, command.municipality, command.title, command.permille),
            *(command.agreed_on, command.agreed_by, now),
        ),
    )
    return Agreed(measure_id)


async def confirm_measure(tx: Tx, command: ConfirmMeasure, now: datetime) -> Agreed:
    """Confirm that a measure was done; not by who agreed on it."""
    measure = await one(tx, "SELECT * FROM agreed_measure WHERE measure_id = %s", (command.measure_id,))
    if measure is None:
        raise UnknownMeasure(f"There is no agreed measure {command.measure_id}.")
    if measure["agreed_by"] == command.confirmed_by:
        raise Refused(Reason.SAME_PERSON)
    if not measure["agreed_on"] <= command.done_on <= helsinki_date(now):
        raise Invalid("A measure is done after it was agreed on, by today.", pointer="/done_on", rule="done_on")
    try:
        await tx.execute(
            "INSERT INTO measure_done (measure_id, done_on, evidence, agreed_by, confirmed_by, recorded_at)"
            " VALUES (%s, %s, %s, %s, %s, %s)",
            (
                *(command.measure_id, command.done_on, command.evidence),
                *(measure["agreed_by"], command.confirmed_by, now),
            ),
        )
    except UniqueViolation as error:
        raise Refused(Reason.ALREADY_DONE) from error
    return Agreed(command.measure_id)


async def area_of_measure(tx: Tx, measure_id: UUID) -> str:
    """The area that agreed on a measure, or `UnknownMeasure`."""
    row = await one(tx, "SELECT area FROM agreed_measure WHERE measure_id = %s", (measure_id,))
    if row is None:
        raise UnknownMeasure(f"There is no agreed measure {measure_id}.")
    return str(row["area"])
