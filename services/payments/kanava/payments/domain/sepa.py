"""What a SEPA credit transfer may say: its characters, its names, and the two kinds of structured reference.

Sources: EPC217-08 (SEPA requirements for an extended character set, conversion to the basic set), ISO 11649
(RF creditor reference), and the Finnish reference number (viitenumero, weights 7-3-1).
"""

import re
import unicodedata
from typing import Literal
from uuid import UUID

from kanava.common.ids import rf_reference, viitenumero

ReferenceKind = Literal["rf", "viitenumero"]

NAME_CHARACTERS = 70
TEXT_CHARACTERS = 140
_SPELLED = {"ß": "ss", "æ": "ae", "ø": "o", "đ": "d", "ł": "l", "þ": "th", "ð": "d", "œ": "oe", "&": "+", "_": "-"}
_QUOTES = str.maketrans("’‘‚´`“”„«»–—", "'''''" + "'''''" + "--")
_OUTSIDE = re.compile(r"[^A-Za-z0-9/\-?:().,'+ ]")


def sepa_text(text: str, limit: int) -> str:
    """A text in the SEPA character set, at most `limit` characters; what has no equivalent becomes a full stop.

    Cut after the conversion, so that no letter is cut in half; without `//` and without `/` at either end,
    which banks take for a mark of structure. An empty text becomes `NOTPROVIDED`.
    """
    assert limit > 0, "a text has room"
    spelled = "".join(_spelled(letter) for letter in text.translate(_QUOTES))
    plain = unicodedata.normalize("NFKD", spelled)
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    plain = re.sub(r"/{2,}", "/", re.sub(r"\s+", " ", _OUTSIDE.sub(".", re.sub(r"\s", " ", plain))))
    cut = plain.strip(" /")[:limit].strip(" /")
    assert len(cut) <= limit, "a text was not cut"
    return cut or "NOTPROVIDED"[:limit]


def _spelled(letter: str) -> str:
    small = _SPELLED.get(letter.lower())
    if small is None:
        return letter
    return small.upper() if letter.isupper() else small


def structured_reference(statement_id: UUID, kind: ReferenceKind) -> str:
    """The reference of a statement's payment: RF (ISO 11649) or viitenumero, as the producer asked for.

    Both carry the same 15 digits of the statement's id and the check digit of 7-3-1, at most 20 digits.
    """
    base = 10**14 + statement_id.int % 10**14
    return viitenumero(base) if kind == "viitenumero" else rf_reference(base)
