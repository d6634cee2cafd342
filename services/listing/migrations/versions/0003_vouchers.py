"""Vouchers and personal budgets, the decisions on them, and the reasons of coefficients."""

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
        "voucher",
        sa.Column("voucher_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("area", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("node", sa.String(), nullable=False),
        sa.Column("unit_of_measure", sa.String(), nullable=True),
        sa.Column("value_cents", sa.Integer(), nullable=True),
        sa.Column("self_pay", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("uses_granted", sa.Integer(), nullable=True),
        sa.Column("sum_granted_cents", sa.Integer(), nullable=True),
        sa.Column("plan", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("producer_ids", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("ground", sa.String(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        postgresql.ExcludeConstraint(
            (sa.column("resident_id"), "="),
            (sa.column("kind"), "="),
            (sa.column("node"), "="),
            (sa.text("daterange(starts_on, until)"), "&&"),
            where=sa.text("status <> 'annulled'"),
            using="gist",
            name="voucher_one_a_day",
        ),
        sa.CheckConstraint("status IN ('granted', 'annulled', 'ended')", name="voucher_status"),
        sa.CheckConstraint("until > starts_on", name="voucher_has_days"),
        sa.CheckConstraint("(ground IS NULL) = (status = 'granted')", name="voucher_ground"),
        sa.PrimaryKeyConstraint("voucher_id"),
        info={"grants": "SELECT, INSERT, UPDATE"},
    )
    op.create_table(
        "voucher_decision",
        sa.Column("voucher_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("ground", sa.String(), nullable=True),
        sa.Column("reasons_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("decided_by", sa.String(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("voucher_id", "version"),
        info={"grants": "SELECT, INSERT"},
    )
    op.add_column(
        "compensation_model",
        sa.Column("coefficient_reasons", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
    )
    op.create_table(
        "coefficient_decision",
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("listing_version", sa.Integer(), nullable=False),
        sa.Column("coefficient_permille", sa.Integer(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("decided_by", sa.String(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("resident_id", "listing_version"),
        info={"grants": "SELECT, INSERT"},
    )
    op.add_column("scheme", sa.Column("voucher_valid_months", sa.Integer(), nullable=True))
