"""The back-test on the command line: over 24 seeded months the forecast is better and its band is honest."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kanava.local.commands_forecast import app, as_result, seeded_flows


@pytest.mark.parametrize("seed", [1, 2, 3, 2026, 31337])
def test_the_forecast_beats_seasonal_naive_and_its_band_covers_what_it_says(seed: int) -> None:
    result = as_result(seed)
    assert len(result["areas"]) == 22
    assert result["pairs"] == 22 * sum(min(12, 24 - n) for n in range(24))
    assert result["forecast_mae_cents"] < result["naive_mae_cents"]
    assert 700 <= result["covered_permille"] <= 900
    assert 700 <= result["covered_without_plans_permille"] <= 900


def test_the_months_depend_on_seed_and_area_alone() -> None:
    assert seeded_flows(1, "03") == seeded_flows(1, "03")
    assert seeded_flows(1, "03") != seeded_flows(2, "03")
    assert seeded_flows(1, "03") != seeded_flows(1, "04")


def test_the_seeded_funding_differs_from_its_plan_and_from_the_year_before() -> None:
    flows, plans = seeded_flows(1, "03")
    assert [flow.month for flow in flows] == list(plans)
    assert all(flow.inflow_cents != plans[flow.month] for flow in flows)
    assert 0.98 < sum(flow.inflow_cents for flow in flows) / sum(plans.values()) < 1.02
    assert plans[flows[0].month] != plans[flows[12].month]


def test_the_back_test_prints_both_and_writes_them(tmp_path: Path) -> None:
    told = CliRunner().invoke(app, ["--backtest", "--seed", "7", "--json", str(tmp_path / "result.json")])
    assert told.exit_code == 0
    assert "seasonal-naive" in told.output
    result = json.loads((tmp_path / "result.json").read_text())
    assert result["seed"] == 7
    for name in ("covered_permille", "covered_without_plans_permille"):
        assert f"{result[name] / 10:.1f} %" in told.output
