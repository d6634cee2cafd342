"""Reserves and claims above the ceiling belong to the month of their run; runs and statements keep what was sealed."""

from alembic import op

revision = "0024"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database forward; there is no way back but a backup."""
    op.execute(CLOSED_YEARS)
    op.execute(KEPT)


CLOSED_YEARS = """
CREATE OR REPLACE FUNCTION refuse_closed_year_of_entry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM entered e
        LEFT JOIN run r ON e.kind IN ('cost', 'reserved', 'reserve_dissolved', 'ceiling') AND r.run_id = e.reference
        JOIN year_end y ON y.area = e.area AND y.fiscal_year
            >= extract(year FROM coalesce(r.month::timestamp, e.booked_at AT TIME ZONE 'Europe/Helsinki'))
    ) THEN
        RAISE EXCEPTION 'an entry belongs to a fiscal year that is closed' USING ERRCODE = 'KA003';
    END IF;
    RETURN NULL;
END $$;
"""
KEPT = """
CREATE TRIGGER closed_stays BEFORE UPDATE ON run
    FOR EACH ROW WHEN (OLD.status = 'closed') EXECUTE FUNCTION refuse_change();
CREATE TRIGGER no_delete BEFORE DELETE ON run FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON run FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER no_delete BEFORE DELETE ON statement FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON statement FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""
"""What the application's role may change of them is granted column by column, with the tables."""
