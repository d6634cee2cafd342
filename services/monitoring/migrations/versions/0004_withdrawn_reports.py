"""A report may be withdrawn: then its newest version has the quantity 0."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database forward; there is no way back but a backup."""
    op.drop_constraint("quantity_in_range", "production", type_="check")
    op.create_check_constraint("quantity_in_range", "production", "quantity BETWEEN 0 AND 100")
