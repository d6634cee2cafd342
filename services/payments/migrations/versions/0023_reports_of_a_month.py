"""A run reads the reports of its month by index, and finds those of earlier months by what is new of them."""

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database forward; there is no way back but a backup."""
    op.drop_index("visit_area", table_name="visit")
    op.create_index("visit_of_area", "visit", ["area", "performed_on"], unique=False)
    summaries = {"postgresql_using": "brin", "postgresql_with": {"autosummarize": "on"}}
    op.create_index("visit_recorded", "visit", ["recorded_from"], unique=False, **summaries)
