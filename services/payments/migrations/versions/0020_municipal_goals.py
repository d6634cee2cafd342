"""A frozen indicator is a producer's, or a municipality's goal."""

from alembic import op

revision = "0020"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database forward; there is no way back but a backup."""
    op.execute(
        "ALTER TABLE snapshot ALTER COLUMN producer_id DROP NOT NULL, ADD COLUMN municipality varchar,"
        " ADD CONSTRAINT snapshot_of_one CHECK (num_nonnulls(producer_id, municipality) = 1)"
    )
