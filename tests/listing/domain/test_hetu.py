"""HETU: birth date and sex, and agreement with the check that everybody uses."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanava.common.ids import valid_hetu
from kanava.listing.domain.hetu import person_of
from tests.listing.people import hetu_of

BIRTHS = st.dates(date(1850, 1, 1), date(2029, 12, 31))


@given(BIRTHS, st.integers(2, 999))
def test_birth_date_and_sex_are_read_back(birth_date: date, individual: int) -> None:
    person = person_of(hetu_of(birth_date, individual))
    assert person.birth_date == birth_date
    assert person.sex == ("male" if individual % 2 else "female")


@pytest.mark.parametrize("sign", "YXWVU")
def test_every_sign_of_the_last_century_is_known(sign: str) -> None:
    assert person_of(hetu_of(date(1987, 6, 5), 900, sign)).birth_date == date(1987, 6, 5)


@given(st.from_regex(r"[0-3][0-9][01][0-9]{3}[-+ABCDEFYXWVU][09][0-9]{2}[0-9A-Z]", fullmatch=True))
def test_it_accepts_exactly_what_the_common_check_accepts(text: str) -> None:
    assert _accepts(person_of, text) == _accepts(valid_hetu, text)


@pytest.mark.parametrize(
    "text", ["", "131052-9085 ", "131052-9086", "310252-308Y", "131052-001E", "131052-913a"]
)
def test_what_is_no_hetu_is_refused(text: str) -> None:
    assert not _accepts(person_of, text)


def _accepts(check: object, text: str) -> bool:
    assert callable(check)
    try:
        check(text)
    except ValueError:
        return False
    return True
