"""The checks of a page's structure find faults, and the colours of the style sheets have contrast."""

import re
from importlib.resources import files

import pytest

from tests.support.browsing import Page
from tests.support.structure import contrast, faults, tokens

TEXT, LARGE_OR_BORDER = 4.5, 3.0
PAIRS = {
    ("ink", "paper"): TEXT,
    ("ink", "ground"): TEXT,
    ("ink", "note"): TEXT,
    ("ink-soft", "paper"): TEXT,
    ("ink-soft", "ground"): TEXT,
    ("accent", "paper"): TEXT,
    ("accent", "ground"): TEXT,
    ("accent-dark", "paper"): TEXT,
    ("accent-dark", "ground"): TEXT,
    ("on-accent", "accent"): TEXT,
    ("on-accent", "accent-dark"): TEXT,
    ("edge", "paper"): LARGE_OR_BORDER,
    ("edge", "ground"): LARGE_OR_BORDER,
    ("note-edge", "note"): LARGE_OR_BORDER,
}
"""Colours that stand on one another, and the contrast that WCAG 2.1 AA asks of them."""
DECORATION = {"line"}
"""Lines that only repeat what the space says."""

GOOD = """<!doctype html>
<html lang="fi"><head><title>Otsikko – Kanava</title><meta name="viewport" content="width=device-width"></head>
<body><a href="#content">Sisältöön</a><header>Kanava</header><main id="content"><h1>Otsikko</h1>
<label for="month">Kuukausi</label><select id="month"><option>1</option></select>
<table role="table"><caption>Rivit</caption><thead role="rowgroup"><tr role="row"><th role="columnheader" scope="col">A
</th></tr></thead><tbody role="rowgroup"><tr role="row"><td role="cell" data-label="A">1</td></tr></tbody></table>
</main><footer>Loppu</footer></body></html>"""


def style_sheets() -> dict[str, str]:
    """The style sheets of all packages by name."""
    folders = [files(package).joinpath("static") for package in ("kanava.common", "kanava.payments")]
    found = [one for folder in folders for one in folder.iterdir() if one.name.endswith(".css")]
    return {one.name: one.read_text(encoding="utf-8") for one in found}


@pytest.mark.parametrize(("pair", "least"), PAIRS.items())
def test_colours_that_are_used_together_have_contrast(pair: tuple[str, str], least: float) -> None:
    known = tokens(style_sheets()["kanava.css"])
    assert contrast(known[pair[0]], known[pair[1]]) >= least


def test_every_colour_is_a_token_and_every_token_is_in_a_pair() -> None:
    sheets = style_sheets()
    known = tokens(sheets["kanava.css"])
    assert known.keys() == {name for pair in PAIRS for name in pair} | DECORATION
    for name, sheet in sheets.items():
        rules = re.sub(r":root \{.*?\}", "", sheet, flags=re.DOTALL)
        assert re.findall(r"#[0-9a-fA-F]{3,8}\b|rgb|hsl", rules) == [], name
        assert "url(" not in sheet, "nothing is loaded from elsewhere"
        assert "outline: none" not in rules.replace("main:focus { outline: none; }", ""), name


def test_the_contrast_is_that_of_the_standard() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005), "a grey that just fails"


def test_a_good_page_has_no_fault() -> None:
    assert faults(Page(GOOD)) == []


@pytest.mark.parametrize(
    ("good", "bad", "fault"),
    [
        ('lang="fi"', "", "language"),
        ("<!doctype html>", "", "doctype"),
        ("Otsikko – Kanava", "Kanava", "title"),
        ("width=device-width", "width=device-width, maximum-scale=1", "enlarged"),
        ("<footer>Loppu</footer>", "", "footer"),
        ("#content", "#elsewhere", "first link"),
        ('id="month"', 'id="content"', "twice"),
        ("<h1>Otsikko</h1>", "<h1>Otsikko</h1><h3>Alaotsikko</h3>", "level 3"),
        ("<h1>Otsikko</h1>", "<h2>Otsikko</h2>", "first heading"),
        ('for="month"', 'for="content"', "without a label"),
        ("<caption>Rivit</caption>", "", "caption"),
        (' scope="col"', "", "scope"),
        (' role="cell"', "", "role"),
        (' data-label="A"', "", "no name on a phone"),
        (">Sisältöön<", "><", "<a> without a name"),
        ("<h1>", '<nav><p>x</p></nav><h1 style="x">', "navigation"),
        ("<h1>", '<h1 onclick="x">', "script or style"),
        ("</head>", '<link href="https://cdn.example/x.css"></head>', "elsewhere"),
        ("<h1>", '<h1 aria-labelledby="nowhere">', "not there"),
    ],
)
def test_a_fault_is_found(good: str, bad: str, fault: str) -> None:
    assert good in GOOD
    found = faults(Page(GOOD.replace(good, bad)))
    assert any(fault in one for one in found), found
