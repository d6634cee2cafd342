"""Made-up residents for tests and measurements: HETU of the 900–999 range only."""

import base64
import hashlib
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import orjson

_CONTROL = "0123456789ABCDEFHJKLMNPRSTUVWXY"
_SIGNS = {18: "+", 19: "-YXWVU", 20: "ABCDEF"}


def hetu_of(birth_date: date, individual: int, sign: str | None = None) -> str:
    """A HETU with a right control character."""
    digits = f"{birth_date:%d%m%y}{individual:03d}"
    sign = sign or _SIGNS[birth_date.year // 100][0]
    return f"{digits[:6]}{sign}{digits[6:]}{_CONTROL[int(digits) % 31]}"


def hetus(count: int) -> Iterator[str]:
    """Different HETU, one day after the other, the hundred demo numbers of each."""
    for number in range(count):
        day, individual = divmod(number, 100)
        yield hetu_of(date(1930, 1, 1) + timedelta(days=day), 900 + individual)


def line(hetu: str, **changes: Any) -> dict[str, Any]:
    """A line of the feed: somebody who registered in Espoo."""
    return {
        "hetu": hetu,
        "given_names": "Aino Maria",
        "family_name": "Esimerkki",
        "street_address": "Mallikatu 1 A 2",
        "postal_code": "02100",
        "municipality": "049",
        "protected": False,
        "fact": "registered",
        "effective_on": "2026-10-01",
    } | changes


def file_of(*lines: dict[str, Any]) -> bytes:
    """An NDJSON file of the feed."""
    return b"".join(orjson.dumps(one) + b"\n" for one in lines)


def content_digest(body: bytes) -> str:
    """The value of `Content-Digest` (RFC 9530)."""
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"
