"""Lines are indexed by resident first: within a part the run is always the same, and sorting by it tells nothing."""

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

KEY = "resident_id, component, kind, for_month, unit_id, source, run_id"


def upgrade() -> None:
    """Bring the database forward; there is no way back but a backup."""
    op.execute("ALTER TABLE line DROP CONSTRAINT line_pkey")
    op.execute(f"ALTER TABLE line ADD PRIMARY KEY ({KEY})")
    op.execute(SEALED)


SEALED = f"""
CREATE OR REPLACE FUNCTION seal_line_partition(run uuid, area text, month date) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET default_statistics_target = 10
AS $$
DECLARE
    name text := line_partition_name(area, month);
BEGIN
    IF NOT EXISTS (SELECT FROM run r WHERE r.run_id = run AND r.status = 'requested') THEN
        RAISE EXCEPTION 'there is no requested run %', run;
    END IF;
    EXECUTE format('ALTER TABLE %I ADD PRIMARY KEY ({KEY})', name);
    EXECUTE format('ALTER TABLE line ATTACH PARTITION %I FOR VALUES IN (%L)', name, run);
    EXECUTE format('CREATE TRIGGER no_truncate BEFORE TRUNCATE ON %I'
        ' FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', name);
    EXECUTE format('REVOKE ALL ON %I FROM %I', name, session_user);
    EXECUTE format('ANALYZE %I', name);
    RETURN name;
END $$;
"""
