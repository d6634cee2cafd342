"""statements: receivables, the final statement, disputes, names of products"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None

APPEND_ONLY = (
    "statement_offset", "final_statement", "dispute", "dispute_line", "dispute_decision", "line_adjustment",
)


def upgrade() -> None:
    """Bring the database forward; there is no way back but a backup."""
    op.add_column(
        'statement', sa.Column('kind', sqlmodel.sql.sqltypes.AutoString(), server_default='month', nullable=False)
    )
    op.create_check_constraint('statement_kind', 'statement', "kind IN ('month', 'final')")
    op.drop_constraint('statement_status_check', 'statement')
    op.create_check_constraint(
        'statement_status_check',
        'statement',
        "status IN ('drawn', 'approved', 'released', 'settled', 'receivable', 'booked', 'rejected')",
    )
    op.create_table('node_name',
    sa.Column('code', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('package_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('valid_from', sa.Date(), nullable=False),
    sa.Column('parent', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('level', sa.Integer(), nullable=False),
    sa.Column('name_fi', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.PrimaryKeyConstraint('code')
    )
    op.create_table('dispute',
    sa.Column('dispute_id', sa.Uuid(), nullable=False),
    sa.Column('statement_id', sa.Uuid(), nullable=False),
    sa.Column('area', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('producer_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('opened_by', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('opened_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('reason', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('due_on', sa.Date(), nullable=False),
    sa.ForeignKeyConstraint(['statement_id'], ['statement.statement_id'], ),
    sa.PrimaryKeyConstraint('dispute_id'),
    info={'grants': 'SELECT, INSERT'}
    )
    op.create_index(op.f('ix_dispute_statement_id'), 'dispute', ['statement_id'], unique=False)
    op.create_index(op.f('ix_dispute_producer_id'), 'dispute', ['producer_id'], unique=False)
    op.create_index(op.f('ix_dispute_area'), 'dispute', ['area'], unique=False)
    op.create_table('final_statement',
    sa.Column('statement_id', sa.Uuid(), nullable=False),
    sa.Column('area', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('producer_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('ground', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('reasons', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('drawn_by', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('drawn_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("ground IN ('left', 'revoked', 'insolvency')", name='final_statement_ground'),
    sa.ForeignKeyConstraint(['statement_id'], ['statement.statement_id'], ),
    sa.PrimaryKeyConstraint('statement_id'),
    sa.UniqueConstraint('area', 'producer_id'),
    info={'grants': 'SELECT, INSERT'}
    )
    op.create_table('statement_offset',
    sa.Column('statement_id', sa.Uuid(), nullable=False),
    sa.Column('into_id', sa.Uuid(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('component', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('amount_cents', sa.BigInteger(), nullable=False),
    sa.Column('taken_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint('amount_cents <> 0', name='statement_offset_moves'),
    sa.CheckConstraint('statement_id <> into_id', name='statement_offset_other'),
    sa.ForeignKeyConstraint(['into_id'], ['statement.statement_id'], ),
    sa.ForeignKeyConstraint(['statement_id'], ['statement.statement_id'], ),
    sa.PrimaryKeyConstraint('statement_id', 'into_id', 'version', 'component'),
    info={'grants': 'SELECT, INSERT'}
    )
    op.create_index(op.f('ix_statement_offset_into_id'), 'statement_offset', ['into_id'], unique=False)
    op.create_table('dispute_decision',
    sa.Column('dispute_id', sa.Uuid(), nullable=False),
    sa.Column('outcome', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('reasons', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('decided_by', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('remedy', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('owner', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.CheckConstraint("(outcome = 'accepted') = (remedy IS NOT NULL)", name='dispute_decision_remedy'),
    sa.CheckConstraint("outcome IN ('accepted', 'rejected')", name='dispute_decision_outcome'),
    sa.CheckConstraint('(remedy IS NULL) = (owner IS NULL)', name='dispute_decision_owner'),
    sa.ForeignKeyConstraint(['dispute_id'], ['dispute.dispute_id'], ),
    sa.PrimaryKeyConstraint('dispute_id'),
    info={'grants': 'SELECT, INSERT'}
    )
    op.create_table('dispute_line',
    sa.Column('run_id', sa.Uuid(), nullable=False),
    sa.Column('resident_id', sa.Uuid(), nullable=False),
    sa.Column('component', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('kind', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('for_month', sa.Date(), nullable=False),
    sa.Column('unit_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('source', sa.Uuid(), nullable=False),
    sa.Column('dispute_id', sa.Uuid(), nullable=False),
    sa.Column('producer_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('amount_cents', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['dispute_id'], ['dispute.dispute_id'], ),
    sa.PrimaryKeyConstraint('run_id', 'resident_id', 'component', 'kind', 'for_month', 'unit_id', 'source'),
    info={'grants': 'SELECT, INSERT'}
    )
    op.create_index(op.f('ix_dispute_line_dispute_id'), 'dispute_line', ['dispute_id'], unique=False)
    op.create_table('line_adjustment',
    sa.Column('dispute_id', sa.Uuid(), nullable=False),
    sa.Column('run_id', sa.Uuid(), nullable=False),
    sa.Column('resident_id', sa.Uuid(), nullable=False),
    sa.Column('component', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('kind', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('for_month', sa.Date(), nullable=False),
    sa.Column('unit_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('source', sa.Uuid(), nullable=False),
    sa.Column('area', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('producer_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('stood_cents', sa.BigInteger(), nullable=False),
    sa.Column('holds_cents', sa.BigInteger(), nullable=False),
    sa.Column('recorded_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['dispute_id'], ['dispute_decision.dispute_id'], ),
    sa.PrimaryKeyConstraint('dispute_id', 'run_id', 'resident_id', 'component', 'kind', 'for_month', 'unit_id', 'source'),
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
