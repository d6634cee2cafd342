"""The lines of a month are hashed in parts; a month that was closed before stays the one part that it was."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

ONE_PART = str(2**31 - 1)


def upgrade() -> None:
    """Bring the database forward; there is no way back but a backup."""
    op.add_column("run", sa.Column("residents_in_a_part", sa.Integer(), server_default=ONE_PART, nullable=False))
    op.alter_column("run", "residents_in_a_part", server_default="4096")
