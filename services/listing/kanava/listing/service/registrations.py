"""Take a file of the registration feed: whole or not at all, in its order, each file once."""

import asyncio
from collections import Counter
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from psycopg.rows import DictRow

from kanava.common.db import Tx

from ..commands import TakeFile
from ..domain.registration import broken_rule
from ..errors import FeedInvalid, FeedReason, FeedRefused
from ..feed import MOST_ERRORS, FeedReader, chunks
from ..municipalities import areas_of_municipalities
from ..store import bulk
from ..store import feed as store
from ..vault import Vault

_COUNTED = {
    "returns": "registered",
    "moves": "moved",
    "changes_area": "moved",
    "corrected": "corrected",
    "nothing": "unchanged",
}


@dataclass(frozen=True)
class FileTaken:
    """The receipt of a file: what its lines did, who was listed, and how far the feed has come, in lines.

    `without_unit` are residents whose municipality has no open own unit: they are listed nowhere.
    """

    feed: str
    sequence: int
    lines: int
    position: int
    registered: int = 0
    moved: int = 0
    moved_away: int = 0
    died: int = 0
    corrected: int = 0
    unchanged: int = 0
    listings_changed: int = 0
    without_unit: int = 0
    repeated: bool = False


async def take_file(tx: Tx, command: TakeFile, now: datetime, *, vault: Vault) -> FileTaken:
    """Take the next file of a feed.

    Raises `FeedRefused` when it is not the next one, `FeedInvalid` when a line breaks a rule. A file that was
    taken before is answered with its receipt again and changes nothing.
    """
    await bulk.take_bulk_lock(tx)
    last = await store.last_file(tx, command.feed)
    if last is not None and command.sequence <= last["sequence"]:
        return await _again(tx, command)
    expected = 1 if last is None else last["sequence"] + 1
    if command.sequence != expected:
        raise FeedRefused(FeedReason.OUT_OF_ORDER, expected_sequence=expected)
    reader = await _stage(tx, command.body, vault)
    counts = await _take_lines(tx, reader, now)
    position = (last["position"] if last else 0) + reader.lines
    taken = FileTaken(command.feed, command.sequence, reader.lines, position, **dict[str, Any](counts))
    await store.enter_file(
        tx,
        feed=command.feed,
        sequence=command.sequence,
        digest=command.digest,
        lines=reader.lines,
        position=position,
        receipt=asdict(taken),
        now=now,
    )
    return taken


async def _again(tx: Tx, command: TakeFile) -> FileTaken:
    """The receipt of a file that was taken before, if it is the same file."""
    taken = await store.file_of(tx, command.feed, command.sequence)
    assert taken is not None, "the numbers of a feed have a gap"
    if taken["digest"] != command.digest:
        raise FeedRefused(FeedReason.REPEATED)
    return FileTaken(**(taken["receipt"] | {"repeated": True}))


async def _stage(tx: Tx, body: bytes, vault: Vault) -> FeedReader:
    """Check and seal all lines in threads, chunk by chunk, and copy them to the staging table."""
    reader = FeedReader(vault, areas_of_municipalities(), _by_municipality(await store.own_units(tx)), uuid4)
    await store.open_staging(tx)
    for chunk in chunks(body):
        lines = await asyncio.to_thread(reader.read, chunk)
        if len(reader.errors) >= MOST_ERRORS:
            break
        if not reader.errors:
            known = await store.known_residents(tx, reader.not_met(lines))
            await store.stage_lines(tx, await asyncio.to_thread(reader.sealed, lines, known))
    _refuse_broken(reader)
    return reader


def _refuse_broken(reader: FeedReader) -> None:
    if reader.lines == 0:
        raise FeedInvalid("The file has no lines.", pointer="", rule="not_empty")
    if reader.errors:
        first = reader.errors[0]
        raise FeedInvalid(pointer=first["pointer"], rule=first["rule"], errors=reader.errors[:MOST_ERRORS])


def _by_municipality(units: list[DictRow]) -> dict[str, list[DictRow]]:
    areas = areas_of_municipalities()
    found: dict[str, list[DictRow]] = {}
    for unit in units:
        if areas.get(unit["municipality"]) == unit["area"]:
            found.setdefault(unit["municipality"], []).append(unit)
    return found


async def _take_lines(tx: Tx, reader: FeedReader, now: datetime) -> Counter[str]:
    """First who is new, then the n-th line of each known person, round by round."""
    key_id = reader.vault.key_id
    arrived = await store.write_arrivals(tx, key_id=key_id, now=now)
    counts = Counter(
        registered=arrived["registered"],
        listings_changed=arrived["listed"],
        without_unit=arrived["registered"] - arrived["listed"],
    )
    for number in range(1, reader.rounds + 1) if reader.any_known else ():
        counts += await _take_round(tx, number, key_id=key_id, now=now)
    return counts


async def _take_round(tx: Tx, number: int, *, key_id: str, now: datetime) -> Counter[str]:
    """Take the n-th line of each person: check against what is recorded, then write residents and
    listings."""
    broken = await store.broken_lines(tx, number, MOST_ERRORS)
    if broken:
        errors = [_broken(row["line"], row["rule"]) for row in broken]
        raise FeedInvalid(pointer=errors[0]["pointer"], rule=errors[0]["rule"], errors=errors)
    planned = await store.plan(tx, number)
    await store.write_residents(tx, key_id=key_id, now=now)
    await bulk.prepare(tx)
    await store.fill_changes(tx)
    applied = await bulk.apply(tx, now)
    return _counted(planned) + Counter(listings_changed=applied.listings)


def _broken(line: int, rule: str) -> dict[str, str]:
    return broken_rule(line, "effective_on" if rule == "registered_after_leaving" else "fact", rule)


def _counted(planned: list[DictRow]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for row in planned:
        counts[str(_COUNTED.get(row["action"], row["fact"]))] += row["lines"]
        counts["without_unit"] += row["without_unit"]
    return counts
