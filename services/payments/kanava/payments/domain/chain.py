"""The hash chain of a book: each entry seals the one before it, its postings, its day and its resident lines."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import Enum

from .chart import Draft, Posting

GENESIS = bytes(32)
"""What the first entry of a book points back to."""


class Seal(Enum):
    """What the hash of an entry holds."""

    WITH_DAY = "with_day"
    """The entry and the day to which it belongs (arvopäivä), if that is another than its kind says."""
    WITHOUT_DAY = "without_day"
    """The entry alone: booked before days were sealed."""


def sealed(previous: bytes, *, area: str, seq: int, booked_at: datetime, draft: Draft) -> bytes:
    """The SHA-256 over the previous hash and the canonical text of an entry."""
    return _hash(previous, Seal.WITH_DAY, draft, area=area, seq=seq, booked_at=booked_at)


def seal_of(found: bytes, previous: bytes, *, area: str, seq: int, booked_at: datetime, draft: Draft) -> Seal | None:
    """What a hash that was found seals of an entry; None where it is not the entry's."""
    for seal in Seal:
        if _hash(previous, seal, draft, area=area, seq=seq, booked_at=booked_at) == found:
            return seal
    return None


def _hash(previous: bytes, seal: Seal, draft: Draft, *, area: str, seq: int, booked_at: datetime) -> bytes:
    day = [f"value_date|{draft.value_date or ''}"] if seal is Seal.WITH_DAY else []
    lines = [
        f"{area}|{seq}|{booked_at.astimezone(UTC).isoformat()}|{draft.kind}|{draft.reference}|{draft.text}",
        draft.lines_digest,
        *day,
        *_canonical(draft.postings),
    ]
    return hashlib.sha256(previous + "\n".join(lines).encode()).digest()


def _canonical(postings: Sequence[Posting]) -> list[str]:
    return [f"{p.account}|{p.party}|{p.component}|{p.amount_cents}" for p in postings]
