"""An instalment that was booked by hand explains one movement of the bank; what left unexplained is found at once."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database forward; there is no way back but a backup."""
    for name, table, column, where in (
        ("bank_entry_funding", "bank_entry", "entry_id", "matched = 'funding'"),
        ("suspense_step_funding", "suspense_step", "target", "what = 'matched_to_funding'"),
    ):
        op.create_index(name, table, [column], unique=True, postgresql_where=sa.text(where))
    op.create_index("suspense_item_debit", "suspense_item", ["area"], postgresql_where=sa.text("direction = 'debit'"))
