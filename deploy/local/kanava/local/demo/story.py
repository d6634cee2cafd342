"""What the steps of the demo share: the desk, the counts, and what happened so far."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from kanava.local.demo.cast import COMPANIES, PERSONAS
from kanava.local.demo.desk import Desk
from kanava.local.demo.population import Person
from kanava.local.demo.scale import Scale

SERVICES = ("registry", "listing", "payments", "monitoring")
Say = Callable[[str], None]
Step = Callable[["Story"], Awaitable[None]]


@dataclass
class Story:
    """One playing of the demo month. Steps read what earlier ones left here; `found` goes into the report."""

    desk: Desk
    scale: Scale
    seed: int
    say: Say
    units: dict[str, list[str]] = field(default_factory=dict)
    everybody: Sequence[Person] = ()
    ids: dict[int, str] = field(default_factory=dict)
    late: Sequence[int] = ()
    found: dict[str, Any] = field(default_factory=dict)

    def unit(self, producer_id: str, number: int) -> str:
        """The OID of a producer's unit, numbered from 0."""
        return self.units[producer_id][number]

    def introduce(self) -> None:
        """Give every persona its token."""
        for who, claims in PERSONAS.items():
            self.desk.token(who, claims)
        for company in COMPANIES:
            self.desk.token(company.who, company.claims)

    async def move_clock(self, instant: datetime) -> None:
        """Let it be this instant for all four services."""
        told = {"instant": instant.isoformat()}
        await asyncio.gather(
            *(
                self.desk.send("PUT", service, "/v1/sandbox/clock", told, who="operator")
                for service in SERVICES
            )
        )


def at(day: date, hour: int = 9) -> datetime:
    """An hour of a day in UTC."""
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)
