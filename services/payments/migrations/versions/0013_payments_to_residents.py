"""Payments to residents: sealed accounts, batches from what is owed to the bank's file, and their payments."""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0013"
down_revision = "0011"
branch_labels = None
depends_on = None

TEXT = sqlmodel.sql.sqltypes.AutoString()
AREA_TABLES = ("resident_batch", "resident_item", "resident_part", "resident_step", "resident_file")
APPEND_ONLY = ("resident_account", *AREA_TABLES)


def upgrade() -> None:
    """Bring the database forward; there is no way back but a backup."""
    _accounts()
    _batches()
    _steps()
    _payments()
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER no_change BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER no_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    for table in AREA_TABLES:
        op.execute(f"SELECT scope_by_area('{table}')")


def _accounts() -> None:
    op.create_table(
        "resident_account",
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("key_id", TEXT, nullable=False),
        sa.Column("given_by", TEXT, nullable=False),
        sa.Column("given_role", TEXT, nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("given_role IN ('resident', 'adviser')", name="resident_account_giver"),
        sa.PrimaryKeyConstraint("resident_id", "number"),
        info={"grants": "SELECT, INSERT"},
    )


def _batches() -> None:
    op.create_table(
        "resident_batch",
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("area", TEXT, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("drawn_by", TEXT, nullable=False),
        sa.Column("drawn_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("batch_id"),
        sa.UniqueConstraint("area", "number", name="resident_batch_number"),
        info={"grants": "SELECT, INSERT"},
    )
    op.create_table(
        "resident_item",
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("area", TEXT, nullable=False),
        sa.Column("payee_id", sa.Uuid(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount_cents > 0", name="resident_item_pays"),
        sa.ForeignKeyConstraint(["batch_id"], ["resident_batch.batch_id"]),
        sa.PrimaryKeyConstraint("item_id"),
        sa.UniqueConstraint("batch_id", "payee_id", name="resident_item_once"),
        info={"grants": "SELECT, INSERT"},
    )
    op.create_index("ix_resident_item_payee_id", "resident_item", ["payee_id"])
    op.create_table(
        "resident_part",
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("source", TEXT, nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("owed_to", sa.Uuid(), nullable=False),
        sa.Column("matter", TEXT, nullable=False),
        sa.Column("area", TEXT, nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("source IN ('benefit', 'ceiling')", name="resident_part_source"),
        sa.CheckConstraint("amount_cents <> 0", name="resident_part_moves"),
        sa.ForeignKeyConstraint(["item_id"], ["resident_item.item_id"]),
        sa.PrimaryKeyConstraint("item_id", "source", "resident_id", "owed_to", "matter"),
        info={"grants": "SELECT, INSERT"},
    )
    op.create_index("resident_part_matter", "resident_part", ["area", "source", "resident_id"])
    op.create_index(
        "resident_part_ceiling", "resident_part", ["owed_to"], postgresql_where=sa.text("source = 'ceiling'")
    )


def _steps() -> None:
    op.create_table(
        "resident_step",
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("area", TEXT, nullable=False),
        sa.Column("what", TEXT, nullable=False),
        sa.Column("account_number", sa.Integer(), nullable=True),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("by", TEXT, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("what IN ('approved', 'confirmed', 'withdrawn')", name="resident_step_what"),
        sa.CheckConstraint("(what = 'withdrawn') = (account_number IS NULL)", name="resident_step_account"),
        sa.ForeignKeyConstraint(["item_id"], ["resident_item.item_id"]),
        sa.PrimaryKeyConstraint("item_id", "number"),
        info={"grants": "SELECT, INSERT"},
    )


def _payments() -> None:
    op.create_table(
        "resident_file",
        sa.Column("payout_id", sa.Uuid(), nullable=False),
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("area", TEXT, nullable=False),
        sa.Column("approved_by", TEXT, nullable=False),
        sa.Column("released_by", TEXT, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("key_id", TEXT, nullable=False),
        sa.CheckConstraint("approved_by <> released_by", name="resident_file_four_eyes"),
        sa.ForeignKeyConstraint(["batch_id"], ["resident_batch.batch_id"]),
        sa.ForeignKeyConstraint(["payout_id"], ["payout.payout_id"]),
        sa.PrimaryKeyConstraint("payout_id"),
        info={"grants": "SELECT, INSERT"},
    )
    op.create_index("ix_resident_file_batch_id", "resident_file", ["batch_id"])
    op.execute("ALTER TABLE payment ADD COLUMN resident_item_id uuid REFERENCES resident_item (item_id)")
    op.execute("CREATE INDEX ix_payment_resident_item_id ON payment (resident_item_id)")
    op.execute("ALTER TABLE payment DROP CONSTRAINT payment_pays_one_thing")
    op.execute(
        "ALTER TABLE payment ADD CONSTRAINT payment_pays_one_thing"
        " CHECK (num_nonnulls(statement_id, item_id, refund_id, resident_item_id) = 1)"
    )
