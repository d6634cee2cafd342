"""Read models of orders, sanctions and vouchers; frozen indicators; weights and referrals of reported services."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database forward; there is no way back but a backup."""
    op.create_table(
        "year_order",
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("area", sa.String(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("producer_id", sa.String(), nullable=True),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("order_id"),
    )
    op.create_index("year_order_of_area", "year_order", ["area", "year"], unique=False)
    op.create_table(
        "sanction",
        sa.Column("sanction_id", sa.String(), nullable=False),
        sa.Column("producer_id", sa.String(), nullable=False),
        sa.Column("area", sa.String(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("sanction_id"),
    )
    op.create_index("ix_sanction_producer_id", "sanction", ["producer_id"], unique=False)
    op.create_table(
        "voucher",
        sa.Column("voucher_id", sa.Uuid(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("area", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("node", sa.String(), nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("voucher_id"),
    )
    op.create_index("ix_voucher_resident_id", "voucher", ["resident_id"], unique=False)
    op.create_table(
        "snapshot",
        sa.Column("snapshot_id", sa.Uuid(), nullable=False),
        sa.Column("indicator", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("area", sa.String(), nullable=False),
        sa.Column("producer_id", sa.String(), nullable=True),
        sa.Column("unit_id", sa.String(), nullable=True),
        sa.Column("municipality", sa.String(), nullable=True),
        sa.Column("period_from", sa.Date(), nullable=False),
        sa.Column("period_until", sa.Date(), nullable=False),
        sa.Column("direction", sa.String(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("scale", sa.Integer(), nullable=False),
        sa.Column("numerator", sa.BigInteger(), nullable=True),
        sa.Column("denominator", sa.BigInteger(), nullable=True),
        sa.Column("floor", sa.BigInteger(), nullable=True),
        sa.Column("target", sa.BigInteger(), nullable=True),
        sa.Column("confirmed_by", sa.String(), nullable=True),
        sa.Column("frozen_by", sa.String(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("period_until > period_from", name="snapshot_has_days"),
        sa.CheckConstraint("(floor IS NULL) = (target IS NULL)", name="snapshot_range_whole"),
        sa.CheckConstraint("denominator > 0", name="snapshot_denominator"),
        sa.CheckConstraint(
            "confirmed_by IS DISTINCT FROM producer_id OR producer_id IS NULL", name="snapshot_confirmed"
        ),
        sa.PrimaryKeyConstraint("snapshot_id"),
        info={"grants": "SELECT, INSERT"},
    )
    op.create_index("snapshot_of_area", "snapshot", ["area", "period_from"], unique=False)
    for table in ("production", "production_before"):
        op.add_column(table, sa.Column("weight_ten_thousandths", sa.Integer(), nullable=True))
        op.add_column(table, sa.Column("drg_group", sa.String(), nullable=True))
        op.add_column(table, sa.Column("referral_id", sa.String(), nullable=True))
