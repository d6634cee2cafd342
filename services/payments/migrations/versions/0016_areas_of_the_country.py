"""An area is a small part of the country: its residents, spans and visits are found by index, and so is what is new.

A report's id is derived from its producer and the producer's own id, so one unique key on visits is enough.
"""

from alembic import op

revision = "0016"
down_revision = "0013"
branch_labels = None
depends_on = None

SUMMARIES = {"postgresql_using": "brin", "postgresql_with": {"autosummarize": "on"}}


def upgrade() -> None:
    """Bring the database forward; there is no way back but a backup."""
    op.drop_index("visit_report", table_name="visit")
    op.create_index("resident_area", "resident", ["area"], unique=False)
    op.create_index("span_unit", "span", ["unit_id"], unique=False)
    op.create_index("visit_area", "visit", ["area"], unique=False)
    op.create_index("resident_recorded", "resident", ["recorded_from"], unique=False, **SUMMARIES)
    op.create_index("span_recorded", "span", ["recorded_from"], unique=False, **SUMMARIES)
