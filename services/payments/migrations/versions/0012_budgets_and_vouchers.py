"""Budgets and annual orders of areas, what runs cost by package node, vouchers and what was paid from them."""

import sqlalchemy as sa
import sqlmodel
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0010"
branch_labels = None
depends_on = None

APPEND_ONLY = ("year_order", "node_use", "voucher_use")


def upgrade() -> None:
    """Bring the database forward; there is no way back but a backup."""
    op.create_table(
        "year_order",
        sa.Column("order_id", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("area", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("kind", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("status", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.CheckConstraint("kind IN ('annual_order', 'budget')", name="year_order_kind"),
        sa.CheckConstraint("status IN ('in_force', 'withdrawn')", name="year_order_status"),
        sa.PrimaryKeyConstraint("order_id", "version"),
        info={"grants": "SELECT, INSERT"},
    )
    op.create_index("year_order_of_year", "year_order", ["area", "year"], unique=False)
    op.create_table(
        "node_use",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("producer_id", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("component", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("node", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("area", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.run_id"]),
        sa.PrimaryKeyConstraint("run_id", "producer_id", "component", "node"),
        info={"grants": "SELECT, INSERT"},
    )
    op.create_table(
        "voucher",
        sa.Column("voucher_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("recorded_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_until", sa.DateTime(timezone=True), server_default=sa.text("'infinity'"), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("area", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("kind", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("status", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("nodes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("unit_of_measure", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("value_cents", sa.Integer(), nullable=True),
        sa.Column("self_pay_cents", sa.Integer(), nullable=False),
        sa.Column("uses_granted", sa.Integer(), nullable=True),
        sa.Column("sum_granted_cents", sa.BigInteger(), nullable=True),
        sa.Column("producer_ids", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.CheckConstraint("recorded_from <= recorded_until"),
        sa.PrimaryKeyConstraint("voucher_id", "version"),
    )
    op.create_index("voucher_of_resident", "voucher", ["area", "resident_id"], unique=False)
    op.create_table(
        "voucher_use",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("voucher_id", sa.Uuid(), nullable=False),
        sa.Column("production_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("unit_id", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("for_month", sa.Date(), nullable=False),
        sa.Column("node", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("area", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("producer_id", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("uses", sa.Integer(), nullable=False),
        sa.Column("rate_cents", sa.BigInteger(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("kind IN ('original', 'refund', 'correction')", name="voucher_use_kind"),
        sa.ForeignKeyConstraint(["run_id"], ["run.run_id"]),
        sa.PrimaryKeyConstraint("run_id", "voucher_id", "production_id", "kind", "unit_id", "for_month", "node"),
        info={"grants": "SELECT, INSERT"},
    )
    op.create_index("voucher_use_of_report", "voucher_use", ["production_id"], unique=False)
    op.create_index("voucher_use_of_voucher", "voucher_use", ["voucher_id"], unique=False)
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER no_change BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER no_truncate BEFORE TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    for table in (*APPEND_ONLY, "voucher"):
        op.execute(f"SELECT scope_by_area('{table}')")
