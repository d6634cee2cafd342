"""From whom suspended money came, to whom it is sent back, and the file that sends it, are sealed."""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database forward; there is no way back but a backup.

    What was written before stays as it is: the books are append-only, and the database does not know the key.
    """
    for table in ("suspense_step", "payout"):
        op.add_column(table, sa.Column("sealed", sa.LargeBinary(), nullable=True))
        op.add_column(table, sa.Column("key_id", sqlmodel.sql.sqltypes.AutoString(), nullable=True))
    op.add_column("suspense_item", sa.Column("sealed_sender", sa.LargeBinary(), nullable=True))
    op.add_column("suspense_item", sa.Column("key_id", sqlmodel.sql.sqltypes.AutoString(), nullable=True))
    op.create_check_constraint("suspense_item_key", "suspense_item", "(sealed_sender IS NULL) = (key_id IS NULL)")
    op.create_check_constraint("suspense_step_key", "suspense_step", "(sealed IS NULL) = (key_id IS NULL)")
    op.create_check_constraint("payout_key", "payout", "(sealed IS NULL) = (key_id IS NULL)")
    op.create_check_constraint("payout_one_file", "payout", "pain001 IS NULL OR sealed IS NULL")
