"""What every fact on the bus has in common, and the row of the topic table.

A fact is the whole state of one aggregate beside what happened to it, so a compacted topic rebuilds a reader.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import ClassVar, get_args

from pydantic import BaseModel, ConfigDict, TypeAdapter

HOT_PARTITIONS = 4
ORDINARY_PARTITIONS = 2


class Part(BaseModel):
    """A frozen piece of a fact. Unknown fields are ignored, so a newer writer does not break an older reader."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Fact(Part):
    """The state of one aggregate after something happened to it.

    `what` names the event in the past tense, `version` counts the aggregate's events from 1,
    `recorded_at` is when the owner recorded it: a run's cut-off compares with this instant.
    """

    aggregate: ClassVar[str]
    what: str
    version: int
    recorded_at: datetime

    @classmethod
    def kinds(cls) -> tuple[str, ...]:
        """The names of the events that this aggregate can have, from the type of `what`."""
        return get_args(cls.model_fields["what"].annotation)


@dataclass(frozen=True)
class Topic:
    """One row of the topic table: what travels where, how it is kept, and who hears it."""

    service: str
    model: type[Fact]
    key: str
    heard_by: tuple[str, ...]
    partitions: int = ORDINARY_PARTITIONS
    compacted: bool = True
    retention_days: int | None = None

    @cached_property
    def name(self) -> str:
        """`kanava.<service>.<aggregate>.v1`."""
        return f"kanava.{self.service}.{self.model.aggregate}.v1"

    @property
    def dead_letters(self) -> str:
        """The topic that takes what a consumer could not digest."""
        return f"{self.name}.dlq"

    @cached_property
    def is_hot(self) -> bool:
        """Hot topics are merged by version or by business key instead of by an inbox row for each event."""
        return self.partitions == HOT_PARTITIONS

    def type_of(self, what: str) -> str:
        """The CloudEvents type of an event: `fi.kanava.<service>.<aggregate>.<what>`."""
        return f"{self._type_prefix}{what}"

    @cached_property
    def _type_prefix(self) -> str:
        return f"fi.kanava.{self.service}.{self.model.aggregate}."

    @cached_property
    def whats(self) -> dict[bytes, str]:
        """What happened, by the CloudEvents type as it stands in a header; no other types may stand on this topic."""
        return {self.type_of(what).encode(): what for what in self.model.kinds()}

    @cached_property
    def decode(self) -> Callable[[bytes], Fact]:
        """Makes a fact of a record's JSON; raises `ValidationError`."""
        return TypeAdapter(self.model).validate_json

    @cached_property
    def key_in_json(self) -> bytes:
        """How the field of the key begins in compact JSON, up to its value."""
        return f'"{self.key}":"'.encode()
