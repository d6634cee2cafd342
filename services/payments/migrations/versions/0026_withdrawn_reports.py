"""A report may be withdrawn: then its newest version has the quantity 0."""

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database forward; there is no way back but a backup."""
    op.drop_constraint("visit_check", "visit", type_="check")
    op.create_check_constraint("visit_check", "visit", "quantity >= 0 AND client_fee_cents >= 0")
