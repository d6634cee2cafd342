"""A report's id is derived from its producer and the producer's own id: one unique key on visits is enough."""

from alembic import op

revision = "0016"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database forward; there is no way back but a backup."""
    op.drop_index("visit_report", table_name="visit")
