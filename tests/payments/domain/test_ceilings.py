"""The yearly ceiling of client fees: nothing lost, nothing twice, in whatever order the fees are told."""

from collections import defaultdict
from datetime import date
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from kanava.payments.domain.ceilings import Child, PaidFee, family_of, over_the_ceiling
from kanava.payments.figures import fee_ceilings

GUARDIAN = UUID(int=1)
CHILDREN = {UUID(int=2): Child(date(2015, 3, 1), GUARDIAN), UUID(int=3): Child(date(2008, 2, 29), GUARDIAN)}
CEILINGS = {2025: 300_00, 2026: 400_00}
FEES = st.lists(
    st.builds(
        PaidFee,
        st.uuids(),
        st.integers(1, 5).map(lambda n: UUID(int=n)),
        st.dates(date(2025, 1, 1), date(2026, 12, 31)),
        st.integers(1, 200_00),
    ),
    unique_by=lambda fee: fee.production_id,
    max_size=40,
)


@given(FEES)
def test_a_family_pays_its_ceiling_at_most_and_gets_the_rest_back(fees: list[PaidFee]) -> None:
    paid: dict[tuple[UUID, int], int] = defaultdict(int)
    for fee in fees:
        paid[family_of(fee, CHILDREN), fee.performed_on.year] += fee.amount_cents
    back: dict[tuple[UUID, int], int] = defaultdict(int)
    for (_, family, year), cents in over_the_ceiling(fees, CHILDREN, CEILINGS).items():
        back[family, year] += cents
    assert back == {key: cents - CEILINGS[key[1]] for key, cents in paid.items() if cents > CEILINGS[key[1]]}


@given(FEES, st.randoms(use_true_random=False))
def test_the_order_of_telling_does_not_matter(fees: list[PaidFee], order: object) -> None:
    told = list(fees)
    order.shuffle(told)  # type: ignore[attr-defined]  # a random of Hypothesis
    assert over_the_ceiling(told, CHILDREN, CEILINGS) == over_the_ceiling(fees, CHILDREN, CEILINGS)


@given(FEES, FEES)
def test_one_more_fee_never_lowers_what_goes_back(fees: list[PaidFee], more: list[PaidFee]) -> None:
    seen = {fee.production_id for fee in fees}
    both = fees + [fee for fee in more if fee.production_id not in seen]
    before, after = (sum(over_the_ceiling(some, CHILDREN, CEILINGS).values()) for some in (fees, both))
    assert before <= after <= before + sum(fee.amount_cents for fee in both[len(fees) :])


def test_the_fee_of_the_later_day_gives_back_what_lies_above() -> None:
    """Who gets it back is who paid last, whatever the reports are called; of one day it is the later report."""
    child = UUID(int=2)
    early, late = (
        PaidFee(UUID(int=9), GUARDIAN, date(2026, 3, 1), 300_00),
        (UUID(int=8), child, date(2026, 3, 2), 300_00),
    )
    assert over_the_ceiling([PaidFee(*late), early], CHILDREN, CEILINGS) == {(child, GUARDIAN, 2026): 200_00}
    same_day = PaidFee(UUID(int=8), child, date(2026, 3, 1), 300_00)
    assert over_the_ceiling([same_day, early], CHILDREN, CEILINGS) == {(GUARDIAN, GUARDIAN, 2026): 200_00}


def test_who_comes_of_age_counts_alone_from_that_day_on() -> None:
    born_on_leap_day = UUID(int=3)
    eve, day = (
        family_of(PaidFee(UUID(int=9), born_on_leap_day, on, 1), CHILDREN)
        for on in (date(2026, 2, 27), date(2026, 2, 28))
    )
    assert (eve, day) == (GUARDIAN, born_on_leap_day)


def test_a_year_without_a_known_ceiling_gives_nothing_and_the_known_ones_are_data() -> None:
    assert over_the_ceiling([PaidFee(UUID(int=9), GUARDIAN, date(2030, 1, 1), 9_000_00)], {}, CEILINGS) == {}
    assert fee_ceilings()[2026] == 815_00
    assert 2027 not in fee_ceilings()


def test_fees_up_to_the_ceiling_itself_give_nothing_back() -> None:
    to_the_cent = PaidFee(UUID(int=9), GUARDIAN, date(2026, 3, 1), CEILINGS[2026])
    assert over_the_ceiling([to_the_cent], CHILDREN, CEILINGS) == {}
    another = PaidFee(UUID(int=10), GUARDIAN, date(2026, 3, 2), 1)
    assert over_the_ceiling([another, to_the_cent], CHILDREN, CEILINGS) == {(GUARDIAN, GUARDIAN, 2026): 1}
