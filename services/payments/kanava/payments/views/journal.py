"""The journal (päiväkirja) of an area and period as CSV, row by row, and as Parquet by way of a file.

Whatever its length, a part of it is in memory at a time.
"""

import asyncio
import csv
import io
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, date
from pathlib import Path

from arro3.core import DataType, Field, Schema
from arro3.io import read_csv, write_parquet
from psycopg.rows import DictRow

from kanava.common.db import Tx

from ..chart_text import meaning
from .dated import DATED_ENTRIES

ROWS_PER_CHUNK = 1000
ROWS_PER_GROUP = 65_536
CHUNK_BYTES = 262_144

COLUMNS = (
    *("area", "seq", "entry_id", "kind", "booked_at", "value_date", "text", "reference", "number", "account"),
    *("account_name", "party", "component", "debit_cents", "credit_cents"),
)
_TYPES = {
    "seq": DataType.int64(),
    "number": DataType.int16(),
    "booked_at": DataType.timestamp("us", tz="UTC"),
    "value_date": DataType.date32(),
    "debit_cents": DataType.int64(),
    "credit_cents": DataType.int64(),
}
_MAY_BE_EMPTY = ("text", "party", "component")
"""What is an empty text in CSV is no value in Parquet."""


@dataclass(frozen=True)
class Period:
    """An area and the days, both included, to which the entries of a journal belong."""

    area: str
    first: date
    last: date


_JOURNAL = f"""
SELECT d.*, p.number, p.account, p.party, p.component, greatest(p.amount_cents, 0) AS debit_cents,
       greatest(-p.amount_cents, 0) AS credit_cents
FROM ({DATED_ENTRIES}) d JOIN posting p ON p.area = d.area AND p.seq = d.seq
WHERE d.value_date BETWEEN %(first)s AND %(last)s ORDER BY d.seq, p.number
"""


async def journal_csv(tx: Tx, period: Period) -> AsyncIterator[bytes]:
    """The journal as CSV (UTF-8, comma, one line for each posting), in the order of the chain."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(COLUMNS)
    asked = {"area": period.area, "first": period.first, "last": period.last}
    async with tx.cursor(name="journal") as cursor:
        cursor.itersize = ROWS_PER_CHUNK
        await cursor.execute(_JOURNAL, asked)
        async for row in cursor:
            writer.writerow(_fields(row))
            if buffer.tell() >= CHUNK_BYTES:
                yield _taken(buffer)
    yield _taken(buffer)


def _fields(row: DictRow) -> list[object]:
    booked_at = row["booked_at"].astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    known = row | {"booked_at": booked_at, "account_name": meaning(row["account"])}
    return [known[name] for name in COLUMNS]


def _taken(buffer: io.StringIO) -> bytes:
    chunk = buffer.getvalue().encode()
    buffer.seek(0)
    buffer.truncate()
    return chunk


async def journal_parquet(tx: Tx, period: Period, folder: Path) -> Path:
    """The journal as a Parquet file in a folder, by way of a CSV file beside it."""
    csv_file, parquet_file = folder / "journal.csv", folder / "journal.parquet"
    with await asyncio.to_thread(csv_file.open, "wb") as file:
        async for chunk in journal_csv(tx, period):
            await asyncio.to_thread(file.write, chunk)
    await asyncio.to_thread(_to_parquet, csv_file, parquet_file)
    return parquet_file


def _to_parquet(csv_file: Path, parquet_file: Path) -> None:
    """Turn a journal's CSV into Parquet (zstd), batch by batch."""
    fields = [Field(name, _TYPES.get(name, DataType.utf8()), nullable=name in _MAY_BE_EMPTY) for name in COLUMNS]
    reader = read_csv(str(csv_file), Schema(fields), has_header=True, batch_size=8192)
    write_parquet(reader, str(parquet_file), compression="zstd(3)", max_row_group_size=ROWS_PER_GROUP)
