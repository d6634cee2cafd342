"""Names and references fit into a SEPA credit transfer."""

import re
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import iso11649

from kanava.payments.domain.sepa import NAME_CHARACTERS, sepa_text, structured_reference

ALLOWED = re.compile(r"[A-Za-z0-9/\-?:().,'+ ]+")


@given(st.text(), st.integers(1, 140))
def test_a_text_is_in_the_character_set_and_not_too_long(text: str, limit: int) -> None:
    found = sepa_text(text, limit)
    assert 1 <= len(found) <= limit
    assert ALLOWED.fullmatch(found)
    assert "//" not in found
    assert not found.startswith(("/", " "))
    assert not found.endswith(("/", " "))
    assert sepa_text(found, limit) == found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Hämeenlinnan Hyvä Olo Oy", "Hameenlinnan Hyva Olo Oy"),
        ("Ålands Hälso- och Sjukvård", "Alands Halso- och Sjukvard"),
        ("Šeri & Poika Ky", "Seri + Poika Ky"),
        ("Straße ’95’", "Strasse '95'"),
        ("//Oy  Ab//", "Oy Ab"),
        ("Лекарь", "......"),
        (" \n\t ", "NOTPROVIDED"),
    ],
)
def test_letters_become_their_nearest(text: str, said: str) -> None:
    assert sepa_text(text, NAME_CHARACTERS) == said


def test_a_letter_that_becomes_two_is_not_cut_in_half() -> None:
    assert sepa_text("a" * 69 + "ß", NAME_CHARACTERS) == "a" * 69 + "s"
    assert len(sepa_text("é" * 300, NAME_CHARACTERS)) == NAME_CHARACTERS


@given(st.uuids())
def test_references_have_their_check_digits(statement_id: UUID) -> None:
    reference = structured_reference(statement_id, "rf")
    viite = structured_reference(statement_id, "viitenumero")
    assert iso11649.is_valid(reference)
    assert len(reference) <= 25
    assert viite.isdigit()
    assert 4 <= len(viite) <= 20
    weighted = sum(int(digit) * (7, 3, 1)[place % 3] for place, digit in enumerate(reversed(viite[:-1])))
    assert (weighted + int(viite[-1])) % 10 == 0
    assert reference.endswith(viite), "both are the same number"


def test_a_reference_keeps_the_leading_zeros_of_its_statement() -> None:
    assert structured_reference(UUID(int=7), "viitenumero")[:-1] == "100000000000007"
    assert len({len(structured_reference(UUID(int=10**n), "viitenumero")) for n in range(15)}) == 1


def test_a_slash_stands_alone_and_inside_and_takes_no_room_at_the_ends() -> None:
    """Banks take `//` and a slash at an end for a mark of structure."""
    assert [sepa_text(text, 10) for text in ("A//B", "A////B", "A/B")] == ["A/B"] * 3
    assert sepa_text("/ABCDE", 5) == "ABCDE"
    assert sepa_text("ABCD/E", 5) == "ABCD"


def test_letters_that_are_spelled_keep_their_size() -> None:
    assert sepa_text("Ærø & Đak", 20) == "AEro + Dak"
