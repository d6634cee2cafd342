"""Listing on a real database: a small Espoo with one own unit, one private one, and people who arrive."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from kanava.common.contracts import BY_NAME, TOPIC_OF, Fact, registry
from kanava.common.db import Pool, Tx, rows, transaction
from kanava.common.errors import Problem
from kanava.common.groupcommit import Asked
from kanava.listing.commands import LookUp, PlaceChoice, TakeFile
from kanava.listing.consumers import subscriptions
from kanava.listing.service.choices import ChoicePlaced, place_choices
from kanava.listing.service.looks import look_up
from kanava.listing.service.registrations import FileTaken, take_file
from kanava.listing.vault import Vault
from tests.listing.people import file_of
from tests.support import facts as told

OCTOBER = datetime(2026, 10, 12, 9, tzinfo=UTC)
SECOND_OWN = "1.2.246.10.2012566.10.2"
SMALL = "1.2.246.10.32213473.10.5"


def unit(unit_id: str, **changes: Any) -> registry.Unit:
    """A unit: the own enterprise's when its id says so, the private producer's otherwise."""
    like = told.unit(private=not unit_id.startswith(told.OWN.removesuffix("0")))
    return like.model_copy(update={"unit_id": unit_id, "opens_on": date(2026, 1, 1)} | changes)


def rule_book(**changes: Any) -> registry.Document:
    """A rule book: twelve months between choices, effect within 21 days."""
    terms = registry.RuleBookTerms(months_between_choices=12, days_to_effect=21)
    fields = {"document_id": "03:rule_book:1", "kind": "rule_book", "compensation": None, "rule_book": terms}
    return told.document().model_copy(update=fields | {"valid_from": date(2026, 1, 1)} | changes)


@dataclass
class World:
    """The service's commands with a clock that a test sets; also the clock of its consumers."""

    pool: Pool
    vault: Vault
    instant: datetime = OCTOBER
    sequence: int = 0

    async def now(self, tx: Tx) -> datetime:
        """The test's instant: this object is the clock."""
        return self.instant

    async def settle(self) -> None:
        """Rule book, model, scheme in production, both producers and their units."""
        await self.hear(rule_book(), told.document(), told.scheme())
        await self.hear(told.producer(private=True), told.producer(private=False))
        await self.hear(unit(told.PRIVATE_UNIT), unit(told.OWN_UNIT))

    async def hear(self, *facts: Fact) -> list[int]:
        """Facts of the registry, as the consumers take them; how many had an effect, for each."""
        applies = subscriptions(self.vault, self)
        effects = []
        for fact in facts:
            async with transaction(self.pool) as tx:
                effects.append(await applies[TOPIC_OF[type(fact)].name](tx, [fact]))
        return effects

    async def feed(self, *lines: dict[str, Any]) -> FileTaken:
        """The next file of the feed."""
        self.sequence += 1
        body = file_of(*lines)
        command = TakeFile("population", self.sequence, body, hashlib.sha256(body).digest())
        try:
            return await self.take(command)
        except Exception:
            self.sequence -= 1
            raise

    async def take(self, command: TakeFile) -> FileTaken:
        """A file as it is."""
        async with transaction(self.pool) as tx:
            return await take_file(tx, command, self.instant, vault=self.vault)

    async def ids(self, *hetus: str) -> list[UUID]:
        """The pseudonymous ids of persons who are known."""
        async with transaction(self.pool) as tx:
            found = await look_up(
                tx, LookUp(hetus, "test", "operator", "to test"), self.instant, vault=self.vault
            )
        assert None not in found.resident_ids
        return [one for one in found.resident_ids if one]

    async def choose(self, resident_id: UUID, unit_id: str = told.PRIVATE_UNIT) -> ChoicePlaced:
        """A resident's choice."""
        async with transaction(self.pool) as tx:
            [outcome] = await place_choices(tx, [Asked(PlaceChoice(resident_id, unit_id))], self.instant)
        if isinstance(outcome, Problem):
            raise outcome
        return outcome

    async def query(self, sql: str, *parameters: Any) -> list[Mapping[str, Any]]:
        """Rows of any query."""
        async with transaction(self.pool) as tx:
            return list(await rows(tx, sql, parameters))

    async def said(self, kind: type[Fact]) -> list[Any]:
        """What was said of a kind, in order, read as every reader reads it."""
        topic = TOPIC_OF[kind]
        found = await self.query("SELECT * FROM outbox WHERE topic = %s ORDER BY id", topic.name)
        adapter = TypeAdapter(BY_NAME[topic.name].model)
        facts = [adapter.validate_json(row["body"], strict=None) for row in found]
        for row, fact in zip(found, facts, strict=True):
            assert row["type"] == topic.type_of(fact.what)
            assert row["key"] == str(getattr(fact, topic.key))
        return facts

    async def places(self, unit_id: str) -> tuple[int, int]:
        """The counter of a unit, and who is there without end by the spans."""
        found = await self.query(
            "SELECT listed, (SELECT count(*) FROM span s WHERE s.unit_id = u.unit_id AND upper_inf(s.during)"
            " AND s.recorded_until = 'infinity') AS there FROM unit u WHERE unit_id = %s",
            unit_id,
        )
        return found[0]["listed"], found[0]["there"]
