"""first"""

import sqlalchemy as sa
import sqlmodel
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0001'
down_revision = None
branch_labels = None
depends_on = None


LEDGER_RULES = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the table % is append-only: % is refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'KA001';
END $$;

CREATE FUNCTION check_entry_sums_to_zero() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    total numeric;
    number_of integer;
BEGIN
    SELECT sum(amount_cents), count(*) INTO total, number_of FROM posting
    WHERE area = NEW.area AND seq = NEW.seq;
    IF number_of < 2 OR total <> 0 THEN
        RAISE EXCEPTION 'entry % of area % has % postings that sum to %', NEW.seq, NEW.area, number_of, total
            USING ERRCODE = 'KA002';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER entry_sums_to_zero AFTER INSERT ON entry DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION check_entry_sums_to_zero();
CREATE CONSTRAINT TRIGGER posting_sums_to_zero AFTER INSERT ON posting DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION check_entry_sums_to_zero();
"""

APPEND_ONLY = ("entry", "posting", "line", "statement_sum", "bank_entry", "bank_message", "payout")

PARTITIONS = """
CREATE FUNCTION line_partition_name(area text, month date) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT 'line_' || area || '_' || to_char(month, 'YYYYMM')
$$;

CREATE FUNCTION open_line_partition(run uuid, area text, month date) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    name text := line_partition_name(area, month);
BEGIN
    IF NOT EXISTS (SELECT FROM run r WHERE r.run_id = run AND r.area = open_line_partition.area
                   AND r.month = open_line_partition.month AND r.status = 'requested') THEN
        RAISE EXCEPTION 'there is no requested run % of area % and month %', run, area, month;
    END IF;
    EXECUTE format('CREATE TABLE %I (LIKE line INCLUDING DEFAULTS)', name);
    EXECUTE format('ALTER TABLE %I ADD CHECK (run_id = %L)', name, run);
    EXECUTE format('GRANT SELECT, INSERT ON %I TO %I', name, session_user);
    RETURN name;
END $$;

CREATE FUNCTION seal_line_partition(run uuid, area text, month date) RETURNS text
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
    EXECUTE format('GRANT SELECT ON %I TO %I', name, session_user);
    EXECUTE format('ANALYZE %I', name);
    RETURN name;
END $$;

"""


def upgrade() -> None:
    """Bring the database forward; there is no way back but a backup."""
    op.create_table('bank_entry',
    sa.Column('bank_reference', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('message_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('end_to_end_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('outcome', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('amount_cents', sa.BigInteger(), nullable=False),
    sa.Column('matched', sa.Boolean(), nullable=False),
    sa.PrimaryKeyConstraint('bank_reference', 'matched'),
    info={'grants': 'SELECT, INSERT'}
    )
    op.create_table('bank_message',
    sa.Column('message_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('kind', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('received_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('entries', sa.Integer(), nullable=False),
    sa.Column('matched', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('message_id'),
    info={'grants': 'SELECT, INSERT'}
    )
    op.create_table('book',
    sa.Column('area', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('next_seq', sa.BigInteger(), nullable=False),
    sa.Column('head_hash', sa.LargeBinary(), nullable=False),
    sa.Column('spendable_cents', sa.BigInteger(), nullable=False),
    sa.Column('limit_cents', sa.BigInteger(), nullable=False),
    sa.CheckConstraint('spendable_cents >= limit_cents', name='book_limit'),
    sa.PrimaryKeyConstraint('area'),
    info={'grants': 'SELECT, INSERT, UPDATE (next_seq, head_hash, spendable_cents)'}
    )
    op.create_table('contract',
    sa.Column('contract_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('producer_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('area', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('contract_class', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('compensation_kinds', sa.ARRAY(sa.Text()), nullable=False),
    sa.Column('starts_on', sa.Date(), nullable=False),
    sa.Column('ends_on', sa.Date(), nullable=True),
    sa.PrimaryKeyConstraint('contract_id')
    )
    op.create_index(op.f('ix_contract_producer_id'), 'contract', ['producer_id'], unique=False)
    op.create_table('entry',
    sa.Column('area', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('seq', sa.BigInteger(), nullable=False),
    sa.Column('entry_id', sa.Uuid(), nullable=False),
    sa.Column('kind', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('reference', sa.Uuid(), nullable=False),
    sa.Column('booked_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('text', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('lines_digest', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('hash', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('area', 'seq'),
    sa.UniqueConstraint('entry_id'),
    info={'grants': 'SELECT, INSERT'}
    )
    op.create_table('idempotency',
    sa.Column('caller', sa.Text(), nullable=False),
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('route', sa.Text(), nullable=False),
    sa.Column('body_hash', sa.LargeBinary(), nullable=False),
    sa.Column('status', sa.SmallInteger(), nullable=False),
    sa.Column('body', sa.LargeBinary(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.PrimaryKeyConstraint('caller', 'key'),
    info={'grants': 'SELECT, INSERT'}
    )
    op.create_table('inbox',
    sa.Column('event_id', sa.Uuid(), nullable=False),
    sa.Column('topic', sa.Text(), nullable=False),
    sa.Column('received_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.PrimaryKeyConstraint('event_id'),
    info={'grants': 'SELECT, INSERT'}
    )
    op.create_table('inbox_offset',
    sa.Column('topic', sa.Text(), nullable=False),
    sa.Column('partition', sa.Integer(), nullable=False),
    sa.Column('next_offset', sa.BigInteger(), nullable=False),
    sa.Column('received', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('applied', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('duplicates', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('dead', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('unknown', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.PrimaryKeyConstraint('topic', 'partition')
    )
    op.create_table('line',
    sa.Column('run_id', sa.Uuid(), nullable=False),
    sa.Column('resident_id', sa.Uuid(), nullable=False),
    sa.Column('component', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('kind', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('for_month', sa.Date(), nullable=False),
    sa.Column('unit_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('source', sa.Uuid(), nullable=False),
    sa.Column('producer_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('days', sa.Integer(), nullable=False),
    sa.Column('permille_days', sa.Integer(), nullable=False),
    sa.Column('rate_cents', sa.BigInteger(), nullable=False),
    sa.Column('amount_cents', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('run_id', 'resident_id', 'component', 'kind', 'for_month', 'unit_id', 'source'),
    info={'grants': 'SELECT, INSERT'},
    postgresql_partition_by='LIST (run_id)'
    )
    op.create_table('model',
    sa.Column('document_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('recorded_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('area', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('valid_from', sa.Date(), nullable=False),
    sa.Column('terms', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.PrimaryKeyConstraint('document_id'),
    info={'grants': 'SELECT, INSERT'}
    )
    op.create_table('outbox',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('event_id', sa.Uuid(), server_default=sa.text('gen_random_uuid()'), nullable=False),
    sa.Column('topic', sa.Text(), nullable=False),
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('type', sa.Text(), nullable=False),
    sa.Column('body', sa.Text(), nullable=False),
    sa.Column('headers', postgresql.JSONB(astext_type=sa.Text()), nullable=True),
    sa.Column('traceparent', sa.Text(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.Column('shard', sa.SmallInteger(), sa.Computed('(hashtext(key) & 3)::smallint', persisted=True), nullable=False),
    sa.Column('sent_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id'),
    info={'grants': 'SELECT, INSERT, UPDATE (sent_at)'}
    )
    op.create_index('outbox_unsent', 'outbox', ['shard', 'id'], unique=False, postgresql_where=sa.text('sent_at IS NULL'))
    op.create_table('payout',
    sa.Column('payout_id', sa.Uuid(), nullable=False),
    sa.Column('area', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('released_by', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('pain001', sa.LargeBinary(), nullable=True),
    sa.PrimaryKeyConstraint('payout_id'),
    info={'grants': 'SELECT, INSERT'}
    )
    op.create_table('price',
    sa.Column('price_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('recorded_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('area', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('node', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('unit_of_measure', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('valid_from', sa.Date(), nullable=False),
    sa.Column('price_cents', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('price_id'),
    sa.UniqueConstraint('area', 'node', 'unit_of_measure', 'valid_from'),
    info={'grants': 'SELECT, INSERT'}
    )
    op.create_table('producer',
    sa.Column('producer_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('area', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('name', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('kind', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('status', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('iban', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.PrimaryKeyConstraint('producer_id')
    )
    op.create_table('relay_shard',
    sa.Column('shard', sa.SmallInteger(), nullable=False),
    sa.Column('token', sa.Uuid(), nullable=True),
    sa.Column('leased_until', sa.DateTime(timezone=True), server_default=sa.text("'-infinity'"), nullable=False),
    sa.PrimaryKeyConstraint('shard')
    )
    op.create_table('resident',
    sa.Column('resident_id', sa.Uuid(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('recorded_from', sa.DateTime(timezone=True), nullable=False),
    sa.Column('recorded_until', sa.DateTime(timezone=True), server_default=sa.text("'infinity'"), nullable=False),
    sa.Column('birth_date', sa.Date(), nullable=False),
    sa.Column('sex', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('area', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('lives_until', sa.Date(), nullable=True),
    sa.CheckConstraint('recorded_from <= recorded_until'),
    sa.PrimaryKeyConstraint('resident_id', 'version')
    )
    op.create_table('run',
    sa.Column('run_id', sa.Uuid(), nullable=False),
    sa.Column('area', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('month', sa.Date(), nullable=False),
    sa.Column('cut_off', sa.DateTime(timezone=True), nullable=False),
    sa.Column('status', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('requested_by', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('problem', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('digest', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('seconds', sa.Float(), nullable=True),
    sa.CheckConstraint("(status = 'closed') = (digest IS NOT NULL)"),
    sa.CheckConstraint("month = date_trunc('month', month)::date"),
    sa.CheckConstraint("status IN ('requested', 'closed', 'failed')"),
    sa.PrimaryKeyConstraint('run_id'),
    sa.UniqueConstraint('area', 'month')
    )
    op.create_table('sandbox_clock',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('instant', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_table('scheme_phase',
    sa.Column('scheme_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('recorded_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('municipality', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('area', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('phase', sa.Integer(), nullable=False),
    sa.Column('entered_on', sa.Date(), nullable=False),
    sa.Column('compensation_model', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.PrimaryKeyConstraint('scheme_id', 'version'),
    info={'grants': 'SELECT, INSERT'}
    )
    op.create_table('span',
    sa.Column('resident_id', sa.Uuid(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('number', sa.SmallInteger(), nullable=False),
    sa.Column('recorded_from', sa.DateTime(timezone=True), nullable=False),
    sa.Column('recorded_until', sa.DateTime(timezone=True), server_default=sa.text("'infinity'"), nullable=False),
    sa.Column('unit_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('producer_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('starts_on', sa.Date(), nullable=False),
    sa.Column('until', sa.Date(), nullable=True),
    sa.Column('coefficient_permille', sa.Integer(), nullable=False),
    sa.CheckConstraint('coefficient_permille > 0'),
    sa.CheckConstraint('recorded_from <= recorded_until'),
    sa.CheckConstraint('until IS NULL OR until >= starts_on'),
    sa.PrimaryKeyConstraint('resident_id', 'version', 'number')
    )
    op.create_table('statement',
    sa.Column('statement_id', sa.Uuid(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('run_id', sa.Uuid(), nullable=False),
    sa.Column('area', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('month', sa.Date(), nullable=False),
    sa.Column('producer_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('amount_cents', sa.BigInteger(), nullable=False),
    sa.Column('status', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('approved_by', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('approved_iban', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('released_by', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.CheckConstraint("status IN ('drawn', 'approved', 'released', 'settled', 'booked', 'rejected')"),
    sa.CheckConstraint('approved_by <> released_by', name='statement_four_eyes'),
    sa.PrimaryKeyConstraint('statement_id'),
    sa.UniqueConstraint('run_id', 'producer_id')
    )
    op.create_index(op.f('ix_statement_producer_id'), 'statement', ['producer_id'], unique=False)
    op.create_table('unit',
    sa.Column('unit_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('recorded_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('producer_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('area', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('municipality', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('own', sa.Boolean(), nullable=False),
    sa.PrimaryKeyConstraint('unit_id')
    )
    op.create_index(op.f('ix_unit_producer_id'), 'unit', ['producer_id'], unique=False)
    op.create_table('visit',
    sa.Column('production_id', sa.Uuid(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('recorded_from', sa.DateTime(timezone=True), nullable=False),
    sa.Column('recorded_until', sa.DateTime(timezone=True), server_default=sa.text("'infinity'"), nullable=False),
    sa.Column('report_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('producer_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('unit_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('resident_id', sa.Uuid(), nullable=False),
    sa.Column('area', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('node', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('unit_of_measure', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('performed_on', sa.Date(), nullable=False),
    sa.Column('quantity', sa.Integer(), nullable=False),
    sa.Column('client_fee_cents', sa.Integer(), nullable=False),
    sa.CheckConstraint('quantity > 0 AND client_fee_cents >= 0'),
    sa.CheckConstraint('recorded_from <= recorded_until'),
    sa.PrimaryKeyConstraint('production_id', 'version')
    )
    op.create_index('visit_report', 'visit', ['producer_id', 'report_id', 'version'], unique=True)
    op.create_table('payment',
    sa.Column('end_to_end_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('payout_id', sa.Uuid(), nullable=False),
    sa.Column('statement_id', sa.Uuid(), nullable=False),
    sa.Column('amount_cents', sa.BigInteger(), nullable=False),
    sa.Column('status', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('bank_reason', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.CheckConstraint("status IN ('open', 'booked', 'rejected')"),
    sa.CheckConstraint('amount_cents > 0'),
    sa.CheckConstraint('length(end_to_end_id) <= 35'),
    sa.ForeignKeyConstraint(['payout_id'], ['payout.payout_id'], ),
    sa.ForeignKeyConstraint(['statement_id'], ['statement.statement_id'], ),
    sa.PrimaryKeyConstraint('end_to_end_id'),
    info={'grants': 'SELECT, INSERT, UPDATE (status, bank_reason)'}
    )
    op.create_index(op.f('ix_payment_payout_id'), 'payment', ['payout_id'], unique=False)
    op.create_index(op.f('ix_payment_statement_id'), 'payment', ['statement_id'], unique=False)
    op.create_table('posting',
    sa.Column('area', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('seq', sa.BigInteger(), nullable=False),
    sa.Column('number', sa.SmallInteger(), nullable=False),
    sa.Column('account', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('party', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('component', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('amount_cents', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['area', 'seq'], ['entry.area', 'entry.seq'], ),
    sa.PrimaryKeyConstraint('area', 'seq', 'number'),
    info={'grants': 'SELECT, INSERT'}
    )
    op.create_table('statement_sum',
    sa.Column('statement_id', sa.Uuid(), nullable=False),
    sa.Column('component', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('lines', sa.Integer(), nullable=False),
    sa.Column('amount_cents', sa.BigInteger(), nullable=False),
    sa.Column('lines_digest', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.ForeignKeyConstraint(['statement_id'], ['statement.statement_id'], ),
    sa.PrimaryKeyConstraint('statement_id', 'component'),
    info={'grants': 'SELECT, INSERT'}
    )
    op.execute(LEDGER_RULES)
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER no_change BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER no_truncate BEFORE TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    op.execute(PARTITIONS)
