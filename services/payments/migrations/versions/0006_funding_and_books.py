"""The channel's funding plans, fiscal years, daily traffic, and row-level security by area."""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None


APPEND_ONLY = (
    "entry_value", "instalment", "instalment_share", "instalment_plan", "planned_instalment", "state_funding",
    "state_funding_part", "year_end", "year_end_balance", "year_proposal",
)

SCOPE = """
CREATE FUNCTION scope_by_area(name regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('CREATE POLICY by_area ON %s'
        ' USING ((SELECT current_setting(''kanava.area'', true)) IN (area, ''*''))', name);
END $$;

CREATE FUNCTION scope_by_parent(name regclass, parent regclass, key text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('CREATE POLICY by_area ON %1$s'
        ' USING ((SELECT current_setting(''kanava.area'', true)) = ''*'' OR %3$I IN (SELECT %3$I FROM %2$s))',
        name, parent, key);
END $$;
"""

AREA_TABLES = (
    "book", "entry", "posting", "run", "statement", "payout", "entry_value", "instalment", "instalment_share",
    "instalment_plan", "planned_instalment", "state_funding_part", "year_end", "year_end_balance", "year_proposal",
)
PARENTS = (("line", "run", "run_id"), ("statement_sum", "statement", "statement_id"), ("payment", "payout", "payout_id"))

CLOSED_YEARS = """
CREATE FUNCTION refuse_closed_year_of_entry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM entered e LEFT JOIN run r ON e.kind = 'cost' AND r.run_id = e.reference
        JOIN year_end y ON y.area = e.area AND y.fiscal_year
            >= extract(year FROM coalesce(r.month::timestamp, e.booked_at AT TIME ZONE 'Europe/Helsinki'))
    ) THEN
        RAISE EXCEPTION 'an entry belongs to a fiscal year that is closed' USING ERRCODE = 'KA003';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER year_is_open AFTER INSERT ON entry REFERENCING NEW TABLE AS entered
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_closed_year_of_entry();

CREATE FUNCTION refuse_closed_year_of_value() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM year_end WHERE area = NEW.area AND fiscal_year >= extract(year FROM NEW.value_date)) THEN
        RAISE EXCEPTION 'the fiscal year of % is closed in area %', NEW.value_date, NEW.area USING ERRCODE = 'KA003';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER year_is_open BEFORE INSERT ON entry_value
    FOR EACH ROW EXECUTE FUNCTION refuse_closed_year_of_value();
"""

HEARD = """
CREATE FUNCTION count_heard() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    before inbox_offset;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        before := OLD;
    END IF;
    INSERT INTO heard_day AS h (topic, day, partition, received, applied, duplicates, dead, unknown)
    VALUES (NEW.topic, (clock_timestamp() AT TIME ZONE 'Europe/Helsinki')::date, NEW.partition,
        NEW.received - coalesce(before.received, 0), NEW.applied - coalesce(before.applied, 0),
        NEW.duplicates - coalesce(before.duplicates, 0), NEW.dead - coalesce(before.dead, 0),
        NEW.unknown - coalesce(before.unknown, 0))
    ON CONFLICT (topic, day, partition) DO UPDATE SET received = h.received + excluded.received,
        applied = h.applied + excluded.applied, duplicates = h.duplicates + excluded.duplicates,
        dead = h.dead + excluded.dead, unknown = h.unknown + excluded.unknown;
    RETURN NULL;
END $$;
CREATE TRIGGER count_heard AFTER INSERT OR UPDATE ON inbox_offset
    FOR EACH ROW EXECUTE FUNCTION count_heard();
"""


def upgrade() -> None:
    """Bring the database forward; there is no way back but a backup."""
    op.create_table('entry_value',
    sa.Column('area', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('seq', sa.BigInteger(), nullable=False),
    sa.Column('value_date', sa.Date(), nullable=False),
    sa.ForeignKeyConstraint(['area', 'seq'], ['entry.area', 'entry.seq'], ),
    sa.PrimaryKeyConstraint('area', 'seq'),
    info={'grants': 'SELECT, INSERT'}
    )
    op.create_table('heard_day',
    sa.Column('topic', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('partition', sa.Integer(), nullable=False),
    sa.Column('received', sa.BigInteger(), nullable=False),
    sa.Column('applied', sa.BigInteger(), nullable=False),
    sa.Column('duplicates', sa.BigInteger(), nullable=False),
    sa.Column('dead', sa.BigInteger(), nullable=False),
    sa.Column('unknown', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('topic', 'day', 'partition'),
    info={'grants': 'SELECT'}
    )
    op.create_table('instalment',
    sa.Column('instalment_id', sa.Uuid(), nullable=False),
    sa.Column('area', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('payer', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('party', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('reference', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('received_on', sa.Date(), nullable=False),
    sa.Column('amount_cents', sa.BigInteger(), nullable=False),
    sa.Column('recorded_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("payer IN ('state', 'municipality', 'insurance')"),
    sa.CheckConstraint('amount_cents > 0'),
    sa.PrimaryKeyConstraint('instalment_id'),
    info={'grants': 'SELECT, INSERT'}
    )
    op.create_index(op.f('ix_instalment_area'), 'instalment', ['area'], unique=False)
    op.create_table('instalment_plan',
    sa.Column('plan_id', sa.Uuid(), nullable=False),
    sa.Column('area', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('payer', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('party', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('fiscal_year', sa.Integer(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('total_cents', sa.BigInteger(), nullable=False),
    sa.Column('reason', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('recorded_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('recorded_by', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.CheckConstraint("(payer = 'municipality') = (party <> '')"),
    sa.CheckConstraint("payer IN ('state', 'municipality', 'insurance')"),
    sa.PrimaryKeyConstraint('plan_id'),
    sa.UniqueConstraint('area', 'payer', 'party', 'fiscal_year', 'version'),
    info={'grants': 'SELECT, INSERT'}
    )
    op.create_table('state_funding',
    sa.Column('fiscal_year', sa.Integer(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('total_cents', sa.BigInteger(), nullable=False),
    sa.Column('shares_of', sa.Integer(), nullable=False),
    sa.Column('reason', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('recorded_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('recorded_by', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.CheckConstraint('total_cents > 0'),
    sa.PrimaryKeyConstraint('fiscal_year', 'version'),
    info={'grants': 'SELECT, INSERT'}
    )
    op.create_table('year_end',
    sa.Column('area', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('fiscal_year', sa.Integer(), nullable=False),
    sa.Column('proposed_by', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('closed_by', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('closed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('entries', sa.Integer(), nullable=False),
    sa.Column('head', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('journal_digest', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.CheckConstraint('proposed_by <> closed_by', name='year_end_four_eyes'),
    sa.PrimaryKeyConstraint('area', 'fiscal_year'),
    info={'grants': 'SELECT, INSERT'}
    )
    op.create_table('year_proposal',
    sa.Column('area', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('fiscal_year', sa.Integer(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('journal_digest', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('proposed_by', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('proposed_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('area', 'fiscal_year', 'version'),
    info={'grants': 'SELECT, INSERT'}
    )
    op.create_table('instalment_share',
    sa.Column('instalment_id', sa.Uuid(), nullable=False),
    sa.Column('fiscal_year', sa.Integer(), nullable=False),
    sa.Column('area', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('amount_cents', sa.BigInteger(), nullable=False),
    sa.CheckConstraint('amount_cents > 0'),
    sa.ForeignKeyConstraint(['instalment_id'], ['instalment.instalment_id'], ),
    sa.PrimaryKeyConstraint('instalment_id', 'fiscal_year'),
    info={'grants': 'SELECT, INSERT'}
    )
    op.create_table('planned_instalment',
    sa.Column('plan_id', sa.Uuid(), nullable=False),
    sa.Column('number', sa.SmallInteger(), nullable=False),
    sa.Column('area', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('due_on', sa.Date(), nullable=False),
    sa.Column('amount_cents', sa.BigInteger(), nullable=False),
    sa.CheckConstraint('amount_cents > 0'),
    sa.ForeignKeyConstraint(['plan_id'], ['instalment_plan.plan_id'], ),
    sa.PrimaryKeyConstraint('plan_id', 'number'),
    info={'grants': 'SELECT, INSERT'}
    )
    op.create_table('state_funding_part',
    sa.Column('fiscal_year', sa.Integer(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('area', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('determinant', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('share_thousandths', sa.Integer(), nullable=False),
    sa.Column('measure', sa.BigInteger(), nullable=False),
    sa.Column('amount_cents', sa.BigInteger(), nullable=False),
    sa.CheckConstraint('measure >= 0 AND amount_cents >= 0'),
    sa.ForeignKeyConstraint(['fiscal_year', 'version'], ['state_funding.fiscal_year', 'state_funding.version'], ),
    sa.PrimaryKeyConstraint('fiscal_year', 'version', 'area', 'determinant'),
    info={'grants': 'SELECT, INSERT'}
    )
    op.create_table('year_end_balance',
    sa.Column('area', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('fiscal_year', sa.Integer(), nullable=False),
    sa.Column('account', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('opening_cents', sa.BigInteger(), nullable=False),
    sa.Column('debit_cents', sa.BigInteger(), nullable=False),
    sa.Column('credit_cents', sa.BigInteger(), nullable=False),
    sa.Column('closing_cents', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['area', 'fiscal_year'], ['year_end.area', 'year_end.fiscal_year'], ),
    sa.PrimaryKeyConstraint('area', 'fiscal_year', 'account'),
    info={'grants': 'SELECT, INSERT'}
    )

    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER no_change BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER no_truncate BEFORE TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    op.execute(SCOPE)
    for table in AREA_TABLES:
        op.execute(f"SELECT scope_by_area('{table}')")
    for table, parent, key in PARENTS:
        op.execute(f"SELECT scope_by_parent('{table}', '{parent}', '{key}')")
    op.execute(CLOSED_YEARS)
    op.execute(HEARD)
