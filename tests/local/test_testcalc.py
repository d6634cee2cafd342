"""The test calculation on the command line: to the cent, for everybody who can be asked, and clear when not."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kanava.local.commands_testcalc import app
from kanava.payments.figures import populations

ESPOO_CENTS, UUSIMAA_CENTS = 110_562_958_095, 627_865_795_938
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
