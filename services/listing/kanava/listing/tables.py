"""The tables of listing and what their constraints hold: one unit per resident and day, places that are
there.

Identity is in `vault` alone, sealed. Rows of `span` are never rewritten: a stretch that is no longer what is
known gets `recorded_until`, and others take its place.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, DATERANGE, JSONB, ExcludeConstraint
from sqlmodel import Field, SQLModel

from kanava.common.clock import sandbox_clock_table
from kanava.common.db import APPEND_ONLY, platform_tables
from kanava.common.idempotency import idempotency_table

FOREVER = sa.text("'infinity'")
INSTANT = sa.DateTime(timezone=True)


class Base(SQLModel):
    """The metadata of this service's database, with what every service's database has."""

    metadata = platform_tables(sa.MetaData())


idempotency_table(Base.metadata)
sandbox_clock_table(Base.metadata)


class Vault(Base, table=True):
    """A sealed identity, found by the keyed hash of its HETU."""

    resident_id: UUID = Field(primary_key=True)
    hetu_index: bytes = Field(sa_column=sa.Column(sa.LargeBinary, nullable=False, unique=True))
    sealed: bytes = Field(sa_column=sa.Column(sa.LargeBinary, nullable=False))
    key_id: str


class Resident(Base, table=True):
    """A pseudonymous resident (asukas). `version` counts facts of the person, `listing_version` of the
    listing.

    `lives_until` is the first day on which the resident is not there, whether it moved away (muutto) or died (kuolema);
    `died_on` is the day of a death, later than `lives_until` where somebody died abroad.
    `chosen_on` is the notice of the last choice; `free_choice` lifts the time between two choices once.
    `guardian_id` is the guardian (huoltaja) that the feed named while the resident was a child. It stays afterwards,
    since fees of the childhood are still corrected; whoever counts looks at the age.
    """

    __table_args__ = (
        sa.CheckConstraint("sex IN ('male', 'female')", name="resident_sex"),
        sa.CheckConstraint("lives_until IS NULL OR lives_until >= birth_date", name="resident_lives"),
        sa.CheckConstraint(
            "died_on IS NULL OR lives_until IS NOT NULL AND lives_until <= died_on", name="resident_dies"
        ),
    )

    resident_id: UUID = Field(primary_key=True)
    version: int
    listing_version: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    birth_date: date
    sex: str
    municipality: str
    area: str
    protected: bool
    guardian_id: UUID | None = None
    lives_until: date | None = None
    died_on: date | None = None
    chosen_on: date | None = None
    free_choice: bool = Field(default=False, sa_column_kwargs={"server_default": sa.false()})


class Span(Base, table=True):
    """A stretch of being listed with a unit: `during` is when it holds, `recorded_*` when it was known."""

    __table_args__ = (
        ExcludeConstraint(
            ("resident_id", "="),
            ("during", "&&"),
            where=sa.text("recorded_until = 'infinity'"),
            using="gist",
            name="span_one_unit_a_day",
        ),
        sa.CheckConstraint("NOT isempty(during) AND NOT lower_inf(during)", name="span_has_days"),
        sa.CheckConstraint("recorded_from <= recorded_until", name="span_was_known"),
        sa.CheckConstraint("origin IN ('default', 'choice', 'move', 'unit_closed')", name="span_origin"),
        sa.CheckConstraint("coefficient_permille > 0", name="span_coefficient"),
        sa.Index("span_of_unit", "unit_id", "resident_id"),
    )

    resident_id: UUID = Field(primary_key=True)
    span_id: int = Field(sa_column=sa.Column(sa.BigInteger, sa.Identity(), primary_key=True))
    during: str = Field(sa_column=sa.Column(DATERANGE, nullable=False))
    unit_id: str
    producer_id: str
    origin: str
    coefficient_permille: int = Field(default=1000, sa_column_kwargs={"server_default": "1000"})
    recorded_from: datetime = Field(sa_column=sa.Column(INSTANT, nullable=False))
    recorded_until: datetime = Field(sa_column=sa.Column(INSTANT, server_default=FOREVER, nullable=False))


class CoefficientDecision(Base, table=True):
    """Why a version of a resident's listing has the coefficient that it has from a day on."""

    __tablename__ = "coefficient_decision"
    __table_args__ = ({"info": APPEND_ONLY},)

    resident_id: UUID = Field(primary_key=True)
    listing_version: int = Field(primary_key=True)
    coefficient_permille: int
    starts_on: date
    reason: str | None = None
    decided_by: str
    recorded_at: datetime = Field(sa_column=sa.Column(INSTANT, nullable=False))


class Look(Base, table=True):
    """Somebody looked up a resident: who, why and when, for the resident to see."""

    __table_args__ = (sa.Index("look_of_resident", "resident_id", "look_id"), {"info": APPEND_ONLY})

    look_id: int = Field(sa_column=sa.Column(sa.BigInteger, sa.Identity(), primary_key=True))
    resident_id: UUID
    who: str
    role: str
    why: str
    at: datetime = Field(sa_column=sa.Column(INSTANT, nullable=False))


class FeedFile(Base, table=True):
    """A file of the registration feed that was taken: its number, its bytes' digest, how far the feed has
    come."""

    __tablename__ = "feed_file"
    __table_args__ = (
        sa.CheckConstraint("sequence >= 1 AND lines >= 1 AND position >= lines", name="feed_file_counts"),
        {"info": APPEND_ONLY},
    )

    feed: str = Field(primary_key=True)
    sequence: int = Field(primary_key=True)
    digest: bytes = Field(sa_column=sa.Column(sa.LargeBinary, nullable=False))
    lines: int
    position: int = Field(sa_column=sa.Column(sa.BigInteger, nullable=False))
    receipt: dict[str, Any] = Field(sa_column=sa.Column(JSONB, nullable=False))
    received_at: datetime = Field(sa_column=sa.Column(INSTANT, nullable=False))


class Unit(Base, table=True):
    """A unit as the registry says. `listed` counts who is in it without end, for units with a capacity
    only."""

    __table_args__ = (
        sa.CheckConstraint("listed >= 0", name="unit_listed"),
        sa.CheckConstraint("status IN ('open', 'closed')", name="unit_status"),
        sa.Index("unit_of_municipality", "municipality", "unit_id"),
        sa.Index("unit_of_producer", "producer_id"),
    )

    unit_id: str = Field(primary_key=True)
    version: int
    producer_id: str
    area: str
    municipality: str
    name: str
    own: bool
    status: str
    capacity: int | None = None
    listed: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    opens_on: date
    closes_on: date | None = None
    languages: list[str] = Field(sa_column=sa.Column(ARRAY(sa.Text), nullable=False))


class Producer(Base, table=True):
    """A producer's standing as the registry says."""

    producer_id: str = Field(primary_key=True)
    version: int
    name: str
    kind: str
    area: str
    status: str


class Scheme(Base, table=True):
    """The phase of a municipality's scheme as the registry says."""

    __table_args__ = (sa.Index("scheme_of_municipality", "municipality"),)

    scheme_id: str = Field(primary_key=True)
    version: int
    municipality: str
    area: str
    phase: int
    entered_on: date
    voucher_valid_months: int | None = None


class RuleBook(Base, table=True):
    """A published rule book: what it fixes for a choice, and from which day."""

    __tablename__ = "rule_book"
    __table_args__ = (sa.Index("rule_book_in_force", "area", "valid_from", "number"),)

    document_id: str = Field(primary_key=True)
    version: int
    area: str
    number: int
    valid_from: date
    months_between_choices: int
    days_to_effect: int


class CompensationModel(Base, table=True):
    """A published compensation model: the bounds and the reasons of the client-specific coefficient.

    Without reasons any will do.
    """

    __tablename__ = "compensation_model"
    __table_args__ = (sa.Index("compensation_model_in_force", "area", "valid_from", "number"),)

    document_id: str = Field(primary_key=True)
    version: int
    area: str
    number: int
    valid_from: date
    coefficient_min_permille: int
    coefficient_max_permille: int
    coefficient_reasons: list[str] = Field(sa_column=sa.Column(ARRAY(sa.Text), server_default="{}", nullable=False))


class PackageNode(Base, table=True):
    """A node of a published service package and the level of choice that a client has in it."""

    __tablename__ = "package_node"

    package_id: str = Field(primary_key=True)
    code: str = Field(primary_key=True)
    version: int
    valid_from: date
    name_fi: str
    choice: str | None = None


class Voucher(Base, table=True):
    """A voucher or a personal budget of a resident as last decided; `node` is empty where it is for no one node.

    A resident has one voucher of a kind and node on a day; an annulled one never was.
    """

    __table_args__ = (
        ExcludeConstraint(
            ("resident_id", "="),
            ("kind", "="),
            ("node", "="),
            (sa.text("daterange(starts_on, until)"), "&&"),
            where=sa.text("status <> 'annulled'"),
            using="gist",
            name="voucher_one_a_day",
        ),
        sa.CheckConstraint("status IN ('granted', 'annulled', 'ended')", name="voucher_status"),
        sa.CheckConstraint("until > starts_on", name="voucher_has_days"),
        sa.CheckConstraint("(ground IS NULL) = (status = 'granted')", name="voucher_ground"),
        {"info": {"grants": "SELECT, INSERT, UPDATE"}},
    )

    voucher_id: UUID = Field(primary_key=True)
    version: int
    resident_id: UUID
    area: str
    kind: str
    status: str
    starts_on: date
    until: date
    node: str
    unit_of_measure: str | None = None
    value_cents: int | None = None
    self_pay: dict[str, Any] = Field(sa_column=sa.Column(JSONB, nullable=False))
    uses_granted: int | None = None
    sum_granted_cents: int | None = None
    plan: list[Any] = Field(sa_column=sa.Column(JSONB, nullable=False))
    producer_ids: list[str] = Field(sa_column=sa.Column(ARRAY(sa.Text), nullable=False))
    ground: str | None = None
    recorded_at: datetime = Field(sa_column=sa.Column(INSTANT, nullable=False))


class VoucherDecision(Base, table=True):
    """A decision on a voucher; its reasons are sealed, since they may tell of a person's health."""

    __tablename__ = "voucher_decision"
    __table_args__ = ({"info": APPEND_ONLY},)

    voucher_id: UUID = Field(primary_key=True)
    version: int = Field(primary_key=True)
    what: str
    ground: str | None = None
    reasons_sealed: bytes = Field(sa_column=sa.Column(sa.LargeBinary, nullable=False))
    decided_by: str
    recorded_at: datetime = Field(sa_column=sa.Column(INSTANT, nullable=False))
