"""A final statement is drawn when nothing is open, and never of a producer that stays."""

from dataclasses import replace
from itertools import product
from typing import get_args

import pytest

from kanava.payments.domain.finals import Exit, Ground, refusal
from kanava.payments.errors import Reason

READY = Exit("left", False, False, payments_at_the_bank=0, open_disputes=0, waiting_corrections=0, open_statements=1)
COUNTED = ("payments_at_the_bank", "open_disputes", "waiting_corrections", "open_statements")
GROUNDS: tuple[Ground, ...] = get_args(Ground)
STANDINGS = ("applied", "approved", "suspended", "left", "revoked")
EXITS = [
    Exit(standing, drawn, listed, **dict(zip(COUNTED, counts, strict=True)))
    for standing, drawn, listed, *counts in product(STANDINGS, (False, True), (False, True), *[(0, 2)] * len(COUNTED))
]


def plainly(one: Exit, ground: str) -> list[Reason]:
    """Every reason against a final statement, by their weight."""
    fits = (one.standing, ground) in {
        ("left", "left"),
        ("revoked", "revoked"),
        ("left", "insolvency"),
        ("revoked", "insolvency"),
        ("suspended", "insolvency"),
    }
    reasons = {
        Reason.FINAL_ALREADY_DRAWN: one.already_drawn,
        Reason.PRODUCER_STAYS: not fits,
        Reason.MONTHS_STILL_OPEN: one.still_listed,
        Reason.PAYMENT_AT_THE_BANK: one.payments_at_the_bank > 0,
        Reason.DISPUTE_OPEN: one.open_disputes > 0,
        Reason.CORRECTION_WAITS: one.waiting_corrections > 0,
        Reason.NOTHING_TO_SETTLE: one.open_statements == 0,
    }
    return [reason for reason, holds in reasons.items() if holds]


@pytest.mark.parametrize("ground", GROUNDS)
def test_the_weightiest_reason_refuses_and_without_one_it_is_drawn(ground: Ground) -> None:
    for one in EXITS:
        assert refusal(one, ground) is next(iter(plainly(one, ground)), None)


@pytest.mark.parametrize("ground", GROUNDS)
def test_settling_what_is_open_never_brings_a_reason_that_was_not_there(ground: Ground) -> None:
    for one in EXITS:
        settled = replace(one, still_listed=False, payments_at_the_bank=0, open_disputes=0, waiting_corrections=0)
        after = refusal(settled, ground)
        assert after is None or after in plainly(one, ground)


def test_each_ground_wants_its_standing() -> None:
    assert [refusal(READY, ground) for ground in ("left", "revoked", "insolvency")] == [
        None,
        Reason.PRODUCER_STAYS,
        None,
    ]
    suspended = replace(READY, standing="suspended")
    assert [refusal(suspended, ground) for ground in ("left", "insolvency")] == [Reason.PRODUCER_STAYS, None]
