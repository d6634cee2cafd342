"""The test calculation on the command line: to the cent, for everybody who can be asked, and clear when not."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from kanava.local.commands_testcalc import app
from kanava.payments.figures import populations

ESPOO_CENTS, UUSIMAA_CENTS, FINLAND_CENTS = 110_562_958_095, 627_865_795_938, 2_152_771_689_672
MUNICIPALITIES = sorted(code for kind, code in populations() if kind == "municipality")
AREAS = [*(f"{number:02d}" for number in range(1, 22)), "90"]


def asked(*words: str) -> tuple[int, str]:
    """The exit code and everything that was printed."""
    result = CliRunner().invoke(app, list(words))
    return result.exit_code, result.output


@pytest.mark.parametrize(
    ("words", "euros"),
    [(("--municipality", "049"), "1,105,629,580.95 €"), (("--area", "uusimaa"), "6,278,657,959.38 €")],
)
def test_the_decree_costs_what_is_published_to_the_cent(words: tuple[str, ...], euros: str) -> None:
    code, told = asked("--rates", "vos_2022", *words)
    assert code == 0
    assert euros in told


def test_each_of_the_26_municipalities_can_be_asked_and_together_they_are_uusimaa(tmp_path: Path) -> None:
    assert len(MUNICIPALITIES) == 26
    total_cents = 0
    for municipality in MUNICIPALITIES:
        file = tmp_path / f"{municipality}.json"
        code, _ = asked("--rates", "vos_2022", "--municipality", municipality, "--json", str(file))
        assert code == 0
        total_cents += json.loads(file.read_text())["total_cents"]
    assert total_cents == UUSIMAA_CENTS


@pytest.mark.parametrize("area", AREAS)
def test_every_sote_area_can_be_asked(area: str) -> None:
    code, told = asked("--rates", "vos_2022", "--area", area)
    assert code == 0
    assert "€" in told


def test_the_file_for_machines_has_the_total_and_the_bands(tmp_path: Path) -> None:
    file = tmp_path / "espoo.json"
    asked("--rates", "vos_2022", "--municipality", "049", "--json", str(file))
    result = json.loads(file.read_text())
    assert result["total_cents"] == ESPOO_CENTS == sum(band["total_cents"] for band in result["bands"])
    assert result["residents"] == 292_796


def test_the_demo_rates_are_127_euros_a_resident_and_said_to_be_illustrative(tmp_path: Path) -> None:
    file = tmp_path / "demo.json"
    code, told = asked("--rates", "demo", "--municipality", "049", "--json", str(file))
    result = json.loads(file.read_text())
    assert code == 0
    assert "Illustrative" in told
    assert round(result["total_cents"] / result["residents"]) == 127_00


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--municipality", "999"), "There is no municipality '999'"),
        (("--area", "91"), "There is no area '91'"),
        (("--area", "00"), "There is no area '00'"),
        (("--municipality", "049", "--rates", "vos_1999"), "There is no rate table 'vos_1999'"),
        ((), "Name either a municipality"),
        (("--municipality", "049", "--area", "03"), "Name either a municipality"),
    ],
)
def test_what_is_not_known_is_said_in_a_sentence_with_exit_code_2(
    words: tuple[str, ...], sentence: str
) -> None:
    code, told = asked(*words)
    assert code == 2
    assert sentence in told


def compared(file: Path, *words: str) -> dict[str, Any]:
    """The comparison as it is written for machines."""
    code, told = asked("--rates", "vos_2022", "--compare", *words, "--json", str(file))
    assert code == 0, told
    assert "suoritekorvaus" in told
    found: dict[str, Any] = json.loads(file.read_text())
    return found


@pytest.mark.parametrize(
    ("words", "cents", "pots"),
    [
        (("--municipality", "049"), ESPOO_CENTS, 1),
        (("--area", "uusimaa"), UUSIMAA_CENTS, 5),
        (("--area", "finland"), FINLAND_CENTS, 22),
    ],
)
def test_the_methods_share_the_same_money_side_by_side(
    tmp_path: Path, words: tuple[str, ...], cents: int, pots: int
) -> None:
    found = compared(tmp_path / "compared.json", *words)
    assert {name: one["total_cents"] for name, one in found["methods"].items()} == {
        "none": cents,
        "coefficient": cents,
        "performance": cents,
    }
    assert len(found["pots"]) == pots
    coefficient = found["methods"]["coefficient"]
    assert coefficient["winners"]
    assert coefficient["losers"]
    assert sum(one["difference_cents"] for one in coefficient["producers"]) == 0
    assert "Illustrative" in found["source"]


def test_on_top_the_totals_differ_and_own_groups_can_be_given(tmp_path: Path) -> None:
    own = {
        "source": "Ours",
        "groups": [
            {
                "name": "all", "share_permille": {"0": 1}, "coefficient_permille": 1100,
                "services_permille": {"0": 1000}, "fee_cents": 10_00,
            }
        ],
        "producers": [{"name": "only", "weight": {"0": 1}, "draws": {}}],
    }  # fmt: skip
    (tmp_path / "groups.json").write_text(json.dumps(own))
    groups = ("--groups", str(tmp_path / "groups.json"))
    found = compared(tmp_path / "c.json", "--municipality", "049", "--on-top", *groups)
    totals = {name: one["total_cents"] for name, one in found["methods"].items()}
    assert totals["coefficient"] - ESPOO_CENTS == -(-ESPOO_CENTS // 10)
    assert totals["performance"] - ESPOO_CENTS == 292_796 * 10_00
    (tmp_path / "groups.json").write_text("no JSON")
    assert "not of their form" in asked("--compare", "--municipality", "049", *groups)[1]
    (tmp_path / "groups.json").write_text("{}")
    code, told = asked("--compare", "--municipality", "049", *groups)
    assert code == 2
    assert "not of their form" in told
