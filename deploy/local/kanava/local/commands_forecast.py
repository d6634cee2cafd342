"""`./kanava forecast`: the cash forecast (kassaennuste) of an area, and its back-test against seasonal-naive."""

import json
import random
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from kanava.common.clock import add_months
from kanava.common.ids import AREA_CODES
from kanava.common.money import euros
from kanava.local.asking import ask
from kanava.payments.domain.forecast import SEASON, Flow, Score, backtest

app = typer.Typer(add_completion=False)
TESTED_MONTHS = 24
HISTORY_MONTHS = 48
FIRST_MONTH = date(2020, 1, 1)
SMALLEST_CENTS, LARGEST_CENTS = 40_000_000_00, 400_000_000_00


def seeded_outflows(seed: int, area: str) -> list[int]:
    """Six years of monthly outflows of an area, in cents: trend, season, correlated noise and one shift of level.

    What is drawn here is drawn without regard to the model: its sizes are those of public budgets, not fitted.
    """
    draw = random.Random(f"{seed}:{area}")
    months = HISTORY_MONTHS + TESTED_MONTHS
    base, growth = draw.randrange(SMALLEST_CENTS, LARGEST_CENTS), draw.uniform(-0.01, 0.05) / SEASON
    size, shape = draw.uniform(0.02, 0.07), [draw.gauss(0, 1) for _ in range(SEASON)]
    shift_at, shift = draw.randrange(SEASON, months - 6), draw.choice((-1, 1)) * draw.uniform(0.02, 0.06)
    spread, noise, outflows = draw.uniform(0.01, 0.025), 0.0, []
    for n in range(months):
        noise = 0.3 * noise + draw.gauss(0, spread)
        factor = 1 + growth * n + size * shape[n % SEASON] + (shift if n >= shift_at else 0) + noise
        outflows.append(int(base * factor))
    return outflows


def seeded_flows(seed: int, area: str) -> tuple[list[Flow], dict[date, int]]:
    """The months of an area with what comes in, and the plans of its years: twelve equal instalments that grow by year.

    The state's nine tenths come as planned, what municipalities and insurance pay of the last tenth varies by month.
    Funding is drawn by itself, as large as what goes out in the first year.
    """
    outflows, draw = seeded_outflows(seed, area), random.Random(f"{seed}:{area}:inflow")
    instalment, flows, plans = sum(outflows[:SEASON]) / SEASON, [], {}
    for n, outflow in enumerate(outflows):
        month = add_months(FIRST_MONTH, n)
        instalment *= 1 + (draw.gauss(0.025, 0.02) if n and n % SEASON == 0 else 0)
        plans[month] = int(instalment)
        flows.append(Flow(month, int(instalment * (0.9 + 0.1 * draw.gauss(1, 0.1))), outflow))
    return flows, plans


def scores_of(seed: int, *, with_plans: bool) -> dict[str, Score]:
    """The back-test of every area over its last 24 months: with each year's plan known, or with none."""
    scores = {}
    for area in sorted(AREA_CODES):
        flows, plans = seeded_flows(seed, area)
        scores[area] = backtest(flows, TESTED_MONTHS, plans if with_plans else {})
    return scores


def as_result(seed: int) -> dict[str, Any]:
    """The result for machines: mean absolute errors of what goes out, in cents, and how many permille of the balances
    were in the band, with plans and with last year's inflow alone; together and by area."""
    scores, planless = (scores_of(seed, with_plans=known) for known in (True, False))

    def one(score: Score, guessed: Score) -> dict[str, int]:
        return {
            "pairs": score.pairs,
            "forecast_mae_cents": score.forecast_cents // score.pairs,
            "naive_mae_cents": score.naive_cents // score.pairs,
            "covered_permille": score.covered_permille,
            "covered_without_plans_permille": guessed.covered_permille,
        }

    nothing = Score(0, 0, 0, 0)
    together = one(sum(scores.values(), nothing), sum(planless.values(), nothing))
    return {
        "seed": seed,
        "tested_months": TESTED_MONTHS,
        "first_tested": add_months(FIRST_MONTH, HISTORY_MONTHS).isoformat(),
        **together,
        "areas": {area: one(score, planless[area]) for area, score in scores.items()},
    }


@app.command()
def forecast(
    area: Annotated[str, typer.Option(help="The area whose account is looked ahead.")] = "03",
    back: Annotated[bool, typer.Option("--backtest", help="Test the model on seeded months instead.")] = False,
    seed: Annotated[int, typer.Option(help="The seed of the back-test's months.")] = 2026,
    result_file: Annotated[Path | None, typer.Option("--json", help="Write the result for machines there.")] = None,
    name: Annotated[str, typer.Option("--profile", help="Whose platform: up or demo.")] = "up",
) -> None:
    """Twelve months of an area's account with an 80 % band; or with --backtest how good the model is."""
    result = as_result(seed) if back else ask(name, "payments", "GET", f"/v1/accounts/{area}/forecast")
    if result_file is not None:
        result_file.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    if back:
        _show_test(result)
    else:
        _show(result)


def _show_test(result: dict[str, Any]) -> None:
    console = Console()
    table = Table(title=f"Back-test over {TESTED_MONTHS} months, seed {result['seed']}", title_justify="left")
    for column in ("area", "forecast, mean error", "seasonal-naive", "balance in the 80 % band", "without plans"):
        table.add_column(column, justify="left" if column == "area" else "right")
    for area, one in [*result["areas"].items(), ("all", result)]:
        errors = (euros(one["forecast_mae_cents"]), euros(one["naive_mae_cents"]))
        covered = (one["covered_permille"], one["covered_without_plans_permille"])
        table.add_row(area, *errors, *(f"{permille / 10:.1f} %" for permille in covered))
    console.print(table)


def _show(result: dict[str, Any]) -> None:
    console = Console()
    table = Table(title=f"Cash forecast (kassaennuste) of area {result['area']}", title_justify="left")
    for column in ("month", "in", "out", "balance", "80 % from", "to"):
        table.add_column(column, justify="left" if column == "month" else "right")
    for one in result["months"]:
        names = ("inflow_cents", "outflow_cents", "balance_cents", "low_cents", "high_cents")
        table.add_row(one["month"], *(euros(one[name]) for name in names))
    console.print(table)
    if result["below_limit_in"]:
        console.print(f"The band reaches the account's limit in {result['below_limit_in']}.")
    if not result["calibrated"]:
        console.print("The history is short: the band is wider or narrower than 80 % until there are 36 months.")
