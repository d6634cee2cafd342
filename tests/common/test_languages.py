"""The three languages: which one is chosen, how each writes money and days, and texts that are whole or refused."""

from datetime import date

import pytest

from kanava.common.languages import (
    LANGUAGES,
    Texts,
    chosen_language,
    day_text,
    money_text,
    month_name,
    thousandths_text,
)


@pytest.mark.parametrize(
    ("asked", "header", "language"),
    [
        ("sv", "en", "sv"),
        (None, "en-GB,en;q=0.9,fi;q=0.8", "en"),
        (None, "de, sv;q=0.5, fi;q=0.9", "fi"),
        (None, "de", "fi"),
        (None, "sv;q=0, en;q=0.001", "en"),
        (None, ",;q=x,,sv;q=,", "sv"),
        (None, None, "fi"),
    ],
)
def test_the_language_is_the_asked_one_or_the_browser_s(asked: str | None, header: str | None, language: str) -> None:
    assert chosen_language(asked, header) == language


def test_amounts_are_written_as_the_language_does() -> None:
    assert money_text(-123_456_78, "fi") == "−123\N{NO-BREAK SPACE}456,78\N{NO-BREAK SPACE}€"
    assert money_text(123_456_78, "en") == "123,456.78\N{NO-BREAK SPACE}€"
    assert money_text(5, "sv") == "0,05\N{NO-BREAK SPACE}€"


def test_months_days_and_numbers_are_written_as_the_language_does() -> None:
    day = date(2026, 11, 3)
    assert [month_name(day, one) for one in LANGUAGES] == ["marraskuu 2026", "november 2026", "November 2026"]
    assert [day_text(day, one) for one in LANGUAGES] == ["3. marraskuuta 2026", "3 november 2026", "3 November 2026"]
    assert [thousandths_text(1_250, one) for one in LANGUAGES] == ["1,25", "1,25", "1.25"]


@pytest.mark.parametrize("text", [{"fi": "a", "sv": "b"}, {"fi": "a", "sv": "b", "en": " "}, {}])
def test_a_text_without_every_language_is_refused_at_once(text: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="greeting"):
        Texts({"greeting": text})


def test_a_text_is_filled_in_and_one_that_nobody_wrote_is_no_text() -> None:
    texts = Texts({"greeting": {"fi": "Hei {name}", "sv": "Hej {name}", "en": "Hello {name}"}})
    assert texts.text("greeting", "sv", name="Aino") == "Hej Aino"
    with pytest.raises(KeyError):
        texts.text("farewell", "sv")
