"""The lines of a month are hashed in parts; a month that was closed before stays the one part that it was."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database forward; there is no way back but a backup."""
    op.add_column("run", sa.Column("sealed_in_parts", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.alter_column("run", "sealed_in_parts", server_default=sa.true())
