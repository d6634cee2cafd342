"""Who died is told apart from who moved away.

Who left before this counts as dead from that day on, since nobody kept which of the two it was and an estate is not
paid by guess. The feed puts it right: `moved_away` for that day once more says that the resident lives.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database forward; there is no way back but a backup."""
    op.add_column("resident", sa.Column("died_on", sa.Date(), nullable=True))
    op.execute("UPDATE resident SET died_on = lives_until WHERE lives_until IS NOT NULL")
    op.create_check_constraint(
        "resident_dies", "resident", "died_on IS NULL OR lives_until IS NOT NULL AND lives_until <= died_on"
    )
