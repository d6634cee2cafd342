"""An order is priced by the organiser and encumbers lines of the year's budget."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from kanava.registry.domain.orders import OrderedLine, broken_by_lines, broken_by_year, total_cents

TODAY = date(2026, 10, 15)
PRICES = {("MTP", "hoidettu_asiakas"): 250_000, ("SOS.1.1", "kaynti"): 4_500}


def line(node: str = "SOS.1.1", unit: str = "kaynti", budget_line: str | None = None) -> OrderedLine:
    return OrderedLine(node, unit, 10, budget_line)


def test_a_year_is_this_one_or_one_of_the_next() -> None:
    assert broken_by_year(2026, date(2026, 11, 1), TODAY) == broken_by_year(2028, date(2028, 1, 1), TODAY) == []
    assert [one.rule for one in broken_by_year(2025, date(2025, 1, 1), TODAY)] == ["year_in_range"]
    assert [one.rule for one in broken_by_year(2029, date(2029, 1, 1), TODAY)] == ["year_in_range"]
    assert [one.rule for one in broken_by_year(2027, date(2026, 12, 31), TODAY)] == ["day_of_year"]


def test_a_line_stands_once_with_a_price_and_a_line_of_the_budget() -> None:
    assert broken_by_lines([line(budget_line="2"), line("MTP", "hoidettu_asiakas")], PRICES, {"2"}) == []
    broken = broken_by_lines([line(), line(), line(unit="suorite", budget_line="9")], PRICES, {"2"})
    assert [(one.pointer, one.rule) for one in broken] == [
        ("/lines/1/node", "line_once"),
        ("/lines/2/node", "priced_by_organiser"),
        ("/lines/2/budget_line", "line_of_budget"),
    ]


@given(st.integers(1, 10**8), st.integers(1, 10**8))
def test_an_order_costs_its_volumes_at_the_organisers_prices(visits: int, clients: int) -> None:
    lines = [OrderedLine("SOS.1.1", "kaynti", visits, None), OrderedLine("MTP", "hoidettu_asiakas", clients, None)]
    assert total_cents(lines, PRICES) == visits * 4_500 + clients * 250_000
    assert total_cents(lines, PRICES) == total_cents(lines[::-1], PRICES)
