"""The guardian of a child, as the registration feed names it."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database forward; there is no way back but a backup."""
    op.add_column("resident", sa.Column("guardian_id", sa.Uuid(), nullable=True))
