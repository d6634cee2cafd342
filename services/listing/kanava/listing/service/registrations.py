"""Take a file of the registration feed: whole or not at all, in its order, each file once."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from psycopg.rows import DictRow

from kanava.common.db import Tx

from ..commands import TakeFile
from ..domain.registration import broken_rule
from ..errors import FeedInvalid, FeedReason, FeedRefused
from ..feed import MOST_ERRORS, FeedReader, ReadLine, chunks
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
    if (again := await _taken_before(tx, command)) is not None:
        return again
    reader, lines = await _read(command.body, vault)
    await bulk.take_bulk_lock(tx)
    if (again := await _taken_before(tx, command)) is not None:
        return again
    last = await store.last_file(tx, command.feed)
    await _stage(tx, reader, lines)
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


async def _taken_before(tx: Tx, command: TakeFile) -> FileTaken | None:
    """The receipt of a file that was taken before, if it is the same file; None when it is the next one.

    Asked before a file is read and once more with the bulk lock in hand: what is only read holds up nobody.
    """
    last = await store.last_file(tx, command.feed)
    expected = 1 if last is None else last["sequence"] + 1
    if command.sequence > expected:
        raise FeedRefused(FeedReason.OUT_OF_ORDER, expected_sequence=expected)
    if command.sequence == expected:
        return None
    taken = await store.file_of(tx, command.feed, command.sequence)
    assert taken is not None, "the numbers of a feed have a gap"
    if taken["digest"] != command.digest:
        raise FeedRefused(FeedReason.REPEATED)
    return FileTaken(**(taken["receipt"] | {"repeated": True}))


async def _read(body: bytes, vault: Vault) -> tuple[FeedReader, list[list[ReadLine]]]:
    """Check all lines in threads, chunk by chunk; raises `FeedInvalid` when one breaks a rule."""
    reader, read = FeedReader(vault, areas_of_municipalities(), uuid4), []
    for chunk in chunks(body):
        read.append(await asyncio.to_thread(reader.read, chunk))
        if len(reader.errors) >= MOST_ERRORS:
            break
    _refuse_broken(reader)
    return reader, read


async def _stage(tx: Tx, reader: FeedReader, read: Sequence[list[ReadLine]]) -> None:
    """Seal lines in threads, chunk by chunk, and copy them to the staging table."""
    reader.own_units = _by_municipality(await store.own_units(tx))
    await store.open_staging(tx)
    for lines in read:
        known = await store.known_residents(tx, reader.not_met(lines))
        await store.stage_lines(tx, await asyncio.to_thread(reader.sealed, lines, known))
    reader.refuse_unknown_guardians()
    _refuse_broken(reader)


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
