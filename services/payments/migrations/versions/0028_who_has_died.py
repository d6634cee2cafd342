"""Who died is told apart from who moved away, whom an area pays what it owes.

Who left before this counts as dead, since nobody kept which of the two it was, until listing tells a newer version.
"""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database forward; there is no way back but a backup."""
    op.add_column("resident", sa.Column("has_died", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.execute("UPDATE resident SET has_died = true WHERE lives_until IS NOT NULL")
