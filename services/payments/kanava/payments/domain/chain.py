"""The hash chain of an area's book: each entry seals the one before it, its postings and its resident lines."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime

from .chart import Draft, Posting

GENESIS = bytes(32)
"""What the first entry of a book points back to."""


def sealed(previous: bytes, *, area: str, seq: int, booked_at: datetime, draft: Draft) -> bytes:
    """The SHA-256 over the previous hash and the canonical text of an entry."""
    lines = [
        f"{area}|{seq}|{booked_at.astimezone(UTC).isoformat()}|{draft.kind}|{draft.reference}|{draft.text}",
        draft.lines_digest,
        *_canonical(draft.postings),
    ]
    return hashlib.sha256(previous + "\n".join(lines).encode()).digest()


def _canonical(postings: Sequence[Posting]) -> list[str]:
    return [f"{p.account}|{p.party}|{p.component}|{p.amount_cents}" for p in postings]
