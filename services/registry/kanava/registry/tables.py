"""The registry's tables. What was published, stated or decided is append-only; aggregates carry a version."""

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field, SQLModel

from kanava.common.clock import sandbox_clock_table
from kanava.common.db import APPEND_ONLY, platform_tables
from kanava.common.idempotency import idempotency_table

TEXTS: Any = ARRAY(sa.Text)
NUMBERS: Any = ARRAY(sa.Integer)
JSON: Any = JSONB
INSTANT: Any = sa.DateTime(timezone=True)
BY_VERSION = {"grants": "SELECT, INSERT, UPDATE"}


class Base(SQLModel):
    """The metadata of this database: the platform's tables and the registry's own."""

    metadata = platform_tables(sa.MetaData())


idempotency_table(Base.metadata)
sandbox_clock_table(Base.metadata)


class DocumentVersion(Base, table=True):
    """A published version of a rule book, compensation model or service description."""

    __tablename__ = "document"
    __table_args__ = (
        sa.UniqueConstraint("area", "kind", "number"),
        sa.CheckConstraint("number > 0", name="document_number_positive"),
        {"info": APPEND_ONLY},
    )

    document_id: str = Field(primary_key=True)
    kind: str
    area: str
    number: int
    valid_from: date
    title: str
    terms: dict[str, Any] = Field(sa_type=JSON)
    correction_reason: str | None
    published_by: str
    recorded_at: datetime = Field(sa_type=INSTANT)


class PackageVersion(Base, table=True):
    """A published version of a service package; `tree` is what was published, word for word."""

    __tablename__ = "package"
    __table_args__ = (
        sa.UniqueConstraint("code", "number"),
        sa.CheckConstraint("number > 0", name="package_number_positive"),
        {"info": APPEND_ONLY},
    )

    package_id: str = Field(primary_key=True)
    code: str
    number: int
    valid_from: date
    name_fi: str
    name_en: str
    source: str
    tree: dict[str, Any] = Field(sa_type=JSON)
    published_by: str
    recorded_at: datetime = Field(sa_type=INSTANT)


class PackageNodeRow(Base, table=True):
    """A node of a package version with what it inherited; `place` is its place in reading order from 1."""

    __tablename__ = "package_node"
    __table_args__ = (
        sa.CheckConstraint("level BETWEEN 1 AND 4", name="package_node_level"),
        sa.Index("package_node_by_code", "code"),
        {"info": APPEND_ONLY},
    )

    package_id: str = Field(primary_key=True, foreign_key="package.package_id")
    code: str = Field(primary_key=True)
    place: int
    parent: str | None
    level: int
    name_fi: str
    choice: str | None
    price_basis: str | None
    units: list[str] = Field(sa_type=TEXTS)
    care_criteria: list[str] = Field(sa_type=TEXTS)
    source_lines: list[int] = Field(sa_type=NUMBERS)


class PriceVersion(Base, table=True):
    """The organiser's price of a node from a day on; a price of the same day again is its next version."""

    __tablename__ = "price"
    __table_args__ = (
        sa.CheckConstraint("price_cents >= 0", name="price_not_negative"),
        {"info": APPEND_ONLY},
    )

    price_id: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    area: str
    node: str
    unit_of_measure: str
    valid_from: date
    price_cents: int
    price_basis: str = Field(default="unit", sa_column_kwargs={"server_default": "unit"})
    total_price: dict[str, Any] | None = Field(sa_type=JSON)
    correction_reason: str | None
    set_by: str
    recorded_at: datetime = Field(sa_type=INSTANT)


class SchemeRow(Base, table=True):
    """A municipality's scheme and the phase that it is in."""

    __tablename__ = "scheme"
    __table_args__ = (
        sa.UniqueConstraint("municipality"),
        sa.CheckConstraint("phase BETWEEN 1 AND 6", name="scheme_phase_known"),
        {"info": BY_VERSION},
    )

    scheme_id: str = Field(primary_key=True)
    version: int
    municipality: str
    area: str
    phase: int
    entered_on: date
    purposes: list[str] = Field(sa_type=TEXTS)
    goals: str
    scope: str
    voucher_valid_months: int
    rule_book: str | None = Field(foreign_key="document.document_id")
    compensation_model: str | None = Field(foreign_key="document.document_id")
    service_description: str | None = Field(foreign_key="document.document_id")


class SchemePhase(Base, table=True):
    """When a scheme entered a phase."""

    __tablename__ = "scheme_phase"
    __table_args__ = ({"info": APPEND_ONLY},)

    scheme_id: str = Field(primary_key=True, foreign_key="scheme.scheme_id")
    phase: int = Field(primary_key=True)
    entered_on: date
    entered_by: str
    recorded_at: datetime = Field(sa_type=INSTANT)


class SchemeComment(Base, table=True):
    """A producer's comment in the dialogue."""

    __tablename__ = "scheme_comment"
    __table_args__ = ({"info": APPEND_ONLY},)

    scheme_id: str = Field(primary_key=True, foreign_key="scheme.scheme_id")
    number: int = Field(primary_key=True)
    producer_id: str
    text: str
    recorded_at: datetime = Field(sa_type=INSTANT)


class SchemeAnswer(Base, table=True):
    """The organiser's answer to a comment."""

    __tablename__ = "scheme_answer"
    __table_args__ = (
        sa.ForeignKeyConstraint(["scheme_id", "number"], ["scheme_comment.scheme_id", "scheme_comment.number"]),
        {"info": APPEND_ONLY},
    )

    scheme_id: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    text: str
    answered_by: str
    recorded_at: datetime = Field(sa_type=INSTANT)


class SchemeDecision(Base, table=True):
    """A municipality's decision on its scheme, with the versions that it adopts."""

    __tablename__ = "scheme_decision"
    __table_args__ = (
        sa.CheckConstraint(
            "verdict = 'reject' OR num_nonnulls(rule_book, compensation_model, service_description) = 3",
            name="scheme_decision_adopts",
        ),
        {"info": APPEND_ONLY},
    )

    scheme_id: str = Field(primary_key=True, foreign_key="scheme.scheme_id")
    number: int = Field(primary_key=True)
    verdict: str
    reasons: str
    rule_book: str | None = Field(foreign_key="document.document_id")
    compensation_model: str | None = Field(foreign_key="document.document_id")
    service_description: str | None = Field(foreign_key="document.document_id")
    decided_by: str
    recorded_at: datetime = Field(sa_type=INSTANT)


class ProducerRow(Base, table=True):
    """A producer and its standing."""

    __tablename__ = "producer"
    __table_args__ = (
        sa.UniqueConstraint("business_id"),
        sa.CheckConstraint("iban IS NOT NULL OR kind = 'own_enterprise'", name="producer_account"),
        {"info": BY_VERSION},
    )

    producer_id: str = Field(primary_key=True)
    version: int
    business_id: str
    name: str
    kind: str
    area: str
    status: str
    iban: str | None
    recorded_at: datetime = Field(sa_type=INSTANT)


class ChecklistStatement(Base, table=True):
    """What a producer stated on a statutory item; the highest revision is what holds."""

    __tablename__ = "checklist_statement"
    __table_args__ = ({"info": APPEND_ONLY},)

    producer_id: str = Field(primary_key=True, foreign_key="producer.producer_id")
    revision: int = Field(primary_key=True)
    item: str = Field(primary_key=True)
    fulfilled: bool
    statement: str
    stated_by: str
    recorded_at: datetime = Field(sa_type=INSTANT)


class RuleBookAcceptance(Base, table=True):
    """A producer's acceptance of a version of the rule book."""

    __tablename__ = "rule_book_acceptance"
    __table_args__ = ({"info": APPEND_ONLY},)

    producer_id: str = Field(primary_key=True, foreign_key="producer.producer_id")
    document_id: str = Field(primary_key=True, foreign_key="document.document_id")
    accepted_by: str
    recorded_at: datetime = Field(sa_type=INSTANT)


class ProducerDecision(Base, table=True):
    """The organiser's decision on an application, with its reasons."""

    __tablename__ = "producer_decision"
    __table_args__ = ({"info": APPEND_ONLY},)

    producer_id: str = Field(primary_key=True, foreign_key="producer.producer_id")
    number: int = Field(primary_key=True)
    verdict: str
    reasons: str
    rule_book: str | None = Field(foreign_key="document.document_id")
    decided_by: str
    recorded_at: datetime = Field(sa_type=INSTANT)


class UnitRow(Base, table=True):
    """A unit where residents can be listed; capacity None is without limit."""

    __tablename__ = "unit"
    __table_args__ = (
        sa.CheckConstraint("capacity IS NULL OR capacity > 0", name="unit_capacity_positive"),
        sa.CheckConstraint("(status = 'closed') = (closes_on IS NOT NULL)", name="unit_closed_has_day"),
        sa.Index("unit_by_producer", "producer_id"),
        {"info": BY_VERSION},
    )

    unit_id: str = Field(primary_key=True)
    version: int
    number: int
    producer_id: str = Field(foreign_key="producer.producer_id")
    area: str
    municipality: str
    name: str
    own: bool
    status: str
    capacity: int | None
    opens_on: date
    closes_on: date | None
    languages: list[str] = Field(sa_type=TEXTS)
    recorded_at: datetime = Field(sa_type=INSTANT)


class ContractRow(Base, table=True):
    """A contract of one of the three classes."""

    __tablename__ = "contract"
    __table_args__ = (
        sa.UniqueConstraint("producer_id", "number"),
        sa.CheckConstraint("ends_on IS NULL OR ends_on >= starts_on", name="contract_ends_after_start"),
        {"info": BY_VERSION},
    )

    contract_id: str = Field(primary_key=True)
    version: int
    number: int
    producer_id: str = Field(foreign_key="producer.producer_id")
    area: str
    contract_class: str
    compensation_kinds: list[str] = Field(sa_type=TEXTS)
    starts_on: date
    ends_on: date | None
    monthly_base_payment_cents: int | None = Field(sa_type=sa.BigInteger)
    effectiveness: list[dict[str, Any]] = Field(sa_column=sa.Column(JSON, server_default="[]", nullable=False))
    signed_by: str
    recorded_at: datetime = Field(sa_type=INSTANT)


class YearOrder(Base, table=True):
    """A version of an annual order or of the budget of an area for a year; `content` is what was decided."""

    __tablename__ = "year_order"
    __table_args__ = (
        sa.CheckConstraint("kind IN ('annual_order', 'budget')", name="year_order_kind"),
        sa.CheckConstraint("(kind = 'annual_order') = (producer_id IS NOT NULL)", name="year_order_producer"),
        sa.CheckConstraint("status IN ('in_force', 'withdrawn')", name="year_order_status"),
        {"info": APPEND_ONLY},
    )

    order_id: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    kind: str
    area: str
    year: int
    valid_from: date
    status: str
    producer_id: str | None = Field(foreign_key="producer.producer_id")
    content: dict[str, Any] = Field(sa_type=JSON)
    reasons: str | None
    decided_by: str
    recorded_at: datetime = Field(sa_type=INSTANT)


class SanctionRow(Base, table=True):
    """A step of the ladder against a producer and its standing; the sum is in cents and goes with step 3."""

    __tablename__ = "sanction"
    __table_args__ = (
        sa.UniqueConstraint("producer_id", "number"),
        sa.CheckConstraint("step BETWEEN 1 AND 4", name="sanction_step_known"),
        sa.CheckConstraint("(step = 3) = (amount_cents IS NOT NULL)", name="sanction_sum_of_step"),
        sa.CheckConstraint("amount_cents > 0", name="sanction_sum_positive"),
        {"info": BY_VERSION},
    )

    sanction_id: str = Field(primary_key=True)
    version: int
    number: int
    producer_id: str = Field(foreign_key="producer.producer_id")
    area: str
    contract_id: str | None = Field(foreign_key="contract.contract_id")
    step: int
    name: str
    reason: str
    override_reason: str | None
    effective_on: date
    status: str
    amount_cents: int | None = Field(sa_type=sa.BigInteger)
    decided_on: date
    decided_by: str
    recorded_at: datetime = Field(sa_type=INSTANT)


class SanctionChange(Base, table=True):
    """What became of a sanction after it was imposed: appealed, upheld or withdrawn, by whom and why."""

    __tablename__ = "sanction_change"
    __table_args__ = ({"info": APPEND_ONLY},)

    sanction_id: str = Field(primary_key=True, foreign_key="sanction.sanction_id")
    version: int = Field(primary_key=True)
    what: str
    reasons: str
    amount_cents: int | None = Field(sa_type=sa.BigInteger)
    changed_by: str
    recorded_at: datetime = Field(sa_type=INSTANT)
