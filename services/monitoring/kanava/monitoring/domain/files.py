"""A production file (suoritetiedosto): whether it came whole, and its rows, from CSV or NDJSON."""

import base64
import binascii
import csv
import hashlib
import hmac
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import orjson

from .faults import FileFault, FileRefused, Flaw, RowFault
from .reports import FIELDS, Rejected, Report, kept_fields, kept_value, read_report

FORMATS: Final = {"text/csv": "csv", "application/x-ndjson": "ndjson"}
MAX_FILE_BYTES: Final = 32 * 1024 * 1024
MAX_LINES: Final = 300_000

_SHA_256 = re.compile(r"(?:^|,)\s*sha-256=:([A-Za-z0-9+/]+={0,2}):\s*(?=,|$)")


@dataclass(frozen=True)
class Reading:
    """What a file holds by row number from 1: well-formed reports, and rows rejected for their form."""

    reports: list[tuple[int, Report]]
    rejected: list[Rejected]

    @property
    def rows(self) -> int:
        """How many rows the file has, the header of a CSV not counted."""
        return len(self.reports) + len(self.rejected)


def check_digest(header: str | None, body: bytes) -> None:
    """Refuse a body that is not the one its `Content-Digest` names (RFC 9530, `sha-256=:<base64>:`)."""
    match = _SHA_256.search(header or "")
    if match is None:
        raise FileRefused(FileFault.DIGEST_MISSING)
    try:
        named = base64.b64decode(match[1], validate=True)
    except binascii.Error as error:
        raise FileRefused(FileFault.DIGEST_MISSING) from error
    if not hmac.compare_digest(named, hashlib.sha256(body).digest()):
        raise FileRefused(FileFault.DIGEST_DIFFERS)


def format_of(content_type: str | None) -> str:
    """`csv` or `ndjson` by the Content-Type; `FileRefused` for any other."""
    media_type = (content_type or "").partition(";")[0].strip().lower()
    if media_type not in FORMATS:
        raise FileRefused(FileFault.CONTENT_TYPE)
    return FORMATS[media_type]


def read_file(form: str, body: bytes) -> Reading:
    """The rows of a whole file; `FileRefused` if it is cut, empty, too long or cannot be read."""
    if not body.endswith(b"\n"):
        raise FileRefused(FileFault.CUT if body else FileFault.EMPTY)
    if body.count(b"\n") > MAX_LINES:
        raise FileRefused(FileFault.TOO_MANY_ROWS)
    reading = Reading([], [])
    lines = _csv_rows(body) if form == "csv" else _ndjson_rows(body)
    for number, fields in enumerate(lines, start=1):
        _sort(reading, number, fields)
    if not reading.rows:
        raise FileRefused(FileFault.EMPTY)
    return reading


def _sort(reading: Reading, number: int, fields: dict[str, Any] | None) -> None:
    """Put one row to the reports or to the rejected ones."""
    if fields is None:
        reading.rejected.append(Rejected(number, Flaw(None, RowFault.UNREADABLE), None, None))
        return
    report = read_report(fields)
    if isinstance(report, Flaw):
        reading.rejected.append(Rejected(number, report, kept_value(report, fields), kept_fields(fields)))
    else:
        reading.reports.append((number, report))


def _csv_rows(body: bytes) -> Iterator[dict[str, Any] | None]:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileRefused(FileFault.NOT_UTF8) from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(reader, [])
        if len(set(header)) != len(header) or not set(FIELDS) <= set(header) <= set(Report._fields):
            raise FileRefused(FileFault.HEADER)
        for cells in reader:
            yield dict(zip(header, cells, strict=True)) if len(cells) == len(header) else None
    except csv.Error as error:
        raise FileRefused(FileFault.NOT_CSV) from error


def _ndjson_rows(body: bytes) -> Iterator[dict[str, Any] | None]:
    try:
        body.decode()
    except UnicodeDecodeError as error:
        raise FileRefused(FileFault.NOT_UTF8) from error
    for line in body[:-1].split(b"\n"):
        try:
            fields = orjson.loads(line)
        except orjson.JSONDecodeError:
            fields = None
        yield fields if isinstance(fields, dict) else None
