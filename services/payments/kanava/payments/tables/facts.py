"""What other services stated, as it was known when: `[recorded_from, recorded_until)`."""

from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from kanava.common.db import APPEND_ONLY

from .base import FOREVER, TIMES, Base

UNTIL_NEWER: dict[str, object] = {"grants": "SELECT, INSERT, UPDATE (recorded_until)"}
"""What a newer version does to the one before it: it ends when it was known."""


def known_when(table: str) -> sa.Index:
    """An index of what became known since an instant: rows come in that order, so a summary of blocks will do."""
    with_ = {"autosummarize": "on"}
    return sa.Index(f"{table}_recorded", "recorded_from", postgresql_using="brin", postgresql_with=with_)


class Producer(Base, table=True):
    """A producer as registry last stated it: its name, its standing and the account it is paid to."""

    producer_id: str = Field(primary_key=True)
    version: int
    area: str
    name: str
    kind: str
    status: str
    iban: str | None


class Unit(Base, table=True):
    """A unit; its area and municipality decide whose account pays and by which scheme.

    `name` is None of a unit that was last heard of before names were kept.
    """

    unit_id: str = Field(primary_key=True)
    version: int
    recorded_at: datetime = Field(sa_type=TIMES)
    producer_id: str = Field(index=True)
    area: str
    municipality: str
    own: bool
    name: str | None


class SchemePhase(Base, table=True):
    """A phase that a municipality's scheme entered, with the compensation model it adopted; rows stay."""

    __tablename__ = "scheme_phase"
    __table_args__ = {"info": APPEND_ONLY}
    scheme_id: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    recorded_at: datetime = Field(sa_type=TIMES)
    municipality: str
    area: str
    phase: int
    entered_on: date
    compensation_model: str | None


class Model(Base, table=True):
    """A version of a compensation model (korvausmalli); `terms` is the contract's `CompensationTerms`."""

    __table_args__ = {"info": APPEND_ONLY}
    document_id: str = Field(primary_key=True)
    recorded_at: datetime = Field(sa_type=TIMES)
    area: str
    number: int
    valid_from: date
    terms: dict[str, object] = Field(sa_type=JSONB)


class Price(Base, table=True):
    """A version of the organiser's price of a package node from a day on; one with a reason corrects an error.

    By weight the price is that of the weight 1; `total_price` is the contract's `PackageTotal`.
    """

    __table_args__ = (
        sa.Index("price_in_force", "area", "node", "unit_of_measure", "valid_from"),
        {"info": APPEND_ONLY},
    )
    price_id: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    recorded_at: datetime = Field(sa_type=TIMES)
    area: str
    node: str
    unit_of_measure: str
    valid_from: date
    price_cents: int = Field(sa_type=sa.BigInteger)
    price_basis: str
    total_price: dict[str, object] | None = Field(sa_type=JSONB)
    correction_reason: str | None


class Resident(Base, table=True):
    """A version of a pseudonymous resident and when it was known: `[recorded_from, recorded_until)`.

    `lives_until` ends capitation, whether the resident moved away or died; `has_died` also what is paid to it.
    """

    __table_args__ = (
        sa.CheckConstraint("recorded_from <= recorded_until"),
        sa.Index("resident_guardian", "guardian_id", postgresql_where=sa.text("guardian_id IS NOT NULL")),
        sa.Index("resident_area", "area"),
        known_when("resident"),
        {"info": UNTIL_NEWER},
    )
    resident_id: UUID = Field(primary_key=True)
    version: int = Field(primary_key=True)
    recorded_from: datetime = Field(sa_type=TIMES)
    recorded_until: datetime = Field(sa_type=TIMES, sa_column_kwargs={"server_default": FOREVER})
    birth_date: date
    sex: str
    area: str
    lives_until: date | None
    has_died: bool = Field(default=False, sa_column_kwargs={"server_default": sa.false()})
    guardian_id: UUID | None


class Span(Base, table=True):
    """A stretch of being listed, of one version of a resident's listing, and when it was known."""

    __table_args__ = (
        sa.CheckConstraint("recorded_from <= recorded_until"),
        sa.CheckConstraint("until IS NULL OR until >= starts_on"),
        sa.CheckConstraint("coefficient_permille > 0"),
        sa.Index("span_unit", "unit_id"),
        known_when("span"),
        {"info": UNTIL_NEWER},
    )
    resident_id: UUID = Field(primary_key=True)
    version: int = Field(primary_key=True)
    number: int = Field(primary_key=True, sa_type=sa.SmallInteger)
    recorded_from: datetime = Field(sa_type=TIMES)
    recorded_until: datetime = Field(sa_type=TIMES, sa_column_kwargs={"server_default": FOREVER})
    unit_id: str
    producer_id: str
    starts_on: date
    until: date | None
    coefficient_permille: int


class Visit(Base, table=True):
    """A version of an accepted report of a performed service, and when it was known.

    `production_id` is derived from the producer and its own id of the report, so that the key tells doubles too.
    A version with a quantity of 0 says that the report was withdrawn.
    """

    __table_args__ = (
        sa.CheckConstraint("recorded_from <= recorded_until"),
        sa.CheckConstraint("quantity >= 0 AND client_fee_cents >= 0"),
        sa.Index("visit_of_area", "area", "performed_on"),
        known_when("visit"),
        sa.Index("visit_client_fee", "resident_id", postgresql_where=sa.text("client_fee_cents > 0")),
        {"info": UNTIL_NEWER},
    )
    production_id: UUID = Field(primary_key=True)
    version: int = Field(primary_key=True)
    recorded_from: datetime = Field(sa_type=TIMES)
    recorded_until: datetime = Field(sa_type=TIMES, sa_column_kwargs={"server_default": FOREVER})
    report_id: str
    producer_id: str
    unit_id: str
    resident_id: UUID
    area: str
    node: str
    unit_of_measure: str
    performed_on: date
    quantity: int
    client_fee_cents: int
    weight_ten_thousandths: int | None
    drg_group: str | None
    referral_id: str | None
