"""Row-level security by area for the tables of the bank, disputes, final statements, proposals and refunds too."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

AREA_TABLES = (
    "area_account", "bank_booking", "suspense_item", "dispute", "line_adjustment", "final_statement", "rate_proposal",
    "agreed_measure", "refund_proposal",
)  # fmt: skip
PARENTS = (("suspense_step", "suspense_item", "item_id"), ("statement_offset", "statement", "statement_id"))


def upgrade() -> None:
    """Bring the database forward; there is no way back but a backup."""
    for name in AREA_TABLES:
        op.execute(f"SELECT scope_by_area('{name}')")
    for name, parent, key in PARENTS:
        op.execute(f"SELECT scope_by_parent('{name}', '{parent}', '{key}')")
