"""The registry's first tables: documents, packages, prices, schemes, producers, units and contracts."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database one version forward."""
    op.create_table(
        "document",
        sa.Column("document_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("area", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("terms", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("published_by", sa.String(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("number > 0", name="document_number_positive"),
        sa.PrimaryKeyConstraint("document_id"),
        sa.UniqueConstraint("area", "kind", "number"),
        info={"grants": "SELECT, INSERT"},
    )
    op.create_table(
        "idempotency",
        sa.Column("caller", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("body_hash", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.PrimaryKeyConstraint("caller", "key"),
        info={"grants": "SELECT, INSERT"},
    )
    op.create_table(
        "inbox",
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column(
            "received_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.PrimaryKeyConstraint("event_id"),
        info={"grants": "SELECT, INSERT"},
    )
    op.create_table(
        "inbox_offset",
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("next_offset", sa.BigInteger(), nullable=False),
        sa.Column("received", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("applied", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("duplicates", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("dead", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("unknown", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column(
            "updated_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.PrimaryKeyConstraint("topic", "partition"),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("event_id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("headers", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("traceparent", sa.Text(), nullable=True),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column(
            "shard", sa.SmallInteger(), sa.Computed("(hashtext(key) & 3)::smallint", persisted=True), nullable=False
        ),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        info={"grants": "SELECT, INSERT, UPDATE (sent_at)"},
    )
    op.create_index(
        "outbox_unsent", "outbox", ["shard", "id"], unique=False, postgresql_where=sa.text("sent_at IS NULL")
    )
    op.create_table(
        "package",
        sa.Column("package_id", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("name_fi", sa.String(), nullable=False),
        sa.Column("name_en", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("tree", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("published_by", sa.String(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("number > 0", name="package_number_positive"),
        sa.PrimaryKeyConstraint("package_id"),
        sa.UniqueConstraint("code", "number"),
        info={"grants": "SELECT, INSERT"},
    )
    op.create_table(
        "price",
        sa.Column("price_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("area", sa.String(), nullable=False),
        sa.Column("node", sa.String(), nullable=False),
        sa.Column("unit_of_measure", sa.String(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("price_cents", sa.Integer(), nullable=False),
        sa.Column("set_by", sa.String(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("price_cents >= 0", name="price_not_negative"),
        sa.PrimaryKeyConstraint("price_id", "version"),
        info={"grants": "SELECT, INSERT"},
    )
    op.create_table(
        "producer",
        sa.Column("producer_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("business_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("area", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("iban", sa.String(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("iban IS NOT NULL OR kind = 'own_enterprise'", name="producer_account"),
        sa.PrimaryKeyConstraint("producer_id"),
        sa.UniqueConstraint("business_id"),
        info={"grants": "SELECT, INSERT, UPDATE"},
    )
    op.create_table(
        "relay_shard",
        sa.Column("shard", sa.SmallInteger(), nullable=False),
        sa.Column("token", sa.Uuid(), nullable=True),
        sa.Column("leased_until", sa.DateTime(timezone=True), server_default=sa.text("'-infinity'"), nullable=False),
        sa.PrimaryKeyConstraint("shard"),
    )
    op.create_table(
        "sandbox_clock",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("instant", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "checklist_statement",
        sa.Column("producer_id", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("item", sa.String(), nullable=False),
        sa.Column("fulfilled", sa.Boolean(), nullable=False),
        sa.Column("statement", sa.String(), nullable=False),
        sa.Column("stated_by", sa.String(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["producer_id"],
            ["producer.producer_id"],
        ),
        sa.PrimaryKeyConstraint("producer_id", "revision", "item"),
        info={"grants": "SELECT, INSERT"},
    )
    op.create_table(
        "contract",
        sa.Column("contract_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("producer_id", sa.String(), nullable=False),
        sa.Column("area", sa.String(), nullable=False),
        sa.Column("contract_class", sa.String(), nullable=False),
        sa.Column("compensation_kinds", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("signed_by", sa.String(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("ends_on IS NULL OR ends_on >= starts_on", name="contract_ends_after_start"),
        sa.ForeignKeyConstraint(
            ["producer_id"],
            ["producer.producer_id"],
        ),
        sa.PrimaryKeyConstraint("contract_id"),
        sa.UniqueConstraint("producer_id", "number"),
        info={"grants": "SELECT, INSERT, UPDATE"},
    )
    op.create_table(
        "package_node",
        sa.Column("package_id", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("parent", sa.String(), nullable=True),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("name_fi", sa.String(), nullable=False),
        sa.Column("choice", sa.String(), nullable=True),
        sa.Column("price_basis", sa.String(), nullable=True),
        sa.Column("units", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("care_criteria", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("source_lines", postgresql.ARRAY(sa.Integer()), nullable=False),
        sa.CheckConstraint("level BETWEEN 1 AND 4", name="package_node_level"),
        sa.ForeignKeyConstraint(
            ["package_id"],
            ["package.package_id"],
        ),
        sa.PrimaryKeyConstraint("package_id", "code"),
        info={"grants": "SELECT, INSERT"},
    )
    op.create_index("package_node_by_code", "package_node", ["code"], unique=False)
    op.create_table(
        "producer_decision",
        sa.Column("producer_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("reasons", sa.String(), nullable=False),
        sa.Column("rule_book", sa.String(), nullable=True),
        sa.Column("decided_by", sa.String(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["producer_id"],
            ["producer.producer_id"],
        ),
        sa.ForeignKeyConstraint(
            ["rule_book"],
            ["document.document_id"],
        ),
        sa.PrimaryKeyConstraint("producer_id", "number"),
        info={"grants": "SELECT, INSERT"},
    )
    op.create_table(
        "rule_book_acceptance",
        sa.Column("producer_id", sa.String(), nullable=False),
        sa.Column("document_id", sa.String(), nullable=False),
        sa.Column("accepted_by", sa.String(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["document_id"],
            ["document.document_id"],
        ),
        sa.ForeignKeyConstraint(
            ["producer_id"],
            ["producer.producer_id"],
        ),
        sa.PrimaryKeyConstraint("producer_id", "document_id"),
        info={"grants": "SELECT, INSERT"},
    )
    op.create_table(
        "scheme",
        sa.Column("scheme_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("municipality", sa.String(), nullable=False),
        sa.Column("area", sa.String(), nullable=False),
        sa.Column("phase", sa.Integer(), nullable=False),
        sa.Column("entered_on", sa.Date(), nullable=False),
        sa.Column("purposes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("goals", sa.String(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("voucher_valid_months", sa.Integer(), nullable=False),
        sa.Column("rule_book", sa.String(), nullable=True),
        sa.Column("compensation_model", sa.String(), nullable=True),
        sa.Column("service_description", sa.String(), nullable=True),
        sa.CheckConstraint("phase BETWEEN 1 AND 6", name="scheme_phase_known"),
        sa.ForeignKeyConstraint(
            ["compensation_model"],
            ["document.document_id"],
        ),
        sa.ForeignKeyConstraint(
            ["rule_book"],
            ["document.document_id"],
        ),
        sa.ForeignKeyConstraint(
            ["service_description"],
            ["document.document_id"],
        ),
        sa.PrimaryKeyConstraint("scheme_id"),
        sa.UniqueConstraint("municipality"),
        info={"grants": "SELECT, INSERT, UPDATE"},
    )
    op.create_table(
        "unit",
        sa.Column("unit_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("producer_id", sa.String(), nullable=False),
        sa.Column("area", sa.String(), nullable=False),
        sa.Column("municipality", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("own", sa.Boolean(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=True),
        sa.Column("opens_on", sa.Date(), nullable=False),
        sa.Column("closes_on", sa.Date(), nullable=True),
        sa.Column("languages", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(status = 'closed') = (closes_on IS NOT NULL)", name="unit_closed_has_day"),
        sa.CheckConstraint("capacity IS NULL OR capacity > 0", name="unit_capacity_positive"),
        sa.ForeignKeyConstraint(
            ["producer_id"],
            ["producer.producer_id"],
        ),
        sa.PrimaryKeyConstraint("unit_id"),
        info={"grants": "SELECT, INSERT, UPDATE"},
    )
    op.create_index("unit_by_producer", "unit", ["producer_id"], unique=False)
    op.create_table(
        "scheme_comment",
        sa.Column("scheme_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("producer_id", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["scheme_id"],
            ["scheme.scheme_id"],
        ),
        sa.PrimaryKeyConstraint("scheme_id", "number"),
        info={"grants": "SELECT, INSERT"},
    )
    op.create_table(
        "scheme_decision",
        sa.Column("scheme_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("reasons", sa.String(), nullable=False),
        sa.Column("rule_book", sa.String(), nullable=True),
        sa.Column("compensation_model", sa.String(), nullable=True),
        sa.Column("service_description", sa.String(), nullable=True),
        sa.Column("decided_by", sa.String(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "verdict = 'reject' OR num_nonnulls(rule_book, compensation_model, service_description) = 3",
            name="scheme_decision_adopts",
        ),
        sa.ForeignKeyConstraint(
            ["compensation_model"],
            ["document.document_id"],
        ),
        sa.ForeignKeyConstraint(
            ["rule_book"],
            ["document.document_id"],
        ),
        sa.ForeignKeyConstraint(
            ["scheme_id"],
            ["scheme.scheme_id"],
        ),
        sa.ForeignKeyConstraint(
            ["service_description"],
            ["document.document_id"],
        ),
        sa.PrimaryKeyConstraint("scheme_id", "number"),
        info={"grants": "SELECT, INSERT"},
    )
    op.create_table(
        "scheme_phase",
        sa.Column("scheme_id", sa.String(), nullable=False),
        sa.Column("phase", sa.Integer(), nullable=False),
        sa.Column("entered_on", sa.Date(), nullable=False),
        sa.Column("entered_by", sa.String(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["scheme_id"],
            ["scheme.scheme_id"],
        ),
        sa.PrimaryKeyConstraint("scheme_id", "phase"),
        info={"grants": "SELECT, INSERT"},
    )
    op.create_table(
        "scheme_answer",
        sa.Column("scheme_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("answered_by", sa.String(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["scheme_id", "number"],
            ["scheme_comment.scheme_id", "scheme_comment.number"],
        ),
        sa.PrimaryKeyConstraint("scheme_id", "number"),
        info={"grants": "SELECT, INSERT"},
    )
