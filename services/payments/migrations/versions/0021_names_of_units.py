"""A unit has its name, so that a resident reads where money went."""

from alembic import op

revision = "0021"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database forward; there is no way back but a backup."""
    op.execute("ALTER TABLE unit ADD COLUMN name varchar")
