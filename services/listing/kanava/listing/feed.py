"""Reads a file of the registration feed in chunks: checks lines, and seals identities before anything is stored.

Plain identities live in one chunk at a time. What leaves here is sealed, hashed with a key, or pseudonymous.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from io import BytesIO
from typing import Any
from uuid import UUID

import orjson
from psycopg.rows import DictRow
from pydantic import ValidationError

from .domain.default_unit import default_unit
from .domain.registration import Registration, broken_rules
from .vault import Vault

CHUNK_BYTES = 1_000_000
MOST_ERRORS = 100
LEAVING = frozenset({"moved_away", "died"})


@dataclass(frozen=True, slots=True)
class ReadLine:
    """A checked line and the keyed hash of its HETU."""

    number: int
    registration: Registration = field(repr=False)
    hetu_index: bytes = field(repr=False)


@dataclass
class FeedReader:
    """Reads the lines of one file; knows whom it has met, so that a person's lines stay in their order."""

    vault: Vault
    areas: Mapping[str, str]
    own_units: Mapping[str, Sequence[DictRow]]
    new_id: Callable[[], UUID]
    errors: list[dict[str, str]] = field(default_factory=list)
    lines: int = 0
    rounds: int = 0
    _met: dict[bytes, tuple[UUID, int]] = field(default_factory=dict, repr=False)

    def read(self, chunk: Sequence[bytes]) -> list[ReadLine]:
        """Check a chunk of lines; what breaks a rule is named in `errors`."""
        good = []
        for raw in chunk:
            number = self.lines
            self.lines += 1
            try:
                registration = Registration.model_validate_json(raw)
            except ValidationError as error:
                self.errors += broken_rules(error, number)
                continue
            if registration.municipality not in self.areas:
                self.refuse(number, "municipality", "known_municipality")
                continue
            good.append(ReadLine(number, registration, self.vault.index_of(registration.hetu)))
        return good

    def refuse(self, number: int, name: str, rule: str) -> None:
        """Note that a field of a line breaks a rule."""
        self.errors.append({"pointer": f"/{number}/{name}", "rule": rule, "detail": f"The value breaks the rule {rule}."})

    def not_met(self, lines: Sequence[ReadLine]) -> list[bytes]:
        """The HETU indexes of lines whose persons this file has not named before."""
        return [line.hetu_index for line in lines if line.hetu_index not in self._met]

    def sealed(self, lines: Sequence[ReadLine], known: Mapping[bytes, UUID]) -> list[tuple[Any, ...]]:
        """The lines as they may be stored, with the resident ids that the vault knows or new ones."""
        return [self._sealed(line, known) for line in lines]

    def _sealed(self, line: ReadLine, known: Mapping[bytes, UUID]) -> tuple[Any, ...]:
        index, one = line.hetu_index, line.registration
        resident_id, met = self._met.get(index) or (known.get(index) or self.new_id(), 0)
        self._met[index] = (resident_id, met + 1)
        self.rounds = max(self.rounds, met + 1)
        person, unit = one.person, self._default_unit(one)
        sealed = self.vault.seal(resident_id, orjson.dumps(_identity(one)))
        return (
            *(line.number, met + 1, resident_id, index, sealed, person.birth_date, person.sex),
            *(one.municipality, self.areas[one.municipality], one.protected, one.fact, one.effective_on),
            *((None, None) if unit is None else (unit["unit_id"], unit["producer_id"])),
        )

    def _default_unit(self, one: Registration) -> DictRow | None:
        if one.fact in LEAVING:
            return None
        units = self.own_units.get(one.municipality, ())
        return default_unit(one.postal_code, [unit for unit in units if is_open_on(unit, one.effective_on)])


def chunks(body: bytes) -> Iterator[list[bytes]]:
    """The lines of a file in chunks of about a megabyte."""
    stream = BytesIO(body)
    while chunk := stream.readlines(CHUNK_BYTES):
        yield chunk


def is_open_on(unit: DictRow, day: date) -> bool:
    """Whether a unit is open on a day."""
    return bool(unit["opens_on"] <= day and (unit["closes_on"] is None or day < unit["closes_on"]))


def _identity(one: Registration) -> dict[str, str]:
    return {
        "hetu": one.hetu,
        "given_names": one.given_names,
        "family_name": one.family_name,
        "street_address": one.street_address,
        "postal_code": one.postal_code,
    }
