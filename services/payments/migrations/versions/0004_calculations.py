"""municipal refunds and proposed rates"""

import sqlalchemy as sa
import sqlmodel
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0004'
down_revision = "0003"
branch_labels = None
depends_on = None

APPEND_ONLY = (
    "refund_rule", "need_figure", "agreed_measure", "measure_done", "refund_proposal", "refund_decision",
    "refund_account", "refund_payment", "refund_outcome", "rate_proposal",
)


def upgrade() -> None:
    """Bring the database forward; there is no way back but a backup."""
    op.create_table('agreed_measure',
    sa.Column('measure_id', sa.Uuid(), nullable=False),
    sa.Column('area', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('municipality', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('title', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('permille', sa.Integer(), nullable=False),
    sa.Column('agreed_on', sa.Date(), nullable=False),
    sa.Column('agreed_by', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('recorded_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint('permille BETWEEN 1 AND 1000'),
    sa.PrimaryKeyConstraint('measure_id'),
    info={'grants': 'SELECT, INSERT'}
    )
    op.create_index(op.f('ix_agreed_measure_municipality'), 'agreed_measure', ['municipality'], unique=False)
    op.create_table('need_figure',
    sa.Column('municipality', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('component', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('measured_on', sa.Date(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('value_permille', sa.Integer(), nullable=False),
    sa.Column('source', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('recorded_by', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('recorded_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("component IN ('morbidity', 'absence', 'employment', 'housing')"),
    sa.CheckConstraint('value_permille > 0'),
    sa.PrimaryKeyConstraint('municipality', 'component', 'measured_on', 'number'),
    info={'grants': 'SELECT, INSERT'}
    )
    op.create_table('rate_proposal',
    sa.Column('proposal_id', sa.Uuid(), nullable=False),
    sa.Column('area', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('kind', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('model', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('period_from', sa.Date(), nullable=False),
    sa.Column('period_until', sa.Date(), nullable=False),
    sa.Column('source', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('result', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('proposed_by', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('proposed_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("kind IN ('level_review', 'voucher_value')"),
    sa.CheckConstraint('period_from < period_until'),
    sa.PrimaryKeyConstraint('proposal_id'),
    info={'grants': 'SELECT, INSERT'}
    )
    op.create_index(op.f('ix_rate_proposal_area'), 'rate_proposal', ['area'], unique=False)
    op.create_table('refund_proposal',
    sa.Column('refund_id', sa.Uuid(), nullable=False),
    sa.Column('area', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('municipality', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('window_from', sa.Date(), nullable=False),
    sa.Column('window_until', sa.Date(), nullable=False),
    sa.Column('own_payment_cents', sa.BigInteger(), nullable=False),
    sa.Column('amount_cents', sa.BigInteger(), nullable=False),
    sa.Column('steps', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('proposed_by', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('proposed_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint('amount_cents BETWEEN 0 AND own_payment_cents'),
    sa.CheckConstraint('window_from < window_until'),
    sa.PrimaryKeyConstraint('refund_id'),
    info={'grants': 'SELECT, INSERT'}
    )
    op.create_index(op.f('ix_refund_proposal_area'), 'refund_proposal', ['area'], unique=False)
    op.create_table('refund_rule',
    sa.Column('valid_from', sa.Date(), nullable=False),
    sa.Column('morbidity_permille', sa.Integer(), nullable=False),
    sa.Column('absence_permille', sa.Integer(), nullable=False),
    sa.Column('employment_permille', sa.Integer(), nullable=False),
    sa.Column('housing_permille', sa.Integer(), nullable=False),
    sa.Column('need_share_permille', sa.Integer(), nullable=False),
    sa.Column('cap_permille', sa.Integer(), nullable=False),
    sa.Column('source', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('set_by', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('recorded_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint('least(morbidity_permille, absence_permille, employment_permille, housing_permille, need_share_permille, cap_permille) >= 0 AND greatest(need_share_permille, cap_permille) <= 1000'),
    sa.CheckConstraint('morbidity_permille + absence_permille + employment_permille + housing_permille = 1000'),
    sa.PrimaryKeyConstraint('valid_from'),
    info={'grants': 'SELECT, INSERT'}
    )
    op.create_table('measure_done',
    sa.Column('measure_id', sa.Uuid(), nullable=False),
    sa.Column('done_on', sa.Date(), nullable=False),
    sa.Column('evidence', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('agreed_by', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('confirmed_by', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('recorded_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint('agreed_by <> confirmed_by', name='measure_four_eyes'),
    sa.ForeignKeyConstraint(['measure_id'], ['agreed_measure.measure_id'], ),
    sa.PrimaryKeyConstraint('measure_id'),
    info={'grants': 'SELECT, INSERT'}
    )
    op.create_table('refund_decision',
    sa.Column('refund_id', sa.Uuid(), nullable=False),
    sa.Column('municipality', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('window_until', sa.Date(), nullable=False),
    sa.Column('approved', sa.Boolean(), nullable=False),
    sa.Column('reasons', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('proposed_by', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('decided_by', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint('proposed_by <> decided_by', name='refund_four_eyes'),
    sa.ForeignKeyConstraint(['refund_id'], ['refund_proposal.refund_id'], ),
    sa.PrimaryKeyConstraint('refund_id'),
    info={'grants': 'SELECT, INSERT'}
    )
    op.create_index('refund_once', 'refund_decision', ['municipality', 'window_until'], unique=True, postgresql_where=sa.text('approved'))
    op.create_table('refund_account',
    sa.Column('refund_id', sa.Uuid(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('payee', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('iban', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('confirmed_by', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('confirmed_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['refund_id'], ['refund_decision.refund_id'], ),
    sa.PrimaryKeyConstraint('refund_id', 'number'),
    info={'grants': 'SELECT, INSERT'}
    )
    op.create_table('refund_payment',
    sa.Column('end_to_end_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('refund_id', sa.Uuid(), nullable=False),
    sa.Column('attempt', sa.Integer(), nullable=False),
    sa.Column('amount_cents', sa.BigInteger(), nullable=False),
    sa.Column('decided_by', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('confirmed_by', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('paid_by', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('paid_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('pain001', sa.LargeBinary(), nullable=False),
    sa.CheckConstraint('length(end_to_end_id) <= 35'),
    sa.CheckConstraint('paid_by <> decided_by AND paid_by <> confirmed_by', name='refund_payment_four_eyes'),
    sa.ForeignKeyConstraint(['refund_id'], ['refund_decision.refund_id'], ),
    sa.PrimaryKeyConstraint('end_to_end_id'),
    sa.UniqueConstraint('refund_id', 'attempt'),
    info={'grants': 'SELECT, INSERT'}
    )
    op.create_table('refund_outcome',
    sa.Column('end_to_end_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('outcome', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('bank_reason', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('recorded_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("outcome IN ('booked', 'rejected', 'returned')"),
    sa.ForeignKeyConstraint(['end_to_end_id'], ['refund_payment.end_to_end_id'], ),
    sa.PrimaryKeyConstraint('end_to_end_id', 'outcome'),
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
