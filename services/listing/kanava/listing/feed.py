"""Reads a file of the registration feed in chunks: checks lines, and seals identities before anything is
stored.

Plain identities live in one chunk at a time. What leaves here is sealed, hashed with a key, or pseudonymous.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from io import BytesIO
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from psycopg.rows import DictRow
from pydantic import ValidationError

from .domain.default_unit import default_unit
from .domain.hetu import Person, person_of
from .domain.registration import IDENTITY, LINE, Registration, broken_rule, broken_rules, guardian_fault
from .vault import Vault

CHUNK_BYTES = 500_000
MOST_ERRORS = 100
LEAVING = frozenset({"moved_away", "died"})


class ReadLine(NamedTuple):
    """A checked line, its person, and the keyed hashes of its HETU and of its guardian's, if it names one."""

    number: int
    registration: Registration
    person: Person
    hetu_index: bytes
    guardian_index: bytes | None


class SealedLine(NamedTuple):
    """A line as it may be stored. `round` counts the lines of one person in the file from 1.

    Without `guardian_told` the line says nothing of a guardian; with it and no `guardian_id` that there is none.
    """

    line: int
    round: int
    known: bool
    resident_id: UUID
    hetu_index: bytes
    sealed: bytes
    birth_date: date
    sex: str
    municipality: str
    area: str
    protected: bool
    fact: str
    effective_on: date
    unit_id: str | None
    producer_id: str | None
    guardian_told: bool
    guardian_id: UUID | None


@dataclass
class FeedReader:
    """Reads the lines of one file; knows whom it has met, so that a person's lines stay in their order.

    A guardian whom neither the vault nor an earlier line knows is promised an id, which a later line of the file
    has to keep.
    """

    vault: Vault
    areas: Mapping[str, str]
    new_id: Callable[[], UUID]
    own_units: Mapping[str, Sequence[DictRow]] = field(default_factory=dict)
    errors: list[dict[str, str]] = field(default_factory=list)
    lines: int = 0
    rounds: int = 0
    any_known: bool = False
    _met: dict[bytes, tuple[UUID, int]] = field(default_factory=dict, repr=False)
    _promised: dict[bytes, tuple[UUID, list[int]]] = field(default_factory=dict, repr=False)
    _open: dict[tuple[str, date], list[DictRow]] = field(default_factory=dict, repr=False)

    def read(self, chunk: Sequence[bytes]) -> list[ReadLine]:
        """Check a chunk of lines; what breaks a rule is named in `errors`."""
        read = (self._read(number, raw) for number, raw in enumerate(chunk, self.lines))
        good = [line for line in read if line is not None]
        self.lines += len(chunk)
        return good

    def _read(self, number: int, raw: bytes) -> ReadLine | None:
        try:
            registration = LINE.validate_json(raw)
        except ValidationError as error:
            self.errors += broken_rules(error, number)
            return None
        try:
            person = person_of(registration["hetu"])
        except ValueError:
            self._refuse(number, "hetu", "hetu")
            return None
        if registration["municipality"] not in self.areas:
            self._refuse(number, "municipality", "known_municipality")
            return None
        if registration["effective_on"] < person.birth_date:
            self._refuse(number, "effective_on", "effective_after_birth")
            return None
        guardian_index = self._guardian(number, registration, person)
        return ReadLine(number, registration, person, self.vault.index_of(registration["hetu"]), guardian_index)

    def _guardian(self, number: int, one: Registration, child: Person) -> bytes | None:
        """Under what the guardian is found; what is wrong with it is named in `errors`."""
        hetu = one.get("guardian_hetu")
        if hetu is None:
            return None
        try:
            guardian = person_of(hetu)
        except ValueError:
            self._refuse(number, "guardian_hetu", "hetu")
            return None
        broken = "not_oneself" if hetu == one["hetu"] else guardian_fault(child, guardian, one["effective_on"])
        if broken is not None:
            self._refuse(number, "guardian_hetu", broken)
        return self.vault.index_of(hetu)

    def _refuse(self, number: int, name: str, rule: str) -> None:
        self.errors.append(broken_rule(number, name, rule))

    def not_met(self, lines: Sequence[ReadLine]) -> list[bytes]:
        """The HETU indexes of persons and guardians of lines whom this file has not named before."""
        guardians = {line.guardian_index for line in lines if line.guardian_index is not None}
        new = [line.hetu_index for line in lines if line.hetu_index not in self._met]
        return new + [index for index in guardians.difference(new) if index not in self._met]

    def sealed(self, lines: Sequence[ReadLine], known: Mapping[bytes, UUID]) -> list[SealedLine]:
        """The lines as they may be stored, with the resident ids that the vault knows or new ones.

        Only a person who is known can move, leave or die; another line of that kind is named in `errors`.
        """
        return [self._sealed(line, known) for line in lines]

    def refuse_unknown_guardians(self) -> None:
        """Name in `errors` the lines whose guardian nobody knew, once all lines of the file are sealed."""
        for number in sorted(number for _, lines in self._promised.values() for number in lines):
            self._refuse(number, "guardian_hetu", "guardian_known")

    def _guardian_id(self, line: ReadLine, known: Mapping[bytes, UUID]) -> UUID | None:
        index = line.guardian_index
        if index is None:
            return None
        if found := self._met.get(index):
            return found[0]
        if index in known:
            return known[index]
        promised_id, lines = self._promised.setdefault(index, (self.new_id(), []))
        lines.append(line.number)
        return promised_id

    def _sealed(self, line: ReadLine, known: Mapping[bytes, UUID]) -> SealedLine:
        number, one, person, index, _ = line
        known_id, met = self._met.get(index) or (known.get(index), 0)
        if known_id is None and one["fact"] != "registered":
            self._refuse(number, "hetu", "resident_known")
        resident_id = known_id or self._promised.pop(index, (None,))[0] or self.new_id()
        self._met[index] = (resident_id, met + 1)
        self.rounds = max(self.rounds, met + 1)
        self.any_known = self.any_known or known_id is not None
        unit = self._default_unit(one)
        return SealedLine(
            *(number, met + 1, known_id is not None, resident_id, index),
            self.vault.seal(resident_id, _identity(one)),
            *(person.birth_date, person.sex, one["municipality"], self.areas[one["municipality"]]),
            *(one["protected"], one["fact"], one["effective_on"]),
            None if unit is None else unit["unit_id"],
            None if unit is None else unit["producer_id"],
            *("guardian_hetu" in one, self._guardian_id(line, known)),
        )

    def _default_unit(self, one: Registration) -> DictRow | None:
        if one["fact"] in LEAVING:
            return None
        place = one["municipality"], one["effective_on"]
        if place not in self._open:
            units = self.own_units.get(one["municipality"], ())
            self._open[place] = [unit for unit in units if is_open_on(unit, one["effective_on"])]
        return default_unit(one["postal_code"], self._open[place])


def _identity(one: Registration) -> bytes:
    """What the vault keeps of a line, as JSON."""
    fields: Mapping[str, object] = one
    return orjson.dumps({name: fields[name] for name in IDENTITY})


def chunks(body: bytes) -> Iterator[list[bytes]]:
    """The lines of a file in chunks of about half a megabyte."""
    stream = BytesIO(body)
    while chunk := stream.readlines(CHUNK_BYTES):
        yield chunk


def is_open_on(unit: Mapping[str, Any], day: date) -> bool:
    """Whether a unit is open on a day."""
    return bool(unit["opens_on"] <= day and (unit["closes_on"] is None or day < unit["closes_on"]))
