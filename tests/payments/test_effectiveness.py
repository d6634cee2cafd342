"""Effectiveness payments of a partnership contract: by a frozen measure, once, on the next statement."""

from datetime import date

from kanava.common.contracts.registry import Contract, EffectivenessTerm
from kanava.common.db import Pool, rows, transaction
from kanava.payments.domain.effectiveness import effectiveness_cents
from kanava.payments.domain.incentives import Measured
from tests.payments import story
from tests.payments.test_incentives import snapshot
from tests.support import facts as told
from tests.support.facts import at

OCTOBER, NOVEMBER, DECEMBER = date(2026, 10, 1), date(2026, 11, 1), date(2026, 12, 1)
TERM = EffectivenessTerm(
    indicator="esh", direction="lower_is_better", floor=100, target=50, amount_cents=1_000_01
)  # fmt: skip


def partnership(**changed: object) -> Contract:
    """A partnership contract of the private producer that pays 1,000.01 € for fewer referrals."""
    fields = told.contract(private=True).model_dump() | {
        "contract_id": "C-partnership",
        "contract_class": "partnership",
        "compensation_kinds": ("capitation", "effectiveness"),
        "effectiveness": (TERM,),
    }
    return Contract.model_validate(fields | changed)


def test_a_measure_pays_linearly_and_half_up() -> None:
    assert [effectiveness_cents(Measured(value, 0), TERM) for value in (100, 75, 50, 10)] == [
        0,
        500_01,
        1000_01,
        1000_01,
    ]


async def test_a_frozen_measure_is_paid_once_and_new_terms_leave_it(pool: Pool) -> None:
    await story.open_area(pool)
    await story.hear(pool, "registry.contract", partnership())
    await story.close(pool, OCTOBER, at(11, 2))
    await story.hear(pool, "monitoring.snapshot", snapshot(1, at(11, 20)), snapshot(2, at(11, 21), value=50))
    await story.close(pool, NOVEMBER, at(12, 2))
    dearer = TERM.model_copy(update={"amount_cents": 5_000_00})
    await story.hear(
        pool,
        "registry.contract",
        partnership(version=2, recorded_at=at(12, 5), what="changed", effectiveness=(dearer,)),
    )
    await story.close(pool, DECEMBER, at(12, 31, 23))
    async with transaction(pool) as tx:
        found = await rows(tx, "SELECT component, for_month, kind, amount_cents FROM charge")
    assert [tuple(row.values()) for row in found] == [("effectiveness", OCTOBER, "original", 500_01)]
    await story.assert_books_agree(pool)


async def test_a_contract_that_was_not_in_force_all_the_period_pays_nothing(pool: Pool) -> None:
    await story.open_area(pool)
    late = partnership(starts_on=date(2026, 10, 2))
    without = partnership(contract_id="C-none", compensation_kinds=("capitation",))
    await story.hear(pool, "registry.contract", late, without)
    await story.hear(pool, "monitoring.snapshot", snapshot(1, at(10, 20)))
    await story.close(pool, OCTOBER, at(11, 2))
    async with transaction(pool) as tx:
        assert await rows(tx, "SELECT * FROM charge") == []
