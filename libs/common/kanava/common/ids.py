"""Identifiers of the field: how each is checked, and how derived ids are made.

HETU (henkilötunnus), Y-tunnus (business id), OID of the SOTE organisation register, IBAN, viitenumero and
RF reference (ISO 11649), municipality and area codes. Every check raises `ValueError` with the rule it broke.
"""

import hashlib
import re
from functools import lru_cache
from uuid import UUID

from stdnum import iban as stdnum_iban
from stdnum import iso11649
from stdnum.exceptions import ValidationError
from stdnum.fi import hetu as stdnum_hetu
from stdnum.fi import ytunnus as stdnum_ytunnus

AREA_CODES = frozenset([f"{number:02d}" for number in range(1, 22)] + ["90"])
"""The 21 wellbeing services counties (hyvinvointialue) and Helsinki."""

_OID = re.compile(r"1\.2\.246\.10\.([1-9]\d{6,7})\.10\.(0|[1-9]\d{0,6})")
_HETU = re.compile(r"[0-9]{6}[-+A-FU-Ya-fu-y][0-9]{3}[0-9A-Ya-y]")
_VIITE_WEIGHTS = (7, 3, 1)


def derived_id(*parts: object) -> UUID:
    """A UUID that depends on its parts alone, so that a repeated run names its rows alike."""
    digest = hashlib.sha256("\x1f".join(str(part) for part in parts).encode()).digest()
    return UUID(bytes=digest[:16], version=5)


def valid_hetu(value: str) -> str:
    """A HETU with any century sign, upper case; 900–999 numbers are allowed, being what a sandbox uses."""
    try:
        return str(stdnum_hetu.validate(value, allow_temporary=True))
    except ValidationError as error:
        raise ValueError("not a valid HETU") from error


def holds_hetu(text: str) -> bool:
    """Whether a text holds a valid HETU anywhere."""
    for match in _HETU.finditer(text):
        try:
            valid_hetu(match[0].upper())
        except ValueError:
            continue
        return True
    return False


def valid_business_id(value: str) -> str:
    """A Y-tunnus in its written form, `1234567-1`."""
    try:
        digits = stdnum_ytunnus.validate(value)
    except ValidationError as error:
        raise ValueError("not a valid Y-tunnus") from error
    return f"{digits[:7]}-{digits[7]}"


def organisation_oid(business_id: str, number: int = 0) -> str:
    """The OID of an organisation (`number` 0) or of its unit in the SOTE organisation register."""
    return f"1.2.246.10.{valid_business_id(business_id).replace('-', '').lstrip('0')}.10.{number}"


@lru_cache(maxsize=4096)
def valid_oid(value: str) -> str:
    """An OID of the SOTE organisation register whose Y-tunnus has a right check digit."""
    match = _OID.fullmatch(value)
    if match is None:
        raise ValueError("not an OID of the SOTE organisation register")
    valid_business_id(match[1].zfill(8))
    return value


def valid_iban(value: str) -> str:
    """An IBAN without spaces."""
    try:
        return str(stdnum_iban.validate(value))
    except ValidationError as error:
        raise ValueError("not a valid IBAN") from error


def valid_area(value: str) -> str:
    """The code of a sote area: `01`–`21` or `90`."""
    if value not in AREA_CODES:
        raise ValueError("not the code of a sote area")
    return value


def valid_municipality(value: str) -> str:
    """The code of a municipality: three digits."""
    if not re.fullmatch(r"[0-9]{3}", value):
        raise ValueError("not a municipality code of three digits")
    return value


def viitenumero(base: int) -> str:
    """The Finnish reference number of `base`: its digits and a check digit by the weights 7-3-1."""
    digits = str(base)
    weighted = sum(int(d) * _VIITE_WEIGHTS[i % 3] for i, d in enumerate(reversed(digits)))
    return f"{digits}{-weighted % 10}"


def rf_reference(base: int) -> str:
    """The structured RF reference (ISO 11649) of the viitenumero of `base`."""
    core = viitenumero(base)
    remainder = int(f"{core}2715" + "00") % 97
    reference = f"RF{98 - remainder:02d}{core}"
    assert iso11649.is_valid(reference), "an RF reference failed its own check"
    return reference
