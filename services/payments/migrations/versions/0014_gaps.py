"""Incentives follow corrections, vouchers say why they do not pay, contracts carry their class, partitions are closed."""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0014"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database forward; there is no way back but a backup."""
    _incentives()
    op.add_column("voucher_use", sa.Column("why", sqlmodel.sql.sqltypes.AutoString(), nullable=True))
    op.create_check_constraint("voucher_use_not_paid", "voucher_use", "why IS NULL OR (uses = 0 AND amount_cents = 0)")
    op.create_index(
        *("voucher_use_not_paid_of", "voucher_use", ["producer_id", "area"]),
        postgresql_where=sa.text("why IS NOT NULL"),
    )
    op.add_column(
        "contract_version",
        sa.Column("contract_class", sqlmodel.sql.sqltypes.AutoString(), nullable=False, server_default="basic"),
    )
    op.execute("ALTER TABLE contract_version DISABLE TRIGGER no_change")
    op.execute(
        "UPDATE contract_version v SET contract_class = c.contract_class FROM contract c"
        " WHERE c.contract_id = v.contract_id"
    )
    op.execute("ALTER TABLE contract_version ENABLE TRIGGER no_change")
    op.alter_column("contract_version", "contract_class", server_default=None)
    op.execute(PARTITIONS)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sqlmodel.sql.sqltypes.AutoString(), nullable=False)


def _cents(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=False)


def _append_only(table: str) -> None:
    for event, each in (("UPDATE OR DELETE", "ROW"), ("TRUNCATE", "STATEMENT")):
        name = "no_truncate" if event == "TRUNCATE" else "no_change"
        op.execute(f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH {each} EXECUTE FUNCTION refuse_change()")
    op.execute(f"SELECT scope_by_area('{table}')")


PARTITIONS = """
CREATE OR REPLACE FUNCTION seal_line_partition(run uuid, area text, month date) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    name text := line_partition_name(area, month);
BEGIN
    IF NOT EXISTS (SELECT FROM run r WHERE r.run_id = run AND r.status = 'requested') THEN
        RAISE EXCEPTION 'there is no requested run %', run;
    END IF;
    EXECUTE format('ALTER TABLE %I ADD PRIMARY KEY'
        ' (run_id, resident_id, component, kind, for_month, unit_id, source)', name);
    EXECUTE format('ALTER TABLE line ATTACH PARTITION %I FOR VALUES IN (%L)', name, run);
    EXECUTE format('CREATE TRIGGER no_truncate BEFORE TRUNCATE ON %I'
        ' FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', name);
    EXECUTE format('REVOKE ALL ON %I FROM %I', name, session_user);
    EXECUTE format('ANALYZE %I', name);
    RETURN name;
END $$;

DO $$
DECLARE
    granted record;
BEGIN
    FOR granted IN
        SELECT c.oid::regclass AS name, a.grantee::regrole AS role FROM pg_inherits i
        JOIN pg_class c ON c.oid = i.inhrelid CROSS JOIN LATERAL aclexplode(c.relacl) a
        WHERE i.inhparent = 'line'::regclass AND a.grantee <> 0 AND a.grantee <> c.relowner GROUP BY 1, 2
    LOOP
        EXECUTE format('REVOKE ALL ON %s FROM %s', granted.name, granted.role);
    END LOOP;
END $$;
"""
"""The policy of `line` stands on the whole: a part that is named directly would pass it by, so nobody may name one."""
RESERVES = """
CREATE TEMP TABLE reserves ON COMMIT DROP AS SELECT *, (
    SELECT coalesce(sum(l.amount_cents), 0) FROM line l JOIN unit u USING (unit_id)
    WHERE l.run_id = r.run_id AND l.producer_id = r.producer_id AND l.component = 'capitation'
      AND u.municipality = r.municipality)::bigint AS capitation_cents
FROM incentive_reserve r
"""
OUTCOMES = """
CREATE TEMP TABLE outcomes ON COMMIT DROP AS SELECT o.*, r.month
FROM incentive_outcome o JOIN incentive_reserve r
    ON r.run_id = o.reserve_run_id AND r.producer_id = o.producer_id AND r.municipality = o.municipality
"""


def _incentives() -> None:
    """Reserves and outcomes become changes by the month of the capitation; those that there are, are their first."""
    op.execute(RESERVES)
    op.execute(OUTCOMES)
    op.drop_table("incentive_outcome")
    op.drop_table("incentive_reserve")
    op.create_table(
        "incentive_reserve",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        *(_text("producer_id"), _text("municipality"), sa.Column("for_month", sa.Date(), nullable=False)),
        *(_text("area"), _text("model"), _cents("capitation_cents"), _cents("reserved_cents")),
        sa.CheckConstraint("capitation_cents <> 0 OR reserved_cents <> 0"),
        sa.ForeignKeyConstraint(["run_id"], ["run.run_id"]),
        sa.PrimaryKeyConstraint("run_id", "producer_id", "municipality", "for_month"),
        info={"grants": "SELECT, INSERT"},
    )
    op.create_table(
        "incentive_outcome",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        *(_text("producer_id"), _text("municipality"), sa.Column("for_month", sa.Date(), nullable=False)),
        *(_text("indicator"), _text("area"), sa.Column("snapshot_id", sa.Uuid(), nullable=False)),
        *(_cents("earned_cents"), _cents("released_cents")),
        sa.CheckConstraint("earned_cents <> 0 OR released_cents <> 0"),
        sa.ForeignKeyConstraint(["run_id"], ["run.run_id"]),
        sa.PrimaryKeyConstraint("run_id", "producer_id", "municipality", "for_month", "indicator"),
        info={"grants": "SELECT, INSERT"},
    )
    op.execute(
        "INSERT INTO incentive_reserve (run_id, producer_id, municipality, for_month, area, model, capitation_cents,"
        " reserved_cents) SELECT run_id, producer_id, municipality, month, area, model, capitation_cents,"
        " reserved_cents FROM reserves"
    )
    op.execute(
        "INSERT INTO incentive_outcome (run_id, producer_id, municipality, for_month, indicator, area, snapshot_id,"
        " earned_cents, released_cents) SELECT run_id, producer_id, municipality, month, indicator, area, snapshot_id,"
        " earned_cents, released_cents FROM outcomes WHERE earned_cents <> 0 OR released_cents <> 0"
    )
    for table in ("incentive_reserve", "incentive_outcome"):
        op.create_index(op.f(f"ix_{table}_area"), table, ["area"], unique=False)
        _append_only(table)
