"""How wide the band of a forecast is, and by how much a surprise moves it: the numbers of the method, by hand."""

from collections.abc import Sequence
from fractions import Fraction
from random import Random

import pytest

from kanava.payments.domain.forecast import HORIZON, Flow, forecast, outflow_path
from tests.payments.domain.test_forecast import JANUARY, history

COVERAGE = Fraction(4, 5)


def uneven(months: int) -> list[int]:
    """What goes out in months that surprise, always the same."""
    random = Random(7)
    return [100_000_00 + random.randrange(40_000_00) for _ in range(months)]


def missed(outflows: Sequence[int], first: int) -> list[list[int]]:
    """By horizon, how far the running sum was from each earlier forecast, from the one after `first` months on."""
    found: list[list[int]] = [[] for _ in range(HORIZON)]
    for known in range(first, len(outflows)):
        path, _ = outflow_path(outflows[:known])
        gone = 0
        for ahead, cents in enumerate(outflows[known : known + HORIZON]):
            gone += cents - path[ahead]
            found[ahead].append(abs(gone))
    return found


def edge(misses: Sequence[Fraction | int]) -> Fraction:
    """Below which four of five new misses fall: of n known ones, a new one is as likely in each of n + 1 gaps."""
    count = len(misses)
    place = COVERAGE * Fraction(count + 1, count) * (count - 1)
    ordered, below = sorted(misses), int(place)
    return ordered[below] + (ordered[below + 1] - ordered[below]) * (place - below)


def within(misses: Sequence[Fraction | int], width: float) -> int:
    """How many of them the band holds; half a cent of each month is rounding."""
    return sum(one <= width + HORIZON for one in misses)


def test_the_band_holds_four_of_five_and_a_little_more_as_the_misses_are_few() -> None:
    outflows = uneven(48)
    misses, (_, widths) = missed(outflows, 24), outflow_path(outflows)
    assert [len(one) for one in misses] == list(range(24, 12, -1))
    assert within(misses[0], widths[0]) == 20, "of 24"
    assert within(misses[11], widths[11]) == 11, "of 13"
    assert widths[0] == pytest.approx(float(edge(misses[0])), abs=HORIZON)


def test_a_horizon_with_less_than_eight_misses_borrows_those_of_all_by_its_length() -> None:
    """After three years the forecasts of one are known: twelve for the next month, one for a year ahead."""
    outflows = uneven(36)
    misses, (_, widths) = missed(outflows, 24), outflow_path(outflows)
    each_month = [Fraction(cents, ahead + 1) for ahead, found in enumerate(misses) for cents in found]
    own, borrowed = [edge(misses[ahead]) for ahead in range(5)], edge(each_month)
    expected = [*own, *((ahead + 1) * borrowed for ahead in range(5, HORIZON))]
    assert (len(misses[4]), len(each_month)) == (8, 78)
    assert widths == pytest.approx([float(max(expected[: ahead + 1])) for ahead in range(HORIZON)], abs=HORIZON)
    assert expected[4] != 5 * borrowed, "five months ahead has eight misses, which are enough"


def test_before_two_years_the_band_rests_on_the_months_after_the_first() -> None:
    outflows = uneven(23)
    misses, (_, widths) = missed(outflows, 12), outflow_path(outflows)
    assert within(misses[0], widths[0]) == 9, "of 11"
    assert widths[0] == pytest.approx(float(edge(misses[0])), abs=HORIZON)


def test_where_next_to_nothing_is_known_the_band_holds_all_that_was_missed() -> None:
    """After fourteen months there are three misses; no fourth could be told to be within less than all of them."""
    outflows = uneven(14)
    misses, (_, widths) = missed(outflows, 12), outflow_path(outflows)
    each_month = [Fraction(cents, ahead + 1) for ahead, found in enumerate(misses) for cents in found]
    assert len(each_month) == 3
    assert widths == pytest.approx([float((ahead + 1) * max(each_month)) for ahead in range(HORIZON)], abs=HORIZON)


def test_without_a_forecast_that_can_be_looked_at_there_is_no_band() -> None:
    assert outflow_path(uneven(12))[1] == [0] * HORIZON


def test_a_surprise_moves_the_level_by_a_fifth_its_season_by_an_eighth_and_little_of_it_goes_on() -> None:
    """100 € more than ever: 20 € stay, a trend of 1 € fades by a twentieth a month, 12 € come back in a year."""
    path, _ = outflow_path([100_00] * 47 + [200_00])
    fading = [sum(100 * 0.95**n for n in range(1, ahead + 1)) for ahead in range(1, HORIZON + 1)]
    assert path == pytest.approx([120_00 + cents + 12_00 * (n == 11) for n, cents in enumerate(fading)], abs=1)


def test_what_was_paid_less_than_guessed_and_went_out_more_than_foreseen_is_missed_together() -> None:
    """Both took from the balance, so the band is as wide as their sum and not as their difference."""
    outflows = [100_00] * 36 + [160_00] + [100_00] * 11
    months = history(outflows, 500_00)
    short = [Flow(one.month, 440_00 if n == 36 else 500_00, one.outflow_cents) for n, one in enumerate(months)]
    guessed, plain = (forecast(past, 0, {}) for past in (short, months))
    assert guessed[-1].month.year == JANUARY.year + 4
    assert guessed[-1].high_cents - guessed[-1].low_cents > plain[-1].high_cents - plain[-1].low_cents
