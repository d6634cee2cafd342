"""All tables of listing: the vault, residents, spans, looks, the feed, and what is kept of the registry."""

import sqlalchemy as sa
import sqlmodel
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database forward; there is no way back but a backup."""
    op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
    op.create_table(
        "compensation_model",
        sa.Column("document_id", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("area", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("coefficient_min_permille", sa.Integer(), nullable=False),
        sa.Column("coefficient_max_permille", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("document_id"),
    )
    op.create_index(
        "compensation_model_in_force", "compensation_model", ["area", "valid_from", "number"], unique=False
    )
    op.create_table(
        "feed_file",
        sa.Column("feed", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("receipt", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("sequence >= 1 AND lines >= 1 AND position >= lines", name="feed_file_counts"),
        sa.PrimaryKeyConstraint("feed", "sequence"),
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
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("caller", "key"),
        info={"grants": "SELECT, INSERT"},
    )
    op.create_table(
        "inbox",
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column(
            "received_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
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
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("topic", "partition"),
    )
    op.create_table(
        "look",
        sa.Column("look_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("who", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("role", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("why", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("look_id"),
        info={"grants": "SELECT, INSERT"},
    )
    op.create_index("look_of_resident", "look", ["resident_id", "look_id"], unique=False)
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
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column(
            "shard",
            sa.SmallInteger(),
            sa.Computed("(hashtext(key) & 3)::smallint", persisted=True),
            nullable=False,
        ),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        info={"grants": "SELECT, INSERT, UPDATE (sent_at)"},
    )
    op.create_index(
        "outbox_unsent", "outbox", ["shard", "id"], unique=False, postgresql_where=sa.text("sent_at IS NULL")
    )
    op.create_table(
        "package_node",
        sa.Column("package_id", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("code", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("name_fi", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("choice", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.PrimaryKeyConstraint("package_id", "code"),
    )
    op.create_table(
        "producer",
        sa.Column("producer_id", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("kind", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("area", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("status", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.PrimaryKeyConstraint("producer_id"),
    )
    op.create_table(
        "relay_shard",
        sa.Column("shard", sa.SmallInteger(), nullable=False),
        sa.Column("token", sa.Uuid(), nullable=True),
        sa.Column(
            "leased_until", sa.DateTime(timezone=True), server_default=sa.text("'-infinity'"), nullable=False
        ),
        sa.PrimaryKeyConstraint("shard"),
    )
    op.create_table(
        "resident",
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("listing_version", sa.Integer(), server_default="0", nullable=False),
        sa.Column("birth_date", sa.Date(), nullable=False),
        sa.Column("sex", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("municipality", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("area", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("protected", sa.Boolean(), nullable=False),
        sa.Column("lives_until", sa.Date(), nullable=True),
        sa.Column("chosen_on", sa.Date(), nullable=True),
        sa.Column("free_choice", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.CheckConstraint("sex IN ('male', 'female')", name="resident_sex"),
        sa.CheckConstraint("lives_until IS NULL OR lives_until >= birth_date", name="resident_lives"),
        sa.PrimaryKeyConstraint("resident_id"),
    )
    op.create_table(
        "rule_book",
        sa.Column("document_id", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("area", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("months_between_choices", sa.Integer(), nullable=False),
        sa.Column("days_to_effect", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("document_id"),
    )
    op.create_index("rule_book_in_force", "rule_book", ["area", "valid_from", "number"], unique=False)
    op.create_table(
        "sandbox_clock",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("instant", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "scheme",
        sa.Column("scheme_id", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("municipality", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("area", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("phase", sa.Integer(), nullable=False),
        sa.Column("entered_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("scheme_id"),
    )
    op.create_index("scheme_of_municipality", "scheme", ["municipality"], unique=False)
    op.create_table(
        "span",
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("span_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("during", postgresql.DATERANGE(), nullable=False),
        sa.Column("unit_id", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("producer_id", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("origin", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("coefficient_permille", sa.Integer(), server_default="1000", nullable=False),
        sa.Column("recorded_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "recorded_until", sa.DateTime(timezone=True), server_default=sa.text("'infinity'"), nullable=False
        ),
        postgresql.ExcludeConstraint(
            (sa.column("resident_id"), "="),
            (sa.column("during"), "&&"),
            where=sa.text("recorded_until = 'infinity'"),
            using="gist",
            name="span_one_unit_a_day",
        ),
        sa.CheckConstraint("origin IN ('default', 'choice', 'move', 'unit_closed')", name="span_origin"),
        sa.CheckConstraint("NOT isempty(during) AND NOT lower_inf(during)", name="span_has_days"),
        sa.CheckConstraint("coefficient_permille > 0", name="span_coefficient"),
        sa.CheckConstraint("recorded_from <= recorded_until", name="span_was_known"),
        sa.PrimaryKeyConstraint("resident_id", "span_id"),
    )
    op.create_index("span_of_unit", "span", ["unit_id", "resident_id"], unique=False)
    op.create_table(
        "unit",
        sa.Column("unit_id", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("producer_id", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("area", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("municipality", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("name", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("own", sa.Boolean(), nullable=False),
        sa.Column("status", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=True),
        sa.Column("listed", sa.Integer(), server_default="0", nullable=False),
        sa.Column("opens_on", sa.Date(), nullable=False),
        sa.Column("closes_on", sa.Date(), nullable=True),
        sa.Column("languages", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.CheckConstraint("status IN ('open', 'closed')", name="unit_status"),
        sa.CheckConstraint("listed >= 0", name="unit_listed"),
        sa.PrimaryKeyConstraint("unit_id"),
    )
    op.create_index("unit_of_municipality", "unit", ["municipality", "unit_id"], unique=False)
    op.create_index("unit_of_producer", "unit", ["producer_id"], unique=False)
    op.create_table(
        "vault",
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("hetu_index", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("key_id", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.PrimaryKeyConstraint("resident_id"),
        sa.UniqueConstraint("hetu_index"),
    )
