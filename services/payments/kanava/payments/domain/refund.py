"""The municipal refund (kunnan palautus): what a municipality gets back of its own payments every four years.

Source: seed 001, lines 279–289: from the "sote payment" every four years, by a decrease of service need (morbidity,
absence from work, employment, need of supported housing) and by separately agreed measures, mostly prevention and
wellbeing. The two grounds add up, and a cap bounds their sum.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction

from kanava.common.money import half_up

PERMILLE = 1000
WINDOW_YEARS = 4
FIGURE_YEARS = 2
"""A figure speaks for a day if it was measured at most two years before it."""


class Component(StrEnum):
    """What the need index is made of; each figure rises with need, 1000 being the country's mean."""

    MORBIDITY = "morbidity"
    """Morbidity (sairastavuus)."""
    ABSENCE = "absence"
    """Absence from work (työpoissaolot)."""
    EMPLOYMENT = "employment"
    """People without employment (työllisyys, turned so that it rises with need)."""
    HOUSING = "housing"
    """Need of supported housing (asumisen tukitarve)."""


@dataclass(frozen=True)
class Rule:
    """The incentive principle from a day on, in permille.

    `weights` sum to 1000. `need_share_permille` is what a municipality gets of its own payments for a need that fell
    to nothing; `cap_permille` bounds the refund as a share of its own payments.
    """

    valid_from: date
    weights: Mapping[Component, int]
    need_share_permille: int
    cap_permille: int

    def __post_init__(self) -> None:
        """Refuse a rule that is not one."""
        assert set(self.weights) == set(Component), "every component has its weight"
        assert sum(self.weights.values()) == PERMILLE, "the weights sum to the whole"


@dataclass(frozen=True)
class Figure:
    """A component of a municipality as it was measured on a day; 1000 is the country's mean."""

    component: Component
    measured_on: date
    value_permille: int


@dataclass(frozen=True)
class Measure:
    """An agreed measure that was done, and the share of own payments that it earns."""

    title: str
    done_on: date
    permille: int


@dataclass(frozen=True)
class ComponentStep:
    """One component then and now, with its weight in the index."""

    component: Component
    weight_permille: int
    then_on: date
    then_permille: int
    now_on: date
    now_permille: int


@dataclass(frozen=True)
class Steps:
    """Every step of a refund. An index is in millionths: the weights times the figures, both in permille.

    `need_cents` and `measures_cents` are rounded for the reader; the sum is rounded once, and then capped.
    """

    components: tuple[ComponentStep, ...]
    index_then: int
    index_now: int
    need_decrease_permille: int
    need_share_permille: int
    need_cents: int
    measures: tuple[Measure, ...]
    measures_permille: int
    measures_cents: int
    own_payment_cents: int
    uncapped_cents: int
    cap_permille: int
    cap_cents: int
    amount_cents: int


class FiguresMissing(ValueError):
    """A component has no figure for the beginning or the end of the window; `components` names them."""

    def __init__(self, components: Sequence[Component]) -> None:
        self.components = tuple(components)
        super().__init__("figures are missing: " + ", ".join(components))


def window(last_year: int) -> tuple[date, date]:
    """The four calendar years that end with a year: the first day, and the first day after them."""
    return date(last_year - WINDOW_YEARS + 1, 1, 1), date(last_year + 1, 1, 1)


def refund(
    rule: Rule, components: Sequence[ComponentStep], measures: Sequence[Measure], own_payment_cents: int
) -> Steps:
    """What a municipality gets back: own payments × (decrease of need × its share + measures done), at most the cap.

    The decrease is the part by which the index fell, nothing if it rose. Exact, rounded half up once.
    """
    assert own_payment_cents >= 0, "a municipality paid something or nothing"
    then = sum(one.weight_permille * one.then_permille for one in components)
    now = sum(one.weight_permille * one.now_permille for one in components)
    assert then > 0, "an index is positive"
    decrease = Fraction(max(then - now, 0), then)
    need = own_payment_cents * decrease * Fraction(rule.need_share_permille, PERMILLE)
    done_permille = sum(one.permille for one in measures)
    earned = own_payment_cents * Fraction(done_permille, PERMILLE)
    cap_cents = own_payment_cents * rule.cap_permille // PERMILLE
    uncapped_cents = half_up(need + earned)
    amount_cents = min(uncapped_cents, cap_cents)
    assert 0 <= amount_cents <= own_payment_cents, "nobody gets back more than they paid"
    return Steps(
        components=tuple(components),
        index_then=then,
        index_now=now,
        need_decrease_permille=half_up(decrease * PERMILLE),
        need_share_permille=rule.need_share_permille,
        need_cents=half_up(need),
        measures=tuple(measures),
        measures_permille=done_permille,
        measures_cents=half_up(earned),
        own_payment_cents=own_payment_cents,
        uncapped_cents=uncapped_cents,
        cap_permille=rule.cap_permille,
        cap_cents=cap_cents,
        amount_cents=amount_cents,
    )


def compared_components(rule: Rule, figures: Sequence[Figure], begins: date, ends: date) -> list[ComponentStep]:
    """The newest figure of each component for the two days; of the same day the later in order counts.

    Raises `FiguresMissing` for components without one that is fresh enough.
    """
    then = {component: _speaking(figures, component, begins) for component in Component}
    now = {component: _speaking(figures, component, ends) for component in Component}
    missing = [component for component in Component if then[component] is None or now[component] is None]
    if missing:
        raise FiguresMissing(missing)
    return [
        ComponentStep(
            component, rule.weights[component], old.measured_on, old.value_permille, new.measured_on, new.value_permille
        )
        for component in Component
        if (old := then[component]) is not None and (new := now[component]) is not None
    ]


def _speaking(figures: Sequence[Figure], component: Component, day: date) -> Figure | None:
    oldest = day.replace(year=day.year - FIGURE_YEARS)
    fresh = [one for one in figures if one.component is component and oldest <= one.measured_on <= day]
    return max(enumerate(fresh), key=lambda place: (place[1].measured_on, place[0]))[1] if fresh else None
