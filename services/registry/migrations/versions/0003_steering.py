"""Orders, budgets and sanctions; and what models, prices and contracts are paid by."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_JSON = postgresql.JSONB(astext_type=sa.Text())


def upgrade() -> None:
    """Bring the database one version forward."""
    op.add_column("document", sa.Column("correction_reason", sa.String(), nullable=True))
    op.add_column("price", sa.Column("price_basis", sa.String(), server_default="unit", nullable=False))
    op.add_column("price", sa.Column("total_price", _JSON, nullable=True))
    op.add_column("price", sa.Column("correction_reason", sa.String(), nullable=True))
    op.add_column("contract", sa.Column("monthly_base_payment_cents", sa.BigInteger(), nullable=True))
    op.add_column("contract", sa.Column("effectiveness", _JSON, server_default="[]", nullable=False))
    op.create_table(
        "year_order",
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("area", sa.String(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("producer_id", sa.String(), nullable=True),
        sa.Column("content", _JSON, nullable=False),
        sa.Column("reasons", sa.String(), nullable=True),
        sa.Column("decided_by", sa.String(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('annual_order', 'budget')", name="year_order_kind"),
        sa.CheckConstraint("(kind = 'annual_order') = (producer_id IS NOT NULL)", name="year_order_producer"),
        sa.CheckConstraint("status IN ('in_force', 'withdrawn')", name="year_order_status"),
        sa.ForeignKeyConstraint(["producer_id"], ["producer.producer_id"]),
        sa.PrimaryKeyConstraint("order_id", "version"),
        info={"grants": "SELECT, INSERT"},
    )
    op.create_table(
        "sanction",
        sa.Column("sanction_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("producer_id", sa.String(), nullable=False),
        sa.Column("area", sa.String(), nullable=False),
        sa.Column("contract_id", sa.String(), nullable=True),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("override_reason", sa.String(), nullable=True),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=True),
        sa.Column("decided_on", sa.Date(), nullable=False),
        sa.Column("decided_by", sa.String(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("step BETWEEN 1 AND 4", name="sanction_step_known"),
        sa.CheckConstraint("(step = 3) = (amount_cents IS NOT NULL)", name="sanction_sum_of_step"),
        sa.CheckConstraint("amount_cents > 0", name="sanction_sum_positive"),
        sa.ForeignKeyConstraint(["contract_id"], ["contract.contract_id"]),
        sa.ForeignKeyConstraint(["producer_id"], ["producer.producer_id"]),
        sa.PrimaryKeyConstraint("sanction_id"),
        sa.UniqueConstraint("producer_id", "number"),
        info={"grants": "SELECT, INSERT, UPDATE"},
    )
    op.create_table(
        "sanction_change",
        sa.Column("sanction_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("reasons", sa.String(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=True),
        sa.Column("changed_by", sa.String(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["sanction_id"], ["sanction.sanction_id"]),
        sa.PrimaryKeyConstraint("sanction_id", "version"),
        info={"grants": "SELECT, INSERT"},
    )
