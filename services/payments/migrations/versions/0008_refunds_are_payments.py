"""A refund to a municipality is a payment like any other, so the bank's answers find it."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database forward; there is no way back but a backup."""
    op.execute("ALTER TABLE payment ADD COLUMN refund_id uuid REFERENCES refund_decision (refund_id)")
    op.execute("CREATE INDEX ix_payment_refund_id ON payment (refund_id)")
    op.execute("ALTER TABLE payment DROP CONSTRAINT payment_pays_one_thing")
    op.execute(
        "ALTER TABLE payment ADD CONSTRAINT payment_pays_one_thing"
        " CHECK (num_nonnulls(statement_id, item_id, refund_id) = 1)"
    )
