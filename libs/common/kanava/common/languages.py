"""The three languages of what a person reads: which one, the texts of it, and how it writes money and months."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from importlib.resources import files
from typing import Literal, get_args

from babel import Locale
from babel.dates import format_date, format_skeleton
from babel.numbers import format_currency, format_decimal

from .money import CENTS_PER_EURO

Language = Literal["fi", "sv", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
LOCALES: Mapping[str, Locale] = {
    "fi": Locale("fi", "FI"),
    "sv": Locale("sv", "FI"),
    "en": Locale("en", "150"),
}
"""How each language writes numbers and days in Finland; English as it is written in Europe."""
MAX_LANGUAGES_ASKED = 20


def chosen_language(asked: str | None, accept_language: str | None) -> Language:
    """The language that was asked for, else the first known one that the browser prefers, else Finnish."""
    for language in LANGUAGES:
        if asked == language:
            return language
    weighted = []
    for number, part in enumerate((accept_language or "").split(",")[:MAX_LANGUAGES_ASKED]):
        name, _, quality = part.strip().partition(";q=")
        weighted.append((-_weight(quality), number, name.strip().lower().split("-")[0]))
    preferred = [name for weight, _, name in sorted(weighted) if weight < 0]
    return next((language for name in preferred for language in LANGUAGES if name == language), LANGUAGES[0])


def _weight(quality: str) -> int:
    """A quality of RFC 9110 in thousandths; 1000 where none is given, 0 where it cannot be read."""
    whole, _, rest = quality.partition(".")
    if not quality:
        return 1000
    digits = f"{whole}{rest[:3]:0<3}"
    return int(digits) if digits.isascii() and digits.isdigit() else 0


def money_text(cents: int, language: str) -> str:
    """Cents as euros as the language writes them: `1 234,56 €`, in English `1,234.56 €`; exact, nothing is rounded."""
    written = format_currency(Decimal(cents) / CENTS_PER_EURO, "EUR", locale=LOCALES[language])
    return written.replace("-", "\N{MINUS SIGN}")


def thousandths_text(thousandths: int, language: str) -> str:
    """Thousandths as a number: `1,25`."""
    return format_decimal(Decimal(thousandths) / 1000, format="#,##0.0##", locale=LOCALES[language])


def month_name(day: date, language: str) -> str:
    """The month of a day in words: `marraskuu 2026`."""
    return format_skeleton("yMMMM", day, locale=LOCALES[language])


def day_text(day: date, language: str) -> str:
    """A day in words: `3. marraskuuta 2026`."""
    return format_date(day, "long", locale=LOCALES[language])


@dataclass(frozen=True)
class Texts:
    """Texts by key, each in all three languages."""

    by_key: Mapping[str, Mapping[str, str]]

    def __post_init__(self) -> None:
        """`ValueError` for a text that lacks a language or is empty, when the service starts."""
        for key, text in self.by_key.items():
            if set(text) != set(LANGUAGES) or not all(one.strip() for one in text.values()):
                raise ValueError(f"the text {key} is not in every language")

    def text(self, key: str, language: str, **filled: object) -> str:
        """A text with what is filled in; `KeyError` for one that nobody wrote."""
        return self.by_key[key][language].format(**filled)


def read_texts(*packages: str) -> Texts:
    """The texts of packages, from `texts/*.json` in each; `ValueError` where two have the same key."""
    found: dict[str, Mapping[str, str]] = {}
    for package in packages:
        for file in sorted(files(package).joinpath("texts").iterdir(), key=lambda one: one.name):
            read: dict[str, Mapping[str, str]] = json.loads(file.read_text(encoding="utf-8"))
            if twice := found.keys() & read.keys():
                raise ValueError(f"{file.name} has texts that another file has: {sorted(twice)}")
            found |= read
    return Texts(found)
